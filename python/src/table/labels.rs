//! Text as tables hold it: plain or as a dictionary (a categorical), read where it lies.
use crate::names::Names;
use arrow_array::{
    Array, ArrayRef, LargeStringArray, StringArray, StringViewArray,
    cast::AsArray,
    types::{
        ArrowDictionaryKeyType, Int8Type, Int16Type, Int32Type, Int64Type, UInt8Type, UInt16Type, UInt32Type,
        UInt64Type,
    },
};
use arrow_buffer::ArrowNativeType;
use arrow_schema::DataType;
use safar_model::ChannelId;

/// Text by index, wherever it lies.
pub enum Labels {
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

/// Why a label names no channel.
pub enum Wrong {
    /// There is none.
    Null,
    /// It is blank.
    Empty,
    /// No number is left for it.
    TooMany,
}

impl Labels {
    /// The texts of `array`; `None` where it holds none.
    pub fn new(array: &ArrayRef) -> Option<Self> {
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
    pub fn get(&self, index: usize) -> Option<&str> {
        match self {
            Self::Small(texts) => texts.is_valid(index).then(|| texts.value(index)),
            Self::Large(texts) => texts.is_valid(index).then(|| texts.value(index)),
            Self::View(texts) => texts.is_valid(index).then(|| texts.value(index)),
            Self::Dictionary { key, values, .. } => values.get(key(index)?),
        }
    }

    /// The channel that the label as a whole names.
    pub fn channel(&mut self, index: usize, names: &mut Names) -> Result<ChannelId, Wrong> {
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
