//! Paths: the touchpoints that came before an outcome, oldest first.
//!
//! Equal paths are one path with a weight: how many conversions it brought, their value, and how many people
//! walked it without converting. Every model reads paths in this form.
use crate::Micros;

/// A channel (or any other label a report is made by), interned: an index into the caller's list of names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ChannelId(pub u32);

/// Many weighted paths in struct-of-arrays form: the layout of an Arrow `List` column.
#[derive(Clone, Debug, PartialEq)]
pub struct Paths {
    // Invariant: offsets[0] == 0, non-decreasing, offsets.last() == channels.len();
    // ages is empty or as long as channels; offsets.len() - 1 == conversions.len() == values.len() == nulls.len().
    offsets: Vec<usize>,
    channels: Vec<ChannelId>,
    ages: Vec<Micros>,
    conversions: Vec<f64>,
    values: Vec<f64>,
    nulls: Vec<f64>,
}

impl Default for Paths {
    fn default() -> Self {
        PathsBuilder::default().finish()
    }
}

/// One path, borrowed.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PathRef<'a> {
    /// Oldest first; empty where no touch came before the outcome.
    pub channels: &'a [ChannelId],
    /// Microseconds from each touch to the outcome, as long as `channels`; `None` where times are unknown.
    pub ages: Option<&'a [Micros]>,
    /// How many conversions it brought.
    pub conversions: f64,
    /// What they were worth together; negative where refunds prevail.
    pub value: f64,
    /// How many people walked it and did not convert.
    pub nulls: f64,
}

/// What all paths weigh, one number for each path in each slice.
#[derive(Debug)]
pub struct WeightsMut<'a> {
    /// As [`PathRef::conversions`].
    pub conversions: &'a mut [f64],
    /// As [`PathRef::value`].
    pub values: &'a mut [f64],
    /// As [`PathRef::nulls`].
    pub nulls: &'a mut [f64],
}

impl Paths {
    /// How many paths.
    ///
    /// ```
    /// use safar_model::{ChannelId, PathRef, PathsBuilder};
    /// # let mut builder = PathsBuilder::default();
    /// # let path = PathRef { channels: &[ChannelId(0), ChannelId(1)], ages: None, conversions: 2.0, value: 50.0, nulls: 1.0 };
    /// # builder.push(path);
    /// # builder.push(PathRef { channels: &[ChannelId(1)], conversions: 1.0, ..path });
    /// # let paths = builder.finish();
    /// // The paths `0 > 1`, of 2 conversions, and `1`, of 1.
    /// assert_eq!(paths.len(), 2);
    /// ```
    #[must_use]
    #[inline]
    pub fn len(&self) -> usize {
        self.conversions.len()
    }

    /// Whether there is none.
    ///
    /// ```
    /// use safar_model::{ChannelId, PathRef, PathsBuilder};
    /// # let mut builder = PathsBuilder::default();
    /// # let path = PathRef { channels: &[ChannelId(0), ChannelId(1)], ages: None, conversions: 2.0, value: 50.0, nulls: 1.0 };
    /// # builder.push(path);
    /// # builder.push(PathRef { channels: &[ChannelId(1)], conversions: 1.0, ..path });
    /// # let paths = builder.finish();
    /// // The paths `0 > 1`, of 2 conversions, and `1`, of 1.
    /// assert!(!paths.is_empty());
    /// ```
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.conversions.is_empty()
    }

    /// How many touchpoints all paths have together.
    ///
    /// ```
    /// use safar_model::{ChannelId, PathRef, PathsBuilder};
    /// # let mut builder = PathsBuilder::default();
    /// # let path = PathRef { channels: &[ChannelId(0), ChannelId(1)], ages: None, conversions: 2.0, value: 50.0, nulls: 1.0 };
    /// # builder.push(path);
    /// # builder.push(PathRef { channels: &[ChannelId(1)], conversions: 1.0, ..path });
    /// # let paths = builder.finish();
    /// // The paths `0 > 1`, of 2 conversions, and `1`, of 1.
    /// assert_eq!(paths.touchpoints(), 3);
    /// ```
    #[must_use]
    pub fn touchpoints(&self) -> usize {
        self.channels.len()
    }

    /// The touches of all paths, path after path.
    ///
    /// ```
    /// use safar_model::{ChannelId, PathRef, PathsBuilder};
    /// # let mut builder = PathsBuilder::default();
    /// # let path = PathRef { channels: &[ChannelId(0), ChannelId(1)], ages: None, conversions: 2.0, value: 50.0, nulls: 1.0 };
    /// # builder.push(path);
    /// # builder.push(PathRef { channels: &[ChannelId(1)], conversions: 1.0, ..path });
    /// # let paths = builder.finish();
    /// // The paths `0 > 1`, of 2 conversions, and `1`, of 1.
    /// assert_eq!(paths.touches(), [ChannelId(0), ChannelId(1), ChannelId(1)]);
    /// ```
    #[must_use]
    pub fn touches(&self) -> &[ChannelId] {
        &self.channels
    }

    /// Whether every touch carries its age.
    ///
    /// ```
    /// use safar_model::{ChannelId, PathRef, PathsBuilder};
    /// # let mut builder = PathsBuilder::default();
    /// # let path = PathRef { channels: &[ChannelId(0), ChannelId(1)], ages: None, conversions: 2.0, value: 50.0, nulls: 1.0 };
    /// # builder.push(path);
    /// # builder.push(PathRef { channels: &[ChannelId(1)], conversions: 1.0, ..path });
    /// # let paths = builder.finish();
    /// // The paths `0 > 1`, of 2 conversions, and `1`, of 1.
    /// assert!(!paths.has_ages());
    /// ```
    #[must_use]
    #[inline]
    pub fn has_ages(&self) -> bool {
        self.ages.len() == self.channels.len()
    }

    /// One past the highest channel.
    ///
    /// ```
    /// use safar_model::{ChannelId, PathRef, PathsBuilder};
    /// # let mut builder = PathsBuilder::default();
    /// # let path = PathRef { channels: &[ChannelId(0), ChannelId(1)], ages: None, conversions: 2.0, value: 50.0, nulls: 1.0 };
    /// # builder.push(path);
    /// # builder.push(PathRef { channels: &[ChannelId(1)], conversions: 1.0, ..path });
    /// # let paths = builder.finish();
    /// // The paths `0 > 1`, of 2 conversions, and `1`, of 1.
    /// assert_eq!(paths.channel_count(), 2);
    /// ```
    #[must_use]
    pub fn channel_count(&self) -> usize {
        self.channels.iter().map(|channel| channel.0 as usize + 1).max().unwrap_or(0)
    }

    /// The path at `index`.
    ///
    /// # Panics
    /// When `index` is not below [`Paths::len`].
    ///
    /// ```
    /// use safar_model::{ChannelId, PathRef, PathsBuilder};
    /// # let mut builder = PathsBuilder::default();
    /// # let path = PathRef { channels: &[ChannelId(0), ChannelId(1)], ages: None, conversions: 2.0, value: 50.0, nulls: 1.0 };
    /// # builder.push(path);
    /// # builder.push(PathRef { channels: &[ChannelId(1)], conversions: 1.0, ..path });
    /// # let paths = builder.finish();
    /// // The paths `0 > 1`, of 2 conversions, and `1`, of 1.
    /// assert_eq!((paths.get(1).channels, paths.get(1).conversions), (&[ChannelId(1)][..], 1.0));
    /// ```
    #[must_use]
    #[inline]
    pub fn get(&self, index: usize) -> PathRef<'_> {
        let span = self.offsets[index]..self.offsets[index + 1];
        PathRef {
            channels: &self.channels[span.clone()],
            ages: self.has_ages().then(|| &self.ages[span]),
            conversions: self.conversions[index],
            value: self.values[index],
            nulls: self.nulls[index],
        }
    }

    /// The weights, to be changed in place: the same people's paths, counted anew.
    ///
    /// ```
    /// use safar_model::{ChannelId, PathRef, PathsBuilder};
    /// # let mut builder = PathsBuilder::default();
    /// # let path = PathRef { channels: &[ChannelId(0), ChannelId(1)], ages: None, conversions: 2.0, value: 50.0, nulls: 1.0 };
    /// # builder.push(path);
    /// # builder.push(PathRef { channels: &[ChannelId(1)], conversions: 1.0, ..path });
    /// # let mut paths = builder.finish();
    /// // The paths `0 > 1`, of 2 conversions, and `1`, of 1.
    /// paths.weights_mut().conversions[0] = 5.0;
    /// assert_eq!(paths.get(0).conversions, 5.0);
    /// ```
    pub fn weights_mut(&mut self) -> WeightsMut<'_> {
        WeightsMut { conversions: &mut self.conversions, values: &mut self.values, nulls: &mut self.nulls }
    }

    /// All paths in order.
    ///
    /// ```
    /// use safar_model::{ChannelId, PathRef, PathsBuilder};
    /// # let mut builder = PathsBuilder::default();
    /// # let path = PathRef { channels: &[ChannelId(0), ChannelId(1)], ages: None, conversions: 2.0, value: 50.0, nulls: 1.0 };
    /// # builder.push(path);
    /// # builder.push(PathRef { channels: &[ChannelId(1)], conversions: 1.0, ..path });
    /// # let paths = builder.finish();
    /// // The paths `0 > 1`, of 2 conversions, and `1`, of 1.
    /// assert_eq!(paths.iter().map(|path| path.conversions).sum::<f64>(), 3.0);
    /// ```
    pub fn iter(&self) -> impl ExactSizeIterator<Item = PathRef<'_>> {
        (0..self.len()).map(|index| self.get(index))
    }
}

/// Builds [`Paths`] and keeps their invariant.
#[derive(Clone, Debug)]
pub struct PathsBuilder {
    paths: Paths,
    ages_known: bool,
}

impl Default for PathsBuilder {
    fn default() -> Self {
        let paths = Paths {
            offsets: vec![0],
            channels: vec![],
            ages: vec![],
            conversions: vec![],
            values: vec![],
            nulls: vec![],
        };
        Self { paths, ages_known: true }
    }
}

impl PathsBuilder {
    /// Appends one path. Ages are kept only if every path brings them.
    ///
    /// # Panics
    /// When `path.ages` is given and not as long as `path.channels`.
    ///
    /// ```
    /// use safar_model::{ChannelId, DAY_US, PathRef, PathsBuilder};
    /// let mut builder = PathsBuilder::default();
    /// let (channels, ages) = ([ChannelId(0), ChannelId(1)], [3 * DAY_US, 0]);
    /// builder.push(PathRef { channels: &channels, ages: Some(&ages), conversions: 2.0, value: 50.0, nulls: 1.0 });
    /// assert_eq!(builder.finish().get(0).ages, Some(&ages[..]));
    /// ```
    #[inline]
    pub fn push(&mut self, path: PathRef<'_>) {
        let paths = &mut self.paths;
        match path.ages {
            Some(ages) => {
                assert_eq!(ages.len(), path.channels.len(), "one age for each touch");
                if self.ages_known {
                    paths.ages.extend_from_slice(ages);
                }
            }
            None if path.channels.is_empty() => {}
            None => {
                self.ages_known = false;
                paths.ages.clear();
            }
        }
        paths.channels.extend_from_slice(path.channels);
        paths.offsets.push(paths.channels.len());
        paths.conversions.push(path.conversions);
        paths.values.push(path.value);
        paths.nulls.push(path.nulls);
    }

    /// Appends other paths, whose channel `n` is `ids[n]` here. Ages are kept only if every path brings them.
    ///
    /// # Panics
    /// When `ids` does not number every channel of `other`.
    ///
    /// ```
    /// use safar_model::{ChannelId, PathRef, PathsBuilder};
    /// let mut other = PathsBuilder::default();
    /// other.push(PathRef { channels: &[ChannelId(0)], ages: None, conversions: 1.0, value: 0.0, nulls: 0.0 });
    /// let mut builder = PathsBuilder::default();
    /// builder.append(&other.finish(), &[ChannelId(7)]); // what is channel 0 there is channel 7 here
    /// assert_eq!(builder.finish().touches(), [ChannelId(7)]);
    /// ```
    pub fn append(&mut self, other: &Paths, ids: &[ChannelId]) {
        let paths = &mut self.paths;
        let before = paths.channels.len();
        paths.channels.extend(other.channels.iter().map(|channel| ids[channel.0 as usize]));
        paths.offsets.extend(other.offsets[1..].iter().map(|offset| before + offset));
        paths.conversions.extend_from_slice(&other.conversions);
        paths.values.extend_from_slice(&other.values);
        paths.nulls.extend_from_slice(&other.nulls);
        self.ages_known &= other.has_ages();
        if self.ages_known {
            paths.ages.extend_from_slice(&other.ages);
        } else {
            paths.ages.clear();
        }
    }

    /// The paths.
    ///
    /// ```
    /// use safar_model::{ChannelId, DAY_US, PathRef, PathsBuilder};
    /// let mut builder = PathsBuilder::default();
    /// let (channels, ages) = ([ChannelId(0), ChannelId(1)], [3 * DAY_US, 0]);
    /// builder.push(PathRef { channels: &channels, ages: Some(&ages), conversions: 2.0, value: 50.0, nulls: 1.0 });
    /// let paths = builder.finish();
    /// assert_eq!((paths.len(), paths.has_ages()), (1, true));
    /// ```
    #[must_use]
    pub fn finish(self) -> Paths {
        self.paths
    }
}
