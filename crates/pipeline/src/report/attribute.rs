//! `safar attribute`: models side by side.
use super::{
    Dimension, Note, PathQuery, Refusal, UNATTRIBUTED,
    direct::{Direct, by_own_rules},
    load::{Wanted, load, needs_ages},
    names::{Names, strings},
    timelines::{Asked, Lived, timelines},
};
use crate::{Error, Result, Stop, Workspace};
use arrow::{
    array::{Array, ArrayRef, AsArray, Float64Array, Int64Array, RecordBatch, StringArray},
    datatypes::{Field, Int64Type, Schema},
};
use safar_attribution::{
    Attribution, Credit, ModelSpec, PlaceCredit, Transform, all_models, attribute_until, attribute_with_places,
    causal_models,
    hazard::bootstrap_timelines_with,
    transform,
    uncertainty::{Bootstrap, CreditEstimates, Measure as Credited, Ranks, Record, Resamples, Watch, bootstrap_with},
};
use safar_engine::{Session, quoted};
use safar_model::Paths;
use safar_store::Snapshot;
use std::sync::Arc;

/// Which of the two measures of a credit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Measure {
    /// How many.
    Conversions,
    /// How much money.
    Value,
}

impl Measure {
    /// The measure of a credit.
    #[must_use]
    pub fn of(self, credit: Credit) -> f64 {
        match self {
            Self::Conversions => credit.conversions,
            Self::Value => credit.value,
        }
    }
}

/// Models side by side.
#[derive(Clone, Debug)]
pub struct AttributionReport {
    /// The goal; `None` for a file of paths.
    pub goal: Option<String>,
    /// What was credited.
    pub by: Dimension,
    /// The credited labels, by index.
    pub labels: Vec<String>,
    /// One for each model, in the order asked for.
    pub models: Vec<Attribution>,
    /// One for each model, where intervals were asked for.
    pub resamples: Vec<Resamples>,
    /// One for each model, where places were asked for.
    pub places: Vec<Vec<PlaceCredit>>,
    /// Models that cannot take these paths, and why; not those of a report in which there is no other.
    pub refused: Vec<(ModelSpec, Refusal)>,
    /// Conversions in other currencies than the workspace's, by currency: their value is added as it stands.
    pub other_currencies: Vec<(String, u64)>,
    /// All conversions and their value: what each model shares out.
    pub total: Credit,
    /// How many paths there were, equal ones counted once where times do not matter.
    pub paths: usize,
    /// What was done to the paths first.
    pub transforms: Vec<Transform>,
    /// What the report was made from.
    pub snapshot: Option<Snapshot>,
}

impl AttributionReport {
    /// Labels with the most credit first (of all models together, then by name).
    #[must_use]
    pub fn order(&self) -> Vec<usize> {
        let mut order: Vec<usize> = (0..self.labels.len()).collect();
        let weight = |index: usize| self.models.iter().map(|model| model.credits[index].conversions).sum::<f64>();
        order.sort_by(|a, b| weight(*b).total_cmp(&weight(*a)).then_with(|| self.labels[*a].cmp(&self.labels[*b])));
        order
    }

    /// Rows `model, <by>, conversions, value`; what no touch earned is a row of its own, [`UNATTRIBUTED`]. Where intervals
    /// were asked for, the ends of each, the share of all conversions and its ends follow; a share that is not defined (no
    /// conversions) is null. Then how sure the ranks by conversions are: the rank (1 is the most), its ends, and the part of
    /// the resamples in which the label has more than that of the next row. [`Ranks::MOST`] labels are ranked, those with the
    /// most credit; for others, and for what no touch earned, these are null.
    ///
    /// # Errors
    /// Never in practice: the columns are as long as each other.
    pub fn batch(&self) -> Result<RecordBatch> {
        let order = self.order();
        let mut rows: Vec<(usize, &Attribution, Option<usize>)> = vec![];
        for (at, model) in self.models.iter().enumerate() {
            rows.extend(order.iter().map(|row| (at, model, Some(*row))).chain([(at, model, None)]));
        }
        let credit = |model: &Attribution, row: Option<usize>| row.map_or(model.unattributed, |row| model.credits[row]);
        let label = |row: Option<usize>| row.map_or(UNATTRIBUTED, |row| &self.labels[row]);
        let mut columns: Vec<(String, ArrayRef)> = vec![
            (
                "model".into(),
                Arc::new(StringArray::from_iter_values(rows.iter().map(|(_, model, _)| model.model.to_string()))),
            ),
            (self.by.to_string(), Arc::new(StringArray::from_iter_values(rows.iter().map(|(.., row)| label(*row))))),
            (
                "conversions".into(),
                Arc::new(Float64Array::from_iter_values(
                    rows.iter().map(|(_, model, row)| credit(model, *row).conversions),
                )),
            ),
            (
                "value".into(),
                Arc::new(Float64Array::from_iter_values(rows.iter().map(|(_, model, row)| credit(model, *row).value))),
            ),
        ];
        if !self.resamples.is_empty() {
            let estimates = self.estimates();
            let mut add = |name: &str, of: &dyn Fn(&CreditEstimates) -> Option<f64>| {
                let numbers: Float64Array =
                    rows.iter().map(|(at, _, row)| of(&estimates[*at][row.unwrap_or(self.labels.len())])).collect();
                columns.push((name.to_owned(), Arc::new(numbers)));
            };
            add("conversions_low", &|of| of.conversions.map(|estimate| estimate.low));
            add("conversions_high", &|of| of.conversions.map(|estimate| estimate.high));
            add("value_low", &|of| of.value.map(|estimate| estimate.low));
            add("value_high", &|of| of.value.map(|estimate| estimate.high));
            add("conversion_share", &|of| of.conversion_share.map(|estimate| estimate.point));
            add("conversion_share_low", &|of| of.conversion_share.map(|estimate| estimate.low));
            add("conversion_share_high", &|of| of.conversion_share.map(|estimate| estimate.high));
            columns.extend(self.rank_columns(&order)?);
        }
        let fields = columns.iter().map(|(name, column)| {
            Field::new(name.as_str(), column.data_type().clone(), column.null_count() > 0 || name.contains('_'))
        });
        let schema = Arc::new(Schema::new(fields.collect::<Vec<_>>()));
        Ok(RecordBatch::try_new(schema, columns.into_iter().map(|(_, column)| column).collect())?)
    }

    /// Rows `model, <by>, place, conversions, value`, where places were asked for: what a label earned at each place of
    /// paths (1 is the first touch), labels with the most credit first.
    ///
    /// # Errors
    /// Never in practice: the columns are as long as each other.
    pub fn places_batch(&self) -> Result<RecordBatch> {
        let mut ranks = vec![0; self.labels.len()];
        self.order().into_iter().enumerate().for_each(|(rank, label)| ranks[label] = rank);
        let mut rows: Vec<(&Attribution, &PlaceCredit)> = vec![];
        for (model, places) in self.models.iter().zip(&self.places) {
            let start = rows.len();
            rows.extend(places.iter().map(|place| (model, place)));
            rows[start..].sort_by_key(|(_, place)| (ranks[place.channel], place.place));
        }
        let texts = |of: &dyn Fn(&(&Attribution, &PlaceCredit)) -> String| -> ArrayRef {
            Arc::new(StringArray::from_iter_values(rows.iter().map(of)))
        };
        let numbers = |of: fn(Credit) -> f64| -> ArrayRef {
            Arc::new(Float64Array::from_iter_values(rows.iter().map(|(_, place)| of(place.credit))))
        };
        let places = rows.iter().map(|(_, place)| i64::try_from(place.place).unwrap_or(i64::MAX));
        Ok(RecordBatch::try_from_iter([
            ("model", texts(&|(model, _)| model.model.to_string())),
            (self.by.to_string().as_str(), texts(&|(_, place)| self.labels[place.channel].clone())),
            ("place", Arc::new(Int64Array::from_iter_values(places))),
            ("conversions", numbers(|credit| credit.conversions)),
            ("value", numbers(|credit| credit.value)),
        ])?)
    }

    /// How sure the ranks by conversions are, model by model, in `order`, with a row for what no touch earned.
    fn rank_columns(&self, order: &[usize]) -> Result<[(String, ArrayRef); 4]> {
        let ranked = &order[..order.len().min(Ranks::MOST)];
        let [mut point, mut low, mut high] = [const { Vec::<Option<i64>>::new() }; 3];
        let mut above_next: Vec<Option<f64>> = vec![];
        for resamples in &self.resamples {
            let ranks =
                resamples.ranks(Credited::Conversions, ranked).map_err(|error| Error::Request(error.to_string()))?;
            for at in 0..=order.len() {
                let from_one = |of: &[usize]| of.get(at).and_then(|rank| i64::try_from(rank + 1).ok());
                point.push(from_one(&ranks.point));
                low.push(from_one(&ranks.low));
                high.push(from_one(&ranks.high));
                above_next.push(ranks.above.get(at).and_then(|above| above.get(at + 1)).copied());
            }
        }
        let ranks = |ranks: Vec<Option<i64>>| Arc::new(Int64Array::from(ranks)) as ArrayRef;
        Ok([
            ("conversions_rank".into(), ranks(point)),
            ("conversions_rank_low".into(), ranks(low)),
            ("conversions_rank_high".into(), ranks(high)),
            ("conversions_above_next".into(), Arc::new(Float64Array::from(above_next))),
        ])
    }

    /// What a reader must be told beside the numbers.
    #[must_use]
    pub fn notes(&self) -> Vec<Note> {
        self.cautions().chain([Note::Association]).collect()
    }

    /// Which models are missing and why, and that money of several currencies is added up, where it is.
    pub fn cautions(&self) -> impl Iterator<Item = Note> {
        let currencies = self.other_currencies.iter();
        let mixed = currencies.map(|(currency, conversions)| Note::OtherCurrency {
            currency: currency.clone(),
            conversions: *conversions,
        });
        self.refused.iter().map(|(model, why)| refused(model, why)).chain(mixed)
    }

    /// By model, then by label (the last one is what no touch earned); empty where no intervals were asked for.
    #[must_use]
    pub fn estimates(&self) -> Vec<Vec<CreditEstimates>> {
        self.resamples.iter().map(Resamples::estimates).collect()
    }
}

/// That a model is not among the answers.
pub(super) fn refused(model: &ModelSpec, why: &Refusal) -> Note {
    Note::Refused { model: model.to_string(), why: why.clone() }
}

/// How a report is made, beside the paths it looks at.
#[derive(Clone, Debug, Default)]
pub struct Modelling {
    /// The models; empty: every model of the library that can take the paths.
    pub models: Vec<ModelSpec>,
    /// How intervals are found; none otherwise.
    pub bootstrap: Option<Bootstrap>,
    /// Whether credit is wanted by place in the path as well; not beside intervals. Only models that give it touch by touch
    /// can tell.
    pub places: bool,
    /// What is done to paths before models see them, one after the other. Models of cause read no paths.
    pub transforms: Vec<Transform>,
}

/// Fits models to paths that are at hand, such as those of a file.
///
/// # Errors
/// Where no model that was asked for can take these paths.
pub fn of_paths(modelling: &Modelling, paths: &Paths, labels: Vec<String>) -> Result<AttributionReport> {
    let (paths, labels) = transform(&modelling.transforms, paths, &labels)?;
    let mut report = empty(&paths, labels, &modelling.transforms);
    match report.fit(modelling, &Stop::default(), None, |_| Ok((&paths, None))) {
        Some(error) => Err(error),
        None => Ok(report),
    }
}

fn empty(paths: &Paths, labels: Vec<String>, transforms: &[Transform]) -> AttributionReport {
    AttributionReport {
        goal: None,
        by: Dimension::Channel,
        labels,
        models: vec![],
        resamples: vec![],
        places: vec![],
        refused: vec![],
        other_currencies: vec![],
        total: safar_attribution::total(paths),
        paths: paths.len(),
        transforms: transforms.to_vec(),
        snapshot: None,
    }
}

impl AttributionReport {
    /// Fits the models, each to the paths that `paths_of` gives it, with the records that these were grouped from, or to
    /// timelines where it is a model of cause. Why there is none, where models were named and none of them can take the paths, or
    /// where `stop` was asked for.
    fn fit<'p>(
        &mut self,
        modelling: &Modelling,
        stop: &Stop,
        lived: Option<&Result<Lived>>,
        paths_of: impl Fn(&ModelSpec) -> Result<(&'p Paths, Option<&'p [Record]>)>,
    ) -> Option<Error> {
        let every = modelling.every();
        let mut refused = vec![];
        let watch = Watch { stop, told: &|_| {} };
        for model in modelling.models.iter().chain(&every) {
            let fitted = match (modelling.bootstrap, lived.filter(|_| model.is_causal())) {
                (_, Some(Err(error))) => Err(error.again()),
                (Some(settings), Some(Ok(lived))) => {
                    let people = Some(lived.people.as_slice());
                    let Lived { timelines, channels, roles, .. } = lived;
                    bootstrap_timelines_with(model, timelines, people, channels, roles, settings, watch)
                        .map_err(Error::from)
                        .map(|resamples| self.keep(resamples))
                }
                (None, Some(Ok(_))) if modelling.places => {
                    Err(safar_attribution::Error::NotPerTouch { model: model.name() }.into())
                }
                (None, Some(Ok(lived))) => lived.attribute(model, stop),
                (None, None) => paths_of(model).and_then(|(paths, _)| {
                    if !modelling.places {
                        return Ok(attribute_until(model, paths, &self.labels, stop)?);
                    }
                    let (fitted, places) = attribute_with_places(model, paths, &self.labels, stop)?;
                    self.places.push(places);
                    Ok(fitted)
                }),
                (Some(settings), None) => paths_of(model)
                    .and_then(|(paths, records)| {
                        Ok(bootstrap_with(model, paths, &self.labels, records, settings, watch)?)
                    })
                    .map(|resamples| self.keep(resamples)),
            };
            // Not the model's fault.
            if let Err(stopped) = stop.check() {
                return Some(stopped.into());
            }
            match fitted {
                Ok(fitted) => self.models.push(fitted),
                Err(error) => refused.push((model.clone(), error)),
            }
        }
        // One that cannot take these paths takes nothing from the others.
        self.refused = refused.iter().map(|(model, error)| (model.clone(), error.into())).collect();
        refused.into_iter().next().map(|(_, error)| error).filter(|_| self.models.is_empty() && every.is_empty())
    }
}

impl AttributionReport {
    /// Keeps what was drawn; the credits themselves are given back.
    fn keep(&mut self, resamples: Resamples) -> Attribution {
        let point = resamples.point.clone();
        self.resamples.push(resamples);
        point
    }
}

/// Shares the conversions that `query` selects among the labels of `by`.
///
/// # Errors
/// When the goal or the condition does not fit, no model can take the paths, or the tables cannot be read.
pub async fn attribute(
    workspace: &Workspace,
    modelling: &Modelling,
    by: &Dimension,
    query: &PathQuery,
) -> Result<AttributionReport> {
    let session = super::session(workspace).await?;
    attribute_in(workspace, &session, modelling, by, query).await
}

/// As [`attribute`], over what `session` sees.
pub(super) async fn attribute_in(
    workspace: &Workspace,
    session: &Session,
    modelling: &Modelling,
    by: &Dimension,
    query: &PathQuery,
) -> Result<AttributionReport> {
    match attributed(workspace, session, modelling, by, query).await? {
        (_, Some(error)) => Err(error),
        (report, None) => Ok(report),
    }
}

/// As [`attribute_in`]; where no model can take the paths, a report without models and the reason of the first.
pub(super) async fn attributed(
    workspace: &Workspace,
    session: &Session,
    modelling: &Modelling,
    by: &Dimension,
    query: &PathQuery,
) -> Result<(AttributionReport, Option<Error>)> {
    let goal = query.goal(workspace, session).await?;
    let condition = query.sql(&goal, &workspace.settings().workspace.time_zone)?;
    let direct = Direct::of(workspace, &modelling.all())?;
    let wanted = Wanted {
        ages: modelling.needs_ages(),
        people: modelling.bootstrap.is_some(),
        direct: Some(&direct),
        since: None,
    };
    let mut names = Names::default();
    let mut loaded = load(session, by, &condition, wanted, &mut names).await?;
    let mut lived = match modelling.reads_timelines() {
        true => {
            let asked = Asked { goal: &goal, condition: &condition, since: None };
            let until = query.until(workspace)?;
            Some(timelines(workspace, session, by, asked, until, &mut names).await)
        }
        false => None,
    };
    let mut labels = names.names;
    let mut modelling = modelling.clone();
    if !modelling.transforms.is_empty() {
        let known = labels;
        labels = loaded.transform(&modelling.transforms, &known, workspace.stop())?;
        if labels != known && lived.is_some() {
            let why = "this transform gives channels other names, which models of cause do not know";
            lived = Some(Err(Error::Request(why.to_owned())));
        }
        for model in &mut modelling.models {
            *model = by_own_rules(workspace, model)?;
        }
    }
    let mut report = empty(&loaded.merged, labels, &modelling.transforms);
    let failed = report.fit(&modelling, workspace.stop(), lived.as_ref(), |model| match model {
        // Which touches are direct is known before a transform, by channel also after it.
        ModelSpec::LastNonDirect { .. } if !modelling.transforms.is_empty() && *by != Dimension::Channel => {
            Err(Error::Request(format!("after a transform, {} credits channels only", model.name())))
        }
        _ => Ok(loaded.of(model)),
    });
    workspace.stop().check()?;
    report.other_currencies = other_currencies(workspace, session, &goal, query, &condition).await?;
    report.goal = Some(goal);
    report.by = by.clone();
    report.snapshot = Some(session.snapshot().clone());
    Ok((report, failed))
}

/// Conversions of a query in other currencies than the workspace's.
async fn other_currencies(
    workspace: &Workspace,
    session: &Session,
    goal: &str,
    query: &PathQuery,
    condition: &str,
) -> Result<Vec<(String, u64)>> {
    let own = &workspace.settings().workspace.currency;
    let count = async |within: &str| -> Result<Vec<(String, u64)>> {
        let sql = format!(
            "SELECT upper(currency), count(*) FROM conversions WHERE goal = {} AND upper(currency) <> upper({}) AND {within} \
             GROUP BY 1 ORDER BY 2 DESC, 1",
            quoted(goal),
            quoted(own)
        );
        let mut found = vec![];
        for batch in session.sql(&sql).await?.collect().await? {
            let counts = batch.column(1).as_primitive::<Int64Type>().values();
            for (currency, count) in strings(&batch, 0)?.into_iter().zip(counts) {
                found.push((currency.unwrap_or_default(), count.unsigned_abs()));
            }
        }
        Ok(found)
    };
    let found = count("TRUE").await?;
    let whole = query.from.is_none() && query.to.is_none() && query.condition.is_none();
    if whole || found.is_empty() {
        return Ok(found);
    }
    count(&format!("conversion_id IN (SELECT conversion_id FROM paths WHERE {condition})")).await
}

impl Modelling {
    /// The models that `all` stands for; none where models are named.
    fn every(&self) -> Vec<ModelSpec> {
        if self.models.is_empty() { [all_models(), causal_models()].concat() } else { vec![] }
    }

    /// The models, those of `all` too.
    fn all(&self) -> Vec<ModelSpec> {
        [self.models.clone(), self.every()].concat()
    }

    /// Whether one of the models looks at everything that people did, which takes longest.
    #[must_use]
    pub fn reads_timelines(&self) -> bool {
        self.models.is_empty() || self.models.iter().any(ModelSpec::is_causal)
    }

    fn needs_ages(&self) -> bool {
        self.models.is_empty() || self.models.iter().any(needs_ages)
    }
}
