//! Channels in the order of their names, so that what is drawn does not depend on how they happen to be numbered.

/// By channel: its place when all are sorted by name (equal names by number).
pub(crate) fn ranks(channels: &[String]) -> Vec<u32> {
    let mut ranks = vec![0; channels.len()];
    (0..).zip(by_name(channels)).for_each(|(rank, channel)| ranks[channel] = rank);
    ranks
}

/// The channels sorted by name.
pub(crate) fn by_name(channels: &[String]) -> Vec<usize> {
    let mut sorted: Vec<usize> = (0..channels.len()).collect();
    sorted.sort_by_key(|channel| &channels[*channel]);
    sorted
}
