//! What names a path in draws: its own content, so that neither the order of a file nor the numbering of its channels
//! changes an interval.
use safar_model::Paths;
use std::cmp::Ordering;

/// By path: its key. It comes from the names of its channels and the ages of its touches; of paths that are alike in these,
/// the first has the least conversions (then value, then nulls), and each has a key of its own.
pub(super) fn keys(paths: &Paths, names: &[String]) -> Vec<u64> {
    let names: Vec<u64> = names.iter().map(|name| of_name(name)).collect();
    let content = |index: usize| {
        let path = paths.get(index);
        let channels = path.channels.iter().map(|channel| names[channel.0 as usize]);
        let ages = path.ages.into_iter().flatten().map(|age| age.cast_unsigned());
        channels.chain(ages).fold(0, |key, part| mix(key ^ part))
    };
    let mut keys: Vec<u64> = (0..paths.len()).map(content).collect();
    let mut order: Vec<usize> = (0..paths.len()).collect();
    let by_weight = |a: &usize, b: &usize| -> Ordering {
        let (a, b) = (paths.get(*a), paths.get(*b));
        let conversions = a.conversions.total_cmp(&b.conversions);
        conversions.then_with(|| a.value.total_cmp(&b.value)).then_with(|| a.nulls.total_cmp(&b.nulls))
    };
    order.sort_unstable_by(|a, b| keys[*a].cmp(&keys[*b]).then_with(|| by_weight(a, b)));
    let (mut last, mut alike) = (0, 0);
    for index in order {
        let key = keys[index];
        alike = if key == last { alike + 1 } else { 0 };
        last = key;
        keys[index] = mix(key ^ alike);
    }
    keys
}

/// A number for a person who is known by text, to be [`Record::person`](super::Record::person). The same on every machine;
/// two people share one with a chance of 2^−64.
///
/// ```
/// use safar_attribution::uncertainty::person_of;
/// assert_eq!(person_of("ann@example.org"), person_of("ann@example.org"));
/// assert_ne!(person_of("ann@example.org"), person_of("bob@example.org"));
/// ```
#[must_use]
pub fn person_of(id: &str) -> u64 {
    mix(of_name(id))
}

/// FNV-1a of the bytes (Fowler, Noll and Vo).
fn of_name(name: &str) -> u64 {
    name.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}

/// A step of splitmix64 (Steele, Lea and Flood 2014).
fn mix(state: u64) -> u64 {
    let mut z = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;
    use safar_model::{ChannelId, PathRef, PathsBuilder};

    fn of(rows: &[(&[u32], f64)], names: &[&str]) -> Vec<u64> {
        let mut paths = PathsBuilder::default();
        for (channels, conversions) in rows {
            let channels: Vec<_> = channels.iter().copied().map(ChannelId).collect();
            paths.push(PathRef { channels: &channels, ages: None, conversions: *conversions, value: 0.0, nulls: 0.0 });
        }
        keys(&paths.finish(), &names.iter().map(ToString::to_string).collect::<Vec<_>>())
    }

    #[test]
    fn paths_keep_their_keys_when_rows_and_channels_are_moved() {
        let first = of(&[(&[0, 1], 3.0), (&[], 9.0), (&[0, 1], 2.0), (&[1, 0], 1.0), (&[0, 1], 2.0)], &["a", "b"]);
        let moved = of(&[(&[0, 1], 1.0), (&[1, 0], 2.0), (&[1, 0], 2.0), (&[1, 0], 3.0), (&[], 9.0)], &["b", "a"]);
        assert_eq!((moved[0], moved[3], moved[4]), (first[3], first[0], first[1]));
        let pair = |keys: &[u64], at: [usize; 2]| {
            let mut pair = at.map(|at| keys[at]);
            pair.sort_unstable();
            pair
        };
        // Two rows that are alike in everything may change places.
        assert_eq!(pair(&moved, [1, 2]), pair(&first, [2, 4]));
        let mut distinct = first.clone();
        distinct.sort_unstable();
        distinct.dedup();
        assert_eq!(distinct.len(), first.len());
    }
}
