//! What the model says about itself.
use super::{Role, params::Params};
use safar_model::{DAY_US, Micros};

/// What was learned, and how well.
#[derive(Clone, Debug, PartialEq)]
pub struct HazardDiagnostics {
    /// How often all people were gone over. Where there are many, learning begins on a part of them; that is not counted.
    pub rounds: usize,
    /// Whether learning came to rest: no parameter has far to go, or going there makes no difference to the likelihood.
    pub converged: bool,
    /// How long intent was taken to stand still, in microseconds.
    pub step: Micros,
    /// Log-likelihood of all touches and conversions, each touch weighted by its trust.
    pub log_likelihood: f64,
    /// Conversions a day of a person of mean intent who never met a touch.
    pub base_rate: f64,
    /// How much the log of that grows with a standard deviation of lasting intent.
    pub base_by_intent: f64,
    /// Standard deviation of passing intent, that of lasting intent being 1.
    pub mood: f64,
    /// Days after which passing intent has forgotten half of itself; `None` where it does not change.
    pub mood_half_life: Option<f64>,
    /// By channel.
    pub channels: Vec<ChannelDiagnostics>,
}

/// What was learned of a channel.
#[derive(Clone, Debug, PartialEq)]
pub struct ChannelDiagnostics {
    /// What it was taken for.
    pub role: Role,
    /// Whether that was guessed from its name, not set.
    pub guessed: bool,
    /// Conversions that one touch causes, over all time, if nothing else happens; for [`Role::Direct`], intent that the
    /// model missed.
    pub effect: f64,
    /// When half of its effect is over.
    pub half_life: Micros,
    /// Touches a day of a person of mean intent.
    pub rate: f64,
    /// How much the log of that grows with a standard deviation of lasting intent: the confounding.
    pub rate_by_intent: f64,
    /// How many times more frequent touches are after the first landing.
    pub follows: f64,
    /// By channel: how many touches of it a touch of this one brings about at mean intent.
    pub lifts: Vec<f64>,
    /// Weight of a touch as evidence of intent: below 1 where touches come in bursts.
    pub trust: f64,
}

impl HazardDiagnostics {
    /// The roles of those channels for which `set` says so were not guessed.
    pub(super) fn new(params: &Params, step: f64, set: &[Option<Role>]) -> Self {
        let channels = params.channels;
        let about = |channel: usize| {
            let fading = params.fading[channel];
            let lifts =
                (0..channels).map(|target| params.lift[channel * channels + target] * params.rate[target] / fading);
            ChannelDiagnostics {
                role: params.roles[channel],
                guessed: set.get(channel).copied().flatten().is_none(),
                effect: params.effect[channel] / fading,
                half_life: (std::f64::consts::LN_2 / fading * DAY_US as f64) as Micros,
                rate: params.rate[channel],
                rate_by_intent: params.by_intent[channel],
                follows: params.after(channel),
                lifts: lifts.collect(),
                trust: params.trust[channel],
            }
        };
        let kept = 1.0 - 2.0 * params.turn;
        Self {
            rounds: 0,
            converged: false,
            step: (step * DAY_US as f64).round() as Micros,
            log_likelihood: f64::NEG_INFINITY,
            base_rate: params.base,
            base_by_intent: params.base_by_intent,
            mood: if params.grid.moods.len() > 1 { params.spread } else { 0.0 },
            mood_half_life: (params.grid.moods.len() > 1).then(|| -std::f64::consts::LN_2 * step / libm::log(kept)),
            channels: (0..channels).map(about).collect(),
        }
    }
}
