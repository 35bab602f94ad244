//! What a person decides about people: two identifiers are one person, or are not. A decision is a link like any other:
//! appended, never rewritten, so every later build obeys it.
use crate::{
    Error, Result, Workspace,
    build::people::{graph, link_rows},
    report,
};
use safar_engine::quoted;
use safar_identity::{ANONYMOUS, Conflict, Link, LinkKind, LiveMap, Normalised, normalise};
use safar_model::{Micros, Table};
use safar_store::{Change, CommitKey, WriteLock};
use std::fmt;

/// An identifier in the form in which it is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Named {
    /// The namespace.
    pub namespace: String,
    /// The identifier.
    pub identifier: String,
}

impl Named {
    /// Reads `user:ada` or `email:ada@example.com`, and normalises the value as an import does.
    ///
    /// # Errors
    /// When there is no namespace, or the value cannot be an identifier.
    pub fn parse(text: &str, workspace: &Workspace) -> Result<Self> {
        let (namespace, value) =
            text.split_once(':').filter(|(namespace, _)| !namespace.is_empty()).ok_or_else(|| {
                Error::Request(format!(
                    "`{text}` is no identifier; write NAMESPACE:VALUE, such as user:ada or email:ada@example.com"
                ))
            })?;
        match normalise(namespace, value, &workspace.settings().identity) {
            Normalised::Id(id) => Ok(Self { namespace: namespace.to_owned(), identifier: id.into_owned() }),
            Normalised::Blocked(why) => Err(Error::Request(format!("{namespace} `{value}` is no identifier: {why}"))),
            Normalised::Invalid(why) => Err(Error::Request(format!("{namespace} `{value}`: {why}"))),
        }
    }

    pub(crate) fn pair(&self) -> (&str, &str) {
        (&self.namespace, &self.identifier)
    }
}

impl fmt::Display for Named {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} `{}`", self.namespace, self.identifier)
    }
}

/// What somebody decided about two identifiers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decision {
    /// They are one person.
    Join,
    /// They are not.
    Split,
}

/// A decision.
#[derive(Clone, Debug)]
pub struct Act {
    /// Which.
    pub decision: Decision,
    /// The two identifiers.
    pub ends: [Named; 2],
    /// When.
    pub at: Micros,
    /// Why, in words: kept with the link.
    pub note: Option<String>,
    /// For a device and a person: only from here on.
    pub from: Option<Micros>,
    /// For a device and a person: only until here.
    pub to: Option<Micros>,
}

/// What a decision did.
#[derive(Clone, Debug)]
pub struct Acted {
    /// The people whose identifiers change with the next build, ascending.
    pub changed: Vec<i64>,
    /// The rule that keeps the two apart in spite of a decision to join them.
    pub conflict: Option<Conflict>,
}

/// Stores a decision; the next build obeys it.
///
/// # Errors
/// When an identifier is unknown, the decision makes no sense, another process writes, or the disk refuses.
pub async fn by_hand(workspace: &Workspace, lock: &WriteLock, act: &Act) -> Result<Acted> {
    let settings = &workspace.settings().identity;
    let session = report::session(workspace).await?;
    let [a, b] = &act.ends;
    let device = |end: &Named| settings.rule(&end.namespace).device;
    if (act.from.is_some() || act.to.is_some()) && device(a) == device(b) {
        return Err(Error::Request(format!(
            "{a} and {b} are of one kind: only a device ({ANONYMOUS}) belongs to a person for a time; leave out --from and --to"
        )));
    }
    let (graph, _) = graph(&session, settings).await?;
    let mut people = LiveMap::new(graph);
    for end in [a, b] {
        if people.map().person(&end.namespace, &end.identifier, act.at).is_none() && !carried(&session, end).await? {
            return Err(Error::Request(format!(
                "nothing that is stored carries {end}\n  hint: `safar people --search TEXT` finds identifiers"
            )));
        }
    }
    let link = Link {
        kind: match act.decision {
            Decision::Join => LinkKind::Merge,
            Decision::Split => LinkKind::Split,
        },
        source: Some(act.note.as_ref().map_or_else(|| "by hand".to_owned(), |note| format!("by hand: {note}"))),
        valid_from: act.from,
        valid_to: act.to,
        ..Link::new(a.namespace.clone(), a.identifier.clone(), b.namespace.clone(), b.identifier.clone(), act.at)
    };
    let update = people.add_all(std::slice::from_ref(&link));
    if let Some((_, error)) = update.refused.first() {
        return Err(Error::Request(error.to_string()));
    }
    let same = |conflict: &Conflict| {
        let ends = [(&*conflict.link.ns_a, &*conflict.link.id_a), (&*conflict.link.ns_b, &*conflict.link.id_b)];
        ends == [a.pair(), b.pair()] || ends == [b.pair(), a.pair()]
    };
    let conflict = people.conflicts().into_iter().find(|conflict| act.decision == Decision::Join && same(conflict));
    let store = workspace.store();
    let mut writer = store.writer(lock, Table::IdentityLinks)?;
    writer.write(&link_rows(&[link])?)?;
    let key = CommitKey { writer: "by hand".to_owned(), id: format!("{}-{}", act.at, std::process::id()) };
    store.commit(lock, vec![Change::Append(writer.finish()?)], &key).await?;
    Ok(Acted { changed: update.changed, conflict })
}

/// Whether the last build knew the identifier.
async fn carried(session: &safar_engine::Session, end: &Named) -> Result<bool> {
    let [namespace, identifier] = [&end.namespace, &end.identifier].map(|text| quoted(text));
    let sql = format!("SELECT 1 FROM persons WHERE namespace = {namespace} AND identifier = {identifier} LIMIT 1");
    Ok(session.sql(&sql).await?.count().await? > 0)
}
