//! The path column: lists of channel names, or text with a separator; plain or as a dictionary (a categorical).
use super::Problem;
use crate::names::Names;
use arrow_array::{
    Array, ArrayRef, GenericListArray, LargeStringArray, OffsetSizeTrait, StringArray,
    StringViewArray,
    cast::AsArray,
    types::{
        ArrowDictionaryKeyType, Int8Type, Int16Type, Int32Type, Int64Type, UInt8Type, UInt16Type, UInt32Type,
        UInt64Type,
    },
};
use arrow_buffer::ArrowNativeType;
use arrow_cast::cast;
use arrow_schema::DataType;
use safar_model::ChannelId;
use std::{ops::Range, sync::Arc};

/// The touches of one batch.
pub struct Touches<'a> {
    layout: Layout,
    labels: Labels,
    column: &'a str,
    before: usize,
}

/// Where the touches of a row are.
enum Layout {
    /// One text a row, to be split.
    Text,
    /// A span of labels a row.
    Small(GenericListArray<i32>),
    Large(GenericListArray<i64>),
}

/// Text by index, wherever it lies.
enum Labels {
    Small(StringArray),
    Large(LargeStringArray),
    View(StringViewArray),
    Dictionary {
        /// The value of a label, if there is one.
        key: Box<dyn Fn(usize) -> Option<usize> + Send + Sync>,
        values: Box<Labels>,
        /// The channel of each value that was met as a whole label.
        known: Vec<Option<ChannelId>>,
    },
}

const KINDS: &str = "lists of text, or text in which a separator stands between the channels";

impl<'a> Touches<'a> {
    pub fn new(array: &ArrayRef, column: &'a str, before: usize) -> Result<Self, Problem> {
        let wrong = || {
            let kind = array.data_type();
            Problem::table(format!("column `{column}` holds {kind}; a path column holds {KINDS}"))
        };
        let (layout, labels) = match array.data_type() {
            DataType::List(_) => {
                let lists = array.as_list::<i32>();
                (Layout::Small(lists.clone()), Labels::new(lists.values()))
            }
            DataType::LargeList(_) => {
                let lists = array.as_list::<i64>();
                (Layout::Large(lists.clone()), Labels::new(lists.values()))
            }
            DataType::ListView(field) | DataType::LargeListView(field) | DataType::FixedSizeList(field, _) => {
                let lists = cast(array, &DataType::LargeList(Arc::clone(field))).map_err(|_| wrong())?;
                return Self::new(&lists, column, before);
            }
            _ => (Layout::Text, Labels::new(array)),
        };
        Ok(Self { layout, labels: labels.ok_or_else(wrong)?, column, before })
    }

    /// Writes the channels of the path at `row`, oldest first.
    pub fn read(
        &mut self,
        row: usize,
        separator: &str,
        names: &mut Names,
        channels: &mut Vec<ChannelId>,
    ) -> Result<(), Problem> {
        let span = match &self.layout {
            Layout::Text => return self.split(row, separator, names, channels),
            Layout::Small(lists) => span(lists, row),
            Layout::Large(lists) => span(lists, row),
        };
        for index in span.ok_or_else(|| self.absent(row))? {
            channels.push(self.labels.channel(index, names).map_err(|wrong| self.wrong(row, wrong))?);
        }
        Ok(())
    }

    /// As files of paths are split: spaces around names do not count, blank text is a path without a touch.
    fn split(
        &self,
        row: usize,
        separator: &str,
        names: &mut Names,
        channels: &mut Vec<ChannelId>,
    ) -> Result<(), Problem> {
        let text = self.labels.get(row).ok_or_else(|| self.absent(row))?;
        if text.trim_ascii().is_empty() {
            return Ok(());
        }
        for name in text.split(separator).map(str::trim_ascii) {
            if name.is_empty() {
                let (problem, hint) = ("a channel without a name in", "put a name on both sides of every separator");
                return Err(Problem::row(self.before + row, self.column, problem, text, hint));
            }
            channels.push(names.intern(name).ok_or_else(|| self.wrong(row, Wrong::TooMany))?);
        }
        Ok(())
    }

    fn absent(&self, row: usize) -> Problem {
        let hint = "write an empty list or text where no touch came before the conversion";
        Problem::row(self.before + row, self.column, "no path", "null", hint)
    }

    fn wrong(&self, row: usize, wrong: Wrong) -> Problem {
        let (value, hint) = match wrong {
            Wrong::Null => ("null", "name every touch, or leave it out"),
            Wrong::Empty => ("", "name every touch, or leave it out"),
            Wrong::TooMany => ("", "more than 4 billion channels were met; check that this is the path column"),
        };
        Problem::row(self.before + row, self.column, "a channel without a name:", value, hint)
    }
}

/// The labels of a row; `None` where there is no list.
fn span<O: OffsetSizeTrait>(lists: &GenericListArray<O>, row: usize) -> Option<Range<usize>> {
    let offsets = lists.value_offsets();
    lists.is_valid(row).then(|| offsets[row].as_usize()..offsets[row + 1].as_usize())
}

/// Why a label names no channel.
enum Wrong {
    Null,
    Empty,
    TooMany,
}

impl Labels {
    fn new(array: &ArrayRef) -> Option<Self> {
        Some(match array.data_type() {
            DataType::Utf8 => Self::Small(array.as_string().clone()),
            DataType::LargeUtf8 => Self::Large(array.as_string().clone()),
            DataType::Utf8View => Self::View(array.as_string_view().clone()),
            DataType::Dictionary(..) => {
                let values = array.as_any_dictionary().values();
                let known = vec![None; values.len()];
                Self::Dictionary { key: keys(array)?, values: Box::new(Self::new(values)?), known }
            }
            // A column of nulls alone, such as a list column whose lists are all empty.
            DataType::Null => Self::Small(StringArray::new_null(array.len())),
            _ => return None,
        })
    }

    /// The text; `None` where there is none.
    fn get(&self, index: usize) -> Option<&str> {
        match self {
            Self::Small(texts) => texts.is_valid(index).then(|| texts.value(index)),
            Self::Large(texts) => texts.is_valid(index).then(|| texts.value(index)),
            Self::View(texts) => texts.is_valid(index).then(|| texts.value(index)),
            Self::Dictionary { keys, indices, values, .. } => {
                if keys.is_null(index) {
                    None
                } else {
                    values.get(indices[index])
                }
            }
        }
    }

    /// The channel that the label as a whole names.
    fn channel(&mut self, index: usize, names: &mut Names) -> Result<ChannelId, Wrong> {
        let place = match self {
            Self::Dictionary { key, known, .. } => {
                let place = key(index).ok_or(Wrong::Null)?;
                if let Some(channel) = known[place] {
                    return Ok(channel);
                }
                place
            }
            _ => 0,
        };
        let name = self.get(index).ok_or(Wrong::Null)?;
        if name.trim_ascii().is_empty() {
            return Err(Wrong::Empty);
        }
        let channel = names.intern(name).ok_or(Wrong::TooMany)?;
        if let Self::Dictionary { known, .. } = self {
            known[place] = Some(channel);
        }
        Ok(channel)
    }
}

/// Reads the keys of a dictionary where they lie; `None` where `array` is none. A key that names no value is no key.
fn keys(array: &ArrayRef) -> Option<Box<dyn Fn(usize) -> Option<usize> + Send + Sync>> {
    fn of<K: ArrowDictionaryKeyType>(array: &ArrayRef) -> Box<dyn Fn(usize) -> Option<usize> + Send + Sync> {
        let dictionary = array.as_dictionary::<K>();
        let (keys, values) = (dictionary.keys().clone(), dictionary.values().len());
        Box::new(move |index| {
            let key = keys.is_valid(index).then(|| keys.value(index).to_usize())?;
            key.filter(|key| *key < values)
        })
    }
    let DataType::Dictionary(kind, _) = array.data_type() else { return None };
    Some(match **kind {
        DataType::Int8 => of::<Int8Type>(array),
        DataType::Int16 => of::<Int16Type>(array),
        DataType::Int32 => of::<Int32Type>(array),
        DataType::Int64 => of::<Int64Type>(array),
        DataType::UInt8 => of::<UInt8Type>(array),
        DataType::UInt16 => of::<UInt16Type>(array),
        DataType::UInt32 => of::<UInt32Type>(array),
        DataType::UInt64 => of::<UInt64Type>(array),
        _ => return None,
    })
}
