//! Rows → events, appended to columns. The hot path: no allocation that a row does not need.
mod properties;
mod told;

pub use properties::GIVEN;

use super::{
    Rules,
    columns::{Columns, DERIVED, Text},
    consent::{Consents, Kept},
    field::Field,
    object,
    row::{Fault, Row},
    terms::Terms,
    visitor::VisitorReader,
    words::Words,
};
use properties::Properties;
use safar_enrich::{CachedEnricher, Enriched, Touch, without_click_ids};
use safar_identity::{CRM, EMAIL, IdentitySettings, Normalised, PHONE, USER, normalise};
use safar_model::{Interaction, consent::VISITOR_OF_THE_DAY, key_of};
use safar_store::Erased;
use std::{borrow::Cow, fmt::Write, sync::Arc};
use told::Told;
use xxhash_rust::xxh3::xxh3_128;

/// What was done to identifiers, for the summary.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Identifiers {
    /// Placeholders such as `null` or `guest`, stored as nothing.
    pub blocked: u64,
    /// No e-mail address or telephone number, or too long; stored as nothing.
    pub invalid: u64,
    /// Rows of people who were erased; they are kept nowhere.
    pub erased: u64,
}

/// Namespaces of the identifiers, in the order in which they make a row's key, and their columns.
const NAMESPACES: [(&str, Text); 5] = [
    (safar_identity::ANONYMOUS, Text::AnonymousId),
    (USER, Text::UserId),
    (EMAIL, Text::EmailHash),
    (PHONE, Text::PhoneHash),
    (CRM, Text::CrmId),
];

/// By [`NAMESPACES`]; an empty one is none.
type Ids<'t> = [&'t str; NAMESPACES.len()];

/// What the rules look at, without personal data.
struct Seen<'t> {
    page_url: Cow<'t, str>,
    referrer: Cow<'t, str>,
    utm: [Cow<'t, str>; 5],
}

/// Turns rows into columns of events, for one thread.
pub(crate) struct Sink<'e> {
    pub(crate) columns: Columns,
    pub(crate) identifiers: Identifiers,
    enricher: CachedEnricher<'e>,
    /// What [`Columns::group_of`] an answer's texts is, by its place.
    derived: Vec<(u16, u16)>,
    identity: &'e IdentitySettings,
    erased: Arc<Erased>,
    consents: Consents,
    visitor: VisitorReader<'e>,
    content: Vec<u8>,
    properties: Properties,
    /// The other utm_* tags of the row, as an object.
    custom: String,
    hex: String,
}

fn some(text: &str) -> Option<&str> {
    (!text.is_empty()).then_some(text)
}

/// In the order of [`DERIVED`].
fn derived_texts<'t>(touch: &Touch<'t>, derived: &'t Enriched) -> [&'t str; DERIVED.len()] {
    [
        touch.interaction.as_str(),
        touch.referrer.unwrap_or(""),
        derived.utm_source.as_deref().unwrap_or(""),
        derived.utm_medium.as_deref().unwrap_or(""),
        derived.utm_campaign.as_deref().unwrap_or(""),
        derived.utm_term.as_deref().unwrap_or(""),
        derived.utm_content.as_deref().unwrap_or(""),
        derived.click_id_type.as_deref().unwrap_or(""),
        derived.campaign().unwrap_or(""),
        &derived.channel,
        &derived.medium,
        &derived.source,
    ]
}

impl<'e> Sink<'e> {
    pub(crate) fn new(rules: Rules<'e>, words: Arc<Words>, erased: Arc<Erased>) -> Self {
        let Rules { enricher, identity, .. } = rules;
        Self {
            erased,
            consents: Consents::default(),
            columns: Columns::new(words),
            identifiers: Identifiers::default(),
            enricher: enricher.cached(),
            derived: vec![(0, 0); CachedEnricher::PLACES + 1],
            identity,
            visitor: VisitorReader::new(enricher.visitors()),
            content: Vec::new(),
            properties: Properties::default(),
            custom: String::new(),
            hex: String::new(),
        }
    }

    /// Appends one event; `place` is the row's place in all inputs. On a fault nothing is appended, nor where the event is of
    /// somebody who was erased since.
    pub(crate) fn push(&mut self, row: &Row<'_>, terms: &Terms, place: u64) -> Result<(), Fault> {
        let told = self.read(row, terms)?;
        let ids = self.identify(row);
        let ids: Ids<'_> = ids.each_ref().map(|id| id.as_deref().unwrap_or(""));
        if self.is_erased(&ids, &told) {
            self.identifiers.erased += 1;
            return Ok(());
        }
        self.properties.write(row, &told, terms);
        object::write(&mut self.custom, row.tags.iter().copied());
        let visitor = VisitorReader::FIELDS.map(|field| row.get(field));
        let hash = self.hash(row, &told, &ids, &visitor);
        // What was said by whom makes the event's id; who it was is not kept.
        let ids = match told.cookieless {
            true => ids.map(|id| if id.starts_with(VISITOR_OF_THE_DAY) { id } else { "" }),
            false => ids,
        };
        let seen = self.without_personal_data(row, &told);
        self.visitor.tidy(&mut self.properties.text, &visitor);
        let key = self.key(&ids, &told, hash);

        self.columns.begin(key, told.time, place, hash, told.money.value);
        self.write_told(row, &told, &ids, &seen);
        self.visitor.write(&mut self.columns, &visitor);
        self.write_derived(&told, &seen);
        Ok(())
    }

    fn identifier<'a>(&mut self, namespace: &str, raw: &'a str) -> Option<Cow<'a, str>> {
        if raw.is_empty() {
            return None;
        }
        match normalise(namespace, raw, self.identity) {
            Normalised::Id(id) => Some(id),
            Normalised::Blocked(_) => {
                self.identifiers.blocked += 1;
                None
            }
            Normalised::Invalid(_) => {
                self.identifiers.invalid += 1;
                None
            }
        }
    }

    fn identify<'t>(&mut self, row: &Row<'t>) -> [Option<Cow<'t, str>>; NAMESPACES.len()] {
        let mut id = |namespace: &str, field: Field| self.identifier(namespace, row.get(field));
        [
            id(safar_identity::ANONYMOUS, Field::AnonymousId),
            id(USER, Field::UserId),
            id(EMAIL, Field::Email).or_else(|| id(EMAIL, Field::EmailHash)),
            id(PHONE, Field::Phone).or_else(|| id(PHONE, Field::PhoneHash)),
            id(CRM, Field::CrmId),
        ]
    }

    fn is_erased(&self, ids: &Ids<'_>, told: &Told<'_>) -> bool {
        if self.erased.is_empty() {
            return false;
        }
        let named = || NAMESPACES.iter().zip(ids).filter(|(_, id)| !id.is_empty());
        named().any(|((namespace, _), id)| self.erased.holds(namespace, id, told.time))
            // A refund of the back office may name an order and nobody.
            || named().next().is_none() && self.erased.holds(Erased::ORDER, told.order_id, told.time)
    }

    /// The content of the event as told, whatever the order of columns or the rules of the day.
    fn hash(&mut self, row: &Row<'_>, told: &Told<'_>, ids: &Ids<'_>, visitor: &[&str]) -> u128 {
        let get = |field: Field| row.get(field);
        let content = &mut self.content;
        content.clear();
        content.extend_from_slice(&told.time.to_le_bytes());
        if let Some(value) = told.money.value {
            content.extend_from_slice(&value.to_bits().to_le_bytes());
        }
        let texts = [
            told.name,
            &told.page_url,
            get(Field::PageTitle),
            get(Field::Referrer),
            told.click_id,
            told.click_type,
            told.interaction.as_str(),
            get(Field::OrderId),
            told.money.stated,
            get(Field::Items),
            get(Field::Consent),
            &self.custom,
            &self.properties.text,
            told.event_id.unwrap_or(""),
        ];
        let mut tag = 0;
        for told in [&ids[..], &told.utm, &texts, visitor] {
            for text in told {
                if !text.is_empty() {
                    content.push(tag);
                    content.extend_from_slice(&(text.len() as u32).to_le_bytes());
                    content.extend_from_slice(text.as_bytes());
                }
                tag += 1;
            }
        }
        xxh3_128(content)
    }

    /// Cleans what the row tells, `properties` and other tags included.
    fn without_personal_data<'t>(&mut self, row: &Row<'t>, told: &Told<'t>) -> Seen<'t> {
        let mut referrer = Cow::Borrowed(row.get(Field::Referrer));
        if told.strip {
            referrer = without_click_ids(row.get(Field::Referrer));
            self.properties.withhold_clicks();
        }
        let personal = self.enricher.enricher().visitors().personal();
        if row.tags.iter().any(|(_, value)| matches!(personal.text(value), Cow::Owned(_))) {
            object::write(&mut self.custom, row.tags.iter().map(|(name, value)| (name, personal.text(value))));
        }
        // What stands in a column is clean, and cleaning it again would change nothing.
        let clean = |column: Text, url: Cow<'t, str>| match url {
            url if self.columns.knows(column, &url) => url,
            Cow::Borrowed(url) => personal.url(url),
            Cow::Owned(url) => Cow::Owned(personal.url(&url).into_owned()),
        };
        Seen {
            page_url: clean(Text::PageUrl, told.page_url.clone()),
            referrer: clean(Text::Referrer, referrer),
            utm: told.utm.map(|tag| personal.text(tag)),
        }
    }

    /// The key under which the event is stored: of its first identifier, else of itself.
    fn key(&mut self, ids: &Ids<'_>, told: &Told<'_>, hash: u128) -> i64 {
        let named = NAMESPACES.iter().zip(ids).find(|(_, id)| !id.is_empty());
        match (named, told.event_id) {
            (Some(((namespace, _), id)), _) => key_of(namespace, id),
            (None, Some(id)) => key_of("event", id),
            (None, None) => {
                self.hex.clear();
                let _ = write!(self.hex, "{hash:032x}"); // writing to a String cannot fail
                key_of("event", &self.hex)
            }
        }
    }

    /// Columns that hold what the row tells.
    fn write_told(&mut self, row: &Row<'_>, told: &Told<'_>, ids: &Ids<'_>, seen: &Seen<'_>) {
        let columns = &mut self.columns;
        if let Some(received) = told.received {
            columns.received(received);
        }
        columns.text(Text::EventId, told.event_id.unwrap_or(""));
        columns.text(Text::Name, told.name);
        for ((_, column), id) in NAMESPACES.into_iter().zip(ids) {
            columns.text(column, id);
        }
        columns.text(Text::PageUrl, &seen.page_url);
        columns.text(Text::PageTitle, row.get(Field::PageTitle));
        columns.text(Text::OrderId, told.order_id);
        columns.text(Text::Currency, &told.money.currency);
        let items = row.get(Field::Items);
        columns.text(Text::Items, if object::is_json(items) { items } else { "" });
        match told.consent.kept {
            Kept::Json => columns.text(Text::Consent, row.get(Field::Consent)),
            Kept::All(true) => columns.text(Text::Consent, r#"{"all":true}"#),
            Kept::All(false) => columns.text(Text::Consent, r#"{"all":false}"#),
            Kept::Nothing | Kept::Property => {}
        }
        columns.text(Text::Properties, &self.properties.text);
    }

    /// Columns that follow from it by the rules.
    fn write_derived(&mut self, told: &Told<'_>, seen: &Seen<'_>) {
        let Self { columns, custom, .. } = self;
        let Seen { page_url, referrer, utm } = seen;
        if told.interaction == Interaction::None && page_url.is_empty() && referrer.is_empty() && !told.sourced {
            columns.text(Text::Interaction, told.interaction.as_str());
            columns.text(Text::UtmCustom, custom);
            return;
        }
        let [_, _, medium, source] = told.given;
        let touch = Touch {
            page_url: some(page_url),
            referrer: some(referrer),
            utm_source: some(&utm[0]),
            utm_medium: some(&utm[1]),
            utm_campaign: some(&utm[2]),
            utm_term: some(&utm[3]),
            utm_content: some(&utm[4]),
            click_id: some(told.click_id),
            click_id_type: some(told.click_type),
            source: some(source),
            medium: some(medium),
            interaction: told.interaction,
        };
        let (derived, place, fresh) = self.enricher.enrich_at(&touch);
        if fresh {
            self.derived[place] = columns.group_of(&derived_texts(&touch, derived));
        }
        let (group, untold) = self.derived[place];
        columns.group(group);
        let (named, last) = DERIVED.split_at(DERIVED.len() - told.given.len());
        if untold != 0 {
            let texts = derived_texts(&touch, derived);
            let is_given = |at: usize| at >= named.len() && !told.given[at - named.len()].is_empty();
            for (at, column) in DERIVED.iter().enumerate() {
                if untold & 1 << at != 0 && !is_given(at) {
                    columns.text(*column, texts[at]);
                }
            }
        }
        for (column, given) in last.iter().zip(told.given) {
            columns.text(*column, given);
        }
        if custom.is_empty() {
            object::write(custom, derived.utm_custom.iter().map(|(name, value)| (name, value)));
        }
        columns.text(Text::UtmCustom, custom);
        columns.text(Text::ClickId, derived.click_id.as_deref().unwrap_or(""));
    }
}
