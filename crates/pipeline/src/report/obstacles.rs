//! `safar obstacles`: where people leave, ranked by the conversions at stake there.
use super::{
    Answer, NOT_SET, Nodes, Note, Scope,
    answer::{counts, numbers, texts},
    events::{Wanted, conditions, each_person},
    names::Names,
    scope::extent,
    walks::each_walk,
};
use crate::{Result, Workspace};
use arrow::{
    array::{Array, AsArray},
    compute::cast,
    datatypes::{DataType, Int64Type},
};
use futures::TryStreamExt;
use hashbrown::{HashMap, HashSet};
use safar_engine::{Session, quoted};
use safar_model::{ChannelId, DAY_US, Micros};

/// The first conversion of a person.
#[derive(Clone, Copy)]
struct First {
    at: Micros,
    value: f64,
}

/// People of one first channel at one place.
#[derive(Clone, Copy, Default)]
struct Group {
    reaching: u64,
    leaving: u64,
    converted: u64,
    value: f64,
}

/// Rows `place, people_reaching, people_leaving, conversions_at_stake, value_at_stake`, the most conversions at stake first.
///
/// Every person is looked at up to their first conversion of the goal within the days, and counts at a place once:
/// - `people_reaching`: who came to the place. `people_leaving`: for whom it was the last thing they did, without converting.
/// - `conversions_at_stake`: how many of those who left would have converted, had they done so as often as similar people who
///   came to the place and went on; similar people have the same first channel. `value_at_stake`: the same in the mean value
///   of these people's first conversions.
///
/// People whose last event without a conversion lies within `settle_days` of the end of the data may still go on: they count
/// nowhere. This is what goes together, not what causes it: people who leave may have wanted less from the start.
///
/// # Errors
/// When the goal or the condition does not fit, or the tables cannot be read.
pub async fn obstacles(
    workspace: &Workspace,
    session: &Session,
    scope: &Scope,
    nodes: Nodes,
    settle_days: u32,
) -> Result<Answer> {
    let goal = scope.goal(workspace, session).await?;
    let converted = first_conversions(workspace, session, scope, &goal).await?;
    let mut channels = Names::default();
    let first_channel = first_channels(session, &mut channels).await?;
    let (_, end) = scope.span(workspace)?;
    let last = extent(session, None).await?.map_or(Micros::MIN, |(_, last)| last).min(end);
    let settled = last.saturating_sub(i64::from(settle_days) * DAY_US);
    let not_set = channels.id(NOT_SET);

    let mut names = Names::default();
    let mut found: HashMap<(ChannelId, ChannelId), Group> = HashMap::new();
    let (mut waiting, mut people) = (0_u64, 0_u64);
    let mut places: HashSet<ChannelId> = HashSet::new();
    let wanted = Wanted { scope, conditions: conditions(workspace, &[])?, nodes: Some(nodes), between: false };
    each_person(workspace, session, wanted, &mut names, |person, seen, _| {
        let first = converted.get(&person).copied();
        let walk = match first {
            Some(first) => &seen[..seen.partition_point(|seen| seen.at <= first.at)],
            None => seen,
        };
        let Some(exit) = walk.last() else { return };
        if first.is_none() && exit.at > settled {
            waiting += 1;
            return;
        }
        people += 1;
        let channel = first_channel.get(&person).copied().unwrap_or(not_set);
        places.clear();
        places.extend(walk.iter().filter_map(|seen| seen.label));
        for place in &places {
            let group = found.entry((*place, channel)).or_default();
            group.reaching += 1;
            match first {
                Some(first) => {
                    group.converted += 1;
                    group.value += first.value;
                }
                None => group.leaving += u64::from(exit.label == Some(*place)),
            }
        }
    })
    .await?;
    let (rows, alone) = ranked(found, &names);
    Answer::new([
        ("place", texts(rows.iter().map(|row| row.place.as_str()))),
        ("people_reaching", counts(rows.iter().map(|row| row.reaching))),
        ("people_leaving", counts(rows.iter().map(|row| row.leaving))),
        ("conversions_at_stake", numbers(rows.iter().map(|row| Some(row.conversions)))),
        ("value_at_stake", numbers(rows.iter().map(|row| Some(row.value)))),
    ])?
    .unit("people", &["people_reaching", "people_leaving"])?
    .unit(&workspace.settings().workspace.currency, &["value_at_stake"])
    .map(|answer| {
        answer
            .note(Note::Settled { goal, people, waiting, days: settle_days })
            .note(Note::HeldAgainst { alone })
            .note(Note::GoesTogether)
    })
}

/// One place.
struct Row {
    place: String,
    reaching: u64,
    leaving: u64,
    conversions: f64,
    value: f64,
}

/// The places, and how many leavers have nobody to be compared with.
fn ranked(found: HashMap<(ChannelId, ChannelId), Group>, names: &Names) -> (Vec<Row>, u64) {
    let mut groups: Vec<_> = found.into_iter().collect();
    // By place and channel, so that sums come out the same every time.
    groups.sort_by_key(|((place, channel), _)| (*place, *channel));
    let mut alone = 0;
    let mut rows: Vec<Row> = groups
        .chunk_by(|a, b| a.0.0 == b.0.0)
        .map(|groups| {
            let place = names.names[groups[0].0.0.0 as usize].clone();
            let mut row = Row { place, reaching: 0, leaving: 0, conversions: 0.0, value: 0.0 };
            for (_, group) in groups {
                row.reaching += group.reaching;
                row.leaving += group.leaving;
                let went_on = group.reaching - group.leaving;
                if went_on == 0 {
                    alone += group.leaving;
                } else {
                    let leaving = group.leaving as f64 / went_on as f64;
                    row.conversions += leaving * group.converted as f64;
                    row.value += leaving * group.value;
                }
            }
            row
        })
        .collect();
    rows.sort_by(|a, b| {
        b.conversions.total_cmp(&a.conversions).then(b.leaving.cmp(&a.leaving)).then_with(|| a.place.cmp(&b.place))
    });
    (rows, alone)
}

async fn first_conversions(
    workspace: &Workspace,
    session: &Session,
    scope: &Scope,
    goal: &str,
) -> Result<HashMap<i64, First>> {
    let within = scope.sql("occurred_at", workspace, session).await?;
    let condition = format!("goal = {} AND {within}", quoted(goal));
    let mut first = HashMap::new();
    each_walk(session, &condition, None, |walk| {
        if let Some(person) = walk.person.filter(|_| walk.conversions > 0.0) {
            // Paths come in the order of time.
            first.entry(person).or_insert(First { at: walk.at, value: walk.value });
        }
    })
    .await?;
    Ok(first)
}

/// The channel of everyone's first touch.
async fn first_channels(session: &Session, names: &mut Names) -> Result<HashMap<i64, ChannelId>> {
    let sql = "SELECT person_id, channel FROM touchpoints ORDER BY person_id, occurred_at";
    let mut stream = session.sql(sql).await?.execute_stream().await?;
    let (mut first, mut last) = (HashMap::new(), None);
    while let Some(batch) = stream.try_next().await? {
        let people = batch.column(0).as_primitive::<Int64Type>().values();
        let channels = cast(batch.column(1), &DataType::Utf8)?;
        let channels = channels.as_string::<i32>();
        for (row, person) in people.iter().enumerate() {
            if last.replace(*person) != Some(*person) {
                let channel = if channels.is_valid(row) { channels.value(row) } else { NOT_SET };
                first.entry(*person).or_insert_with(|| names.id(channel));
            }
        }
    }
    Ok(first)
}
