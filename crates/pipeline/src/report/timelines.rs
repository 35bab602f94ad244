//! What everyone did while observed, for models of cause.
use super::{
    Dimension, NOT_SET,
    load::TouchLabels,
    names::{Names, strings},
};
use crate::{Error, Result, Workspace};
use arrow::{
    array::AsArray,
    compute::cast,
    datatypes::{DataType, Float64Type, Int64Type, TimestampMicrosecondType},
};
use futures::TryStreamExt;
use hashbrown::HashMap;
use safar_attribution::{
    Attribution, ModelSpec, Stop,
    hazard::{Role, attribute_timelines_with},
};
use safar_engine::{Session, quoted};
use safar_model::{ChannelId, Micros, TimelineRef, Timelines};

/// Everyone's timeline.
pub(super) struct Lived {
    pub timelines: Timelines,
    /// Whose they are, as in `Record`.
    pub people: Vec<u64>,
    /// By label: the channel that most of its touches came by, which tells the models how people and touches come together.
    pub channels: Vec<String>,
    /// By label, where settings say it of that channel.
    pub roles: Vec<Option<Role>>,
}

impl Lived {
    /// Asks a model of cause.
    pub fn attribute(&self, model: &ModelSpec, stop: &Stop) -> Result<Attribution> {
        Ok(attribute_timelines_with(model, &self.timelines, &self.channels, &self.roles, stop)?)
    }
}

/// Which outcomes get credit. The others are learned from.
pub(super) struct Asked<'a> {
    pub goal: &'a str,
    /// An SQL condition over `paths`.
    pub condition: &'a str,
    /// Only outcomes of these people, from an instant on that each of them has.
    pub since: Option<&'a HashMap<i64, Micros>>,
}

/// One person's touches (when, which, and its label) and outcomes in the order of time.
#[derive(Default)]
struct Life {
    touches: Vec<(Micros, i64, ChannelId)>,
    outcomes: Vec<Outcome>,
    /// Money of no outcome.
    loose: f64,
}

#[derive(Clone, Copy)]
struct Outcome {
    at: Micros,
    value: f64,
    is_asked: bool,
}

/// Everyone who has a touch or reached the goal, watched from the first to the last moment of the data; what came at the moment
/// `until` or later is not looked at. Labels are numbered on from `names`. People of whom nothing was ever seen cannot be known,
/// so rates are those of people seen at least once.
///
/// Conversions are those of `paths`, so that what models share out is what paths add up to. A refund that found no order is
/// no outcome: it is money of its person.
pub(super) async fn timelines(
    workspace: &Workspace,
    session: &Session,
    by: &Dimension,
    asked: Asked<'_>,
    until: Option<Micros>,
    names: &mut Names,
) -> Result<Lived> {
    let within = until.map_or_else(|| "TRUE".to_owned(), |at| format!("occurred_at < to_timestamp_micros({at})"));
    let mut lives: HashMap<i64, Life> = HashMap::new();
    let channels = touches(workspace, session, by, &within, &mut lives, names).await?;
    let roles = workspace.settings().attribution.roles_of(&channels);
    outcomes(session, &asked, &within, &mut lives).await?;
    let mut lived = Lived { timelines: Timelines::default(), people: vec![], channels, roles };
    let times = |life: &Life| {
        let touches = life.touches.iter().map(|touch| touch.0);
        touches.chain(life.outcomes.iter().map(|outcome| outcome.at)).collect::<Vec<_>>()
    };
    let (first, last) = lives
        .values()
        .flat_map(times)
        .fold((Micros::MAX, Micros::MIN), |(first, last), at| (first.min(at), last.max(at)));
    if first > last {
        return Ok(lived);
    }
    let mut lives: Vec<(i64, Life)> = lives.into_iter().collect();
    lives.sort_unstable_by_key(|(person, _)| *person);
    let mut counted = vec![];
    for (person, mut life) in lives {
        life.touches.sort_unstable_by_key(|(at, touch, _)| (*at, *touch));
        let channels: Vec<ChannelId> = life.touches.iter().map(|touch| touch.2).collect();
        let times: Vec<Micros> = life.touches.iter().map(|touch| touch.0).collect();
        let (outcomes, values): (Vec<Micros>, Vec<f64>) =
            life.outcomes.iter().map(|outcome| (outcome.at, outcome.value)).unzip();
        let (from, until) = (first, last);
        let line =
            TimelineRef { from, until, channels: &channels, times: &times, outcomes: &outcomes, values: &values };
        let wrong = |error: safar_model::TimelineError| Error::Request(error.to_string());
        lived.timelines.push(line).map_err(wrong)?;
        if life.loose != 0.0 {
            lived.timelines.add_loose(life.loose).map_err(wrong)?;
        }
        lived.people.push(person.cast_unsigned());
        counted.extend(life.outcomes.iter().map(|outcome| outcome.is_asked));
    }
    if counted.contains(&false) {
        lived.timelines.count_only(counted);
    }
    Ok(lived)
}

/// Reads the touches. By label: the channel that most of its touches came by; the label itself where nothing did.
async fn touches(
    workspace: &Workspace,
    session: &Session,
    by: &Dimension,
    within: &str,
    lives: &mut HashMap<i64, Life>,
    names: &mut Names,
) -> Result<Vec<String>> {
    let labels = match by {
        Dimension::Channel => None,
        other => Some(TouchLabels::read(session, other).await?),
    };
    let mut channels = Names::default();
    let mut counts: HashMap<(ChannelId, ChannelId), u64> = HashMap::new();
    let sql = format!(
        "SELECT person_id, occurred_at, channel, touchpoint_id FROM touchpoints WHERE {within} ORDER BY person_id, occurred_at"
    );
    let mut stream = session.sql(&sql).await?.execute_stream().await?;
    while let Some(batch) = stream.try_next().await? {
        let people = batch.column(0).as_primitive::<Int64Type>().values();
        let times = batch.column(1).as_primitive::<TimestampMicrosecondType>().values();
        let ids = batch.column(3).as_primitive::<Int64Type>().values();
        for (row, channel) in strings(&batch, 2)?.into_iter().enumerate() {
            let channel = channel.as_deref().unwrap_or(NOT_SET);
            let label = match &labels {
                Some(labels) => names.id(labels.of(ids[row])),
                None => names.id(channel),
            };
            *counts.entry((label, channels.id(channel))).or_default() += 1;
            lives.entry(people[row]).or_default().touches.push((times[row], ids[row], label));
        }
    }
    let direct = workspace.direct_channel()?;
    let mut roles = names.names.clone();
    let mut most = vec![(0, ChannelId(u32::MAX)); roles.len()];
    for ((label, channel), count) in counts {
        let most = &mut most[label.0 as usize];
        // Of two that are as frequent the one that was met first.
        if (count, std::cmp::Reverse(channel)) > (most.0, std::cmp::Reverse(most.1)) {
            *most = (count, channel);
        }
    }
    for (role, (_, channel)) in roles.iter_mut().zip(most) {
        if let Some(channel) = channels.names.get(channel.0 as usize) {
            // Own rules may call direct visits otherwise.
            *role = if *channel == direct { "Direct".to_owned() } else { channel.clone() };
        }
    }
    Ok(roles)
}

/// Reads the conversions.
async fn outcomes(session: &Session, asked: &Asked<'_>, within: &str, lives: &mut HashMap<i64, Life>) -> Result<()> {
    let sql = format!(
        "SELECT person_id, occurred_at, conversions, value, bucket, (({}) IS TRUE) FROM paths \
         WHERE goal = {} AND (conversions <> 0 OR value <> 0) AND {within} ORDER BY person_id, occurred_at",
        asked.condition,
        quoted(asked.goal)
    );
    let mut stream = session.sql(&sql).await?.execute_stream().await?;
    while let Some(batch) = stream.try_next().await? {
        let people = batch.column(0).as_primitive::<Int64Type>().values();
        let times = batch.column(1).as_primitive::<TimestampMicrosecondType>().values();
        let [conversions, values] = [2, 3].map(|index| batch.column(index).as_primitive::<Float64Type>().values());
        let buckets = cast(batch.column(4), &DataType::Int64)?;
        let buckets = buckets.as_primitive::<Int64Type>().values();
        let is_asked = batch.column(5).as_boolean();
        for row in 0..batch.num_rows() {
            if buckets[row] < 0 {
                return Err(safar_attribution::Error::NeedsTimelines { model: "a model of cause" }.into());
            }
            let (person, at, value) = (people[row], times[row], values[row]);
            let is_late = |since: &HashMap<i64, Micros>| since.get(&person).is_some_and(|start| at >= *start);
            let is_asked = is_asked.value(row) && asked.since.is_none_or(is_late);
            let life = lives.entry(person).or_default();
            if conversions[row] > 0.0 {
                life.outcomes.push(Outcome { at, value, is_asked });
            } else if is_asked {
                life.loose += value;
            }
        }
    }
    Ok(())
}
