//! Models of cause: an additive hazard with hidden intent.
//!
//! Rules, Markov chains and Shapley games share out all conversions that follow a touch. These models ask which of them
//! would not have been without the touches. A person's rate of conversion is a baseline plus what touches add, and what a
//! touch adds fades:
//!
//! λ(t) = season(t) · base · exp(base_by_intent · z(t)) + Σ_c effect_c · Σ_touches of c exp(−fading_c · age)
//!
//! (Zhang, Wei and Ren 2014). Intent z is not seen, but it shows: people who mean to buy search and visit more and are shown
//! more. So the rate of every kind of touch is learned too,
//!
//! season_c(t) · rate_c · exp(by_intent_c · z(t)) · (1 + Σ_s lift_sc · stock_s(t)),
//!
//! with a rate of its own after the first landing for channels that follow visitors. z is a lasting part (a grid on a normal
//! distribution) plus a passing mood (a chain of few levels). How likely each intent is at each moment comes from all touches
//! and conversions of the person, forwards and backwards (Baum, Petrie, Soules and Weiss 1970; a marked point process
//! modulated by a Markov chain, Rydén 1996), the parameters by expectation and maximisation, on a part of the people where
//! there are many, and then by Newton's steps on all.
//!
//! A conversion's credit goes to channels as likely as they caused it. Where a touch was itself brought about by another
//! channel, or by the person's being followed, both were needed and share (Shapley). What would have come later anyway is
//! taken back. The rest is the baseline: credits + baseline = conversions, exactly, and the same for value.
//!
//! What this takes for granted, beside the form of the rates: that intent moves slowly against the fading of touches, that
//! every cause of both touches and conversions shows as intent or as season, and that people are recognised. It is tried
//! where these fail in `docs/truth.md`.
mod begin;
mod credit;
mod exp;
mod expect;
mod fit;
mod later;
mod learned;
mod maximise;
mod newton;
mod params;
mod pass;
mod resample;
mod role;
mod scan;
mod settings;
mod side;
mod state;
mod sums;

pub use learned::{ChannelDiagnostics, HazardDiagnostics};
pub use resample::{bootstrap_timelines, bootstrap_timelines_with};
pub use role::Role;
pub use settings::HazardSettings;
pub(crate) use side::OfTimelines;
pub use side::{attribute_timelines, attribute_timelines_with};

use crate::{Credit, Result, Stop};
use safar_model::Timelines;

/// Credits of every channel, and what no channel caused.
#[derive(Clone, Debug, PartialEq)]
pub struct HazardAttribution {
    /// The settings that gave them.
    pub settings: HazardSettings,
    /// By channel index, one for each given name; 0 for channels of [`Role::Direct`].
    pub credits: Vec<Credit>,
    /// What would have been without any touch that can be paid for: all conversions and value but the credits.
    pub baseline: Credit,
    /// What was learned.
    pub diagnostics: HazardDiagnostics,
}

/// Learns from `timelines` and credits their conversions. `names` names the channels by their index.
///
/// A person whose last outcome is at the end of the person's window, before the end of the data, is taken to have left the
/// observation by it: what would have come later is reckoned up to the end of the data.
///
/// # Errors
/// A channel without a name, a setting out of range, or a value past 1e100.
///
/// ```
/// use safar_attribution::hazard::{HazardSettings, Role, attribute_hazard};
/// # use safar_model::{ChannelId, DAY_US, TimelineRef, Timelines};
/// # let mut timelines = Timelines::default();
/// # for person in 0..400_i64 {
/// #     let shown = person % 2 == 0;
/// #     let buys = if shown { person % 4 == 0 } else { person % 20 == 1 };
/// #     let (soon, late) = (10 * DAY_US + 1 + person * 7_919 % 400 * DAY_US / 200, person * 104_729 % 400 * DAY_US / 20);
/// #     let until = if buys { if shown { soon } else { late } } else { 20 * DAY_US };
/// #     let (channels, times) = (&[ChannelId(0)][..usize::from(shown)], &[10 * DAY_US][..usize::from(shown)]);
/// #     let (outcomes, values) = (&[until][..usize::from(buys)], &[10.0][..usize::from(buys)]);
/// #     timelines.push(TimelineRef { from: 0, until, channels, times, outcomes, values }).unwrap();
/// # }
/// // 200 people were shown something on day 10 and 100 of them bought soon after; of 200 others 20 bought.
/// let settings = HazardSettings { roles: vec![Some(Role::Push)], levels: 3, ..HazardSettings::default() };
/// let result = attribute_hazard(&settings, &timelines, &["Display".to_string()]).unwrap();
/// assert!((80.0..100.0).contains(&result.credits[0].conversions));
/// let sum = result.credits[0].conversions + result.baseline.conversions;
/// assert!((sum - 120.0).abs() < 1e-9);
/// ```
pub fn attribute_hazard(
    settings: &HazardSettings,
    timelines: &Timelines,
    names: &[String],
) -> Result<HazardAttribution> {
    let stop = Stop::default();
    let learned = fit::learn(settings, timelines, names, &stop)?;
    let (credits, baseline) = credit::credits(&learned.crowd, &learned.params, learned.end, &stop)?;
    Ok(HazardAttribution { settings: settings.clone(), credits, baseline, diagnostics: learned.diagnostics })
}
