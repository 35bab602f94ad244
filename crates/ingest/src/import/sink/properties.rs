//! The column `properties`: what a row says that has no column of its own.
use super::told::Told;
use crate::import::{
    consent::Kept,
    field::Field,
    object::{is_json, member, quote},
    row::{Member, Row},
    terms::Terms,
};
use foldhash::fast::RandomState;
use safar_enrich::withhold_click_ids;
use serde_json::Value;
use std::collections::HashMap;

/// Keys of `properties` under which explicitly given values stay, since the columns of these names are rewritten when
/// rules change. In the order in which they are written.
pub const GIVEN: [&str; 4] = ["$given_campaign", "$given_channel", "$given_medium", "$given_source"];

/// How many objects are remembered, and how long ones.
const OBJECTS: usize = 4096;
const OBJECT_MAX: usize = 512;

/// Writes `properties`, for one thread.
#[derive(Default)]
pub(super) struct Properties {
    /// Of the row that was written last; empty: none.
    pub text: String,
    /// Objects that came before, as they are written.
    objects: HashMap<String, String, RandomState>,
}

impl Properties {
    /// Members in the order of their names, so that equal rows make equal text.
    pub(super) fn write(&mut self, row: &Row<'_>, told: &Told<'_>, terms: &Terms) {
        let out = &mut self.text;
        out.clear();
        let get = |field: Field, is_kept: bool| Some(row.get(field)).filter(|text| is_kept && !text.is_empty());
        let keeps_contacts = terms.keep_contact_details && !told.cookieless;
        let named = [
            ("conversion", get(Field::Conversion, told.conversion.is_some() && terms.has_name)),
            ("consent", get(Field::Consent, told.consent.kept == Kept::Property)),
            ("email", get(Field::Email, keeps_contacts)),
            ("items", get(Field::Items, true).filter(|text| !is_json(text))),
            ("phone", get(Field::Phone, keeps_contacts)),
        ];
        let own = row.get(Field::Properties);
        if row.extra.is_empty()
            && own.is_empty()
            && told.given.iter().all(|text| text.is_empty())
            && named.iter().all(|(_, text)| text.is_none())
        {
            return;
        }
        out.push('{');
        let given = GIVEN.into_iter().zip(told.given).filter(|(_, value)| !value.is_empty());
        for (name, value) in given.chain(named.into_iter().filter_map(|(name, value)| Some((name, value?)))) {
            member(out, name);
            quote(out, value);
        }
        // The usual row has nothing else, and its like has come before.
        let alone = out.len() == 1 && row.extra.is_empty() && own.len() <= OBJECT_MAX;
        if let Some(known) = self.objects.get(own).filter(|_| alone) {
            out.clear();
            out.push_str(known);
            return;
        }
        let parsed = own.starts_with('{').then(|| serde_json::from_str::<Value>(own).ok()).flatten();
        let object = parsed.as_ref().and_then(Value::as_object);
        if let Some(object) = object {
            let mut members: Vec<_> = object.iter().collect();
            members.sort_unstable_by_key(|(name, _)| *name);
            for (name, value) in members {
                member(out, name);
                out.push_str(&value.to_string());
            }
        } else if !own.is_empty() {
            member(out, "properties");
            if is_json(own) { out.push_str(own) } else { quote(out, own) }
        }
        for (name, value) in &row.extra {
            if object.is_some_and(|object| object.contains_key(*name)) {
                member(out, &format!("column.{name}"));
            } else {
                member(out, name);
            }
            match value {
                Member::Text(text) => quote(out, text),
                Member::Json(json) => out.push_str(json),
            }
        }
        out.push('}');
        if out.len() == 2 {
            out.clear();
        }
        if alone && object.is_some() {
            if self.objects.len() == OBJECTS {
                self.objects.clear();
            }
            self.objects.insert(own.to_owned(), out.clone());
        }
    }

    /// Takes the ids of clicks out.
    pub(super) fn withhold_clicks(&mut self) {
        if let Ok(mut told) = serde_json::from_str(&self.text)
            && withhold_click_ids(&mut told)
        {
            self.text = told.to_string();
        }
    }
}
