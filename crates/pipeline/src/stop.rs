//! Whether somebody still waits for what is computed.
use crate::{Error, Result};
use safar_attribution::uncertainty::BootstrapError;
use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

/// Ends what is computed in a workspace [until](crate::Workspace::until) it: resampling between two resamples, other reports between
/// two models. A copy is the same one.
#[derive(Clone, Debug, Default)]
pub struct Stop(Arc<AtomicBool>);

impl Stop {
    /// Nobody waits any more.
    pub fn stop(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    /// Whether nobody does.
    #[must_use]
    pub fn is_stopped(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }

    /// # Errors
    /// Where nobody waits any more.
    pub fn check(&self) -> Result<()> {
        if self.is_stopped() { Err(Error::Bootstrap(BootstrapError::Stopped)) } else { Ok(()) }
    }
}
