//! Requests that the collector keeps beside the tables.
use super::traces::Traces;
use crate::{Error, Result, Workspace};
use safar_collect::{
    Reader, Stored,
    drain::{DeadLetter, Part, Raw},
    log::{Entry, LogError, Segment, blank, published},
};
use serde_json::{Value, json};
use std::path::PathBuf;

/// Reads requests to know whose they are.
pub(super) struct Requests {
    folder: PathBuf,
    reader: Reader,
}

fn log(error: LogError) -> Error {
    Error::Request(error.to_string())
}

impl Requests {
    pub fn open(workspace: &Workspace) -> Result<Self> {
        let folder = workspace.root().join("collect");
        let reader = Reader::open(&folder, workspace.settings().collect.clone());
        Ok(Self { folder, reader: reader.map_err(|error| Error::Request(error.to_string()))? })
    }

    /// Whether a stored request holds anything of theirs.
    pub fn is_theirs(&self, traces: &Traces, request: &[u8]) -> bool {
        let part = self.reader.request(request);
        lines(&part).any(|line| traces.line(line)) || traces.mentions.in_bytes(request)
    }

    /// Whether a dead letter, as it lies in `rejects`, holds anything of theirs; `None` where the text is no letter.
    pub fn letter_is_theirs(&self, traces: &Traces, raw: &str) -> Option<bool> {
        Some(match DeadLetter::from_line(raw)?.raw {
            Raw::Request(bytes) => self.is_theirs(traces, &bytes),
            Raw::Member(_, text) => traces.line(&text) || traces.mentions.in_row(&text),
            Raw::Bytes(bytes) => traces.mentions.in_bytes(&bytes),
        })
    }

    fn entry_is_theirs(&self, traces: &Traces, entry: Entry<'_>) -> bool {
        match entry {
            Entry::Record { payload, .. } => self.is_theirs(traces, payload),
            Entry::Damaged { bytes, .. } | Entry::Torn { bytes, .. } => traces.mentions.in_bytes(bytes),
        }
    }

    /// Blanks every kept request that holds anything of theirs; how many there were. `dry`: only counts.
    pub fn blank(&self, traces: &Traces, dry: bool) -> Result<u64> {
        let mut count = 0;
        loop {
            let mut found = 0;
            for path in published(&self.folder).map_err(log)? {
                let mut theirs = 0;
                let blanked = blank(&path, |entry| {
                    let is = self.entry_is_theirs(traces, entry);
                    theirs += u64::from(is);
                    is && !dry
                });
                match blanked {
                    // It was forgotten meanwhile, because newer ones came.
                    Err(LogError::Disk { source, .. }) if source.kind() == std::io::ErrorKind::NotFound => {}
                    other => _ = other.map_err(log)?,
                }
                found += theirs;
            }
            count += found;
            // A segment may have been put away while others were looked at.
            if dry || found == 0 {
                return Ok(count);
            }
        }
    }

    /// What kept requests hold of them: when each came and by what, with those of its events that are theirs.
    pub fn export(&self, traces: &Traces) -> Result<Vec<Value>> {
        let mut found = vec![];
        for path in published(&self.folder).map_err(log)? {
            let segment = Segment::read(&path).map_err(log)?;
            for entry in segment.entries() {
                let Entry::Record { payload, .. } = entry else { continue };
                if !self.is_theirs(traces, payload) {
                    continue;
                }
                let part = self.reader.request(payload);
                let events: Vec<Value> = lines(&part)
                    .filter(|line| traces.line(line))
                    .filter_map(|line| serde_json::from_str(line).ok())
                    .collect();
                let stored = Stored::decode(payload);
                let at = stored.as_ref().and_then(|stored| jiff::Timestamp::from_microsecond(stored.received_at).ok());
                found.push(json!({
                    "received_at": at.map(|at| at.to_string()),
                    "source": stored.as_ref().map(|stored| stored.source),
                    "path": stored.as_ref().map(|stored| stored.path),
                    "events": events,
                }));
            }
        }
        Ok(found)
    }
}

fn lines(part: &Part) -> impl Iterator<Item = &str> {
    part.lines.values().flat_map(|text| text.lines())
}
