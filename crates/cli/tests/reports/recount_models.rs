//! What is said of models beside their credits, worked out once more from the paths: how well they foretell, how sure they are.
use super::{
    number,
    recount::{Path, paths},
    rows, with_sample,
};
use std::collections::BTreeMap;

/// One group of people: the probability they were given, how many of them converted, and how many did not.
type Foretold = (f64, f64, f64);

/// The chance that a channel's people converted, drawn towards that of all with the weight of one person, and that of all
/// towards one half: what a chain of order 1 knows of the last touch.
fn by_last_touch(earlier: &[&Path], later: &[&Path]) -> Vec<f64> {
    let mut ends: BTreeMap<&str, [f64; 2]> = BTreeMap::new();
    let mut all = [0.0; 2];
    for path in earlier {
        for ends in [ends.entry(path.channels.last().unwrap()).or_default(), &mut all] {
            *ends = [ends[0] + path.conversions, ends[1] + path.nulls];
        }
    }
    let towards = |shorter: f64, [conversions, nulls]: [f64; 2]| (conversions + shorter) / (conversions + nulls + 1.0);
    let of_all = towards(0.5, all);
    later
        .iter()
        .map(|path| ends.get(path.channels.last().unwrap().as_str()).map_or(of_all, |seen| towards(of_all, *seen)))
        .collect()
}

/// What channels earned by each touch, averaged over the touches of a path, on a logistic curve (Platt 1999).
fn by_linear_credit(earlier: &[&Path], later: &[&Path]) -> Vec<f64> {
    let mut sums: BTreeMap<&str, [f64; 2]> = BTreeMap::new();
    for path in earlier {
        for channel in &path.channels {
            let sums = sums.entry(channel).or_default();
            sums[0] += path.conversions / path.channels.len() as f64;
            sums[1] += path.conversions + path.nulls;
        }
    }
    let score = |path: &Path| {
        let earned = |channel: &String| sums.get(channel.as_str()).map_or(0.0, |[credit, touches]| credit / touches);
        // From the last touch on, so that rounding is not that of the program.
        path.channels.iter().rev().map(earned).sum::<f64>() / path.channels.len() as f64
    };
    let [yes, no] = [|path: &&&Path| path.conversions, |path: &&&Path| path.nulls]
        .map(|of| earlier.iter().map(|path| of(&path)).sum::<f64>());
    let (high, low) = ((yes + 1.0) / (yes + 2.0), 1.0 / (no + 2.0));
    let [mut a, mut b] = [(yes / no).ln(), 0.0];
    for _ in 0..50 {
        let (mut slope, mut curve) = ([0.0; 2], [0.0; 3]);
        for path in earlier {
            let (x, p) = (score(path), 1.0 / (1.0 + (-(a + b * score(path))).exp()));
            let off = path.conversions * (p - high) + path.nulls * (p - low);
            let bend = (path.conversions + path.nulls) * p * (1.0 - p);
            slope = [slope[0] + off, slope[1] + off * x];
            curve = [curve[0] + bend, curve[1] + bend * x, curve[2] + bend * x * x];
        }
        let determinant = curve[0] * curve[2] - curve[1] * curve[1];
        a -= (curve[2] * slope[0] - curve[1] * slope[1]) / determinant;
        b -= (curve[0] * slope[1] - curve[1] * slope[0]) / determinant;
    }
    assert!(b > 0.0, "the curve rises in the sample");
    later.iter().map(|path| 1.0 / (1.0 + (-(a + b * score(path))).exp())).collect()
}

#[test]
fn backtests_score_what_was_foretold_of_each_later_path() {
    let shop = with_sample();
    let mut paths = paths(&shop);
    paths.retain(|path| !path.channels.is_empty());
    let (first, last) =
        (paths.iter().map(|path| path.at).min().unwrap(), paths.iter().map(|path| path.at).max().unwrap());
    let split = first + ((last - first) as f64 * 0.75) as i64;
    let (earlier, later): (Vec<&Path>, Vec<&Path>) = paths.iter().partition(|path| path.at - path.ages[0] < split);
    let rate = |paths: &[&Path]| {
        let converted: f64 = paths.iter().map(|path| path.conversions).sum();
        converted / (converted + paths.iter().map(|path| path.nulls).sum::<f64>())
    };
    let base = vec![rate(&earlier); later.len()];
    let foretold = |chances: &[f64]| -> Vec<Foretold> {
        later.iter().zip(chances).map(|(path, chance)| (*chance, path.conversions, path.nulls)).collect()
    };
    let people: f64 = later.iter().map(|path| path.conversions + path.nulls).sum();
    let log_loss =
        |of: &[Foretold]| of.iter().map(|(p, yes, no)| -yes * p.ln() - no * (1.0 - p).ln()).sum::<f64>() / people;
    let brier =
        |of: &[Foretold]| of.iter().map(|(p, yes, no)| yes * (1.0 - p).powi(2) + no * p * p).sum::<f64>() / people;
    // Every pair of one who converted and one who did not.
    let auc = |of: &[Foretold]| {
        let (mut above, mut pairs) = (0.0, 0.0);
        for (p, yes, _) in of {
            for (q, _, no) in of {
                pairs += yes * no;
                // Two that differ in rounding alone are a tie.
                let won = if (p - q).abs() <= 1e-12 * p { 0.5 } else { f64::from(u8::from(p > q)) };
                above += yes * no * won;
            }
        }
        above / pairs
    };
    let models = [("markov:order=1", by_last_touch(&earlier, &later)), ("linear", by_linear_credit(&earlier, &later))];
    for (model, chances) in models {
        let (own, base) = (foretold(&chances), foretold(&base));
        let (loss, floor) = (log_loss(&own), log_loss(&base));
        let row = &rows(&shop, &["backtest", "--model", model])[0];
        let found: Vec<f64> = [1, 2, 3, 5, 6, 7].map(|cell| number(&row[cell])).to_vec();
        for (found, expected) in found.iter().zip([loss, floor, floor - loss, auc(&own), brier(&own), people]) {
            assert!((found - expected).abs() < 1e-9, "{row:?}: {found} instead of {expected}");
        }
    }
}

/// Philox2x64-10 (Salmon, Moraes, Dror and Shaw 2011): the first number of a person in a resample.
fn drawn(seed: u64, person: u64, resample: u64) -> u64 {
    let (mut left, mut right) = (u128::from(person), u128::from(resample << 32));
    let low = (1_u128 << 64) - 1;
    for round in 0..10 {
        let key = (u128::from(seed) + round * 0x9e37_79b9_7f4a_7c15) & low;
        let product = left * 0xd2b7_4407_b1ce_6e93;
        (left, right) = ((product >> 64) ^ key ^ right, product & low);
    }
    left as u64
}

/// How often somebody counts: the Poisson number of mean 1 up to whose chance the draw reaches.
fn times(bits: u64) -> f64 {
    let part = bits as f64 / 2.0_f64.powi(64);
    let (mut count, mut chance) = (0.0, (-1.0_f64).exp());
    let mut up_to = chance;
    while part >= up_to {
        count += 1.0;
        chance /= count;
        up_to += chance;
    }
    count
}

/// Of sorted numbers, the one at place part × (n + 1), between two by straight line.
fn quantile(sorted: &[f64], part: f64) -> f64 {
    let place = (part * (sorted.len() as f64 + 1.0)).clamp(1.0, sorted.len() as f64);
    let (below, above) = (sorted[place.floor() as usize - 1], sorted[place.ceil() as usize - 1]);
    below + (place - place.floor()) * (above - below)
}

#[test]
fn intervals_hold_what_people_drawn_anew_give() {
    const RESAMPLES: u64 = 60;
    let shop = with_sample();
    let paths = paths(&shop);
    let channels: BTreeMap<&str, usize> =
        paths.iter().flat_map(|path| &path.channels).map(|name| (name.as_str(), 0)).collect();
    let channels: BTreeMap<&str, usize> = channels.into_keys().enumerate().map(|(at, name)| (name, at)).collect();
    for model in ["linear", "shapley"] {
        // By channel: conversions and value in each resample.
        let mut found = vec![[vec![], vec![]]; channels.len()];
        for resample in 0..RESAMPLES {
            let mut credits = vec![[0.0; 2]; channels.len()];
            for path in paths.iter().filter(|path| path.conversions != 0.0 || path.value != 0.0) {
                let person = path.person.parse::<i64>().unwrap().cast_unsigned();
                let times = times(drawn(7, person, resample));
                let mut earning: Vec<&String> = path.channels.iter().collect();
                if model == "shapley" {
                    earning.sort();
                    earning.dedup();
                }
                for channel in &earning {
                    let credit = &mut credits[channels[channel.as_str()]];
                    credit[0] += times * path.conversions / earning.len() as f64;
                    credit[1] += times * path.value / earning.len() as f64;
                }
            }
            for (found, credit) in found.iter_mut().zip(credits) {
                found[0].push(credit[0]);
                found[1].push(credit[1]);
            }
        }
        found.iter_mut().flatten().for_each(|numbers| numbers.sort_by(f64::total_cmp));
        let resamples = RESAMPLES.to_string();
        let words =
            ["attribute", "--model", model, "--intervals", "--resamples", &resamples, "--seed", "7", "--level", "0.9"];
        let said = rows(&shop, &words);
        assert_eq!(said.len(), channels.len() + 1);
        for row in said.iter().filter(|row| row[1] != "(unattributed)") {
            let [conversions, value] = &found[channels[row[1].as_str()]];
            let expected = [(conversions, 4), (value, 6)]
                .map(|(of, cell)| [(quantile(of, 0.05), cell), (quantile(of, 0.95), cell + 1)]);
            for (expected, cell) in expected.concat() {
                assert!((number(&row[cell]) - expected).abs() < 1e-6, "{row:?}: {} instead of {expected}", row[cell]);
            }
        }
    }
}
