//! How the model is set.
use super::Role;
use crate::{Error, Result};
use safar_model::{DAY_US, Micros};

/// The settings of the additive hazard. The default is one for all markets.
#[derive(Clone, Debug, PartialEq)]
pub struct HazardSettings {
    /// What each channel is, by index; `None`, and what is beyond the list: as the name suggests ([`Role::of_name`]).
    pub roles: Vec<Option<Role>>,
    /// Levels of lasting intent, 1 to 31; with 1 everybody is alike.
    pub levels: usize,
    /// Levels of passing intent, 1 to 9; with 1 intent does not change.
    pub moods: usize,
    /// How long intent is taken to stand still, in microseconds; `None`: a day, but at most a thirtieth and at least a hundred
    /// and twentieth of the whole observation. At least a minute, and a 10,000th of the whole observation.
    pub step: Option<Micros>,
    /// Equal stretches of the calendar, 1 to 1,000, each with its own rates of touches and conversions.
    pub seasons: usize,
    /// Whether direct visits and searches are traced back to the touches that brought them about.
    pub upstream: bool,
    /// Whether channels of [`Role::Push`] may follow people after their first landing.
    pub follow: bool,
    /// Whether touches that come in bursts tell less of intent, and evenly spaced ones more, than touches by chance.
    pub trust: bool,
    /// Whether conversions that would have come later anyway are taken back.
    pub anyway: bool,
    /// Most rounds of expectation and maximisation before Newton's steps, 1 or more.
    pub rounds: usize,
}

impl Default for HazardSettings {
    fn default() -> Self {
        Self {
            roles: vec![],
            levels: 7,
            moods: 3,
            step: None,
            seasons: 1,
            upstream: true,
            follow: true,
            trust: true,
            anyway: true,
            rounds: 60,
        }
    }
}

impl HazardSettings {
    /// The plain additive hazard (Zhang, Wei and Ren 2014) with fading learned: no hidden intent, nothing traced back.
    /// Direct visits stand for intent.
    ///
    /// ```
    /// use safar_attribution::hazard::HazardSettings;
    /// let (plain, full) = (HazardSettings::plain(), HazardSettings::default());
    /// assert_eq!((plain.levels, plain.moods, plain.upstream), (1, 1, false));
    /// assert_eq!((full.levels, full.moods, full.upstream), (7, 3, true));
    /// ```
    #[must_use]
    pub fn plain() -> Self {
        Self { levels: 1, moods: 1, upstream: false, follow: false, trust: false, anyway: false, ..Self::default() }
    }

    /// Refuses what is out of range.
    pub(super) fn check(&self) -> Result<()> {
        let limits = [
            ("levels", self.levels, 1, 31),
            ("moods", self.moods, 1, 9),
            ("seasons", self.seasons, 1, 1_000),
            ("rounds", self.rounds, 1, 100_000),
        ];
        for (setting, got, least, most) in limits {
            if !(least..=most).contains(&got) {
                return Err(Error::BadSetting { setting, got: got.to_string(), allowed: format!("{least} to {most}") });
            }
        }
        match self.step {
            Some(step) if step < DAY_US / 1_440 => {
                let got = format!("{step} µs");
                Err(Error::BadSetting { setting: "step", got, allowed: "a minute or more".into() })
            }
            _ => Ok(()),
        }
    }
}
