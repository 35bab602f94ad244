//! The country of an address, by a file in MaxMind's format that the user brings.
//!
//! <https://maxmind.github.io/MaxMind-DB/>: GeoLite2-Country, GeoIP2-City, DB-IP's and others that put `country.iso_code` into
//! each network's record.
use maxminddb::{Reader, path};
use std::{fmt, net::IpAddr, sync::Arc};

/// Networks and their countries.
#[derive(Clone)]
pub struct Countries(Arc<Reader<Vec<u8>>>);

/// A file that names no countries.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CountryError {
    /// It is in another format, or broken.
    #[error("it is no file in MaxMind's format ({0}); fetch it again, and unpack it: its name ends in .mmdb")]
    Format(String),
    /// It tells something else.
    #[error("it is a `{0}` database, which tells no countries; use a Country or a City database")]
    Kind(String),
}

impl Countries {
    /// Reads the bytes of a file.
    ///
    /// # Errors
    /// When they are in another format, broken, or of a database without countries.
    pub fn new(bytes: Vec<u8>) -> Result<Self, CountryError> {
        let broken = |error: maxminddb::MaxMindDbError| CountryError::Format(error.to_string());
        let reader = Reader::from_source(bytes).map_err(broken)?;
        let kind = &reader.metadata().database_type;
        if !["Country", "City", "Enterprise"].iter().any(|word| kind.contains(word)) {
            return Err(CountryError::Kind(kind.clone()));
        }
        Ok(Self(Arc::new(reader)))
    }

    /// The ISO 3166-1 code of an address's country: where its network is used, not where it is registered. None where that is
    /// not known.
    #[must_use]
    pub fn of(&self, address: IpAddr) -> Option<String> {
        let found = self.0.lookup(address.to_canonical()).ok()?;
        let code: Option<&str> = found.decode_path(&path!["country", "iso_code"]).ok()?;
        let code = code.filter(|code| code.len() == 2 && code.bytes().all(|letter| letter.is_ascii_alphabetic()))?;
        Some(code.to_ascii_uppercase())
    }
}

impl fmt::Debug for Countries {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let about = self.0.metadata();
        f.debug_struct("Countries").field("kind", &about.database_type).field("built", &about.build_epoch).finish()
    }
}
