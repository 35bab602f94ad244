//! People who share devices, hand them over and leave junk: how well they are found, beside connected components.
use super::{Outcome, Watch, ceiling, tell};
use safar_identity::{
    EventIds, IdentityGraph, IdentitySettings, Link, NamespaceRule,
    matching::{MatchSettings, Records, find as find_matches},
    normalise,
};
use safar_model::DAY_US;
use safar_simulate::{Crowd, Customers, REGISTER_FIELDS, Score, Sighting, components};
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
const CROWDS: [(u64, u32); 7] = [(1, 0), (2, 0), (3, 0), (4, 0), (5, 0), (1, 20), (1, 50)];
/// `last_login_days` that are tried.
const DAYS: [u32; 5] = [0, 1, 7, 30, 180];
/// The same where there is a customer list.
const DAYS_WITH_LIST: [u32; 3] = [0, 30, 180];

/// How the list is compared: what says the same twice (street, town and postcode) is compared once.
const COMPARISONS: [&str; 4] = [
    "given_name*: exact, jaro_winkler 0.88",
    "surname*: exact, jaro_winkler 0.92, jaro_winkler 0.85",
    "born: exact, damerau 1, days 366",
    "street: exact, levenshtein 2",
];
/// Every rule holds what is a person's own: surname and address are those of a home.
const BLOCKS: [&str; 3] = ["born", "given_name+surname", "given_name+postcode"];

pub fn find(people: u32) -> Outcome {
    for (seed, careless) in CROWDS {
        let crowd = Crowd { people, days: 180, seed, careless };
        let scene = Scene { crowd, seen: crowd.sightings(), with_list: false };
        scene.naive();
        if careless == 0 {
            scene.ceiling();
        }
        for days in DAYS {
            scene.safar(&format!("Safar, last_login_days = {days}"), &settings(days), &[])?;
        }
        let list = crowd.customers();
        let mut seen = scene.seen;
        seen.extend_from_slice(&list.sightings);
        seen.sort_by_key(|sighting| sighting.at);
        let scene = Scene { crowd, seen, with_list: true };
        scene.naive();
        let matches = matches(&list, i64::from(crowd.days) * DAY_US)?;
        for days in DAYS_WITH_LIST {
            let mut settings = settings(days);
            settings.namespaces.insert("crm".to_owned(), NamespaceRule::default());
            scene.safar(&format!("Safar, last_login_days = {days}, links alone"), &settings, &[])?;
            settings.min_confidence = 0.99;
            scene.safar(&format!("Safar, last_login_days = {days}, and matches"), &settings, &matches)?;
        }
    }
    Ok(())
}

fn settings(last_login_days: u32) -> IdentitySettings {
    let mut settings = IdentitySettings::default();
    settings.devices.last_login_days = last_login_days;
    settings
}

/// Records of the list that are probably one person's, as links.
fn matches(list: &Customers, at: i64) -> Result<Vec<Link>, Box<dyn std::error::Error>> {
    let mut records = Records::new(REGISTER_FIELDS);
    for (id, entry) in &list.records {
        records.push("crm", id, &entry.values.each_ref().map(Option::as_deref))?;
    }
    let settings = MatchSettings {
        comparisons: COMPARISONS.iter().map(|text| text.parse()).collect::<Result<_, _>>()?,
        blocks: BLOCKS.iter().map(|text| text.parse()).collect::<Result<_, _>>()?,
        ..MatchSettings::default()
    };
    Ok(find_matches(&records, &settings)?.links(at, "list"))
}

struct Scene {
    crowd: Crowd,
    seen: Vec<Sighting>,
    with_list: bool,
}

impl Scene {
    fn naive(&self) {
        let all: Vec<Ids> = self.seen.iter().map(raw).collect();
        self.tell("connected components", Watch::start(), &naive(&all));
        let ids = self.ids(&IdentitySettings::default());
        self.tell("connected components, junk left out", Watch::start(), &naive(&ids));
    }

    fn ceiling(&self) {
        let ids = self.ids(&IdentitySettings::default());
        let named: Vec<bool> = ids.iter().map(|[_, user, email, _]| user.is_some() || email.is_some()).collect();
        self.tell(
            "who knows how the crowd was made",
            Watch::start(),
            &ceiling::persons(&self.seen, &named, &naive(&ids)),
        );
    }

    fn safar(&self, tool: &str, settings: &IdentitySettings, matches: &[Link]) -> Outcome {
        let ids = self.ids(settings);
        let watch = Watch::start();
        let mut graph = IdentityGraph::new(settings.clone())?;
        for (sighting, ids) in self.seen.iter().zip(&ids) {
            for (a, b) in event(ids).pairs() {
                graph.add(&Link::new(a.0, a.1, b.0, b.1, sighting.at))?;
            }
        }
        if let Some((_, error)) = graph.add_all(matches).pop() {
            return Err(error.into());
        }
        let map = graph.resolve().map;
        let persons = self.seen.iter().zip(&ids).map(|(sighting, ids)| map.person_of(&event(ids), sighting.at));
        self.tell(tool, watch, &persons.map(Option::unwrap_or_default).collect::<Vec<_>>());
        Ok(())
    }

    fn ids(&self, settings: &IdentitySettings) -> Vec<Ids> {
        self.seen.iter().map(|sighting| normal(sighting, settings)).collect()
    }

    fn tell(&self, tool: &str, watch: Watch, persons: &[i64]) {
        let truth = self.seen.iter().map(|sighting| sighting.person);
        let Some(score) = Score::of(persons.iter().copied().zip(truth)) else { return };
        let more = json!({
            "tool": tool, "people": self.crowd.people, "seed": self.crowd.seed, "careless": self.crowd.careless,
            "list": self.with_list, "events": self.seen.len(),
            "precision": score.precision, "recall": score.recall,
            "cubed_precision": score.cubed_precision, "cubed_recall": score.cubed_recall,
        });
        tell("crowd", watch.read(), more);
    }
}
