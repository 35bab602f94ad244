//! `safar retention`: who comes back, by week or month of the first time.
use super::{
    Answer, Note, Scope,
    answer::{counts, dates, flags, numbers, ratio},
    scope::{Days, day_of, extent},
    trend::each,
};
use crate::{Error, Result, Workspace};
use arrow::{
    array::AsArray,
    datatypes::{Int64Type, TimestampMicrosecondType},
};
use jiff::{ToSpan, civil::Date};
use safar_engine::{Session, quoted};
use safar_journey::retention::Cohorts;
use std::str::FromStr;

/// How long a period is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Every {
    /// A day of the workspace's time zone.
    Day,
    /// From Monday.
    #[default]
    Week,
    /// From the first of the month.
    Month,
}

impl FromStr for Every {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "day" => Ok(Self::Day),
            "week" => Ok(Self::Week),
            "month" => Ok(Self::Month),
            _ => Err(format!("`{text}` is no period; use day, week or month")),
        }
    }
}

impl Every {
    /// The first day of the period that holds `day`.
    fn start(self, day: Date) -> Date {
        match self {
            Self::Day => day,
            Self::Week => day.saturating_sub(i32::from(day.weekday().to_monday_zero_offset()).days()),
            Self::Month => day.first_of_month(),
        }
    }

    fn next(self, start: Date) -> Date {
        match self {
            Self::Day => start.saturating_add(1.day()),
            Self::Week => start.saturating_add(7.days()),
            Self::Month => start.saturating_add(1.month()),
        }
    }
}

/// What counts as coming.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Activity {
    /// Any touchpoint but an impression: a session, or a contact elsewhere.
    #[default]
    Touch,
    /// A conversion of the goal: who buys again.
    Conversion,
}

/// Rows `cohort, period, people, size, share, is_complete`: of the people who came for the first time in the period that began
/// on `cohort`, how many came in the `period`-th one after it (0: the same). A person counts in a period once, and only when
/// they came in it. Cohorts are those of the scope's days; whether somebody came before is asked of all of the data.
/// `is_complete` tells whether all of the period lies before the last day of the data. The last shown period is the one that
/// holds this day.
///
/// # Errors
/// When the goal or the condition does not fit, the days are too many, or the tables cannot be read.
pub async fn retention(
    workspace: &Workspace,
    session: &Session,
    scope: &Scope,
    every: Every,
    activity: Activity,
) -> Result<Answer> {
    let zone = &workspace.settings().workspace.time_zone;
    let people = Scope { from: None, to: None, ..scope.clone() }.sql("occurred_at", workspace, session).await?;
    let (what, sql) = match activity {
        Activity::Touch => (Note::ComesByTouch, format!("touchpoints WHERE interaction <> 'impression' AND {people}")),
        Activity::Conversion => {
            let goal = scope.goal(workspace, session).await?;
            // What only takes money back is no conversion.
            let sql = format!(
                "conversions WHERE goal = {} AND NOT (gross_value = 0 AND refunded_value > 0) AND {people}",
                quoted(&goal)
            );
            (Note::ComesByConversion { goal }, sql)
        }
    };
    let Some((first, last)) = extent(session, None).await? else {
        return table(&[], &Cohorts::default(), scope, None, what);
    };
    let (first, last) = (day_of(first, zone)?, day_of(last, zone)?);
    let starts: Vec<Date> = std::iter::successors(Some(every.start(first)), |start| Some(every.next(*start)))
        .take_while(|start| *start <= last)
        .collect();
    let end = last.tomorrow().map_err(|e| Error::Request(e.to_string()))?;
    let days = Days::new(first, end, zone)?;
    // Which period each day lies in.
    let period_of: Vec<usize> =
        (0..days.len()).map(|day| starts.partition_point(|start| *start <= days.date(day)) - 1).collect();
    let mut found = Cohorts::default();
    let sql = format!("SELECT person_id, occurred_at FROM {sql} ORDER BY person_id, occurred_at");
    each(session, &sql, |batch| {
        let people = batch.column(0).as_primitive::<Int64Type>().values();
        let times = batch.column(1).as_primitive::<TimestampMicrosecondType>().values();
        for (person, at) in people.iter().zip(times) {
            if let Some(day) = days.index(*at) {
                found.see(*person, period_of[day]);
            }
        }
    })
    .await?;
    table(&starts, &found, scope, Some((last, every)), what)
}

/// All periods of all cohorts within the days asked for, those with nobody too.
fn table(starts: &[Date], found: &Cohorts, scope: &Scope, last: Option<(Date, Every)>, what: Note) -> Result<Answer> {
    let is_shown = |start: Date| scope.from.is_none_or(|from| start >= from) && scope.to.is_none_or(|to| start < to);
    let mut rows = vec![];
    for (cohort, start) in starts.iter().enumerate().filter(|(_, start)| is_shown(**start)) {
        let size = found.people(cohort, 0);
        for period in 0..starts.len() - cohort {
            let people = found.people(cohort, period);
            let is_complete = last.is_some_and(|(last, every)| every.next(starts[cohort + period]) <= last);
            rows.push((*start, period as u64, people, size, is_complete));
        }
    }
    Answer::new([
        ("cohort", dates(rows.iter().map(|row| row.0))),
        ("period", counts(rows.iter().map(|row| row.1))),
        ("people", counts(rows.iter().map(|row| row.2))),
        ("size", counts(rows.iter().map(|row| row.3))),
        ("share", numbers(rows.iter().map(|row| ratio(row.2 as f64, row.3 as f64)))),
        ("is_complete", flags(rows.iter().map(|row| row.4))),
    ])?
    .unit("people", &["people", "size"])?
    .unit("percent", &["share"])
    .map(|answer| answer.note(what))
}
