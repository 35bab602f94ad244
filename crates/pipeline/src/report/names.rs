//! Texts of a result, and numbers for them.
use crate::Result;
use arrow::{
    array::{AsArray, RecordBatch},
    compute::cast,
    datatypes::DataType,
};
use hashbrown::HashMap;
use safar_model::ChannelId;

/// Labels interned in the order in which they were first seen.
#[derive(Default)]
pub(crate) struct Names {
    pub names: Vec<String>,
    ids: HashMap<String, ChannelId>,
}

impl Names {
    pub fn id(&mut self, name: &str) -> ChannelId {
        if let Some(id) = self.ids.get(name) {
            return *id;
        }
        let id = ChannelId(u32::try_from(self.names.len()).unwrap_or(u32::MAX));
        self.names.push(name.to_owned());
        self.ids.insert(name.to_owned(), id);
        id
    }
}

/// A text column, however it is encoded.
pub(crate) fn strings(batch: &RecordBatch, index: usize) -> Result<Vec<Option<String>>> {
    let column = cast(batch.column(index), &DataType::Utf8)?;
    Ok(column.as_string::<i32>().iter().map(|text| text.map(str::to_owned)).collect())
}

/// A property as text.
pub(crate) fn property(json: &str, name: &str) -> Option<String> {
    match serde_json::from_str::<serde_json::Value>(json).ok()?.get(name)? {
        serde_json::Value::Null => None,
        serde_json::Value::String(text) => Some(text.clone()),
        other => Some(other.to_string()),
    }
}
