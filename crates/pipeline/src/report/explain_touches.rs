//! The touches of the conversions that an explanation shows: what they were, which rule named their channel, what let them in.
use super::{
    Group,
    explain::Contribution,
    names::{property, strings},
};
use crate::{Result, Workspace};
use arrow::{
    array::{
        Array, ArrayRef, AsArray, Float64Array, Int32Array, Int64Array, RecordBatch, StringArray,
        TimestampMicrosecondArray,
    },
    datatypes::{DataType, Field, Int64Type, Schema},
};
use futures::TryStreamExt;
use hashbrown::HashMap;
use safar_engine::Session;
use safar_enrich::Touch;
use safar_journey::Windows;
use safar_model::{ChannelId, DAY_US, Interaction, Micros, table::instant};
use std::{borrow::Cow, fmt, sync::Arc};

/// What named the channel of a touch: a code for programs and other languages, and words.
#[derive(Clone, Debug)]
struct Rule(&'static str, Cow<'static, str>);

/// The channel came with the event.
const GIVEN: Rule = Rule("given", Cow::Borrowed("the input named the channel"));
/// The event says nothing of where it came from.
const KIND: Rule = Rule("kind", Cow::Borrowed("the kind of contact: the event says nothing of its source"));
/// No event of the touch has the channel by the rules of today.
const OTHER_RULES: Rule = Rule("earlier", Cow::Borrowed("rules of earlier settings"));

/// What let a touch in.
#[derive(Clone, Copy, Debug)]
enum Window {
    Clicks {
        days: i64,
    },
    Views {
        days: i64,
    },
    /// It is older than the windows of today.
    Earlier,
}

impl Window {
    fn code(self) -> &'static str {
        match self {
            Self::Clicks { .. } => "clicks",
            Self::Views { .. } => "views",
            Self::Earlier => "earlier",
        }
    }

    fn days(self) -> Option<i64> {
        match self {
            Self::Clicks { days } | Self::Views { days } => Some(days),
            Self::Earlier => None,
        }
    }
}

impl fmt::Display for Window {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (what, days) = match self {
            Self::Clicks { days } => ("clicks and visits", days),
            Self::Views { days } => ("impressions", days),
            Self::Earlier => return f.write_str("a window of earlier settings"),
        };
        write!(f, "{what}: {days} day{}", if *days == 1 { "" } else { "s" })
    }
}

/// Facts about one touch.
#[derive(Clone, Debug, Default)]
struct Facts {
    channel: Option<String>,
    /// Source, medium, campaign, interaction.
    texts: [Option<String>; 4],
    event: Option<String>,
    session: Option<i64>,
    rule: Option<Rule>,
    /// Its own event has no channel.
    is_untold: bool,
    /// The rule was found at the touch's own event, not at another one of its session.
    is_own: bool,
}

/// One row of the table: a path, and the place of its touch; what no touch has, where there is none.
type Row<'a> = (&'a Contribution, Option<usize>);

/// The rows of [`Explanation::touches`](super::Explanation::touches).
pub(super) async fn touches(
    workspace: &Workspace,
    session: &Session,
    goal: &str,
    labels: &[String],
    given: &[Contribution],
) -> Result<RecordBatch> {
    let facts = facts(workspace, session, given).await?;
    let orders = orders(session, given).await?;
    let windows = windows(workspace, goal);
    let rows: Vec<Row<'_>> = given
        .iter()
        .flat_map(|path| {
            let rest = (path.rest > 0.0).then_some((path, None));
            (0..path.labels.len()).map(move |place| (path, Some(place))).chain(rest)
        })
        .collect();
    let fact = |(path, place): &Row<'_>| facts.get(path.touches.get((*place)?)?);
    let texts = |of: &dyn Fn(&Row<'_>) -> Option<String>| -> ArrayRef {
        Arc::new(rows.iter().map(of).collect::<StringArray>())
    };
    let numbers = |of: &dyn Fn(&Contribution, Option<usize>) -> Option<f64>| -> ArrayRef {
        Arc::new(rows.iter().map(|(path, place)| of(path, *place)).collect::<Float64Array>())
    };
    let ids =
        |of: &dyn Fn(&Row<'_>) -> Option<i64>| -> ArrayRef { Arc::new(rows.iter().map(of).collect::<Int64Array>()) };
    let instants = |of: &dyn Fn(&Contribution, Option<usize>) -> Option<Micros>| -> ArrayRef {
        let times = rows.iter().map(|(path, place)| of(path, *place)).collect::<TimestampMicrosecondArray>();
        Arc::new(times.with_timezone("UTC"))
    };
    let age = |path: &Contribution, place: Option<usize>| path.ages.get(place?).copied();
    let weight = |path: &Contribution, place: Option<usize>| place.map_or(path.rest, |place| path.shares[place]);
    let window = |row: &Row<'_>| {
        let (facts, age) = (fact(row)?, age(row.0, row.1)?);
        let is_view = facts.texts[3].as_deref() == Some(Interaction::Impression.as_str());
        Some(windows.as_ref().map_or(Window::Earlier, |windows| window_of(windows, is_view, age)))
    };
    let rule = |row: &Row<'_>| Some(fact(row)?.rule.clone().unwrap_or(OTHER_RULES));
    let label = |(path, place): &Row<'_>| {
        let label: ChannelId = path.labels[(*place)?];
        labels.get(label.0 as usize).cloned()
    };
    let columns: Vec<(&str, ArrayRef)> = vec![
        ("conversion_id", ids(&|(path, _)| path.conversion)),
        ("person_id", ids(&|(path, _)| path.person)),
        ("converted_at", instants(&|path, _| Some(path.at))),
        ("order_id", texts(&|(path, _)| orders.get(&path.conversion?).cloned())),
        ("conversion_value", numbers(&|path, _| Some(path.value))),
        (
            "place",
            Arc::new(
                rows.iter()
                    .map(|(_, place)| place.and_then(|place| i32::try_from(place + 1).ok()))
                    .collect::<Int32Array>(),
            ),
        ),
        ("touched_at", instants(&|path, place| Some(path.at - age(path, place)?))),
        ("age_days", numbers(&|path, place| Some(age(path, place)? as f64 / DAY_US as f64))),
        ("label", texts(&label)),
        ("touchpoint_id", ids(&|(path, place)| path.touches.get((*place)?).copied())),
        ("source", texts(&|row| fact(row)?.texts[0].clone())),
        ("medium", texts(&|row| fact(row)?.texts[1].clone())),
        ("campaign", texts(&|row| fact(row)?.texts[2].clone())),
        ("interaction", texts(&|row| fact(row)?.texts[3].clone())),
        ("rule", texts(&|row| rule(row).map(|Rule(_, text)| text.into_owned()))),
        ("rule_code", texts(&|row| rule(row).map(|Rule(code, _)| code.to_owned()))),
        ("window", texts(&|row| window(row).map(|window| window.to_string()))),
        ("window_code", texts(&|row| window(row).map(|window| window.code().to_owned()))),
        ("window_days", ids(&|row| window(row)?.days())),
        ("weight", numbers(&|path, place| Some(weight(path, place)))),
        ("credit_conversions", numbers(&|path, place| Some(weight(path, place) * path.conversions))),
        ("credit_value", numbers(&|path, place| Some(weight(path, place) * path.value))),
    ];
    let field = |(name, column): &(&str, ArrayRef)| {
        let is_time = matches!(column.data_type(), DataType::Timestamp(..));
        Field::new(*name, if is_time { instant() } else { column.data_type().clone() }, true)
    };
    let schema = Schema::new(columns.iter().map(field).collect::<Vec<_>>());
    Ok(RecordBatch::try_new(Arc::new(schema), columns.into_iter().map(|(_, column)| column).collect())?)
}

/// The windows of a goal; `None` where the settings know no such goal any more.
fn windows(workspace: &Workspace, goal: &str) -> Option<Windows> {
    let rules = workspace.settings().journey_rules();
    let goal = rules.goals.iter().find(|known| known.name == goal)?;
    Some(goal.windows.clone().unwrap_or(rules.windows))
}

/// What lets in a touch of that age.
fn window_of(windows: &Windows, is_view: bool, age: Micros) -> Window {
    match windows.reach_us(is_view).filter(|reach| age <= *reach).map(|reach| reach / DAY_US) {
        Some(days) if is_view => Window::Views { days },
        Some(days) => Window::Clicks { days },
        None => Window::Earlier,
    }
}

async fn facts(workspace: &Workspace, session: &Session, given: &[Contribution]) -> Result<HashMap<i64, Facts>> {
    let ids: Group = given.iter().flat_map(|path| path.touches.iter().copied()).collect();
    let mut facts: HashMap<i64, Facts> = HashMap::with_capacity(ids.len());
    if ids.len() == 0 {
        return Ok(facts);
    }
    let sql = format!(
        "SELECT touchpoint_id, session_id, channel, source, medium, campaign, interaction, event_id FROM touchpoints WHERE {}",
        ids.sql("touchpoint_id", session)
    );
    for batch in session.sql(&sql).await?.collect().await? {
        let touches = batch.column(0).as_primitive::<Int64Type>().values();
        let sessions = batch.column(1).as_primitive::<Int64Type>();
        let mut columns = (2..8).map(|index| strings(&batch, index)).collect::<Result<Vec<_>>>()?;
        for (row, id) in touches.iter().enumerate() {
            let mut take = |column: usize| columns[column][row].take();
            facts.insert(
                *id,
                Facts {
                    channel: take(0),
                    texts: [take(1), take(2), take(3), take(4)],
                    event: take(5),
                    session: sessions.is_valid(row).then(|| sessions.value(row)),
                    ..Facts::default()
                },
            );
        }
    }
    rules(workspace, session, given, &mut facts).await?;
    Ok(facts)
}

/// Finds the rule that named each touch's channel: at its own event, or at the one that its session takes its source from.
async fn rules(
    workspace: &Workspace,
    session: &Session,
    given: &[Contribution],
    facts: &mut HashMap<i64, Facts>,
) -> Result<()> {
    let enricher = workspace.enricher()?;
    let (mut of_event, mut of_session) = (HashMap::<String, Vec<i64>>::new(), HashMap::<i64, Vec<i64>>::new());
    for (id, touch) in facts.iter() {
        if let Some(event) = &touch.event {
            of_event.entry(event.clone()).or_default().push(*id);
        }
        if let Some(session) = touch.session {
            of_session.entry(session).or_default().push(*id);
        }
    }
    let people: Group = given.iter().filter_map(|path| path.person).collect();
    let sql = format!(
        "SELECT session_id, event_id, channel, page_url, referrer, utm_source, utm_medium, utm_campaign, utm_term, utm_content, \
         click_id, click_id_type, interaction, properties FROM person_events WHERE {} \
         ORDER BY person_id, occurred_at, step",
        people.sql("person_id", session)
    );
    let mut stream = session.sql(&sql).await?.execute_stream().await?;
    while let Some(batch) = stream.try_next().await? {
        let sessions = batch.column(0).as_primitive::<Int64Type>();
        let columns = (1..14).map(|index| strings(&batch, index)).collect::<Result<Vec<_>>>()?;
        for row in 0..batch.num_rows() {
            let text = |column: usize| columns[column][row].as_deref();
            let own = text(0).and_then(|event| of_event.get(event));
            let others = sessions.is_valid(row).then(|| of_session.get(&sessions.value(row))).flatten();
            if own.is_none() && others.is_none() {
                continue;
            }
            let Some(channel) = text(1) else {
                for id in own.into_iter().flatten() {
                    if let Some(touch) = facts.get_mut(id) {
                        touch.is_untold = true;
                    }
                }
                continue;
            };
            let given = |name: &str| text(12).and_then(|json| property(json, name));
            let rule = if given("$given_channel").is_some() {
                GIVEN
            } else {
                let (source, medium) = (given("$given_source"), given("$given_medium"));
                let touch = Touch {
                    page_url: text(2),
                    referrer: text(3),
                    utm_source: text(4),
                    utm_medium: text(5),
                    utm_campaign: text(6),
                    utm_term: text(7),
                    utm_content: text(8),
                    click_id: text(9),
                    click_id_type: text(10),
                    source: source.as_deref(),
                    medium: medium.as_deref(),
                    interaction: text(11).and_then(|kind| kind.parse().ok()).unwrap_or(Interaction::None),
                };
                let enriched = enricher.enrich(&touch);
                if enriched.channel != channel {
                    continue;
                }
                Rule(enricher.rules().code(enriched.rule), enricher.rules().describe(enriched.rule).to_string().into())
            };
            let all = own
                .into_iter()
                .flatten()
                .map(|id| (id, true))
                .chain(others.into_iter().flatten().map(|id| (id, false)));
            for (id, is_own) in all {
                let Some(touch) = facts.get_mut(id).filter(|touch| touch.channel.as_deref() == Some(channel)) else {
                    continue;
                };
                if touch.rule.is_none() || (is_own && !touch.is_own) {
                    (touch.rule, touch.is_own) = (Some(rule.clone()), is_own);
                }
            }
        }
    }
    for touch in facts.values_mut() {
        if touch.rule.is_none() && touch.is_untold {
            touch.rule = Some(KIND);
        }
    }
    Ok(())
}

/// By conversion: its order.
async fn orders(session: &Session, given: &[Contribution]) -> Result<HashMap<i64, String>> {
    let conversions: Group = given.iter().filter_map(|path| path.conversion).collect();
    let mut orders = HashMap::new();
    if conversions.len() == 0 {
        return Ok(orders);
    }
    let sql = format!(
        "SELECT conversion_id, order_id FROM conversions WHERE order_id IS NOT NULL AND {}",
        conversions.sql("conversion_id", session)
    );
    for batch in session.sql(&sql).await?.collect().await? {
        for (id, order) in batch.column(0).as_primitive::<Int64Type>().values().iter().zip(strings(&batch, 1)?) {
            orders.extend(order.map(|order| (*id, order)));
        }
    }
    Ok(orders)
}
