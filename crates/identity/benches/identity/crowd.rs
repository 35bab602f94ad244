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

pub fn find(people: u32) -> Outcome {
    let settings = IdentitySettings::default();
    let seen = Crowd { people, days: 180, seed: 11 }.sightings();
    let score = |persons: &[i64]| Score::of(persons.iter().copied().zip(seen.iter().map(|sighting| sighting.person)));
    let told = |tool: &str, watch: Watch, persons: &[i64]| {
        let Some(score) = score(persons) else { return };
        let more = json!({
            "tool": tool, "people": people, "events": seen.len(), "precision": score.precision, "recall": score.recall,
            "cubed_precision": score.cubed_precision, "cubed_recall": score.cubed_recall,
        });
        tell("crowd", watch.read(), more);
    };
    let all: Vec<Ids> = seen.iter().map(raw).collect();
    told("connected components", Watch::start(), &naive(&all));
    let ids: Vec<Ids> = seen.iter().map(|sighting| normal(sighting, &settings)).collect();
    told("connected components, junk left out", Watch::start(), &naive(&ids));
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
    told("Safar", watch, &persons);
    Ok(())
}
