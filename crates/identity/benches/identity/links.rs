//! Links from strings: all at once, and some more.
use super::{Outcome, Watch, tell};
use rand::{Rng, SeedableRng, rngs::ChaCha8Rng};
use safar_identity::{EventIds, IdentityGraph, IdentitySettings, Link, LiveMap};
use serde_json::json;
use std::{
    collections::BTreeSet,
    fs::{self, File},
    io::{BufWriter, Write},
    path::Path,
};

/// Links taken together.
const CHUNK: usize = 10_000;

fn device(person: u64, number: u64) -> String {
    format!("{person:08x}-0000-4000-8000-{number:012x}")
}

/// Four links a person on average: three in four are logins on one of two devices, the fourth joins a hashed address.
pub fn generate(links: u64, file: &Path) -> Outcome {
    let people = (links / 4).max(1);
    let mut rng = ChaCha8Rng::seed_from_u64(1);
    let mut out = BufWriter::new(File::create(file)?);
    for number in 0..links {
        let draw = rng.next_u64();
        let person = draw % people;
        let (namespace, other) = match draw >> 62 {
            0 => ("email", format!("{:032x}{:032x}", person + 1, person * 31)),
            _ => ("anonymous", device(person, (draw >> 40) % 2)),
        };
        writeln!(out, "{namespace}\tuser\t{other}\tuser-{person}\t{number}\t{number:016x}")?;
    }
    Ok(out.flush()?)
}

fn read(text: &str) -> Result<Vec<Link<&str>>, Box<dyn std::error::Error>> {
    let link = |line| -> Option<Link<&str>> {
        let mut words = str::split(line, '\t');
        let mut next = || words.next();
        let (ns_a, ns_b, id_a, id_b, second, event) = (next()?, next()?, next()?, next()?, next()?, next()?);
        let link = Link::new(ns_a, id_a, ns_b, id_b, second.parse::<i64>().ok()? * 1_000_000);
        Some(Link { source: Some("bench"), event_id: Some(event), ..link })
    };
    text.lines().map(|line| link(line).ok_or_else(|| format!("`{line}` is no link").into())).collect()
}

fn graph(links: &[Link<&str>]) -> Result<IdentityGraph, Box<dyn std::error::Error>> {
    let mut graph = IdentityGraph::new(IdentitySettings::default())?;
    for links in links.chunks(CHUNK) {
        if let Some((_, error)) = graph.add_all(links).pop() {
            return Err(error.into());
        }
    }
    Ok(graph)
}

pub fn whole(file: &Path) -> Outcome {
    let text = fs::read_to_string(file)?;
    let links = read(&text)?;
    let both = Watch::start();
    let watch = Watch::start();
    let graph = graph(&links)?;
    tell("add", watch.read(), json!({ "links": links.len() }));
    let watch = Watch::start();
    let resolution = graph.resolve();
    tell("resolve", watch.read(), json!({ "conflicts": resolution.conflicts.len() }));
    let measured = both.read();
    let map = resolution.map;
    let people: BTreeSet<i64> = map.rows().iter().map(|row| row.person_id).collect();
    tell("links", measured, json!({ "links": links.len(), "identifiers": map.len(), "people": people.len() }));

    let devices: Vec<&str> = links.iter().filter(|link| link.ns_a == "anonymous").map(|link| link.id_a).collect();
    let (asks, mut sum) = (5_000_000, 0_i64);
    let watch = Watch::start();
    for ask in 0..asks {
        // An event table is sorted by identifier: runs of twenty events ask for one device.
        let ids = EventIds { anonymous_id: Some(devices[ask / 20 % devices.len()]), ..EventIds::default() };
        sum = sum.wrapping_add(map.person_of(&ids, ask as i64).unwrap_or_default());
    }
    tell("ask", watch.read(), json!({ "events": asks, "sum": sum }));
    let first = devices[0];
    let second =
        links.iter().find(|link| link.id_a != first && link.id_b == links[0].id_b).map_or(first, |link| link.id_a);
    let watch = Watch::start();
    let chain = graph.why(&map, (links[0].ns_a, links[0].id_a), ("anonymous", second));
    tell("why", watch.read(), json!({ "chain": chain.len() }));
    Ok(())
}

/// New links of the same kind: logins of known people on new devices, and of known devices by others.
pub fn updates(file: &Path) -> Outcome {
    let text = fs::read_to_string(file)?;
    let links = read(&text)?;
    let mut live = LiveMap::new(graph(&links)?);
    let mut rng = ChaCha8Rng::seed_from_u64(2);
    let last = links.len() as i64;
    for count in [1_000_usize, 10_000, 100_000, 1_000, 10_000, 100_000] {
        let mut fresh = Vec::with_capacity(count);
        for number in 0..count {
            let draw = rng.next_u64();
            let (one, other) =
                (&links[(draw >> 32) as usize % links.len()], &links[draw as u32 as usize % links.len()]);
            let device = if draw % 10 == 0 { other.id_a.to_owned() } else { device(draw, number as u64) };
            let namespace = if draw % 10 == 0 { other.ns_a } else { "anonymous" };
            fresh.push((namespace, device, one.id_b, (last + number as i64) * 1_000_000));
        }
        let fresh: Vec<Link<&str>> =
            fresh.iter().map(|(ns_a, id_a, id_b, at)| Link::new(*ns_a, id_a.as_str(), "user", *id_b, *at)).collect();
        let watch = Watch::start();
        let update = live.add_all(&fresh);
        tell("update", watch.read(), json!({ "links": count, "of": last, "changed": update.changed.len() }));
    }
    let watch = Watch::start();
    let whole = live.graph().resolve();
    tell("again", watch.read(), json!({ "links": live.graph().len() }));
    if live.map().rows() != whole.map.rows() {
        return Err("the people after updates are not those of all links".into());
    }
    Ok(())
}
