//! `safar compare`: the same figures of two groups of people, with their difference and how sure it is.
use super::{
    Answer, FunnelQuery, Scope,
    answer::{numbers, texts},
    funnel::funnel,
    trend::each,
    walks::each_walk,
};
use crate::{Result, Workspace};
use arrow::{array::AsArray, datatypes::Int64Type};
use hashbrown::{HashMap, HashSet};
use safar_attribution::experiment::{Arm, Measure, Settings, hold_out};
use safar_engine::Session;

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

impl Segments {
    /// The scopes of the two groups; whoever is in both is in neither.
    fn scopes(&self, scope: &Scope) -> [Scope; 2] {
        let people = |one: &str, other: &str| {
            Some(format!("({one}) AND person_id NOT IN (SELECT person_id FROM touchpoints WHERE ({other}))"))
        };
        [people(&self.a, &self.b), people(&self.b, &self.a)].map(|people| Scope { people, ..scope.clone() })
    }

    /// How many people are in both.
    async fn in_both(&self, session: &Session) -> Result<usize> {
        let of = |people: &String| Scope { people: Some(people.clone()), ..Scope::default() };
        let (a, b) = (of(&self.a).people(session).await?, of(&self.b).people(session).await?);
        let (a, b) = (a.unwrap_or_default(), b.unwrap_or_default());
        Ok(a.iter().filter(|person| b.contains(*person)).count())
    }

    fn note(&self, both: usize) -> String {
        format!(
            "a: {}; b: {}; {both} people are in both and left out; intervals of {} %; what differs need not be the cause",
            self.a,
            self.b,
            self.level * 100.0
        )
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
    let mut groups = vec![];
    for scope in segments.scopes(scope) {
        groups.push(group(workspace, session, &scope, &goal).await?);
    }
    let settings = Settings { level: segments.level, ..Settings::default() };
    let bought = hold_out(&groups[0].0, &groups[1].0, &settings)?;
    let came = hold_out(&groups[0].1, &groups[1].1, &settings)?;
    let currency = &workspace.settings().workspace.currency;
    let row = |name: &str, lift: &safar_attribution::experiment::Lift, unit: &str| Row {
        name: name.to_owned(),
        a: lift.treated,
        b: lift.control,
        difference: Some([lift.absolute.value, lift.absolute.low, lift.absolute.high]),
        unit: unit.to_owned(),
    };
    let (a, b) = (groups[0].0.people, groups[1].0.people);
    let rows = [
        Row { name: "people".to_owned(), a, b, difference: None, unit: "people".to_owned() },
        row("conversion_rate", &bought.converters, "percent"),
        row("conversions_per_person", &bought.conversions, "conversions"),
        row("value_per_person", &bought.value, currency),
        row("sessions_per_person", &came.conversions, "sessions"),
    ];
    let both = segments.in_both(session).await?;
    answer(&rows).map(|answer| answer.note(format!("goal {goal}")).note(segments.note(both)))
}

/// Rows as [`compare`]: of each step of a funnel after the first, which part of the people of the first step reached it.
///
/// # Errors
/// As [`funnel`]; when a group has fewer than 2 people in the first step.
pub async fn compare_funnels(
    workspace: &Workspace,
    session: &Session,
    query: &FunnelQuery,
    segments: &Segments,
) -> Result<Answer> {
    let mut people: Vec<Vec<i64>> = vec![];
    let mut steps = vec![];
    for scope in segments.scopes(&query.scope) {
        let found = funnel(workspace, session, &FunnelQuery { scope, ..query.clone() }).await?;
        steps = super::attribute::strings(&found.rows, 0)?.into_iter().flatten().collect();
        people.push(found.rows.column(1).as_primitive::<Int64Type>().values().to_vec());
    }
    let settings = Settings { level: segments.level, ..Settings::default() };
    let (first_a, first_b) = (people[0][0] as f64, people[1][0] as f64);
    let mut rows =
        vec![Row { name: steps[0].clone(), a: first_a, b: first_b, difference: None, unit: "people".to_owned() }];
    for (step, name) in steps.iter().enumerate().skip(1) {
        // In an open funnel more people may reach a step than the first one: that is no part of it.
        let arm = |group: usize, first: f64| Arm {
            people: first,
            exposed: None,
            converters: people[group][step] as f64,
            conversions: Measure::default(),
            value: Measure::default(),
        };
        let found = hold_out(&arm(0, first_a), &arm(1, first_b), &settings)?.converters;
        rows.push(Row {
            name: name.clone(),
            a: found.treated,
            b: found.control,
            difference: Some([found.absolute.value, found.absolute.low, found.absolute.high]),
            unit: "percent".to_owned(),
        });
    }
    let both = segments.in_both(session).await?;
    answer(&rows).map(|answer| answer.note(segments.note(both)))
}

/// What a group comes down to: its conversions and value, and (as if they were conversions) its sessions.
async fn group(workspace: &Workspace, session: &Session, scope: &Scope, goal: &str) -> Result<(Arm, Arm)> {
    let everyone: HashSet<i64> = scope.people(session).await?.unwrap_or_default();
    let people = everyone.len() as f64;
    let mut bought: HashMap<i64, [f64; 2]> = HashMap::new();
    let condition = format!("goal = '{}' AND {}", goal.replace('\'', "''"), scope.sql("occurred_at", workspace)?);
    let mut order = vec![];
    each_walk(session, &condition, None, |walk| {
        if let Some(person) = walk.person.filter(|_| walk.conversions != 0.0 || walk.value != 0.0) {
            let sums = bought.entry(person).or_insert_with(|| {
                order.push(person);
                [0.0; 2]
            });
            sums[0] += walk.conversions;
            sums[1] += walk.value;
        }
    })
    .await?;
    let (mut conversions, mut value, mut converters) = (Measure::default(), Measure::default(), 0.0);
    for person in &order {
        let [count, worth] = bought[person];
        add(&mut conversions, count);
        add(&mut value, worth);
        converters += f64::from(u8::from(count > 0.0));
    }
    let mut visits: HashMap<i64, f64> = HashMap::new();
    let sql = format!("SELECT person_id FROM sessions WHERE {}", scope.sql("started_at", workspace)?);
    each(session, &sql, |batch| {
        for person in batch.column(0).as_primitive::<Int64Type>().values() {
            *visits.entry(*person).or_default() += 1.0;
        }
    })
    .await?;
    let mut sessions = Measure::default();
    // Whole numbers: their sums are exact in any order.
    visits.values().for_each(|count| add(&mut sessions, *count));
    let arm = |converters, conversions, value| Arm { people, exposed: None, converters, conversions, value };
    Ok((arm(converters, conversions, value), arm(visits.len() as f64, sessions, Measure::default())))
}

fn add(measure: &mut Measure, figure: f64) {
    measure.sum += figure;
    measure.squares += figure * figure;
}
