//! Reading requests that were stored: by the settings and the secrets of the days, without the right to write the log.
use crate::{
    Collected, Decoded, Protocol, Refusal, Request, Stored, Terms, decode,
    drain::{DeadLetter, Part, Raw},
    http::{CollectError, CollectSettings, Sources},
    ids, route,
    salts::Salts,
};
use safar_model::{Micros, consent::WithoutAnalytics};
use std::{
    path::Path,
    sync::{PoisonError, RwLock},
};

/// Why bytes of the log are no request.
const OTHER_VERSION: &str = "the record was written by another version";

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

    /// Runs `read` with what decoders need to know of a time's day.
    pub(crate) fn under<T>(&self, time: Micros, read: impl FnOnce(&Terms<'_>) -> T) -> T {
        let salt = self.salts.read().unwrap_or_else(PoisonError::into_inner).of(time).copied();
        let settings = &self.settings;
        read(&Terms {
            day_salt: salt.as_ref().map(<[u8; 32]>::as_slice),
            matomo_token: settings.matomo_token.as_deref(),
            link_key: settings.link_key.as_deref().map(str::as_bytes),
        })
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

    /// Reads one member of a stored batch once more: the name of its source, and its line ([`crate::Collected::to_line`]).
    ///
    /// # Errors
    /// Why it still is no event.
    pub fn member(&self, record: &[u8], place: usize) -> Result<(String, String), String> {
        let stored = Stored::decode(record).ok_or(OTHER_VERSION)?;
        let (source, decoded) = self.read(&stored)?;
        if let Some(reject) = decoded.rejects.iter().find(|reject| reject.place == place) {
            return Err(reject.reason.to_owned());
        }
        let before = decoded.rejects.iter().filter(|reject| reject.place < place).count();
        let event = decoded.events.get(place - before).ok_or("the batch has no such member any more")?;
        Ok((source, event.to_line()))
    }

    /// The source of a request, and what it holds; or why nothing of it is taken.
    fn read(&self, stored: &Stored<'_>) -> Result<(String, Decoded), String> {
        let protocol = self.route(stored.method, stored.path).ok_or("nobody's path")?;
        let decoded = self.under(stored.received_at, |terms| decode(protocol, &stored.request(), terms));
        let mut decoded = decoded.map_err(|refusal| refusal.to_string())?;
        let source = match stored.source {
            // It was refused, and is sent again.
            "" => self.source_of(protocol, &decoded).map_err(|refusal| refusal.to_string())?,
            name => name.to_owned(),
        };
        let request = stored.request();
        self.under(stored.received_at, |terms| self.forget_who(&source, &request, terms, &mut decoded.events));
        Ok((source, decoded))
    }

    /// Takes the identifiers out of events whose visitor refused analytics, and out of all events of a cookieless source.
    fn forget_who(&self, source: &str, request: &Request<'_>, terms: &Terms<'_>, events: &mut [Collected]) {
        let cookieless = self.sources.is_cookieless(source);
        let refusing = self.settings.consent.without_analytics == WithoutAnalytics::Cookieless;
        for event in events.iter_mut().filter(|_| cookieless || refusing) {
            if cookieless || self.settings.consent.refused(event.consent()).analytics {
                let address = event.property("$ip").and_then(|text| text.as_str()?.parse().ok());
                let agent = event.property("$user_agent").and_then(|text| text.as_str()).map(str::to_owned);
                event.forget_who(ids::visitor(request, terms, source, address, agent.as_deref()));
            }
        }
    }

    /// Adds the events of one record. Returns about how many bytes they take.
    pub(crate) fn record(&self, part: &mut Part, at: usize, payload: &[u8]) -> usize {
        // What was erased says nothing: neither an event nor a dead letter.
        if payload.iter().all(|byte| *byte == 0) {
            return 0;
        }
        let stored = Stored::decode(payload);
        let received_at = stored.as_ref().map(|stored| stored.received_at);
        let mut letter = |source: &str, reason: String, raw: Raw| {
            part.letters.push(DeadLetter { at, source: source.to_owned(), received_at, reason, raw });
        };
        let read = stored.as_ref().ok_or_else(|| OTHER_VERSION.to_owned()).and_then(|stored| self.read(stored));
        let (source, decoded) = match read {
            Ok(read) => read,
            Err(reason) => {
                letter(stored.map_or("", |stored| stored.source), reason, Raw::Request(payload.to_vec()));
                return payload.len();
            }
        };
        let mut size = 0;
        for reject in decoded.rejects {
            size += reject.raw.len();
            letter(&source, reject.reason.to_owned(), Raw::Member(reject.place, reject.raw));
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
