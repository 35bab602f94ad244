//! The secrets of the days, by which visitors without a cookie are told apart, and which are forgotten.
//!
//! File `salts` in the log's folder: lines of a day (days since 1970, UTC) and 32 bytes in hexadecimal digits. A salt is drawn
//! when a request of its day is first met, and forgotten once the day and the next one are over and no request of that day
//! waits in the log. Requests that are read again later have no such visitors any more: that is what forgetting is for.
use crate::ids;
use safar_model::Micros;
use std::{
    collections::BTreeMap,
    fs, io,
    path::{Path, PathBuf},
};

const DAY: Micros = 86_400_000_000;

/// The salts that are still known.
#[derive(Debug)]
pub(crate) struct Salts {
    path: PathBuf,
    known: BTreeMap<i64, [u8; 32]>,
}

impl Salts {
    pub fn open(folder: &Path) -> io::Result<Self> {
        let path = folder.join("salts");
        let text = match fs::read_to_string(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => String::new(),
            other => other?,
        };
        let known = text.lines().filter_map(|line| {
            let (day, salt) = line.split_once(' ')?;
            let byte = |at: usize| u8::from_str_radix(salt.get(2 * at..2 * at + 2)?, 16).ok();
            let salt: Vec<u8> = (0..32).map(byte).collect::<Option<_>>()?;
            Some((day.parse().ok()?, salt.try_into().ok()?))
        });
        Ok(Self { known: known.collect(), path })
    }

    /// The salt of a time's day, if it is known.
    pub fn of(&self, time: Micros) -> Option<&[u8; 32]> {
        self.known.get(&time.div_euclid(DAY))
    }

    /// Draws the salt of a day that begins, and forgets those before yesterday and before `oldest`, the first time that is
    /// still in the log. What cannot be kept is not known either: after a restart it would be another one.
    pub fn turn(&mut self, now: Micros, oldest: Micros) -> io::Result<()> {
        let today = now.div_euclid(DAY);
        let first = (today - 1).min(oldest.div_euclid(DAY));
        let mut salt = [0; 32];
        getrandom::fill(&mut salt).map_err(io::Error::from)?;
        let mut known = self.known.clone();
        known.entry(today).or_insert(salt);
        known.retain(|day, _| *day >= first);
        let lines: String = known.iter().map(|(day, salt)| format!("{day} {}\n", ids::hex(salt))).collect();
        let new = self.path.with_extension("new");
        let mut file = crate::log::create(&new)?;
        file.write(lines.as_bytes())?;
        file.sync()?;
        fs::rename(&new, &self.path)?;
        self.known = known;
        self.path.parent().map_or(Ok(()), crate::log::sync_names)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_salt_that_cannot_be_kept_is_not_known() {
        let folder = tempfile::tempdir().unwrap();
        let mut salts = Salts::open(folder.path()).unwrap();
        let in_the_way = folder.path().join("salts.new");
        fs::create_dir(&in_the_way).unwrap();
        assert!(salts.turn(5, 5).is_err());
        assert_eq!(salts.of(5), None);
        fs::remove_dir(&in_the_way).unwrap();
        salts.turn(5, 5).unwrap();
        assert!(salts.of(5).is_some());
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            let mode = fs::metadata(folder.path().join("salts")).unwrap().permissions().mode();
            assert_eq!(mode & 0o077, 0, "only its owner reads a secret");
        }
    }

    #[test]
    fn salts_outlive_a_restart_and_not_their_day() {
        let folder = tempfile::tempdir().unwrap();
        let mut salts = Salts::open(folder.path()).unwrap();
        assert_eq!(salts.of(0), None);
        salts.turn(5, 5).unwrap();
        let first = *salts.of(DAY - 1).unwrap();
        let mut salts = Salts::open(folder.path()).unwrap();
        assert_eq!(salts.of(0), Some(&first));
        salts.turn(DAY, DAY).unwrap();
        assert_ne!(salts.of(DAY), Some(&first));
        assert_eq!(salts.of(0), Some(&first), "yesterday's requests may still come");
        salts.turn(2 * DAY, 0).unwrap();
        assert_eq!(salts.of(0), Some(&first), "a request of that day waits in the log");
        salts.turn(2 * DAY, 2 * DAY).unwrap();
        assert_eq!(salts.of(0), None);
        assert_eq!(Salts::open(folder.path()).unwrap().of(0), None);
    }
}
