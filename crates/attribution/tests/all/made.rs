//! Paths in the making, for tests that make them up.
use proptest::prelude::*;
use safar_attribution::{Attribution, ModelSpec, attribute};
use safar_model::{ChannelId, DAY_US, PathRef, Paths, PathsBuilder};

/// One path in the making: channels, ages (or none), conversions, value, nulls.
#[derive(Clone, Debug)]
pub struct Row {
    pub channels: Vec<u32>,
    pub ages: Option<Vec<i64>>,
    pub conversions: f64,
    pub value: f64,
    pub nulls: f64,
}

pub const CHANNELS: u32 = 6;

pub fn names() -> Vec<String> {
    (0..CHANNELS).map(|channel| if channel == 0 { "Direct".into() } else { format!("c{channel}") }).collect()
}

pub fn rows() -> impl Strategy<Value = Vec<Row>> {
    let counts = || prop_oneof![Just(0.0), (1_u32..50).prop_map(f64::from), 0.01..5.0];
    let value = prop_oneof![Just(0.0), -1e3..1e4, (0..99_i32).prop_map(f64::from)];
    let row = (prop::collection::vec((0..CHANNELS, 0..90 * DAY_US), 0..9), counts(), value, counts());
    (prop::collection::vec(row, 0..30), any::<bool>()).prop_map(|(rows, aged)| {
        let row = |(touches, conversions, value, nulls): (Vec<(u32, i64)>, _, _, _)| Row {
            ages: aged.then(|| touches.iter().map(|touch| touch.1).collect()),
            channels: touches.into_iter().map(|touch| touch.0).collect(),
            conversions,
            value,
            nulls,
        };
        rows.into_iter().map(row).collect()
    })
}

pub fn paths(rows: &[Row]) -> Paths {
    let mut paths = PathsBuilder::default();
    for row in rows {
        let channels: Vec<_> = row.channels.iter().map(|channel| ChannelId(*channel)).collect();
        let Row { conversions, value, nulls, .. } = *row;
        paths.push(PathRef { channels: &channels, ages: row.ages.as_deref(), conversions, value, nulls });
    }
    paths.finish()
}

pub fn run(spec: &ModelSpec, rows: &[Row]) -> Attribution {
    attribute(spec, &paths(rows), &names()).unwrap()
}

/// A path without ages whose conversions are worth 2 each.
pub fn row(channels: &[u32], conversions: f64, nulls: f64) -> Row {
    Row { channels: channels.to_vec(), ages: None, conversions, value: conversions * 2.0, nulls }
}

pub fn spec(text: &str) -> ModelSpec {
    text.parse().unwrap_or_else(|error| panic!("{error}"))
}

/// Made-up paths with a memory, the same on every run: `count` of them, of up to 12 touches.
pub fn made_up(count: u32, channels: u32) -> Vec<Row> {
    let mut state = 12_345_u32;
    let mut random = move |below: u32| {
        state = state.wrapping_mul(747_796_405).wrapping_add(2_891_336_453);
        (state >> 9) % below
    };
    let mut make = |_| {
        let mut path = vec![random(channels)];
        while path.len() < 12 && random(4) > 0 {
            path.push(random(channels).min(random(channels)));
        }
        let conversions = f64::from(random(4) * u32::from(path[path.len() - 1] % 3 != 1));
        row(&path, conversions, f64::from(random(9)))
    };
    (0..count).map(&mut make).collect()
}
