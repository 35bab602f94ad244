//! An event that a shape tells, and the lines that go on to the import of events.
use crate::import::error::Error;
use safar_model::Micros;
use serde_json::{Map, Value};
use std::io::{BufWriter, Write};
use tempfile::NamedTempFile;

/// An event in the words of the table `events`.
#[derive(Clone, Debug)]
pub(crate) struct Event {
    object: Map<String, Value>,
    properties: Map<String, Value>,
    line: u64,
}

impl Event {
    /// An event of this name; `id` makes it known as one when it is told again.
    pub(crate) fn new(name: &str, id: impl Into<String>, at: Micros, line: u64) -> Self {
        let mut object = Map::new();
        object.insert("name".to_owned(), name.into());
        object.insert("event_id".to_owned(), Value::String(id.into()));
        object.insert("occurred_at".to_owned(), crate::import::time::show(at).into());
        Self { object, properties: Map::new(), line }
    }

    /// Sets a field of the event; an empty text is none.
    pub(crate) fn set(mut self, field: &str, text: &str) -> Self {
        self.put(field, text);
        self
    }

    pub(crate) fn put(&mut self, field: &str, text: &str) {
        if !text.is_empty() {
            self.object.insert(field.to_owned(), text.into());
        }
    }

    pub(crate) fn value(mut self, value: Option<f64>) -> Self {
        if let Some(value) = value {
            self.object.insert("value".to_owned(), value.into());
        }
        self
    }

    /// Sets a field that holds JSON.
    pub(crate) fn json(mut self, field: &str, value: Value) -> Self {
        if !matches!(&value, Value::Null) {
            self.object.insert(field.to_owned(), value);
        }
        self
    }

    /// Adds a property; an empty text is none.
    pub(crate) fn property(mut self, name: &str, value: impl Into<Value>) -> Self {
        let value = value.into();
        let is_nothing = value.is_null() || value == "" || value.as_array().is_some_and(Vec::is_empty);
        if !is_nothing {
            self.properties.insert(name.to_owned(), value);
        }
        self
    }

    fn to_line(mut self) -> String {
        if !self.properties.is_empty() {
            self.object.insert("properties".to_owned(), Value::Object(self.properties));
        }
        Value::Object(self.object).to_string()
    }
}

/// Lines on their way to the import of events, in a temporary file, and which line of the source each comes from.
pub(crate) struct Spool {
    file: BufWriter<NamedTempFile>,
    pub(crate) lines: u64,
    /// Where the difference between the two changes: a line here, its line there.
    places: Vec<(u64, u64)>,
}

/// A finished [`Spool`].
pub(crate) struct Spooled {
    pub file: NamedTempFile,
    pub lines: u64,
    pub places: Vec<(u64, u64)>,
}

impl Spool {
    pub(crate) fn new() -> Result<Self, Error> {
        let file = NamedTempFile::new().map_err(Error::io(std::env::temp_dir()))?;
        Ok(Self { file: BufWriter::with_capacity(1 << 20, file), lines: 0, places: Vec::new() })
    }

    pub(crate) fn push(&mut self, event: Event) -> std::io::Result<()> {
        let source = event.line;
        self.push_line(&event.to_line(), source)
    }

    /// Adds an object that is to be mapped like any other file's.
    pub(crate) fn push_line(&mut self, text: &str, source: u64) -> std::io::Result<()> {
        self.lines += 1;
        if place_of(&self.places, self.lines) != source {
            self.places.push((self.lines, source));
        }
        self.file.write_all(text.as_bytes())?;
        self.file.write_all(b"\n")
    }

    pub(crate) fn finish(self) -> Result<Spooled, Error> {
        let io = Error::io(std::env::temp_dir());
        let file = match self.file.into_inner() {
            Ok(file) => file,
            Err(error) => return Err(io(error.into_error())),
        };
        Ok(Spooled { file, lines: self.lines, places: self.places })
    }
}

/// The line of the source that a line comes from.
pub(crate) fn place_of(places: &[(u64, u64)], line: u64) -> u64 {
    match places.partition_point(|(from, _)| *from <= line).checked_sub(1).map(|at| places[at]) {
        Some((from, source)) => source + (line - from),
        None => line,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn lines_come_back(sources in proptest::collection::vec(1..50u64, 0..40)) {
            let mut spool = Spool::new().unwrap();
            for source in &sources {
                spool.push_line("{}", *source).unwrap();
            }
            let places = spool.finish().unwrap().places;
            for (at, source) in sources.iter().enumerate() {
                prop_assert_eq!(place_of(&places, at as u64 + 1), *source);
            }
        }
    }
}
