//! What a path is a path of: small codes, or texts that are numbered as they come.
use super::walk::{CONVERSION, Mark, push_number, take_number};
use arrow::array::{Array, ArrayRef, AsArray, Int8Array, Int32Array, ListArray, StringBuilder};
use arrow::buffer::OffsetBuffer;
use arrow::datatypes::{DataType, Field, FieldRef, Int8Type, Int32Type};
use datafusion::common::{Result, exec_err, plan_err};
use hashbrown::HashTable;
use std::sync::Arc;
use xxhash_rust::xxh3::xxh3_64;

/// The touch has no label, so it is no touch.
pub(crate) const NO_LABEL: u32 = CONVERSION - 1;

/// What the channel column holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum LabelKind {
    /// Integers of one byte, not negative.
    Byte,
    /// Integers, not negative.
    Code,
    /// Texts.
    Text,
}

impl LabelKind {
    pub fn of(kind: &DataType) -> Result<Self> {
        match kind {
            DataType::Int8 => Ok(Self::Byte),
            DataType::Int16 | DataType::Int32 | DataType::UInt8 | DataType::UInt16 => Ok(Self::Code),
            DataType::Utf8 | DataType::Utf8View | DataType::LargeUtf8 => Ok(Self::Text),
            DataType::Dictionary(_, value) if Self::of(value)? == Self::Text => Ok(Self::Text),
            other => plan_err!("a channel is a text or an integer of at most 32 bits, not {other}"),
        }
    }

    /// The type of a whole path.
    pub fn path_type(self) -> DataType {
        DataType::List(self.item())
    }

    fn item(self) -> FieldRef {
        let kind = match self {
            Self::Byte => DataType::Int8,
            Self::Code => DataType::Int32,
            Self::Text => DataType::Utf8,
        };
        Arc::new(Field::new("element", kind, true))
    }
}

/// Numbers for the labels of one stream.
#[derive(Clone, Debug)]
pub(crate) enum Labels {
    Code,
    Text(Names),
}

/// Texts by number, in the order in which they came first.
#[derive(Clone, Debug, Default)]
pub(crate) struct Names {
    index: HashTable<u32>,
    names: Vec<Box<str>>,
}

impl Names {
    fn number(&mut self, name: &str) -> u32 {
        let hash = xxh3_64(name.as_bytes());
        let Self { index, names } = self;
        let same = |at: &u32| *names[*at as usize] == *name;
        if let Some(at) = index.find(hash, same) {
            return *at;
        }
        let at = names.len() as u32;
        index.insert_unique(hash, at, |at| xxh3_64(names[*at as usize].as_bytes()));
        names.push(name.into());
        at
    }
}

impl Labels {
    pub fn new(kind: LabelKind) -> Self {
        match kind {
            LabelKind::Byte | LabelKind::Code => Self::Code,
            LabelKind::Text => Self::Text(Names::default()),
        }
    }

    /// Fills `out` with the number of each row's label, [`NO_LABEL`] where it is null.
    pub fn read(&mut self, column: &ArrayRef, out: &mut Vec<u32>) -> Result<()> {
        out.clear();
        match self {
            Self::Code => {
                match column.data_type() {
                    // The usual code of a channel; worth a pass of its own.
                    DataType::Int8 => out
                        .extend(column.as_primitive::<Int8Type>().values().iter().map(|code| i32::from(*code) as u32)),
                    _ => {
                        let codes = arrow::compute::cast(column, &DataType::Int32)?;
                        out.extend(codes.as_primitive::<Int32Type>().values().iter().map(|code| *code as u32));
                    }
                }
                if let Some(valid) = column.nulls() {
                    out.iter_mut().zip(valid).filter(|(_, valid)| !valid).for_each(|(code, _)| *code = NO_LABEL);
                }
                if out.iter().fold(0, |all, code| all | code) & CONVERSION != 0 {
                    return exec_err!("a channel code is negative; codes are 0 and above");
                }
            }
            Self::Text(names) => match column.as_any_dictionary_opt() {
                Some(coded) if !coded.values().is_empty() => {
                    let mut numbers = vec![];
                    let values = arrow::compute::cast(coded.values(), &DataType::Utf8View)?;
                    numbers.extend(
                        values.as_string_view().iter().map(|name| name.map_or(NO_LABEL, |name| names.number(name))),
                    );
                    let valid = |row| column.is_valid(row);
                    let keys = coded.normalized_keys().into_iter().enumerate();
                    out.extend(keys.map(|(row, key)| if valid(row) { numbers[key] } else { NO_LABEL }));
                }
                Some(_) => out.resize(column.len(), NO_LABEL),
                None => {
                    let texts = arrow::compute::cast(column, &DataType::Utf8View)?;
                    // Neighbours often share a label.
                    let mut last: Option<(&str, u32)> = None;
                    for text in texts.as_string_view().iter() {
                        out.push(match (text, last) {
                            (None, _) => NO_LABEL,
                            (Some(text), Some((same, number))) if text == same => number,
                            (Some(text), _) => {
                                let number = names.number(text);
                                last = Some((text, number));
                                number
                            }
                        });
                    }
                }
            },
        }
        Ok(())
    }

    /// Sorts one person's marks by time; at one instant touches by label, then conversions by value: the same on
    /// every machine and in every layout.
    pub fn sort(&self, marks: &mut [Mark]) {
        if marks.windows(2).all(|pair| pair[0].at < pair[1].at) {
            return;
        }
        let name = |mark: &Mark| match self {
            Self::Text(names) if mark.tag & CONVERSION == 0 => &*names.names[mark.tag as usize],
            _ => "",
        };
        let code = |mark: &Mark| if matches!(self, Self::Code) { mark.tag } else { mark.tag & CONVERSION };
        marks.sort_unstable_by(|a, b| {
            (a.at, code(a))
                .cmp(&(b.at, code(b)))
                .then_with(|| name(a).cmp(name(b)))
                .then_with(|| a.value.total_cmp(&b.value))
        });
    }

    /// Whether a path's key means the same to every stream only once it is [spelled](Self::portable).
    pub fn are_spelled(&self) -> bool {
        matches!(self, Self::Text(_))
    }

    /// A path's key that means the same to every stream: codes as they are, texts in full, each after its length.
    pub fn portable<'a>(&self, key: &'a [u8], buffer: &'a mut Vec<u8>) -> &'a [u8] {
        let Self::Text(names) = self else { return key };
        buffer.clear();
        let mut rest = key;
        while let Some(number) = take_number(&mut rest) {
            push_text(buffer, &names.names[number as usize]);
        }
        buffer
    }

    /// The text of a label; `None` where labels are codes.
    pub fn text(&self, number: u32) -> Option<&str> {
        match self {
            Self::Code => None,
            Self::Text(names) => names.names.get(number as usize).map(|name| &**name),
        }
    }

    /// The number of a text.
    pub fn number(&mut self, text: &str) -> u32 {
        match self {
            Self::Code => NO_LABEL,
            Self::Text(names) => names.number(text),
        }
    }
}

/// Appends a text after its length.
pub(crate) fn push_text(out: &mut Vec<u8>, text: &str) {
    push_number(out, text.len() as u32);
    out.extend_from_slice(text.as_bytes());
}

/// Takes a text off the front.
pub(crate) fn take_text<'a>(bytes: &mut &'a [u8]) -> Option<&'a str> {
    let length = take_number(bytes)? as usize;
    let (text, rest) = bytes.split_at_checked(length)?;
    *bytes = rest;
    std::str::from_utf8(text).ok()
}

/// Portable keys as a column of paths.
pub(crate) struct PathColumn {
    lengths: Vec<usize>,
    labels: PathLabels,
}

/// The labels of path after path.
enum PathLabels {
    Byte(Vec<i8>),
    Code(Vec<i32>),
    Text(StringBuilder),
}

impl PathColumn {
    pub fn new(kind: LabelKind) -> Self {
        let labels = match kind {
            LabelKind::Byte => PathLabels::Byte(vec![]),
            LabelKind::Code => PathLabels::Code(vec![]),
            LabelKind::Text => PathLabels::Text(StringBuilder::new()),
        };
        Self { lengths: vec![], labels }
    }

    pub fn append(&mut self, mut key: &[u8]) {
        let mut length = 0;
        match &mut self.labels {
            // Small codes are as they are written.
            PathLabels::Byte(codes) => {
                codes.extend(key.iter().map(|code| *code as i8));
                length = key.len();
            }
            PathLabels::Code(codes) if key.is_ascii() => {
                codes.extend(key.iter().map(|code| i32::from(*code)));
                length = key.len();
            }
            PathLabels::Code(codes) => {
                while let Some(code) = take_number(&mut key) {
                    codes.push(code as i32);
                    length += 1;
                }
            }
            PathLabels::Text(texts) => {
                while let Some(text) = take_text(&mut key) {
                    texts.append_value(text);
                    length += 1;
                }
            }
        }
        self.lengths.push(length);
    }

    pub fn finish(self) -> ArrayRef {
        let (kind, labels): (_, ArrayRef) = match self.labels {
            PathLabels::Byte(codes) => (LabelKind::Byte, Arc::new(Int8Array::from(codes))),
            PathLabels::Code(codes) => (LabelKind::Code, Arc::new(Int32Array::from(codes))),
            PathLabels::Text(mut texts) => (LabelKind::Text, Arc::new(texts.finish())),
        };
        Arc::new(ListArray::new(kind.item(), OffsetBuffer::from_lengths(self.lengths), labels, None))
    }
}
