//! Timelines as path models want them.
use hashbrown::HashMap;
use safar_model::{ChannelId, PathRef, Paths, PathsBuilder, Timelines};

/// The distinct paths of `timelines` and how many people walked each: all touches before the person's first outcome, or
/// before the end of the observation. In the order of their first walker; without ages.
///
/// ```
/// let seen = safar_simulate::causal::scenario("S0").unwrap().process.observe(300, 1, 0);
/// let paths = safar_truth::paths_of(&seen.timelines);
/// let people: f64 = paths.iter().map(|path| path.conversions + path.nulls).sum();
/// assert!(people == 300.0 && paths.len() < 300);
/// ```
#[must_use]
pub fn paths_of(timelines: &Timelines) -> Paths {
    let mut known = HashMap::<&[ChannelId], usize, foldhash::fast::FixedState>::default();
    let mut found: Vec<(&[ChannelId], [f64; 3])> = vec![];
    for line in timelines.iter() {
        let end = line.outcomes.first().copied().unwrap_or(line.until);
        let path = &line.channels[..line.times.partition_point(|time| *time <= end)];
        let index = *known.entry(path).or_insert_with(|| {
            found.push((path, [0.0; 3]));
            found.len() - 1
        });
        let [conversions, value, nulls] = &mut found[index].1;
        match line.values.first() {
            Some(worth) => {
                *conversions += 1.0;
                *value += worth;
            }
            None => *nulls += 1.0,
        }
    }
    let mut paths = PathsBuilder::default();
    for (channels, [conversions, value, nulls]) in found {
        paths.push(PathRef { channels, ages: None, conversions, value, nulls });
    }
    paths.finish()
}

/// The same, one path a person, with the age of each touch at the path's end.
///
/// ```
/// let seen = safar_simulate::causal::scenario("S0").unwrap().process.observe(300, 1, 0);
/// let paths = safar_truth::aged_paths_of(&seen.timelines);
/// assert!(paths.len() == 300 && paths.has_ages());
/// ```
#[must_use]
pub fn aged_paths_of(timelines: &Timelines) -> Paths {
    let mut paths = PathsBuilder::default();
    let mut ages = vec![];
    for line in timelines.iter() {
        let end = line.outcomes.first().copied().unwrap_or(line.until);
        let times = &line.times[..line.times.partition_point(|time| *time <= end)];
        ages.clear();
        ages.extend(times.iter().map(|time| end - time));
        let converted = f64::from(u8::from(!line.outcomes.is_empty()));
        paths.push(PathRef {
            channels: &line.channels[..times.len()],
            ages: Some(&ages),
            conversions: converted,
            value: line.values.first().copied().unwrap_or_default(),
            nulls: 1.0 - converted,
        });
    }
    paths.finish()
}

#[cfg(test)]
mod tests {
    use super::*;
    use safar_model::TimelineRef;

    #[test]
    fn equal_paths_are_one_and_end_with_the_first_outcome() {
        let mut lines = Timelines::default();
        let channels = &[ChannelId(0), ChannelId(1), ChannelId(0)];
        let line =
            TimelineRef { from: 0, until: 9, channels, times: &[1, 2, 8], outcomes: &[5, 9], values: &[3.0, 4.0] };
        let short = TimelineRef { channels: &channels[..2], times: &[1, 2], outcomes: &[], values: &[], ..line };
        for line in [line, short, short] {
            lines.push(line).unwrap();
        }
        let paths = paths_of(&lines);
        assert_eq!(paths.len(), 1);
        let path = paths.get(0);
        assert_eq!((path.channels, path.conversions, path.value, path.nulls), (&channels[..2], 1.0, 3.0, 2.0));
        let aged = aged_paths_of(&lines);
        assert_eq!((aged.len(), aged.get(0).ages, aged.get(2).ages), (3, Some(&[4, 3][..]), Some(&[8, 7][..])));
        assert_eq!((aged.get(0).conversions, aged.get(0).value, aged.get(0).nulls), (1.0, 3.0, 0.0));
        assert_eq!((aged.get(1).conversions, aged.get(1).nulls), (0.0, 1.0));
    }
}
