//! The shop's year: how busy each day is, when people buy presents, and when things are cheap.
use jiff::{Timestamp, civil::Date, tz::TimeZone};
use safar_model::Micros;

/// How busy each weekday is, Sunday first.
const WEEK: [f64; 7] = [1.20, 1.05, 0.95, 0.92, 0.95, 0.98, 1.15];

/// How busy the beginning of each month is; in between, along a line to the next one.
const YEAR: [f64; 12] = [1.10, 1.00, 0.97, 0.95, 0.92, 0.84, 0.76, 0.76, 0.90, 1.06, 1.22, 1.45];

/// A day of the shop.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Today {
    /// From 0, Sunday.
    pub(crate) weekday: usize,
    /// How many visits there are beside an average day.
    pub(crate) busy: f64,
    /// How near an occasion for presents is: 0 none, 1 the last days before it.
    pub(crate) gifts: f64,
    /// Whether prices are shouted about: the week of Black Friday, and the first days after Christmas.
    pub(crate) sale: bool,
    /// Whether stores and telephones are staffed.
    pub(crate) open: bool,
}

/// The day that begins at `start` (UTC).
pub(crate) fn today(start: Micros) -> Today {
    // `Shop::events` keeps instants within jiff's.
    let date = Timestamp::from_microsecond(start).map_or(Date::ZERO, |instant| instant.to_zoned(TimeZone::UTC).date());
    let weekday = date.weekday().to_sunday_zero_offset().unsigned_abs() as usize;
    let month = date.month().unsigned_abs() as usize - 1;
    let part = f64::from(date.day() - 1) / f64::from(date.days_in_month());
    let season = YEAR[month] + part * (YEAR[(month + 1) % 12] - YEAR[month]);
    let holiday = matches!((date.month(), date.day()), (1, 1) | (12, 25 | 26));
    let sale = is_sale(date);
    let busy = WEEK[weekday] * season * if holiday { 0.6 } else { 1.0 } * if sale { 1.35 } else { 1.0 };
    Today { weekday, busy, gifts: gifts(date), sale, open: !holiday && weekday != 0 }
}

/// Valentine's day, the Persian new year, the second Sunday of May and Christmas: presents are bought in the days before,
/// the more the nearer, and in time for the post.
fn gifts(date: Date) -> f64 {
    let mothers = nth(date, 5, 0, 2);
    let occasions = [(2, 13, 9), (3, 19, 12), (5, mothers - 1, 10), (12, 21, 30)];
    let near = occasions.map(|(month, last, span)| {
        let left = Date::new(date.year(), month, last).map_or(-1, |occasion| (occasion - date).get_days());
        if (0..span).contains(&left) { 1.0 - f64::from(left) / f64::from(span) } else { 0.0 }
    });
    near.into_iter().fold(0.0, f64::max)
}

fn is_sale(date: Date) -> bool {
    let friday = nth(date, 11, 5, 4);
    let black = date.month() == 11 && (friday - 4..=friday + 3).contains(&date.day());
    black || (date.month() == 12 && date.day() >= 27)
}

/// The day of `month` on which a weekday comes for the `count`th time in the year of `date`.
fn nth(date: Date, month: i8, weekday: i8, count: i8) -> i8 {
    let first = Date::new(date.year(), month, 1).map_or(0, |first| first.weekday().to_sunday_zero_offset());
    1 + (weekday - first).rem_euclid(7) + 7 * (count - 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(day: &str) -> Today {
        let date: Date = day.parse().unwrap();
        today(date.to_zoned(TimeZone::UTC).unwrap().timestamp().as_microsecond())
    }

    /// Mother's day was on 10 May 2026 (Germany), Black Friday on 28 November 2025.
    #[test]
    fn occasions_fall_on_their_days() {
        assert!(of("2026-05-09").gifts == 1.0 && of("2026-05-10").gifts == 0.0 && of("2026-05-01").gifts > 0.0);
        assert!(of("2025-11-28").sale && of("2025-11-24").sale && !of("2025-12-01").sale);
        assert!(!of("2025-11-23").sale && of("2025-12-28").sale);
        assert!(of("2025-12-21").gifts > of("2025-12-01").gifts && of("2025-12-01").gifts > of("2025-11-21").gifts);
        assert!(!of("2025-12-25").open && of("2025-12-24").open && !of("2026-11-22").open);
    }

    #[test]
    fn every_day_is_busy_and_a_year_is_about_average() {
        let start = of_start("2025-01-01");
        let busy: Vec<f64> = (0..365).map(|day| today(start + day * safar_model::DAY_US).busy).collect();
        assert!(busy.iter().all(|busy| (0.4..3.0).contains(busy)));
        let mean = busy.iter().sum::<f64>() / 365.0;
        assert!((0.95..1.1).contains(&mean), "{mean}");
    }

    fn of_start(day: &str) -> Micros {
        day.parse::<Date>().unwrap().to_zoned(TimeZone::UTC).unwrap().timestamp().as_microsecond()
    }
}
