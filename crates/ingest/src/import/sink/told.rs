//! What a row says, read and checked before anything is written.
use super::Sink;
use crate::import::{
    consent::Consent,
    currency,
    field::Field,
    flag::flag,
    number::is_shortened,
    reason,
    row::{Fault, Row, trimmed},
    telling::told_by,
    terms::Terms,
};
use safar_enrich::without_click_ids;
use safar_identity::{IdentitySettings, Normalised, normalise};
use safar_model::{
    Interaction, Micros,
    consent::{WITHHELD, WithoutAdvertising, WithoutAnalytics},
};
use std::borrow::Cow;

/// An event as its row tells it. An empty text is an absent one.
pub(super) struct Told<'t> {
    pub time: Micros,
    pub received: Option<Micros>,
    pub money: Money<'t>,
    pub conversion: Option<bool>,
    pub consent: Consent,
    /// Nobody may be recognised by it.
    pub cookieless: bool,
    /// Ids of clicks are withheld.
    pub strip: bool,
    pub name: &'t str,
    pub interaction: Interaction,
    /// Whether it says where somebody came from.
    pub sourced: bool,
    pub page_url: Cow<'t, str>,
    pub order_id: &'t str,
    /// Campaign, channel, medium and source, as given.
    pub given: [&'t str; 4],
    pub utm: [&'t str; 5],
    pub click_id: &'t str,
    pub click_type: &'t str,
    pub event_id: Option<&'t str>,
}

/// An amount and its currency.
pub(super) struct Money<'t> {
    pub value: Option<f64>,
    pub currency: Cow<'t, str>,
    /// What the row itself says about the currency.
    pub stated: &'t str,
}

impl<'t> Money<'t> {
    fn read(row: &Row<'t>, terms: &'t Terms) -> Result<Self, Fault> {
        let fault = |reason| Fault::of(Field::Value, reason);
        let (value, mark) = match row.get(Field::Value) {
            "" => (None, ""),
            text => {
                let amount = terms.amounts.read(text).map_err(|error| fault(error.reason()))?;
                (Some(amount.value), amount.mark)
            }
        };
        let told = row.get(Field::Currency);
        let default = value.and(terms.default_currency.as_deref()).unwrap_or("");
        let currency = currency::of(mark, told, default).map_err(fault)?;
        Ok(Self { value, currency, stated: if told.is_empty() { mark } else { told } })
    }
}

fn times(row: &Row<'_>, terms: &Terms) -> Result<(Micros, Option<Micros>), Fault> {
    let time = match (row.get(Field::OccurredAt), row.get(Field::TimeOfDay)) {
        ("", _) => return Err(Fault::of(Field::OccurredAt, reason::NO_TIME)),
        (text, "") => terms.instant(Field::OccurredAt, text)?,
        (day, clock) => terms.joined(day, clock)?,
    };
    let received = match row.get(Field::ReceivedAt) {
        "" => None,
        text => Some(terms.instant(Field::ReceivedAt, text)?),
    };
    Ok((time, received))
}

/// Fields that spreadsheets take for numbers.
const IDS: [Field; 4] = [Field::OrderId, Field::UserId, Field::CrmId, Field::EventId];

/// Whether a number of an order is a program's word for none: all such orders would be one.
fn is_no_order(text: &str, identity: &IdentitySettings) -> bool {
    !text.is_empty() && matches!(normalise("order", text, identity), Normalised::Blocked(_))
}

impl Sink<'_> {
    /// Reads a row; of several faults it tells the first.
    pub(super) fn read<'t>(&mut self, row: &Row<'t>, terms: &'t Terms) -> Result<Told<'t>, Fault> {
        let get = |field: Field| row.get(field);
        if let Some(id) = IDS.into_iter().find(|id| is_shortened(get(*id))) {
            return Err(Fault::of(id, reason::SHORTENED_ID));
        }
        let (time, received) = times(row, terms)?;
        let money = Money::read(row, terms)?;
        let mut conversion = match get(Field::Conversion) {
            "" => None,
            text => Some(flag(text).ok_or(Fault::of(Field::Conversion, reason::NEITHER_0_NOR_1))?),
        };
        let consent = self.consents.read(get(Field::Consent), &terms.consent);
        let without_analytics = consent.refused.analytics.then_some(terms.consent.without_analytics);
        if without_analytics == Some(WithoutAnalytics::Drop) {
            return Err(Fault::of(Field::Consent, reason::REFUSED));
        }
        let strip = consent.refused.advertising && terms.consent.without_advertising == WithoutAdvertising::Strip;
        let order_id = match get(Field::OrderId) {
            text if is_no_order(text, self.identity) => {
                self.identifiers.blocked += 1;
                ""
            }
            text => text,
        };
        let (click_id, click_type) = match (get(Field::ClickId), row.click) {
            ("", Some((parameter, value))) => (trimmed(value), parameter),
            (id, _) => (id, get(Field::ClickIdType)),
        };
        let stated = match get(Field::Interaction) {
            "" => None,
            // Some lists of touches mark the last one so: it says nothing about the kind of contact.
            "conversion" => {
                conversion = conversion.or(Some(true));
                None
            }
            text => Some(
                text.parse::<Interaction>().map_err(|_| Fault::of(Field::Interaction, reason::UNKNOWN_INTERACTION))?,
            ),
        };
        let page_url = get(Field::PageUrl);
        let given = [Field::Campaign, Field::Channel, Field::Medium, Field::Source].map(get);
        let utm = [Field::UtmSource, Field::UtmMedium, Field::UtmCampaign, Field::UtmTerm, Field::UtmContent].map(get);
        let sourced = given.iter().chain(&utm).any(|text| !text.is_empty()) || !click_id.is_empty();
        let name = match (get(Field::Name), conversion) {
            ("", Some(true)) => "conversion",
            ("", Some(false)) => "touch",
            ("", None) if !order_id.is_empty() => "purchase",
            ("", None) if !page_url.is_empty() => "page_view",
            ("", None) if sourced || stated.is_some() => "touch",
            ("", None) => return Err(Fault::of(Field::Name, reason::NOTHING_HAPPENED)),
            (name, _) => name,
        };
        // A row of a list of touches says where somebody came from and seldom what happened. Programs call other things `source`,
        // too, so that alone makes a touch of rows without a name only.
        let [_, channel, medium, _] = given;
        let listed = !channel.is_empty() || !medium.is_empty() || (get(Field::Name).is_empty() && sourced);
        let interaction = stated.unwrap_or_else(|| {
            if !page_url.is_empty() {
                return Interaction::Visit;
            }
            match told_by(name, sourced) {
                Interaction::None if listed => Interaction::Click,
                told => told,
            }
        });
        let event_id = Some(get(Field::EventId)).filter(|id| !id.is_empty() && !id.eq_ignore_ascii_case("null"));
        Ok(Told {
            time,
            received,
            money,
            conversion,
            consent,
            cookieless: without_analytics == Some(WithoutAnalytics::Cookieless),
            strip,
            name,
            interaction,
            sourced,
            page_url: if strip { without_click_ids(page_url) } else { Cow::Borrowed(page_url) },
            order_id,
            given,
            utm,
            click_id: if strip && !click_id.is_empty() { WITHHELD } else { click_id },
            click_type,
            event_id,
        })
    }
}
