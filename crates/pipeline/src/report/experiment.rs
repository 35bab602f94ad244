//! `safar experiment`: what a randomised hold-out found, and credits calibrated by it.
use super::{
    Dimension, PathQuery, Refusal,
    attribute::{AttributionReport, Modelling, attributed},
    direct::Direct,
    experiment_arms::{Assigned, Counted, People, Region, Telling, arm, exposures, regions, untold},
    load::{Wanted, load, needs_ages},
    names::Names,
    select::midnight,
    timelines::{Asked, timelines},
};
use crate::{
    Error, Result, Stop, Workspace,
    settings::{ExperimentSettings, Unit},
};
use hashbrown::{HashMap, HashSet};
use safar_attribution::{
    Credit, ModelSpec, attribute_until,
    experiment::{
        Arm, Calibrated, GeoOutcome, Lift, Measured, Outcome, Settings, Warning, calibrate, geo_hold_out_until,
        hold_out,
    },
};
use safar_engine::Session;
use safar_model::Micros;

/// What a hold-out found.
#[derive(Clone, Debug)]
pub struct ExperimentReport {
    /// The experiment.
    pub settings: ExperimentSettings,
    /// The goal whose conversions count.
    pub goal: String,
    /// What the treatment changed, by intent to treat.
    pub found: HoldOut,
    /// People whom events put in both arms; they count in the first.
    pub in_both: u64,
    /// Credits of all paths by each model.
    pub attribution: AttributionReport,
    /// By model: what it gave the channels over the treated people after their assignment, and its credits after calibration;
    /// or why they cannot be calibrated.
    pub calibrated: Vec<Result<(Credit, Calibrated), Refusal>>,
}

/// What a hold-out found, by what chance assigned.
#[derive(Clone, Debug)]
pub enum HoldOut {
    /// People.
    People {
        /// The treated and the control arm.
        arms: [Arm; 2],
        /// Their difference.
        outcome: Outcome,
    },
    /// Regions.
    Regions {
        /// Those of the treated arm, then those of the control arm.
        regions: Vec<Region>,
        /// The difference of the arms.
        outcome: GeoOutcome,
    },
}

impl HoldOut {
    /// What was measured, by name.
    pub(super) fn lifts(&self) -> Vec<(&'static str, &Lift)> {
        let converters = match self {
            Self::People { outcome, .. } => Some(("converters", &outcome.converters)),
            Self::Regions { .. } => None,
        };
        let [conversions, value] = self.both();
        converters.into_iter().chain([("conversions", conversions), ("value", value)]).collect()
    }

    /// Conversions and value.
    fn both(&self) -> [&Lift; 2] {
        match self {
            Self::People { outcome, .. } => [&outcome.conversions, &outcome.value],
            Self::Regions { outcome, .. } => [&outcome.conversions, &outcome.value],
        }
    }

    /// What to know first.
    pub(super) fn cautions(&self) -> &[Warning] {
        match self {
            Self::People { outcome, .. } => &outcome.warnings,
            Self::Regions { outcome, .. } => &outcome.warnings,
        }
    }
}

/// Evaluates the experiment `name` of safar.toml, and calibrates `models` (empty: those of safar.toml) by it. Of what people did
/// since their assignment the outcomes that `query` selects count, in the arms as in the credits; of what they did before, those
/// for which its condition holds, on any day.
///
/// # Errors
/// No such experiment; no events that tell an arm or a region; arms that are too small; tables that cannot be read.
pub async fn experiment(
    workspace: &Workspace,
    name: &str,
    models: &[ModelSpec],
    query: &PathQuery,
    level: f64,
) -> Result<ExperimentReport> {
    let settings = named(workspace, name)?;
    let session = super::session(workspace).await?;
    let goal = query.goal(workspace, &session).await?;
    let zone = &workspace.settings().workspace.time_zone;
    let until = settings.until.map(|day| midnight(day, zone)).transpose()?.unwrap_or(Micros::MAX);
    let from = settings.from.map(|day| midnight(day, zone)).transpose()?;
    let (mut people, in_both) = assignments(&session, &settings, from, until).await?;
    let counted = Counted { goal: &goal, query, zone, until, days_before: settings.days_before };
    counted.add(&session, &mut people).await?;
    exposures(&session, &settings.channels, until, &mut people).await?;
    let evaluation = Settings { level, treated_share: settings.treated_share, ..Settings::default() };
    let found = match settings.unit {
        Unit::Person => of_people(&people, &settings, &evaluation)?,
        Unit::Region => of_regions(&people, &settings, &evaluation, workspace.stop())?,
    };

    let chosen = if models.is_empty() { &workspace.settings().attribution.models } else { models };
    let modelling = Modelling { models: chosen.to_vec(), ..Modelling::default() };
    // What the arms did does not depend on models.
    let (attribution, _) = attributed(workspace, &session, &modelling, &Dimension::Channel, query).await?;
    let since: HashMap<i64, Micros> =
        people.iter().filter(|(_, one)| settings.treats(one.place)).map(|(person, one)| (*person, one.at)).collect();
    let direct = Direct::of(workspace, chosen)?;
    let wanted =
        Wanted { ages: chosen.iter().any(needs_ages), people: false, direct: Some(&direct), since: Some(&since) };
    let mut condition = query.sql(&goal, zone)?;
    if until < Micros::MAX {
        condition = format!("{condition} AND occurred_at < to_timestamp_micros({until})");
    }
    let mut names = Names::default();
    attribution.labels.iter().for_each(|label| {
        names.id(label);
    });
    let treated = load(&session, &Dimension::Channel, &condition, wanted, &mut names).await?;
    let lived = if attribution.models.iter().any(|fitted| fitted.model.is_causal()) {
        let asked = Asked { goal: &goal, condition: &condition, since: Some(&since) };
        Some(timelines(workspace, &session, &Dimension::Channel, asked, query.until(workspace)?, &mut names).await?)
    } else {
        None
    };
    let channels: Vec<usize> =
        (0..attribution.labels.len()).filter(|index| settings.channels.contains(&attribution.labels[*index])).collect();
    let [conversions, value] = found.both();
    let mut calibrated = vec![];
    for fitted in &attribution.models {
        let over = match lived.as_ref().filter(|_| fitted.model.is_causal()) {
            Some(lived) => lived.attribute(&fitted.model, workspace.stop()),
            None => {
                let paths = treated.of(&fitted.model).0;
                attribute_until(&fitted.model, paths, &names.names, workspace.stop()).map_err(Error::from)
            }
        };
        workspace.stop().check()?;
        let over = match over {
            Ok(over) => over,
            Err(error) => {
                calibrated.push(Err(Refusal::from(&error)));
                continue;
            }
        };
        let mut credited = Credit::default();
        for channel in &channels {
            credited.conversions += over.credits[*channel].conversions;
            credited.value += over.credits[*channel].value;
        }
        let measured = Measured {
            channels: channels.clone(),
            conversions: conversions.total,
            value: Some(value.total),
            credited: Some(credited),
        };
        calibrated.push(match calibrate(fitted, &[measured]) {
            Ok(result) => Ok((credited, result)),
            Err(error) => Err(Refusal::from(&Error::from(error))),
        });
    }
    Ok(ExperimentReport { settings, goal, found, in_both, attribution, calibrated })
}

fn named(workspace: &Workspace, name: &str) -> Result<ExperimentSettings> {
    let all = &workspace.settings().experiments;
    all.iter().find(|experiment| experiment.name == name).cloned().ok_or_else(|| {
        let known: Vec<_> = all.iter().map(|experiment| experiment.name.as_str()).collect();
        Error::Request(if known.is_empty() {
            "safar.toml has no [[experiments]]\n  hint: `safar reference settings` shows how to write one".to_owned()
        } else {
            format!("there is no experiment `{name}`; there are {}", known.join(", "))
        })
    })
}

impl ExperimentSettings {
    /// The values that tell an arm or a region: those of the treated first.
    fn values(&self) -> Vec<String> {
        [self.treated.clone(), self.control.clone()].concat()
    }

    /// Whether the value of that place is of the treated.
    fn treats(&self, place: usize) -> bool {
        place < self.treated.len()
    }
}

/// Everyone whom an event put in an arm or a region, and how many were put in both arms.
async fn assignments(
    session: &Session,
    settings: &ExperimentSettings,
    from: Option<Micros>,
    until: Micros,
) -> Result<(People, u64)> {
    let values = settings.values();
    let telling = Telling { event: settings.event.as_deref(), property: &settings.property, until };
    let told = telling.read(session, |told| values.iter().position(|value| value == told)).await?;
    if told.is_empty() {
        let event = settings.event.as_ref().map_or_else(String::new, |event| format!(" `{event}`"));
        let (property, values) = (&settings.property, values.join("` or `"));
        return Err(untold(&format!("no event{event} has the property `{property}` with the value `{values}`")));
    }
    let mut people = People::new();
    let mut both = HashSet::new();
    for (person, at, place) in told {
        let first = people.entry(person).or_insert_with(|| Assigned::new(place, at, from.unwrap_or(at)));
        if settings.treats(first.place) != settings.treats(place) {
            both.insert(person);
        }
    }
    Ok((people, both.len() as u64))
}

fn of_people(people: &People, settings: &ExperimentSettings, evaluation: &Settings) -> Result<HoldOut> {
    let arms =
        [true, false].map(|treated| arm(people, settings.days_before, |one| settings.treats(one.place) == treated));
    Ok(HoldOut::People { outcome: hold_out(&arms[0], &arms[1], evaluation)?, arms })
}

fn of_regions(people: &People, settings: &ExperimentSettings, evaluation: &Settings, stop: &Stop) -> Result<HoldOut> {
    let regions = regions(people, &settings.values(), settings.treated.len(), settings.days_before);
    if let Some(empty) = regions.iter().find(|region| region.geo.people == 0.0) {
        return Err(Error::Request(format!(
            "nobody was seen in `{}` before the experiment {} began, so there is nobody to hold its conversions against\n  hint: leave the region out of `treated` and `control`, or correct `from`",
            empty.name, settings.name
        )));
    }
    let geos: Vec<_> = regions.iter().map(|region| region.geo).collect();
    let mut outcome = geo_hold_out_until(&geos, evaluation, stop)?;
    let control = || regions.iter().filter(|region| !region.geo.treated);
    let exposed: f64 = control().map(|region| region.exposed).sum();
    if exposed > 0.0 {
        let share = exposed / control().map(|region| region.geo.people).sum::<f64>();
        outcome.warnings.push(Warning::ControlExposed { share });
    }
    Ok(HoldOut::Regions { regions, outcome })
}
