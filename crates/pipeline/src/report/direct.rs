//! Which channels count as direct.
use crate::{Result, Workspace};
use safar_attribution::ModelSpec;

/// Which channels are direct, for each model that passes them over.
#[derive(Default)]
pub(crate) struct Direct {
    /// As the models name them, and in lower case with the workspace's own name beside `Direct`.
    pub(super) lists: Vec<(Vec<String>, Vec<String>)>,
}

impl Direct {
    pub fn of(workspace: &Workspace, models: &[ModelSpec]) -> Result<Self> {
        let mut lists: Vec<(Vec<String>, Vec<String>)> = vec![];
        for model in models {
            if let ModelSpec::LastNonDirect { direct } = model
                && lists.iter().all(|(known, _)| known != direct)
            {
                lists.push((direct.clone(), names_of_direct(workspace, direct)?));
            }
        }
        Ok(Self { lists })
    }

    /// The place of the touch that gets everything by a list: the last one that is not direct, or else the last.
    pub(super) fn winner<'a>(
        &self,
        list: usize,
        channels: impl ExactSizeIterator<Item = &'a str> + DoubleEndedIterator,
    ) -> usize {
        let (last, direct) = (channels.len().saturating_sub(1), &self.lists[list].1);
        let mut channels = channels;
        channels.rposition(|channel| !is_one_of(channel, direct)).unwrap_or(last)
    }

    /// The place of the touch that gets everything by `model`; `None` where that is not what it does.
    pub fn place(&self, model: &ModelSpec, channels: &[&str]) -> Option<usize> {
        Some(self.winner(self.list(model)?, channels.iter().copied()))
    }

    fn list(&self, model: &ModelSpec) -> Option<usize> {
        match model {
            ModelSpec::LastNonDirect { direct } => self.lists.iter().position(|(known, _)| known == direct),
            _ => None,
        }
    }
}

/// Whether a name is one of those in lower case.
fn is_one_of(name: &str, lower: &[String]) -> bool {
    lower.iter().any(|one| one.eq_ignore_ascii_case(name) || (!name.is_ascii() && *one == name.to_lowercase()))
}

/// Names of direct channels in lower case. `Direct` means the channel of visits of which nothing is known, and own rules can
/// call that otherwise.
fn names_of_direct(workspace: &Workspace, direct: &[String]) -> Result<Vec<String>> {
    let mut names: Vec<String> = direct.iter().map(|name| name.to_lowercase()).collect();
    if names.iter().any(|name| name == "direct") {
        names.push(workspace.direct_channel()?.to_lowercase());
    }
    Ok(names)
}

/// The model as the workspace's own channel rules have it, for paths by channel.
pub(crate) fn by_own_rules(workspace: &Workspace, model: &ModelSpec) -> Result<ModelSpec> {
    Ok(match model {
        ModelSpec::LastNonDirect { direct } => ModelSpec::LastNonDirect { direct: names_of_direct(workspace, direct)? },
        other => other.clone(),
    })
}
