//! People for whom a condition holds. Whoever asks again about the same version of the data is given the same set, and rows
//! are held to it one by one where they lie: their order and their ranges stay as they are, as no join would leave them.
use crate::{Result, Workspace};
use arrow::{
    array::{AsArray, BooleanArray},
    datatypes::{DataType, Int64Type},
};
use datafusion::{
    common::tree_node::{TreeNode, TreeNodeRecursion},
    logical_expr::{ColumnarValue, Expr, LogicalPlan, ScalarUDF, Volatility, create_udf},
};
use futures::TryStreamExt;
use hashbrown::HashSet;
use safar_engine::Session;
use safar_store::Snapshot;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::OnceCell;

/// How many conditions are kept.
const KEPT: usize = 16;

/// The most people of all groups that are kept together.
const PEOPLE_KEPT: usize = 8_000_000;

/// A set of people.
#[derive(Clone, Debug, Default)]
pub struct Group(Arc<HashSet<i64>>);

impl Group {
    /// Everyone with a touch, at any time, for which the SQL condition over `touchpoints` holds.
    pub(super) async fn of(workspace: &Workspace, session: &Session, condition: &str) -> Result<Self> {
        Self::found(workspace, session, &format!("SELECT person_id FROM touchpoints WHERE ({condition})")).await
    }

    /// The people whose ids a query gives as its first column. It must not call functions of other groups, whose names say
    /// nothing once they are forgotten.
    pub(super) async fn found(workspace: &Workspace, session: &Session, sql: &str) -> Result<Self> {
        let frame = session.sql(sql).await?;
        // What can tell the time is asked once in a session, since it must not be remembered for longer.
        let alone = if is_timeless(frame.logical_plan())? { None } else { Some(session.context().session_id()) };
        let cell = workspace.groups().cell(session.snapshot(), sql, alone);
        let found = cell.get_or_try_init(|| async {
            let mut stream = frame.execute_stream().await?;
            let (mut people, mut last) = (HashSet::new(), None);
            while let Some(batch) = stream.try_next().await? {
                for person in batch.column(0).as_primitive::<Int64Type>().values() {
                    // Rows of a person stand together.
                    if last.replace(*person) != Some(*person) {
                        people.insert(*person);
                    }
                }
            }
            Ok::<_, crate::Error>(Self(Arc::new(people)))
        });
        let group = found.await?.clone();
        workspace.groups().limit(PEOPLE_KEPT);
        Ok(group)
    }

    pub(super) fn contains(&self, person: i64) -> bool {
        self.0.contains(&person)
    }

    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    /// Those for whom `keep` holds.
    pub(super) fn filter(&self, keep: impl Fn(i64) -> bool) -> Self {
        Self(Arc::new(self.0.iter().copied().filter(|person| keep(*person)).collect()))
    }

    /// Those of both.
    pub(super) fn union(&self, other: &Self) -> Self {
        Self(Arc::new(self.0.union(&other.0).copied().collect()))
    }

    /// The function that tells whether an id is of the group.
    pub(super) fn test(&self) -> ScalarUDF {
        let people = Arc::clone(&self.0);
        // A function keeps its set: as long as a session knows the one, no other set can have its address.
        let name = format!("is_of_group_{:x}", Arc::as_ptr(&self.0).addr());
        create_udf(
            &name,
            vec![DataType::Int64],
            DataType::Boolean,
            Volatility::Immutable,
            Arc::new(move |arguments: &[ColumnarValue]| {
                let arrays = ColumnarValue::values_to_arrays(arguments)?;
                let ids = arrays[0].as_primitive::<Int64Type>();
                let mut last = None;
                let mut is_of = |id: i64| match last {
                    Some((known, is_of)) if known == id => is_of,
                    _ => last.insert((id, people.contains(&id))).1,
                };
                let rows: BooleanArray = ids.iter().map(|id| id.map(&mut is_of)).collect();
                Ok(ColumnarValue::Array(Arc::new(rows)))
            }),
        )
    }

    /// The SQL condition that holds `column` to the group, in this session.
    pub(super) fn sql(&self, column: &str, session: &Session) -> String {
        let test = self.test();
        let condition = format!("{}({column})", test.name());
        session.context().register_udf(test);
        condition
    }
}

impl FromIterator<i64> for Group {
    fn from_iter<T: IntoIterator<Item = i64>>(people: T) -> Self {
        Self(Arc::new(people.into_iter().collect()))
    }
}

/// Whether a query says the same whenever it is asked of the same tables.
fn is_timeless(plan: &LogicalPlan) -> Result<bool, datafusion::common::DataFusionError> {
    let mut timeless = true;
    plan.apply_with_subqueries(|node| {
        node.apply_expressions(|expr| {
            expr.apply(|expr| {
                timeless &= match expr {
                    Expr::ScalarFunction(call) => call.func.signature().volatility == Volatility::Immutable,
                    Expr::ScalarVariable(..) => false,
                    _ => true,
                };
                Ok(if timeless { TreeNodeRecursion::Continue } else { TreeNodeRecursion::Stop })
            })
        })
    })?;
    Ok(timeless)
}

/// A question, the version of the data it was asked of, and the session where the answer is good for that one only.
#[derive(Debug, PartialEq, Eq)]
struct Key {
    snapshot: Snapshot,
    sql: String,
    session: Option<String>,
}

/// The groups that were asked for last; the newest stands last. Who asks while one is being found waits for it.
#[derive(Debug, Default)]
pub(crate) struct Groups {
    kept: Mutex<Vec<(Key, Arc<OnceCell<Group>>)>>,
}

impl Groups {
    fn cell(&self, snapshot: &Snapshot, sql: &str, session: Option<String>) -> Arc<OnceCell<Group>> {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let key = Key { snapshot: snapshot.clone(), sql: sql.to_owned(), session };
        let cell = match kept.iter().position(|(known, _)| *known == key) {
            Some(at) => kept.remove(at).1,
            None => Arc::default(),
        };
        kept.push((key, Arc::clone(&cell)));
        cell
    }

    /// Forgets what is too much.
    fn limit(&self, most: usize) {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let size = |cell: &OnceCell<Group>| cell.get().map_or(0, Group::len);
        let mut people: usize = kept.iter().map(|(_, cell)| size(cell)).sum();
        while kept.len() > KEPT || (people > most && !kept.is_empty()) {
            people -= size(&kept.remove(0).1);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn group(people: impl IntoIterator<Item = i64>) -> Group {
        people.into_iter().collect()
    }

    fn snapshot() -> Snapshot {
        serde_json::from_str(r#"{"format":1,"sequence":3,"tables":{}}"#).unwrap()
    }

    #[test]
    fn the_same_question_has_one_answer_and_the_oldest_is_forgotten() {
        let (groups, snapshot) = (Groups::default(), snapshot());
        let first = groups.cell(&snapshot, "a", None);
        first.set(group([1, 2])).unwrap();
        assert_eq!(groups.cell(&snapshot, "a", None).get().map(Group::len), Some(2));
        assert!(groups.cell(&snapshot, "a", Some("s".to_owned())).get().is_none());
        for at in 0..KEPT {
            groups.cell(&snapshot, &at.to_string(), None);
        }
        groups.limit(PEOPLE_KEPT);
        assert_eq!(groups.kept.lock().unwrap().len(), KEPT);
        assert!(groups.cell(&snapshot, "a", None).get().is_none());
    }

    #[test]
    fn too_many_people_are_not_kept() {
        let (groups, snapshot) = (Groups::default(), snapshot());
        for name in ["a", "b"] {
            groups.cell(&snapshot, name, None).set(group(0..6)).unwrap();
        }
        groups.limit(11);
        assert!(groups.cell(&snapshot, "a", None).get().is_none());
        assert!(groups.cell(&snapshot, "b", None).get().is_some());
    }
}
