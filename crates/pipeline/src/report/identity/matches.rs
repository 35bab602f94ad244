//! `safar people match`: records of a list that are probably one person.
use super::super::{
    Answer,
    answer::{numbers, texts},
    strings,
};
use crate::{Error, Result, Workspace, build::people::link_rows};
use safar_engine::Session;
use safar_identity::{
    Link, Matching,
    matching::{Matches, Pair, Records, find},
    normalise,
};
use safar_model::Table;
use safar_store::{Change, CommitKey, WriteLock};
use std::{collections::HashSet, path::Path};

/// What the comparison of a list found.
#[derive(Clone, Debug)]
pub struct Found {
    /// Rows `one, other, probability, bits, evidence` of pairs that somebody should look at.
    pub review: Answer<String>,
    /// The same of pairs that are probable enough.
    pub accepted: Answer<String>,
    /// Rows `field, level, m, u, bits`: the fitted model.
    pub model: Answer<String>,
    /// The lowest confidence of the accepted pairs; absent where there are none.
    pub least: Option<f64>,
    /// The accepted pairs that stand, as links without a time.
    links: Vec<Link>,
}

/// Compares the records of `[identity.matching]`. Pairs about which somebody decided by hand are left out and counted.
///
/// # Errors
/// When there is no such section, its file cannot be read, its records cannot be compared, or the tables cannot be read.
pub async fn matches(workspace: &Workspace, session: &Session) -> Result<Found> {
    let identity = &workspace.settings().identity;
    let matching = identity.matching.as_ref().ok_or_else(|| {
        Error::Request(
            "no records are compared\n  hint: [identity.matching] of safar.toml says which, and how".to_owned(),
        )
    })?;
    let (records, nobody) = read(workspace, matching)?;
    let found = find(&records, &matching.model).map_err(|e| Error::Request(format!("[identity.matching]: {e}")))?;
    let mut notes = vec![format!("{} records, {} pairs compared", records.len(), found.compared)];
    if nobody > 0 {
        notes.push(format!("{nobody} rows have no identifier in `{}` and are left out", matching.identifier));
    }
    notes.extend(found.skipped.iter().map(|block| {
        format!(
            "the rule \"{}\" skips the {} records with {}: more than `block_records`",
            block.rule, block.records, block.value
        )
    }));
    if identity.rule(&matching.namespace).max() == Some(1) {
        notes.push(format!(
            "[identity.namespaces.{0}] is unique: a person has at most one {0} identifier, so no two of these records become one \
             person; set `unique = false` there",
            matching.namespace
        ));
    }
    let decided = decided(session).await?;
    let names = |pair: &Pair| pair_of(records.id(pair.a), records.id(pair.b));
    let open = |pair: &&Pair| !decided.contains(&names(pair));
    let known = found.review().chain(found.accepted()).filter(|pair| !open(pair)).count();
    if known > 0 {
        notes.push(format!("{known} pairs are left out: somebody joined them or took them apart by hand"));
    }
    let table = |pairs: Vec<&Pair>| {
        let mut answer = pairs_table(&records, &found, &pairs)?;
        answer.notes.clone_from(&notes);
        Ok::<_, Error>(answer.note(format!("{} pairs", pairs.len())))
    };
    let mut links = found.links(0, &matching.file);
    links.retain(|link| !decided.contains(&pair_of((&link.ns_a, &link.id_a), (&link.ns_b, &link.id_b))));
    Ok(Found {
        review: table(found.review().filter(open).collect())?,
        accepted: table(found.accepted().filter(open).collect())?,
        model: model(&found)?,
        least: links.iter().map(|link| link.confidence).reduce(f64::min),
        links,
    })
}

/// Two identifiers, whichever came first.
type Ends = [(String, String); 2];

fn pair_of(a: (&str, &str), b: (&str, &str)) -> Ends {
    let mut ends = [a, b].map(|(namespace, identifier)| (namespace.to_owned(), identifier.to_owned()));
    ends.sort();
    ends
}

/// Pairs of identifiers about which somebody decided.
async fn decided(session: &Session) -> Result<HashSet<Ends>> {
    let sql = "SELECT ns_a, id_a, ns_b, id_b FROM identity_links WHERE kind IN ('merge', 'split')";
    let mut found = HashSet::new();
    for batch in session.sql(sql).await?.collect().await? {
        let columns = [0, 1, 2, 3].map(|column| strings(&batch, column));
        let [ns_a, id_a, ns_b, id_b] = columns;
        let (ns_a, id_a, ns_b, id_b) = (ns_a?, id_a?, ns_b?, id_b?);
        let text = |column: &[Option<String>], row: usize| column[row].clone().unwrap_or_default();
        found.extend((0..batch.num_rows()).map(|row| {
            let (a, b) = ((text(&ns_a, row), text(&id_a, row)), (text(&ns_b, row), text(&id_b, row)));
            pair_of((&a.0, &a.1), (&b.0, &b.1))
        }));
    }
    Ok(found)
}

/// Stores the accepted pairs as links; returns how many.
///
/// # Errors
/// When another process writes or the disk refuses.
pub async fn store_matches(workspace: &Workspace, lock: &WriteLock, found: &Found) -> Result<u64> {
    if found.links.is_empty() {
        return Ok(0);
    }
    let at = jiff::Timestamp::now().as_microsecond();
    let links: Vec<Link> = found.links.iter().map(|link| Link { observed_at: at, ..link.clone() }).collect();
    let store = workspace.store();
    let mut writer = store.writer(lock, Table::IdentityLinks)?;
    writer.write(&link_rows(&links)?)?;
    let key = CommitKey { writer: "match".to_owned(), id: format!("{at}-{}", std::process::id()) };
    store.commit(lock, vec![Change::Append(writer.finish()?)], &key).await?;
    Ok(links.len() as u64)
}

/// The records of a list, and how many of its rows have no identifier.
fn read(workspace: &Workspace, matching: &Matching) -> Result<(Records, u64)> {
    let path = workspace.root().join(Path::new(&matching.file));
    let wrong = |error: csv::Error| Error::Request(format!("{}: {error}", path.display()));
    let mut reader = csv::Reader::from_path(&path).map_err(wrong)?;
    let head = reader.headers().map_err(wrong)?.clone();
    let identifier = head.iter().position(|name| name == matching.identifier).ok_or_else(|| {
        let columns = head.iter().collect::<Vec<_>>().join(", ");
        Error::Request(format!("{} has no column `{}`; it has {columns}", path.display(), matching.identifier))
    })?;
    let fields = || (0..head.len()).filter(|&column| column != identifier);
    let mut records = Records::new(fields().map(|column| &head[column]));
    let mut nobody = 0;
    for row in reader.records() {
        let row = row.map_err(wrong)?;
        let id =
            normalise(&matching.namespace, row.get(identifier).unwrap_or_default(), &workspace.settings().identity);
        let Some(id) = id.id() else {
            nobody += 1;
            continue;
        };
        let values: Vec<Option<&str>> = fields().map(|column| row.get(column)).collect();
        records
            .push(&matching.namespace, &id, &values)
            .map_err(|e| Error::Request(format!("{}: {e}", path.display())))?;
    }
    Ok((records, nobody))
}

fn pairs_table(records: &Records, found: &Matches<'_>, pairs: &[&Pair]) -> Result<Answer<String>> {
    let id = |record: u32| {
        let (namespace, identifier) = records.id(record);
        format!("{namespace}:{identifier}")
    };
    let evidence = |pair: &&Pair| {
        let field = |told: safar_identity::matching::Evidence| {
            let values = match (&told.a, &told.b) {
                (Some(a), Some(b)) if a != b => format!(" ({a} / {b})"),
                (Some(a), Some(_)) => format!(" ({a})"),
                _ => String::new(),
            };
            format!("{} {}{values} {:+.1}", told.field, told.level, told.bits)
        };
        found.evidence(pair).into_iter().map(field).collect::<Vec<_>>().join("; ")
    };
    Answer::new([
        ("one", texts(pairs.iter().map(|pair| id(pair.a)))),
        ("other", texts(pairs.iter().map(|pair| id(pair.b)))),
        ("probability", numbers(pairs.iter().map(|pair| Some(pair.probability)))),
        ("bits", numbers(pairs.iter().map(|pair| Some(pair.bits)))),
        ("evidence", texts(pairs.iter().map(evidence))),
    ])
}

fn model(found: &Matches<'_>) -> Result<Answer<String>> {
    let rows: Vec<_> = found
        .model
        .comparisons
        .iter()
        .flat_map(|(comparison, levels)| levels.iter().map(|level| (&comparison.field, level)))
        .collect();
    let level = |level: Option<safar_identity::matching::Similarity>| {
        level.map_or("different".to_owned(), |level| level.to_string())
    };
    let answer = Answer::new([
        ("field", texts(rows.iter().map(|(field, _)| field))),
        ("level", texts(rows.iter().map(|(_, weights)| level(weights.similarity)))),
        ("m", numbers(rows.iter().map(|(_, weights)| Some(weights.m)))),
        ("u", numbers(rows.iter().map(|(_, weights)| Some(weights.u)))),
        ("bits", numbers(rows.iter().map(|(_, weights)| Some(weights.bits())))),
    ])?;
    let (prior, bits) = (found.model.prior, found.model.prior_bits());
    Ok(answer.note(format!("two random records are one person with probability {prior:.3e}: {bits:.1} bits")))
}
