//! The corridor: from events to people, sessions, touchpoints, conversions, paths and credits.
//!
//! [`Workspace`] opens the folder, [`build()`] rebuilds what changed, [`report`] answers questions, [`privacy`] tells and
//! erases what is known of one person.
mod build;
mod by_hand;
mod error;
mod preview;
pub mod privacy;
pub mod report;
pub mod settings;
mod touched;
mod workspace;

pub use build::{BuildNote, BuildReport, Step, build};
pub use by_hand::{Act, Acted, Decision, Named, by_hand};
pub use error::{Error, Result};
pub use preview::{Moved, Preview, Rebuilt, preview};
pub use safar_attribution::Stop;
pub use settings::{AttributionSettings, Settings};
pub use touched::Touched;
pub use workspace::{SETTINGS_FILE, TEMPLATE, Workspace};
