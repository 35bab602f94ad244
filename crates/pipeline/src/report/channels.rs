//! `safar channels`: what each channel or campaign brought, what models credit it with, and what it cost.
use super::{
    Answer, Dimension, ELSEWHERE, NOT_SET, Note, PathQuery, Scope, UNATTRIBUTED,
    answer::{counts, maybe_counts, numbers, ratio, texts},
    attribute::{Modelling, attribute_in},
    load::{Wanted, load},
    names::{Names, strings},
};
use crate::{Error, Result, Workspace};
use arrow::{
    array::{Array, ArrayRef, AsArray},
    datatypes::{Float64Type, Int64Type},
};
use safar_attribution::{
    ModelSpec,
    uncertainty::{Bootstrap, Estimate},
};
use safar_engine::{Session, quoted};
use std::collections::BTreeMap;

/// By what costs are told.
const COLUMNS: [&str; 6] = ["channel", "source", "medium", "campaign", "content", "term"];

/// What happened in one channel, or whatever else rows are by.
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
    impressions: Option<u64>,
    clicks: Option<u64>,
    cost: Option<f64>,
}

impl Channel {
    /// Conversions that the first model credits.
    fn credit(&self) -> f64 {
        self.credits.first().map_or(self.conversions, |credit| credit[0])
    }
}

/// What rows are by, as a column of sessions, touchpoints and costs, and which of their rows are looked into.
struct Rows {
    column: &'static str,
    condition: String,
}

impl Rows {
    fn of(by: &Dimension) -> Result<Self> {
        let (column, outside) = by.sql();
        if !by.columns().iter().all(|name| COLUMNS.contains(name)) {
            let text = format!("costs are not told by {by}; use {}", COLUMNS.join(", "));
            return Err(Error::Request(text));
        }
        Ok(Self { column, condition: format!("NOT ({outside})") })
    }

    /// The label of a row of a table.
    fn label(&self) -> String {
        format!("coalesce({}, '{NOT_SET}')", self.column)
    }
}

/// Rows `BY, sessions, people, conversions, value, impressions, clicks, cost`, and for each model `credit MODEL`, `value MODEL`,
/// `cpa MODEL` and `roas MODEL`; the label with the most credit of the first model first. What no touch earned is the row
/// [`UNATTRIBUTED`]; what touches earned that are not looked into, [`ELSEWHERE`].
///
/// - `BY`: `channel`, or what else rows are by: source, medium, campaign, content or term.
/// - `sessions`, `people`: sessions of the channel, and people whom a touch of it reached.
/// - `conversions`, `value`: of paths that the channel is on, at any place: a conversion counts at each of its channels.
/// - `impressions`, `clicks`: of the table `costs`, as the platforms counted them; null where none are told.
/// - `cost`: of the table `costs`, in the workspace's currency; null where none is known. `roas`: credited value ÷ cost.
///   `cpa`: cost ÷ credited conversions. Costs meet touches by the labels that both carry; costs of a campaign also by the
///   platform's number of it, where links carry that.
/// - Where `intervals` are asked for, `cpa MODEL low`, `cpa MODEL high`, `roas MODEL low` and `roas MODEL high` follow the two:
///   their ends by a bootstrap over people, costs taken as known. An end is null where there is none, as that of a cost per
///   conversion where some resamples have no conversion.
///
/// The notes tell what was spent where nothing is credited, and what is credited where no cost is known.
///
/// `models` empty: those of safar.toml. Credits are those of [`attribute`](super::attribute()) over the same conversions.
///
/// # Errors
/// When costs are not told by `by`, the goal or the condition does not fit, a model cannot take the paths, or the tables cannot
/// be read.
pub async fn channels(
    workspace: &Workspace,
    session: &Session,
    scope: &Scope,
    by: &Dimension,
    models: &[ModelSpec],
    intervals: Option<Bootstrap>,
) -> Result<Answer> {
    let rows = Rows::of(by)?;
    let goal = scope.goal(workspace, session).await?;
    let chosen = if models.is_empty() { &workspace.settings().attribution.models } else { models };
    let mut found: BTreeMap<String, Channel> = BTreeMap::new();
    tables(workspace, session, scope, &rows, &mut found).await?;
    paths(workspace, session, scope, by, &goal, &mut found).await?;

    let people = Scope { from: None, to: None, ..scope.clone() }.sql("occurred_at", workspace, session).await?;
    let query = PathQuery { goal: Some(goal.clone()), from: scope.from, to: scope.to, condition: Some(people) };
    let modelling = Modelling { models: chosen.to_vec(), bootstrap: intervals, ..Modelling::default() };
    let report = attribute_in(workspace, session, &modelling, by, &query).await?;
    for model in &report.models {
        let rows = report.labels.iter().map(String::as_str).zip(model.credits.iter().copied());
        for (label, credit) in rows.chain([(UNATTRIBUTED, model.unattributed)]) {
            let channel = found.entry(label.to_owned()).or_default();
            channel.credits.push([credit.conversions, credit.value]);
        }
    }
    let other = costs(workspace, session, scope, &rows, &mut found).await?;
    for resamples in &report.resamples {
        for (index, label) in report.labels.iter().enumerate() {
            let Some(channel) = found.get_mut(label) else { continue };
            let of = |cost| [resamples.cost_per_conversion(index, cost), resamples.return_on_cost(index, cost)];
            channel.returns.push(channel.cost.map_or([None; 2], of));
        }
    }
    let models: Vec<String> = report.models.iter().map(|model| model.model.to_string()).collect();
    for channel in found.values_mut() {
        channel.credits.resize(models.len(), [0.0; 2]);
        channel.returns.resize(models.len(), [None; 2]);
    }
    let apart = apart(&found, models.first());
    let answer = table(workspace, rows.column, found, &models, intervals)?.note(Note::GoalAtEachChannel { goal });
    let left_out = other.into_iter().map(|(currency, cost)| Note::CostsLeftOut { currency, cost });
    Ok(apart.chain(report.notes()).chain(left_out).fold(answer, Answer::note))
}

/// What was spent where nothing is credited, and credited where nothing is known to be spent.
fn apart(found: &BTreeMap<String, Channel>, model: Option<&String>) -> impl Iterator<Item = Note> + use<> {
    let (mut spent, mut credited) = ((0.0, 0), (0.0, 0));
    for (label, channel) in found {
        match channel.cost {
            Some(cost) if channel.credit() == 0.0 => spent = (spent.0 + cost, spent.1 + 1),
            None if channel.credit() != 0.0 && ![UNATTRIBUTED, ELSEWHERE].contains(&label.as_str()) => {
                credited = (credited.0 + channel.credit(), credited.1 + 1);
            }
            _ => {}
        }
    }
    let is_any = found.values().any(|channel| channel.cost.is_some());
    let model = model.cloned().unwrap_or_default();
    let spent = (spent.1 > 0).then(|| Note::SpentWithoutCredit { model: model.clone(), cost: spent.0, rows: spent.1 });
    let credited = (is_any && credited.1 > 0).then(|| Note::CreditWithoutCost {
        model: model.clone(),
        conversions: credited.0,
        rows: credited.1,
    });
    spent.into_iter().chain(credited)
}

/// Sessions and people.
async fn tables(
    workspace: &Workspace,
    session: &Session,
    scope: &Scope,
    rows: &Rows,
    found: &mut BTreeMap<String, Channel>,
) -> Result<()> {
    let began = scope.sql("started_at", workspace, session).await?;
    let touched = scope.sql("occurred_at", workspace, session).await?;
    let (label, condition) = (rows.label(), &rows.condition);
    let queries = [
        format!(
            "SELECT {label}, count(*) FROM sessions WHERE {began} AND {condition} AND channel IS NOT NULL GROUP BY 1"
        ),
        format!(
            "SELECT {label}, count(DISTINCT person_id) FROM touchpoints WHERE {touched} AND {condition} GROUP BY 1"
        ),
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
async fn paths(
    workspace: &Workspace,
    session: &Session,
    scope: &Scope,
    by: &Dimension,
    goal: &str,
    found: &mut BTreeMap<String, Channel>,
) -> Result<()> {
    let within = scope.sql("occurred_at", workspace, session).await?;
    let condition = format!("goal = {} AND conversions > 0 AND {within}", quoted(goal));
    let mut names = Names::default();
    let loaded = load(session, by, &condition, Wanted::default(), &mut names).await?;
    let mut sums = vec![[0.0; 2]; names.names.len()];
    let mut on_path = vec![];
    for path in loaded.merged.iter() {
        on_path.clear();
        on_path.extend_from_slice(path.channels);
        on_path.sort_unstable();
        on_path.dedup();
        for channel in &on_path {
            let sums = &mut sums[channel.0 as usize];
            sums[0] += path.conversions;
            sums[1] += path.value;
        }
    }
    for (name, [conversions, value]) in names.names.into_iter().zip(sums) {
        let channel = found.entry(name).or_default();
        (channel.conversions, channel.value) = (conversions, value);
    }
    Ok(())
}

/// What platforms tell of the channels, and sums of costs in other currencies.
async fn costs(
    workspace: &Workspace,
    session: &Session,
    scope: &Scope,
    rows: &Rows,
    found: &mut BTreeMap<String, Channel>,
) -> Result<BTreeMap<String, f64>> {
    let mut conditions = vec![rows.condition.clone()];
    conditions.extend(scope.from.map(|day| format!("date >= DATE '{day}'")));
    conditions.extend(scope.to.map(|day| format!("date < DATE '{day}'")));
    let (label, from) = match rows.column {
        // Links may carry the platform's number of the campaign in place of its name.
        "campaign" => (
            format!("coalesce(known, {})", rows.label()),
            "costs LEFT JOIN (SELECT DISTINCT campaign AS known FROM touchpoints) ON campaign_id = known",
        ),
        _ => (rows.label(), "costs"),
    };
    let sql = format!(
        "SELECT {label} AS label, upper(currency) AS currency, cost, impressions, clicks FROM {from} WHERE {} \
         ORDER BY 1, 2, date, source, campaign, cost, impressions, clicks",
        conditions.join(" AND ")
    );
    let own = &workspace.settings().workspace.currency;
    let mut other = BTreeMap::new();
    for batch in session.sql(&sql).await?.collect().await? {
        let (labels, currencies) = (strings(&batch, 0)?, strings(&batch, 1)?);
        let costs = batch.column(2).as_primitive::<Float64Type>().values();
        let [impressions, clicks] = [3, 4].map(|at| batch.column(at).as_primitive::<Int64Type>());
        for row in 0..batch.num_rows() {
            let channel = found.entry(labels[row].clone().unwrap_or_default()).or_default();
            for (sum, counted) in [(&mut channel.impressions, impressions), (&mut channel.clicks, clicks)] {
                if counted.is_valid(row) {
                    *sum = Some(sum.unwrap_or(0) + u64::try_from(counted.value(row)).unwrap_or(0));
                }
            }
            // Counts of mails and searches stand in the table without money: no money is known of them.
            if costs[row] == 0.0 {
                continue;
            }
            let currency = currencies[row].clone().unwrap_or_default();
            if currency.eq_ignore_ascii_case(own) {
                *channel.cost.get_or_insert(0.0) += costs[row];
            } else {
                *other.entry(currency).or_insert(0.0) += costs[row];
            }
        }
    }
    Ok(other)
}

fn table(
    workspace: &Workspace,
    by: &str,
    found: BTreeMap<String, Channel>,
    models: &[String],
    intervals: Option<Bootstrap>,
) -> Result<Answer> {
    let mut rows: Vec<(String, Channel)> = found.into_iter().collect();
    rows.sort_by(|a, b| b.1.credit().total_cmp(&a.1.credit()).then_with(|| a.0.cmp(&b.0)));
    let number = |of: &dyn Fn(&Channel) -> Option<f64>| numbers(rows.iter().map(|(_, channel)| of(channel)));
    let mut columns: Vec<(String, ArrayRef)> = vec![
        (by.to_owned(), texts(rows.iter().map(|(name, _)| name))),
        ("sessions".to_owned(), counts(rows.iter().map(|(_, channel)| channel.sessions))),
        ("people".to_owned(), counts(rows.iter().map(|(_, channel)| channel.people))),
        ("conversions".to_owned(), number(&|channel| Some(channel.conversions))),
        ("value".to_owned(), number(&|channel| Some(channel.value))),
        ("impressions".to_owned(), maybe_counts(rows.iter().map(|(_, channel)| channel.impressions))),
        ("clicks".to_owned(), maybe_counts(rows.iter().map(|(_, channel)| channel.clicks))),
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
