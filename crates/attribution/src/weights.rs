//! The weights behind a rule model's name, to print beside it.
use crate::ModelSpec;
use safar_model::{ChannelId, PathRef, PathsBuilder};

impl ModelSpec {
    /// What each touch of a path of `touches` touches gets of a conversion, first touch first; `None` for models that
    /// learn from data.
    ///
    /// The touches are of different channels, none of them direct, and one day apart, the last one at the outcome.
    /// The weights sum to 1, except those of participation, which are all 1.
    ///
    /// ```
    /// let table = |model: &str| -> Vec<_> {
    ///     let model: safar_attribution::ModelSpec = model.parse().unwrap();
    ///     (1..=5).filter_map(|touches| model.weights(touches)).collect()
    /// };
    /// assert_eq!(table("amplitude_j")[3], [0.1, 0.1, 0.2, 0.6]);
    /// assert_eq!(table("w_shaped")[4], [0.3, 0.05, 0.3, 0.05, 0.3]);
    /// assert!(table("markov").is_empty());
    /// ```
    #[must_use]
    pub fn weights(&self, touches: u16) -> Option<Vec<f64>> {
        if !self.is_rule() {
            return None;
        }
        let channels: Vec<_> = (0..u32::from(touches)).map(ChannelId).collect();
        let path = PathRef { channels: &channels, ages: None, conversions: 1.0, value: 0.0, nulls: 0.0 };
        let mut paths = PathsBuilder::default();
        paths.push(path);
        // No channel is called direct: names that cannot be spelled match nothing.
        let names = vec![String::new(); channels.len()];
        let fitted = self.build().fit(&paths.finish(), &names).ok()?;
        let mut shares = vec![0.0; channels.len()];
        if touches > 0 {
            fitted.shares(path, &mut shares);
        }
        Some(shares)
    }

    /// Whether the shares of a path depend on nothing but the path itself, and so can be printed once for all data.
    ///
    /// ```
    /// let is_rule = |model: &str| model.parse::<safar_attribution::ModelSpec>().unwrap().is_rule();
    /// assert!(is_rule("w_shaped") && is_rule("adobe_j") && !is_rule("shapley_rate"));
    /// ```
    #[must_use]
    pub fn is_rule(&self) -> bool {
        match self {
            Self::First | Self::Last | Self::LastNonDirect { .. } | Self::Linear | Self::Position { .. } => true,
            Self::PositionDecay | Self::TimeDecay { .. } | Self::Custom(_) | Self::AmplitudeJ => true,
            Self::WShaped | Self::Participation | Self::Shapley => true,
            Self::Preset { model, .. } => model.is_rule(),
            Self::Markov { .. } | Self::ShapleyRate { .. } | Self::ShapleyMarkov { .. } => false,
            Self::LeaveOneOut | Self::ShaoLi | Self::Logistic { .. } => false,
            Self::Hazard { .. } | Self::IntentHazard { .. } => false,
        }
    }
}
