//! Gives channels numbers in the order in which they first appear.
use foldhash::fast::FixedState;
use indexmap::IndexSet;
use pyo3::{PyResult, exceptions::PyKeyError};
use safar_model::ChannelId;

/// The place of a channel.
///
/// # Errors
/// `KeyError` where it is not there.
pub fn place(name: &str, channels: &[String]) -> PyResult<usize> {
    let place = channels.iter().position(|channel| channel == name);
    place.ok_or_else(|| PyKeyError::new_err(format!("no channel `{name}` among {}", channels.join(", "))))
}

/// Names met so far.
#[derive(Default)]
pub struct Names(IndexSet<String, FixedState>);

impl Names {
    /// The number of `name`; `None` past 2^32 names.
    #[inline]
    pub fn intern(&mut self, name: &str) -> Option<ChannelId> {
        let index = match self.0.get_index_of(name) {
            Some(index) => index,
            None => self.0.insert_full(name.into()).0,
        };
        u32::try_from(index).ok().map(ChannelId)
    }

    /// The names, by number.
    pub fn finish(self) -> Vec<String> {
        self.0.into_iter().collect()
    }
}
