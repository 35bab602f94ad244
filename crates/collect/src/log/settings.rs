//! How much the log may take.
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// `[collect.log]`
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct LogSettings {
    /// The most that waits for being published, in megabytes of 2²⁰ bytes. Beyond it clients are told to come back.
    pub megabytes: u32,
    /// A segment of this many megabytes is sealed.
    pub segment_megabytes: u32,
    /// A segment of this many seconds is sealed: so long do events wait at most until they are published.
    pub segment_seconds: u32,
    /// Published segments are kept, so that their requests can be read again, within this many megabytes; the oldest go
    /// first. 0 keeps none.
    pub keep_megabytes: u32,
    /// And for this many days; older ones go when another one comes.
    pub keep_days: u32,
}

impl Default for LogSettings {
    fn default() -> Self {
        Self { megabytes: 4_096, segment_megabytes: 32, segment_seconds: 15, keep_megabytes: 1_024, keep_days: 7 }
    }
}

impl LogSettings {
    pub(super) fn limit(&self) -> u64 {
        u64::from(self.megabytes) << 20
    }

    pub(super) fn segment_bytes(&self) -> u64 {
        u64::from(self.segment_megabytes) << 20
    }

    pub(super) fn segment_age(&self) -> Duration {
        Duration::from_secs(self.segment_seconds.into())
    }

    pub(super) fn keep(&self) -> Keep {
        Keep {
            bytes: u64::from(self.keep_megabytes) << 20,
            age: Duration::from_secs(u64::from(self.keep_days) * 86_400),
        }
    }
}

/// What is kept of published segments.
#[derive(Clone, Copy, Debug)]
pub(super) struct Keep {
    pub bytes: u64,
    pub age: Duration,
}
