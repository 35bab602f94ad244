//! The log of links, interned.
use crate::{
    IdentitySettings, Link, LinkKind, SettingsError,
    ids::{Ids, key},
    normal::{Blocked, blocked},
};
use hashbrown::HashMap;
use safar_model::Micros;
use std::{collections::BTreeMap, sync::Arc};

/// Links taken together by [`IdentityGraph::add_all`].
const CHUNK: usize = 64;

/// The links of a workspace. Collect with [`IdentityGraph::add`], then [`IdentityGraph::resolve`].
#[derive(Clone, Debug)]
pub struct IdentityGraph {
    pub(crate) settings: IdentitySettings,
    pub(crate) ids: Arc<Ids>,
    /// By number of the namespace.
    space_is_device: Vec<bool>,
    pub(crate) rows: Vec<Row>,
    /// By row, what most rows do not have.
    rare: BTreeMap<u32, Rare>,
    sources: Vec<String>,
    source_numbers: HashMap<String, u32>,
    /// Event ids of all rows, one after the other; `Row::event_end` says where each ends.
    event_ids: String,
}

/// One link.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Row {
    pub(crate) a: u32,
    pub(crate) b: u32,
    pub(crate) at: Micros,
    event_end: u64,
    /// Number of the source + 1, 0 for none.
    source: u32,
    pub(crate) kind: LinkKind,
    /// Whether `a` and `b` are devices.
    pub(crate) devices: (bool, bool),
    /// Whether `rare` has the row.
    pub(crate) is_rare: bool,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Rare {
    pub(crate) confidence: f64,
    pub(crate) valid_from: Option<Micros>,
    pub(crate) valid_to: Option<Micros>,
}

impl Rare {
    const USUAL: Self = Self { confidence: 1.0, valid_from: None, valid_to: None };
}

/// A link that cannot be taken. The graph stays as it was.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum GraphError {
    /// A namespace without a name.
    #[error("the namespace of `{0}` is empty; name it, such as `user`")]
    NoNamespace(String),
    /// Junk: normalise first.
    #[error("{namespace} `{identifier}` is no identifier: {why}")]
    Blocked {
        /// Its namespace.
        namespace: String,
        /// The value.
        identifier: String,
        /// Why it is junk.
        why: Blocked,
    },
    /// Both ends are the same.
    #[error("{0} `{1}` is linked to itself; a link needs two identifiers")]
    Itself(String, String),
    /// Not a probability.
    #[error("the link's confidence is {0}; use a number from 0 to 1")]
    Confidence(f64),
    /// It ends before it begins.
    #[error("the link is valid from {0} to {1} µs; the end must come after the start")]
    Backwards(Micros, Micros),
    /// More than the crate can count.
    #[error("the graph is full: it holds 4,294,967,295 identifiers or links, or 65,536 namespaces")]
    Full,
}

impl IdentityGraph {
    /// A graph without links.
    ///
    /// # Errors
    /// When the settings cannot work ([`IdentitySettings::check`]).
    pub fn new(settings: IdentitySettings) -> Result<Self, SettingsError> {
        settings.check()?;
        Ok(Self {
            settings,
            ids: Arc::default(),
            space_is_device: Vec::new(),
            rows: Vec::new(),
            rare: BTreeMap::new(),
            sources: Vec::new(),
            source_numbers: HashMap::new(),
            event_ids: String::new(),
        })
    }

    /// How many links were added, repeated ones included.
    #[must_use]
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Whether there is no link.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// Adds a link between two normalised identifiers. Repeat the link of every login: when a device changes hands is
    /// read from them. Equal rows change nothing.
    ///
    /// # Errors
    /// When the link cannot be taken; the graph is then unchanged and the caller counts a reject.
    pub fn add<T: AsRef<str>>(&mut self, link: &Link<T>) -> Result<(), GraphError> {
        self.add_all(std::slice::from_ref(link)).pop().map_or(Ok(()), |(_, error)| Err(error))
    }

    /// Adds many links, several times as fast as one by one. Returns the links that cannot be taken, by index.
    pub fn add_all<T: AsRef<str>>(&mut self, links: &[Link<T>]) -> Vec<(usize, GraphError)> {
        let mut errors = Vec::new();
        let mut keys = Vec::with_capacity(2 * CHUNK.min(links.len()));
        for (chunk, links) in links.chunks(CHUNK).enumerate() {
            keys.clear();
            for link in links {
                keys.push(key(link.ns_a.as_ref(), link.id_a.as_ref()));
                keys.push(key(link.ns_b.as_ref(), link.id_b.as_ref()));
            }
            if links.len() > 1 {
                self.ids.warm(&keys);
            }
            for (at, (link, keys)) in links.iter().zip(keys.chunks_exact(2)).enumerate() {
                if let Err(error) = self.push(link, keys) {
                    errors.push((chunk * CHUNK + at, error));
                }
            }
        }
        errors
    }

    fn push<T: AsRef<str>>(&mut self, link: &Link<T>, keys: &[i64]) -> Result<(), GraphError> {
        let (a, b) = ((link.ns_a.as_ref(), link.id_a.as_ref()), (link.ns_b.as_ref(), link.id_b.as_ref()));
        for (namespace, identifier) in [a, b] {
            if namespace.is_empty() {
                return Err(GraphError::NoNamespace(identifier.to_owned()));
            }
            if let Some(why) = blocked(identifier, &self.settings) {
                let (namespace, identifier) = (namespace.to_owned(), identifier.to_owned());
                return Err(GraphError::Blocked { namespace, identifier, why });
            }
        }
        if a == b {
            return Err(GraphError::Itself(a.0.to_owned(), a.1.to_owned()));
        }
        if !(0.0..=1.0).contains(&link.confidence) {
            return Err(GraphError::Confidence(link.confidence));
        }
        if let (Some(from), Some(to)) = (link.valid_from, link.valid_to)
            && from >= to
        {
            return Err(GraphError::Backwards(from, to));
        }
        let number = u32::try_from(self.rows.len()).map_err(|_| GraphError::Full)?;
        let source = link.source.as_ref().map_or(Ok(0), |source| self.source(source.as_ref()))?;
        let (a, device_a) = self.intern(a, keys[0], link.observed_at)?;
        let (b, device_b) = self.intern(b, keys[1], link.observed_at)?;
        if let Some(event) = &link.event_id {
            self.event_ids.push_str(event.as_ref());
        }
        let rare = Rare { confidence: link.confidence, valid_from: link.valid_from, valid_to: link.valid_to };
        let is_rare = rare != Rare::USUAL;
        if is_rare {
            self.rare.insert(number, rare);
        }
        self.rows.push(Row {
            a,
            b,
            at: link.observed_at,
            event_end: self.event_ids.len() as u64,
            source,
            kind: link.kind,
            devices: (device_a, device_b),
            is_rare,
        });
        Ok(())
    }

    /// The number of an identifier, and whether it is a device.
    fn intern(&mut self, (namespace, id): (&str, &str), key: i64, at: Micros) -> Result<(u32, bool), GraphError> {
        let ids = Arc::make_mut(&mut self.ids);
        let space = ids.intern_space(namespace).ok_or(GraphError::Full)?;
        let number = ids.intern(space, key, id, at).ok_or(GraphError::Full)?;
        let space = usize::from(space);
        if space == self.space_is_device.len() {
            self.space_is_device.push(self.settings.rule(namespace).device);
        }
        Ok((number, self.space_is_device[space]))
    }

    fn source(&mut self, name: &str) -> Result<u32, GraphError> {
        if let Some(&number) = self.source_numbers.get(name) {
            return Ok(number);
        }
        let number = u32::try_from(self.sources.len() + 1).map_err(|_| GraphError::Full)?;
        self.sources.push(name.to_owned());
        self.source_numbers.insert(name.to_owned(), number);
        Ok(number)
    }

    pub(crate) fn rare(&self, row: u32) -> Rare {
        if !self.rows[row as usize].is_rare {
            return Rare::USUAL;
        }
        self.rare.get(&row).copied().unwrap_or(Rare::USUAL)
    }

    /// The link as it was added.
    pub(crate) fn link(&self, row: u32) -> Link {
        let at = row as usize;
        let Row { a, b, at: observed_at, event_end, source, kind, .. } = self.rows[at];
        let event_start = if at == 0 { 0 } else { self.rows[at - 1].event_end };
        let event = &self.event_ids[event_start as usize..event_end as usize];
        let ((ns_a, id_a), (ns_b, id_b)) = (self.ids.get(a), self.ids.get(b));
        let Rare { confidence, valid_from, valid_to } = self.rare(row);
        Link {
            source: (source as usize).checked_sub(1).map(|source| self.sources[source].clone()),
            event_id: (!event.is_empty()).then(|| event.to_owned()),
            kind,
            confidence,
            valid_from,
            valid_to,
            ..Link::new(ns_a.to_owned(), id_a.to_owned(), ns_b.to_owned(), id_b.to_owned(), observed_at)
        }
    }
}
