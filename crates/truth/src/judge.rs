//! One model in one market, held against the truth.
use crate::paths_of;
use safar_attribution::{
    Error, ModelSpec, attribute,
    hazard::{HazardSettings, attribute_hazard},
};
use safar_simulate::causal::{ADS, CHANNELS, Scenario, Truth};
use serde::Serialize;

/// A model that is to be judged.
#[derive(Clone, Debug, PartialEq)]
pub enum Judged {
    /// One that reads paths.
    OfPaths(ModelSpec),
    /// One that reads timelines, and its name.
    OfTimelines(&'static str, HazardSettings),
}

/// What came out.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Row {
    /// The market.
    pub scenario: &'static str,
    /// The model, as it is spelled.
    pub model: String,
    /// How many people were simulated.
    pub people: u32,
    /// Of the market.
    pub seed: u64,
    /// All conversions.
    pub conversions: f64,
    /// What the model credits to advertising.
    pub credited: f64,
    /// What advertising really caused.
    pub incremental: f64,
    /// Credited ÷ incremental; `None` where advertising caused nothing.
    pub over_credit: Option<f64>,
    /// Total variation distance, 0 to 1, between the channels' shares of credit and their shares of the true Shapley
    /// values; `None` where one of them has no shares.
    pub share_error: Option<f64>,
    /// Spearman's correlation between credits and true Shapley values; `None` where one of them is constant.
    pub rank_correlation: Option<f64>,
    /// What is credited to advertising that did nothing; `None` where it did something.
    pub false_credit: Option<f64>,
    /// By channel of [`Truth::channels`].
    pub credits: [f64; ADS],
    /// By channel: the true Shapley values.
    pub truth: [f64; ADS],
}

/// Every model that markets are usually judged with: rules, Markov, Shapley, and the hazard models.
#[must_use]
pub fn standard_models() -> Vec<Judged> {
    #[rustfmt::skip]
    let specs = [
        "first", "last", "last_non_direct:direct=direct", "linear", "position", "position_decay", "time_decay", "amplitude_j",
        "markov:order=1", "markov:order=2", "markov:order=3", "shapley", "shapley_rate", "shapley_markov", "leave_one_out",
    ];
    let of_paths = specs.iter().filter_map(|spec| spec.parse().ok()).map(Judged::OfPaths);
    of_paths
        .chain([
            Judged::OfTimelines("hazard", HazardSettings::plain()),
            Judged::OfTimelines("intent_hazard", HazardSettings::default()),
        ])
        .collect()
}

/// Simulates every scenario with `people` people, runs every model on what is seen of it, and holds the credits against
/// the truth. Rows come scenario by scenario, in the order of `models`.
///
/// # Errors
/// Where a model cannot take the paths or timelines.
pub fn validate(scenarios: &[Scenario], people: u32, seed: u64, models: &[Judged]) -> Result<Vec<Row>, Error> {
    let names = CHANNELS.map(String::from);
    let mut rows = vec![];
    for scenario in scenarios {
        let truth = Truth::of(&scenario.process, people, seed);
        let seen = scenario.process.observe(people, seed, 0);
        let paths = paths_of(&seen.timelines);
        for model in models {
            let (name, credits) = match model {
                Judged::OfPaths(spec) => (spec.to_string(), attribute(spec, &paths, &names)?.credits),
                Judged::OfTimelines(name, settings) => {
                    ((*name).to_owned(), attribute_hazard(settings, &seen.timelines, &names)?.credits)
                }
            };
            let mut ads = [0.0; ADS];
            ads.iter_mut().zip(&credits).for_each(|(ad, credit)| *ad = credit.conversions);
            rows.push(row(scenario.name, name, &truth, ads));
        }
    }
    Ok(rows)
}

fn row(scenario: &'static str, model: String, truth: &Truth, credits: [f64; ADS]) -> Row {
    let credited: f64 = credits.iter().sum();
    let incremental = truth.incremental();
    let did = incremental > 0.0;
    let share_error = (did && credited > 0.0).then(|| {
        let true_sum: f64 = truth.shapley.iter().sum();
        let apart = credits.iter().zip(&truth.shapley).map(|(got, want)| (got / credited - want / true_sum).abs());
        apart.sum::<f64>() / 2.0
    });
    Row {
        scenario,
        model,
        people: truth.people,
        seed: truth.seed,
        conversions: truth.conversions as f64,
        credited,
        incremental,
        over_credit: did.then(|| credited / incremental),
        share_error,
        rank_correlation: spearman(&credits, &truth.shapley),
        false_credit: (!did).then_some(credited),
        credits,
        truth: truth.shapley,
    }
}

/// Pearson's correlation of ranks; equal numbers have their mean rank.
fn spearman(left: &[f64], right: &[f64]) -> Option<f64> {
    let ranks = |of: &[f64]| -> Vec<f64> {
        let rank = |x: &f64| of.iter().map(|y| f64::from(u8::from(y < x)) + f64::from(u8::from(y == x)) / 2.0).sum();
        of.iter().map(rank).collect()
    };
    let (left, right) = (ranks(left), ranks(right));
    let mean = left.len() as f64 / 2.0;
    let product = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| (a - mean) * (b - mean)).sum::<f64>();
    let size = (product(&left, &left) * product(&right, &right)).sqrt();
    (size > 0.0).then(|| product(&left, &right) / size)
}

#[cfg(test)]
mod tests {
    use super::spearman;

    #[test]
    fn ranks_agree_and_disagree() {
        assert_eq!(spearman(&[1.0, 2.0, 9.0], &[0.1, 0.2, 0.3]), Some(1.0));
        assert_eq!(spearman(&[1.0, 2.0, 9.0], &[3.0, 2.0, 1.0]), Some(-1.0));
        assert_eq!(spearman(&[1.0, 1.0, 1.0], &[3.0, 2.0, 1.0]), None);
        // Two tied in the middle: 1 - 6 * 0.5 / (4 * 15) is the shortcut without ties; with ties it is 0.9486832980505138.
        assert!(
            (spearman(&[1.0, 2.0, 2.0, 3.0], &[1.0, 2.0, 3.0, 4.0]).unwrap() - 0.948_683_298_050_513_8).abs() < 1e-12
        );
    }
}
