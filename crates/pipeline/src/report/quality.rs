//! `safar quality`: what in the data deserves attention, and what can be done about it.
use super::{
    Answer, Note,
    answer::{counts, numbers, ratio, texts},
};
use crate::{Result, Workspace};
use arrow::{array::AsArray, compute::cast, datatypes::DataType, datatypes::Int64Type};
use safar_engine::{Session, quoted};

/// One check: what is counted, of how many, and the way out.
struct Check {
    /// Names it for programs; never changed.
    code: &'static str,
    what: &'static str,
    count: i64,
    of: i64,
    do_this: &'static str,
}

/// Events: all; without identifier; received an hour, a day, thirty days late; dated after they were received; that say nothing of
/// consent; with the visitor of a day; of bots.
const EVENTS: &str = "SELECT count(*), \
    count(*) FILTER (WHERE anonymous_id IS NULL AND user_id IS NULL AND email_hash IS NULL AND phone_hash IS NULL AND crm_id IS NULL), \
    count(*) FILTER (WHERE lag > 3600000000), count(*) FILTER (WHERE lag > 86400000000), \
    count(*) FILTER (WHERE lag > 2592000000000), count(*) FILTER (WHERE lag < -300000000), \
    count(*) FILTER (WHERE consent IS NULL), count(*) FILTER (WHERE starts_with(anonymous_id, 'day.')), count(*) FILTER (WHERE bot) \
    FROM (SELECT bot, anonymous_id, user_id, email_hash, phone_hash, crm_id, consent, \
    CAST(received_at AS BIGINT) - CAST(occurred_at AS BIGINT) AS lag FROM events)";

/// Touchpoints: all; of unknown channel; direct; sources that are spelled in several ways.
const TOUCHES: &str = "SELECT count(*), count(*) FILTER (WHERE channel = 'Unassigned'), count(*) FILTER (WHERE channel = 'Direct') FROM touchpoints";

const SPELLINGS: &str = "SELECT count(*), coalesce(sum(CASE WHEN ways > 1 THEN 1 ELSE 0 END), 0) FROM \
    (SELECT lower(source), count(DISTINCT source) AS ways FROM touchpoints WHERE source IS NOT NULL GROUP BY 1)";

/// Rows `check, count, share, what_to_do, code`: how many rows each check found, of those that it could have found; over all of
/// the data. A check that found nothing is a row with 0. `code` names the check for programs, and stays.
///
/// # Errors
/// When the tables cannot be read.
pub async fn quality(workspace: &Workspace, session: &Session) -> Result<Answer> {
    let rejects = whole(session, "SELECT count(*) FROM rejects").await?;
    let events = whole(session, EVENTS).await?;
    let touches = whole(session, TOUCHES).await?;
    let spellings = whole(session, SPELLINGS).await?;
    let again = whole(session, &told_again(workspace)).await?;
    let currency = quoted(&workspace.settings().workspace.currency);
    let conversions = whole(
        session,
        &format!(
            "SELECT count(*), count(*) FILTER (WHERE currency IS NOT NULL AND upper(currency) <> {currency}), \
             count(*) FILTER (WHERE gross_value = 0 AND refunded_value > 0), count(*) FILTER (WHERE gross_value < 0) FROM conversions"
        ),
    )
    .await?;
    let untouched = whole(
        session,
        "SELECT coalesce(sum(conversions), 0), coalesce(sum(conversions) FILTER (WHERE length = 0), 0) FROM paths",
    )
    .await?;
    let check = |code, what, count, of, do_this| Check { code, what, count, of, do_this };
    let checks = [
        check(
            "rejected_rows",
            "rejected rows",
            rejects[0],
            rejects[0] + events[0],
            "`safar quality --show rejects` names file, line and reason: correct them and import the file again",
        ),
        check(
            "no_identifier",
            "events without an identifier",
            events[1],
            events[0],
            "map a column to anonymous_id, user_id, email, phone or crm_id: an event without one is a person of its own",
        ),
        check(
            "no_consent",
            "events that say nothing of consent",
            events[6],
            events[0],
            "where the law asks for consent, let the consent manager tell the client, and the client tell each event",
        ),
        check(
            "daily_visitor",
            "events kept without identifiers, by the visitor of a day",
            events[7],
            events[0],
            "expected where visitors refuse analytics, and of cookieless sources: see [privacy.consent]",
        ),
        check(
            "hour_late",
            "events received over an hour late",
            events[2],
            events[0],
            "expected of imported files; of tracking clients, look at their queues and clocks",
        ),
        check(
            "day_late",
            "events received over a day late",
            events[3],
            events[0],
            "expected of imported files; reports of the last days still change",
        ),
        check("month_late", "events received over 30 days late", events[4], events[0], "expected of imported history"),
        check(
            "from_the_future",
            "events dated after they were received",
            events[5],
            events[0],
            "a clock or a time zone is wrong: `safar import --zone` names the zone of local times",
        ),
        check(
            "bots",
            "events of bots",
            events[8],
            events[0],
            "nothing to do: they stay in events; sessions, touchpoints, conversions and paths are made without them",
        ),
        check(
            "unknown_channel",
            "touches of an unknown channel",
            touches[1],
            touches[0],
            "`safar quality --show sources` lists their sources first: add a rule under [[channels.rules]], it applies to the past",
        ),
        check(
            "no_source",
            "touches without a source",
            touches[2],
            touches[0],
            "tag the links of e-mails, apps and documents; name payment pages in ignored_referrers",
        ),
        check(
            "spellings",
            "sources spelled in several ways",
            spellings[1],
            spellings[0],
            "name them as one under [channels.aliases]",
        ),
        check(
            "told_again",
            "orders told more than once",
            again[1],
            again[0],
            "nothing to do: an order counts once; the browser and the server both tell of it",
        ),
        check(
            "other_currency",
            "conversions in another currency",
            conversions[1],
            conversions[0],
            "convert them before the import: their values are added as they are",
        ),
        check(
            "unknown_refund",
            "refunds of unknown orders",
            conversions[2],
            conversions[0],
            "import the orders, or give the refund its order_id",
        ),
        check(
            "negative_value",
            "conversions worth less than nothing",
            conversions[3],
            conversions[0],
            "name returns under `refunds` of the goal: until then their values are added as they are",
        ),
        check(
            "no_touch",
            "conversions that no touch preceded",
            untouched[1],
            untouched[0],
            "look at the look-back window, and at identifiers that server and browser share",
        ),
    ];
    Answer::new([
        ("check", texts(checks.iter().map(|check| check.what))),
        ("count", counts(checks.iter().map(|check| u64::try_from(check.count).unwrap_or(0)))),
        ("share", numbers(checks.iter().map(|check| ratio(check.count as f64, check.of as f64)))),
        ("what_to_do", texts(checks.iter().map(|check| check.do_this))),
        ("code", texts(checks.iter().map(|check| check.code))),
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
        "SELECT count(*), coalesce(sum(CASE WHEN told > 1 THEN 1 ELSE 0 END), 0) FROM \
         (SELECT order_id, count(*) AS told FROM events WHERE order_id IS NOT NULL AND lower(name) IN ({names}) GROUP BY 1)"
    )
}

/// The row of a query that counts, as whole numbers.
async fn whole(session: &Session, sql: &str) -> Result<Vec<i64>> {
    let mut found = vec![];
    for batch in session.sql(sql).await?.collect().await?.iter().filter(|batch| batch.num_rows() > 0) {
        for column in batch.columns() {
            found.push(cast(column, &DataType::Int64)?.as_primitive::<Int64Type>().value(0));
        }
    }
    Ok(found)
}
