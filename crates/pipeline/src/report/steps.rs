//! Steps as people write them: of a funnel, or the start or end of an exploration.
use crate::{Error, Result, Workspace};
use safar_journey::{FieldTest, Goal};
use safar_model::Interaction;
use serde::Deserialize;
use std::str::FromStr;

/// A condition that events meet, and its name.
///
/// Written `event:NAME`, `page:/path*` (`*` stands for any text), `goal:NAME`, or as JSON in the words of `[[goals]]`:
/// `{"name": "big cart", "pages": ["/cart"], "where": [{"field": "value", "above": 100}]}`.
#[derive(Clone, Debug)]
pub struct Step {
    /// What reports call it.
    pub name: String,
    what: What,
}

#[derive(Clone, Debug)]
enum What {
    Condition(Box<Goal>),
    /// What the goal of this name asks for.
    Goal(String),
}

/// The condition as JSON.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    name: Option<String>,
    #[serde(default)]
    events: Vec<String>,
    #[serde(default)]
    pages: Vec<String>,
    #[serde(default)]
    interactions: Vec<Interaction>,
    #[serde(default, rename = "where")]
    tests: Vec<FieldTest>,
}

impl FromStr for Step {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        const FORMS: &str = "write event:NAME, page:/path*, goal:NAME or JSON such as {\"events\":[\"purchase\"]}";
        let nothing = Written { name: None, events: vec![], pages: vec![], interactions: vec![], tests: vec![] };
        let written = if text.trim_start().starts_with('{') {
            serde_json::from_str(text).map_err(|e| format!("`{text}` is no step: {e}; {FORMS}"))?
        } else {
            match text.split_once(':') {
                Some(("event", name)) if !name.is_empty() => Written { events: vec![name.to_owned()], ..nothing },
                Some(("page", page)) if !page.is_empty() => Written { pages: vec![page.to_owned()], ..nothing },
                Some(("goal", goal)) if !goal.is_empty() => {
                    return Ok(Self { name: goal.to_owned(), what: What::Goal(goal.to_owned()) });
                }
                _ => return Err(format!("`{text}` is no step; {FORMS}")),
            }
        };
        let name = written.name.or_else(|| {
            let first = written.pages.first().or(written.events.first())?;
            Some(first.clone())
        });
        let Written { events, pages, interactions, tests, .. } = written;
        let name = name.unwrap_or_else(|| text.to_owned());
        let goal = Goal { name: name.clone(), events, pages, interactions, tests, ..Goal::default() };
        Ok(Self { name, what: What::Condition(Box::new(goal)) })
    }
}

impl Step {
    /// The columns and properties whose values it tests itself; a goal's are the workspace's own.
    pub fn tested(&self) -> impl Iterator<Item = &str> {
        let tests = match &self.what {
            What::Condition(goal) => goal.tests.as_slice(),
            What::Goal(_) => &[],
        };
        tests.iter().map(|test| test.field.as_str())
    }

    /// What events must meet.
    pub(super) fn condition(&self, workspace: &Workspace) -> Result<Goal> {
        let goals = workspace.settings().journey_rules().goals;
        match &self.what {
            What::Condition(goal) => Ok(goal.as_ref().clone()),
            What::Goal(name) => goals.iter().find(|goal| goal.name == *name).cloned().ok_or_else(|| {
                let known = goals.iter().map(|goal| goal.name.clone()).collect();
                Error::NoGoal { goal: name.clone(), known }
            }),
        }
    }
}

/// What the steps of a person are called.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Nodes {
    /// Pages by their path, everything else by the event's name.
    #[default]
    Steps,
    /// Every event by its name.
    Events,
    /// Pages by their path, and nothing else.
    Pages,
}

impl FromStr for Nodes {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "steps" => Ok(Self::Steps),
            "events" => Ok(Self::Events),
            "pages" => Ok(Self::Pages),
            _ => Err(format!("`{text}` is nothing to explore; use steps, events or pages")),
        }
    }
}

impl Nodes {
    pub(super) fn label<'a>(self, name: &'a str, page_url: Option<&'a str>) -> Option<&'a str> {
        match self {
            Self::Steps => Some(safar_journey::step_label(name, page_url)),
            Self::Events => Some(name),
            Self::Pages => safar_journey::page_label(name, page_url),
        }
    }
}
