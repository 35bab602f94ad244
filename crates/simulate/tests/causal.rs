//! Markets tell the truth about themselves, and what is seen of them agrees with it.
use safar_model::{DAY_US, Micros};
use safar_simulate::{
    causal::{CHANNELS, Process, Scenario, Truth, further, market_events, scenario, standard},
    write_events_csv, write_events_ndjson,
};
use xxhash_rust::xxh3::xxh3_64;

const START: Micros = 1_780_272_000_000_000;

fn all() -> Vec<Scenario> {
    standard().into_iter().chain(further()).collect()
}

#[test]
fn shapley_values_share_out_what_advertising_caused() {
    for market in all() {
        let truth = Truth::of(&market.process, 300, 3);
        let sum: f64 = truth.shapley.iter().sum();
        assert!((sum - truth.incremental()).abs() < 1e-9, "{}: {sum}", market.name);
        let idle = market.process.effect.iter().all(|effect| *effect == 0.0);
        assert_eq!(idle, truth.incremental() == 0.0, "{}", market.name);
        assert!(!idle || truth.removal == [0.0; 6]);
    }
}

/// With and without advertising, by the reference implementation, seed 7.
const REFERENCE: [[f64; 2]; 6] =
    [[0.368_25, 0.155], [0.376_7, 0.155], [0.350_583, 0.155], [0.375_833, 0.155], [0.155, 0.155], [0.466_367, 0.155]];

/// Hashes of the CSV and the NDJSON of one market, as first written.
const BYTES: &str = "636a47380b4c2470 aa2f97a9ef057d1a";

/// The reference implementation of the six markets (another generator of random numbers) gives, of 60,000 people, these
/// shares of people who convert with and without advertising.
#[test]
fn people_convert_as_in_the_reference() {
    for (market, [with, without]) in standard().iter().zip(REFERENCE) {
        let people = 4_000;
        let truth = Truth::of(&market.process, people, 5);
        for (got, want) in [(truth.conversions, with), (truth.conversions_without, without)] {
            let share = got as f64 / f64::from(people);
            let error = (want * (1.0 - want) / f64::from(people)).sqrt();
            assert!((share - want).abs() < 4.0 * error, "{}: {share} instead of {want}", market.name);
        }
    }
}

#[test]
fn what_is_seen_agrees_with_the_truth() {
    for market in all() {
        let truth = Truth::of(&market.process, 400, 9);
        let seen = market.process.observe(400, 9, START);
        assert_eq!(seen.timelines.outcomes() as u64, truth.conversions, "{}", market.name);
        assert_eq!(seen.timelines.len(), seen.person.len());
        assert_eq!(seen.timelines.touchpoints(), seen.device.len());
        let is_split = market.process.devices.is_some();
        assert_eq!(seen.timelines.len() > 400, is_split, "{}", market.name);
        let held = |index: &usize| seen.held_out[*index];
        match market.process.hold_out {
            None => assert!(!(0..seen.person.len()).any(|index| held(&index))),
            Some(hold_out) => {
                let lot = (0..seen.person.len()).filter(held);
                assert!((80..160).contains(&lot.clone().count()));
                let met = |index| seen.timelines.get(index).channels.iter().any(|c| c.0 as usize == hold_out.channel);
                assert!(!lot.clone().any(met), "nobody of the hold-out meets {}", CHANNELS[hold_out.channel]);
            }
        }
        assert_eq!(seen.clicked.iter().any(|clicked| *clicked), market.process.clicks.is_some(), "{}", market.name);
    }
}

#[test]
fn equal_seeds_give_equal_bytes_on_every_machine() {
    let market = scenario("x4_hold_out").unwrap();
    let seen = market.process.observe(60, 7, START);
    assert_eq!(seen, market.process.observe(60, 7, START));
    let events = market_events(&market.process, &seen);
    assert!(events.is_sorted_by_key(|event| event.occurred_at));
    let (mut csv, mut ndjson) = (vec![], vec![]);
    assert_eq!(write_events_csv(events.clone(), &mut csv).unwrap(), events.len() as u64);
    assert_eq!(write_events_ndjson(events.clone(), &mut ndjson).unwrap(), events.len() as u64);
    assert_eq!(format!("{:016x} {:016x}", xxh3_64(&csv), xxh3_64(&ndjson)), BYTES);
    let experiment = events.iter().filter(|event| event.name == "experiment").count();
    assert_eq!(experiment, 60, "everybody's arm is told");
    let end = START + 31 * DAY_US;
    assert!(events.iter().all(|event| (START..end).contains(&event.occurred_at)));
}

#[test]
fn markets_are_found_by_name() {
    assert_eq!(scenario("S3").unwrap().name, "S3_upstream_display_drives_brand_and_direct");
    assert!(scenario("S9").is_none());
    let twice = all().iter().any(|one| all().iter().filter(|other| other.name == one.name).count() > 1);
    assert!(!twice);
}

#[test]
fn an_unlinked_device_is_a_person_of_its_own() {
    let process = Process { devices: scenario("X1").unwrap().process.devices, ..Process::default() };
    let seen = process.observe(200, 1, START);
    for index in 0..seen.timelines.len() {
        if let Some(only) = seen.only[index] {
            assert!(seen.timelines.touch_range(index).all(|touch| seen.device[touch] == only));
        }
    }
    let ids: std::collections::BTreeSet<_> =
        market_events(&process, &seen).into_iter().map(|event| event.user_id).collect();
    assert!(ids.contains(""), "an unlinked device tells no account");
}
