//! Links from strings: all at once, and some more.
use super::{Outcome, Watch, tell, told};
use rand::{Rng, SeedableRng, rngs::ChaCha8Rng};
use safar_identity::{EventIds, IdentityGraph, IdentitySettings, Link, LiveMap, PersonMap};
use serde_json::json;
use std::{
    collections::BTreeSet,
    fs::{self, File},
    io::{BufWriter, Write},
    path::Path,
};

/// Links taken together.
const CHUNK: usize = 10_000;
/// Links whose identifiers are asked for, or are in new links.
const ASKED: usize = 1_000_000;

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

fn link(line: &str) -> Result<Link<&str>, String> {
    let told = || {
        let mut words = line.split('\t');
        let mut next = || words.next();
        let (ns_a, ns_b, id_a, id_b, second, event) = (next()?, next()?, next()?, next()?, next()?, next()?);
        let link = Link::new(ns_a, id_a, ns_b, id_b, second.parse::<i64>().ok()? * 1_000_000);
        Some(Link { source: Some("bench"), event_id: Some(event), ..link })
    };
    told().ok_or_else(|| format!("`{line}` is no link"))
}

/// A graph of all links of a text, and the CPU and wall seconds of adding them, reading the text left out.
fn graph(text: &str) -> Result<(IdentityGraph, [f64; 2]), Box<dyn std::error::Error>> {
    let mut graph = IdentityGraph::new(IdentitySettings::default())?;
    let (mut lines, mut links, mut used) = (text.lines(), Vec::with_capacity(CHUNK), [0.0; 2]);
    loop {
        links.clear();
        for line in lines.by_ref().take(CHUNK) {
            links.push(link(line)?);
        }
        if links.is_empty() {
            return Ok((graph, used));
        }
        let watch = Watch::start();
        let refused = graph.add_all(&links);
        watch.add(&mut used);
        if let Some((_, error)) = refused.into_iter().next() {
            return Err(error.into());
        }
    }
}

pub fn whole(file: &Path) -> Outcome {
    let text = fs::read_to_string(file)?;
    let (graph, mut used) = graph(&text)?;
    tell("add", told(used), json!({ "links": graph.len() }));
    let watch = Watch::start();
    let resolution = graph.resolve();
    watch.add(&mut used);
    tell("resolve", watch.read(), json!({ "conflicts": resolution.conflicts.len() }));
    let measured = told(used);
    let map = resolution.map;
    let people: BTreeSet<i64> = map.rows().iter().map(|row| row.person_id).collect();
    tell("links", measured, json!({ "links": graph.len(), "identifiers": map.len(), "people": people.len() }));

    let links = text.lines().take(ASKED).map(link).collect::<Result<Vec<_>, _>>()?;
    let devices: Vec<&str> = links.iter().filter(|link| link.ns_a == "anonymous").map(|link| link.id_a).collect();
    let (asks, mut sum) = (5_000_000, 0_i64);
    let watch = Watch::start();
    for ask in 0..asks {
        // An event table is sorted by identifier: runs of twenty events ask for one device.
        let ids = EventIds { anonymous_id: Some(devices[ask / 20 % devices.len()]), ..EventIds::default() };
        sum = sum.wrapping_add(map.person_of(&ids, ask as i64).unwrap_or_default());
    }
    tell("ask", watch.read(), json!({ "events": asks, "sum": sum }));
    let watch = Watch::start();
    let chain = graph.why(&map, (links[0].ns_a, links[0].id_a), (links[0].ns_b, links[0].id_b));
    tell("why", watch.read(), json!({ "chain": chain.len() }));
    Ok(())
}

/// New links of the same kind: logins of known people on new devices, and of known devices by others.
pub fn updates(file: &Path) -> Outcome {
    let text = fs::read_to_string(file)?;
    let (graph, used) = graph(&text)?;
    tell("add", told(used), json!({ "links": graph.len() }));
    let mut live = LiveMap::new(graph);
    let links = text.lines().take(ASKED).map(link).collect::<Result<Vec<_>, _>>()?;
    let mut rng = ChaCha8Rng::seed_from_u64(2);
    let last = live.graph().len() as i64;
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
    // A build also reads back who was who, and looks for whom that changed.
    let rows = whole.map.rows();
    let watch = Watch::start();
    let before = PersonMap::from_rows(rows, &IdentitySettings::default())?;
    let changed = PersonMap::diff(&before, &whole.map);
    tell("compare", watch.read(), json!({ "links": live.graph().len(), "changed": changed.len() }));
    Ok(())
}
