//! What holds for all rows of an input, and their times.
use super::{field::Field, number::Amounts, reason, row::Fault, settings::ImportSettings, time::TimeReader};
use safar_model::{Micros, consent::ConsentRules};

/// Earlier times are placeholders: 1900-01-01.
const EARLIEST: Micros = -2_208_988_800_000_000;

/// What holds for all rows of an input.
#[derive(Clone)]
pub(crate) struct Terms {
    pub times: TimeReader,
    pub amounts: Amounts,
    pub default_currency: Option<String>,
    pub latest: Micros,
    pub keep_contact_details: bool,
    pub consent: ConsentRules,
    pub has_name: bool,
}

impl Terms {
    pub(crate) fn new(
        settings: &ImportSettings,
        times: TimeReader,
        amounts: Amounts,
        now: Micros,
        has_name: bool,
    ) -> Self {
        Self {
            times,
            amounts,
            default_currency: settings.default_currency.clone(),
            latest: now.saturating_add(i64::from(settings.max_future_hours) * 3_600_000_000),
            keep_contact_details: settings.keep_contact_details,
            consent: settings.consent.clone(),
            has_name,
        }
    }

    #[inline]
    pub(super) fn instant(&self, field: Field, text: &str) -> Result<Micros, Fault> {
        let time = self.times.read(text).ok_or_else(|| {
            let number = text.parse::<f64>().is_ok_and(f64::is_finite);
            Fault::of(field, if number { reason::NUMBER_IS_NO_TIME } else { reason::NO_SUCH_TIME })
        })?;
        if time < EARLIEST {
            return Err(Fault::of(field, reason::BEFORE_1900));
        }
        if time > self.latest {
            return Err(Fault::of(field, reason::IN_THE_FUTURE));
        }
        Ok(time)
    }

    /// A day and a time of day from two columns.
    pub(super) fn joined(&self, day: &str, clock: &str) -> Result<Micros, Fault> {
        let both = format!("{day} {clock}");
        if self.times.read(&both).is_none() && self.times.read(day).is_some() {
            return Err(Fault::of(Field::TimeOfDay, reason::NO_TIME_OF_DAY));
        }
        self.instant(Field::OccurredAt, &both)
    }
}
