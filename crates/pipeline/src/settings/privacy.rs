//! `[privacy]`: how long what is kept, and what is done with what a visitor did not agree to.
use jiff::{Span, Timestamp, tz::TimeZone};
use safar_model::{Micros, consent::ConsentRules};
use serde::{Deserialize, Deserializer, de::Error as _};

/// `[privacy]`
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct PrivacySettings {
    /// Events, and what is derived from them, by when they happened; for ever where left out.
    pub keep_events: Option<Age>,
    /// Requests that the collector keeps beside the tables; as `[collect.log]` says where left out.
    pub keep_requests: Option<Age>,
    /// Rejected rows, in the table and in files; for ever where left out.
    pub keep_rejects: Option<Age>,
    /// Files in `done` and `failed` of the drop folder, by when they were moved there; for ever where left out.
    pub keep_dropped: Option<Age>,
    /// What is done with what a visitor did not agree to.
    pub consent: ConsentRules,
}

/// A time of the calendar, such as `25 months`.
#[derive(Clone, Copy, Debug)]
pub struct Age(Span);

impl Age {
    /// The instant, in microseconds UTC, before which everything is older than this; days, months and years are those of a time
    /// zone.
    #[must_use]
    pub fn before(&self, now: Timestamp, zone: &str) -> Micros {
        let zone = TimeZone::get(zone).unwrap_or(TimeZone::UTC); // settings were checked
        let limit = now.to_zoned(zone).checked_sub(self.0);
        // Before all time, nothing is older.
        limit.map_or(Micros::MIN, |limit| limit.timestamp().as_microsecond())
    }
}

impl<'de> Deserialize<'de> for Age {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let text = String::deserialize(from)?;
        let refuse = || {
            D::Error::custom(format!("`{text}` is no time; write it like \"90 days\", \"25 months\" or \"2 years\""))
        };
        let (number, unit) = text.trim().split_once(' ').ok_or_else(refuse)?;
        let number: i32 = number.parse().ok().filter(|number| *number > 0).ok_or_else(refuse)?;
        let span = match unit.trim().trim_end_matches('s') {
            "day" => Span::new().try_days(number),
            "week" => Span::new().try_weeks(number),
            "month" => Span::new().try_months(number),
            "year" => Span::new().try_years(number),
            _ => return Err(refuse()),
        };
        span.map(Self).map_err(|_| refuse())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn age(text: &str) -> Result<Age, String> {
        let settings: Result<PrivacySettings, _> = toml::from_str(&format!("keep_events = \"{text}\""));
        settings.map(|settings| settings.keep_events.unwrap()).map_err(|error| error.to_string())
    }

    #[test]
    fn ages_are_of_the_calendar() {
        let now: Timestamp = "2026-03-31T12:00:00Z".parse().unwrap();
        for (text, zone, wanted) in [
            ("1 day", "UTC", "2026-03-30T12:00:00Z"),
            ("1 month", "UTC", "2026-02-28T12:00:00Z"),
            ("2 years", "UTC", "2024-03-31T12:00:00Z"),
            ("1 week", "Europe/Warsaw", "2026-03-24T13:00:00Z"), // summer time began on the 29th
        ] {
            let before = age(text).unwrap().before(now, zone);
            assert_eq!(Timestamp::from_microsecond(before).unwrap(), wanted.parse().unwrap(), "{text}");
        }
        for text in ["", "90", "days", "0 days", "-1 days", "1.5 years", "3 hours"] {
            assert!(age(text).unwrap_err().contains("is no time"), "{text}");
        }
        assert_eq!(age("30000 days").unwrap().before(now, "UTC"), now.as_microsecond() - 30_000 * 86_400_000_000);
    }
}
