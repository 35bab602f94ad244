//! The path column: lists of channel names, or text with a separator.
use super::{
    Problem,
    labels::{Labels, Wrong},
    spans::Spans,
};
use crate::names::Names;
use arrow_array::ArrayRef;
use safar_model::ChannelId;

/// The touches of one batch.
pub struct Touches<'a> {
    /// Where the labels of each row are; `None` where a row is one text, to be split.
    spans: Option<Spans>,
    labels: Labels,
    column: &'a str,
    before: usize,
}

impl<'a> Touches<'a> {
    pub fn new(array: &ArrayRef, column: &'a str, before: usize) -> Result<Self, Problem> {
        let (spans, labels) = match Spans::of(array) {
            Some((spans, labels)) => (Some(spans), Labels::new(&labels)),
            None => (None, Labels::new(array)),
        };
        let labels = labels.ok_or_else(|| {
            let kind = array.data_type();
            Problem::table(format!(
                "column `{column}` holds {kind}; a path column holds lists of text, or text in which a separator \
                 stands between the channels"
            ))
        })?;
        Ok(Self { spans, labels, column, before })
    }

    /// Writes the channels of the path at `row`, oldest first.
    pub fn read(
        &mut self,
        row: usize,
        separator: &str,
        names: &mut Names,
        channels: &mut Vec<ChannelId>,
    ) -> Result<(), Problem> {
        let Some(spans) = &self.spans else { return self.split(row, separator, names, channels) };
        for index in spans.get(row).ok_or_else(|| self.absent(row))? {
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
