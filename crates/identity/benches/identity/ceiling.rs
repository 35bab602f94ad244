//! The most that the links of a crowd can tell: whose each visit most probably is, for somebody who knows how crowds are made.
use safar_simulate::Sighting;
use std::collections::{BTreeMap, BTreeSet};

/// How often people log in who were on the device before, on average.
const LOGIN: f64 = 0.6;
/// Events of one visit follow each other within this time: microseconds.
const PAUSE: i64 = 5 * 60_000_000;

/// Whose each sighting is.
///
/// Known are the users of each device, and when one is handed over. On a shared device each visit is the user's whose probability
/// is highest given all visits (forward–backward: Rabiner, "A Tutorial on Hidden Markov Models", 1989): every user is as likely to
/// come next, who takes over logs in, others on [`LOGIN`] of their visits, and a visit of one event hides every second login.
/// Devices without any login are left to `others`.
pub fn persons(seen: &[Sighting], named: &[bool], others: &[i64]) -> Vec<i64> {
    let own = |person: u32| -1 - i64::from(person);
    let mut persons = others.to_vec();
    let mut devices: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    for (at, sighting) in seen.iter().enumerate() {
        match &sighting.device {
            Some(device) => devices.entry(device).or_default().push(at),
            None => persons[at] = own(sighting.person),
        }
    }
    for events in devices.values().filter(|events| events.iter().any(|&at| named[at])) {
        let truth: Vec<u32> = events.iter().map(|&at| seen[at].person).collect();
        let users: Vec<u32> = truth.iter().copied().collect::<BTreeSet<_>>().into_iter().collect();
        if truth.windows(2).filter(|two| two[0] != two[1]).count() < 2 {
            events.iter().for_each(|&at| persons[at] = own(seen[at].person));
            continue;
        }
        let visits: Vec<&[usize]> = events.chunk_by(|&x, &y| seen[y].at - seen[x].at <= PAUSE).collect();
        for (visit, user) in visits.iter().zip(likeliest(&visits, &users, seen, named)) {
            for &at in *visit {
                persons[at] = own(if named[at] { seen[at].person } else { user });
            }
        }
    }
    persons
}

/// The most probable user of each visit.
fn likeliest(visits: &[&[usize]], users: &[u32], seen: &[Sighting], named: &[bool]) -> Vec<u32> {
    // How probable what is seen of a visit is, for this user after that one.
    let seen_of = |visit: &[usize], user: usize, before: Option<usize>| {
        let login = if before.is_some_and(|before| before != user) { 1.0 } else { LOGIN };
        let hidden = if visit.len() == 1 { 0.5 } else { 0.0 };
        match visit.iter().find(|&&at| named[at]) {
            Some(&at) if seen[at].person == users[user] => login * (1.0 - hidden),
            // Visits may overlap.
            Some(_) => 1e-12,
            None => 1.0 - login + login * hidden,
        }
    };
    let scaled = |row: Vec<f64>| {
        let sum: f64 = row.iter().sum();
        row.into_iter().map(|share| share / sum).collect::<Vec<f64>>()
    };
    let all = 0..users.len();
    let mut forward: Vec<Vec<f64>> = Vec::new();
    for visit in visits {
        let row = all.clone().map(|user| match forward.last() {
            None => seen_of(visit, user, None),
            Some(last) => {
                last.iter().enumerate().map(|(before, share)| share * seen_of(visit, user, Some(before))).sum()
            }
        });
        forward.push(scaled(row.collect()));
    }
    let mut backward = vec![1.0; users.len()];
    let mut found = Vec::new();
    for (at, visit) in visits.iter().enumerate().rev() {
        let share = |user: &usize| forward[at][*user] * backward[*user];
        found.extend(all.clone().max_by(|x, y| share(x).total_cmp(&share(y))).map(|user| users[user]));
        let row =
            all.clone().map(|before| all.clone().map(|user| seen_of(visit, user, Some(before)) * backward[user]).sum());
        backward = scaled(row.collect());
    }
    found.reverse();
    found
}
