//! `safar experiment --plan`: how large an experiment has to be, from what happened without one.
use super::{
    Answer, PathQuery,
    answer::{counts, numbers, texts},
    experiment_arms::{Assigned, Counted, People, Region, Telling, arm, regions, untold},
    scope::{day_of, extent},
    select::midnight,
};
use crate::{Error, Result, Stop, Workspace};
use arrow::{array::AsArray, datatypes::Int64Type};
use futures::TryStreamExt;
use safar_attribution::experiment::{Design, Settings, geo_plan_until, hold_out};
use safar_engine::Session;
use safar_model::{DAY_US, Micros};

/// An experiment in the planning.
#[derive(Clone, Debug)]
pub struct Plan {
    /// The lift to be found, as a part of what would have been: 0.05 is 5 % more. Of everybody's conversions, not only of those
    /// who would meet the channel.
    pub lift: f64,
    /// The property that tells people's regions (or `country`), where regions are to be assigned; people otherwise.
    pub region: Option<String>,
    /// The part of people or regions that is to be treated, above 0 and below 1.
    pub treated_share: f64,
    /// Chance to find the lift, above 0 and below 1.
    pub power: f64,
    /// Of the intervals, above 0 and below 1.
    pub level: f64,
    /// Days before whose conversions and value sharpen the comparison; 0: none.
    pub days_before: u32,
}

/// How long an experiment is taken to be where no days are given.
const DAYS: i64 = 28;

/// What can be planned of one measure: its name, its mean for each person, the detectable lift, and how many times as many units
/// the wanted lift takes.
type Row = (&'static str, f64, Option<f64>, Option<f64>);

/// Rows `measure, unit, units, mean, detectable_lift, wanted_lift, units_needed`: what an experiment with everyone, or every region,
/// that was seen in the days of `query` (the last 28 of the data otherwise) would find, and how many it takes for the wanted lift.
/// Lifts are parts of the mean.
///
/// # Errors
/// Parts out of range; nobody in these days; fewer regions than it takes; tables that cannot be read.
pub async fn plan(workspace: &Workspace, plan: &Plan, query: &PathQuery) -> Result<Answer<String>> {
    if plan.lift == 0.0 || !plan.lift.is_finite() {
        return Err(Error::Request(format!(
            "a lift of {} cannot be planned for; write the part to be found, such as 0.05 for 5 %",
            plan.lift
        )));
    }
    let session = super::session(workspace).await?;
    let goal = query.goal(workspace, &session).await?;
    let zone = &workspace.settings().workspace.time_zone;
    let last = extent(&session, None).await?.map_or(0, |(_, last)| last + 1);
    let until = query.until(workspace)?.unwrap_or(last).min(last);
    let from = query.from.map_or(Ok(until - DAYS * DAY_US), |day| midnight(day, zone))?;
    if from >= until {
        return Err(Error::Request(
            "there is nothing in these days to plan with\n  hint: name other days with --from and --to".to_owned(),
        ));
    }
    let counted = Counted { goal: &goal, query, zone, until, days_before: plan.days_before };
    let settings = Settings {
        level: plan.level,
        power: plan.power,
        treated_share: Some(plan.treated_share),
        ..Settings::default()
    };
    let (unit, units, rows, note) = match &plan.region {
        None => of_people(&session, plan, &counted, &settings, from).await?,
        Some(property) => of_regions(&session, plan, property, &counted, &settings, from, workspace.stop()).await?,
    };
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a count, 0 or more")]
    let needed = |times: f64| (times * units as f64 - 1e-9).ceil() as u64;
    let days = (until - from) as f64 / DAY_US as f64;
    let answer = Answer::new([
        ("measure", texts(rows.iter().map(|row| row.0))),
        ("unit", texts(rows.iter().map(|_| unit))),
        ("units", counts(rows.iter().map(|_| units))),
        ("mean", numbers(rows.iter().map(|row| Some(row.1)))),
        ("detectable_lift", numbers(rows.iter().map(|row| row.2))),
        ("wanted_lift", numbers(rows.iter().map(|_| Some(plan.lift)))),
        ("units_needed", super::answer::maybe_counts(rows.iter().map(|row| row.3.map(needed)))),
    ])?
    .unit("percent", &["detectable_lift", "wanted_lift"])?;
    let answer = answer.note(format!(
        "goal {goal}; {days:.0} days from {}; {:.0} % treated; intervals of {:.0} %, a chance of {:.0} % to find the lift",
        day_of(from, zone)?,
        100.0 * plan.treated_share,
        100.0 * plan.level,
        100.0 * plan.power
    ));
    Ok(answer.note(note).note(
        "lifts are of everybody's conversions in an experiment as long as these days, whether or not they would have met the \
         channel: a channel that few meet moves the whole by little",
    ))
}

type Planned = (&'static str, u64, Vec<Row>, String);

async fn of_people(
    session: &Session,
    plan: &Plan,
    counted: &Counted<'_>,
    settings: &Settings,
    from: Micros,
) -> Result<Planned> {
    let sql = format!(
        "SELECT DISTINCT person_id FROM person_events WHERE occurred_at >= to_timestamp_micros({from}) \
         AND occurred_at < to_timestamp_micros({})",
        counted.until
    );
    let mut people = People::new();
    let mut stream = session.sql(&sql).await?.execute_stream().await?;
    while let Some(batch) = stream.try_next().await? {
        let ids = batch.column(0).as_primitive::<Int64Type>().values();
        people.extend(ids.iter().map(|person| (*person, Assigned::new(0, from, from))));
    }
    counted.add(session, &mut people).await?;
    let all = arm(&people, plan.days_before, |_| true);
    // Everybody against themselves: the error is that of two arms of so many, evaluated as the experiment will be.
    let twice = hold_out(&all, &all, settings)?;
    let row = |(name, lift): (&'static str, &safar_attribution::experiment::Lift)| {
        let variance = lift.absolute.error.powi(2) * all.people / 2.0;
        let Plan { treated_share, level, power, .. } = *plan;
        let design = Design { variances: [variance; 2], treated_share, level, power };
        let detectable = design.detectable(all.people).filter(|least| *least > 0.0 && lift.control > 0.0);
        let needed = design.people(plan.lift * lift.control).filter(|_| detectable.is_some());
        (name, lift.control, detectable.map(|least| least / lift.control), needed.map(|needed| needed / all.people))
    };
    let measures = [("converters", &twice.converters), ("conversions", &twice.conversions), ("value", &twice.value)];
    let note = "units are people who were seen in these days".to_owned();
    Ok(("people", people.len() as u64, measures.into_iter().map(row).collect(), note))
}

async fn of_regions(
    session: &Session,
    plan: &Plan,
    property: &str,
    counted: &Counted<'_>,
    settings: &Settings,
    from: Micros,
    stop: &Stop,
) -> Result<Planned> {
    let mut names: Vec<String> = vec![];
    let mut places = hashbrown::HashMap::new();
    let telling = Telling { event: None, property, until: counted.until };
    let told = telling
        .read(session, |name| {
            let place = *places.entry(name.to_owned()).or_insert_with(|| {
                names.push(name.to_owned());
                names.len() - 1
            });
            Some(place)
        })
        .await?;
    if told.is_empty() {
        return Err(untold(&format!("no event has the property `{property}`")));
    }
    let mut people = People::new();
    for (person, at, place) in told {
        people.entry(person).or_insert_with(|| Assigned::new(place, at, from));
    }
    counted.add(session, &mut people).await?;
    let (known, unknown): (Vec<Region>, Vec<Region>) =
        regions(&people, &names, 0, plan.days_before).into_iter().partition(|region| region.geo.people > 0.0);
    let geos: Vec<_> = known.iter().map(|region| region.geo).collect();
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a part of a count")]
    let treated = (geos.len() as f64 * plan.treated_share).round() as usize;
    let found = geo_plan_until(&geos, treated, settings, stop)?;
    let rows = [("conversions", found.conversions), ("value", found.value)].map(|(name, power)| {
        let wished = (power.mean > 0.0).then_some(plan.lift * power.mean);
        (name, power.mean, power.detectable_part(), wished.and_then(|wished| power.times_larger(wished)))
    });
    let mut note = format!(
        "units are the values of `{property}` with people seen before these days, of whom {treated} would be treated; \
         more regions are taken to be like these"
    );
    if !unknown.is_empty() {
        let names: Vec<&str> = unknown.iter().map(|region| region.name.as_str()).collect();
        note += &format!("; left out, as nobody was seen there before: {}", names.join(", "));
    }
    Ok(("regions", geos.len() as u64, rows.to_vec(), note))
}
