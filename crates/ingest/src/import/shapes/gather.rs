//! The files of an import that are of a known shape → events and costs; all others are left to the import of events.
use super::{
    SHAPES, Shape,
    event::Spooled,
    lookup::Lookups,
    names, read,
    reading::{Fault, Reading},
    recognise::{self, Claim, Found, Peeked},
    record::{Cells, Record},
    rejected::Rejected,
    wrap,
};
use crate::import::{
    Rules,
    costs::FileCosts,
    error::Error,
    input::Input,
    mapping::{self, Stated},
    report::Progress,
    settings::ImportOptions,
    sniff::Format,
};
use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// What the files of known shapes tell, and the other files.
#[derive(Default)]
pub(crate) struct Shaped {
    pub files: Vec<ShapedFile>,
    /// Files of no known shape, and what each nearly is.
    pub others: Vec<(Input, Option<Claim>)>,
    /// Tables of connectors that are set aside, with the reason.
    pub aside: Vec<(String, String)>,
    /// Whether there are tables of connectors that a shape knows.
    pub tables: bool,
}

/// What one file told.
pub(crate) struct ShapedFile {
    pub input: Input,
    pub format: Format,
    pub title: &'static str,
    /// Whether its events are mapped by well-known names, since no shape knows the table.
    pub plain: bool,
    pub events: Spooled,
    pub costs: FileCosts,
    pub left_out: BTreeMap<&'static str, u64>,
    pub rejects: Rejected,
    pub notes: Vec<String>,
}

/// Rows of a table that no shape knows, without what the connector added.
static WRAPPED: Shape = Shape { name: "wrapped", title: "a connector's table of events", row: pass_on, ..Shape::PLAIN };

fn pass_on(reading: &mut Reading<'_>, row: &Record<'_>) -> Result<(), Fault> {
    let object: Map<String, Value> = match &row.cells {
        Cells::Object(object) => {
            let own = object.iter().filter(|(name, value)| !wrap::is_added(name) && !value.is_null());
            own.map(|(name, value)| (name.clone(), value.clone())).collect()
        }
        Cells::Texts(texts) => {
            let own =
                row.sheet.headers.iter().zip(*texts).filter(|(name, text)| !wrap::is_added(name) && !text.is_empty());
            own.map(|(name, text)| (name.clone(), Value::from(*text))).collect()
        }
    };
    Ok(reading.spool.push_line(&Value::Object(object).to_string(), row.line)?)
}

/// Whether the command or a saved mapping says how a file is read.
fn is_stated(rules: Rules<'_>, options: &ImportOptions, input: &Input) -> Result<bool, Error> {
    Ok(!options.columns.is_empty() || mapping::saved_for(rules.import, options, input)?.is_some())
}

fn named(options: &ImportOptions) -> Result<Option<&'static Shape>, Error> {
    let Some(name) = options.shape.as_deref().filter(|name| *name != "events") else { return Ok(None) };
    let hint = format!("use one of {}", names());
    let found = SHAPES.iter().copied().find(|shape| shape.name == name);
    found.map(Some).ok_or(Error::Setting { what: "shape of files", value: name.to_owned(), hint })
}

/// Reads every file of a known shape.
pub(crate) fn gather(
    rules: Rules<'_>,
    options: &ImportOptions,
    inputs: Vec<Input>,
    progress: &dyn Progress,
) -> Result<Shaped, Error> {
    let mut shaped = Shaped::default();
    let forced = named(options)?;
    let plain = options.shape.as_deref() == Some("events");
    let mut found: Vec<(Input, &'static Shape, Peeked, Stated)> = Vec::new();
    let mut wrapped = Vec::new();
    for input in inputs {
        if plain || is_stated(rules, options, &input)? {
            shaped.others.push((input, None));
            continue;
        }
        let stated = Stated::gather(rules.import, options, &input)?;
        let mut input = input.ahead()?;
        if input.text.as_deref().is_some_and(|text| text.starts_with(b"PAR1")) {
            input = input.on_disk()?; // Parquet is read from its end
        }
        match recognise::look(&input.peek(), &stated, forced)? {
            Found::Shape(shape, _) if !shape.tells && input.named => {
                return Err(Error::TellsNothing { file: input.name, title: shape.title, hint: shape.hint });
            }
            Found::Shape(shape, _) if !shape.tells => {
                shaped.aside.push((input.name, format!("{}, which tells no events", shape.title)));
            }
            Found::Shape(shape, peeked) => {
                stated.without_goal(&input.name)?;
                let mut columns = shape.columns.iter();
                if let Some(two) = columns.find_map(|column| column.twice(&peeked.sheet.headers)) {
                    let ([one, other], file) = (two.map(str::to_owned), input.name);
                    return Err(Error::TwoColumns { file, one, other });
                }
                found.push((input.on_disk()?, shape, peeked, stated));
            }
            Found::Wrapped(peeked) => wrapped.push((input.on_disk()?, peeked, stated)),
            Found::Claim(claim) if forced.is_some() => return Err(Error::of_claim(&input.name, claim)),
            Found::Claim(claim) => shaped.others.push((input, Some(claim))),
            Found::Nothing if forced.is_some() => {
                let why = "it is empty, or none of its first rows names columns".to_owned();
                return Err(Error::UnknownFormat { file: input.name, why });
            }
            Found::Nothing => shaped.others.push((input, None)),
        }
    }
    let is_table = |shape: &Shape| shape.family.is_some() || shape.utc || shape.turn < 2;
    shaped.tables = found.iter().any(|(_, shape, ..)| is_table(shape));
    for (input, peeked, stated) in wrapped {
        // Beside tables that are known, one that is not known is part of the connector's own book-keeping.
        if shaped.tables && !input.named {
            shaped.aside.push((input.name, "a connector's table that no shape knows".to_owned()));
            continue;
        }
        let columns = mapping::resolve(&input.name, &peeked.sheet.headers, &stated, true)?;
        match mapping::check(&input.name, &columns, &stated, &[]) {
            Ok(()) => found.push((input, &WRAPPED, peeked, stated)),
            Err(_) if !input.named => {
                shaped.aside.push((input.name, "a connector's table that tells no events".to_owned()));
            }
            Err(Error::NotEvents { file, why, columns }) => {
                let why = format!(
                    "{why}; it is a connector's table that no shape knows: import the folder of all tables, which sets such ones aside"
                );
                return Err(Error::NotEvents { file, why, columns });
            }
            Err(error) => return Err(error),
        }
    }
    one_level(&mut found, &mut shaped.aside);
    // The sides that are looked up are read first; of the others, the order of the command is kept.
    found.sort_by_key(|(_, shape, ..)| shape.turn);
    let mut lookups = Lookups::default();
    for (input, shape, peeked, stated) in found {
        let layout = peeked.layout_of(&input.name, shape, &stated)?;
        let currency = rules.import.default_currency.as_deref().unwrap_or("EUR");
        let mut reading = Reading::new(shape, &input.name, &stated, layout, options, currency, &mut lookups)?;
        progress.file(&input.name, input.size);
        read::file(&mut reading, &input, &peeked, progress)?;
        let told = reading.finish()?;
        shaped.files.push(ShapedFile {
            format: peeked.format,
            title: shape.title,
            plain: std::ptr::eq(shape, &WRAPPED),
            input,
            events: told.events,
            costs: told.costs,
            left_out: told.left_out,
            rejects: told.rejects,
            notes: told.notes,
        });
    }
    Ok(shaped)
}

/// How fine the rows of a table of costs are: 0 is best, a campaign and a day.
fn level(headers: &[String]) -> u8 {
    let has = |names: &[&str]| headers.iter().any(|header| names.iter().any(|name| super::column::same(header, name)));
    if has(&["country", "country_code", "region", "location_id", "age", "gender"]) {
        5
    } else if has(&[
        "ad_group_criterion_criterion_id",
        "keyword_id",
        "search_term",
        "search_query",
        "keyword_ad_group_criterion",
    ]) && !has(&["ad_id"])
    {
        4
    } else if has(&["ad_id", "creative_id"]) {
        2
    } else if has(&["ad_group_id", "adgroup_id", "ad_set_id", "base_ad_group", "adset_id"]) {
        1
    } else if has(&["campaign_id", "campaign.id", "base_campaign", "campaign_name"]) {
        0
    } else {
        3
    }
}

/// Of tables that tell the same money at several levels, keeps the best one.
fn one_level(found: &mut Vec<(Input, &'static Shape, Peeked, Stated)>, aside: &mut Vec<(String, String)>) {
    let mut best: BTreeMap<&str, u8> = BTreeMap::new();
    for (_, shape, peeked, _) in found.iter() {
        if let Some(family) = shape.family {
            let level = level(&peeked.sheet.headers);
            best.entry(family).and_modify(|known| *known = level.min(*known)).or_insert(level);
        }
    }
    found.retain(|(input, shape, peeked, _)| {
        let other = shape.family.is_some_and(|family| best.get(family) != Some(&level(&peeked.sheet.headers)));
        if other {
            aside.push((
                input.name.clone(),
                "the same money as another table of this import, in other detail".to_owned(),
            ));
        }
        !other
    });
}
