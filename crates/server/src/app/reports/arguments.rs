//! What a report is asked with, checked once before it runs.
use crate::app::problem::{Code, Problem};
use jiff::civil::Date;
use safar_attribution::ModelSpec;
use safar_pipeline::report::{Dimension, PathQuery, Scope, Step};
use std::{collections::BTreeMap, str::FromStr};

/// What steps of viewers may test: columns that many people share. All others, and every property, may hold what only one person
/// has, such as the number of an order, so that a funnel of two steps would tell what that person did.
pub const SHARED: &[&str] = &[
    "name",
    "value",
    "utm_source",
    "utm_medium",
    "utm_campaign",
    "utm_term",
    "utm_content",
    "click_id_type",
    "source",
    "medium",
    "campaign",
    "channel",
    "interaction",
    "currency",
    "country",
    "language",
    "device",
    "browser",
    "os",
];

/// What a browser tells of its visitor. Two of these together are few people's in a small shop, and more are one's.
pub const VISITOR: [&str; 5] = ["country", "language", "device", "browser", "os"];

/// What a value must look like.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Kind {
    /// Any text.
    Text,
    /// A text that must be given.
    Needed,
    /// A condition in SQL: it can tell what single people did, so it needs the role analyst, and it can tell the time, so its
    /// answers are not kept.
    Condition,
    /// A day such as 2026-03-31.
    Day,
    /// A step: `event:NAME`, `page:/path*`, `goal:NAME`, or JSON in the words of `[[goals]]`.
    Step,
    /// Steps; the parameter repeats.
    Steps,
    /// Conditions such as `channel=Paid Search`; the parameter repeats.
    Within,
    /// A model that must be given.
    Model,
    /// Models; the parameter repeats.
    Models,
    /// One of some words; the first is the default.
    Choice(&'static [&'static str]),
    /// Whether or not; not, where left out.
    Flag,
    /// A whole number: default, least, most.
    Whole(u64, u64, u64),
    /// A number between 0 and 1: the default.
    Part(f64),
}

/// A parameter of a report.
#[derive(Clone, Copy, Debug)]
pub struct Parameter {
    /// As it stands in the address.
    pub name: &'static str,
    /// What its values must look like.
    pub kind: Kind,
    /// What it does.
    pub about: &'static str,
}

impl Parameter {
    /// A parameter.
    pub const fn new(name: &'static str, kind: Kind, about: &'static str) -> Self {
        Self { name, kind, about }
    }

    fn check(&self, text: &str) -> Result<(), Problem> {
        let wrong = |wanted: String| bad(format!("`{text}` is no value of `{}`; {wanted}", self.name));
        match self.kind {
            Kind::Text | Kind::Needed | Kind::Condition => Ok(()),
            Kind::Day => text.parse::<Date>().map(drop).map_err(|_| wrong("write a day like 2026-03-31".to_owned())),
            Kind::Within => Dimension::default().within(text).map(drop).map_err(bad),
            Kind::Step | Kind::Steps => text.parse::<Step>().map(drop).map_err(bad),
            Kind::Models if text == "all" => Ok(()),
            Kind::Model | Kind::Models => {
                text.parse::<ModelSpec>().map(drop).map_err(|error| bad(format!("`{}`: {error}", self.name)))
            }
            Kind::Choice(words) if words.contains(&text) => Ok(()),
            Kind::Choice(words) => Err(wrong(format!("use {}", words.join(", ")))),
            Kind::Flag if ["true", "false"].contains(&text) => Ok(()),
            Kind::Flag => Err(wrong("use true or false".to_owned())),
            Kind::Whole(_, least, most) => match text.parse::<u64>() {
                Ok(number) if (least..=most).contains(&number) => Ok(()),
                _ => Err(wrong(format!("use a whole number from {least} to {most}"))),
            },
            Kind::Part(_) => match text.parse::<f64>() {
                Ok(number) if number > 0.0 && number < 1.0 => Ok(()),
                _ => Err(wrong("use a number between 0 and 1".to_owned())),
            },
        }
    }
}

fn bad(text: String) -> Problem {
    Problem::new(Code::BadRequest, text)
}

/// Values that fit the parameters they were given for.
#[derive(Clone, Debug, Default)]
pub struct Arguments {
    values: BTreeMap<&'static str, Vec<String>>,
    kinds: BTreeMap<&'static str, Kind>,
}

impl Arguments {
    /// Checks `given` against `parameters`. An empty value is as good as none.
    ///
    /// # Errors
    /// [`Code::BadRequest`] for a parameter that is not known, given twice, missing, or of another kind.
    pub fn check(parameters: &[&[Parameter]], given: Vec<(String, String)>) -> Result<Self, Problem> {
        let known = || parameters.iter().copied().flatten();
        let mut arguments = Self { kinds: known().map(|one| (one.name, one.kind)).collect(), ..Self::default() };
        for (name, value) in given.into_iter().filter(|(_, value)| !value.is_empty()) {
            let parameter = known().find(|one| one.name == name).ok_or_else(|| {
                let names: Vec<&str> = known().map(|one| one.name).collect();
                bad(format!("there is no parameter `{name}` here; there are {}", names.join(", ")))
            })?;
            parameter.check(&value)?;
            let values = arguments.values.entry(parameter.name).or_default();
            if !values.is_empty() && !matches!(parameter.kind, Kind::Models | Kind::Steps | Kind::Within) {
                return Err(bad(format!("`{name}` is given twice; give it once")));
            }
            values.push(value);
        }
        let missing = known()
            .find(|one| matches!(one.kind, Kind::Needed | Kind::Model) && !arguments.values.contains_key(one.name));
        match missing {
            Some(one) => Err(bad(format!("`{}` is missing: {}", one.name, one.about))),
            None => Ok(arguments),
        }
    }

    /// The values, spelled one way: what a kept answer is found by.
    pub fn key(&self) -> String {
        serde_json::to_string(&self.values).unwrap_or_default()
    }

    /// Whether a condition in SQL was given.
    pub fn has_condition(&self) -> bool {
        self.values.keys().any(|name| self.kinds.get(name) == Some(&Kind::Condition))
    }

    /// What of them tells people apart that viewers may only see together: a property that is reported by, a column or property
    /// that a step tests and that is none of [`SHARED`], or several of what a browser tells of its visitor.
    pub fn singles_out(&self) -> Option<String> {
        let by = self.text("by").and_then(|by| by.parse::<Dimension>().ok());
        if let Some(property) = by.as_ref().and_then(Dimension::property) {
            return Some(format!("property:{property}"));
        }
        let steps =
            self.values.iter().filter(|(name, _)| matches!(self.kinds.get(*name), Some(Kind::Step | Kind::Steps)));
        let steps = steps.flat_map(|(_, texts)| texts).filter_map(|text| text.parse::<Step>().ok());
        let tested: Vec<String> = steps.flat_map(|step| step.tested().map(str::to_owned).collect::<Vec<_>>()).collect();
        if let Some(own) = tested.iter().find(|field| !SHARED.contains(&field.as_str())) {
            return Some(own.clone());
        }
        let within = self.values.get("within").into_iter().flatten();
        let within = within.filter_map(|text| Some(text.split_once('=')?.0));
        let looked: Vec<&str> = within.chain(self.text("by")).chain(tested.iter().map(String::as_str)).collect();
        let told: Vec<&str> = VISITOR.into_iter().filter(|name| looked.contains(name)).collect();
        (told.len() > 1).then(|| told.join(" and "))
    }

    /// A text; `None` where it was left out.
    pub fn text(&self, name: &str) -> Option<&str> {
        self.values.get(name)?.first().map(String::as_str)
    }

    /// The chosen word.
    pub fn choice(&self, name: &str) -> &str {
        match (self.text(name), self.kinds.get(name)) {
            (Some(text), _) => text,
            (None, Some(Kind::Choice([first, ..]))) => first,
            _ => "",
        }
    }

    /// Whether it was asked for.
    pub fn flag(&self, name: &str) -> bool {
        self.text(name) == Some("true")
    }

    /// The number, or its default.
    pub fn whole(&self, name: &str) -> u64 {
        let default = match self.kinds.get(name) {
            Some(Kind::Whole(default, ..)) => *default,
            _ => 0,
        };
        self.text(name).and_then(|text| text.parse().ok()).unwrap_or(default)
    }

    /// The number between 0 and 1, or its default.
    pub fn part(&self, name: &str) -> f64 {
        let default = match self.kinds.get(name) {
            Some(Kind::Part(default)) => *default,
            _ => 0.0,
        };
        self.text(name).and_then(|text| text.parse().ok()).unwrap_or(default)
    }

    /// The day.
    pub fn day(&self, name: &str) -> Option<Date> {
        self.text(name)?.parse().ok()
    }

    /// The models; `otherwise` where none was given, and none (which stands for every one) for `all`.
    pub fn models(&self, name: &str, otherwise: &[ModelSpec]) -> Vec<ModelSpec> {
        match self.values.get(name) {
            None => otherwise.to_vec(),
            Some(texts) if texts.iter().any(|text| text == "all") => vec![],
            Some(texts) => texts.iter().filter_map(|text| text.parse().ok()).collect(),
        }
    }

    /// The step; `None` where it was left out.
    pub fn step(&self, name: &str) -> Option<Step> {
        self.text(name)?.parse().ok()
    }

    /// The steps.
    pub fn steps(&self, name: &str) -> Vec<Step> {
        self.values.get(name).into_iter().flatten().filter_map(|text| text.parse().ok()).collect()
    }

    /// A word of a choice, as the report reads it.
    ///
    /// # Errors
    /// [`Code::BadRequest`] for another word.
    pub fn word<T: FromStr<Err = String>>(&self, name: &str) -> Result<T, Problem> {
        self.choice(name).parse().map_err(bad)
    }

    /// Whom and which days.
    pub fn scope(&self) -> Scope {
        Scope {
            goal: self.text("goal").map(str::to_owned),
            from: self.day("from"),
            to: self.day("to"),
            people: self.text("where").map(str::to_owned),
            only: None,
        }
    }

    /// What gets the credit.
    ///
    /// # Errors
    /// [`Code::BadRequest`] for what cannot.
    pub fn dimension(&self) -> Result<Dimension, Problem> {
        let by = self.text("by").unwrap_or("channel").parse::<Dimension>().map_err(bad)?;
        let within = self.values.get("within").into_iter().flatten();
        within.fold(Ok(by), |by, condition| by?.within(condition).map_err(bad))
    }

    /// Which outcomes.
    pub fn selection(&self) -> PathQuery {
        PathQuery {
            goal: self.text("goal").map(str::to_owned),
            from: self.day("from"),
            to: self.day("to"),
            condition: self.text("where").map(str::to_owned),
        }
    }
}
