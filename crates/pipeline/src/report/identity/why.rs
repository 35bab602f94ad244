//! `safar people why`: the links that make two identifiers one person, or what keeps them apart. `safar people conflicts`:
//! every link that joins nobody.
use super::super::{
    Answer,
    answer::{instants, maybe_texts, numbers, texts},
};
use crate::{Named, Result, Workspace, build::people::graph};
use arrow::array::{ArrayRef, Int64Array};
use safar_engine::Session;
use safar_identity::{Conflict, Link, Resolution};
use std::sync::Arc;

/// Rows `from, to, kind, observed_at, confidence, source, event_id`: the shortest chain of links from the one to the other,
/// each identifier as `namespace:value`. Where they are two people, the rows are the links that would join them or somebody's
/// decision to part them, and the notes say which rule forbids it.
///
/// # Errors
/// When the tables cannot be read.
pub async fn why(workspace: &Workspace, session: &Session, a: &Named, b: &Named) -> Result<Answer<String>> {
    let (graph, _) = graph(session, &workspace.settings().identity).await?;
    let Resolution { map, conflicts } = graph.resolve();
    let chain = graph.why(&map, a.pair(), b.pair());
    if !chain.is_empty() {
        let devices =
            map.people_of(&a.namespace, &a.identifier).len() + map.people_of(&b.namespace, &b.identifier).len();
        let answer = rows(&chain)?.note(format!("{a} and {b} are one person"));
        return Ok(match devices {
            2 => answer,
            _ => answer
                .note("one of them belongs to that person only for a time: `safar person` shows from when to when"),
        });
    }
    let (people_a, people_b) = (map.people_of(&a.namespace, &a.identifier), map.people_of(&b.namespace, &b.identifier));
    let between = |conflict: &Conflict| {
        let met = |x: &i64, y: &i64| people_a.contains(x) && people_b.contains(y);
        met(&conflict.person_a, &conflict.person_b) || met(&conflict.person_b, &conflict.person_a)
    };
    let conflicts: Vec<Conflict> = conflicts.into_iter().filter(between).collect();
    let splits = graph.splits(&map, a.pair(), b.pair());
    let links: Vec<Link> =
        splits.iter().cloned().chain(conflicts.iter().map(|conflict| conflict.link.clone())).collect();
    let mut answer = rows(&links)?.note(format!("{a} and {b} are two people"));
    if links.is_empty() {
        answer = answer.note("no chain of links leads from the one to the other");
    }
    if !splits.is_empty() {
        answer = answer.note("somebody took them apart by hand; `safar people join` takes that back");
    }
    for conflict in &conflicts {
        answer = answer.note(format!(
            "a link between {} `{}` and {} `{}` joins nobody: {}",
            conflict.link.ns_a, conflict.link.id_a, conflict.link.ns_b, conflict.link.id_b, conflict.rule
        ));
    }
    Ok(answer)
}

/// Rows `from, to, kind, observed_at, confidence, source, event_id, rule, person_from, person_to`: the links that join nobody
/// because they would break a rule, the oldest of each pair of identifiers, by the rules of the workspace as they are now.
///
/// # Errors
/// When the tables cannot be read.
pub async fn conflicts(workspace: &Workspace, session: &Session) -> Result<Answer<String>> {
    let (graph, blocked) = graph(session, &workspace.settings().identity).await?;
    let found = graph.resolve().conflicts;
    let links: Vec<Link> = found.iter().map(|conflict| conflict.link.clone()).collect();
    let people = |of: &dyn Fn(&Conflict) -> i64| -> ArrayRef { Arc::new(found.iter().map(of).collect::<Int64Array>()) };
    let mut columns = columns(&links);
    columns.push(("rule", texts(found.iter().map(|conflict| conflict.rule.to_string()))));
    columns.push(("person_from", people(&|conflict| conflict.person_a)));
    columns.push(("person_to", people(&|conflict| conflict.person_b)));
    let answer = Answer::new(columns)?.note(format!("{} pairs of identifiers are kept apart", links.len()));
    Ok(match blocked {
        0 => answer,
        _ => answer.note(format!(
            "{blocked} more links join nobody because `blocked` of [identity] names an identifier of theirs"
        )),
    })
}

fn rows(links: &[Link]) -> Result<Answer<String>> {
    Answer::new(columns(links))
}

fn columns(links: &[Link]) -> Vec<(&'static str, ArrayRef)> {
    vec![
        ("from", texts(links.iter().map(|link| format!("{}:{}", link.ns_a, link.id_a)))),
        ("to", texts(links.iter().map(|link| format!("{}:{}", link.ns_b, link.id_b)))),
        ("kind", texts(links.iter().map(|link| link.kind.as_str()))),
        ("observed_at", instants(links.iter().map(|link| Some(link.observed_at)))),
        ("confidence", numbers(links.iter().map(|link| Some(link.confidence)))),
        ("source", maybe_texts(links.iter().map(|link| link.source.as_deref()))),
        ("event_id", maybe_texts(links.iter().map(|link| link.event_id.as_deref()))),
    ]
}
