//! Who is meant: a person by their number, or whoever has an identifier.
use super::traces::Traces;
use crate::{
    Error, Result, Workspace,
    build::people::Owners,
    report::{self, strings},
};
use arrow::{
    array::{Array, AsArray},
    datatypes::{Int64Type, TimestampMicrosecondType},
};
use safar_engine::{Session, quoted};
use safar_identity::{Normalised, normalise};
use safar_model::Micros;
use std::collections::BTreeSet;

/// Who is meant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
    /// The person with this id.
    Person(i64),
    /// Whoever has an identifier.
    Identifier {
        /// `email`, `phone`, `user`, `crm`, `anonymous`, or one of `[identity.namespaces]`.
        namespace: String,
        /// As people write it.
        value: String,
    },
}

impl Target {
    /// Reads `NAMESPACE=VALUE`.
    ///
    /// # Errors
    /// When there is no equals sign, or nothing on one side of it.
    pub fn identifier(text: &str) -> Result<Self> {
        match text.split_once('=') {
            Some((namespace, value)) if !namespace.trim().is_empty() && !value.trim().is_empty() => {
                Ok(Self::Identifier { namespace: namespace.trim().to_owned(), value: value.to_owned() })
            }
            _ => Err(Error::Request(format!("`{text}` is no identifier; write NAMESPACE=VALUE, such as user=ada"))),
        }
    }
}

/// An identifier of a person, and when it is theirs.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Own {
    /// Of which kind.
    pub namespace: String,
    /// As it is stored.
    pub identifier: String,
    /// From when; always before `to` where absent.
    pub from: Option<Micros>,
    /// Until when, exclusive; always after `from` where absent.
    pub to: Option<Micros>,
}

/// Who was found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Found {
    /// Their ids; none where nothing in the tables has the identifiers.
    pub people: BTreeSet<i64>,
    /// All their identifiers, those that were asked for among them.
    pub identifiers: BTreeSet<Own>,
    /// Raw values that were asked for, such as an address: what is kept elsewhere may spell it so.
    pub asked: BTreeSet<String>,
    /// Their orders that reached a goal.
    pub orders: BTreeSet<String>,
}

/// Finds who is meant in the newest snapshot, as the last build knew them; and what is theirs.
///
/// # Errors
/// When there is no such person, when a value cannot be an identifier, when a device belonged to several people, or when the
/// tables cannot be read.
pub async fn find(workspace: &Workspace, targets: &[Target]) -> Result<(Found, Traces)> {
    let session = report::session(workspace).await?;
    let mut found = Found::default();
    for target in targets {
        match target {
            Target::Person(id) => {
                if !exists(&session, *id).await? {
                    return Err(Error::Request(format!(
                        "there is no person {id}\n  hint: `safar people --search TEXT` finds people by their identifiers"
                    )));
                }
                found.people.insert(*id);
            }
            Target::Identifier { namespace, value } => {
                by_identifier(workspace, &session, namespace, value, &mut found).await?;
            }
        }
    }
    for person in &found.people {
        let sql = format!(
            "SELECT namespace, identifier, valid_from, valid_to FROM persons WHERE person_id = {person} ORDER BY 1, 2, 3"
        );
        for batch in session.sql(&sql).await?.collect().await? {
            let (namespaces, identifiers) = (strings(&batch, 0)?, strings(&batch, 1)?);
            let [from, to] = [2, 3].map(|index| batch.column(index).as_primitive::<TimestampMicrosecondType>());
            found.identifiers.extend((0..batch.num_rows()).map(|row| Own {
                namespace: namespaces[row].clone().unwrap_or_default(),
                identifier: identifiers[row].clone().unwrap_or_default(),
                from: from.is_valid(row).then(|| from.value(row)),
                to: to.is_valid(row).then(|| to.value(row)),
            }));
        }
    }
    for person in &found.people {
        let sql = format!("SELECT order_id FROM conversions WHERE person_id = {person} AND order_id IS NOT NULL");
        for batch in session.sql(&sql).await?.collect().await? {
            found.orders.extend(strings(&batch, 0)?.into_iter().flatten());
        }
    }
    let known = Owners::of(&session, workspace).await?;
    let traces = Traces::new(&found, known, workspace.settings().identity.clone());
    Ok((found, traces))
}

async fn exists(session: &Session, id: i64) -> Result<bool> {
    for table in ["persons WHERE person_id", "events WHERE key"] {
        let rows = session.sql(&format!("SELECT 1 FROM {table} = {id} LIMIT 1")).await?.collect().await?;
        if rows.iter().any(|batch| batch.num_rows() > 0) {
            return Ok(true);
        }
    }
    Ok(false)
}

async fn by_identifier(
    workspace: &Workspace,
    session: &Session,
    namespace: &str,
    value: &str,
    found: &mut Found,
) -> Result<()> {
    let refuse =
        |why: &str| Error::Request(format!("`{value}` cannot be an identifier of namespace {namespace}: {why}"));
    let identifier = match normalise(namespace, value, &workspace.settings().identity) {
        Normalised::Id(id) => id.into_owned(),
        Normalised::Blocked(why) => return Err(refuse(&why.to_string())),
        Normalised::Invalid(why) => return Err(refuse(&why.to_string())),
    };
    let sql = format!(
        "SELECT DISTINCT person_id FROM persons WHERE namespace = {} AND identifier = {} ORDER BY 1",
        quoted(namespace),
        quoted(&identifier)
    );
    let mut people = BTreeSet::new();
    for batch in session.sql(&sql).await?.collect().await? {
        people.extend(batch.column(0).as_primitive::<Int64Type>().values());
    }
    if people.len() > 1 {
        let list: Vec<String> = people.iter().map(i64::to_string).collect();
        return Err(Error::Request(format!(
            "{namespace} `{value}` belonged to {} people, one after the other: {}\n  hint: name one of them by their number; `safar person NUMBER` shows who it is",
            list.len(),
            list.join(", ")
        )));
    }
    found.asked.insert(value.trim().to_owned());
    if people.is_empty() {
        found.identifiers.insert(Own { namespace: namespace.to_owned(), identifier, from: None, to: None });
    }
    found.people.extend(people);
    Ok(())
}
