//! How every report is answered: from what was kept or computed, a page as JSON or the whole as a download.
use super::{
    App,
    accounts::Role,
    cache::Key,
    cells::{Column, cells},
    export::{Format, export},
    guard::Caller,
    problem::{Code, Problem},
    reason::Reason,
    reports::{Arguments, Kind, Parameter, Report, SHARED, Table, VISITOR},
};
use axum::{
    Json,
    http::{HeaderMap, HeaderValue},
    response::{IntoResponse, Response},
};
use safar_pipeline::{Stop, Workspace, privacy::Act, report::Note};
use serde::Serialize;
use serde_json::{Map, Value, json};
use std::{sync::Arc, time::Instant};
use tokio::task::spawn_blocking;
use utoipa::ToSchema;

/// Rows of a page, unless a number is given.
const PAGE: u64 = 1000;

const LIMIT: Parameter = Parameter::new("limit", Kind::Whole(PAGE, 1, 10_000), "Rows of a page of the JSON view.");
const OFFSET: Parameter = Parameter::new("offset", Kind::Whole(0, 0, u64::MAX), "Rows before the page.");

/// What every list can be asked with.
pub const PAGES: &[Parameter] = &[LIMIT, OFFSET];

/// What every report can be asked with.
pub const PAGING: &[Parameter] = &[
    LIMIT,
    OFFSET,
    Parameter::new(
        "sort",
        Kind::Text,
        "A column to sort the whole table by before it is cut into pages; -COLUMN from the largest. Empty cells come last.",
    ),
    Parameter::new("format", Kind::Text, "csv, json, parquet or arrow: the whole table as a download, without limit."),
    Parameter::new(
        "raw",
        Kind::Flag,
        "For csv: texts that spreadsheets take for formulas are left as they are; otherwise an apostrophe stands before them.",
    ),
];

/// Where a page of a list begins, and how long it is.
#[derive(Clone, Copy, Debug)]
pub struct Page {
    /// Rows of it.
    pub limit: usize,
    /// Rows before it.
    pub offset: usize,
}

/// The header that tells how many rows a list has.
pub const TOTAL: &str = "x-safar-total-rows";

impl Page {
    /// As many as a page has where nothing is said, from the first on.
    pub const FIRST: Self = Self { limit: PAGE as usize, offset: 0 };

    /// Checks `limit` and `offset`.
    pub fn check(given: Vec<(String, String)>) -> Result<Self, Problem> {
        let arguments = Arguments::check(&[PAGES], given)?;
        let number = |name| usize::try_from(arguments.whole(name)).unwrap_or(usize::MAX);
        Ok(Self { limit: number("limit"), offset: number("offset") })
    }

    /// The page, and how many rows the whole list has.
    pub fn of<T: Serialize>(rows: &[T], total: usize) -> Response {
        ([(TOTAL, total.to_string())], Json(rows)).into_response()
    }
}

/// What an answer was made from that is no report.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Versions {
    /// Names the version of the data.
    pub data_version: String,
    /// Names the text of safar.toml.
    pub settings_version: String,
    /// The version of Safar.
    pub program_version: String,
}

impl Versions {
    /// By this program.
    pub fn new(data_version: String, settings_version: String) -> Self {
        Self { data_version, settings_version, program_version: env!("CARGO_PKG_VERSION").to_owned() }
    }
}

/// What a reader must be told beside the numbers: its code and values for programs and other languages, and the sentence.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = Note)]
pub struct NoteView {
    /// What it says.
    #[serde(flatten)]
    note: Note,
    /// The same in English.
    text: String,
}

impl From<Note> for NoteView {
    fn from(note: Note) -> Self {
        Self { text: note.to_string(), note }
    }
}

/// How an answer came about.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Meta {
    /// The report.
    pub report: String,
    /// Names the version of the data that it was computed from.
    pub data_version: String,
    /// Names the text of safar.toml.
    pub settings_version: String,
    /// The version of Safar.
    pub program_version: String,
    /// Of what was drawn by chance.
    pub seed: Option<u64>,
    /// How long it took, in milliseconds.
    pub took_ms: u64,
    /// Whether it was computed before.
    pub cached: bool,
    /// First day that was asked for.
    pub from: Option<String>,
    /// The day after the last that was asked for.
    pub to: Option<String>,
    /// The goal that was looked at.
    pub goal: Option<String>,
    /// What a reader must be told.
    pub notes: Vec<NoteView>,
}

/// A page of a report.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct View {
    /// How it came about.
    pub meta: Meta,
    /// The columns.
    pub columns: Vec<Column>,
    /// The rows: a cell for each column, texts, numbers, true or false, lists, or null.
    pub rows: Vec<Vec<Value>>,
    /// How many rows the whole table has.
    pub total_rows: usize,
    /// What else the report says.
    pub extra: Map<String, Value>,
}

/// Answers a report.
pub async fn answer(
    app: &App,
    caller: &Caller,
    report: &'static Report,
    given: Vec<(String, String)>,
) -> Result<Response, Problem> {
    let (paging, given): (Vec<_>, Vec<_>) =
        given.into_iter().partition(|(name, _)| PAGING.iter().any(|parameter| parameter.name == *name));
    let paging = Paging::check(paging)?;
    let arguments = Arguments::check(report.parameters, given)?;
    if arguments.has_condition() && !caller.may(Role::Analyst) {
        return Err(Problem::new(Code::NotAllowed, "conditions in SQL need the role analyst")
            .hint("leave `where` out, or ask an administrator for the role")
            .because(Reason::ConditionNeedsRole { role: Role::Analyst }));
    }
    if !caller.may(Role::Analyst)
        && let Some(what) = arguments.singles_out()
    {
        let problem = format!("`{what}` can tell single people apart, which needs the role analyst");
        let many: Vec<&str> = SHARED.iter().copied().filter(|name| !VISITOR.contains(name)).collect();
        let hint = format!(
            "steps may test {}, and one of {} at a time; for more, ask an administrator for the role",
            many.join(", "),
            VISITOR.join(", ")
        );
        let reason = Reason::SinglesOut { what: what.to_owned(), role: Role::Analyst };
        return Err(Problem::new(Code::NotAllowed, problem).hint(hint).because(reason));
    }
    let started = Instant::now();
    let (from, to) = ["from", "to"].map(|name| arguments.text(name).map(str::to_owned)).into();
    let Computed { table, key, cached, .. } = compute(app, report, arguments).await?;
    let meta = Meta {
        report: report.name.to_owned(),
        data_version: key.data,
        settings_version: key.settings,
        program_version: env!("CARGO_PKG_VERSION").to_owned(),
        seed: table.seed,
        took_ms: u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX),
        cached,
        from,
        to,
        goal: table.goal.clone(),
        notes: table.notes.iter().cloned().map(NoteView::from).collect(),
    };
    if paging.is_download() {
        app.note(&caller.user()?.email, Act::Download, json!({ "what": report.name, "rows": table.rows() }))?;
    }
    paging.write(table, meta).await
}

/// A report from one version of the data.
pub struct Computed {
    /// The answer.
    pub table: Arc<Table>,
    /// What it is a function of.
    pub key: Key,
    /// Whether it was computed before.
    pub cached: bool,
    /// The workspace at that version.
    pub workspace: Workspace,
}

/// Computes a report, or finds what was computed before. Answers under a condition in SQL are not kept: it can tell the time.
pub async fn compute(app: &App, report: &'static Report, arguments: Arguments) -> Result<Computed, Problem> {
    let opened = app.current.get().await?;
    let (workspace, data) = opened.pinned().await?;
    let settings = opened.settings_version.clone();
    let key = Key { data, settings, report: report.name, arguments: arguments.key() };
    let keeps = !arguments.has_condition();
    if keeps && let Some(table) = app.cache.get(&key) {
        return Ok(Computed { table, key, cached: true, workspace });
    }
    let stop = Stop::default();
    let pinned = workspace.until(stop.clone());
    let table = app.queries.run_until(stop, async move { (report.run)(&pinned, &arguments).await }).await?;
    let table = Arc::new(table);
    if keeps {
        app.cache.put(key.clone(), &table);
    }
    Ok(Computed { table, key, cached: false, workspace })
}

/// Which part of a table, and how.
pub struct Paging {
    limit: usize,
    offset: usize,
    sort: Option<String>,
    format: Option<Format>,
    raw: bool,
}

impl Paging {
    /// Checks `limit`, `offset` and `format`.
    pub fn check(given: Vec<(String, String)>) -> Result<Self, Problem> {
        let arguments = Arguments::check(&[PAGING], given)?;
        let number = |name| usize::try_from(arguments.whole(name)).unwrap_or(usize::MAX);
        let format = match arguments.text("format") {
            None => None,
            Some(word) => Some(Format::parse(word).ok_or_else(|| {
                let words = Format::WORDS.join(", ");
                Problem::new(Code::BadRequest, format!("`{word}` is no format of downloads; use {words}"))
            })?),
        };
        let sort = arguments.text("sort").map(str::to_owned);
        let raw = arguments.flag("raw");
        Ok(Self { limit: number("limit"), offset: number("offset"), sort, format, raw })
    }

    /// Whether the whole is asked for.
    pub fn is_download(&self) -> bool {
        self.format.is_some()
    }

    /// A page, or the whole as a download whose headers say what the page's `meta` does.
    pub async fn write(&self, table: Arc<Table>, meta: Meta) -> Result<Response, Problem> {
        let table = match &self.sort {
            Some(by) => {
                let by = by.clone();
                Arc::new(spawn_blocking(move || table.sorted(&by)).await.map_err(Problem::internal)??)
            }
            None => table,
        };
        let Some(format) = self.format else { return Ok(Json(self.page(&table, meta)?).into_response()) };
        let mut response = export(table, &format!("safar-{}", meta.report), format, self.raw).await?;
        describe(response.headers_mut(), &meta);
        Ok(response)
    }

    fn page(&self, table: &Table, meta: Meta) -> Result<View, Problem> {
        let mut rows = vec![];
        let mut skip = self.offset;
        for batch in &table.batches {
            let start = skip.min(batch.num_rows());
            skip -= start;
            let length = (batch.num_rows() - start).min(self.limit - rows.len());
            if length > 0 {
                rows.extend(cells(&batch.slice(start, length))?);
            }
        }
        Ok(View {
            meta,
            columns: table.schema.fields().iter().map(|field| Column::of(field)).collect(),
            rows,
            total_rows: table.rows(),
            extra: table.extra.clone(),
        })
    }
}

fn describe(headers: &mut HeaderMap, meta: &Meta) {
    let mut add = |name: &'static str, value: &str| {
        if let Ok(value) = HeaderValue::from_str(value) {
            headers.insert(name, value);
        }
    };
    add("x-safar-data-version", &meta.data_version);
    add("x-safar-settings-version", &meta.settings_version);
    add("x-safar-program-version", &meta.program_version);
    if let Some(seed) = meta.seed {
        add("x-safar-seed", &seed.to_string());
    }
}
