//! `safar compare`: the same figures of two groups of people, with their difference and how sure it is.
use super::{
    Answer, FunnelQuery, Group, Note, Scope,
    answer::{maybe_texts, numbers, texts},
    funnel::each_reached,
    names::Names,
    transitions::{each_step, ends},
    trend::each,
    walks::{Distinct, each_walk},
};
use crate::{Result, Workspace};
use arrow::{array::AsArray, datatypes::Int64Type};
use hashbrown::HashMap;
use safar_attribution::experiment::{Arm, Measure, Settings, hold_out};
use safar_engine::{Session, quoted};
use safar_model::ChannelId;

/// Two groups of people: SQL conditions over the columns of `touchpoints`, as [`Scope::people`].
#[derive(Clone, Debug)]
pub struct Segments {
    /// Who is in the first group.
    pub a: String,
    /// Who is in the second.
    pub b: String,
    /// Of the intervals.
    pub level: f64,
}

/// The people of two groups; whoever is in both is in neither.
struct Split {
    groups: [Group; 2],
    /// How many are in both.
    both: usize,
    /// Days as before, of both groups together.
    scope: Scope,
}

impl Split {
    /// Which group somebody is in.
    fn of(&self, person: i64) -> Option<usize> {
        self.groups.iter().position(|group| group.contains(person))
    }

    fn people(&self) -> [f64; 2] {
        [0, 1].map(|at| self.groups[at].len() as f64)
    }
}

impl Segments {
    /// The two groups, of the people of `scope`.
    async fn split(&self, workspace: &Workspace, session: &Session, scope: &Scope) -> Result<Split> {
        let everyone = scope.people(workspace, session).await?;
        let is_asked = |person: i64| everyone.as_ref().is_none_or(|everyone| everyone.contains(person));
        let a = Group::of(workspace, session, &self.a).await?;
        let b = Group::of(workspace, session, &self.b).await?;
        let groups =
            [(&a, &b), (&b, &a)].map(|(one, other)| one.filter(|person| is_asked(person) && !other.contains(person)));
        let both = a.filter(|person| is_asked(person) && b.contains(person)).len();
        let only = a.union(&b).filter(|person| groups.iter().any(|group| group.contains(person)));
        Ok(Split { groups, both, scope: Scope { people: None, only: Some(only), ..scope.clone() } })
    }

    fn note(&self, both: usize) -> Note {
        Note::Segments { a: self.a.clone(), b: self.b.clone(), both: both as u64, level: self.level }
    }
}

/// One compared figure.
struct Row {
    name: String,
    a: f64,
    b: f64,
    /// Difference a − b, and its ends.
    difference: Option<[f64; 3]>,
    unit: String,
}

fn answer(rows: &[Row]) -> Result<Answer> {
    let of = |at: usize| numbers(rows.iter().map(|row| row.difference.map(|ends| ends[at])));
    Answer::new([
        ("metric", texts(rows.iter().map(|row| &row.name))),
        ("a", numbers(rows.iter().map(|row| Some(row.a)))),
        ("b", numbers(rows.iter().map(|row| Some(row.b)))),
        ("difference", of(0)),
        ("low", of(1)),
        ("high", of(2)),
        ("unit", texts(rows.iter().map(|row| &row.unit))),
    ])
}

/// Rows `metric, a, b, difference, low, high, unit`: people, conversion rate, conversions, value and sessions a person of the
/// two groups, within the days. The difference of rates has Newcombe's interval (1998, method 10), that of means Welch's (1947).
///
/// # Errors
/// When a condition does not fit, a group has fewer than 2 people, or the tables cannot be read.
pub async fn compare(workspace: &Workspace, session: &Session, scope: &Scope, segments: &Segments) -> Result<Answer> {
    let goal = scope.goal(workspace, session).await?;
    let split = segments.split(workspace, session, scope).await?;
    let bought = bought(workspace, session, &split, &goal).await?;
    let came = came(workspace, session, &split).await?;
    let settings = Settings { level: segments.level, ..Settings::default() };
    let bought = hold_out(&bought[0], &bought[1], &settings)?;
    let came = hold_out(&came[0], &came[1], &settings)?;
    let currency = &workspace.settings().workspace.currency;
    let row = |name: &str, lift: &safar_attribution::experiment::Lift, unit: &str| Row {
        name: name.to_owned(),
        a: lift.treated,
        b: lift.control,
        difference: Some([lift.absolute.value, lift.absolute.low, lift.absolute.high]),
        unit: unit.to_owned(),
    };
    let [a, b] = split.people();
    let rows = [
        Row { name: "people".to_owned(), a, b, difference: None, unit: "people".to_owned() },
        row("conversion_rate", &bought.converters, "percent"),
        row("conversions_per_person", &bought.conversions, "conversions"),
        row("value_per_person", &bought.value, currency),
        row("sessions_per_person", &came.conversions, "sessions"),
    ];
    answer(&rows).map(|answer| answer.note(Note::Goal { goal }).note(segments.note(split.both)))
}

/// Rows as [`compare`]: of each step of a funnel after the first, which part of the people of the first step reached it.
///
/// # Errors
/// As [`funnel`](super::funnel()); when a group has fewer than 2 people in the first step.
pub async fn compare_funnels(
    workspace: &Workspace,
    session: &Session,
    query: &FunnelQuery,
    segments: &Segments,
) -> Result<Answer> {
    let split = segments.split(workspace, session, &query.scope).await?;
    let mut people = [vec![0_u64; query.steps.len()], vec![0_u64; query.steps.len()]];
    let query = FunnelQuery { scope: split.scope.clone(), ..query.clone() };
    each_reached(workspace, session, &query, |person, reached| {
        let Some(group) = split.of(person) else { return };
        for (count, reached) in people[group].iter_mut().zip(reached) {
            *count += u64::from(reached.is_some());
        }
    })
    .await?;
    let settings = Settings { level: segments.level, ..Settings::default() };
    let (first_a, first_b) = (people[0][0] as f64, people[1][0] as f64);
    let mut rows =
        vec![Row { name: query.name(0), a: first_a, b: first_b, difference: None, unit: "people".to_owned() }];
    for step in 1..query.steps.len() {
        // In an open funnel more people may reach a step than the first one: that is no part of it.
        let arm = |group: usize, first: f64| share_of(first, people[group][step] as f64);
        let found = hold_out(&arm(0, first_a), &arm(1, first_b), &settings)?.converters;
        rows.push(Row {
            name: query.name(step),
            a: found.treated,
            b: found.control,
            difference: Some([found.absolute.value, found.absolute.low, found.absolute.high]),
            unit: "percent".to_owned(),
        });
    }
    answer(&rows).map(|answer| answer.note(segments.note(split.both)))
}

/// Rows `from, to, people_a, people_b, a, b, difference, low, high, unit`: the ways of the two groups, of the people whom
/// [`compare`] counts. Rows without `to` are places: how many people of each group came to `from`. The others are steps from
/// `from` to `to`, as those of [`transitions`](super::transitions()). `a` and `b` are the parts of all people of the group, and
/// their difference has Newcombe's interval; the largest differences first, places before steps.
///
/// # Errors
/// As [`compare`].
pub async fn compare_transitions(
    workspace: &Workspace,
    session: &Session,
    scope: &Scope,
    segments: &Segments,
) -> Result<Answer> {
    let goal = scope.goal(workspace, session).await?;
    let split = segments.split(workspace, session, scope).await?;
    let within = split.scope.sql("occurred_at", workspace, session).await?;
    let condition = format!("goal = {} AND {within}", quoted(&goal));
    let mut names = Names::default();
    let ends = ends(&mut names);
    let mut found: HashMap<(ChannelId, Option<ChannelId>), [Distinct; 2]> = HashMap::new();
    each_walk(session, &condition, Some(&mut names), |walk| {
        let Some((person, group)) = walk.person.and_then(|person| Some((person, split.of(person)?))) else { return };
        each_step(&walk, ends, |_, _, from, to| {
            for place in [(from, None), (to, None), (from, Some(to))] {
                found.entry(place).or_default()[group].see(person);
            }
        });
    })
    .await?;
    let settings = Settings { level: segments.level, ..Settings::default() };
    let [a, b] = split.people();
    let name = |id: ChannelId| names.names[id.0 as usize].as_str();
    let mut rows = vec![];
    for ((from, to), people) in &found {
        let people = people.map(|people| people.people as f64);
        let lift = hold_out(&share_of(a, people[0]), &share_of(b, people[1]), &settings)?.converters;
        rows.push((name(*from), to.map(name), people, lift));
    }
    rows.sort_by(|(from, to, _, one), (other_from, other_to, _, other)| {
        let size = |lift: &safar_attribution::experiment::Lift| lift.absolute.value.abs();
        let names = (from, to).cmp(&(other_from, other_to));
        to.is_some().cmp(&other_to.is_some()).then(size(other).total_cmp(&size(one))).then(names)
    });
    let number = |of: &dyn Fn(&(&str, Option<&str>, [f64; 2], safar_attribution::experiment::Lift)) -> f64| {
        numbers(rows.iter().map(|row| Some(of(row))))
    };
    Answer::new([
        ("from", texts(rows.iter().map(|row| row.0))),
        ("to", maybe_texts(rows.iter().map(|row| row.1))),
        ("people_a", number(&|row| row.2[0])),
        ("people_b", number(&|row| row.2[1])),
        ("a", number(&|row| row.3.treated)),
        ("b", number(&|row| row.3.control)),
        ("difference", number(&|row| row.3.absolute.value)),
        ("low", number(&|row| row.3.absolute.low)),
        ("high", number(&|row| row.3.absolute.high)),
    ])?
    .unit("people", &["people_a", "people_b"])?
    .unit("percent", &["a", "b", "difference", "low", "high"])
    .map(|answer| {
        answer
            .note(Note::SegmentSizes { goal, a: split.groups[0].len() as u64, b: split.groups[1].len() as u64 })
            .note(segments.note(split.both))
    })
}

/// So many of so many people.
fn share_of(people: f64, converters: f64) -> Arm {
    Arm { people, exposed: None, converters, conversions: Measure::default(), value: Measure::default() }
}

/// What each group bought.
async fn bought(workspace: &Workspace, session: &Session, split: &Split, goal: &str) -> Result<[Arm; 2]> {
    let within = split.scope.sql("occurred_at", workspace, session).await?;
    let condition = format!("goal = {} AND {within}", quoted(goal));
    let mut sums: HashMap<i64, [f64; 2]> = HashMap::new();
    let mut order = vec![];
    each_walk(session, &condition, None, |walk| {
        if let Some(person) = walk.person.filter(|_| walk.conversions != 0.0 || walk.value != 0.0) {
            let sums = sums.entry(person).or_insert_with(|| {
                order.push(person);
                [0.0; 2]
            });
            sums[0] += walk.conversions;
            sums[1] += walk.value;
        }
    })
    .await?;
    let mut arms = split.people().map(|people| share_of(people, 0.0));
    for person in &order {
        let Some(group) = split.of(*person) else { continue };
        let [count, worth] = sums[person];
        add(&mut arms[group].conversions, count);
        add(&mut arms[group].value, worth);
        arms[group].converters += f64::from(u8::from(count > 0.0));
    }
    Ok(arms)
}

/// The sessions of each group, as if they were conversions.
async fn came(workspace: &Workspace, session: &Session, split: &Split) -> Result<[Arm; 2]> {
    let mut visits: HashMap<i64, f64> = HashMap::new();
    let sql =
        format!("SELECT person_id FROM sessions WHERE {}", split.scope.sql("started_at", workspace, session).await?);
    each(session, &sql, |batch| {
        for person in batch.column(0).as_primitive::<Int64Type>().values() {
            *visits.entry(*person).or_default() += 1.0;
        }
    })
    .await?;
    let mut arms = split.people().map(|people| share_of(people, 0.0));
    for (person, count) in &visits {
        let Some(group) = split.of(*person) else { continue };
        // Whole numbers: their sums are exact in any order.
        add(&mut arms[group].conversions, *count);
        arms[group].converters += 1.0;
    }
    Ok(arms)
}

fn add(measure: &mut Measure, figure: f64) {
    measure.sum += figure;
    measure.squares += figure * figure;
}
