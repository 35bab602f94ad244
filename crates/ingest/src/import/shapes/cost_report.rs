//! Rows of advertising reports, the same for every platform once the columns are known.
//!
//! Keys: `date`, `start` and `end` (of a period), `campaign`, `campaign_id`, `account`, `content` (ad set, ad group or ad), `term`,
//! `impressions`, `clicks`, `cost`, `currency`; `source` and `medium` where the file itself tells them.
use super::{
    lookup::{ACCOUNT, AD, CAMPAIGN},
    reading::{Fault, Reading},
    record::Record,
};
use crate::import::{costs::CostRow, error::Error, field::Field, reason};
use std::borrow::Cow;

/// How rows of totals begin, in the languages that platforms write reports in.
const TOTALS: [&str; 12] = [
    "total",
    "totals",
    "grand total",
    "grand totals",
    "gesamt",
    "totale",
    "totaal",
    "suma",
    "łącznie",
    "samtals",
    "toplam",
    "итого",
];

/// Whether the row sums up others.
pub(super) fn is_total(text: &str) -> bool {
    let lower = text.trim().to_lowercase();
    TOTALS.iter().any(|word| {
        lower.strip_prefix(word).is_some_and(|rest| rest.chars().next().is_none_or(|c| !c.is_alphanumeric()))
    })
}

/// Takes a row of a report.
pub(super) fn row(reading: &mut Reading<'_>, row: &Record<'_>) -> Result<(), Fault> {
    let first = row.first();
    // Ads managers sum up in a row that has no campaign; a list of one's own may have costs without one.
    let unnamed = reading.shape.platform.is_some()
        && row.sheet.has("campaign")
        && row.get("campaign").is_empty()
        && row.get("campaign_id").is_empty();
    if first.starts_with('©') || first.is_empty() {
        reading.leave(if first.is_empty() { "empty rows" } else { "footers" });
        return Ok(());
    }
    // A campaign may be called "Total Wine": a row that has its day is none of totals.
    let dated = matches!(reading.day(row, "date"), Ok(Some(_)));
    if (is_total(&first) && !dated) || (unnamed && !row.get("cost").is_empty()) {
        reading.leave("rows of totals");
        let total = reading.amount(row, "cost").ok().flatten();
        reading.totals.extend(total);
        return Ok(());
    }
    let date = reading.day(row, "date")?.ok_or(Fault::of("date", reason::NO_DAY))?;
    // Where the day has a column of its own, the period is that of the whole report.
    let is_of_row = !row.sheet.has("start") || row.sheet.place("start") == row.sheet.place("date");
    let last = if is_of_row { reading.day(row, "end")?.unwrap_or(date) } else { date };
    let cost = reading.amount(row, "cost")?.unwrap_or(0.0);
    let (impressions, clicks) = (reading.count(row, "impressions")?, reading.count(row, "clicks")?);
    let ad = reading.lookups.get(AD, &row.get("ad")).first().cloned();
    let own = if row.sheet.has("own_campaign") && !row.sheet.has("campaign_id") { "id" } else { "campaign_id" };
    let id = Some(row.get(own).into_owned()).filter(|id| !id.is_empty()).or(ad);
    let named = id.as_deref().map(|id| reading.lookups.get(CAMPAIGN, id).to_vec()).unwrap_or_default();
    let named = |at: usize| named.get(at).filter(|text| !text.is_empty()).cloned();
    let told = |key: &str| Some(row.get(key)).filter(|text| !text.is_empty()).map(Cow::into_owned);
    let account = told("account").or(named(1));
    let currency = account.as_deref().and_then(|account| reading.lookups.get(ACCOUNT, account).first().cloned());
    let currency = match currency {
        Some(code) if row.get("currency").is_empty() && code.len() == 3 => code.to_ascii_uppercase(),
        _ if row.sheet.has("cost") => reading.currency(row, "cost")?,
        _ => reading.default_currency().to_owned(), // counts alone cost nothing in any currency
    };
    let stated = |field: Field| reading.constant(field).map(str::to_owned);
    let of_platform = reading.shape.platform;
    let source = stated(Field::Source).or(told("source")).or(of_platform.map(|(source, _)| source.to_owned()));
    let medium = stated(Field::Medium)
        .or(told("medium").map(|medium| if of_platform.is_some() { medium.to_lowercase() } else { medium }))
        .or(of_platform.map(|(_, medium)| medium.to_owned()));
    let campaign = stated(Field::Campaign).or(told("campaign")).or(named(0)).or(id.clone());
    let cost_row = CostRow {
        date,
        source: source.ok_or(Fault::of("source", reason::NO_SOURCE))?,
        medium: medium.unwrap_or_default(),
        account,
        campaign_id: id,
        campaign,
        content: told("content"),
        term: told("term"),
        impressions,
        clicks,
        cost,
        currency,
    };
    if last == date {
        return reading.cost(cost_row);
    }
    if last < date {
        return Err(Fault::of("end", reason::ENDS_EARLY));
    }
    if !reading.spread {
        let (first, last) = (row.get("date").into_owned(), row.get("end").into_owned());
        return Err(Fault::File(Error::Period { file: reading.file.to_owned(), line: row.line, first, last }));
    }
    reading.note("totals of periods are spread evenly over their days".to_owned());
    cost_row.spread(last).try_for_each(|day| reading.cost(day))
}

/// Holds what the rows add up to against what the file itself says.
pub(super) fn end(reading: &mut Reading<'_>) -> Result<(), Fault> {
    let sum = reading.costs.total();
    let near = |total: &f64| (total - sum).abs() <= 0.005 * (1.0 + reading.costs.read as f64);
    if let (Some(total), false) = (reading.totals.first(), reading.totals.iter().any(near)) {
        let text = format!("its rows add up to {sum:.2}, its own total says {total:.2}: rows may be missing");
        reading.note(text);
    }
    Ok(())
}
