//! Events person by person, in the order of time: what funnels and explorations look at.
use super::{Scope, names::Names, steps::Nodes};
use crate::{Error, Result, Workspace};
use arrow::{
    array::{Array, ArrayRef, AsArray, Int64Array},
    compute::cast,
    datatypes::{DataType, Int32Type, Int64Type, TimestampMicrosecondType},
};
use datafusion::{
    common::DataFusionError,
    dataframe::DataFrame,
    logical_expr::{ColumnarValue, Expr, Volatility, create_udf},
    prelude::{col, lit},
};
use futures::TryStreamExt;
use hashbrown::HashMap;
use safar_engine::Session;
use safar_journey::Conditions;
use safar_model::{ChannelId, Interaction, Micros, Table};
use std::sync::{Arc, Mutex, PoisonError};

/// One event of a person.
#[derive(Clone, Copy, Debug)]
pub(super) struct Seen {
    pub at: Micros,
    /// A bit for each condition that it meets.
    pub met: u32,
    /// What it is called; `None` where it is nothing that was asked for.
    pub label: Option<ChannelId>,
}

/// A row of the query.
struct Row {
    person: i64,
    seen: Seen,
    step: i32,
}

/// Which events are looked at.
pub(super) struct Wanted<'a> {
    pub scope: &'a Scope,
    pub conditions: Conditions,
    /// What events are called; where they need no name, only those are shown that meet a condition.
    pub nodes: Option<Nodes>,
    /// Whether everything else that people did is shown, too, without a name: it can lie between two steps.
    pub between: bool,
}

/// The number of no label.
const NO_LABEL: i64 = -1;

/// Shows `look` everyone of `scope` with their events; labels are numbered on from `names`.
///
/// Who an event's person is, is known as the last build published it.
pub(super) async fn each_person(
    workspace: &Workspace,
    session: &Session,
    wanted: Wanted<'_>,
    names: &mut Names,
    mut look: impl FnMut(i64, &[Seen], &Names),
) -> Result<()> {
    let shared = Arc::new(Mutex::new(std::mem::take(names)));
    let frame = frame(workspace, session, &wanted, &shared).await?;
    let mut stream = frame.execute_stream().await?;
    let mut rows: Vec<Row> = vec![];
    let mut seen = vec![];
    let mut deliver = |rows: &mut Vec<Row>, last: bool| {
        let open = if last { None } else { rows.last().map(|row| row.person) };
        let ready = rows.iter().rposition(|row| Some(row.person) != open).map_or(0, |at| at + 1);
        let names = shared.lock().unwrap_or_else(PoisonError::into_inner);
        for one in rows[..ready].chunk_by_mut(|a, b| a.person == b.person) {
            one.sort_unstable_by_key(|row| row.step);
            seen.clear();
            seen.extend(one.iter().map(|row| row.seen));
            look(one[0].person, &seen, &names);
        }
        rows.drain(..ready);
    };
    while let Some(batch) = stream.try_next().await? {
        let [people, met, labels] = [0, 3, 4].map(|index| batch.column(index).as_primitive::<Int64Type>().values());
        let times = batch.column(1).as_primitive::<TimestampMicrosecondType>().values();
        let steps = batch.column(2).as_primitive::<Int32Type>().values();
        for row in 0..batch.num_rows() {
            let label = u32::try_from(labels[row]).ok().map(ChannelId);
            let seen = Seen { at: times[row], met: met[row] as u32, label };
            rows.push(Row { person: people[row], seen, step: steps[row] });
        }
        deliver(&mut rows, false);
    }
    deliver(&mut rows, true);
    *names = std::mem::take(&mut *shared.lock().unwrap_or_else(PoisonError::into_inner));
    Ok(())
}

/// Rows `person_id, occurred_at, step, met, label, between`, person by person.
async fn frame(
    workspace: &Workspace,
    session: &Session,
    wanted: &Wanted<'_>,
    names: &Arc<Mutex<Names>>,
) -> Result<DataFrame> {
    let (from, to) = wanted.scope.span(workspace)?;
    let instant = |at: Micros| lit(datafusion::common::ScalarValue::TimestampMicrosecond(Some(at), Some("UTC".into())));
    let mut events = session.table(Table::PersonEvents).await?;
    if from > Micros::MIN {
        events = events.filter(col("occurred_at").gt_eq(instant(from)))?;
    }
    if to < Micros::MAX {
        events = events.filter(col("occurred_at").lt(instant(to)))?;
    }
    if let Some(people) = wanted.scope.people(workspace, session).await? {
        events = events.filter(people.test().call(vec![col("person_id")]))?;
    }
    // What was only shown to somebody is nothing that they did.
    let done = col("interaction").eq(lit(Interaction::Impression.as_str())).is_not_true();
    let mut columns: Vec<Expr> = ["person_id", "occurred_at", "step"].map(col).to_vec();
    columns.push(met(&wanted.conditions)?.alias("met"));
    columns.push(wanted.nodes.map_or_else(|| lit(NO_LABEL), |nodes| label(nodes, names)).alias("label"));
    columns.push(if wanted.between { done } else { lit(false) }.alias("between"));
    events = events.select(columns)?;
    events = events.filter(col("met").not_eq(lit(0_i64)).or(col("label").not_eq(lit(NO_LABEL))).or(col("between")))?;
    // They lie in this order: parts of the table are read side by side, and people stay whole.
    Ok(events.sort(vec![col("person_id").sort(true, false)])?)
}

/// Which conditions an event meets. Called volatile, so that it is asked once an event: a filter on it is not pushed below it.
fn met(conditions: &Conditions) -> Result<Expr> {
    let schema = Table::PersonEvents.schema();
    let columns = conditions.columns().to_vec();
    let kinds: Result<Vec<DataType>> =
        columns.iter().map(|name| Ok(schema.field_with_name(name)?.data_type().clone())).collect();
    let conditions = conditions.clone();
    let function = create_udf(
        "conditions_met",
        kinds?,
        DataType::Int64,
        Volatility::Volatile,
        Arc::new(move |arguments: &[ColumnarValue]| {
            let arrays = ColumnarValue::values_to_arrays(arguments)?;
            let met = conditions.met(&arrays).map_err(|error| DataFusionError::External(Box::new(error)))?;
            let bits = met.into_iter().map(|bits| Some(i64::from(bits))).collect::<Int64Array>();
            Ok(ColumnarValue::Array(Arc::new(bits)))
        }),
    );
    Ok(function.call(columns.into_iter().map(col).collect()))
}

/// The number of an event's label among the names. What was only shown to somebody is nothing that they did: it has none.
fn label(nodes: Nodes, names: &Arc<Mutex<Names>>) -> Expr {
    let names = Arc::clone(names);
    let function = create_udf(
        "label_of",
        vec![DataType::Utf8; 3],
        DataType::Int64,
        Volatility::Volatile,
        Arc::new(move |arguments: &[ColumnarValue]| {
            let arrays = ColumnarValue::values_to_arrays(arguments)?;
            let (event, page, kind) = (text(&arrays[0])?, text(&arrays[1])?, text(&arrays[2])?);
            let [event, page, kind] = [&event, &page, &kind].map(|array| array.as_string::<i32>());
            // Threads label side by side: what they share is asked once for each label of a batch.
            let (mut labels, mut places) = (vec![], HashMap::new());
            let mut of = |row: usize| {
                if kind.is_valid(row) && kind.value(row) == Interaction::Impression.as_str() {
                    return None;
                }
                let url = page.is_valid(row).then(|| page.value(row));
                let label = nodes.label(if event.is_valid(row) { event.value(row) } else { "" }, url)?;
                Some(*places.entry(label).or_insert_with(|| {
                    labels.push(label);
                    labels.len() - 1
                }))
            };
            let rows: Vec<Option<usize>> = (0..event.len()).map(&mut of).collect();
            let mut names = names.lock().unwrap_or_else(PoisonError::into_inner);
            let ids: Vec<i64> = labels.iter().map(|label| i64::from(names.id(label).0)).collect();
            let numbers = rows.iter().map(|place| place.map_or(NO_LABEL, |place| ids[place]));
            Ok(ColumnarValue::Array(Arc::new(Int64Array::from_iter_values(numbers))))
        }),
    );
    function.call(["name", "page_url", "interaction"].map(col).to_vec())
}

fn text(array: &ArrayRef) -> Result<ArrayRef, DataFusionError> {
    Ok(cast(array, &DataType::Utf8)?)
}

/// The conditions of steps, in their order.
pub(super) fn conditions(workspace: &Workspace, steps: &[&super::Step]) -> Result<Conditions> {
    let goals = steps.iter().map(|step| step.condition(workspace)).collect::<Result<Vec<_>>>()?;
    Conditions::new(goals).map_err(|error| match error {
        safar_journey::Error::GoalWithoutCondition { name } => Error::Request(format!(
            "step `{name}` asks for nothing; say at least one of events, pages, interactions, where"
        )),
        other => other.into(),
    })
}
