//! People who share devices, hand them over and leave junk: how well they are found, beside connected components.
use super::{Outcome, Watch, tell};
use safar_identity::{EventIds, IdentityGraph, IdentitySettings, Link, normalise};
use safar_simulate::{Crowd, Score, Sighting, components};
use serde_json::json;

/// Device, user, e-mail, record of the customer system.
type Ids = [Option<String>; 4];

const SPACES: [&str; 4] = ["anonymous", "user", "email", "crm"];

fn raw(sighting: &Sighting) -> Ids {
    let Sighting { device, user, email, crm, .. } = sighting.clone();
    [device, user, email, crm]
}

fn normal(sighting: &Sighting, settings: &IdentitySettings) -> Ids {
    let mut ids = raw(sighting);
    for (space, id) in SPACES.iter().zip(&mut ids) {
        *id = id.as_deref().and_then(|id| Some(normalise(space, id, settings).id()?.into_owned()));
    }
    ids
}

fn event([device, user, email, crm]: &Ids) -> EventIds<'_> {
    let [anonymous_id, user_id, email_hash, crm_id] = [device, user, email, crm].map(Option::as_deref);
    EventIds { anonymous_id, user_id, email_hash, phone_hash: None, crm_id }
}

fn naive(ids: &[Ids]) -> Vec<i64> {
    components(ids.iter().map(|ids| (0..4).zip(ids).filter_map(|(space, id)| Some((space, id.as_ref()?))).collect()))
}

/// Crowds, and the share of careless people in each.
const CROWDS: [(u64, u32); 5] = [(11, 0), (12, 0), (13, 0), (11, 20), (11, 50)];
/// `last_login_days` that are tried.
const DAYS: [u32; 5] = [0, 1, 7, 30, 180];

pub fn find(people: u32) -> Outcome {
    CROWDS.into_iter().try_for_each(|(seed, careless)| find_in(&Crowd { people, days: 180, seed, careless }))
}

fn find_in(crowd: &Crowd) -> Outcome {
    let settings = IdentitySettings::default();
    let seen = crowd.sightings();
    let score = |persons: &[i64]| Score::of(persons.iter().copied().zip(seen.iter().map(|sighting| sighting.person)));
    let told = |tool: &str, watch: Watch, persons: &[i64]| {
        let Some(score) = score(persons) else { return };
        let more = json!({
            "tool": tool, "people": crowd.people, "seed": crowd.seed, "careless": crowd.careless, "events": seen.len(),
            "precision": score.precision, "recall": score.recall,
            "cubed_precision": score.cubed_precision, "cubed_recall": score.cubed_recall,
        });
        tell("crowd", watch.read(), more);
    };
    let all: Vec<Ids> = seen.iter().map(raw).collect();
    told("connected components", Watch::start(), &naive(&all));
    let ids: Vec<Ids> = seen.iter().map(|sighting| normal(sighting, &settings)).collect();
    told("connected components, junk left out", Watch::start(), &naive(&ids));
    for days in DAYS {
        let mut settings = settings.clone();
        settings.devices.last_login_days = days;
        let watch = Watch::start();
        let mut graph = IdentityGraph::new(settings)?;
        for (sighting, ids) in seen.iter().zip(&ids) {
            for (a, b) in event(ids).pairs() {
                graph.add(&Link::new(a.0, a.1, b.0, b.1, sighting.at))?;
            }
        }
        let map = graph.resolve().map;
        let persons = seen.iter().zip(&ids).map(|(sighting, ids)| map.person_of(&event(ids), sighting.at));
        let persons: Vec<i64> = persons.map(Option::unwrap_or_default).collect();
        told(&format!("Safar, last_login_days = {days}"), watch, &persons);
    }
    Ok(())
}
