//! Timelines: everything a person did while observed, outcomes or not.
//!
//! [`Paths`](crate::Paths) cannot say how long people were at risk; models of cause need that, and read timelines.
use crate::{ChannelId, Micros};

/// Many people's timelines in struct-of-arrays form, person after person.
#[derive(Clone, Debug, PartialEq)]
pub struct Timelines {
    // Invariant: both offsets start at 0, do not decrease, end at the length of what they divide, and are one longer than
    // windows; channels and times are of one length, outcomes and values too; times ascend inside their person's window.
    // `counted`, where it is given, is as long as outcomes; `loose` is by person, ascending.
    windows: Vec<(Micros, Micros)>,
    touch_offsets: Vec<usize>,
    channels: Vec<ChannelId>,
    times: Vec<Micros>,
    outcome_offsets: Vec<usize>,
    outcomes: Vec<Micros>,
    values: Vec<f64>,
    counted: Option<Vec<bool>>,
    loose: Vec<(usize, f64)>,
}

impl Default for Timelines {
    fn default() -> Self {
        Self {
            windows: vec![],
            touch_offsets: vec![0],
            channels: vec![],
            times: vec![],
            outcome_offsets: vec![0],
            outcomes: vec![],
            values: vec![],
            counted: None,
            loose: vec![],
        }
    }
}

/// One person's timeline, borrowed.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct TimelineRef<'a> {
    /// When the observation began.
    pub from: Micros,
    /// When it ended: the end of the data, or the outcome after which the person was not watched any more.
    pub until: Micros,
    /// The channel of each touch.
    pub channels: &'a [ChannelId],
    /// When each touch was, ascending, as long as `channels`.
    pub times: &'a [Micros],
    /// When each outcome was, ascending.
    pub outcomes: &'a [Micros],
    /// What each outcome was worth, as long as `outcomes`.
    pub values: &'a [f64],
}

/// A timeline that cannot be.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum TimelineError {
    /// The window ends before it begins.
    #[error("person {person} is observed from {from} µs until {until} µs; the end must not come before the beginning")]
    Window {
        /// Index of the person, from 0.
        person: usize,
        /// Beginning.
        from: Micros,
        /// End.
        until: Micros,
    },
    /// Two columns that go together differ in length.
    #[error("person {person} has {left} {what} but {right} {with}; give one for each")]
    Lengths {
        /// Index of the person, from 0.
        person: usize,
        /// `touches` or `outcomes`.
        what: &'static str,
        /// How many.
        left: usize,
        /// `times` or `values`.
        with: &'static str,
        /// How many.
        right: usize,
    },
    /// A time is outside of the window or before the one that precedes it.
    #[error("person {person} has {what} {index} at {at} µs; times must ascend, inside the window")]
    Time {
        /// Index of the person, from 0.
        person: usize,
        /// `touch` or `outcome`.
        what: &'static str,
        /// Its index, from 0.
        index: usize,
        /// Its time.
        at: Micros,
    },
    /// A value that is no number.
    #[error("person {person} has an outcome worth {value}; values must be finite")]
    Value {
        /// Index of the person, from 0.
        person: usize,
        /// The refused number.
        value: f64,
    },
}

impl Timelines {
    /// How many people.
    ///
    /// ```
    /// use safar_model::{ChannelId, DAY_US, TimelineRef, Timelines};
    /// # let mut lines = Timelines::default();
    /// # let (channels, times) = (&[ChannelId(0), ChannelId(1)][..], &[DAY_US, 3 * DAY_US][..]);
    /// # let (outcomes, values) = (&[5 * DAY_US][..], &[20.0][..]);
    /// # lines.push(TimelineRef { from: 0, until: 5 * DAY_US, channels, times, outcomes, values }).unwrap();
    /// # let nothing = TimelineRef { from: 0, until: 9 * DAY_US, channels: &[], times: &[], outcomes: &[], values: &[] };
    /// # lines.push(nothing).unwrap();
    /// // Somebody with touches on days 1 and 3 who bought on day 5, and somebody who did nothing for 9 days.
    /// assert_eq!(lines.len(), 2);
    /// ```
    #[must_use]
    pub fn len(&self) -> usize {
        self.windows.len()
    }

    /// Whether there is none.
    ///
    /// ```
    /// use safar_model::{ChannelId, DAY_US, TimelineRef, Timelines};
    /// # let mut lines = Timelines::default();
    /// # let (channels, times) = (&[ChannelId(0), ChannelId(1)][..], &[DAY_US, 3 * DAY_US][..]);
    /// # let (outcomes, values) = (&[5 * DAY_US][..], &[20.0][..]);
    /// # lines.push(TimelineRef { from: 0, until: 5 * DAY_US, channels, times, outcomes, values }).unwrap();
    /// # let nothing = TimelineRef { from: 0, until: 9 * DAY_US, channels: &[], times: &[], outcomes: &[], values: &[] };
    /// # lines.push(nothing).unwrap();
    /// // Somebody with touches on days 1 and 3 who bought on day 5, and somebody who did nothing for 9 days.
    /// assert!(!lines.is_empty());
    /// ```
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.windows.is_empty()
    }

    /// How many touches all people have together.
    ///
    /// ```
    /// use safar_model::{ChannelId, DAY_US, TimelineRef, Timelines};
    /// # let mut lines = Timelines::default();
    /// # let (channels, times) = (&[ChannelId(0), ChannelId(1)][..], &[DAY_US, 3 * DAY_US][..]);
    /// # let (outcomes, values) = (&[5 * DAY_US][..], &[20.0][..]);
    /// # lines.push(TimelineRef { from: 0, until: 5 * DAY_US, channels, times, outcomes, values }).unwrap();
    /// # let nothing = TimelineRef { from: 0, until: 9 * DAY_US, channels: &[], times: &[], outcomes: &[], values: &[] };
    /// # lines.push(nothing).unwrap();
    /// // Somebody with touches on days 1 and 3 who bought on day 5, and somebody who did nothing for 9 days.
    /// assert_eq!(lines.touchpoints(), 2);
    /// ```
    #[must_use]
    pub fn touchpoints(&self) -> usize {
        self.channels.len()
    }

    /// How many outcomes all people have together.
    ///
    /// ```
    /// use safar_model::{ChannelId, DAY_US, TimelineRef, Timelines};
    /// # let mut lines = Timelines::default();
    /// # let (channels, times) = (&[ChannelId(0), ChannelId(1)][..], &[DAY_US, 3 * DAY_US][..]);
    /// # let (outcomes, values) = (&[5 * DAY_US][..], &[20.0][..]);
    /// # lines.push(TimelineRef { from: 0, until: 5 * DAY_US, channels, times, outcomes, values }).unwrap();
    /// # let nothing = TimelineRef { from: 0, until: 9 * DAY_US, channels: &[], times: &[], outcomes: &[], values: &[] };
    /// # lines.push(nothing).unwrap();
    /// // Somebody with touches on days 1 and 3 who bought on day 5, and somebody who did nothing for 9 days.
    /// assert_eq!(lines.outcomes(), 1);
    /// ```
    #[must_use]
    pub fn outcomes(&self) -> usize {
        self.outcomes.len()
    }

    /// One past the highest channel.
    ///
    /// ```
    /// use safar_model::{ChannelId, DAY_US, TimelineRef, Timelines};
    /// # let mut lines = Timelines::default();
    /// # let (channels, times) = (&[ChannelId(0), ChannelId(1)][..], &[DAY_US, 3 * DAY_US][..]);
    /// # let (outcomes, values) = (&[5 * DAY_US][..], &[20.0][..]);
    /// # lines.push(TimelineRef { from: 0, until: 5 * DAY_US, channels, times, outcomes, values }).unwrap();
    /// # let nothing = TimelineRef { from: 0, until: 9 * DAY_US, channels: &[], times: &[], outcomes: &[], values: &[] };
    /// # lines.push(nothing).unwrap();
    /// // Somebody with touches on days 1 and 3 who bought on day 5, and somebody who did nothing for 9 days.
    /// assert_eq!(lines.channel_count(), 2);
    /// ```
    #[must_use]
    pub fn channel_count(&self) -> usize {
        self.channels.iter().map(|channel| channel.0 as usize + 1).max().unwrap_or(0)
    }

    /// The first beginning and the last end; `None` of nobody.
    ///
    /// ```
    /// use safar_model::{ChannelId, DAY_US, TimelineRef, Timelines};
    /// # let mut lines = Timelines::default();
    /// # let (channels, times) = (&[ChannelId(0), ChannelId(1)][..], &[DAY_US, 3 * DAY_US][..]);
    /// # let (outcomes, values) = (&[5 * DAY_US][..], &[20.0][..]);
    /// # lines.push(TimelineRef { from: 0, until: 5 * DAY_US, channels, times, outcomes, values }).unwrap();
    /// # let nothing = TimelineRef { from: 0, until: 9 * DAY_US, channels: &[], times: &[], outcomes: &[], values: &[] };
    /// # lines.push(nothing).unwrap();
    /// // Somebody with touches on days 1 and 3 who bought on day 5, and somebody who did nothing for 9 days.
    /// assert_eq!(lines.span(), Some((0, 9 * DAY_US)));
    /// ```
    #[must_use]
    pub fn span(&self) -> Option<(Micros, Micros)> {
        let from = self.windows.iter().map(|window| window.0).min()?;
        let until = self.windows.iter().map(|window| window.1).max()?;
        Some((from, until))
    }

    /// The timeline of the person at `index`.
    ///
    /// # Panics
    /// When `index` is not below [`Timelines::len`].
    ///
    /// ```
    /// use safar_model::{ChannelId, DAY_US, TimelineRef, Timelines};
    /// # let mut lines = Timelines::default();
    /// # let (channels, times) = (&[ChannelId(0), ChannelId(1)][..], &[DAY_US, 3 * DAY_US][..]);
    /// # let (outcomes, values) = (&[5 * DAY_US][..], &[20.0][..]);
    /// # lines.push(TimelineRef { from: 0, until: 5 * DAY_US, channels, times, outcomes, values }).unwrap();
    /// # let nothing = TimelineRef { from: 0, until: 9 * DAY_US, channels: &[], times: &[], outcomes: &[], values: &[] };
    /// # lines.push(nothing).unwrap();
    /// // Somebody with touches on days 1 and 3 who bought on day 5, and somebody who did nothing for 9 days.
    /// assert_eq!((lines.get(0).values, lines.get(1).until), (&[20.0][..], 9 * DAY_US));
    /// ```
    #[must_use]
    #[inline]
    pub fn get(&self, index: usize) -> TimelineRef<'_> {
        let touches = self.touch_range(index);
        let outcomes = self.outcome_offsets[index]..self.outcome_offsets[index + 1];
        let (from, until) = self.windows[index];
        TimelineRef {
            from,
            until,
            channels: &self.channels[touches.clone()],
            times: &self.times[touches],
            outcomes: &self.outcomes[outcomes.clone()],
            values: &self.values[outcomes],
        }
    }

    /// Where the touches of the person at `index` stand among all touches.
    ///
    /// # Panics
    /// When `index` is not below [`Timelines::len`].
    ///
    /// ```
    /// use safar_model::{ChannelId, DAY_US, TimelineRef, Timelines};
    /// # let mut lines = Timelines::default();
    /// # let (channels, times) = (&[ChannelId(0), ChannelId(1)][..], &[DAY_US, 3 * DAY_US][..]);
    /// # let (outcomes, values) = (&[5 * DAY_US][..], &[20.0][..]);
    /// # lines.push(TimelineRef { from: 0, until: 5 * DAY_US, channels, times, outcomes, values }).unwrap();
    /// # let nothing = TimelineRef { from: 0, until: 9 * DAY_US, channels: &[], times: &[], outcomes: &[], values: &[] };
    /// # lines.push(nothing).unwrap();
    /// // Somebody with touches on days 1 and 3 who bought on day 5, and somebody who did nothing for 9 days.
    /// assert_eq!((lines.touch_range(0), lines.touch_range(1)), (0..2, 2..2));
    /// ```
    #[must_use]
    pub fn touch_range(&self, index: usize) -> std::ops::Range<usize> {
        self.touch_offsets[index]..self.touch_offsets[index + 1]
    }

    /// Where the outcomes of the person at `index` stand among all outcomes.
    ///
    /// # Panics
    /// When `index` is not below [`Timelines::len`].
    ///
    /// ```
    /// use safar_model::{ChannelId, DAY_US, TimelineRef, Timelines};
    /// # let mut lines = Timelines::default();
    /// # let (channels, times) = (&[ChannelId(0), ChannelId(1)][..], &[DAY_US, 3 * DAY_US][..]);
    /// # let (outcomes, values) = (&[5 * DAY_US][..], &[20.0][..]);
    /// # lines.push(TimelineRef { from: 0, until: 5 * DAY_US, channels, times, outcomes, values }).unwrap();
    /// # let nothing = TimelineRef { from: 0, until: 9 * DAY_US, channels: &[], times: &[], outcomes: &[], values: &[] };
    /// # lines.push(nothing).unwrap();
    /// // Somebody with touches on days 1 and 3 who bought on day 5, and somebody who did nothing for 9 days.
    /// assert_eq!((lines.outcome_range(0), lines.outcome_range(1)), (0..1, 1..1));
    /// ```
    #[must_use]
    pub fn outcome_range(&self, index: usize) -> std::ops::Range<usize> {
        self.outcome_offsets[index]..self.outcome_offsets[index + 1]
    }

    /// Credit is asked for of these outcomes alone, all people's one after another; the others are only learned from. Without a
    /// call it is asked for of all, and what is missing in `counted` is not asked for.
    ///
    /// ```
    /// use safar_model::{ChannelId, DAY_US, TimelineRef, Timelines};
    /// # let mut lines = Timelines::default();
    /// # let (channels, times) = (&[ChannelId(0), ChannelId(1)][..], &[DAY_US, 3 * DAY_US][..]);
    /// # let (outcomes, values) = (&[5 * DAY_US][..], &[20.0][..]);
    /// # lines.push(TimelineRef { from: 0, until: 5 * DAY_US, channels, times, outcomes, values }).unwrap();
    /// # let nothing = TimelineRef { from: 0, until: 9 * DAY_US, channels: &[], times: &[], outcomes: &[], values: &[] };
    /// # lines.push(nothing).unwrap();
    /// // Somebody with touches on days 1 and 3 who bought on day 5, and somebody who did nothing for 9 days.
    /// lines.count_only(vec![false]);
    /// assert!(!lines.is_counted(0)); // it is learned from, and nobody earns it
    /// ```
    pub fn count_only(&mut self, mut counted: Vec<bool>) {
        counted.resize(self.outcomes.len(), false);
        self.counted = Some(counted);
    }

    /// Whether credit is asked for of the outcome that stands there among all outcomes.
    ///
    /// ```
    /// use safar_model::{ChannelId, DAY_US, TimelineRef, Timelines};
    /// # let mut lines = Timelines::default();
    /// # let (channels, times) = (&[ChannelId(0), ChannelId(1)][..], &[DAY_US, 3 * DAY_US][..]);
    /// # let (outcomes, values) = (&[5 * DAY_US][..], &[20.0][..]);
    /// # lines.push(TimelineRef { from: 0, until: 5 * DAY_US, channels, times, outcomes, values }).unwrap();
    /// # let nothing = TimelineRef { from: 0, until: 9 * DAY_US, channels: &[], times: &[], outcomes: &[], values: &[] };
    /// # lines.push(nothing).unwrap();
    /// // Somebody with touches on days 1 and 3 who bought on day 5, and somebody who did nothing for 9 days.
    /// assert!(lines.is_counted(0)); // unless others are asked for
    /// ```
    #[must_use]
    pub fn is_counted(&self, outcome: usize) -> bool {
        self.counted.as_ref().is_none_or(|counted| counted.get(outcome).copied().unwrap_or(false))
    }

    /// Money of the person that was last pushed which belongs to no outcome, such as a refund of an order that nobody knows:
    /// it is part of what is shared out, and no touch earns or loses it. Money that is not finite is refused, and so is any before
    /// the first person.
    ///
    /// # Errors
    /// [`TimelineError::Value`].
    ///
    /// ```
    /// use safar_model::{ChannelId, DAY_US, TimelineRef, Timelines};
    /// # let mut lines = Timelines::default();
    /// # let (channels, times) = (&[ChannelId(0), ChannelId(1)][..], &[DAY_US, 3 * DAY_US][..]);
    /// # let (outcomes, values) = (&[5 * DAY_US][..], &[20.0][..]);
    /// # lines.push(TimelineRef { from: 0, until: 5 * DAY_US, channels, times, outcomes, values }).unwrap();
    /// # let nothing = TimelineRef { from: 0, until: 9 * DAY_US, channels: &[], times: &[], outcomes: &[], values: &[] };
    /// # lines.push(nothing).unwrap();
    /// // Somebody with touches on days 1 and 3 who bought on day 5, and somebody who did nothing for 9 days.
    /// lines.add_loose(-5.0).unwrap(); // the second one gave something back
    /// assert_eq!(lines.loose(1), -5.0);
    /// ```
    pub fn add_loose(&mut self, value: f64) -> Result<(), TimelineError> {
        let person = self.len().checked_sub(1).filter(|_| value.is_finite());
        let person = person.ok_or(TimelineError::Value { person: self.len().saturating_sub(1), value })?;
        match self.loose.last_mut() {
            Some((last, sum)) if *last == person => *sum += value,
            _ => self.loose.push((person, value)),
        }
        Ok(())
    }

    /// The money of the person at `index` that belongs to no outcome.
    ///
    /// ```
    /// use safar_model::{ChannelId, DAY_US, TimelineRef, Timelines};
    /// # let mut lines = Timelines::default();
    /// # let (channels, times) = (&[ChannelId(0), ChannelId(1)][..], &[DAY_US, 3 * DAY_US][..]);
    /// # let (outcomes, values) = (&[5 * DAY_US][..], &[20.0][..]);
    /// # lines.push(TimelineRef { from: 0, until: 5 * DAY_US, channels, times, outcomes, values }).unwrap();
    /// # let nothing = TimelineRef { from: 0, until: 9 * DAY_US, channels: &[], times: &[], outcomes: &[], values: &[] };
    /// # lines.push(nothing).unwrap();
    /// // Somebody with touches on days 1 and 3 who bought on day 5, and somebody who did nothing for 9 days.
    /// assert_eq!(lines.loose(0), 0.0);
    /// ```
    #[must_use]
    pub fn loose(&self, index: usize) -> f64 {
        self.loose.binary_search_by_key(&index, |(person, _)| *person).map_or(0.0, |at| self.loose[at].1)
    }

    /// All timelines in order.
    ///
    /// ```
    /// use safar_model::{ChannelId, DAY_US, TimelineRef, Timelines};
    /// # let mut lines = Timelines::default();
    /// # let (channels, times) = (&[ChannelId(0), ChannelId(1)][..], &[DAY_US, 3 * DAY_US][..]);
    /// # let (outcomes, values) = (&[5 * DAY_US][..], &[20.0][..]);
    /// # lines.push(TimelineRef { from: 0, until: 5 * DAY_US, channels, times, outcomes, values }).unwrap();
    /// # let nothing = TimelineRef { from: 0, until: 9 * DAY_US, channels: &[], times: &[], outcomes: &[], values: &[] };
    /// # lines.push(nothing).unwrap();
    /// // Somebody with touches on days 1 and 3 who bought on day 5, and somebody who did nothing for 9 days.
    /// assert_eq!(lines.iter().map(|line| line.outcomes.len()).collect::<Vec<_>>(), [1, 0]);
    /// ```
    pub fn iter(&self) -> impl ExactSizeIterator<Item = TimelineRef<'_>> {
        (0..self.len()).map(|index| self.get(index))
    }

    /// Appends one person.
    ///
    /// # Errors
    /// Where the window, a time or a value cannot be; the timelines are then as before.
    ///
    /// ```
    /// use safar_model::{ChannelId, DAY_US, TimelineRef, Timelines};
    /// let mut lines = Timelines::default();
    /// let line = TimelineRef {
    ///     from: 0,
    ///     until: 5 * DAY_US,
    ///     channels: &[ChannelId(0)],
    ///     times: &[3 * DAY_US],
    ///     outcomes: &[5 * DAY_US],
    ///     values: &[20.0],
    /// };
    /// lines.push(line).unwrap();
    /// let error = lines.push(TimelineRef { times: &[6 * DAY_US], ..line }).unwrap_err();
    /// assert_eq!(
    ///     error.to_string(),
    ///     "person 1 has touch 0 at 518400000000 µs; times must ascend, inside the window"
    /// );
    /// ```
    pub fn push(&mut self, line: TimelineRef<'_>) -> Result<(), TimelineError> {
        let person = self.len();
        check(person, &line)?;
        self.windows.push((line.from, line.until));
        self.channels.extend_from_slice(line.channels);
        self.times.extend_from_slice(line.times);
        self.touch_offsets.push(self.channels.len());
        self.outcomes.extend_from_slice(line.outcomes);
        self.values.extend_from_slice(line.values);
        self.outcome_offsets.push(self.outcomes.len());
        Ok(())
    }
}

fn check(person: usize, line: &TimelineRef<'_>) -> Result<(), TimelineError> {
    let (from, until) = (line.from, line.until);
    if from > until {
        return Err(TimelineError::Window { person, from, until });
    }
    let pairs = [
        ("touches", line.channels.len(), "times", line.times.len()),
        ("outcomes", line.outcomes.len(), "values", line.values.len()),
    ];
    if let Some((what, left, with, right)) = pairs.into_iter().find(|(_, left, _, right)| left != right) {
        return Err(TimelineError::Lengths { person, what, left, with, right });
    }
    for (what, times) in [("touch", line.times), ("outcome", line.outcomes)] {
        let mut before = from;
        for (index, &at) in times.iter().enumerate() {
            if at < before || at > until {
                return Err(TimelineError::Time { person, what, index, at });
            }
            before = at;
        }
    }
    match line.values.iter().find(|value| !value.is_finite()) {
        Some(&value) => Err(TimelineError::Value { person, value }),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line<'a>(times: &'a [Micros], outcomes: &'a [Micros]) -> TimelineRef<'a> {
        let channels = &[ChannelId(0), ChannelId(2), ChannelId(1)][..times.len()];
        TimelineRef { from: 10, until: 20, channels, times, outcomes, values: &[1.0, -2.0][..outcomes.len()] }
    }

    #[test]
    fn people_come_back_as_they_went_in() {
        let mut lines = Timelines::default();
        let people = [line(&[10, 12, 12], &[12, 20]), line(&[], &[]), line(&[20], &[])];
        for person in &people {
            lines.push(*person).unwrap();
        }
        assert!(lines.iter().eq(people));
        assert_eq!((lines.len(), lines.touchpoints(), lines.outcomes(), lines.channel_count()), (3, 4, 2, 3));
        assert_eq!(lines.span(), Some((10, 20)));
        assert_eq!(lines.touch_range(2), 3..4);
    }

    #[test]
    fn outcomes_can_be_left_uncounted_and_money_belong_to_none() {
        let mut lines = Timelines::default();
        assert!(matches!(lines.add_loose(1.0), Err(TimelineError::Value { .. })));
        for person in [line(&[], &[12, 20]), line(&[], &[]), line(&[], &[11])] {
            lines.push(person).unwrap();
        }
        assert!((0..3).all(|outcome| lines.is_counted(outcome)));
        assert_eq!(lines.outcome_range(2), 2..3);
        lines.count_only(vec![false, true]);
        assert_eq!([0, 1, 2, 3].map(|outcome| lines.is_counted(outcome)), [false, true, false, false]);
        lines.add_loose(-5.0).unwrap();
        lines.add_loose(-1.0).unwrap();
        assert!(lines.add_loose(f64::NAN).is_err());
        assert_eq!([0, 1, 2].map(|person| lines.loose(person)), [0.0, 0.0, -6.0]);
    }

    #[test]
    fn what_cannot_be_is_refused_and_leaves_no_trace() {
        let mut lines = Timelines::default();
        let mut bad = line(&[12], &[12]);
        bad.values = &[];
        assert!(matches!(lines.push(bad), Err(TimelineError::Lengths { what: "outcomes", .. })));
        assert!(matches!(lines.push(line(&[12, 11], &[])), Err(TimelineError::Time { index: 1, at: 11, .. })));
        assert!(matches!(lines.push(line(&[9], &[])), Err(TimelineError::Time { what: "touch", .. })));
        assert!(matches!(lines.push(line(&[], &[21])), Err(TimelineError::Time { what: "outcome", .. })));
        let bad = TimelineRef { from: 21, ..line(&[], &[]) };
        assert!(matches!(lines.push(bad), Err(TimelineError::Window { .. })));
        let bad = TimelineRef { values: &[f64::NAN], ..line(&[], &[12]) };
        assert!(matches!(lines.push(bad), Err(TimelineError::Value { .. })));
        assert_eq!(lines, Timelines::default());
    }
}
