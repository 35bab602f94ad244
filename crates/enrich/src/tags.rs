//! UTM tags and click ids in the query of a landing page.
use crate::{
    click_id::{self, CLICK_IDS},
    url::{decode, pairs},
};
use std::borrow::Cow;

/// What a query carries; of repeated parameters the first that says something.
#[derive(Debug, Default)]
pub(crate) struct Tags<'a> {
    /// The five of [`UTM`], in that order.
    pub utm: [Option<Cow<'a, str>>; 5],
    /// Other `utm_*` parameters, sorted by name (in lower case).
    pub custom: Vec<(String, String)>,
    /// Place in [`CLICK_IDS`], and the value.
    pub click: Option<(usize, Cow<'a, str>)>,
}

/// The five tags, without `utm_`.
pub(crate) const UTM: [&str; 5] = ["source", "medium", "campaign", "term", "content"];

impl<'a> Tags<'a> {
    pub(crate) fn read(query: &'a str) -> Self {
        let mut tags = Self::default();
        for (name, value) in pairs(query) {
            let name = if name.contains('%') { decode(name) } else { Cow::Borrowed(name) };
            if let Some(tag) = utm_name(&name) {
                tags.utm(tag, value);
            } else if let Some(at) = click_id::find(&name)
                && tags.click.as_ref().is_none_or(|(found, _)| at < *found)
                && let Some(value) = filled(decode(value))
            {
                tags.click = Some((at, value));
            }
        }
        // Stable, so that the first of equal names stays first.
        tags.custom.sort_by(|a, b| a.0.cmp(&b.0));
        tags.custom.dedup_by(|later, first| later.0 == first.0);
        debug_assert!(tags.click.as_ref().is_none_or(|(at, _)| *at < CLICK_IDS.len()));
        tags
    }

    fn utm(&mut self, tag: &str, value: &'a str) {
        match UTM.iter().position(|known| known.eq_ignore_ascii_case(tag)) {
            Some(at) if self.utm[at].is_none() => self.utm[at] = filled(decode(value)),
            Some(_) => {}
            None => {
                if let Some(value) = filled(decode(value)) {
                    self.custom.push((format!("utm_{}", tag.to_ascii_lowercase()), value.into_owned()));
                }
            }
        }
    }
}

/// What follows `utm_` in a parameter's name.
fn utm_name(name: &str) -> Option<&str> {
    let (front, tag) = name.split_at_checked(4)?;
    (front.eq_ignore_ascii_case("utm_") && !tag.is_empty()).then_some(tag)
}

/// Blank values say nothing.
fn filled(value: Cow<'_, str>) -> Option<Cow<'_, str>> {
    (!value.trim().is_empty()).then_some(value)
}
