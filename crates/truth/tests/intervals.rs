//! Intervals of models of cause: resamples are of the people that other models resample, end where learning anew from those
//! people ends, and differ as much as samples of other people do.
use safar_attribution::{
    Credit, ModelSpec,
    hazard::{attribute_timelines, bootstrap_timelines},
    uncertainty::{Bootstrap, Record, bootstrap},
};
use safar_model::{ChannelId, PathRef, PathsBuilder, Timelines};
use safar_simulate::causal::{ADS, CHANNELS, scenario};

fn names() -> Vec<String> {
    CHANNELS.map(String::from).to_vec()
}

fn seen(people: u32, seed: u64) -> Timelines {
    scenario("S1").unwrap().process.observe(people, seed, 0).timelines
}

fn to_ads(credits: &[Credit]) -> f64 {
    credits[..ADS].iter().map(|credit| credit.conversions).sum()
}

/// How often each person counts in each resample, by a model of paths: everybody is a channel that converts once.
fn draws(people: &[u64], settings: Bootstrap) -> Vec<Vec<usize>> {
    let mut paths = PathsBuilder::default();
    let mut records = vec![];
    for (path, &person) in people.iter().enumerate() {
        let channels = [ChannelId(path as u32)];
        paths.push(PathRef { channels: &channels, ages: None, conversions: 1.0, value: 1.0, nulls: 0.0 });
        records.push(Record { path, person, conversions: 1.0, value: 1.0, nulls: 0.0 });
    }
    let names: Vec<String> = people.iter().map(u64::to_string).collect();
    let drawn = bootstrap(&ModelSpec::First, &paths.finish(), &names, Some(&records), settings).unwrap();
    drawn
        .replicates()
        .map(|row| row[..people.len()].iter().map(|credit| credit.conversions as usize).collect())
        .collect()
}

#[test]
fn a_resample_ends_where_learning_anew_from_its_people_ends() {
    let lines = seen(1_000, 3);
    let people: Vec<u64> = (0..lines.len() as u64).map(|index| index * 7 + 1).collect();
    let settings = Bootstrap { replicates: 2, seed: 5, level: 0.9 };
    let draws = draws(&people, settings);
    // With hidden intent some directions are so flat that where learning rests depends on where it began.
    for (spec, most) in [("hazard", 0.01), ("intent_hazard:levels=3,moods=1", 0.03)] {
        let model: ModelSpec = spec.parse().unwrap();
        let found = bootstrap_timelines(&model, &lines, Some(&people), &names(), settings).unwrap();
        assert_eq!(found.point, attribute_timelines(&model, &lines, &names()).unwrap());
        for (row, times) in found.replicates().zip(&draws) {
            let mut drawn = Timelines::default();
            for (line, times) in lines.iter().zip(times) {
                (0..*times).for_each(|_| drawn.push(line).unwrap());
            }
            let anew = attribute_timelines(&model, &drawn, &names()).unwrap();
            let all: f64 = row.iter().map(|credit| credit.conversions).sum();
            assert!((all - drawn.outcomes() as f64).abs() < 1e-9);
            for (channel, (a, b)) in row.iter().zip(&anew.credits).enumerate() {
                let off = (a.conversions - b.conversions).abs();
                assert!(off < most * all, "{model}, {}: {} and {}", CHANNELS[channel], a.conversions, b.conversions);
            }
        }
    }
}

#[test]
fn resamples_differ_as_samples_do() {
    let model: ModelSpec = "hazard".parse().unwrap();
    let credits: Vec<f64> = (10..34)
        .map(|seed| to_ads(&attribute_timelines(&model, &seen(600, seed), &names()).unwrap().credits))
        .collect();
    let mean = credits.iter().sum::<f64>() / credits.len() as f64;
    let squares: f64 = credits.iter().map(|credit| (credit - mean) * (credit - mean)).sum();
    let deviation = (squares / (credits.len() - 1) as f64).sqrt();
    let settings = Bootstrap { replicates: 40, ..Bootstrap::default() };
    let found = bootstrap_timelines(&model, &seen(600, 1), None, &names(), settings).unwrap();
    let error = found.estimate(to_ads).unwrap().error;
    // The ratio of two deviations, of 24 and of 40, is between these with a chance of 99 %.
    assert!((0.55..1.8).contains(&(error / deviation)), "{error} of resamples, {deviation} of samples");
}
