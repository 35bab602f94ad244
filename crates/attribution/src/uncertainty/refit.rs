//! Resamples of a model that learns: fitted anew to each.
use super::{Watched, weights::Weights};
use crate::{Credit, Error, ModelSpec, Result, attribute_until};
use rayon::prelude::*;
use safar_model::Paths;
use std::sync::atomic::{AtomicU32, Ordering};

/// What one worker did: credits by resample, and the resample at which the model refused.
type Done = (Vec<(u32, Vec<Credit>)>, Option<(u32, Error)>);

/// The credit of each channel, then what is unattributed, resample after resample.
///
/// Each thread keeps one copy of the paths and takes the next resample when it is done with one.
pub(super) fn credits(
    model: &ModelSpec,
    paths: &Paths,
    channels: &[String],
    weights: &Weights<'_>,
    replicates: u32,
    watched: &Watched<'_>,
) -> Result<Vec<Credit>> {
    let next = AtomicU32::new(0);
    let take = || Some(next.fetch_add(1, Ordering::Relaxed)).filter(|replicate| *replicate < replicates);
    let worker = |_| -> Done {
        let (mut done, mut replica) = (vec![], None);
        while let Some(replicate) = take() {
            let replica = replica.get_or_insert_with(|| paths.clone());
            let fitted = weights
                .write(replicate, replica, watched.stop)
                .and_then(|()| attribute_until(model, replica, channels, watched.stop));
            match fitted {
                Ok(mut result) => {
                    result.credits.push(result.unattributed);
                    done.push((replicate, result.credits));
                    watched.tell();
                }
                Err(error) => return (done, Some((replicate, error))),
            }
        }
        (done, None)
    };
    let workers: Vec<Done> = (0..rayon::current_num_threads()).into_par_iter().with_max_len(1).map(worker).collect();
    // Resamples are taken in order, so all before the first refused one were tried, whatever the threads did.
    if let Some((_, error)) = workers.iter().filter_map(|done| done.1.as_ref()).min_by_key(|(replicate, _)| *replicate)
    {
        return Err(error.clone());
    }
    let mut done: Vec<_> = workers.into_iter().flat_map(|done| done.0).collect();
    done.sort_unstable_by_key(|(replicate, _)| *replicate);
    Ok(done.into_iter().flat_map(|(_, credits)| credits).collect())
}
