//! Which column becomes which field: what the command says, then a saved mapping, then well-known names.
use super::{
    currency,
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

/// What `--set` calls the goal of ready paths.
pub(crate) const GOAL: &str = "goal";

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
    /// The goal of ready paths.
    pub goal: Option<String>,
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
        let (mut constants, mut goal) = (Vec::new(), None);
        for (field, value) in
            saved_or.constants.iter().chain(options.constants.iter().map(|(field, value)| (field, value)))
        {
            if field == GOAL {
                goal = Some(value.trim().to_owned());
                continue;
            }
            let known = constant_of(field)?;
            if known == Field::Currency && !currency::is_one(value) {
                let hint = "use a code of ISO 4217 such as EUR".to_owned();
                return Err(Error::Setting { what: "currency", value: value.clone(), hint });
            }
            constants.retain(|(other, _)| *other != known);
            constants.push((known, value.clone()));
        }
        let zone = options.zone.as_ref().or(saved_or.zone.as_ref()).or(settings.zone.as_ref());
        let zone = zone.map_or(Ok(TimeZone::UTC), |name| zone_of(name))?;
        let delimiter = options.delimiter.or(saved_or.delimiter).map(delimiter_of);
        Ok(Self {
            columns,
            constants,
            goal,
            format: options.format.or(saved_or.format),
            delimiter: delimiter.transpose()?,
            encoding: options.encoding.or(saved_or.encoding),
            zone,
            decimal: options.decimal.or(saved_or.decimal).or(settings.decimal),
            date_order: options.date_order.or(saved_or.date_order).or(settings.date_order),
        })
    }

    /// A goal is of ready paths only.
    pub(crate) fn without_goal(&self, file: &str) -> Result<(), Error> {
        let hint = format!("`--set {GOAL}=NAME` names what ready paths lead to, and {file} holds none");
        let told = self.goal.as_ref().map(|_| Error::Setting { what: "field of events", value: GOAL.to_owned(), hint });
        told.map_or(Ok(()), Err)
    }

    /// Whether a constant or one of `columns` tells this field.
    pub(crate) fn tells(&self, columns: &[ColumnMapping], field: Field) -> bool {
        self.has_constant(field) || columns.iter().any(|column| column.target == Target::Field(field))
    }

    pub(crate) fn has_constant(&self, field: Field) -> bool {
        self.constants.iter().any(|(known, _)| *known == field)
    }
}

fn zone_of(name: &str) -> Result<TimeZone, Error> {
    let hint = "use an IANA name such as Europe/Warsaw, Asia/Tehran or UTC".to_owned();
    TimeZone::get(name).map_err(|_| Error::Setting { what: "time zone", value: name.to_owned(), hint })
}

fn delimiter_of(sign: char) -> Result<u8, Error> {
    let hint = "use one ASCII character such as , ; | or a tab".to_owned();
    let usable = |byte: &u8| byte.is_ascii() && !matches!(byte, b'"' | b'\r' | b'\n');
    u8::try_from(sign).ok().filter(usable).ok_or(Error::Setting { what: "delimiter", value: sign.into(), hint })
}

fn constant_of(field: &str) -> Result<Field, Error> {
    let hint = "a constant can only be given to a field of its own".to_owned();
    match field::named(field)? {
        Target::Field(known) => Ok(known),
        _ => Err(Error::Setting { what: "field for a constant", value: field.to_owned(), hint }),
    }
}

fn glob_of(mapping: &SavedMapping) -> Result<globset::GlobMatcher, Error> {
    let glob = globset::GlobBuilder::new(&mapping.files).literal_separator(true).build();
    glob.map(|glob| glob.compile_matcher()).map_err(|error| {
        let hint = format!("mapping `{}` of safar.toml: {}", mapping.name, error.kind());
        Error::Setting { what: "glob", value: mapping.files.clone(), hint }
    })
}

impl ImportSettings {
    /// Refuses what an import could not be done with, before there is one.
    ///
    /// # Errors
    /// The first setting that cannot be used; the message quotes it.
    pub fn check(&self) -> Result<(), Error> {
        self.zone.as_deref().map(zone_of).transpose()?;
        let is_code = |code: &&String| code.len() == 3 && code.bytes().all(|letter| letter.is_ascii_uppercase());
        if let Some(code) = self.default_currency.as_ref().filter(|code| !is_code(code)) {
            let hint = "use three capital letters of ISO 4217 such as EUR".to_owned();
            return Err(Error::Setting { what: "currency code", value: code.clone(), hint });
        }
        let mut names = BTreeSet::new();
        for mapping in &self.mappings {
            let hint = "each of [[import.mappings]] needs one of its own".to_owned();
            if mapping.name.trim().is_empty() || !names.insert(mapping.name.as_str()) {
                return Err(Error::Setting { what: "name of a mapping", value: mapping.name.clone(), hint });
            }
            glob_of(mapping)?;
            mapping.zone.as_deref().map(zone_of).transpose()?;
            mapping.delimiter.map(delimiter_of).transpose()?;
            mapping.columns.keys().try_for_each(|field| field::named(field).map(|_| ()))?;
            mapping
                .constants
                .keys()
                .filter(|field| *field != GOAL)
                .try_for_each(|field| constant_of(field).map(|_| ()))?;
        }
        Ok(())
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
        let matcher = glob_of(mapping)?;
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

/// Where the column that is taken for the time holds times of day, and another one the days: both together are the time.
pub(crate) fn join_clock(columns: &mut [ColumnMapping], sample: &[Vec<String>]) {
    let is_time =
        |column: &ColumnMapping| column.target == Target::Field(Field::OccurredAt) && column.how == How::WellKnown;
    let mostly = |at: usize, is: &dyn Fn(&str) -> bool| {
        let cells = sample.iter().filter_map(|row| row.get(at)).map(|cell| cell.trim());
        let (yes, no): (Vec<_>, Vec<_>) = cells.filter(|cell| !cell.is_empty()).partition(|cell| is(cell));
        yes.len() > no.len()
    };
    let readers = [DateOrder::Dmy, DateOrder::Mdy].map(|order| TimeReader::new(TimeZone::UTC, Some(order)));
    let is_day = |cell: &str| readers.iter().any(|reader| reader.read(cell).is_some());
    let Some(clock) = columns.iter().position(is_time).filter(|at| mostly(*at, &time::is_clock)) else { return };
    let taken = |column: &ColumnMapping| matches!(column.how, How::Taken(Field::OccurredAt, _));
    let Some(day) = (0..columns.len()).find(|at| taken(&columns[*at]) && mostly(*at, &is_day)) else { return };
    columns[clock].target = Target::Field(Field::TimeOfDay);
    (columns[day].target, columns[day].how) = (Target::Field(Field::OccurredAt), How::WellKnown);
    let name = columns[day].column.clone();
    for column in columns.iter_mut().filter(|column| taken(column)) {
        column.how = How::Taken(Field::OccurredAt, name.clone());
    }
}

/// Whether columns can make events: a time, and something that says what happened.
pub(crate) fn check(
    file: &str,
    columns: &[ColumnMapping],
    stated: &Stated,
    sample: &[Vec<String>],
) -> Result<(), Error> {
    let has = |field: Field| stated.tells(columns, field);
    let refuse = |why: String| {
        let names: Vec<_> = columns.iter().map(|column| column.column.clone()).collect();
        let words: BTreeSet<_> =
            names.iter().flat_map(|name| name.split(|c: char| !c.is_alphanumeric())).map(str::to_lowercase).collect();
        let spends = ["cost", "spend", "spent"].iter().any(|word| words.contains(*word));
        // Connectors' tables of orders and goods have prices of their own kind.
        let why = if spends && !super::shapes::is_wrapped(&names) {
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

/// The reader of an input's times, once the order of day and month is known or not needed. `sample`: columns, and what their
/// first cells say.
pub(crate) fn time_reader(file: &str, stated: &Stated, sample: &[(&str, Vec<String>)]) -> Result<TimeReader, Error> {
    let cells = || sample.iter().flat_map(|(_, cells)| cells).map(String::as_str);
    let order = match (stated.date_order, time::order_of(cells())) {
        (Some(order), _) | (None, OrderSeen::Only(order)) => Some(order),
        (None, OrderSeen::NotNeeded) => None,
        (None, OrderSeen::Either) => {
            let shaped = |value: &&String| time::order_of([value.as_str()]) != OrderSeen::NotNeeded;
            let found = sample.iter().find_map(|(column, cells)| Some((column, cells.iter().find(shaped)?)));
            let (column, value) = found.map_or(("", ""), |(column, value)| (*column, value.as_str()));
            let (column, value) = (column.to_owned(), value.to_owned());
            return Err(Error::AmbiguousDates { file: file.to_owned(), column, value });
        }
    };
    Ok(TimeReader::new(stated.zone.clone(), order))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn input(path: &str) -> Input {
        Input { name: path.to_owned(), path: Some(path.into()), ..Input::default() }
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
    fn settings_are_refused_before_an_import() {
        let with = |change: &dyn Fn(&mut ImportSettings, &mut SavedMapping)| {
            let mut settings = ImportSettings::default();
            let mut mapping =
                SavedMapping { name: "till".into(), files: "till-*.csv".into(), ..SavedMapping::default() };
            change(&mut settings, &mut mapping);
            settings.mappings.push(mapping);
            settings.check().err().map_or(String::new(), |error| error.to_string())
        };
        assert_eq!(with(&|_, _| {}), "");
        assert_eq!(with(&|_, mapping| drop(mapping.constants.insert("goal".into(), "lead".into()))), "");
        let twin = SavedMapping { name: "till".into(), ..SavedMapping::default() };
        for (change, quoted) in [
            (
                &(|settings: &mut ImportSettings, _: &mut SavedMapping| settings.zone = Some("Mars".into()))
                    as &dyn Fn(&mut ImportSettings, &mut SavedMapping),
                "`Mars`",
            ),
            (&|settings, _| settings.default_currency = Some("euro".into()), "`euro`"),
            (&|settings, _| settings.mappings.push(twin.clone()), "`till`"),
            (&|_, mapping| mapping.name.clear(), "name of a mapping"),
            (&|_, mapping| mapping.files = "[".into(), "`[`"),
            (&|_, mapping| mapping.zone = Some("Venus".into()), "`Venus`"),
            (&|_, mapping| mapping.delimiter = Some('"'), "delimiter"),
            (&|_, mapping| drop(mapping.columns.insert("shoe".into(), "a".into())), "`shoe`"),
            (&|_, mapping| drop(mapping.constants.insert("gclid".into(), "a".into())), "`gclid`"),
        ] {
            assert!(with(change).contains(quoted), "{quoted}: {}", with(change));
        }
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
        let currency = vec![("currency".into(), "EURO".into())];
        assert!(message(&ImportOptions { constants: currency, ..Default::default() }).contains("ISO 4217"));
        assert!(message(&ImportOptions { delimiter: Some('"'), ..Default::default() }).contains("ASCII"));
        assert!(message(&ImportOptions { mapping: Some("x".into()), ..Default::default() }).contains("safar.toml"));
        let stated =
            gather(&ImportOptions { columns: vec![("user_id".into(), "who".into())], ..Default::default() }).unwrap();
        let error = resolve("a.csv", &names("ts,name"), &stated, false).unwrap_err().to_string();
        assert_eq!(error, "a.csv has no column `who` (mapped to `user_id`); its columns are: ts, name");
    }
}
