//! Whom and which days a report looks at, and the days of the workspace's time zone.
use super::{
    Group, PathQuery,
    select::{day_bounds, midnight},
};
use crate::{Error, Result, Workspace};
use arrow::{
    array::{Array, AsArray},
    datatypes::TimestampMicrosecondType,
};
use jiff::{Timestamp, civil::Date, tz::TimeZone};
use safar_engine::{Session, quoted};
use safar_model::Micros;

/// Days that a report can be made by; more are a mistaken year in the data.
const DAYS_MOST: i64 = 36_600;

/// Whom and which days a report looks at.
#[derive(Clone, Debug, Default)]
pub struct Scope {
    /// The goal; the workspace's first one that has paths otherwise.
    pub goal: Option<String>,
    /// First day, in the workspace's time zone; that of the data otherwise.
    pub from: Option<Date>,
    /// The day after the last; otherwise everything.
    pub to: Option<Date>,
    /// An SQL condition over the columns of `touchpoints`: only people with a touch, at any time, for which it holds.
    pub people: Option<String>,
    /// Of them only these, who were found before.
    pub only: Option<Group>,
}

impl Scope {
    /// The goal of the report.
    pub(super) async fn goal(&self, workspace: &Workspace, session: &Session) -> Result<String> {
        PathQuery { goal: self.goal.clone(), ..PathQuery::default() }.goal(workspace, session).await
    }

    /// The SQL condition that holds `column` within the days, and people to those asked for, in this session.
    pub(super) async fn sql(&self, column: &str, workspace: &Workspace, session: &Session) -> Result<String> {
        let zone = &workspace.settings().workspace.time_zone;
        let mut parts = day_bounds(column, self.from, self.to, zone)?;
        parts.extend(self.people(workspace, session).await?.map(|people| people.sql("person_id", session)));
        Ok(if parts.is_empty() { "TRUE".to_owned() } else { parts.join(" AND ") })
    }

    /// Instants from and to, where days are given.
    pub(super) fn span(&self, workspace: &Workspace) -> Result<(Micros, Micros)> {
        let zone = &workspace.settings().workspace.time_zone;
        let at = |day: Option<Date>| day.map(|day| midnight(day, zone)).transpose();
        Ok((at(self.from)?.unwrap_or(Micros::MIN), at(self.to)?.unwrap_or(Micros::MAX)))
    }

    /// The people asked for; `None`: everyone.
    pub(super) async fn people(&self, workspace: &Workspace, session: &Session) -> Result<Option<Group>> {
        let Some(condition) = &self.people else { return Ok(self.only.clone()) };
        let people = Group::of(workspace, session, condition).await?;
        Ok(Some(match &self.only {
            Some(only) => only.filter(|person| people.contains(person)),
            None => people,
        }))
    }

    /// First day and the day after the last of a report of `goal`: those asked for, or of the data; `None` where there is no data.
    pub(super) async fn days(
        &self,
        workspace: &Workspace,
        session: &Session,
        goal: &str,
    ) -> Result<Option<(Date, Date)>> {
        let zone = &workspace.settings().workspace.time_zone;
        if let (Some(from), Some(to)) = (self.from, self.to)
            && from >= to
        {
            return Err(Error::Request(format!(
                "no day lies between {from} and {to}: the last day is not included\n  hint: name a later day with --to"
            )));
        }
        let (from, to) = match (self.from, self.to, extent(session, Some(goal)).await?) {
            (Some(from), Some(to), _) => (from, to),
            (_, _, None) => return Ok(None),
            (from, to, Some((first, last))) => (
                from.map_or_else(|| day_of(first, zone), Ok)?,
                to.map_or_else(|| day_of(last, zone).and_then(next), Ok)?,
            ),
        };
        Ok((from < to).then_some((from, to)))
    }
}

/// The first and the last moment at which anybody was seen. Ready paths are of the moment of their import: only those of the goal
/// `ready` count.
pub(super) async fn extent(session: &Session, ready: Option<&str>) -> Result<Option<(Micros, Micros)>> {
    let ready = ready.map_or_else(|| "FALSE".to_owned(), |goal| format!("bucket < 0 AND goal = {}", quoted(goal)));
    let sql = format!(
        "SELECT min(a), max(b) FROM (SELECT min(occurred_at) AS a, max(occurred_at) AS b FROM touchpoints \
         UNION ALL SELECT min(started_at), max(ended_at) FROM sessions \
         UNION ALL SELECT min(occurred_at), max(occurred_at) FROM conversions \
         UNION ALL SELECT min(occurred_at), max(occurred_at) FROM paths WHERE {ready})"
    );
    let batches = session.sql(&sql).await?.collect().await?;
    let Some(batch) = batches.first().filter(|batch| batch.num_rows() > 0) else { return Ok(None) };
    let [first, last] = [0, 1].map(|index| batch.column(index).as_primitive::<TimestampMicrosecondType>());
    Ok((first.is_valid(0) && last.is_valid(0)).then(|| (first.value(0), last.value(0))))
}

/// The day of an instant.
pub(super) fn day_of(at: Micros, zone: &str) -> Result<Date> {
    let wrong = |e: jiff::Error| Error::Request(format!("{at} µs after 1970: {e}; name the days with from and to"));
    let zone = TimeZone::get(zone).map_err(wrong)?;
    Ok(Timestamp::from_microsecond(at).map_err(wrong)?.to_zoned(zone).date())
}

fn next(day: Date) -> Result<Date> {
    day.tomorrow().map_err(|e| Error::Request(format!("{day}: {e}")))
}

/// The days of a span, each from midnight to midnight of the workspace's time zone.
pub(super) struct Days {
    first: Date,
    /// When each begins, and last when the span ends.
    starts: Vec<Micros>,
}

impl Days {
    pub fn new(from: Date, to: Date, zone: &str) -> Result<Self> {
        let days = i64::from((to - from).get_days());
        if days > DAYS_MOST {
            return Err(Error::Request(format!(
                "from {from} to {to} is more than {DAYS_MOST} days: some time stamps are mistaken\n  hint: name the days with --from and --to"
            )));
        }
        let days = std::iter::successors(Some(from), |day| day.tomorrow().ok()).take_while(|day| *day <= to);
        let starts = days.map(|day| midnight(day, zone)).collect::<Result<_>>()?;
        Ok(Self { first: from, starts })
    }

    pub fn len(&self) -> usize {
        self.starts.len().saturating_sub(1)
    }

    /// Which day holds an instant; `None` outside of the span.
    pub fn index(&self, at: Micros) -> Option<usize> {
        let after = self.starts.partition_point(|start| *start <= at);
        (after > 0 && after < self.starts.len()).then(|| after - 1)
    }

    pub fn date(&self, index: usize) -> Date {
        let days = i64::try_from(index).unwrap_or(i64::MAX);
        self.first.saturating_add(jiff::Span::new().days(days.min(DAYS_MOST)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_of_a_clock_change_is_shorter_and_holds_its_moments() {
        let days = Days::new("2026-03-28".parse().unwrap(), "2026-03-31".parse().unwrap(), "Europe/Warsaw").unwrap();
        assert_eq!(days.len(), 3);
        let at = |text: &str| text.parse::<Timestamp>().unwrap().as_microsecond();
        assert_eq!(days.index(at("2026-03-27T22:59:59Z")), None);
        assert_eq!(days.index(at("2026-03-27T23:00:00Z")), Some(0));
        assert_eq!(days.index(at("2026-03-28T23:00:00Z")), Some(1));
        // Summer time began on the 29th: its successor begins an hour earlier.
        assert_eq!(days.index(at("2026-03-29T21:59:59Z")), Some(1));
        assert_eq!(days.index(at("2026-03-29T22:00:00Z")), Some(2));
        assert_eq!(days.index(at("2026-03-30T22:00:00Z")), None);
        assert_eq!(days.date(2), "2026-03-30".parse().unwrap());
    }
}
