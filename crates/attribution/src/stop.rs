//! Whether somebody still waits for what is computed.
use crate::{Error, Result};
use std::{
    ops::Range,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

/// Asks work to end before it is done. A copy is the same one: one is kept, by whom the work is done for, and another one goes
/// where it is done, on whatever threads.
///
/// What takes a stop looks at it many times a second and ends with [`Error::Stopped`]; nothing comes of what was done until
/// then. A stop that nobody asks for changes no number.
///
/// ```
/// use safar_attribution::{Error, Stop, attribute, attribute_until};
/// # use safar_attribution::{ReadOptions, read_paths};
/// # let file = "path;conversions;null\nA;10;90\nB;20;80\nA > B;50;50\n";
/// # let (paths, channels) = read_paths(file.as_bytes(), &ReadOptions::default()).unwrap();
/// let (model, stop) = ("markov".parse().unwrap(), Stop::default());
/// let credits = attribute_until(&model, &paths, &channels, &stop);
/// assert_eq!(credits, attribute(&model, &paths, &channels));
/// // As another thread may, while the model is fitted.
/// stop.clone().stop();
/// assert_eq!(attribute_until(&model, &paths, &channels, &stop), Err(Error::Stopped));
/// ```
#[derive(Clone, Debug, Default)]
pub struct Stop {
    asked: Arc<AtomicBool>,
    #[cfg(test)]
    looks: Option<Arc<tests::Looks>>,
}

/// Steps between two looks, where steps are short.
const STRETCH: usize = 1024;

impl Stop {
    /// Nobody waits any more.
    ///
    /// ```
    /// let stop = safar_attribution::Stop::default();
    /// let other = stop.clone();
    /// std::thread::spawn(move || other.stop()).join().unwrap();
    /// assert!(stop.is_stopped());
    /// ```
    pub fn stop(&self) {
        self.asked.store(true, Ordering::Relaxed);
    }

    /// Whether nobody does.
    ///
    /// ```
    /// assert!(!safar_attribution::Stop::default().is_stopped());
    /// ```
    #[must_use]
    #[inline]
    pub fn is_stopped(&self) -> bool {
        #[cfg(test)]
        self.look();
        self.asked.load(Ordering::Relaxed)
    }

    /// Looks.
    ///
    /// # Errors
    /// [`Error::Stopped`], where nobody waits any more.
    ///
    /// ```
    /// use safar_attribution::{Error, Stop};
    /// let long_work = |stop: &Stop| (0..1_000_000).try_for_each(|_| stop.check());
    /// let stop = Stop::default();
    /// assert_eq!(long_work(&stop), Ok(()));
    /// stop.stop();
    /// assert_eq!(long_work(&stop), Err(Error::Stopped));
    /// ```
    #[inline]
    pub fn check(&self) -> Result<()> {
        if self.is_stopped() { Err(Error::Stopped) } else { Ok(()) }
    }

    /// Takes `range` step by step, looking now and then.
    ///
    /// # Errors
    /// As [`Stop::check`].
    #[inline]
    pub(crate) fn each(&self, range: Range<usize>, mut step: impl FnMut(usize)) -> Result<()> {
        for start in range.clone().step_by(STRETCH) {
            self.check()?;
            (start..range.end.min(start + STRETCH)).for_each(&mut step);
        }
        Ok(())
    }
}

/// Somebody who waits for work. Where it is dropped, the work is asked to stop.
///
/// ```
/// use safar_attribution::{Stop, Waiting};
/// let stop = Stop::default();
/// let waiting = Waiting(stop.clone());
/// assert!(!stop.is_stopped());
/// drop(waiting);
/// assert!(stop.is_stopped());
/// ```
#[derive(Debug)]
pub struct Waiting(pub Stop);

impl Drop for Waiting {
    fn drop(&mut self) {
        self.0.stop();
    }
}

#[cfg(test)]
mod tests;
