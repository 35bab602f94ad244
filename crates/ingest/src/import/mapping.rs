//! Which column becomes which field: what the command says, then a saved mapping, then well-known names.
use super::{
    error::Error,
    field::{self, Field, Target},
    input::{Encoding, Input},
    number::Decimal,
    settings::{How, ImportOptions, ImportSettings, SavedMapping},
    sniff::Format,
    time::{self, DateOrder, OrderSeen, TimeReader},
};
use jiff::tz::TimeZone;
use std::collections::{BTreeMap, BTreeSet};

/// A column and what becomes of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ColumnMapping {
    /// As the file calls it.
    pub column: String,
    /// What it becomes.
    pub target: Target,
    /// Who says so.
    pub how: How,
}

/// Everything stated about one input: the command over a saved mapping over the workspace.
#[derive(Clone, Debug)]
pub(crate) struct Stated {
    /// Field or tag → column, and who says so.
    pub columns: Vec<(Target, String, How)>,
    pub constants: Vec<(Field, String)>,
    pub format: Option<Format>,
    pub delimiter: Option<u8>,
    pub encoding: Option<Encoding>,
    pub zone: TimeZone,
    pub decimal: Option<Decimal>,
    pub date_order: Option<DateOrder>,
}

impl Stated {
    /// Gathers what is stated about an input.
    pub(crate) fn gather(settings: &ImportSettings, options: &ImportOptions, input: &Input) -> Result<Self, Error> {
        let saved = saved_for(settings, options, input)?;
        let none = SavedMapping::default();
        let saved_or = saved.unwrap_or(&none);
        let mut columns = Vec::new();
        let mut taken = BTreeSet::new();
        for (field, column) in &options.columns {
            taken.insert(field.as_str());
            columns.push((field::named(field)?, column.clone(), How::Stated));
        }
        for (field, column) in saved_or.columns.iter().filter(|(field, _)| !taken.contains(field.as_str())) {
            columns.push((field::named(field)?, column.clone(), How::Saved(saved_or.name.clone())));
        }
        let mut constants = Vec::new();
        for (field, value) in
            saved_or.constants.iter().chain(options.constants.iter().map(|(field, value)| (field, value)))
        {
            let Target::Field(known) = field::named(field)? else {
                let hint = "a constant can only be given to a field of its own".to_owned();
                return Err(Error::Setting { what: "field for a constant", value: field.clone(), hint });
            };
            constants.retain(|(other, _)| *other != known);
            constants.push((known, value.clone()));
        }
        let zone = options.zone.as_ref().or(saved_or.zone.as_ref()).or(settings.zone.as_ref());
        let zone = zone.map_or(Ok(TimeZone::UTC), |name| {
            let hint = "use an IANA name such as Europe/Warsaw, Asia/Tehran or UTC".to_owned();
            TimeZone::get(name).map_err(|_| Error::Setting { what: "time zone", value: name.clone(), hint })
        })?;
        let delimiter = options.delimiter.or(saved_or.delimiter).map(|sign| {
            let hint = "use one ASCII character such as , ; | or a tab".to_owned();
            let usable = |byte: &u8| byte.is_ascii() && !matches!(byte, b'"' | b'\r' | b'\n');
            u8::try_from(sign).ok().filter(usable).ok_or(Error::Setting { what: "delimiter", value: sign.into(), hint })
        });
        Ok(Self {
            columns,
            constants,
            format: options.format.or(saved_or.format),
            delimiter: delimiter.transpose()?,
            encoding: options.encoding.or(saved_or.encoding),
            zone,
            decimal: options.decimal.or(saved_or.decimal).or(settings.decimal),
            date_order: options.date_order.or(saved_or.date_order).or(settings.date_order),
        })
    }

    pub(crate) fn has_constant(&self, field: Field) -> bool {
        self.constants.iter().any(|(known, _)| *known == field)
    }
}

pub(crate) fn saved_for<'a>(
    settings: &'a ImportSettings,
    options: &ImportOptions,
    input: &Input,
) -> Result<Option<&'a SavedMapping>, Error> {
    if let Some(name) = &options.mapping {
        let found = settings.mappings.iter().find(|mapping| mapping.name == *name);
        let names: Vec<_> = settings.mappings.iter().map(|mapping| mapping.name.as_str()).collect();
        let hint = format!("safar.toml has [{}] under [[import.mappings]]", names.join(", "));
        return found.map(Some).ok_or_else(|| Error::Setting { what: "saved mapping", value: name.clone(), hint });
    }
    let Some(path) = &input.path else { return Ok(None) };
    for mapping in settings.mappings.iter().filter(|mapping| !mapping.files.is_empty()) {
        let glob = globset::GlobBuilder::new(&mapping.files).literal_separator(true).build();
        let glob = glob.map_err(|error| {
            let hint = format!("mapping `{}` of safar.toml: {}", mapping.name, error.kind());
            Error::Setting { what: "glob", value: mapping.files.clone(), hint }
        })?;
        let matcher = glob.compile_matcher();
        if matcher.is_match(path) || path.file_name().is_some_and(|name| matcher.is_match(name)) {
            return Ok(Some(mapping));
        }
    }
    Ok(None)
}

/// Decides about every column. Of two columns with well-known names for one field, the surer name wins, then the first.
pub(crate) fn resolve(file: &str, names: &[String], stated: &Stated, open: bool) -> Result<Vec<ColumnMapping>, Error> {
    let mut targets: Vec<Option<(Target, How)>> = vec![None; names.len()];
    let mut owner: BTreeMap<Field, String> = BTreeMap::new();
    for (target, column, how) in &stated.columns {
        let at = names.iter().position(|name| name == column);
        let at = at.or_else(|| names.iter().position(|name| field::plain(name) == field::plain(column)));
        match at {
            Some(at) => targets[at] = Some((target.clone(), how.clone())),
            // A saved mapping may name columns that only some of its files have.
            None if open || matches!(how, How::Saved(_)) => {}
            None => {
                let (column, field) = (column.clone(), target.to_string());
                return Err(Error::UnknownColumn { file: file.to_owned(), column, field, columns: names.to_vec() });
            }
        }
        if let Target::Field(field) = target {
            owner.insert(*field, column.clone());
        }
    }
    for (constant, value) in &stated.constants {
        owner.insert(*constant, format!("constant {value}"));
    }
    let mut candidates: Vec<(usize, usize, Target)> = names
        .iter()
        .enumerate()
        .filter_map(|(at, name)| {
            let (target, rank) = field::well_known(name)?;
            targets[at].is_none().then_some((rank, at, target))
        })
        .collect();
    candidates.sort_by_key(|(rank, at, _)| (*rank, *at));
    for (_, at, target) in candidates {
        targets[at] = Some(match target {
            Target::Field(field) => match owner.get(&field) {
                Some(by) => (Target::Property, How::Taken(field, by.clone())),
                None => {
                    owner.insert(field, names[at].clone());
                    (Target::Field(field), How::WellKnown)
                }
            },
            other => (other, How::WellKnown),
        });
    }
    let all = names.iter().zip(targets).map(|(name, target)| {
        let (target, how) = target.unwrap_or((Target::Property, How::Unknown));
        ColumnMapping { column: name.clone(), target, how }
    });
    Ok(all.collect())
}

/// Whether columns can make events: a time, and something that says what happened.
pub(crate) fn check(
    file: &str,
    columns: &[ColumnMapping],
    stated: &Stated,
    sample: &[Vec<String>],
) -> Result<(), Error> {
    let has =
        |field: Field| stated.has_constant(field) || columns.iter().any(|column| column.target == Target::Field(field));
    let refuse = |why: String| {
        let names: Vec<_> = columns.iter().map(|column| column.column.clone()).collect();
        let words: BTreeSet<_> =
            names.iter().flat_map(|name| name.split(|c: char| !c.is_alphanumeric())).map(str::to_lowercase).collect();
        let spends = ["cost", "spend", "spent"].iter().any(|word| words.contains(*word));
        let why = if spends {
            format!(
                "{why}; it looks like a report of advertising costs of no known shape: name its columns date, source, medium, campaign, cost"
            )
        } else {
            why
        };
        Err(Error::NotEvents { file: file.to_owned(), why, columns: names })
    };
    if !has(Field::OccurredAt) {
        let reader = TimeReader::new(TimeZone::UTC, Some(DateOrder::Dmy));
        let timely = |at: usize| {
            let values = sample.iter().take(20).filter_map(|row| row.get(at)).filter(|value| !value.trim().is_empty());
            let mut values = values.filter(|value| value.parse::<f64>().is_err()).peekable();
            values.peek().is_some() && values.all(|value| reader.read(value).is_some())
        };
        let found: Vec<_> =
            (0..columns.len()).filter(|at| timely(*at)).map(|at| format!("`{}`", columns[at].column)).collect();
        let hint = match found.first() {
            Some(first) => format!(" ({} could: `--map occurred_at={}`)", found.join(", "), first.trim_matches('`')),
            None => " (state it with `--map occurred_at=COLUMN`)".to_owned(),
        };
        return refuse(format!("no column says when something happened{hint}"));
    }
    use Field::{
        Campaign, Channel, Conversion, Interaction, Medium, Name, OrderId, PageUrl, Source, UtmCampaign, UtmMedium,
        UtmSource,
    };
    let telling = [
        Name,
        Conversion,
        PageUrl,
        Channel,
        Source,
        Medium,
        Campaign,
        Interaction,
        OrderId,
        UtmSource,
        UtmMedium,
        UtmCampaign,
        Field::ClickId,
    ];
    let clicks = columns.iter().any(|column| matches!(column.target, Target::Click(_)));
    if !clicks && !telling.into_iter().any(has) {
        return refuse("no column says what happened (name, page_url, channel, interaction, order_id …); state one with `--map name=COLUMN` or `--set name=VALUE`".to_owned());
    }
    Ok(())
}

/// The reader of an input's times, once the order of day and month is known or not needed.
pub(crate) fn time_reader<'a>(
    file: &str,
    column: &str,
    stated: &Stated,
    sample: impl Iterator<Item = &'a str> + Clone,
) -> Result<TimeReader, Error> {
    let order = match (stated.date_order, time::order_of(sample.clone())) {
        (Some(order), _) | (None, OrderSeen::Only(order)) => Some(order),
        (None, OrderSeen::NotNeeded) => None,
        (None, OrderSeen::Either) => {
            let shaped = |value: &&str| time::order_of([*value]) != OrderSeen::NotNeeded;
            let value = sample.clone().find(shaped).unwrap_or_default().to_owned();
            return Err(Error::AmbiguousDates { file: file.to_owned(), column: column.to_owned(), value });
        }
    };
    Ok(TimeReader::new(stated.zone.clone(), order))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn input(path: &str) -> Input {
        Input { name: path.to_owned(), path: Some(path.into()), text: None, size: 0, named: true }
    }

    fn names(text: &str) -> Vec<String> {
        text.split(',').map(str::to_owned).collect()
    }

    #[test]
    fn the_command_wins_over_the_saved_mapping_over_well_known_names() {
        let saved = SavedMapping {
            name: "shop".into(),
            files: "orders-*.csv".into(),
            columns: [("occurred_at", "Paid at"), ("user_id", "Client"), ("value", "Not here")]
                .map(|(field, column)| (field.to_owned(), column.to_owned()))
                .into(),
            ..SavedMapping::default()
        };
        let settings = ImportSettings { mappings: vec![saved], ..ImportSettings::default() };
        let options = ImportOptions { columns: vec![("user_id".into(), "Buyer".into())], ..ImportOptions::default() };
        let stated = Stated::gather(&settings, &options, &input("in/orders-7.csv")).unwrap();
        let columns = resolve("f", &names("time,Paid at,Client,Buyer,utm_id,gclid,ts"), &stated, false).unwrap();
        let seen: Vec<_> =
            columns.iter().map(|column| format!("{}: {} ({})", column.column, column.target, column.how)).collect();
        assert_eq!(
            seen,
            [
                "time: properties (`Paid at` already is occurred_at)",
                "Paid at: occurred_at (mapping `shop`)",
                "Client: properties (kept as a property)",
                "Buyer: user_id (stated)",
                "utm_id: utm_custom (utm_id) (well-known name)",
                "gclid: click_id (gclid) (well-known name)",
                "ts: properties (`Paid at` already is occurred_at)",
            ]
        );
        let other = Stated::gather(&settings, &ImportOptions::default(), &input("visits.csv")).unwrap();
        assert!(other.columns.is_empty());
    }

    #[test]
    fn what_cannot_be_is_refused_with_the_way_out() {
        let settings = ImportSettings::default();
        let gather = |options: &ImportOptions| Stated::gather(&settings, options, &input("a.csv"));
        let message = |options: &ImportOptions| gather(options).unwrap_err().to_string();
        assert!(
            message(&ImportOptions { columns: vec![("shoe".into(), "a".into())], ..Default::default() })
                .contains("user_id")
        );
        assert!(message(&ImportOptions { zone: Some("Mars".into()), ..Default::default() }).contains("Europe/Warsaw"));
        assert!(message(&ImportOptions { delimiter: Some('"'), ..Default::default() }).contains("ASCII"));
        assert!(message(&ImportOptions { mapping: Some("x".into()), ..Default::default() }).contains("safar.toml"));
        let stated =
            gather(&ImportOptions { columns: vec![("user_id".into(), "who".into())], ..Default::default() }).unwrap();
        let error = resolve("a.csv", &names("ts,name"), &stated, false).unwrap_err().to_string();
        assert_eq!(error, "a.csv has no column `who` (mapped to `user_id`); its columns are: ts, name");
    }
}
