//! Who is who: identity links to the table `persons`, and the person of each event.
use super::{BuildNote, state::State};
use crate::{Error, Result, Workspace, report::strings};
use arrow::{
    array::{Array, ArrayRef, AsArray, Float64Array, Int64Array, RecordBatch, StringArray, TimestampMicrosecondArray},
    compute::cast,
    datatypes::{DataType, Float64Type, Int64Type, TimestampMicrosecondType},
};
use datafusion::{
    common::DataFusionError,
    dataframe::DataFrame,
    logical_expr::{ColumnarValue, Expr, ScalarUDF, Volatility, create_udf},
    prelude::{ParquetReadOptions, col},
};
use futures::TryStreamExt;
use hashbrown::{HashMap, HashSet};
use safar_engine::Session;
use safar_identity::{
    Conflict, EventIds, GraphError, IdentityGraph, IdentitySettings, Link, PersonMap, PersonRow, is_blocked,
};
use safar_model::{Table, table::instant};
use safar_store::{DataFile, Staged, TableWriter};
use std::{collections::BTreeSet, sync::Arc};

/// The columns of `events` that say who: five identifiers, when, and the key that stands in where there is none.
pub(crate) const WHO: [&str; 7] =
    ["anonymous_id", "user_id", "email_hash", "phone_hash", "crm_id", "occurred_at", "key"];

/// The column of `events` that holds identifiers of each namespace.
pub(crate) const NAMESPACES: [(&str, &str); 5] = [
    (safar_identity::ANONYMOUS, "anonymous_id"),
    (safar_identity::USER, "user_id"),
    (safar_identity::EMAIL, "email_hash"),
    (safar_identity::PHONE, "phone_hash"),
    (safar_identity::CRM, "crm_id"),
];

/// Rows of `persons` in one batch.
const BATCH: usize = 1 << 16;

/// Who is who after this build.
pub(crate) struct People {
    pub map: Arc<PersonMap>,
    /// People whose identifiers differ from the last build's.
    pub changed: BTreeSet<i64>,
    /// How many of them have an identifier, or had one in the last build.
    pub changed_known: u64,
    /// How many links are stored.
    pub links: u64,
    /// Whether `persons` must be written anew.
    pub version: i64,
    conflicts: Vec<Conflict>,
    /// Links that are left out because an identifier is blocked.
    blocked: u64,
    /// What spares looking through all events for identifiers without links.
    since: Option<Since>,
}

/// What there is since the last build.
struct Since {
    /// Everyone that it published.
    published: PersonMap,
    /// The files of `events` that came.
    files: Vec<DataFile>,
}

impl Since {
    /// Identifiers that stood alone in the last build and have no links in `map` either. `None`: some lost theirs, and only
    /// events can tell whether they are still there.
    fn alone(&self, map: &PersonMap) -> Option<Vec<PersonRow<'_>>> {
        let rows = self.published.rows();
        let mut identifiers: HashMap<i64, u32> = HashMap::with_capacity(rows.len());
        for row in &rows {
            *identifiers.entry(row.person_id).or_default() += 1;
        }
        let unlinked = rows.into_iter().filter(|row| map.person(row.namespace, row.identifier, 0).is_none());
        let stood_alone =
            |row: PersonRow<'_>| row.valid_from.or(row.valid_to).is_none() && identifiers[&row.person_id] == 1;
        unlinked.map(|row| stood_alone(row).then_some(row)).collect()
    }
}

/// Resolves all links, and compares with the people of the last build; `files` are those of `events`.
pub(super) async fn resolve(
    session: &Session,
    workspace: &Workspace,
    before: Option<&State>,
    now: &State,
    files: &[DataFile],
) -> Result<People> {
    let settings = &workspace.settings().identity;
    let then = before.and_then(|before| serde_json::from_value(before.identity.clone()).ok());
    let (graph, blocked) = read_links(session, settings, then.as_ref()).await?;
    let links = graph.len() as u64 + blocked.links;
    let resolution = graph.resolve();
    let old = match before {
        Some(_) => old_map(session, settings).await?,
        None => PersonMap::empty(settings),
    };
    let mut changed = BTreeSet::new();
    if let Some(before) = before {
        changed.extend(PersonMap::diff(&old, &resolution.map));
        // Of an event's identifiers the first that a link names says whose it is: that changes with the first link of one of
        // them, also of a link that joins nobody.
        if !changed.is_empty() || before.links != links || before.identity != now.identity {
            changed.extend(&blocked.people);
            for (namespace, identifier) in &blocked.turned {
                changed.extend([&old, &resolution.map].iter().flat_map(|map| map.people_of(namespace, identifier)));
            }
        }
    }
    // Before its first link an identifier that nobody carried yet is nobody.
    let known = |map: &PersonMap| if changed.is_empty() { BTreeSet::new() } else { map.owners_among(&changed) };
    let changed_known = known(&old).union(&known(&resolution.map)).count() as u64;
    let is_other = |before: &State| !changed.is_empty() || before.identity != now.identity || before.begun.is_some();
    let version = before.map_or(1, |before| before.people_version + i64::from(is_other(before)));
    // Rows that were taken out may have been the last of an identifier.
    let since = before.filter(|before| {
        let names: HashSet<&str> = files.iter().map(|file| file.name.as_str()).collect();
        !before.rows_removed
            && before.identity == now.identity
            && before.program == now.program
            && before.event_files.iter().all(|name| names.contains(name.as_str()))
    });
    let since = since.map(|before| Since { published: old, files: before.fresh(files) });
    Ok(People {
        map: Arc::new(resolution.map),
        changed,
        changed_known,
        links,
        version,
        conflicts: resolution.conflicts,
        blocked: blocked.links,
        since,
    })
}

/// Every stored link, under these settings; and how many are left out because one of their identifiers is blocked now.
pub(crate) async fn graph(session: &Session, settings: &IdentitySettings) -> Result<(IdentityGraph, u64)> {
    let (graph, blocked) = read_links(session, settings, None).await?;
    Ok((graph, blocked.links))
}

/// Links that are left out.
#[derive(Default)]
struct LeftOut {
    links: u64,
    /// Whose their identifiers are where no other link names them.
    people: HashSet<i64>,
    /// Identifiers of links that were not left out before, or that were and are not any more.
    turned: HashSet<(String, String)>,
}

/// Every stored link; `then` are the settings of the last build.
async fn read_links(
    session: &Session,
    settings: &IdentitySettings,
    then: Option<&IdentitySettings>,
) -> Result<(IdentityGraph, LeftOut)> {
    let mut graph =
        IdentityGraph::new(settings.clone()).map_err(|e| Error::Request(format!("safar.toml, [identity]: {e}")))?;
    let mut blocked = LeftOut::default();
    let then = then.filter(|then| then.blocked != settings.blocked);
    let sql = "SELECT ns_a, id_a, ns_b, id_b, observed_at, source, event_id, kind, confidence, valid_from, valid_to FROM identity_links";
    let mut stream = session.sql(sql).await?.execute_stream().await?;
    while let Some(batch) = stream.try_next().await? {
        add_links(&mut graph, &batch, then, &mut blocked)?;
    }
    Ok((graph, blocked))
}

fn add_links(
    graph: &mut IdentityGraph,
    batch: &RecordBatch,
    then: Option<&IdentitySettings>,
    blocked: &mut LeftOut,
) -> Result<()> {
    let texts = [0, 1, 2, 3, 5, 6, 7].map(|index| cast(batch.column(index), &DataType::Utf8));
    let [ns_a, id_a, ns_b, id_b, source, event, kind] = texts;
    let (ns_a, id_a, ns_b, id_b, source, event, kind) = (ns_a?, id_a?, ns_b?, id_b?, source?, event?, kind?);
    let [ns_a, id_a, ns_b, id_b, source, event, kind] =
        [&ns_a, &id_a, &ns_b, &id_b, &source, &event, &kind].map(|column| column.as_string::<i32>());
    let [at, from, to] = [4, 9, 10].map(|index| batch.column(index).as_primitive::<TimestampMicrosecondType>());
    let confidence = batch.column(8).as_primitive::<Float64Type>();
    let link = |row: usize| -> Result<Link<&str>> {
        Ok(Link {
            source: text(source, row),
            event_id: text(event, row),
            kind: kind.value(row).parse().map_err(|e| Error::Request(format!("identity_links: {e}")))?,
            confidence: confidence.value(row),
            valid_from: from.is_valid(row).then(|| from.value(row)),
            valid_to: to.is_valid(row).then(|| to.value(row)),
            ..Link::new(ns_a.value(row), id_a.value(row), ns_b.value(row), id_b.value(row), at.value(row))
        })
    };
    let links = (0..batch.num_rows()).map(link).collect::<Result<Vec<_>>>()?;
    let refused = graph.add_all(&links);
    // A value that the settings block now was none when the link was stored.
    if let Some((_, error)) = refused.iter().find(|(_, error)| !matches!(error, GraphError::Blocked { .. })) {
        return Err(Error::Request(format!("identity_links: {error}")));
    }
    blocked.links += refused.len() as u64;
    if let Some(then) = then {
        let was_blocked = |link: &Link<&str>| [link.id_a, link.id_b].iter().any(|id| is_blocked(id, then));
        let is_refused: HashSet<usize> = refused.iter().map(|(at, _)| *at).collect();
        for (_, link) in links.iter().enumerate().filter(|(at, link)| was_blocked(link) != is_refused.contains(at)) {
            blocked.turned.extend(ends(link).map(|(namespace, id)| (namespace.to_owned(), id.to_owned())));
            blocked.people.extend(ends(link).map(|(namespace, id)| safar_model::key_of(namespace, id)));
        }
    }
    for link in refused.iter().filter_map(|(at, _)| links.get(*at)) {
        blocked.people.extend(ends(link).map(|(namespace, id)| safar_model::key_of(namespace, id)));
    }
    Ok(())
}

/// The two identifiers of a link.
fn ends<'t>(link: &Link<&'t str>) -> [(&'t str, &'t str); 2] {
    [(link.ns_a, link.id_a), (link.ns_b, link.id_b)]
}

fn text(column: &StringArray, row: usize) -> Option<&str> {
    column.is_valid(row).then(|| column.value(row))
}

/// Links as rows of `identity_links`.
pub(crate) fn link_rows(links: &[Link]) -> Result<RecordBatch> {
    let texts =
        |of: &dyn Fn(&Link) -> Option<String>| -> ArrayRef { Arc::new(links.iter().map(of).collect::<StringArray>()) };
    let instants = |of: &dyn Fn(&Link) -> Option<i64>| -> ArrayRef {
        Arc::new(links.iter().map(of).collect::<TimestampMicrosecondArray>().with_timezone("UTC"))
    };
    let columns: Vec<ArrayRef> = vec![
        texts(&|link| Some(link.ns_a.clone())),
        texts(&|link| Some(link.id_a.clone())),
        texts(&|link| Some(link.ns_b.clone())),
        texts(&|link| Some(link.id_b.clone())),
        instants(&|link| Some(link.observed_at)),
        texts(&|link| link.source.clone()),
        texts(&|link| link.event_id.clone()),
        texts(&|link| Some(link.kind.to_string())),
        Arc::new(links.iter().map(|link| Some(link.confidence)).collect::<Float64Array>()),
        instants(&|link| link.valid_from),
        instants(&|link| link.valid_to),
    ];
    Ok(RecordBatch::try_new(Table::IdentityLinks.schema(), columns)?)
}

/// The map that the last build published.
pub(crate) async fn old_map(session: &Session, settings: &IdentitySettings) -> Result<PersonMap> {
    let batches = session
        .sql("SELECT namespace, identifier, person_id, valid_from, valid_to FROM persons")
        .await?
        .collect()
        .await?;
    let mut names = vec![];
    for batch in &batches {
        names.push((strings(batch, 0)?, strings(batch, 1)?));
    }
    let rows = batches.iter().zip(&names).flat_map(|(batch, (namespaces, identifiers))| {
        let person = batch.column(2).as_primitive::<Int64Type>();
        let [from, to] = [3, 4].map(|index| batch.column(index).as_primitive::<TimestampMicrosecondType>());
        (0..batch.num_rows()).map(move |row| PersonRow {
            person_id: person.value(row),
            namespace: namespaces[row].as_deref().unwrap_or_default(),
            identifier: identifiers[row].as_deref().unwrap_or_default(),
            valid_from: from.is_valid(row).then(|| from.value(row)),
            valid_to: to.is_valid(row).then(|| to.value(row)),
        })
    });
    PersonMap::from_rows(rows, settings)
        .map_err(|e| Error::Request(format!("persons: {e}\n  hint: `safar build --full` makes the table anew")))
}

impl People {
    /// The people that the last build published.
    pub async fn published(session: &Session, workspace: &Workspace) -> Result<Self> {
        Ok(Self::with_map(old_map(session, &workspace.settings().identity).await?))
    }

    /// People by a map that is at hand, such as a part of the published one.
    pub fn with_map(map: PersonMap) -> Self {
        Self {
            map: Arc::new(map),
            changed: BTreeSet::new(),
            changed_known: 0,
            links: 0,
            version: 0,
            conflicts: vec![],
            blocked: 0,
            since: None,
        }
    }

    /// What deserves attention: identifiers kept apart, links that are blocked.
    pub fn findings(&self) -> Vec<BuildNote> {
        let apart = self.conflicts.first().map(|first| BuildNote::KeptApart {
            pairs: self.conflicts.len() as u64,
            namespace: first.link.ns_a.clone(),
            identifier: first.link.id_a.clone(),
            other_namespace: first.link.ns_b.clone(),
            other_identifier: first.link.id_b.clone(),
            rule: first.rule.to_string(),
        });
        let blocked = (self.blocked > 0).then(|| BuildNote::Blocked { links: self.blocked });
        apart.into_iter().chain(blocked).collect()
    }

    /// The person of each row; the batch starts with the columns [`WHO`].
    pub fn of(&self, columns: &[ArrayRef]) -> Result<Int64Array, DataFusionError> {
        let texts = columns[..5].iter().map(|column| cast(column, &DataType::Utf8)).collect::<Result<Vec<_>, _>>()?;
        let at = columns[5].as_primitive::<TimestampMicrosecondType>();
        let key = columns[6].as_primitive::<Int64Type>();
        let texts: Vec<&StringArray> = texts.iter().map(|column| column.as_string::<i32>()).collect();
        let text = |column: usize, row: usize| texts[column].is_valid(row).then(|| texts[column].value(row));
        let person = |row: usize| {
            let ids = EventIds {
                anonymous_id: text(0, row),
                user_id: text(1, row),
                email_hash: text(2, row),
                phone_hash: text(3, row),
                crm_id: text(4, row),
            };
            self.map.person_of(&ids, at.value(row)).unwrap_or_else(|| key.value(row))
        };
        Ok((0..at.len()).map(|row| Some(person(row))).collect())
    }

    /// The SQL expression of an event's person.
    pub fn expression(self: &Arc<Self>) -> Expr {
        let people = Arc::clone(self);
        let mut inputs = vec![DataType::Utf8; 5];
        inputs.extend([instant(), DataType::Int64]);
        let function: ScalarUDF = create_udf(
            "person_of",
            inputs,
            DataType::Int64,
            Volatility::Immutable,
            Arc::new(move |arguments: &[ColumnarValue]| {
                let columns = ColumnarValue::values_to_arrays(arguments)?;
                Ok(ColumnarValue::Array(Arc::new(people.of(&columns)?)))
            }),
        );
        function.call(WHO.map(col).to_vec())
    }

    /// How many events `files` hold, and the people they belong to.
    pub async fn owners_of_files(&self, session: &Session, files: &[DataFile]) -> Result<(u64, BTreeSet<i64>)> {
        let frame = events_of(session, files).await?.select_columns(&WHO)?;
        let mut stream = frame.execute_stream().await?;
        let (mut events, mut owners) = (0, BTreeSet::new());
        while let Some(batch) = stream.try_next().await? {
            events += batch.num_rows() as u64;
            owners.extend(self.of(batch.columns())?.values().iter().copied());
        }
        Ok((events, owners))
    }

    /// Stages `persons`: every linked identifier, and every other one that events carry as its own person.
    pub async fn stage(&self, session: &Session, mut writer: TableWriter) -> Result<Staged> {
        for rows in self.map.rows().chunks(BATCH) {
            writer.write(&self.batch(rows)?)?;
        }
        let since = self.since.as_ref().and_then(|since| Some((since, since.alone(&self.map)?)));
        let Some((since, alone)) = since else {
            let events = session.table(Table::Events).await?;
            self.stage_others(events, None, &mut writer).await?;
            return Ok(writer.finish()?);
        };
        for rows in alone.chunks(BATCH) {
            writer.write(&self.batch(rows)?)?;
        }
        if !since.files.is_empty() {
            let events = events_of(session, &since.files).await?;
            self.stage_others(events, Some(&since.published), &mut writer).await?;
        }
        Ok(writer.finish()?)
    }

    /// Writes the identifiers of `events` that have no links and are not among those `known`.
    async fn stage_others(&self, events: DataFrame, known: Option<&PersonMap>, writer: &mut TableWriter) -> Result<()> {
        for (namespace, column) in NAMESPACES {
            let identifiers = events.clone().select_columns(&[column])?.filter(col(column).is_not_null())?;
            let sorted = identifiers.distinct()?.sort(vec![col(column).sort(true, false)])?;
            let mut stream = sorted.execute_stream().await?;
            while let Some(batch) = stream.try_next().await? {
                let identifiers = strings(&batch, 0)?;
                let has = |map: &PersonMap, id: &str| map.person(namespace, id, 0).is_some();
                let others = identifiers
                    .iter()
                    .flatten()
                    .filter(|id| !has(&self.map, id) && !known.is_some_and(|known| has(known, id)));
                let rows: Vec<PersonRow<'_>> = others
                    .map(|identifier| PersonRow {
                        person_id: safar_model::key_of(namespace, identifier),
                        namespace,
                        identifier,
                        valid_from: None,
                        valid_to: None,
                    })
                    .collect();
                writer.write(&self.batch(&rows)?)?;
            }
        }
        Ok(())
    }

    fn batch(&self, rows: &[PersonRow<'_>]) -> Result<RecordBatch> {
        let instants = |of: &dyn Fn(&PersonRow<'_>) -> Option<i64>| -> ArrayRef {
            Arc::new(rows.iter().map(of).collect::<TimestampMicrosecondArray>().with_timezone("UTC"))
        };
        let columns: Vec<ArrayRef> = vec![
            Arc::new(rows.iter().map(|row| Some(row.namespace)).collect::<StringArray>()),
            Arc::new(rows.iter().map(|row| Some(row.identifier)).collect::<StringArray>()),
            Arc::new(rows.iter().map(|row| row.person_id).collect::<Int64Array>()),
            instants(&|row| row.valid_from),
            instants(&|row| row.valid_to),
            Arc::new(rows.iter().map(|_| self.version).collect::<Int64Array>()),
        ];
        Ok(RecordBatch::try_new(Table::Persons.schema(), columns)?)
    }
}

/// Whose events are, for who takes some away: by what the last build published, and by all links.
///
/// The table of people does not tell which of its identifiers a link names, and so not always whose an event is that carries several.
pub(crate) struct Owners {
    pub published: People,
    linked: People,
}

impl Owners {
    pub async fn of(session: &Session, workspace: &Workspace) -> Result<Self> {
        let (graph, _) = graph(session, &workspace.settings().identity).await?;
        let linked = People::with_map(graph.resolve().map);
        Ok(Self { published: People::published(session, workspace).await?, linked })
    }

    /// The people of each row; the batch starts with the columns [`WHO`].
    pub fn each(&self, columns: &[ArrayRef]) -> Result<[Int64Array; 2]> {
        Ok([self.published.of(columns)?, self.linked.of(columns)?])
    }
}

/// The events in some files of theirs.
async fn events_of(session: &Session, files: &[DataFile]) -> Result<DataFrame> {
    let paths: Vec<String> = files.iter().map(|file| file.path.display().to_string()).collect();
    Ok(session.context().read_parquet(paths, ParquetReadOptions::default()).await?)
}

/// The SQL expression that holds where `person` is one of `people`.
pub(crate) fn is_one_of(people: &Arc<HashSet<i64>>, person: Expr) -> Expr {
    let people = Arc::clone(people);
    let function = create_udf(
        "is_rebuilt",
        vec![DataType::Int64],
        DataType::Boolean,
        Volatility::Immutable,
        Arc::new(move |arguments: &[ColumnarValue]| {
            let columns = ColumnarValue::values_to_arrays(arguments)?;
            let ids = columns[0].as_primitive::<Int64Type>();
            let found: arrow::array::BooleanArray = ids.values().iter().map(|id| Some(people.contains(id))).collect();
            Ok(ColumnarValue::Array(Arc::new(found)))
        }),
    );
    function.call(vec![person])
}
