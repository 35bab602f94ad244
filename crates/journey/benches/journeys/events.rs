//! Seeded events of a shop: about 1 M people with log-normal activity over 90 days, in sessions of one channel.
use crate::Failure;
use arrow::array::{
    ArrayRef, BooleanArray, Float64Array, Int8Array, Int64Array, RecordBatch, StringBuilder, TimestampMicrosecondArray,
};
use parquet::arrow::ArrowWriter;
use parquet::basic::{Compression, Encoding, ZstdLevel};
use parquet::file::properties::WriterProperties;
use rand::rngs::ChaCha8Rng;
use rand::{RngExt, SeedableRng};
use std::{fs, path::Path, sync::Arc};

pub const COLUMNS: [&str; 5] = ["person_id", "ts", "channel_id", "is_conversion", "value"];
/// Files of each layout; the clustered ones split the keys evenly.
const FILES: usize = 16;
const CHANNELS: [&str; 8] =
    ["direct", "organic_search", "paid_search", "paid_social", "email", "referral", "display", "affiliate"];
const START_US: i64 = 1_767_225_600_000_000;
const SPAN_US: f64 = 90.0 * 86_400e6;

#[derive(Clone, Copy)]
struct Event {
    person: i64,
    at: i64,
    quarters: u16,
    channel: u8,
    converts: bool,
}

/// Where the clustered files are split.
pub fn splits() -> Vec<i64> {
    (1..FILES as i64).map(|part| part * (i64::MAX / FILES as i64 + 1)).collect()
}

fn events(count: usize) -> Vec<Event> {
    let mut random = ChaCha8Rng::seed_from_u64(42);
    let people = count / 20;
    let mut activity: Vec<f64> = (0..people)
        .map(|_| {
            let (radius, turn): (f64, f64) = (random.random::<f64>().max(1e-12), random.random());
            (0.9 * (-2.0 * radius.ln()).sqrt() * (std::f64::consts::TAU * turn).cos()).exp()
        })
        .collect();
    let sum: f64 = activity.iter().sum();
    activity.iter_mut().for_each(|weight| *weight *= count as f64 / sum);
    let mut events = Vec::with_capacity(count);
    let mut carry = 0.0;
    for weight in activity {
        carry += weight;
        let mut left = carry as usize;
        carry -= left as f64;
        let person = (random.random::<u64>() >> 1) as i64;
        let favourite = random.random_range(0..8u8);
        let first = events.len();
        while left > 0 {
            let size = (1 + (random.random::<f64>() * 4.0) as usize).min(left);
            left -= size;
            let channel = if random.random::<f64>() < 0.4 { favourite } else { random.random_range(0..8u8) };
            let mut at = START_US + (random.random::<f64>() * SPAN_US) as i64;
            for _ in 0..size {
                let converts = random.random::<f64>() < 0.03;
                let quarters = if converts { random.random_range(20..2000) } else { 0 };
                events.push(Event { person, at, quarters, channel, converts });
                at += 1_000_000 + (random.random::<f64>() * 120e6) as i64;
            }
        }
        // No two events of a person at one instant: SQL has no rule for them.
        events[first..].sort_unstable_by_key(|event| event.at);
        for index in first + 1..events.len() {
            events[index].at = events[index].at.max(events[index - 1].at + 1);
        }
    }
    events
}

fn batch(events: &[Event]) -> Result<RecordBatch, Failure> {
    let mixed = |event: &Event| {
        let mut mixed = (event.person ^ event.at) as u64;
        mixed ^= mixed >> 33;
        mixed = mixed.wrapping_mul(0xff51_afd7_ed55_8ccd);
        mixed ^ mixed >> 33
    };
    let texts = |write: &dyn Fn(&Event, u64) -> Option<String>| {
        let mut texts = StringBuilder::new();
        events.iter().for_each(|event| texts.append_option(write(event, mixed(event))));
        Arc::new(texts.finish()) as ArrayRef
    };
    let name = |event: &Event, bits: u64| {
        Some(
            if event.converts {
                "purchase"
            } else {
                ["page_view", "session_start", "add_to_cart", "ad_click"][bits as usize % 4]
            }
            .to_owned(),
        )
    };
    let columns: [(&str, ArrayRef); 12] = [
        ("person_id", Arc::new(Int64Array::from_iter_values(events.iter().map(|event| event.person)))),
        (
            "device_id",
            Arc::new(Int64Array::from_iter_values(
                events.iter().map(|event| event.person ^ i64::from(event.channel & 3)),
            )),
        ),
        (
            "ts",
            Arc::new(
                TimestampMicrosecondArray::from_iter_values(events.iter().map(|event| event.at)).with_timezone("UTC"),
            ),
        ),
        ("event_name", texts(&name)),
        ("channel", texts(&|event, _| Some(CHANNELS[event.channel as usize].to_owned()))),
        ("channel_id", Arc::new(Int8Array::from_iter_values(events.iter().map(|event| event.channel as i8)))),
        ("is_conversion", Arc::new(BooleanArray::from_iter(events.iter().map(|event| Some(event.converts))))),
        (
            "value",
            Arc::new(Float64Array::from_iter(
                events.iter().map(|event| event.converts.then(|| f64::from(event.quarters) / 4.0)),
            )),
        ),
        (
            "page_url",
            texts(&|_, bits| Some(format!("https://shop.example.com/c/{}/p/{}", bits >> 8 & 31, bits >> 16 & 4095))),
        ),
        (
            "referrer",
            texts(&|event, bits| {
                [1, 5].contains(&event.channel).then(|| format!("https://ref{}.example.net/", bits >> 20 & 255))
            }),
        ),
        (
            "utm_campaign",
            texts(&|event, bits| {
                (event.channel >= 2 && event.channel != 5)
                    .then(|| format!("cmp_{}_{}", event.channel, bits >> 24 & 127))
            }),
        ),
        ("click_id", texts(&|event, bits| [2, 3].contains(&event.channel).then(|| format!("{bits:016x}")))),
    ];
    Ok(RecordBatch::try_from_iter(columns)?)
}

/// As the store writes events: ZSTD(1), keys and times as differences. Groups are of 1 M rows.
fn write(path: &Path, events: &[Event]) -> Result<(), Failure> {
    let properties = WriterProperties::builder()
        .set_compression(Compression::ZSTD(ZstdLevel::try_new(1)?))
        .set_max_row_group_row_count(Some(1 << 20))
        .set_column_dictionary_enabled("person_id".into(), false)
        .set_column_encoding("person_id".into(), Encoding::DELTA_BINARY_PACKED)
        .set_column_dictionary_enabled("ts".into(), false)
        .set_column_encoding("ts".into(), Encoding::DELTA_BINARY_PACKED)
        .build();
    let mut writer = ArrowWriter::try_new(fs::File::create(path)?, batch(&[])?.schema(), Some(properties))?;
    for rows in events.chunks(1 << 16) {
        writer.write(&batch(rows)?)?;
    }
    writer.close()?;
    Ok(())
}

/// What stands in the file `complete`, which is written last.
fn mark(count: usize) -> String {
    format!("{count} events, keys and times as differences\n")
}

/// Whether `dir` holds these files.
pub fn are_there(dir: &Path, count: usize) -> bool {
    fs::read_to_string(dir.join("complete")).is_ok_and(|text| text == mark(count))
}

/// Writes the same events twice: clustered by (person, time), and as they arrive.
pub fn generate(dir: &Path, count: usize) -> Result<(), Failure> {
    eprintln!("making {count} events in {} (once)", dir.display());
    let mut events = events(count);
    for layout in ["clustered", "arrival"] {
        fs::create_dir_all(dir.join(layout))?;
    }
    events.sort_unstable_by_key(|event| (event.person, event.at));
    let mut rest = events.as_slice();
    for part in 0..FILES {
        let end = splits().get(part).map_or(rest.len(), |split| rest.partition_point(|event| event.person < *split));
        let (own, others) = rest.split_at(end);
        write(&dir.join(format!("clustered/part-{part:02}.parquet")), own)?;
        rest = others;
    }
    events.sort_unstable_by_key(|event| event.at);
    for (part, own) in events.chunks(events.len().div_ceil(FILES).max(1)).enumerate() {
        write(&dir.join(format!("arrival/part-{part:02}.parquet")), own)?;
    }
    fs::write(dir.join("complete"), mark(count))?;
    Ok(())
}
