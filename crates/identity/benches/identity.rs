//! `cargo bench -p safar-identity --bench identity -- [LINKS]`: CPU seconds to add, resolve and ask.
use rand::{Rng, SeedableRng, rngs::ChaCha8Rng};
use safar_identity::{EventIds, IdentityGraph, IdentitySettings, Link, PersonMap};
use std::{sync::LazyLock, time::Instant};

/// CPU seconds of this thread where Linux tells them, else seconds on the clock: other work must not count.
fn now() -> f64 {
    static START: LazyLock<Instant> = LazyLock::new(Instant::now);
    let told = std::fs::read_to_string("/proc/thread-self/schedstat").ok();
    let ns = told.and_then(|text| text.split(' ').next()?.parse::<f64>().ok());
    ns.map_or_else(|| START.elapsed().as_secs_f64(), |ns| ns / 1e9)
}

#[expect(clippy::print_stdout, reason = "a report")]
fn main() -> Result<(), Box<dyn std::error::Error>> {
    let links: u64 =
        std::env::args().skip(1).find(|word| word != "--bench").map_or(Ok(10_000_000), |count| count.parse())?;
    let people = (links / 4).max(1);
    let mut rng = ChaCha8Rng::seed_from_u64(1);
    let mut graph = IdentityGraph::new(IdentitySettings::default())?;
    let device = |person: u64, number: u64| format!("{person:08x}-0000-4000-8000-{number:012x}");
    let (mut adding, mut chunk) = (0.0, Vec::new());
    for number in 0..links {
        let draw = rng.next_u64();
        let person = draw % people;
        // Three in four links are logins on one of two devices, the fourth joins a hashed e-mail address.
        let (namespace, other): (&str, String) = match draw >> 62 {
            0 => ("email", format!("{:032x}{:032x}", person + 1, person * 31)),
            _ => ("anonymous", device(person, (draw >> 40) % 2)),
        };
        chunk.push((namespace, other, format!("user-{person}"), format!("{number:016x}"), number as i64 * 1_000_000));
        if chunk.len() == 10_000 || number + 1 == links {
            let start = now();
            let batch: Vec<Link<&str>> = (chunk.iter())
                .map(|(namespace, other, user, event, at)| {
                    let link = Link::new(*namespace, other.as_str(), "user", user.as_str(), *at);
                    Link { source: Some("bench"), event_id: Some(event.as_str()), ..link }
                })
                .collect();
            let refused = graph.add_all(&batch);
            assert!(refused.is_empty(), "{refused:?}");
            adding += now() - start;
            chunk.clear();
        }
    }
    println!("add      {adding:8.2} s for {links} links");
    let start = now();
    let resolution = graph.resolve();
    let resolving = now() - start;
    let map = resolution.map;
    println!("resolve  {resolving:8.2} s, {} identifiers, {} conflicts", map.len(), resolution.conflicts.len());
    println!("both     {:8.2} s", adding + resolving);

    let asks = 5_000_000;
    let devices: Vec<String> = (0..100_000).map(|_| device(rng.next_u64() % people, 0)).collect();
    let (mut sum, start) = (0_i64, now());
    for ask in 0..asks {
        // An event table is sorted by identifier: runs of twenty events ask for one device.
        let ids = EventIds { anonymous_id: Some(&devices[ask / 20 % devices.len()]), ..EventIds::default() };
        sum = sum.wrapping_add(map.person_of(&ids, ask as i64).unwrap_or_default());
    }
    println!("ask      {:8.1} ns an event in runs of 20 ({sum:x})", (now() - start) * 1e9 / asks as f64);
    let start = now();
    for ask in 0..asks {
        let ids = EventIds { anonymous_id: Some(&devices[ask % devices.len()]), ..EventIds::default() };
        sum = sum.wrapping_add(map.person_of(&ids, ask as i64).unwrap_or_default());
    }
    println!("ask      {:8.1} ns an event in any order ({sum:x})", (now() - start) * 1e9 / asks as f64);
    let start = now();
    let dirty = PersonMap::diff(&map, &map).len();
    println!("diff     {:8.2} s, {dirty} dirty", now() - start);
    let (start, first) = (now(), &devices[0]);
    let second = first.replace("000000000000", "000000000001");
    let chain = graph.why(&map, ("anonymous", first), ("anonymous", &second));
    println!("why      {:8.2} s, {} links", now() - start, chain.len());
    Ok(())
}
