//! Which identifiers events show to belong together.
use arrow::{
    array::{
        Array, ArrayRef, AsArray, Float64Array, RecordBatch, StringArray, TimestampMicrosecondArray, new_null_array,
    },
    datatypes::{Int64Type, TimestampMicrosecondType, UInt32Type},
    error::ArrowError,
};
use safar_identity::SIGHTING_US;
use safar_model::Table;
use std::{collections::HashMap, sync::Arc};

/// Row, first namespace, other namespace.
type Seen = (usize, usize, usize);

/// The namespace of devices among those of links.
const DEVICE: usize = 0;

/// Statements that identifiers belong together. Of a person's identifiers, wherever one of them differs from the last time beside a
/// key. Of a device and a person, the first and the last of each hour ([`SIGHTING_US`]): who has a device when is read from them, and
/// what comes between may be told by another import.
///
/// A device is linked to the first of those that name a person (user, e-mail, phone, CRM), and that one to each of the others:
/// devices pass from hand to hand, and would not hold the names of their owner together.
pub(super) fn links_of(events: &RecordBatch) -> Result<Option<RecordBatch>, ArrowError> {
    const SPACES: [(&str, &str); 5] = [
        ("anonymous_id", "anonymous"),
        ("user_id", "user"),
        ("email_hash", "email"),
        ("phone_hash", "phone"),
        ("crm_id", "crm"),
    ];
    let ids = SPACES.map(|(column, space)| {
        let array = events.column_by_name(column).filter(|array| array.null_count() < array.len());
        array.map(|array| (space, array.as_string::<i32>()))
    });
    if ids.iter().flatten().count() < 2 {
        return Ok(None);
    }
    let column = |name: &str| {
        events.column_by_name(name).map(Arc::clone).ok_or_else(|| ArrowError::SchemaError(name.to_owned()))
    };
    let (keys, times, event_ids, origins) =
        (column("key")?, column("occurred_at")?, column("event_id")?, column("origin")?);
    let (keys, times) = (keys.as_primitive::<Int64Type>(), times.as_primitive::<TimestampMicrosecondType>());
    let event_ids = event_ids.as_string::<i32>();
    let origins = origins.as_dictionary::<UInt32Type>();
    let origin = |row: usize| origins.values().as_string::<i32>().value(origins.keys().value(row) as usize).to_owned();
    let mut last_key = None;
    // By the second namespace: the other identifier, and which it was linked to.
    let mut last: [Option<(usize, &str, &str)>; 5] = [None; 5];
    // By device and person: the hour, and the row that is its last so far where that is not its first.
    let mut hours: HashMap<(&str, usize, &str), (i64, Option<usize>)> = HashMap::new();
    let mut found: Vec<Seen> = Vec::new();
    for row in 0..events.num_rows() {
        if last_key != Some(keys.value(row)) {
            last_key = Some(keys.value(row));
            last = [None; 5];
            found.extend(lasts(hours.drain()));
        }
        let id = |space: usize| ids[space].and_then(|(_, id)| id.is_valid(row).then(|| id.value(row)));
        let Some(name) = (1..ids.len()).find(|space| id(*space).is_some()) else { continue };
        if let (Some(device), Some(person)) = (id(DEVICE), id(name)) {
            let hour = times.value(row).div_euclid(SIGHTING_US);
            let pair = (device, name, person);
            match hours.get_mut(&pair) {
                Some((known, last)) if *known == hour => *last = Some(row),
                _ => {
                    found.extend(lasts(hours.insert(pair, (hour, None)).map(|before| (pair, before))));
                    found.push((row, DEVICE, name));
                }
            }
        }
        for other in (name + 1..ids.len()).filter(|space| id(*space).is_some()) {
            let (Some(first), Some(second)) = (id(name), id(other)) else { continue };
            let pair = Some((name, first, second));
            if std::mem::replace(&mut last[other], pair) != pair {
                found.push((row, name, other));
            }
        }
    }
    found.extend(lasts(hours.drain()));
    found.sort_unstable();
    if found.is_empty() {
        return Ok(None);
    }
    let texts =
        |of: &dyn Fn(&Seen) -> Option<String>| -> ArrayRef { Arc::new(found.iter().map(of).collect::<StringArray>()) };
    let space = |at: usize| ids[at].map(|(space, _)| space.to_owned());
    let id = |at: usize, row: usize| ids[at].map(|(_, id)| id.value(row).to_owned());
    let count = found.len();
    let instant = safar_model::table::instant();
    let columns: Vec<ArrayRef> = vec![
        texts(&|(_, a, _)| space(*a)),
        texts(&|(row, a, _)| id(*a, *row)),
        texts(&|(.., b)| space(*b)),
        texts(&|(row, _, b)| id(*b, *row)),
        Arc::new(
            TimestampMicrosecondArray::from_iter_values(found.iter().map(|(row, ..)| times.value(*row)))
                .with_timezone("UTC"),
        ),
        texts(&|(row, ..)| Some(origin(*row))),
        texts(&|(row, ..)| Some(event_ids.value(*row).to_owned())),
        texts(&|_| Some(safar_identity::LinkKind::Event.as_str().to_owned())),
        Arc::new(Float64Array::from(vec![1.0; count])),
        new_null_array(&instant, count),
        new_null_array(&instant, count),
    ];
    RecordBatch::try_new(Table::IdentityLinks.schema(), columns).map(Some)
}

/// The last of hours of devices with people.
fn lasts<'t>(
    hours: impl IntoIterator<Item = ((&'t str, usize, &'t str), (i64, Option<usize>))>,
) -> impl Iterator<Item = Seen> {
    hours.into_iter().filter_map(|((_, name, _), (_, last))| Some((last?, DEVICE, name)))
}
