//! What a model learned on earlier paths says about later ones.
use super::{
    Class, ValidationError,
    platt::{Platt, Scored},
};
use crate::{
    Credit, FittedModel, ModelSpec, Result, Stop,
    attribute::{check, in_chunks},
    experiment::Proportion,
    models::count,
    sum::sum,
};
use safar_model::{PathRef, Paths, Timelines};
use serde::{Deserialize, Serialize};

/// Where probabilities come from.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "source")]
pub enum Source {
    /// The conversion rate of the earlier paths, whatever the path: the floor.
    BaseRate,
    /// The model says them itself ([`FittedModel::probability`]).
    Model {
        /// Later people on paths of which it said nothing; they got the base rate.
        unsaid: f64,
    },
    /// From its credits, in the same way for every model that says none, those of cause among them. A path scores the mean,
    /// over its touches, of what each one's channel earned for each of its touches on the earlier paths; a rising logistic
    /// curve fitted to the earlier paths turns scores into probabilities. The mean, not the sum: how long a path is says how
    /// long people were watched before they converted or gave up, which no credit is about.
    Credits {
        /// The curve. Where it is flat, everybody gets the base rate.
        platt: Platt,
    },
}

/// The chance to convert that a model gives to each later path with a touch, and what came of it. Paths without a touch
/// play no part, neither earlier nor later: models are about touches.
#[derive(Clone, Debug)]
pub struct Predictions {
    pub(super) paths: Vec<Scored>,
    /// The conversion rate of the earlier paths.
    pub(super) base: f64,
    /// Later people on paths without a touch.
    pub untouched: f64,
    /// How much the model learned.
    pub class: Class,
    /// Where the probabilities come from.
    pub source: Source,
    /// Later people whose probability was so near to 0 or 1 that it was moved to 10⁻¹² away from it, since a sure
    /// prediction that fails costs endlessly.
    pub moved: f64,
}

/// No probability is nearer to 0 or 1.
const EDGE: f64 = 1e-12;

/// Probabilities no further apart than this part of them are equal: the same channels in another order sum up to another last
/// digit.
const SAME: f64 = 1e-12;

impl Predictions {
    /// Fits `model` to the `earlier` paths and asks it about the `later` ones.
    ///
    /// # Errors
    /// Paths that the model refuses; no conversions, or nothing else, among the earlier or the later paths with a touch.
    ///
    /// ```
    /// use safar_attribution::{ReadOptions, read_paths, validation::Predictions};
    /// let file = "path;conversions;null\nMail;30;70\nAds;5;95\n";
    /// let (earlier, channels) = read_paths(file.as_bytes(), &ReadOptions::default()).unwrap();
    /// let later = earlier.clone(); // in real life: the weeks after
    /// let predictions = Predictions::make(&"linear".parse().unwrap(), &earlier, &later, &channels).unwrap();
    /// let found: Vec<_> = predictions.probabilities().map(|p| (p * 100.0).round()).collect();
    /// assert_eq!(found, [30.0, 5.0]);
    /// ```
    pub fn make(
        model: &ModelSpec,
        earlier: &Paths,
        later: &Paths,
        channels: &[String],
    ) -> Result<Self, ValidationError> {
        Self::make_until(model, earlier, later, channels, &Stop::default())
    }

    /// The same, until `stop` is asked for.
    ///
    /// # Errors
    /// As [`Predictions::make`]; [`Error::Stopped`](crate::Error::Stopped).
    ///
    /// ```
    /// use safar_attribution::{ReadOptions, Stop, read_paths, validation::Predictions};
    /// let file = "path;conversions;null\nMail;30;70\nAds;5;95\n";
    /// let (earlier, channels) = read_paths(file.as_bytes(), &ReadOptions::default()).unwrap();
    /// let (model, later, stop) = ("linear".parse().unwrap(), earlier.clone(), Stop::default());
    /// assert!(Predictions::make_until(&model, &earlier, &later, &channels, &stop).is_ok());
    /// stop.stop();
    /// assert!(Predictions::make_until(&model, &earlier, &later, &channels, &stop).is_err());
    /// ```
    pub fn make_until(
        model: &ModelSpec,
        earlier: &Paths,
        later: &Paths,
        channels: &[String],
        stop: &Stop,
    ) -> Result<Self, ValidationError> {
        let base = both(earlier, later, channels)?;
        let fitted = model.build().fit_until(earlier, channels, stop)?;
        let class = Class::of(model.name(), &fitted.diagnostics());
        Ok(Self { class, ..Self::of_fitted(fitted.as_ref(), base, earlier, later, channels.len(), stop)? })
    }

    /// Of a model fitted to the `earlier` paths.
    pub(super) fn of_fitted(
        fitted: &dyn FittedModel,
        base: f64,
        earlier: &Paths,
        later: &Paths,
        channels: usize,
        stop: &Stop,
    ) -> Result<Self> {
        let mut says = true;
        for path in touched(earlier) {
            stop.check()?;
            says = fitted.probability(path).is_some();
            if !says {
                break;
            }
        }
        if says {
            let mut unsaid = 0.0;
            let mut predictions = Self::of(later, base, |path| {
                stop.check()?;
                Ok(fitted.probability(path).unwrap_or_else(|| {
                    unsaid += path.conversions + path.nulls;
                    base
                }))
            })?;
            predictions.source = Source::Model { unsaid };
            return Ok(predictions);
        }
        let earned = earned(&fitted.credits_until(earlier, channels, stop)?, &touches(earlier, channels));
        Self::of_earned(&earned, base, earlier, later)
    }

    /// Of a model of cause that learned from `timelines`, those of the earlier time, and gave `credits` by channel: they become
    /// probabilities as those of a model of paths that says none do ([`Source::Credits`]), its touches being those of the
    /// timelines.
    ///
    /// # Errors
    /// As [`Predictions::make`].
    ///
    /// ```
    /// use safar_attribution::{Credit, ReadOptions, read_paths, validation::Predictions};
    /// # use safar_model::{ChannelId, TimelineRef, Timelines};
    /// # let mut timelines = Timelines::default();
    /// # for person in 0..200 {
    /// #     let channels = &[ChannelId(person % 2)];
    /// #     timelines.push(TimelineRef { from: 0, until: 9, channels, times: &[1], outcomes: &[], values: &[] }).unwrap();
    /// # }
    /// let file = "path;conversions;null\nMail;30;70\nAds;5;95\n";
    /// let (earlier, channels) = read_paths(file.as_bytes(), &ReadOptions::default()).unwrap();
    /// let later = earlier.clone(); // in real life: the weeks after
    /// // Mail caused 25 conversions by 100 touches, Ads none.
    /// let credits = [Credit { conversions: 25.0, value: 25.0 }, Credit::default()];
    /// let predictions = Predictions::of_timelines(&credits, &timelines, &earlier, &later, &channels).unwrap();
    /// let found: Vec<_> = predictions.probabilities().map(|p| (p * 100.0).round()).collect();
    /// assert_eq!(found, [30.0, 5.0]);
    /// ```
    pub fn of_timelines(
        credits: &[Credit],
        timelines: &Timelines,
        earlier: &Paths,
        later: &Paths,
        channels: &[String],
    ) -> Result<Self, ValidationError> {
        let base = both(earlier, later, channels)?;
        let mut touches = vec![0.0; channels.len()];
        for channel in timelines.iter().flat_map(|line| line.channels) {
            // Channels that no path knows of play no part.
            if let Some(count) = touches.get_mut(channel.0 as usize) {
                *count += 1.0;
            }
        }
        let mut earned = earned(credits, &touches);
        earned.resize(channels.len(), 0.0);
        Ok(Self { class: Class::Fitted, ..Self::of_earned(&earned, base, earlier, later)? })
    }

    /// From what each channel earned by each of its touches.
    fn of_earned(earned: &[f64], base: f64, earlier: &Paths, later: &Paths) -> Result<Self> {
        let score = |path: PathRef<'_>| {
            let all: f64 = path.channels.iter().map(|channel| earned[channel.0 as usize]).sum();
            all / count(path.channels.len())
        };
        let scored =
            |path: PathRef<'_>| Scored { score: score(path), conversions: path.conversions, nulls: path.nulls };
        let platt = Platt::fit(&touched(earlier).map(scored).collect::<Vec<_>>());
        // Exactly the base rate, so that rounding does not look like a gain.
        let flat = platt.slope == 0.0;
        let chance = |path: PathRef<'_>| if flat { base } else { platt.probability(score(path)) };
        let mut predictions = Self::of(later, base, |path| Ok(chance(path)))?;
        predictions.source = Source::Credits { platt };
        Ok(predictions)
    }

    /// The floor: everybody converts at the rate of the `earlier` paths.
    ///
    /// # Errors
    /// As [`Predictions::make`].
    ///
    /// ```
    /// use safar_attribution::{ReadOptions, read_paths, validation::Predictions};
    /// let file = "path;conversions;null\nMail;30;70\nAds;5;95\n";
    /// let (earlier, channels) = read_paths(file.as_bytes(), &ReadOptions::default()).unwrap();
    /// let later = earlier.clone(); // in real life: the weeks after
    /// let base = Predictions::base_rate(&earlier, &later, &channels).unwrap();
    /// assert!(base.probabilities().all(|p| (p - 0.175).abs() < 1e-12));
    /// ```
    pub fn base_rate(earlier: &Paths, later: &Paths, channels: &[String]) -> Result<Self, ValidationError> {
        let base = both(earlier, later, channels)?;
        Ok(Self::of(later, base, |_| Ok(base))?)
    }

    fn of(later: &Paths, base: f64, mut probability: impl FnMut(PathRef<'_>) -> Result<f64>) -> Result<Self> {
        let mut moved = 0.0;
        let paths = touched(later).map(|path| {
            let said = probability(path)?;
            let score = said.clamp(EDGE, 1.0 - EDGE);
            if score != said {
                moved += path.conversions + path.nulls;
            }
            Ok(Scored { score, conversions: path.conversions, nulls: path.nulls })
        });
        let paths = paths.collect::<Result<_>>()?;
        let untouched = later.iter().filter(|path| path.channels.is_empty());
        let untouched = sum(untouched.map(|path| path.conversions + path.nulls));
        Ok(Self { paths, base, untouched, class: Class::Rule, source: Source::BaseRate, moved })
    }

    /// The probability of each later path with a touch, in their order.
    ///
    /// ```
    /// use safar_attribution::{ReadOptions, read_paths, validation::Predictions};
    /// let file = "path;conversions;null\nMail;30;70\nAds;5;95\n";
    /// let (earlier, channels) = read_paths(file.as_bytes(), &ReadOptions::default()).unwrap();
    /// let later = earlier.clone(); // in real life: the weeks after
    /// let predictions = Predictions::make(&"linear".parse().unwrap(), &earlier, &later, &channels).unwrap();
    /// assert_eq!(predictions.probabilities().len(), 2); // one for each path with a touch
    /// ```
    pub fn probabilities(&self) -> impl ExactSizeIterator<Item = f64> {
        self.paths.iter().map(|path| path.score)
    }

    /// By probability, ascending; equal probabilities together.
    pub(super) fn ascending(&self) -> Vec<Scored> {
        let mut sorted = self.paths.clone();
        sorted.retain(|path| path.conversions + path.nulls > 0.0);
        // Stable, so that sums are taken in the same order on every machine.
        sorted.sort_by(|a, b| a.score.total_cmp(&b.score));
        sorted.dedup_by(|next, kept| {
            let same = next.score - kept.score <= SAME * kept.score;
            if same {
                kept.conversions += next.conversions;
                kept.nulls += next.nulls;
            }
            same
        });
        sorted
    }
}

fn touched(paths: &Paths) -> impl Iterator<Item = PathRef<'_>> {
    paths.iter().filter(|path| !path.channels.is_empty())
}

/// Checks both periods. Returns the conversion rate of the earlier one.
pub(super) fn both(earlier: &Paths, later: &Paths, channels: &[String]) -> Result<f64, ValidationError> {
    for (which, paths) in [("earlier", earlier), ("later", later)] {
        check(paths, channels.len())?;
        let Proportion { hits, people } = converted(paths);
        let nulls = people - hits;
        if hits <= 0.0 || nulls <= 0.0 {
            return Err(ValidationError::OneOutcome { which, conversions: hits, nulls });
        }
    }
    Ok(converted(earlier).rate())
}

/// How many of the people on paths with a touch converted.
pub(super) fn converted(paths: &Paths) -> Proportion {
    let hits = sum(touched(paths).map(|path| path.conversions));
    Proportion { hits, people: hits + sum(touched(paths).map(|path| path.nulls)) }
}

/// By channel: credit for each touch; 0 for a channel without any.
fn earned(credits: &[Credit], touches: &[f64]) -> Vec<f64> {
    let each = |(credit, touches): (&Credit, &f64)| if *touches > 0.0 { credit.conversions / touches } else { 0.0 };
    credits.iter().zip(touches).map(each).collect()
}

/// By channel: touches on `paths`.
fn touches(paths: &Paths, channels: usize) -> Vec<f64> {
    let parts = in_chunks(paths, |range| {
        let mut touches = vec![0.0; channels];
        for path in range.map(|index| paths.get(index)) {
            path.channels.iter().for_each(|channel| touches[channel.0 as usize] += path.conversions + path.nulls);
        }
        touches
    });
    let mut touches = vec![0.0; channels];
    for part in parts {
        touches.iter_mut().zip(part).for_each(|(all, part)| *all += part);
    }
    touches
}
