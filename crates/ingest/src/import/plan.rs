//! One input, looked at before anything is read: its format, its columns, and what they become.
use super::{
    error::Error,
    field::{self, Field, Target},
    input::{self, Input, Opened},
    json,
    mapping::{self, ColumnMapping, Stated},
    number::Amounts,
    parquet::ParquetInput,
    ready,
    settings::{ImportOptions, ImportSettings},
    shapes::{Spooled, place_of},
    sniff::{self, Format},
    split::Layout,
    terms::Terms,
};
use safar_identity::{EMAIL, IdentitySettings, PHONE};
use safar_model::Micros;
use std::{
    io::Read,
    sync::{Arc, Mutex, PoisonError},
};

/// What is known about one input before it is read.
pub(crate) struct Plan {
    pub input: Input,
    pub format: Format,
    pub columns: Vec<ColumnMapping>,
    pub stated: Stated,
    pub terms: Terms,
    pub layout: Layout,
    /// The columns of tabular input, compiled.
    pub shape: Shape,
    /// The file holds paths that are ready, not events, and they lead to this goal.
    pub goal: Option<String>,
    /// Standard input can be opened only once; lines in memory are opened as it is.
    opened: Mutex<Option<Opened>>,
    spool: Option<Arc<tempfile::NamedTempFile>>,
    /// Lines that a shape told: which line of its file each comes from.
    places: Vec<(u64, u64)>,
}

/// The fields that tell who acted.
const WHO: [Field; 7] =
    [Field::AnonymousId, Field::UserId, Field::Email, Field::EmailHash, Field::Phone, Field::PhoneHash, Field::CrmId];

/// Where each thing stands in a row of cells.
#[derive(Default)]
pub(crate) struct Shape {
    pub fields: Vec<(Field, usize)>,
    pub clicks: Vec<(&'static str, usize)>,
    /// Sorted by tag.
    pub tags: Vec<(String, usize)>,
    /// Sorted by name; contact details that are no field of their own are hashed in this namespace.
    pub extras: Vec<(String, usize, Option<&'static str>)>,
}

impl Shape {
    fn new(columns: &[ColumnMapping], keep_contact_details: bool) -> Self {
        let mut shape = Self::default();
        for (at, column) in columns.iter().enumerate() {
            match &column.target {
                Target::Field(field) => shape.fields.push((*field, at)),
                Target::Click(parameter) => shape.clicks.push((parameter, at)),
                Target::Utm(tag) => shape.tags.push((tag.clone(), at)),
                Target::Property => {
                    let namespace = match field::well_known(&column.column) {
                        Some((Target::Field(Field::Email), _)) if !keep_contact_details => Some(EMAIL),
                        Some((Target::Field(Field::Phone), _)) if !keep_contact_details => Some(PHONE),
                        _ => None,
                    };
                    let name =
                        if namespace.is_some() { format!("{}_hash", column.column) } else { column.column.clone() };
                    shape.extras.push((name, at, namespace));
                }
            }
        }
        shape.tags.sort();
        shape.extras.sort();
        shape
    }
}

/// Empty and doubled names get one of their own.
fn distinct(names: &mut [String]) {
    for at in 0..names.len() {
        if names[at].is_empty() {
            names[at] = format!("column_{}", at + 1);
        }
        let (before, rest) = names.split_at_mut(at);
        let mut number = 2;
        let first = rest[0].clone();
        while before.contains(&rest[0]) {
            rest[0] = format!("{first}_{number}");
            number += 1;
        }
    }
}

impl Plan {
    /// Looks at an input. `None`: it is empty, and it was found rather than named.
    pub(crate) fn make(
        settings: &ImportSettings,
        identity: &IdentitySettings,
        options: &ImportOptions,
        input: Input,
        now: Micros,
    ) -> Result<Option<Self>, Error> {
        let stated = Stated::gather(settings, options, &input)?;
        let mut opened = input::open(&input, stated.encoding)?;
        if opened.head.is_empty() {
            if let Some(fault) = opened.fault.take() {
                return Err(Error::Truncated { file: input.name, rows: 0, why: fault.to_string() });
            }
            return if input.named { Err(Error::Empty(input.name)) } else { Ok(None) };
        }
        let (name, fault) = (input.name.clone(), opened.fault.as_ref().map(ToString::to_string));
        match (Self::of_opened(settings, identity, input, opened, stated, now), fault) {
            // What was read before the break explains little.
            (Err(error), Some(why)) if error.is_unclear() => Err(Error::Truncated { file: name, rows: 0, why }),
            (made, _) => made.map(Some),
        }
    }

    fn of_opened(
        settings: &ImportSettings,
        identity: &IdentitySettings,
        input: Input,
        mut opened: Opened,
        stated: Stated,
        now: Micros,
    ) -> Result<Self, Error> {
        // What programs hand over is events, line by line, and none of them may hold up the others.
        let is_handed_over = input.text.is_some() && !input.more;
        let format = match stated.format {
            Some(format) => format,
            None => sniff::format_of(&input.name, &opened)?,
        };
        let mut layout = Layout { delimiter: b',', mac: false, skip: 0 };
        let mut sample: Vec<Vec<String>> = Vec::new();
        let mut header = true;
        let mut spool = input.kept.clone();
        let mut json = json::Sample::default();
        let mut columns = match format {
            Format::Csv => {
                let mut found = sniff::delimited(&input.name, &opened, stated.delimiter)?;
                layout = Layout { delimiter: found.delimiter, mac: found.mac, skip: found.skip };
                distinct(&mut found.columns);
                (sample, header) = (found.sample, found.header);
                mapping::resolve(&input.name, &found.columns, &stated, false)?
            }
            Format::Parquet => {
                let opened_again;
                let path = match (&input.path, opened.head.starts_with(b"PAR1")) {
                    (Some(path), true) if !is_packed(path)? => path.as_path(),
                    // Parquet is read from its end, so a stream or a packed file is put on disk first.
                    _ => {
                        let mut file = tempfile::NamedTempFile::new().map_err(Error::io(std::env::temp_dir()))?;
                        std::io::copy(&mut opened.into_reader(), &mut file).map_err(Error::io(file.path()))?;
                        opened = input::decode(std::io::empty(), None, Arc::default()).map_err(Error::io("-"))?;
                        opened_again = Arc::new(file);
                        spool = Some(Arc::clone(&opened_again));
                        opened_again.path()
                    }
                };
                let mut parquet = ParquetInput::open(&input.name, path)?;
                let mut names = parquet.columns.clone();
                distinct(&mut names);
                if let Some((_, batch)) = parquet.next_rows()? {
                    use arrow::array::AsArray;
                    let texts: Vec<_> = batch.columns().iter().map(|column| column.as_string::<i32>()).collect();
                    let rows = (0..batch.num_rows().min(1000))
                        .map(|row| texts.iter().map(|text| text.value(row).to_owned()).collect());
                    sample = rows.collect();
                }
                mapping::resolve(&input.name, &names, &stated, false)?
            }
            Format::Ndjson | Format::Json => {
                json = json::columns_of(&opened, format == Format::Json, &stated, identity);
                if json.columns.is_empty() && !is_handed_over {
                    let why =
                        "none of its first lines is an object of JSON: write an object on each line, or a list of them";
                    return Err(Error::UnknownFormat { file: input.name, why: why.to_owned() });
                }
                std::mem::take(&mut json.columns)
            }
        };
        let (mut times, mut amounts) = (stated_times(&stated), Amounts::stated(stated.decimal));
        let goal = ready::goal_of(&input, &columns, &stated, settings)?;
        if goal.is_none() {
            if !header && stated.columns.is_empty() {
                let first = sample.first().map(|row| row.join(",")).unwrap_or_default();
                return Err(Error::NoHeader { file: input.name, first });
            }
            stated.without_goal(&input.name)?;
            mapping::join_clock(&mut columns, &sample);
            if !is_handed_over {
                mapping::check(&input.name, &columns, &stated, &sample)?;
            }
            let at = |field| columns.iter().position(|column| column.target == Target::Field(field));
            let cells = |field, json: &[String]| -> Vec<String> {
                let told = at(field).into_iter().flat_map(|at| sample.iter().filter_map(move |row| row.get(at)));
                told.chain(json).cloned().collect()
            };
            let instants = [(Field::OccurredAt, &json.times), (Field::ReceivedAt, &json.received)]
                .map(|(field, json)| (at(field).map_or("", |at| columns[at].column.as_str()), cells(field, json)));
            times = mapping::time_reader(&input.name, &stated, &instants)?;
            let values = cells(Field::Value, &json.values);
            amounts = Amounts::of(stated.decimal, values.iter().map(String::as_str));
        }
        let has_name = stated.tells(&columns, Field::Name);
        let terms = Terms::new(settings, times, amounts, now, has_name);
        let shape = Shape::new(&columns, settings.keep_contact_details);
        let opened = Mutex::new(input.path.is_none().then_some(opened));
        let places = Vec::new();
        Ok(Self { input, format, columns, stated, terms, layout, shape, goal, opened, spool, places })
    }

    /// The plan of events that a shape told of `input`; lines that are mapped by their names keep the settings of the team.
    pub(crate) fn of_shape(
        settings: &ImportSettings,
        identity: &IdentitySettings,
        options: &ImportOptions,
        input: &Input,
        events: Spooled,
        plain: bool,
        now: Micros,
    ) -> Result<Option<Self>, Error> {
        let options = ImportOptions { format: Some(Format::Ndjson), encoding: None, ..options.clone() };
        let path = Some(events.file.path().to_owned());
        let input = Input { path, named: false, ..input.clone() };
        let made = if plain {
            Self::make(settings, identity, &options, input, now)?
        } else {
            let (settings, options) = super::lines::neutral(settings, &options);
            Self::make(&settings, identity, &options, input, now)?
        };
        Ok(made.map(|plan| Self { spool: Some(Arc::new(events.file)), places: events.places, ..plan }))
    }

    /// The line of the file that a line comes from.
    pub(crate) fn place(&self, line: u64) -> u64 {
        if self.places.is_empty() { line } else { place_of(&self.places, line) }
    }

    /// Opens the input again, or what was kept of standard input.
    pub(crate) fn open(&self) -> Result<Opened, Error> {
        let kept = self.opened.lock().unwrap_or_else(PoisonError::into_inner).take();
        match kept {
            Some(opened) => Ok(opened),
            None => input::open(&self.input, self.stated.encoding),
        }
    }

    /// Opens a Parquet input, and says what its bytes are.
    pub(crate) fn open_parquet(&self) -> Result<(ParquetInput, u128), Error> {
        let path = match (&self.spool, &self.input.path) {
            (Some(spool), _) => spool.path(),
            (None, Some(path)) => path.as_path(),
            (None, None) => return Err(Error::NoInput(self.input.name.clone())),
        };
        let opened = input::open(&Input { path: Some(path.to_owned()), ..self.input.clone() }, None)?;
        let meter = Arc::clone(&opened.meter);
        let mut reader = opened.into_reader();
        let mut block = vec![0; 1 << 20];
        while reader.read(&mut block).map_err(Error::io(path))? > 0 {}
        Ok((ParquetInput::open(&self.input.name, path)?, meter.digest()))
    }

    /// What its columns leave out and its reader should know.
    pub(crate) fn notes(&self) -> Vec<String> {
        // What is not read by columns may tell more in rows that were not looked at.
        if self.goal.is_some() || !matches!(self.format, Format::Csv | Format::Parquet) {
            return Vec::new();
        }
        if WHO.iter().any(|field| self.stated.tells(&self.columns, *field)) {
            return Vec::new();
        }
        let others = self.columns.iter().filter(|column| column.target == Target::Property);
        let others: Vec<_> = others.map(|column| format!("`{}`", column.column)).collect();
        let others = if others.is_empty() { "there is no other column".to_owned() } else { others.join(", ") };
        vec![format!(
            "no column tells whose events these are, so each is a person of its own: `--map anonymous_id=COLUMN` (or user_id, email, phone, crm_id) names it; not understood: {others}"
        )]
    }

    /// What a field's column is called, for messages.
    pub(crate) fn column_of(&self, field: Field) -> String {
        let found = self.columns.iter().find(|column| column.target == Target::Field(field));
        found.map_or_else(|| field.as_str().to_owned(), |column| column.column.clone())
    }
}

fn stated_times(stated: &Stated) -> super::time::TimeReader {
    super::time::TimeReader::new(stated.zone.clone(), stated.date_order)
}

/// Whether a file is compressed as a whole.
fn is_packed(path: &std::path::Path) -> Result<bool, Error> {
    let mut magic = Vec::new();
    std::fs::File::open(path).and_then(|file| file.take(4).read_to_end(&mut magic)).map_err(Error::io(path))?;
    Ok(magic != b"PAR1")
}
