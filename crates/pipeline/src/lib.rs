//! The corridor: from events to people, sessions, touchpoints, conversions, paths and credits.
//!
//! [`Workspace`] opens the folder, [`build()`] rebuilds what changed, [`report`] answers questions.
mod build;
mod error;
mod preview;
pub mod report;
pub mod settings;
mod workspace;

pub use build::{BuildReport, build};
pub use error::{Error, Result};
pub use preview::{Moved, Preview, Rebuilt, preview};
pub use settings::Settings;
pub use workspace::{SETTINGS_FILE, TEMPLATE, Workspace};
