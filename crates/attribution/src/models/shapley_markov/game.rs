//! Who plays, and what a set of players earns.
use crate::models::markov::chain::Chain;
use crate::{Credit, Result, Stop, names::by_name};
use safar_model::Paths;

pub(super) struct Game<'a> {
    pub(super) chain: Chain<'a>,
    /// The channels that paths hold, sorted by name.
    pub(super) players: Vec<usize>,
    /// By channel: its place in `players`; `usize::MAX` where no path holds it.
    player_of: Vec<usize>,
    /// Paths shorter than a state, which every set that covers them earns: the players on them, and what they brought.
    pub(super) short: Vec<(Vec<usize>, Credit)>,
    /// What all other paths brought.
    pub(super) long: Credit,
}

impl<'a> Game<'a> {
    pub(super) fn new(paths: &'a Paths, channels: &[String], order: usize, stop: &Stop) -> Result<Self> {
        let chain = Chain::count(paths, channels.len(), order, stop)?;
        let mut present = vec![false; channels.len()];
        paths.touches().iter().for_each(|channel| present[channel.0 as usize] = true);
        let players: Vec<_> = by_name(channels).into_iter().filter(|channel| present[*channel]).collect();
        let mut player_of = vec![usize::MAX; channels.len()];
        players.iter().enumerate().for_each(|(player, channel)| player_of[*channel] = player);
        let (mut short, mut long) = (vec![], chain.seen);
        for (path, end) in chain.short_ends.iter().filter(|(path, _)| !path.is_empty()) {
            let mut set: Vec<_> = path.iter().map(|channel| player_of[channel.0 as usize]).collect();
            set.sort_unstable();
            set.dedup();
            short.push((set, Credit { conversions: end.conversions, value: end.value }));
            long.conversions -= end.conversions;
            long.value -= end.value;
        }
        Ok(Self { chain, players, player_of, short, long })
    }

    /// The player that a channel of the chain is.
    pub(super) fn player(&self, channel: usize) -> usize {
        self.player_of[channel]
    }

    /// What the players for whom `is_in` is true earn together, paths shorter than a state aside.
    #[cfg(test)]
    pub(super) fn worth(&self, is_in: impl Fn(usize) -> bool) -> Credit {
        let lost = crate::models::markov::direct::lost(
            &self.chain,
            |channel| !is_in(self.player_of[channel]),
            &Stop::default(),
        )
        .unwrap();
        Credit { conversions: self.long.conversions - lost.conversions, value: self.long.value - lost.value }
    }

    /// From one number a player to one a channel.
    pub(super) fn by_channel(&self, values: &[Credit]) -> Vec<Credit> {
        let mut all = vec![Credit::default(); self.player_of.len()];
        self.players.iter().zip(values).for_each(|(channel, value)| all[*channel] = *value);
        all
    }
}
