//! Reading requests that were stored: by the settings and the secrets of the days, without the right to write the log.
use crate::{
    Collected, Decoded, Protocol, Refusal, Request, Stored, Terms, decode,
    drain::{DeadLetter, Part, Raw},
    http::{CollectError, CollectSettings, Sources},
    ids, reason, route,
    salts::Salts,
};
use safar_model::{
    Micros,
    consent::{WithoutAdvertising, WithoutAnalytics},
};
use std::{
    path::Path,
    sync::{PoisonError, RwLock},
};

/// Reads stored requests into events.
#[derive(Debug)]
pub struct Reader {
    settings: CollectSettings,
    pub(crate) sources: Sources,
    salts: RwLock<Salts>,
}

impl Reader {
    /// A reader beside the log in a folder, which another process may be writing.
    ///
    /// # Errors
    /// When the settings contradict themselves, or the secrets of the days cannot be read.
    pub fn open(folder: &Path, settings: CollectSettings) -> Result<Self, CollectError> {
        settings.check()?;
        let sources = Sources::new(&settings);
        let salts = Salts::open(folder).map_err(|source| CollectError::Salts { path: folder.join("salts"), source })?;
        Ok(Self { settings, sources, salts: RwLock::new(salts) })
    }

    pub(crate) fn settings(&self) -> &CollectSettings {
        &self.settings
    }

    /// The secret of a time's day, if it is known.
    fn salt(&self, time: Micros) -> Option<[u8; 32]> {
        self.salts.read().unwrap_or_else(PoisonError::into_inner).of(time).copied()
    }

    /// What decoders need to know.
    fn terms<'a>(&'a self, salt: Option<&'a [u8; 32]>) -> Terms<'a> {
        Terms {
            day_salt: salt.map(<[u8; 32]>::as_slice),
            matomo_token: self.settings.matomo_token.as_deref(),
            link_key: self.settings.link_key.as_deref().map(str::as_bytes),
        }
    }

    /// Runs `read` with what decoders need to know of a time's day.
    pub(crate) fn under<T>(&self, time: Micros, read: impl FnOnce(&Terms<'_>) -> T) -> T {
        read(&self.terms(self.salt(time).as_ref()))
    }

    /// Draws the secret of a day that begins; whether there is one. Where it cannot be kept, visitors without a cookie stay
    /// unknown for now.
    pub(crate) fn turn(&self, now: Micros, oldest: impl FnOnce() -> Micros) -> bool {
        if self.under(now, |terms| terms.day_salt.is_some()) {
            return true;
        }
        let oldest = oldest();
        let mut salts = self.salts.write().unwrap_or_else(PoisonError::into_inner);
        if salts.of(now).is_none()
            && let Err(error) = salts.turn(now, oldest)
        {
            tracing::error!(%error, "the secret of the day cannot be kept");
        }
        salts.of(now).is_some()
    }

    /// [`route`], with the paths of the settings.
    pub(crate) fn route(&self, method: &str, path: &str) -> Option<Protocol> {
        let own = || self.settings.snowplow_paths.iter().any(|known| known.trim_matches('/') == path.trim_matches('/'));
        route(method, path).or_else(|| (method == "POST" && own()).then_some(Protocol::Snowplow))
    }

    /// The name of the source that a request is for, by its key.
    fn source_of(&self, protocol: Protocol, decoded: &Decoded) -> Result<String, Refusal> {
        self.sources.of(protocol, decoded, None).map(|source| source.settings.name.clone())
    }

    /// Reads one stored request ([`Stored::encode`]), such as one that was a dead letter before.
    #[must_use]
    pub fn request(&self, record: &[u8]) -> Part {
        let mut part = Part::default();
        self.record(&mut part, 0, record);
        part
    }

    /// Reads a stored batch once more, for its members.
    ///
    /// # Errors
    /// Why nothing of it is taken.
    pub fn members(&self, record: &[u8]) -> Result<Members, String> {
        if is_blank(record) {
            return Err("its request is no longer kept, because its visitor refused that or was erased".to_owned());
        }
        let stored = Stored::decode(record).ok_or(reason::OTHER_VERSION)?;
        let (source, decoded, _) = self.read(&stored, self.salt(stored.received_at))?;
        Ok(Members { source, decoded })
    }

    /// The source of a request, and what it holds; or why nothing of it is taken. Whether its events say less than it does,
    /// because their visitors refused that.
    fn read(&self, stored: &Stored<'_>, salt: Option<[u8; 32]>) -> Result<(String, Decoded, bool), String> {
        let protocol = self.route(stored.method, stored.path).ok_or(reason::NOBODYS_PATH)?;
        let (request, terms) = (stored.request(), self.terms(salt.as_ref()));
        let mut decoded = decode(protocol, &request, &terms).map_err(|refusal| refusal.to_string())?;
        let source = match stored.source {
            // It was refused, and is sent again.
            "" => self.source_of(protocol, &decoded).map_err(|refusal| refusal.to_string())?,
            name => name.to_owned(),
        };
        let withheld = self.withhold(&source, &request, &terms, &mut decoded.events);
        Ok((source, decoded, withheld))
    }

    /// Takes out of events what their visitors refused: identifiers, also of all events of a cookieless source, and ids of clicks.
    /// Whether that was anything, or the event is to be dropped.
    fn withhold(&self, source: &str, request: &Request<'_>, terms: &Terms<'_>, events: &mut [Collected]) -> bool {
        let (cookieless, rules) = (self.sources.is_cookieless(source), &self.settings.consent);
        let mut withheld = false;
        for event in events {
            let refused = rules.refused(event.consent());
            if refused.advertising && rules.without_advertising == WithoutAdvertising::Strip {
                withheld |= event.forget_clicks();
            }
            withheld |= cookieless || refused.analytics && rules.without_analytics != WithoutAnalytics::Keep;
            if cookieless || refused.analytics && rules.without_analytics == WithoutAnalytics::Cookieless {
                let address = event.property("$ip").and_then(|text| text.as_str()?.parse().ok());
                let agent = event.property("$user_agent").and_then(|text| text.as_str()).map(str::to_owned);
                event.forget_who(ids::visitor(request, terms, source, address, agent.as_deref()));
            }
        }
        withheld
    }

    /// Whether what a request holds is told by a secret of its day that is forgotten.
    pub(crate) fn was_of_its_day(&self, record: &[u8]) -> bool {
        let Some(stored) = Stored::decode(record).filter(|stored| self.salt(stored.received_at).is_none()) else {
            return false;
        };
        let events = |salt| self.read(&stored, salt).map(|(_, decoded, _)| decoded.events);
        events(None) != events(Some([0; 32]))
    }

    /// Adds the events of one record. Returns about how many bytes they take.
    pub(crate) fn record(&self, part: &mut Part, at: usize, payload: &[u8]) -> usize {
        // What was blanked says nothing: neither an event nor a dead letter.
        if is_blank(payload) {
            part.untold.push(at);
            return 0;
        }
        let stored = Stored::decode(payload);
        let received_at = stored.as_ref().map(|stored| stored.received_at);
        part.received_at = part.received_at.max(received_at);
        let mut letter = |source: &str, reason: String, raw: Raw| {
            part.letters.push(DeadLetter { at, source: source.to_owned(), received_at, reason, raw });
        };
        let read = |stored: &Stored<'_>| self.read(stored, self.salt(stored.received_at));
        let (source, decoded, withheld) =
            match stored.as_ref().ok_or_else(|| reason::OTHER_VERSION.to_owned()).and_then(read) {
                Ok(read) => read,
                Err(reason) => {
                    letter(stored.map_or("", |stored| stored.source), reason, Raw::Request(payload.to_vec()));
                    return payload.len();
                }
            };
        let mut size = 0;
        for reject in decoded.rejects {
            // The others of its batch refused to be kept; it may be of the same visitor.
            let raw = if withheld { String::new() } else { reject.raw };
            size += raw.len();
            letter(&source, reject.reason.to_owned(), Raw::Member(reject.place, raw));
        }
        if withheld {
            part.withheld.push(at);
        }
        if !decoded.events.is_empty() {
            let lines = part.lines.entry(source).or_default();
            let before = lines.len();
            for event in decoded.events {
                lines.push_str(&event.to_line());
                lines.push('\n');
            }
            size += lines.len() - before;
        }
        size
    }
}

/// The members of a batch that was read once more.
#[derive(Debug)]
pub struct Members {
    source: String,
    decoded: Decoded,
}

impl Members {
    /// The name of the source, and the line ([`crate::Collected::to_line`]) of the member at a place from 0.
    ///
    /// # Errors
    /// Why it still is no event.
    pub fn read(&self, place: usize) -> Result<(String, String), String> {
        let Decoded { events, rejects, .. } = &self.decoded;
        // Rejects are in the order of their places.
        let before = rejects.partition_point(|reject| reject.place < place);
        if let Some(reject) = rejects.get(before).filter(|reject| reject.place == place) {
            return Err(reject.reason.to_owned());
        }
        let event = events.get(place - before).ok_or("the batch has no such member any more")?;
        Ok((self.source.clone(), event.to_line()))
    }
}

/// Whether bytes of the log were erased, or never written: only zeros are there.
pub(crate) fn is_blank(payload: &[u8]) -> bool {
    payload.iter().all(|byte| *byte == 0)
}
