//! Who owns a device, and when.
use crate::{
    DeviceSettings,
    map::{Owner, Timelines},
};
use hashbrown::HashMap;
use safar_model::{DAY_US, Micros};

const MINUTE_US: Micros = 60_000_000;

/// Of the times at which a device was seen with a person, the first and the last in each hour say who owns it, and no other.
pub const SIGHTING_US: Micros = 60 * MINUTE_US;

/// A device was seen with an identifier of a person.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Sighting {
    pub(crate) at: Micros,
    pub(crate) person: i64,
    /// Owned from here, not before.
    pub(crate) from: Option<Micros>,
    /// Owned until here.
    pub(crate) to: Option<Micros>,
}

/// Consecutive sightings of one person.
struct Run {
    person: i64,
    start: Micros,
    last: Micros,
    from: Option<Micros>,
    /// `None`: until somebody else comes.
    to: Option<Micros>,
}

/// Leaves the first and the last sighting of each person in an hour, so that imports need not tell of those between: what is left of
/// all is what is left of what was left of their parts.
fn thin(sightings: &mut Vec<Sighting>) {
    let hour = |sighting: &Sighting| (sighting.person, sighting.at.div_euclid(SIGHTING_US));
    let is_open = |sighting: &Sighting| sighting.from.is_none() && sighting.to.is_none();
    let mut ends: HashMap<(i64, Micros), (Micros, Micros)> = HashMap::new();
    for sighting in sightings.iter().filter(|sighting| is_open(sighting)) {
        let (first, last) = ends.entry(hour(sighting)).or_insert((sighting.at, sighting.at));
        (*first, *last) = (sighting.at.min(*first), sighting.at.max(*last));
    }
    sightings.retain(|sighting| {
        !is_open(sighting)
            || ends.get(&hour(sighting)).is_none_or(|(first, last)| [*first, *last].contains(&sighting.at))
    });
}

/// The owner of a device with these sightings (at least one); `device` is the device as its own person.
pub(crate) fn own(
    sightings: &mut Vec<Sighting>,
    device: i64,
    settings: &DeviceSettings,
    timelines: &mut Timelines,
) -> Owner {
    // Two in an hour are its first and last.
    if sightings.len() > 2 {
        thin(sightings);
    }
    // Ties at one instant are broken by the whole sighting, so order of arrival cannot show.
    sightings.sort_unstable();
    let mut runs: Vec<Run> = Vec::new();
    for &Sighting { at, person, from, to } in &*sightings {
        match runs.last_mut() {
            Some(run) if run.person == person => {
                run.last = at;
                run.to = run.to.and_then(|end| to.map(|to| to.max(end)));
            }
            _ => runs.push(Run { person, start: at, last: at, from, to }),
        }
    }
    let mut steps = Vec::new();
    if is_shared(&runs, settings) {
        let around = Micros::from(settings.login_minutes) * MINUTE_US;
        let reach = Reach { around, hold: Micros::from(settings.last_login_days) * DAY_US };
        by_logins(sightings, device, &reach, &mut steps);
    } else {
        for (at, run) in runs.iter().enumerate() {
            let start = if at == 0 && run.from.is_none() { Micros::MIN } else { run.start };
            steps.push((start, run.person));
            let next = runs.get(at + 1).map_or(Micros::MAX, |next| next.start);
            if let Some(end) = run.to.filter(|&end| end < next) {
                steps.push((end.max(start), device));
            }
        }
    }
    timelines.push(&steps, device)
}

fn is_shared(runs: &[Run], settings: &DeviceSettings) -> bool {
    if settings.returning_is_shared {
        let mut people: Vec<i64> = runs.iter().map(|run| run.person).collect();
        people.sort_unstable();
        if people.windows(2).any(|two| two[0] == two[1]) {
            return true;
        }
    }
    let window = Micros::from(settings.shared_days) * DAY_US;
    let mut people = Vec::new();
    for (at, first) in runs.iter().enumerate() {
        people.clear();
        // A window that begins with the last sighting of `first` holds the most others.
        for run in runs[at..].iter().take_while(|run| run.start.saturating_sub(first.last) <= window) {
            if !people.contains(&run.person) {
                people.push(run.person);
            }
            if people.len() >= settings.shared_people as usize {
                return true;
            }
        }
    }
    false
}

/// How far the logins of a shared device reach.
struct Reach {
    /// Before and after each.
    around: Micros,
    /// After each, until the next.
    hold: Micros,
}

/// Steps of a shared device: a login covers `around` after it, until the next login, and `around` before it, back to
/// where the login before it covers. What lies between belongs to the earlier login as far as `hold`.
fn by_logins(sightings: &[Sighting], device: i64, reach: &Reach, steps: &mut Vec<(Micros, i64)>) {
    let mut covered = Micros::MIN;
    for (at, sighting) in sightings.iter().enumerate() {
        let begins = |login: &Sighting| login.at.saturating_sub(reach.around).max(login.from.unwrap_or(Micros::MIN));
        let start = begins(sighting).max(covered);
        let next = sightings.get(at + 1);
        let around = sighting.at.saturating_add(reach.around).min(next.map_or(Micros::MAX, |next| next.at));
        let held = sighting.at.saturating_add(reach.hold);
        let held = held.min(next.map_or(Micros::MAX, begins));
        let end = around.max(held).min(sighting.to.unwrap_or(Micros::MAX));
        if covered < start {
            steps.push((covered, device));
        }
        if start < end {
            steps.push((start, sighting.person));
            covered = end;
        }
    }
    steps.push((covered, device));
}

#[cfg(test)]
mod tests {
    use super::*;

    const DEVICE: i64 = 99;

    fn days(sightings: &[(i64, i64)]) -> Vec<Sighting> {
        sightings.iter().map(|&(day, person)| Sighting { at: day * DAY_US, person, from: None, to: None }).collect()
    }

    fn steps(mut sightings: Vec<Sighting>) -> Vec<(Micros, i64)> {
        let mut timelines = Timelines::default();
        let owner = own(&mut sightings, DEVICE, &DeviceSettings::default(), &mut timelines);
        timelines.steps(owner).collect()
    }

    #[test]
    fn one_owner_owns_always() {
        assert_eq!(steps(days(&[(3, 1), (9, 1)])), [(Micros::MIN, 1)]);
    }

    #[test]
    fn handed_over_is_split_at_the_login() {
        assert_eq!(steps(days(&[(3, 1), (9, 2), (12, 2)])), [(Micros::MIN, 1), (9 * DAY_US, 2)]);
        // Three owners, but never three within 30 days.
        let want = [(Micros::MIN, 1), (40 * DAY_US, 2), (80 * DAY_US, 3)];
        assert_eq!(steps(days(&[(0, 1), (40, 2), (80, 3)])), want);
    }

    #[test]
    fn in_an_hour_the_first_and_the_last_count() {
        let minutes = |at: i64, person| Sighting { at: at * MINUTE_US, person, from: None, to: None };
        let some = [minutes(0, 1), minutes(20, 1), minutes(40, 2), minutes(59, 1), minutes(60, 1)];
        let mut left = some.to_vec();
        thin(&mut left);
        assert_eq!(left, [some[0], some[2], some[3], some[4]]);
        // By parts: the second sighting is the last of its part.
        let (mut one, mut other) = (some[..2].to_vec(), some[2..].to_vec());
        thin(&mut one);
        thin(&mut other);
        let mut both = [one, other].concat();
        thin(&mut both);
        assert_eq!(both, left);
    }

    #[test]
    fn who_comes_back_shares() {
        let half_hour = 30 * MINUTE_US;
        let mut want = vec![(Micros::MIN, DEVICE)];
        for (day, person) in [(3, 1), (9, 2), (12, 1)] {
            want.push((day * DAY_US - half_hour, person));
            want.push((day * DAY_US + half_hour, DEVICE));
        }
        assert_eq!(steps(days(&[(3, 1), (9, 2), (12, 1)])), want);
    }

    #[test]
    fn the_last_login_holds_until_the_next_or_for_some_days() {
        let settings = DeviceSettings { last_login_days: 4, ..DeviceSettings::default() };
        let mut sightings = days(&[(3, 1), (5, 2), (12, 1)]);
        let mut timelines = Timelines::default();
        let owner = own(&mut sightings, DEVICE, &settings, &mut timelines);
        let half_hour = 30 * MINUTE_US;
        let want = [
            (Micros::MIN, DEVICE),
            (3 * DAY_US - half_hour, 1),
            (5 * DAY_US - half_hour, 2),
            (9 * DAY_US, DEVICE),
            (12 * DAY_US - half_hour, 1),
            (16 * DAY_US, DEVICE),
        ];
        assert_eq!(timelines.steps(owner).collect::<Vec<_>>(), want);
    }

    #[test]
    fn three_people_within_thirty_days_share() {
        assert_eq!(steps(days(&[(0, 1), (15, 2), (30, 3)]))[0], (Micros::MIN, DEVICE));
        // Day 0 to day 31 is too long; but 1 was last seen on day 2.
        assert_eq!(steps(days(&[(0, 1), (15, 2), (31, 3)]))[0], (Micros::MIN, 1));
        assert_eq!(steps(days(&[(0, 1), (2, 1), (15, 2), (31, 3)]))[0], (Micros::MIN, DEVICE));
    }

    #[test]
    fn logins_close_together_meet_at_the_later() {
        let minutes = |at: i64, person| Sighting { at: at * MINUTE_US, person, from: None, to: None };
        let got = steps(vec![minutes(0, 1), minutes(20, 2), minutes(60, 1)]);
        let at = |minutes: i64| minutes * MINUTE_US;
        let want = [(Micros::MIN, DEVICE), (at(-30), 1), (at(20), 2), (at(50), 1), (at(90), DEVICE)];
        assert_eq!(got, want);
    }

    #[test]
    fn bounded_links_own_no_longer_than_they_are_valid() {
        let one = Sighting { at: 10, person: 1, from: Some(10), to: Some(20) };
        assert_eq!(steps(vec![one]), [(Micros::MIN, DEVICE), (10, 1), (20, DEVICE)]);
        let open = Sighting { at: 15, person: 1, from: None, to: None };
        assert_eq!(steps(vec![one, open]), [(Micros::MIN, DEVICE), (10, 1)]);
    }
}
