//! `safar doctor`: whether the collector of a workspace works as meant, and what to do where it does not.
mod checks;
mod disk;
mod tables;

use super::{Status, folder_of, status};
use safar_collect::log::Waiting;
use safar_pipeline::Workspace;
use std::path::Path;

/// How something stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum State {
    /// As it should be.
    Good,
    /// It works, and deserves a look.
    Look,
    /// Events are lost, turned away or late.
    Bad,
}

/// One thing that was looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Check {
    /// What.
    pub name: &'static str,
    /// How it stands.
    pub state: State,
    /// What was found.
    pub found: String,
    /// What to do; empty where nothing is to be done.
    pub to_do: String,
}

impl Check {
    fn good(name: &'static str, found: impl Into<String>) -> Self {
        Self { name, state: State::Good, found: found.into(), to_do: String::new() }
    }

    fn look(name: &'static str, found: impl Into<String>, to_do: impl Into<String>) -> Self {
        Self { name, state: State::Look, found: found.into(), to_do: to_do.into() }
    }

    fn bad(name: &'static str, found: impl Into<String>, to_do: impl Into<String>) -> Self {
        Self { name, state: State::Bad, found: found.into(), to_do: to_do.into() }
    }
}

/// Looks at everything. What cannot be looked at is a finding too.
pub async fn doctor(root: &Path) -> Vec<Check> {
    let workspace = match Workspace::open(root).await {
        Ok(workspace) => workspace,
        Err(error) => return vec![Check::bad("workspace", error.to_string(), "put it right and look again")],
    };
    let (folder, settings, now) = (folder_of(root), &workspace.settings().collect, status::now());
    let running = checks::is_running(&folder);
    let told = Status::read(&folder).ok().flatten();
    let mut found = vec![checks::running(running, told.as_ref(), settings).await];
    // What an ended collector said of itself is history.
    let told = told.filter(|_| running);
    found.extend(told.as_ref().map(|told| checks::current(told, settings)));
    found.extend(checks::keys(settings));
    found.extend(checks::origins(settings));
    match Waiting::in_folder(&folder) {
        Ok(waiting) => {
            found.push(checks::clock(&waiting, now));
            found.push(checks::lag(&waiting, settings, told.as_ref(), now));
        }
        Err(error) => {
            let found_here = format!("the log in {} cannot be read: {error}", folder.display());
            found.push(Check::bad("lag", found_here, "put that right and look again"));
        }
    }
    found.extend(disk::space(root, &workspace.settings().collect));
    found.extend(disk::dropped(&workspace, running));
    found.push(tables::clients_clocks(&workspace).await);
    found.extend(told.as_ref().map(|told| checks::journeys(told, settings, now)));
    found.push(tables::rejects(&workspace).await);
    found.extend(tables::rejected_rows(&workspace).await);
    found.extend(told.as_ref().map(|told| checks::refused(told)));
    found.extend(told.as_ref().and_then(checks::not_kept));
    found.extend(told.as_ref().map(|told| checks::strangers(told, settings, now)));
    found.extend(told.as_ref().and_then(checks::paths));
    found.extend(told.as_ref().and_then(|told| checks::proxies(told, settings)));
    found.extend(told.iter().flat_map(|told| checks::silent(told, now)));
    found
}
