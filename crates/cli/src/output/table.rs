//! Tables for the eye: aligned columns, rounded numbers, bars.
use super::{
    layout::{Layout, PADDING, folded, layout, width},
    texts,
};
use anyhow::Result;
use arrow::{
    array::{Array, ArrayRef, AsArray, RecordBatch, StringArray},
    compute::cast,
    datatypes::{DataType, Float64Type},
};
use comfy_table::{ColumnConstraint, ContentArrangement, Table, Width, presets};
use std::sync::Arc;

pub use comfy_table::CellAlignment as Alignment;

/// Rows of text cells under a header.
pub struct Grid {
    header: Vec<(String, Alignment)>,
    rows: Vec<Vec<String>>,
}

impl Grid {
    /// A column without a name belongs to the one before it.
    pub fn new<T: Into<String>>(header: impl IntoIterator<Item = (T, Alignment)>) -> Self {
        let header = header.into_iter().map(|(name, alignment)| (name.into(), alignment));
        Self { header: header.collect(), rows: vec![] }
    }

    pub fn row(&mut self, cells: Vec<String>) {
        self.rows.push(cells);
    }

    /// A record batch as it stands; floating-point columns are rounded to two decimals, those within ±1 to four.
    pub fn of(batch: &RecordBatch) -> Result<Self> {
        let schema = batch.schema();
        let mut grid = Self::new(schema.fields().iter().map(|field| {
            let alignment = if field.data_type().is_numeric() { Alignment::Right } else { Alignment::Left };
            (field.name().clone(), alignment)
        }));
        let mut columns = texts(batch)?;
        for (column, cells) in batch.columns().iter().zip(&mut columns) {
            if column.data_type() == &DataType::Float64 {
                let numbers = column.as_primitive::<Float64Type>();
                let decimals = if numbers.iter().flatten().all(|value| value.abs() <= 1.0) { 4 } else { 2 };
                *cells = numbers
                    .iter()
                    .map(|value| value.map_or_else(String::new, |value| number(value, decimals)))
                    .collect();
            }
        }
        for index in 0..batch.num_rows() {
            grid.row(columns.iter().map(|column| column[index].clone()).collect());
        }
        Ok(grid)
    }

    /// As wide as it is, or, on a terminal, as wide as that.
    pub fn render(&self) -> String {
        let terminal = Table::new();
        self.render_within(terminal.width().filter(|_| terminal.is_tty()).map(usize::from))
    }

    fn render_within(&self, room: Option<usize>) -> String {
        let names: Vec<&str> = self.header.iter().map(|(name, _)| name.as_str()).collect();
        let cells = (0..names.len()).map(|column| self.rows.iter().map(|row| width(&row[column])).max().unwrap_or(0));
        let layout = layout(&names, &cells.collect::<Vec<_>>(), room);
        let blocks = layout.blocks.iter().map(|columns| self.block(columns, &layout, room));
        blocks.collect::<Vec<_>>().join("\n")
    }

    /// Some of the columns.
    fn block(&self, columns: &[usize], layout: &Layout, room: Option<usize>) -> String {
        let mut table = Table::new();
        table.load_preset(presets::NOTHING).set_content_arrangement(ContentArrangement::Disabled);
        table.set_header(columns.iter().map(|column| folded(&self.header[*column].0, layout.widths[*column])));
        for row in &self.rows {
            table.add_row(columns.iter().map(|column| &row[*column]));
        }
        if let Some(room) = room {
            // Only texts can be longer than what was laid out for them.
            table
                .set_content_arrangement(ContentArrangement::Dynamic)
                .set_width(u16::try_from(room).unwrap_or(u16::MAX));
        }
        for (at, column) in columns.iter().enumerate() {
            if let Some(shown) = table.column_mut(at) {
                shown.set_cell_alignment(self.header[*column].1);
                if room.is_some() {
                    let width = u16::try_from(layout.widths[*column] + PADDING).unwrap_or(u16::MAX);
                    shown.set_constraint(ColumnConstraint::Absolute(Width::Fixed(width)));
                }
            }
        }
        let mut out = String::new();
        for line in table.lines() {
            out.push_str(line.trim_end());
            out.push('\n');
        }
        out
    }
}

/// How wide bars are.
const BAR_WIDTH: usize = 20;

/// Figures of several units side by side made readable, each in its own unit, and a bar for each number of the column `bars`.
pub fn with_bars(batch: &RecordBatch, bars: Option<&str>) -> Result<RecordBatch> {
    let schema = batch.schema();
    let units = match batch.column_by_name("unit") {
        Some(units) => super::text_column(units)?,
        None => vec![],
    };
    let mut columns: Vec<(String, ArrayRef)> = vec![];
    for (field, column) in schema.fields().iter().zip(batch.columns()) {
        let column = match column.data_type() {
            DataType::Float64 if !units.is_empty() => {
                let of = |row: usize| if field.name() == "change" { "percent" } else { units[row].as_str() };
                let numbers = column.as_primitive::<Float64Type>().iter().enumerate();
                let texts = numbers.map(|(row, value)| value.map(|value| figure(value, of(row))));
                Arc::new(texts.collect::<StringArray>()) as ArrayRef
            }
            _ => Arc::clone(column),
        };
        columns.push((field.name().clone(), column));
    }
    if let Some(numbers) = bars.and_then(|name| batch.column_by_name(name)) {
        let numbers = cast(numbers, &DataType::Float64)?;
        let numbers = numbers.as_primitive::<Float64Type>();
        let most = numbers.iter().flatten().fold(0.0, f64::max);
        let bars = numbers.iter().map(|value| Some(bar(value.unwrap_or(0.0), most, BAR_WIDTH)));
        columns.push((String::new(), Arc::new(bars.collect::<StringArray>())));
    }
    Ok(RecordBatch::try_from_iter_with_nullable(columns.into_iter().map(|(name, column)| (name, column, true)))?)
}

fn figure(value: f64, unit: &str) -> String {
    match unit {
        "percent" => format!("{} %", number(value * 100.0, 2)),
        "people" | "sessions" if value.fract() == 0.0 => number(value, 0),
        _ => number(value, 2),
    }
}

/// A number with thousands separated by thin groups of three and `decimals` digits after the point.
pub fn number(value: f64, decimals: usize) -> String {
    if !value.is_finite() {
        return String::new();
    }
    let text = format!("{:.decimals$}", value.abs());
    let (whole, fraction) =
        text.split_once('.').map_or((text.as_str(), None), |(whole, fraction)| (whole, Some(fraction)));
    let mut out = String::new();
    if value < 0.0 && text.bytes().any(|digit| (b'1'..=b'9').contains(&digit)) {
        out.push('-');
    }
    for (index, digit) in whole.chars().enumerate() {
        if index > 0 && (whole.len() - index).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    if let Some(fraction) = fraction {
        out.push('.');
        out.push_str(fraction);
    }
    out
}

/// A bar of at most `width` cells for `value` of `most`, in eighths of a cell.
pub fn bar(value: f64, most: f64, width: usize) -> String {
    const EIGHTHS: [char; 8] = [' ', '▏', '▎', '▍', '▌', '▋', '▊', '▉'];
    if !(value > 0.0 && most > 0.0) {
        return String::new();
    }
    let eighths = ((value / most).min(1.0) * (width * 8) as f64).round() as usize;
    let mut out = "█".repeat(eighths / 8);
    if !eighths.is_multiple_of(8) {
        out.push(EIGHTHS[eighths % 8]);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_grouped_and_never_minus_zero() {
        assert_eq!(number(1_234_567.891, 2), "1,234,567.89");
        assert_eq!(number(-0.001, 2), "0.00");
        assert_eq!(number(-1234.5, 0), "-1,234");
        assert_eq!(number(999.0, 0), "999");
    }

    #[test]
    fn numbers_and_names_stay_whole_in_a_narrow_window() {
        let head = [("channel", Alignment::Left), ("credit first", Alignment::Right), ("", Alignment::Left)];
        let mut grid = Grid::new(head.into_iter().chain([("credit last", Alignment::Right), ("", Alignment::Left)]));
        for (name, first, last) in [("Organic Search", 1238.0, 7.5), ("Direct", 403.25, 0.0)] {
            let bar = |value| bar(value, 1238.0, 8);
            grid.row(vec![name.to_owned(), number(first, 2), bar(first), number(last, 2), bar(last)]);
        }
        let wide = grid.render_within(Some(100));
        assert_eq!(wide, grid.render_within(None));
        assert_eq!(wide.lines().count(), 3);
        let narrow = grid.render_within(Some(40));
        assert!(narrow.lines().all(|line| width(line) <= 40), "{narrow}");
        assert_eq!(narrow.matches("Organic Search").count(), 2, "{narrow}");
        assert_eq!(narrow.matches("1,238.00  ████████").count(), 1, "{narrow}");
    }

    #[test]
    fn a_bar_is_full_at_the_most() {
        assert_eq!(bar(10.0, 10.0, 4), "████");
        assert_eq!(bar(5.0, 10.0, 4), "██");
        assert_eq!(bar(0.0, 10.0, 4), "");
        assert_eq!(bar(1.0, 32.0, 4), "▏");
    }
}
