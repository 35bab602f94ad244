//! One model in one market, held against the truth.
use crate::{aged_paths_of, paths_of};
use safar_attribution::{Error, ModelSpec, attribute, hazard::attribute_timelines};
use safar_simulate::causal::{ADS, CHANNELS, Scenario, Truth};
use serde::Serialize;

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

/// Every model that markets are usually judged with: rules, Markov, Shapley, the other models of paths, and the hazard models.
///
/// ```
/// let names: Vec<_> = safar_truth::standard_models().iter().map(|model| model.name()).collect();
/// assert!(names.contains(&"last") && names.contains(&"intent_hazard"));
/// ```
#[must_use]
pub fn standard_models() -> Vec<ModelSpec> {
    #[rustfmt::skip]
    let specs = [
        "first", "last", "last_non_direct:direct=direct", "linear", "position", "position_decay", "time_decay", "amplitude_j",
        "adobe_j", "w_shaped", "participation", "markov:order=1", "markov:order=2", "markov:order=3", "shapley",
        "shapley_rate", "shapley_markov", "leave_one_out", "shao_li", "logistic", "hazard", "intent_hazard",
    ];
    specs.iter().filter_map(|spec| spec.parse().ok()).collect()
}

/// Simulates every scenario with `people` people, runs every model on what is seen of it, and holds the credits against
/// the truth. Rows come scenario by scenario, in the order of `models`.
///
/// # Errors
/// Where a model cannot take the paths or timelines.
///
/// ```
/// use safar_simulate::causal::scenario;
/// let models = ["last".parse().unwrap(), "shapley".parse().unwrap()];
/// let rows = safar_truth::validate(&[scenario("S1").unwrap()], 500, 3, &models).unwrap();
/// assert_eq!(rows.len(), 2);
/// assert!(rows.iter().all(|row| row.over_credit.unwrap() > 1.0));
/// ```
pub fn validate(scenarios: &[Scenario], people: u32, seed: u64, models: &[ModelSpec]) -> Result<Vec<Row>, Error> {
    let names = CHANNELS.map(String::from);
    let mut rows = vec![];
    for scenario in scenarios {
        let truth = Truth::of(&scenario.process, people, seed);
        let seen = scenario.process.observe(people, seed, 0);
        let paths = paths_of(&seen.timelines);
        let reads_ages = |model: &ModelSpec| matches!(model, ModelSpec::TimeDecay { .. });
        let aged = models.iter().any(reads_ages).then(|| aged_paths_of(&seen.timelines));
        for model in models {
            let credits = if model.is_causal() {
                attribute_timelines(model, &seen.timelines, &names)?.credits
            } else {
                let aged = aged.as_ref().filter(|_| reads_ages(model));
                attribute(model, aged.unwrap_or(&paths), &names)?.credits
            };
            let mut ads = [0.0; ADS];
            ads.iter_mut().zip(&credits).for_each(|(ad, credit)| *ad = credit.conversions);
            rows.push(row(scenario.name, model.to_string(), &truth, ads));
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
    use super::{spearman, standard_models, validate};
    use safar_attribution::{all_models, attribute, causal_models};
    use safar_simulate::causal::{CHANNELS, scenario};

    #[test]
    fn every_model_is_judged() {
        let judged: Vec<_> = standard_models().iter().map(|model| model.name()).collect();
        for model in all_models().iter().chain(&causal_models()) {
            assert!(judged.contains(&model.name()), "{model}");
        }
        assert!(judged.contains(&"adobe_j"));
    }

    #[test]
    fn time_decay_is_judged_by_ages() {
        let (market, model) = (scenario("S1").unwrap(), "time_decay:half_life=1d".parse().unwrap());
        let seen = market.process.observe(400, 2, 0).timelines;
        let names = CHANNELS.map(String::from);
        let of = |paths| attribute(&model, paths, &names).unwrap();
        let (aged, assumed) = (of(&crate::aged_paths_of(&seen)), of(&crate::paths_of(&seen)));
        assert!(!aged.diagnostics.assumed_ages && assumed.diagnostics.assumed_ages);
        let row = &validate(&[market], 400, 2, &[model.clone()]).unwrap()[0];
        for (channel, judged) in row.credits.iter().enumerate() {
            assert_eq!(*judged, aged.credits[channel].conversions);
        }
        assert!((row.credits[0] - assumed.credits[0].conversions).abs() > 0.1);
    }

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
