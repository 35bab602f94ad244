//! One file for each model. A model is made from its [`ModelSpec`](crate::ModelSpec), or directly from here.
mod amplitude_j;
mod custom;
mod first;
mod last;
mod last_non_direct;
mod leave_one_out;
mod linear;
mod logistic;
mod markov;
mod participation;
mod position;
mod position_decay;
mod shao_li;
mod shapley;
mod shapley_markov;
mod shapley_rate;
mod time_decay;
mod w_shaped;

pub use amplitude_j::AmplitudeJ;
pub use custom::Custom;
pub use first::First;
pub use last::Last;
pub use last_non_direct::LastNonDirect;
pub use leave_one_out::LeaveOneOut;
pub use linear::Linear;
pub use logistic::Logistic;
pub use markov::Markov;
pub use participation::Participation;
pub use position::Position;
pub use position_decay::PositionDecay;
pub use shao_li::ShaoLi;
pub use shapley::Shapley;
pub use shapley_markov::ShapleyMarkov;
pub use shapley_rate::{ExactSet, ShapleyRate, exact_set_values};
pub use time_decay::TimeDecay;
pub use w_shaped::WShaped;

use crate::FittedModel;
use safar_model::PathRef;

/// A rule that looks at nothing but a path's length.
trait ByPlace: Clone + Send + Sync + 'static {
    /// Writes the shares of a path of `shares.len()` touches, at least one. `shares` comes zeroed.
    fn fill(&self, shares: &mut [f64]);
}

/// Every rule by place learns nothing and shares by length.
macro_rules! by_place {
    ($model:ty) => {
        impl crate::AttributionModel for $model {
            fn fit_until(
                &self,
                _: &safar_model::Paths,
                _: &[String],
                _: &crate::Stop,
            ) -> crate::Result<Box<dyn crate::FittedModel>> {
                Ok(super::tabulate(self.clone()))
            }
        }
    };
}
use by_place;

/// Paths up to this length find their shares in a table.
const TABLE: usize = 32;

/// A rule by place with its shares of short paths worked out.
struct Tabulated<R> {
    rule: R,
    /// The shares of length n begin at n (n − 1) / 2.
    table: Vec<f64>,
}

fn tabulate<R: ByPlace>(rule: R) -> Box<dyn FittedModel> {
    let mut table = vec![0.0; TABLE * (TABLE + 1) / 2];
    let mut rest = table.as_mut_slice();
    for n in 1..=TABLE {
        let (own, after) = rest.split_at_mut(n);
        rule.fill(own);
        rest = after;
    }
    Box::new(Tabulated { rule, table })
}

impl<R: ByPlace> FittedModel for Tabulated<R> {
    fn shares(&self, _: PathRef<'_>, shares: &mut [f64]) {
        let n = shares.len();
        if n <= TABLE {
            shares.copy_from_slice(&self.table[n * (n - 1) / 2..][..n]);
        } else {
            self.rule.fill(shares);
        }
    }
}

/// Divides by the sum; equal shares where all weigh 0.
fn normalise(shares: &mut [f64]) {
    let sum: f64 = shares.iter().sum();
    if sum > 0.0 {
        shares.iter_mut().for_each(|share| *share /= sum);
    } else {
        shares.fill(1.0 / count(shares.len()));
    }
}

/// A length as a number; exact below 2^53.
#[expect(clippy::cast_precision_loss, reason = "no path has 2^53 touches")]
pub(crate) fn count(n: usize) -> f64 {
    n as f64
}
