//! `safar quality`: what in the data deserves attention, and what can be done about it.
use super::{
    Answer, Note,
    answer::{counts, numbers, ratio, texts},
};
use crate::{Result, Workspace};
use arrow::{
    array::AsArray,
    compute::cast,
    datatypes::{DataType, Int64Type},
    error::ArrowError,
};
use safar_engine::{Session, quoted};
use std::collections::HashMap;

/// One check: what is counted, of the sum of what, and the way out. Counts are named as [`queries`] names them.
struct Check {
    /// Names it for programs; never changed.
    code: &'static str,
    of: &'static [&'static str],
    what: &'static str,
    do_this: &'static str,
}

const fn check(code: &'static str, of: &'static [&'static str], what: &'static str, do_this: &'static str) -> Check {
    Check { code, of, what, do_this }
}

const CHECKS: [Check; 17] = [
    check(
        "rejected_rows",
        &["rejected_rows", "events"],
        "rejected rows",
        "`safar quality --show rejects` names file, line and reason: correct them and import the file again",
    ),
    check(
        "no_identifier",
        &["events"],
        "events without an identifier",
        "map a column to anonymous_id, user_id, email, phone or crm_id: an event without one is a person of its own",
    ),
    check(
        "no_consent",
        &["events"],
        "events that say nothing of consent",
        "where the law asks for consent, let the consent manager tell the client, and the client tell each event",
    ),
    check(
        "daily_visitor",
        &["events"],
        "events kept without identifiers, by the visitor of a day",
        "expected where visitors refuse analytics, and of cookieless sources: see [privacy.consent]",
    ),
    check(
        "hour_late",
        &["events"],
        "events received over an hour late",
        "expected of imported files; of tracking clients, look at their queues and clocks",
    ),
    check(
        "day_late",
        &["events"],
        "events received over a day late",
        "expected of imported files; reports of the last days still change",
    ),
    check("month_late", &["events"], "events received over 30 days late", "expected of imported history"),
    check(
        "from_the_future",
        &["events"],
        "events dated after they were received",
        "a clock or a time zone is wrong: `safar import --zone` names the zone of local times",
    ),
    check(
        "bots",
        &["events"],
        "events of bots",
        "nothing to do: they stay in events; sessions, touchpoints, conversions and paths are made without them",
    ),
    check(
        "unknown_channel",
        &["touches"],
        "touches of an unknown channel",
        "`safar quality --show sources` lists their sources first: add a rule under [[channels.rules]], it applies to the past",
    ),
    check(
        "no_source",
        &["touches"],
        "touches without a source",
        "tag the links of e-mails, apps and documents; name payment pages in ignored_referrers",
    ),
    check("spellings", &["sources"], "sources spelled in several ways", "name them as one under [channels.aliases]"),
    check(
        "told_again",
        &["orders"],
        "orders told more than once",
        "nothing to do: an order counts once; the browser and the server both tell of it",
    ),
    check(
        "other_currency",
        &["conversions"],
        "conversions in another currency",
        "convert them before the import: their values are added as they are",
    ),
    check(
        "unknown_refund",
        &["conversions"],
        "refunds of unknown orders",
        "import the orders, or give the refund its order_id",
    ),
    check(
        "negative_value",
        &["conversions"],
        "conversions worth less than nothing",
        "name returns under `refunds` of the goal: until then their values are added as they are",
    ),
    check(
        "no_touch",
        &["ends"],
        "conversions that no touch preceded",
        "look at the look-back window, and at identifiers that server and browser share",
    ),
];

/// Queries of one row, whose columns have the names of what they count.
fn queries(workspace: &Workspace) -> [String; 6] {
    let currency = quoted(&workspace.settings().workspace.currency);
    [
        "SELECT count(*) AS rejected_rows FROM rejects".to_owned(),
        "SELECT count(*) AS events, \
         count(*) FILTER (WHERE anonymous_id IS NULL AND user_id IS NULL AND email_hash IS NULL AND phone_hash IS NULL \
         AND crm_id IS NULL) AS no_identifier, count(*) FILTER (WHERE lag > 3600000000) AS hour_late, \
         count(*) FILTER (WHERE lag > 86400000000) AS day_late, count(*) FILTER (WHERE lag > 2592000000000) AS month_late, \
         count(*) FILTER (WHERE lag < -300000000) AS from_the_future, count(*) FILTER (WHERE consent IS NULL) AS no_consent, \
         count(*) FILTER (WHERE starts_with(anonymous_id, 'day.')) AS daily_visitor, count(*) FILTER (WHERE bot) AS bots \
         FROM (SELECT bot, anonymous_id, user_id, email_hash, phone_hash, crm_id, consent, \
         CAST(received_at AS BIGINT) - CAST(occurred_at AS BIGINT) AS lag FROM events)"
            .to_owned(),
        "SELECT count(*) AS touches, count(*) FILTER (WHERE channel = 'Unassigned') AS unknown_channel, \
         count(*) FILTER (WHERE channel = 'Direct') AS no_source FROM touchpoints"
            .to_owned(),
        "SELECT count(*) AS sources, count(*) FILTER (WHERE ways > 1) AS spellings FROM (SELECT lower(source), \
         count(DISTINCT source) AS ways FROM touchpoints WHERE source IS NOT NULL GROUP BY 1)"
            .to_owned(),
        format!(
            "SELECT count(*) AS conversions, \
             count(*) FILTER (WHERE currency IS NOT NULL AND upper(currency) <> {currency}) AS other_currency, \
             count(*) FILTER (WHERE gross_value = 0 AND refunded_value > 0) AS unknown_refund, \
             count(*) FILTER (WHERE gross_value < 0) AS negative_value FROM conversions"
        ),
        "SELECT coalesce(sum(conversions), 0) AS ends, coalesce(sum(conversions) FILTER (WHERE length = 0), 0) AS no_touch \
         FROM paths"
            .to_owned(),
    ]
}

/// Rows `check, count, share, what_to_do, code`: how many rows each check found, of those that it could have found; over all of
/// the data. A check that found nothing is a row with 0. `code` names the check for programs, and stays.
///
/// # Errors
/// When the tables cannot be read.
pub async fn quality(workspace: &Workspace, session: &Session) -> Result<Answer> {
    let mut found = HashMap::new();
    for sql in queries(workspace).iter().chain([&told_again(workspace)]) {
        count(session, sql, &mut found).await?;
    }
    let figure = |name: &str| {
        found.get(name).copied().ok_or_else(|| ArrowError::SchemaError(format!("nothing counts `{name}`")))
    };
    let sum = |names: &[&str]| names.iter().map(|name| figure(name)).sum::<Result<i64, _>>();
    let figures = CHECKS.iter().map(|check| Ok((figure(check.code)?, sum(check.of)?)));
    let figures: Vec<(i64, i64)> = figures.collect::<Result<_>>()?;
    Answer::new([
        ("check", texts(CHECKS.iter().map(|check| check.what))),
        ("count", counts(figures.iter().map(|(count, _)| u64::try_from(*count).unwrap_or(0)))),
        ("share", numbers(figures.iter().map(|(count, of)| ratio(*count as f64, *of as f64)))),
        ("what_to_do", texts(CHECKS.iter().map(|check| check.do_this))),
        ("code", texts(CHECKS.iter().map(|check| check.code))),
    ])?
    .unit("percent", &["share"])
    .map(|answer| answer.note(Note::Unchecked))
}

/// Orders, and those that more than one event of a goal told of.
fn told_again(workspace: &Workspace) -> String {
    let goals = workspace.settings().journey_rules().goals;
    let names: Vec<String> =
        goals.iter().flat_map(|goal| &goal.events).map(|name| quoted(&name.to_lowercase())).collect();
    let names = if names.is_empty() { "''".to_owned() } else { names.join(", ") };
    format!(
        "SELECT count(*) AS orders, count(*) FILTER (WHERE told > 1) AS told_again FROM \
         (SELECT order_id, count(*) AS told FROM events WHERE order_id IS NOT NULL AND lower(name) IN ({names}) GROUP BY 1)"
    )
}

/// Adds what a query of one row counts, by the names of its columns, as whole numbers.
async fn count(session: &Session, sql: &str, found: &mut HashMap<String, i64>) -> Result<()> {
    for batch in session.sql(sql).await?.collect().await?.iter().filter(|batch| batch.num_rows() > 0) {
        for (column, field) in batch.columns().iter().zip(batch.schema().fields()) {
            let whole = cast(column, &DataType::Int64)?;
            found.insert(field.name().clone(), whole.as_primitive::<Int64Type>().value(0));
        }
    }
    Ok(())
}
