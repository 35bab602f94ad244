//! The rejects of one file of a known shape: the first in memory, all others in a temporary file, so that a file of which nothing
//! can be used takes no more memory than another.
use crate::import::{error::Error, reject::Reject};
use std::io::{BufRead, BufReader, BufWriter, Seek, Write};
use tempfile::NamedTempFile;

/// How many stay in memory.
const FIRST: usize = 1000;

/// Rejects in the order in which they were told.
#[derive(Default)]
pub(crate) struct Rejected {
    first: Vec<Reject>,
    rest: Option<BufWriter<NamedTempFile>>,
    count: u64,
}

/// Of the temporary file.
fn io(error: std::io::Error) -> Error {
    Error::io(std::env::temp_dir())(error)
}

impl Rejected {
    pub(crate) fn push(&mut self, reject: Reject) -> Result<(), Error> {
        self.count += 1;
        if self.first.len() < FIRST {
            self.first.push(reject);
            return Ok(());
        }
        let rest = match &mut self.rest {
            Some(rest) => rest,
            none => none.insert(BufWriter::new(NamedTempFile::new().map_err(io)?)),
        };
        let line = serde_json::to_string(&reject).map_err(|error| io(error.into()))?;
        writeln!(rest, "{line}").map_err(io)
    }

    pub(crate) fn count(&self) -> u64 {
        self.count
    }

    /// The first ones.
    pub(crate) fn first(&self) -> &[Reject] {
        &self.first
    }

    /// Hands all of them on.
    pub(crate) fn each(self, mut take: impl FnMut(Reject) -> Result<(), Error>) -> Result<(), Error> {
        self.first.into_iter().try_for_each(&mut take)?;
        let Some(rest) = self.rest else { return Ok(()) };
        let mut file = rest.into_inner().map_err(|error| io(error.into_error()))?;
        file.rewind().map_err(io)?;
        for line in BufReader::new(file).lines() {
            take(serde_json::from_str(&line.map_err(io)?).map_err(|error| io(error.into()))?)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_come_back_in_order() {
        let reject = |line: u64| Reject {
            line,
            column: (line % 2 == 0).then(|| "a \"b\"".to_owned()),
            value: None,
            reason: "not a number".into(),
            raw: Some(format!("{line},\nü")),
        };
        let mut rejected = Rejected::default();
        (1..=2_500).for_each(|line| rejected.push(reject(line)).unwrap());
        assert_eq!((rejected.count(), rejected.first().len()), (2_500, FIRST));
        let mut next = 1;
        rejected
            .each(|found| {
                assert_eq!(found, reject(next));
                next += 1;
                Ok(())
            })
            .unwrap();
        assert_eq!(next, 2_501);
    }
}
