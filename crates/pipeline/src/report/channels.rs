//! `safar channels`: what each channel brought, what models credit it with, and what it cost.
use super::{
    Answer, Dimension, PathQuery, Scope, UNATTRIBUTED,
    answer::{counts, numbers, ratio, texts},
    attribute::{Modelling, Names, attribute_in, strings},
    walks::each_walk,
};
use crate::{Result, Workspace};
use arrow::{
    array::{ArrayRef, AsArray},
    datatypes::{Float64Type, Int64Type},
};
use safar_attribution::{
    ModelSpec,
    uncertainty::{Bootstrap, Estimate},
};
use safar_engine::Session;
use std::collections::BTreeMap;

/// What happened in one channel.
#[derive(Clone, Debug, Default)]
struct Channel {
    sessions: u64,
    people: u64,
    conversions: f64,
    value: f64,
    /// By model: conversions and value.
    credits: Vec<[f64; 2]>,
    /// By model, where intervals are asked for: cost ÷ conversions and value ÷ cost.
    returns: Vec<[Option<Estimate>; 2]>,
    cost: Option<f64>,
}

/// Rows `channel, sessions, people, conversions, value, cost`, and for each model `credit MODEL`, `value MODEL`, `cpa MODEL` and
/// `roas MODEL`;
/// the channel with the most credit of the first model first. What no touch earned is the row [`UNATTRIBUTED`].
///
/// - `sessions`, `people`: sessions of the channel, and people whom a touch of it reached.
/// - `conversions`, `value`: of paths that the channel is on, at any place: a conversion counts at each of its channels.
/// - `cost`: of the table `costs`, in the workspace's currency; null where none is known. `roas`: credited value ÷ cost.
///   `cpa`: cost ÷ credited conversions.
/// - Where `intervals` are asked for, `cpa MODEL low`, `cpa MODEL high`, `roas MODEL low` and `roas MODEL high` follow the two:
///   their ends by a bootstrap over people, costs taken as known. An end is null where there is none, as that of a cost per
///   conversion where some resamples have no conversion.
///
/// `models` empty: those of safar.toml. Credits are those of [`attribute`](super::attribute()) over the same conversions.
///
/// # Errors
/// When the goal or the condition does not fit, a model cannot take the paths, or the tables cannot be read.
pub async fn channels(
    workspace: &Workspace,
    session: &Session,
    scope: &Scope,
    models: &[ModelSpec],
    intervals: Option<Bootstrap>,
) -> Result<Answer> {
    let goal = scope.goal(workspace, session).await?;
    let chosen = if models.is_empty() { &workspace.settings().attribution.models } else { models };
    let mut found: BTreeMap<String, Channel> = BTreeMap::new();
    tables(workspace, session, scope, &mut found).await?;
    walks(workspace, session, scope, &goal, &mut found).await?;

    let people = Scope { from: None, to: None, ..scope.clone() }.sql("occurred_at", workspace, session).await?;
    let query = PathQuery { goal: Some(goal.clone()), from: scope.from, to: scope.to, condition: Some(people) };
    let modelling = Modelling { models: chosen.to_vec(), bootstrap: intervals, ..Modelling::default() };
    let report = attribute_in(workspace, session, &modelling, &Dimension::Channel, &query).await?;
    for model in &report.models {
        let rows = report.labels.iter().map(String::as_str).zip(model.credits.iter().copied());
        for (label, credit) in rows.chain([(UNATTRIBUTED, model.unattributed)]) {
            let channel = found.entry(label.to_owned()).or_default();
            channel.credits.push([credit.conversions, credit.value]);
        }
    }
    let other = costs(workspace, session, scope, &mut found).await?;
    for resamples in &report.resamples {
        for (index, label) in report.labels.iter().enumerate() {
            let Some(channel) = found.get_mut(label) else { continue };
            let of = |cost| [resamples.cost_per_conversion(index, cost), resamples.return_on_cost(index, cost)];
            channel.returns.push(channel.cost.map_or([None; 2], of));
        }
    }
    let answer = table(
        workspace,
        found,
        &report.models.iter().map(|model| model.model.to_string()).collect::<Vec<_>>(),
        intervals,
    )?
    .note(format!("goal {goal}; a conversion counts at each channel of its path, a credit once"));
    let answer = report.notes().into_iter().fold(answer, Answer::note);
    Ok(other.into_iter().fold(answer, |answer, (currency, cost)| {
        answer.note(format!("{cost} {currency} of costs are left out: they are in another currency"))
    }))
}

/// Sessions and people.
async fn tables(
    workspace: &Workspace,
    session: &Session,
    scope: &Scope,
    found: &mut BTreeMap<String, Channel>,
) -> Result<()> {
    let began = scope.sql("started_at", workspace, session).await?;
    let touched = scope.sql("occurred_at", workspace, session).await?;
    let queries = [
        format!("SELECT channel, count(*) FROM sessions WHERE {began} AND channel IS NOT NULL GROUP BY channel"),
        format!("SELECT channel, count(DISTINCT person_id) FROM touchpoints WHERE {touched} GROUP BY channel"),
    ];
    for (which, sql) in queries.iter().enumerate() {
        for batch in session.sql(sql).await?.collect().await? {
            let numbers = batch.column(1).as_primitive::<Int64Type>().values();
            for (name, count) in strings(&batch, 0)?.into_iter().zip(numbers) {
                let channel = found.entry(name.unwrap_or_default()).or_default();
                let count = u64::try_from(*count).unwrap_or(0);
                *(if which == 0 { &mut channel.sessions } else { &mut channel.people }) += count;
            }
        }
    }
    Ok(())
}

/// Conversions that a channel took part in.
async fn walks(
    workspace: &Workspace,
    session: &Session,
    scope: &Scope,
    goal: &str,
    found: &mut BTreeMap<String, Channel>,
) -> Result<()> {
    let within = scope.sql("occurred_at", workspace, session).await?;
    let condition = format!("goal = '{}' AND {within}", goal.replace('\'', "''"));
    let mut names = Names::default();
    let mut sums: Vec<[f64; 2]> = vec![];
    let mut on_path = vec![];
    each_walk(session, &condition, Some(&mut names), |walk| {
        if walk.conversions > 0.0 {
            on_path.clear();
            on_path.extend_from_slice(walk.channels);
            on_path.sort_unstable();
            on_path.dedup();
            for channel in &on_path {
                let index = channel.0 as usize;
                if sums.len() <= index {
                    sums.resize(index + 1, [0.0; 2]);
                }
                sums[index][0] += walk.conversions;
                sums[index][1] += walk.value;
            }
        }
    })
    .await?;
    for (name, [conversions, value]) in names.names.into_iter().zip(sums) {
        let channel = found.entry(name).or_default();
        (channel.conversions, channel.value) = (conversions, value);
    }
    Ok(())
}

/// Costs of the channels, and sums of other currencies.
async fn costs(
    workspace: &Workspace,
    session: &Session,
    scope: &Scope,
    found: &mut BTreeMap<String, Channel>,
) -> Result<BTreeMap<String, f64>> {
    let mut days = vec![];
    days.extend(scope.from.map(|day| format!("date >= DATE '{day}'")));
    days.extend(scope.to.map(|day| format!("date < DATE '{day}'")));
    let days = if days.is_empty() { "TRUE".to_owned() } else { days.join(" AND ") };
    // Counts of mails and searches stand in the table without money: no money is known of them.
    let sql = format!(
        "SELECT coalesce(channel, '(not set)'), upper(currency), cost FROM costs WHERE {days} AND cost <> 0 ORDER BY 1, 2, date, source, campaign, cost"
    );
    let own = &workspace.settings().workspace.currency;
    let mut other = BTreeMap::new();
    for batch in session.sql(&sql).await?.collect().await? {
        let (channels, currencies) = (strings(&batch, 0)?, strings(&batch, 1)?);
        let costs = batch.column(2).as_primitive::<Float64Type>().values();
        for ((channel, currency), cost) in channels.into_iter().zip(currencies).zip(costs) {
            let currency = currency.unwrap_or_default();
            if currency == *own {
                *found.entry(channel.unwrap_or_default()).or_default().cost.get_or_insert(0.0) += cost;
            } else {
                *other.entry(currency).or_insert(0.0) += cost;
            }
        }
    }
    Ok(other)
}

fn table(
    workspace: &Workspace,
    found: BTreeMap<String, Channel>,
    models: &[String],
    intervals: Option<Bootstrap>,
) -> Result<Answer> {
    let mut rows: Vec<(String, Channel)> = found.into_iter().collect();
    for (_, channel) in &mut rows {
        channel.credits.resize(models.len(), [0.0; 2]);
        channel.returns.resize(models.len(), [None; 2]);
    }
    let credit = |channel: &Channel| channel.credits.first().map_or(channel.conversions, |credit| credit[0]);
    rows.sort_by(|a, b| credit(&b.1).total_cmp(&credit(&a.1)).then_with(|| a.0.cmp(&b.0)));
    let number = |of: &dyn Fn(&Channel) -> Option<f64>| numbers(rows.iter().map(|(_, channel)| of(channel)));
    let mut columns: Vec<(String, ArrayRef)> = vec![
        ("channel".to_owned(), texts(rows.iter().map(|(name, _)| name))),
        ("sessions".to_owned(), counts(rows.iter().map(|(_, channel)| channel.sessions))),
        ("people".to_owned(), counts(rows.iter().map(|(_, channel)| channel.people))),
        ("conversions".to_owned(), number(&|channel| Some(channel.conversions))),
        ("value".to_owned(), number(&|channel| Some(channel.value))),
        ("cost".to_owned(), number(&|channel| channel.cost)),
    ];
    let mut money = vec!["value".to_owned(), "cost".to_owned()];
    for (at, model) in models.iter().enumerate() {
        columns.push((format!("credit {model}"), number(&|channel| Some(channel.credits[at][0]))));
        columns.push((format!("value {model}"), number(&|channel| Some(channel.credits[at][1]))));
        columns.push((format!("cpa {model}"), number(&|channel| ratio(channel.cost?, channel.credits[at][0]))));
        columns.push((format!("roas {model}"), number(&|channel| ratio(channel.credits[at][1], channel.cost?))));
        money.extend([format!("value {model}"), format!("cpa {model}")]);
        if intervals.is_none() {
            continue;
        }
        for (which, name) in ["cpa", "roas"].into_iter().enumerate() {
            let end = |of: &dyn Fn(Estimate) -> f64| {
                number(&|channel| channel.returns[at][which].map(of).filter(|end| end.is_finite()))
            };
            columns.push((format!("{name} {model} low"), end(&|estimate| estimate.low)));
            columns.push((format!("{name} {model} high"), end(&|estimate| estimate.high)));
        }
        money.extend([format!("cpa {model} low"), format!("cpa {model} high")]);
    }
    let money: Vec<&str> = money.iter().map(String::as_str).collect();
    Answer::new(columns.iter().map(|(name, column)| (name.as_str(), ArrayRef::clone(column))))?
        .unit("people", &["people"])?
        .unit(&workspace.settings().workspace.currency, &money)
}
