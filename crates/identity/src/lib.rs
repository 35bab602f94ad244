//! The identity graph: links between identifiers in, people out.
//!
//! Three steps, in the order in which data walks:
//!
//! 1. [`normalise`] turns a raw identifier into its stored form, or says why it is junk.
//! 2. [`IdentityGraph`] collects [`Link`]s: statements that two identifiers belong to one person. The log of links is
//!    append-only and its order does not matter.
//! 3. [`IdentityGraph::resolve`] gives a [`PersonMap`] (identifier → person, from, to) and the [`Conflict`]s: links that
//!    would break a rule, kept apart and never merged.
//!
//! Events keep their raw identifiers and meet the map when they are read ([`PersonMap::person_of`]), so taking two
//! people apart never rewrites an event.
//!
//! # How people are made
//! Identifiers of a person (user, CRM, e-mail, phone, custom) are joined by links, oldest first, unless the joined
//! person would hold two identifiers of a `unique` namespace, more than the `limit` of another, or two identifiers that
//! somebody split by hand. A device (`anonymous`, custom namespaces marked `device`) never joins people: it is *owned*,
//! for a time. One owner owns it always, also before the first login; a device that goes from A to B is split at B's
//! first login; a device that comes back, or that many people use within weeks, is shared and belongs to a person only
//! around that person's logins.
//!
//! # Person ids
//! A person's id is [`safar_model::key_of`] of its smallest identifier by (first observed, namespace priority, text),
//! devices left out because they change hands. Identifiers that join later therefore never change it; when two people
//! turn out to be one, the older id stays. A device that nobody owns is its own person.
//!
//! Keys have 63 bits: among 20 million identifiers the chance that any two share a key is 2 in 100,000. Identifiers are
//! compared as text, so such a pair stays two rows in the map, but two *people* whose keys meet would share an id.
//!
//! ```
//! use safar_identity::{EventIds, IdentityGraph, IdentitySettings, Link};
//!
//! let mut graph = IdentityGraph::new(IdentitySettings::default())?;
//! graph.add(&Link::new("anonymous", "phone-1", "user", "ada", 1_000))?;
//! graph.add(&Link::new("anonymous", "laptop-7", "user", "ada", 2_000))?;
//! let people = graph.resolve().map;
//! let on_phone = EventIds { anonymous_id: Some("phone-1"), ..EventIds::default() };
//! let on_laptop = EventIds { anonymous_id: Some("laptop-7"), ..EventIds::default() };
//! assert_eq!(people.person_of(&on_phone, 5_000), people.person_of(&on_laptop, 5_000));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
mod change;
mod devices;
mod graph;
mod ids;
mod link;
mod live;
mod map;
pub mod matching;
pub mod mentions;
mod normal;
mod part;
mod phone;
mod resolve;
mod settings;
mod union;
mod why;

pub use change::{DeviceChange, MapChange, Regrouped};
pub use devices::SIGHTING_US;
pub use graph::{GraphError, IdentityGraph};
pub use link::{EventIds, Link, LinkKind, UnknownLinkKind};
pub use live::{LiveMap, Update};
pub use map::{MapError, PersonMap, PersonRow};
pub use normal::{Blocked, Invalid, Normalised, is_blocked, normalise};
pub use resolve::{Conflict, ConflictRule, Resolution};
pub use settings::{DeviceSettings, IdentitySettings, Matching, NamespaceRule, SettingsError};

/// The namespace of devices: cookies, app installations.
pub const ANONYMOUS: &str = "anonymous";
/// The namespace of the business's own account ids.
pub const USER: &str = "user";
/// The namespace of hashed e-mail addresses.
pub const EMAIL: &str = "email";
/// The namespace of hashed telephone numbers.
pub const PHONE: &str = "phone";
/// The namespace of records in a customer system.
pub const CRM: &str = "crm";
