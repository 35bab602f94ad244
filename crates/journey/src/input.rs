//! The columns of `events` that journeys are made of, and one person's rows across batches.
use crate::Error;
use arrow::array::{
    Array, AsArray, Float64Array, Int64Array, RecordBatch, StringArray, StringViewArray, TimestampMicrosecondArray,
};
use arrow::datatypes::{DataType, Float64Type, Int64Type, TimeUnit, TimestampMicrosecondType};
use safar_model::{Interaction, Micros};

/// Columns of `events` that are no texts.
const OTHERS: [&str; 3] = ["person_id", "occurred_at", "value"];

/// Lists the text columns once, as names and as [`Field`]s.
macro_rules! text_columns {
    ($($field:ident $name:literal,)*) => {
        const TEXTS: [&str; [$($name),*].len()] = [$($name),*];

        /// What [`crate::JourneyBuilder::push`] reads: columns of `events`, after `person_id`. A batch may have more, in any order.
        pub const INPUT_COLUMNS: [&str; OTHERS.len() + TEXTS.len()] = [OTHERS[0], OTHERS[1], OTHERS[2], $($name),*];

        /// A text column of [`INPUT_COLUMNS`].
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub(crate) enum Field { $($field),* }

        impl Field {
            /// The text column of this name.
            pub fn named(name: &str) -> Option<Self> {
                match name {
                    $($name => Some(Self::$field),)*
                    _ => None,
                }
            }
        }
    };
}

text_columns! {
    EventId "event_id",
    Name "name",
    PageUrl "page_url",
    Referrer "referrer",
    UtmSource "utm_source",
    UtmMedium "utm_medium",
    UtmCampaign "utm_campaign",
    Term "utm_term",
    Content "utm_content",
    ClickId "click_id",
    ClickIdType "click_id_type",
    Source "source",
    Medium "medium",
    Campaign "campaign",
    Channel "channel",
    Interaction "interaction",
    OrderId "order_id",
    Currency "currency",
    Properties "properties",
    Country "country",
    Language "language",
    Device "device",
    Browser "browser",
    Os "os",
}

/// The columns [`safar_model::table::VISITOR`], in that order.
pub(crate) const VISITOR: [Field; 5] = [Field::Country, Field::Language, Field::Device, Field::Browser, Field::Os];

/// A text array in either of the layouts that scans return.
#[derive(Clone, Debug)]
enum Text {
    Plain(StringArray),
    View(StringViewArray),
}

impl Text {
    fn get(&self, row: usize) -> Option<&str> {
        match self {
            Self::Plain(array) => array.is_valid(row).then(|| array.value(row)),
            Self::View(array) => array.is_valid(row).then(|| array.value(row)),
        }
    }
}

/// One batch, its columns found and typed.
#[derive(Clone, Debug)]
pub(crate) struct Chunk {
    pub person: Int64Array,
    pub at: TimestampMicrosecondArray,
    value: Float64Array,
    texts: [Text; TEXTS.len()],
}

impl Chunk {
    pub fn new(batch: &RecordBatch) -> Result<Self, Error> {
        let column = |name: &'static str, kind: &DataType| {
            let array = batch.column_by_name(name).ok_or(Error::MissingColumn { name })?;
            if array.data_type() == kind {
                Ok(array.clone())
            } else {
                let wrong = |source| Error::WrongType { name, found: array.data_type().to_string(), source };
                arrow::compute::cast(array, kind).map_err(wrong)
            }
        };
        let text = |name: &'static str| {
            let array = batch.column_by_name(name).ok_or(Error::MissingColumn { name })?;
            Ok::<_, Error>(match array.data_type() {
                DataType::Utf8View => Text::View(array.as_string_view().clone()),
                _ => Text::Plain(column(name, &DataType::Utf8)?.as_string().clone()),
            })
        };
        let mut texts = Vec::with_capacity(TEXTS.len());
        for name in TEXTS {
            texts.push(text(name)?);
        }
        let instant = DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into()));
        let chunk = Self {
            person: column("person_id", &DataType::Int64)?.as_primitive::<Int64Type>().clone(),
            at: column("occurred_at", &instant)?.as_primitive::<TimestampMicrosecondType>().clone(),
            value: column("value", &DataType::Float64)?.as_primitive::<Float64Type>().clone(),
            texts: texts.try_into().map_err(|_| Error::MissingColumn { name: "event_id" })?,
        };
        for (name, nulls) in [("person_id", chunk.person.null_count()), ("occurred_at", chunk.at.null_count())] {
            if nulls > 0 {
                return Err(Error::Null { name });
            }
        }
        Ok(chunk)
    }
}

/// What an event is to sessions and touches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// Part of a session: seen on the site or in the app.
    Onsite,
    /// A touch by itself, outside any session: it happened elsewhere, or it is a click with a channel but no page, or
    /// a visit without a page whose channel the import stated.
    Alone,
    /// Neither: it can still be a conversion.
    Nowhere,
}

/// Where an event of the current person lies, and what is asked about it often.
#[derive(Clone, Copy, Debug)]
pub(crate) struct RowRef {
    pub chunk: u32,
    pub row: u32,
    kind: Interaction,
    place: Place,
}

impl RowRef {
    pub fn new(chunks: &[Chunk], chunk: usize, row: usize) -> Self {
        let texts = &chunks[chunk].texts;
        let text = |field: Field| texts[field as usize].get(row);
        let has_page = text(Field::PageUrl).is_some();
        let kind = match text(Field::Interaction) {
            Some(word) => {
                let known = Interaction::ALL.into_iter().find(|kind| kind.as_str() == word);
                known.or_else(|| word.parse().ok()).unwrap_or(Interaction::None)
            }
            None if has_page => Interaction::Visit,
            None => Interaction::None,
        };
        let named = || text(Field::Channel).is_some();
        // Enrichment gives every visit a channel; one that the input stated makes the row a touch.
        let stated = || named() && (text(Field::Source).is_none() || states_channel(text(Field::Properties)));
        let place = match kind {
            _ if kind.is_offsite() => Place::Alone,
            Interaction::None if !has_page => Place::Nowhere,
            Interaction::Click if !has_page && named() => Place::Alone,
            Interaction::Visit if !has_page && stated() => Place::Alone,
            _ => Place::Onsite,
        };
        Self { chunk: chunk as u32, row: row as u32, kind, place }
    }
}

/// Whether the import stated the channel itself: then it keeps it in `properties`, safe from changing rules.
fn states_channel(properties: Option<&str>) -> bool {
    properties.is_some_and(|properties| properties.contains("\"$given_channel\""))
}

/// The rows of one person, oldest first, over the chunks that hold them.
#[derive(Clone, Copy)]
pub(crate) struct PersonRows<'a> {
    pub person: i64,
    pub chunks: &'a [Chunk],
    pub rows: &'a [RowRef],
}

impl<'a> PersonRows<'a> {
    pub fn get(&self, seq: usize) -> Event<'a> {
        let at = &self.rows[seq];
        Event { chunk: &self.chunks[at.chunk as usize], at }
    }

    pub fn iter(self) -> impl Iterator<Item = Event<'a>> {
        self.rows.iter().map(move |at| Event { chunk: &self.chunks[at.chunk as usize], at })
    }
}

/// One event, read from its columns on demand.
#[derive(Clone, Copy)]
pub(crate) struct Event<'a> {
    chunk: &'a Chunk,
    at: &'a RowRef,
}

impl<'a> Event<'a> {
    pub fn of(chunk: &'a Chunk, at: &'a RowRef) -> Self {
        Self { chunk, at }
    }

    pub fn at(&self) -> Micros {
        self.chunk.at.value(self.at.row as usize)
    }

    pub fn value(&self) -> Option<f64> {
        let (value, row) = (&self.chunk.value, self.at.row as usize);
        value.is_valid(row).then(|| value.value(row))
    }

    pub fn text(&self, field: Field) -> Option<&'a str> {
        self.chunk.texts[field as usize].get(self.at.row as usize)
    }

    pub fn id(&self) -> &'a str {
        self.text(Field::EventId).unwrap_or_default()
    }

    pub fn interaction(&self) -> Interaction {
        self.at.kind
    }

    pub fn place(&self) -> Place {
        self.at.place
    }

    /// Whether the event says nothing about where the person came from: no source, or `(direct)`, and no stated channel.
    pub fn is_direct(&self) -> bool {
        self.text(Field::Source).is_none_or(|source| source.eq_ignore_ascii_case("(direct)"))
            && self.text(Field::Channel).is_none_or(|channel| {
                channel.eq_ignore_ascii_case("direct") || !states_channel(self.text(Field::Properties))
            })
    }

    /// Whether it came by a tagged link or an advertisement's click.
    pub fn is_tagged(&self) -> bool {
        let tags = [Field::UtmSource, Field::UtmMedium, Field::UtmCampaign, Field::ClickId];
        tags.iter().any(|field| self.text(*field).is_some())
    }
}

/// The part of a page's address between host and `?` or `#`; `/` where it is empty.
pub(crate) fn page_path(url: &str) -> &str {
    let url = &url[..url.find(['?', '#']).unwrap_or(url.len())];
    if url.starts_with('/') {
        return url;
    }
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    rest.find('/').map_or("/", |at| &rest[at..])
}

/// The 63-bit id of what an event is to a person; `role` keeps the ids of one event's touch, session and conversion apart.
pub(crate) fn id_of(buffer: &mut Vec<u8>, role: &str, person: i64, event_id: &str) -> i64 {
    buffer.clear();
    buffer.extend_from_slice(role.as_bytes());
    buffer.push(0);
    buffer.extend_from_slice(&person.to_le_bytes());
    buffer.extend_from_slice(event_id.as_bytes());
    (xxhash_rust::xxh3::xxh3_64(buffer) >> 1) as i64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_path_of_a_page_is_found_in_whole_and_short_addresses() {
        let cases = [
            ("https://shop.example/thanks?o=1", "/thanks"),
            ("https://shop.example", "/"),
            ("https://shop.example?x=/y", "/"),
            ("shop.example/a/b#c", "/a/b"),
            ("/thanks?next=https://x/y", "/thanks"),
        ];
        for (url, path) in cases {
            assert_eq!(page_path(url), path, "{url}");
        }
    }

    #[test]
    fn text_fields_are_found_by_the_names_of_their_columns() {
        assert_eq!(Field::named("properties"), Some(Field::Properties));
        assert_eq!(Field::named("event_id"), Some(Field::EventId));
        assert_eq!(Field::named("click_id"), Some(Field::ClickId));
        assert_eq!(Field::named("country"), Some(Field::Country));
        assert_eq!(Field::named("os"), Some(Field::Os));
        assert_eq!(Field::named("person_id"), None);
    }
}
