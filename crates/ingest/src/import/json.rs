//! JSON objects → rows. Keys are columns; nested objects are reached by dotted names (`context.page.url`).
use super::{
    field::{self, FIELDS, Field, Target},
    input::{HEAD, Opened},
    mapping::{ColumnMapping, Stated},
    number::whole,
    reason,
    row::{Member, Row},
    settings::How,
    split::{Broken, Chunk},
};
use safar_identity::{EMAIL, IdentitySettings, PHONE, normalise};
use serde_json::{Map, Value};
use std::collections::HashMap;
use std::{
    borrow::Cow,
    io::{self, Read},
};

/// How many levels of nested objects are looked into.
const DEPTH_MAX: usize = 3;
/// Added to the rank of names found in lists of event parameters.
const PARAMETER: usize = 100;
const RECORD_MAX: usize = 1 << 20;
const BLOCK: usize = 4 << 20;
/// A line longer than this is given up, so that a file of one line takes no more memory than others. Whatever a collector takes
/// is shorter.
const LINE_MAX: usize = 32 << 20;

/// Splits text into JSON objects: one a line, or those of an array.
pub(crate) struct JsonSplitter<R> {
    reader: R,
    array: bool,
    carry: Vec<u8>,
    line: u64,
    done: bool,
    /// Within a line that was given up.
    overlong: bool,
    /// Why reading stopped; told after the rows before it.
    fault: Option<io::Error>,
}

impl<R: Read> JsonSplitter<R> {
    pub(crate) fn new(reader: R, array: bool) -> Self {
        Self { reader, array, carry: Vec::new(), line: 1, done: false, overlong: false, fault: None }
    }

    /// The next objects, without cells, or `None` at the end.
    pub(crate) fn next_chunk(&mut self) -> io::Result<Option<Chunk>> {
        while !self.done {
            let mut text = std::mem::take(&mut self.carry);
            let before = text.len();
            self.fault = self.reader.by_ref().take(BLOCK as u64).read_to_end(&mut text).err();
            self.done = text.len() - before < BLOCK || self.fault.is_some();
            let mut chunk = Chunk::default();
            let used = if self.array { self.objects(&text, &mut chunk) } else { self.rows(&text, &mut chunk) };
            self.carry.extend_from_slice(&text[used..]);
            text.truncate(used);
            chunk.bytes = used as u64;
            chunk.text = match String::from_utf8(text) {
                Ok(text) => text,
                Err(error) => {
                    let bytes = error.into_bytes();
                    // Spans stay right only byte for byte, so a broken record is taken out before its bytes change.
                    let (good, bad): (Vec<_>, Vec<_>) = chunk.records.iter().partition(|(_, start, end)| {
                        std::str::from_utf8(&bytes[*start as usize..*end as usize]).is_ok()
                    });
                    chunk.records = good;
                    chunk.broken.extend(bad.iter().map(|(line, start, end)| {
                        let raw = String::from_utf8_lossy(&bytes[*start as usize..*end as usize]).into_owned();
                        Broken { line: *line, reason: reason::NOT_UTF8, found: None, raw }
                    }));
                    let mut clean = vec![b' '; bytes.len()];
                    for (_, start, end) in &chunk.records {
                        clean[*start as usize..*end as usize].copy_from_slice(&bytes[*start as usize..*end as usize]);
                    }
                    String::from_utf8(clean).unwrap_or_default()
                }
            };
            if !chunk.records.is_empty() || !chunk.broken.is_empty() {
                return Ok(Some(chunk));
            }
        }
        self.fault.take().map_or(Ok(None), Err)
    }

    fn rows(&mut self, text: &[u8], chunk: &mut Chunk) -> usize {
        let mut start = 0;
        while start < text.len() {
            let end = memchr::memchr(b'\n', &text[start..]).map(|end| start + end);
            let length = end.unwrap_or(text.len()) - start;
            if !self.overlong && length > LINE_MAX {
                let raw = String::from_utf8_lossy(&text[start..start + (64 << 10)]).into_owned();
                chunk.broken.push(Broken { line: self.line, reason: reason::LINE_TOO_LONG, found: None, raw });
                self.overlong = true;
            }
            if end.is_none() && !self.done && !self.overlong {
                break;
            }
            let stop = end.unwrap_or(text.len());
            if !self.overlong && !text[start..stop].trim_ascii().is_empty() {
                chunk.records.push((self.line, start as u32, stop as u32));
            }
            self.overlong &= end.is_none();
            self.line += u64::from(end.is_some());
            start = (stop + 1).min(text.len());
        }
        start
    }

    fn objects(&mut self, text: &[u8], chunk: &mut Chunk) -> usize {
        let mut at = 0;
        while at < text.len() {
            match text[at] {
                b'{' => match object_end(&text[at..]) {
                    Some(length) if length <= RECORD_MAX => {
                        chunk.records.push((self.line, at as u32, (at + length) as u32));
                        self.line += memchr::memchr_iter(b'\n', &text[at..at + length]).count() as u64;
                        at += length;
                    }
                    None if !self.done && text.len() - at <= RECORD_MAX => break,
                    _ => at = self.give_up_line(text, at, chunk),
                },
                b'\n' => {
                    self.line += 1;
                    at += 1;
                }
                byte if byte.is_ascii_whitespace() || matches!(byte, b',' | b'[' | b']') => at += 1,
                _ => at = self.give_up_line(text, at, chunk),
            }
        }
        at
    }

    fn give_up_line(&self, text: &[u8], at: usize, chunk: &mut Chunk) -> usize {
        let end = memchr::memchr(b'\n', &text[at..]).map_or(text.len(), |end| at + end);
        let raw = String::from_utf8_lossy(&text[at..end.min(at + (64 << 10))]).into_owned();
        chunk.broken.push(Broken { line: self.line, reason: reason::NO_JSON, found: None, raw });
        end
    }
}

/// The length of the object that begins here; `None` where it does not end.
fn object_end(text: &[u8]) -> Option<usize> {
    let (mut depth, mut quoted, mut at) = (0usize, false, 0);
    while at < text.len() {
        match text[at] {
            b'\\' if quoted => at += 1,
            b'"' => quoted = !quoted,
            b'{' | b'[' if !quoted => depth += 1,
            b'}' | b']' if !quoted => {
                depth = depth.saturating_sub(1);
                if depth == 0 {
                    return Some(at + 1);
                }
            }
            _ => {}
        }
        at += 1;
    }
    None
}

/// Finds the fields of objects; remembers what each key means.
pub(crate) struct JsonReader<'e> {
    stated: Vec<(Target, String)>,
    constants: Vec<(Field, String)>,
    known: HashMap<String, Option<(Target, usize)>>,
    identity: &'e IdentitySettings,
    keep_contact_details: bool,
    /// Amounts written as text have a decimal comma.
    comma: bool,
}

/// A number as text.
pub(crate) fn number_text(number: &serde_json::Number) -> String {
    let float = number.as_f64().filter(|_| number.is_f64());
    float.and_then(whole).map_or_else(|| number.to_string(), |whole| whole.to_string())
}

/// A value and where it was found.
struct Found<'v> {
    target: Target,
    rank: usize,
    name: Cow<'v, str>,
    text: Cow<'v, str>,
    value: &'v Value,
    nested: bool,
}

impl<'e> JsonReader<'e> {
    pub(crate) fn new(
        stated: &Stated,
        identity: &'e IdentitySettings,
        keep_contact_details: bool,
        comma: bool,
    ) -> Self {
        let columns = stated.columns.iter().map(|(target, column, _)| (target.clone(), column.clone())).collect();
        Self {
            stated: columns,
            constants: stated.constants.clone(),
            known: HashMap::new(),
            identity,
            keep_contact_details,
            comma,
        }
    }

    fn lookup(&mut self, name: &str) -> Option<(Target, usize)> {
        if let Some(known) = self.known.get(name) {
            return known.clone();
        }
        let plain = field::plain(name);
        let exact = self.stated.iter().find(|(_, column)| column == name);
        let stated = exact.or_else(|| self.stated.iter().find(|(_, column)| field::plain(column) == plain));
        let found = match stated {
            Some((target, _)) => Some((target.clone(), 0)),
            None => {
                field::well_known(name).map(|(target, rank)| (target, rank + 1)).filter(|(target, _)| match target {
                    Target::Field(field) => {
                        !self.constants.iter().any(|(other, _)| other == field)
                            && !self.stated.iter().any(|(other, _)| other == target)
                    }
                    _ => true,
                })
            }
        };
        if self.known.len() < 10_000 {
            self.known.insert(name.to_owned(), found.clone());
        }
        found
    }

    fn look<'v>(&mut self, path: &str, name: &'v str, value: &'v Value, depth: usize, found: &mut Vec<Found<'v>>) {
        let target = self.lookup(path);
        let nested = depth > 0;
        let name = if nested { Cow::Owned(path.to_owned()) } else { Cow::Borrowed(name) };
        let scalar = match value {
            Value::Null => return,
            Value::String(text) => Some(Cow::Borrowed(text.as_str())),
            Value::Number(number) => Some(Cow::Owned(number_text(number))),
            Value::Bool(yes) => Some(Cow::Borrowed(if *yes { "true" } else { "false" })),
            Value::Array(_) | Value::Object(_) => None,
        };
        let structured = matches!(
            target,
            Some((Target::Field(Field::Items | Field::Consent | Field::Properties | Field::ClientHints), _))
        );
        match (target, scalar) {
            (Some((target, rank)), Some(text)) => found.push(Found { target, rank, name, text, value, nested }),
            (Some((target, rank)), None) if structured => {
                let text = match parameters(value) {
                    Some(object) => Cow::Owned(Value::Object(object).to_string()),
                    None => Cow::Owned(self.clean(value).to_string()),
                };
                found.push(Found { target, rank, name: name.clone(), text, value, nested });
                self.descend(path, value, depth, found);
            }
            (_, text) => {
                let is_object = text.is_none();
                if !nested {
                    let text = text.unwrap_or_else(|| Cow::Owned(self.clean(value).to_string()));
                    found.push(Found { target: Target::Property, rank: 0, name: name.clone(), text, value, nested });
                }
                if is_object {
                    self.descend(path, value, depth, found);
                }
            }
        }
    }

    fn descend<'v>(&mut self, path: &str, value: &'v Value, depth: usize, found: &mut Vec<Found<'v>>) {
        if let Value::Object(members) = value
            && depth < DEPTH_MAX
        {
            for (name, value) in members {
                self.look(&format!("{path}.{name}"), name, value, depth + 1, found);
            }
        }
        let Value::Array(list) = value else { return };
        for (name, value) in list.iter().filter_map(parameter) {
            use Field::{Currency, OrderId, PageTitle, PageUrl, Referrer, Value as Amount};
            let target = self.lookup(name);
            let fits = |target: &Target| match target {
                Target::Field(field) => [PageUrl, PageTitle, Referrer, Amount, Currency, OrderId].contains(field),
                other => *other != Target::Property,
            };
            if let Some((target, rank)) = target.filter(|(target, _)| fits(target)) {
                let text = match value {
                    Value::String(text) => Cow::Borrowed(text.as_str()),
                    other => Cow::Owned(other.to_string()),
                };
                found.push(Found {
                    target,
                    rank: rank + PARAMETER,
                    name: Cow::Borrowed(name),
                    text,
                    value,
                    nested: true,
                });
            }
        }
    }

    /// The value without contact details: their hashes stand in their place.
    fn clean<'v>(&self, value: &'v Value) -> Cow<'v, Value> {
        if self.keep_contact_details {
            return Cow::Borrowed(value);
        }
        match value {
            Value::Object(members) => {
                let cleaned = members.iter().map(|(name, value)| match (contact(name), value) {
                    (Some(namespace), Value::String(raw)) => (
                        format!("{name}_hash"),
                        normalise(namespace, raw, self.identity).id().map_or(Value::Null, Value::from),
                    ),
                    _ => (name.clone(), self.clean(value).into_owned()),
                });
                Cow::Owned(Value::Object(cleaned.collect()))
            }
            Value::Array(list) => {
                Cow::Owned(Value::Array(list.iter().map(|value| self.clean(value).into_owned()).collect()))
            }
            _ => Cow::Borrowed(value),
        }
    }

    /// Calls `then` with the row of an object. `None`: the text is no object.
    pub(crate) fn read<T>(&mut self, text: &str, then: impl FnOnce(&Row<'_>, &[(Field, String)]) -> T) -> Option<T> {
        let Ok(Value::Object(object)) = serde_json::from_str::<Value>(text) else { return None };
        let mut found = Vec::with_capacity(object.len() + 8);
        for (name, value) in &object {
            self.look(name, name, value, 0, &mut found);
        }
        let mut best: [Option<usize>; FIELDS] = [None; FIELDS];
        let mut click: Option<usize> = None;
        for (at, item) in found.iter().enumerate().filter(|(_, item)| !item.text.is_empty()) {
            match &item.target {
                Target::Field(field) => {
                    let other = best[*field as usize].get_or_insert(at);
                    if (item.rank, &item.name) < (found[*other].rank, &found[*other].name) {
                        *other = at;
                    }
                }
                Target::Click(_) => click = click.or(Some(at)),
                _ => {}
            }
        }
        for (at, item) in found.iter_mut().enumerate() {
            let namespace = match item.target {
                Target::Field(Field::Email) if best[Field::Email as usize] != Some(at) => EMAIL,
                Target::Field(Field::Phone) if best[Field::Phone as usize] != Some(at) => PHONE,
                _ => continue,
            };
            if !self.keep_contact_details {
                let hash = normalise(namespace, &item.text, self.identity).id().map(Cow::into_owned);
                item.text = hash.map_or(Cow::Borrowed(""), Cow::Owned);
                item.name = Cow::Owned(format!("{}_hash", item.name));
            }
        }
        // JSON's own numbers have a point, whatever the texts beside them have.
        if let Some(at) = best[Field::Value as usize].filter(|at| self.comma && found[*at].value.is_number()) {
            found[at].text = Cow::Owned(found[at].text.replace('.', ","));
        }
        let mut row = Row::new();
        let mut owners = Vec::new();
        for (field, at) in Field::ALL.iter().zip(best).filter_map(|(field, at)| Some((*field, at?))) {
            row.set(field, &found[at].text);
            owners.push((field, found[at].name.to_string()));
        }
        for (field, value) in &self.constants {
            row.set(*field, value);
        }
        for (at, item) in found.iter().enumerate().filter(|(_, item)| !item.text.is_empty()) {
            match &item.target {
                Target::Click(parameter) if click == Some(at) => row.click = Some((parameter, &item.text)),
                Target::Utm(_) => row.tags.push((&item.name, &item.text)),
                Target::Field(field) if best[*field as usize] == Some(at) => {}
                _ if item.nested => {} // the object that holds it is kept whole
                _ if matches!(item.value, Value::String(_)) => row.extra.push((&item.name, Member::Text(&item.text))),
                _ => row.extra.push((&item.name, Member::Json(Cow::Borrowed(&item.text)))),
            }
        }
        row.tags.sort_unstable();
        row.tags.dedup_by_key(|(name, _)| *name);
        row.extra.sort_unstable_by_key(|(name, _)| *name);
        Some(then(&row, &owners))
    }
}

/// The kind of contact detail that goes by a name; asked for every member of nested objects.
fn contact(name: &str) -> Option<&'static str> {
    let goes_by = |field: Field| field.synonyms().iter().any(|synonym| field::alike(synonym, name));
    [(Field::Email, EMAIL), (Field::Phone, PHONE)].into_iter().find_map(|(field, kind)| goes_by(field).then_some(kind))
}

/// A member of a list such as Google Analytics writes: `{"key": …, "value": {"string_value": …}}`.
fn parameter(item: &Value) -> Option<(&str, &Value)> {
    let members = item.as_object()?;
    let (name, value) = (members.get("key")?.as_str()?, members.get("value")?);
    let value = match value {
        Value::Object(kinds) => kinds.values().find(|value| !value.is_null())?,
        value => value,
    };
    Some((name, value))
}

fn parameters(value: &Value) -> Option<Map<String, Value>> {
    let list = value.as_array().filter(|list| !list.is_empty())?;
    list.iter().map(|item| parameter(item).map(|(name, value)| (name.to_owned(), value.clone()))).collect()
}

/// What a sample of objects shows.
#[derive(Default)]
pub(crate) struct Sample {
    /// The keys and what becomes of them.
    pub columns: Vec<ColumnMapping>,
    /// Texts of the fields whose writing is told by all of them together.
    pub times: Vec<String>,
    pub received: Vec<String>,
    pub values: Vec<String>,
}

/// The keys of the first objects and what becomes of them.
pub(crate) fn columns_of(
    Opened { head, whole, .. }: &Opened,
    array: bool,
    stated: &Stated,
    identity: &IdentitySettings,
) -> Sample {
    let mut end = head.len();
    if !(*whole || head.len() < HEAD || array) {
        end = memchr::memrchr(b'\n', head).map_or(end, |end| end + 1);
    }
    let mut splitter = JsonSplitter::new(&head[..end], array);
    let mut reader = JsonReader::new(stated, identity, false, false);
    let Sample { mut columns, mut times, mut received, mut values } = Sample::default();
    while let Ok(Some(chunk)) = splitter.next_chunk() {
        for (_, start, end) in chunk.records.iter().take(1000) {
            reader.read(&chunk.text[*start as usize..*end as usize], |row, owners| {
                for (field, name) in owners {
                    let target = Target::Field(*field);
                    if !columns.iter().any(|known| known.target == target && known.column == *name) {
                        let how = stated
                            .columns
                            .iter()
                            .find(|(known, ..)| *known == target)
                            .map_or(How::WellKnown, |(.., how)| how.clone());
                        columns.push(ColumnMapping { column: name.clone(), target, how });
                    }
                }
                let others = row.extra.iter().map(|(name, _)| (*name, Target::Property, How::Unknown));
                let tags = row.tags.iter().map(|(name, _)| (*name, Target::Utm((*name).to_owned()), How::WellKnown));
                let clicks = row.click.iter().map(|(name, _)| (*name, Target::Click(name), How::WellKnown));
                for (name, target, how) in others.chain(tags).chain(clicks) {
                    if !columns.iter().any(|known| known.column == name) {
                        columns.push(ColumnMapping { column: name.to_owned(), target, how });
                    }
                }
                for (field, texts) in
                    [(Field::OccurredAt, &mut times), (Field::ReceivedAt, &mut received), (Field::Value, &mut values)]
                {
                    if !row.get(field).is_empty() {
                        texts.push(row.get(field).to_owned());
                    }
                }
            });
        }
    }
    columns.sort_by(|a, b| a.column.cmp(&b.column));
    Sample { columns, times, received, values }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn objects_of_an_array_and_of_lines() {
        let text = "[{\"a\":\"}\\\"\"},\n {\"b\":{\"c\":[1]}},\n oops\n{\"d\":1}]";
        let chunk = JsonSplitter::new(text.as_bytes(), true).next_chunk().unwrap().unwrap();
        let seen: Vec<_> =
            chunk.records.iter().map(|(line, start, end)| (*line, &text[*start as usize..*end as usize])).collect();
        assert_eq!(seen, [(1, "{\"a\":\"}\\\"\"}"), (2, "{\"b\":{\"c\":[1]}}"), (4, "{\"d\":1}")]);
        assert_eq!((chunk.broken[0].line, chunk.broken[0].raw.as_str()), (3, "oops"));
        let chunk = JsonSplitter::new(&b"{}\n\n\xff\n{}"[..], false).next_chunk().unwrap().unwrap();
        assert_eq!(chunk.records.iter().map(|record| record.0).collect::<Vec<_>>(), [1, 4]);
        assert_eq!((chunk.broken[0].line, chunk.broken[0].reason), (3, reason::NOT_UTF8));
    }

    #[test]
    fn a_line_without_an_end_is_given_up() {
        let text = format!("{{}}\n[{}]\n{{\"a\":1}}\n[{}", "1,".repeat(LINE_MAX), "2,".repeat(LINE_MAX / 2));
        let mut splitter = JsonSplitter::new(text.as_bytes(), false);
        let (mut lines, mut broken) = (Vec::new(), Vec::new());
        while let Some(chunk) = splitter.next_chunk().unwrap() {
            assert!(chunk.text.len() <= BLOCK + LINE_MAX && splitter.carry.len() <= LINE_MAX);
            lines.extend(chunk.records.iter().map(|record| record.0));
            broken.extend(chunk.broken.iter().map(|broken| (broken.line, broken.reason)));
        }
        let reason = reason::LINE_TOO_LONG;
        assert_eq!((lines, broken), (vec![1, 3], vec![(2, reason), (4, reason)]));
    }

    proptest! {
        #[test]
        fn any_bytes_are_split(bytes in proptest::collection::vec(prop_oneof![Just(b'{'), Just(b'}'), Just(b'"'), Just(b'\n'), any::<u8>()], 0..200), array: bool) {
            let mut splitter = JsonSplitter::new(bytes.as_slice(), array);
            while let Some(chunk) = splitter.next_chunk().unwrap() {
                prop_assert!(chunk.records.iter().all(|(_, start, end)| chunk.text.get(*start as usize..*end as usize).is_some()));
            }
        }
    }
}
