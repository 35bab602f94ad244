//! Whether an order of channels is more than chance.
use super::{Measure, RanksError, Resamples};
use crate::{Credit, agreement::ROUNDING, sum::sum};

/// How often channels came before each other, and at which rank.
#[derive(Clone, Debug, PartialEq)]
pub struct Ranks {
    /// The ranked channels by index, in the order of all lists below.
    pub channels: Vec<usize>,
    /// How many of the others have more on the paths as they are, so that rank 0 is the most.
    pub point: Vec<usize>,
    /// Lower end of the percentile interval of the rank, at the level of the resamples.
    pub low: Vec<usize>,
    /// Upper end.
    pub high: Vec<usize>,
    /// `above[a][b]`: the part of the resamples in which a has more than b. Equal credit counts half for each.
    pub above: Vec<Vec<f64>>,
    /// `rank[a][k]`: the part of the resamples in which k of the others have more than a, so that rank 0 is the most.
    /// Channels of equal credit share their ranks evenly.
    pub rank: Vec<Vec<f64>>,
}

impl Ranks {
    /// Channels that can be ranked at once: two tables of 8 MB.
    pub const MOST: usize = 1000;
}

impl Resamples {
    /// Ranks `channels` among themselves by `measure`. Credits within 1e-10 of all credit of each other are equal.
    ///
    /// # Errors
    /// More than 1,000 channels, or one that is not there.
    ///
    /// ```
    /// use safar_attribution::uncertainty::{Bootstrap, Measure, bootstrap};
    /// # use safar_attribution::{ReadOptions, read_paths};
    /// # let file = "path;conversions;value;null\nA > B;8;80;20\nB;4;60;46\nA;2;10;98\n";
    /// # let (paths, channels) = read_paths(file.as_bytes(), &ReadOptions::default()).unwrap();
    /// let drawn = bootstrap(&"last".parse().unwrap(), &paths, &channels, None, Bootstrap::default()).unwrap();
    /// let ranks = drawn.ranks(Measure::Conversions, &[0, 1]).unwrap();
    /// assert!(ranks.above[1][0] > 0.95); // B above A
    /// assert_eq!((ranks.point[1], ranks.low[1], ranks.high[1]), (0, 0, 0)); // so surely the first
    /// ```
    pub fn ranks(&self, measure: Measure, channels: &[usize]) -> Result<Ranks, RanksError> {
        let n = channels.len();
        if n > Ranks::MOST {
            return Err(RanksError::TooMany { got: n, most: Ranks::MOST });
        }
        if let Some(channel) = channels.iter().copied().find(|channel| *channel >= self.channels()) {
            return Err(RanksError::NoSuchChannel { channel, channels: self.channels() });
        }
        let (mut above, mut rank) = (vec![vec![0.0; n]; n], vec![vec![0.0; n]; n]);
        let mut order: Vec<usize> = (0..n).collect();
        let rounding = |row: &[Credit]| ROUNDING * sum(row.iter().map(|credit| measure.of(credit).abs()));
        for row in self.replicates() {
            let credit = |a: usize| measure.of(&row[channels[a]]);
            let rounding = rounding(row);
            order.sort_unstable_by(|a, b| credit(*b).total_cmp(&credit(*a)));
            let mut first = 0;
            for tied in order.chunk_by(|a, b| credit(*a) - credit(*b) <= rounding) {
                let end = first + tied.len();
                #[expect(clippy::cast_precision_loss, reason = "at most 1000")]
                let part = 1.0 / tied.len() as f64;
                for a in tied {
                    rank[*a][first..end].iter_mut().for_each(|rank| *rank += part);
                    tied.iter().for_each(|b| above[*a][*b] += 0.5);
                    order[end..].iter().for_each(|b| above[*a][*b] += 1.0);
                }
                first = end;
            }
        }
        let resamples = f64::from(self.settings.replicates);
        above.iter_mut().chain(&mut rank).flatten().for_each(|times| *times /= resamples);
        let base = self.base();
        let credit = |a: usize| measure.of(&base[channels[a]]);
        let near = rounding(base);
        let point = (0..n).map(|a| (0..n).filter(|b| credit(*b) - credit(a) > near).count()).collect();
        // What lies exactly at an end lies inside, and rounding does not put it elsewhere.
        let tail = (1.0 - self.settings.level) / 2.0 + 1e-9;
        let end = |part: f64| rank.iter().map(|of| reaching(of, part)).collect();
        let (low, high) = (end(tail), end(1.0 - tail));
        Ok(Ranks { channels: channels.to_vec(), point, low, high, above, rank })
    }
}

/// The first rank up to which more than that part of the resamples lies.
fn reaching(rank: &[f64], part: f64) -> usize {
    let mut upto = 0.0;
    let at = rank.iter().position(|here| {
        upto += here;
        upto > part
    });
    at.unwrap_or(rank.len().saturating_sub(1))
}
