//! One row of any source → one event, appended to columns. The hot path: no allocation that a row does not need.
use super::{
    columns::{Columns, DERIVED, Text},
    consent::{Consent, Consents, Kept},
    currency,
    field::{FIELDS, Field},
    number::Amounts,
    reason,
    settings::ImportSettings,
    time::TimeReader,
    visitor::VisitorReader,
    words::Words,
};
use foldhash::fast::RandomState;
use safar_enrich::{CachedEnricher, Enriched, Enricher, Touch, withhold_click_ids, without_click_ids};
use safar_identity::{CRM, EMAIL, IdentitySettings, Normalised, PHONE, USER, normalise};
use safar_model::{
    Interaction, Micros,
    consent::{ConsentRules, VISITOR_OF_THE_DAY, WITHHELD, WithoutAdvertising, WithoutAnalytics},
    key_of,
};
use safar_store::Erased;
use std::{borrow::Cow, collections::HashMap, sync::Arc};
use xxhash_rust::xxh3::xxh3_128;

/// Keys of `properties` under which explicitly given values stay, since the columns of these names are rewritten when
/// rules change. In the order in which they are written.
pub const GIVEN: [&str; 4] = ["$given_campaign", "$given_channel", "$given_medium", "$given_source"];

/// Earlier times are placeholders: 1900-01-01.
const EARLIEST: Micros = -2_208_988_800_000_000;

/// How many objects of `properties` are remembered, and how long ones.
const OBJECTS: usize = 4096;
const OBJECT_MAX: usize = 512;

/// One row, borrowed from its source. An empty text is an absent one.
pub(crate) struct Row<'a> {
    text: [&'a str; FIELDS],
    /// A click parameter that is a column of its own.
    pub click: Option<(&'static str, &'a str)>,
    /// Other utm_* tags, by whole name, sorted.
    pub tags: Vec<(&'a str, &'a str)>,
    /// Everything else, sorted by name.
    pub extra: Vec<(&'a str, Member<'a>)>,
}

/// A member of `properties`.
pub(crate) enum Member<'a> {
    Text(&'a str),
    Json(Cow<'a, str>),
}

impl<'a> Row<'a> {
    pub(crate) fn new() -> Self {
        Self { text: [""; FIELDS], click: None, tags: Vec::new(), extra: Vec::new() }
    }

    /// Takes a text without the blanks around it.
    #[inline]
    pub(crate) fn set(&mut self, field: Field, text: &'a str) {
        self.text[field as usize] = trimmed(text);
    }

    #[inline]
    pub(crate) fn get(&self, field: Field) -> &'a str {
        self.text[field as usize]
    }
}

/// Why a row is no event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Fault {
    /// Whose value is wrong.
    pub field: Option<Field>,
    /// One of few texts, so that rejects can be counted by it.
    pub reason: &'static str,
}

impl Fault {
    const fn of(field: Field, reason: &'static str) -> Self {
        Self { field: Some(field), reason }
    }
}

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

/// What holds for all rows of an input.
#[derive(Clone)]
pub(crate) struct Terms {
    pub times: TimeReader,
    pub amounts: Amounts,
    pub default_currency: Option<String>,
    pub latest: Micros,
    pub keep_contact_details: bool,
    pub consent: ConsentRules,
    pub has_name: bool,
}

impl Terms {
    pub(crate) fn new(
        settings: &ImportSettings,
        times: TimeReader,
        amounts: Amounts,
        now: Micros,
        has_name: bool,
    ) -> Self {
        Self {
            times,
            amounts,
            default_currency: settings.default_currency.clone(),
            latest: now.saturating_add(i64::from(settings.max_future_hours) * 3_600_000_000),
            keep_contact_details: settings.keep_contact_details,
            consent: settings.consent.clone(),
            has_name,
        }
    }

    #[inline]
    fn instant(&self, field: Field, text: &str) -> Result<Micros, Fault> {
        let time = self.times.read(text).ok_or_else(|| {
            let number = text.parse::<f64>().is_ok_and(f64::is_finite);
            Fault::of(field, if number { reason::NUMBER_IS_NO_TIME } else { reason::NO_SUCH_TIME })
        })?;
        if time < EARLIEST {
            return Err(Fault::of(field, reason::BEFORE_1900));
        }
        if time > self.latest {
            return Err(Fault::of(field, reason::IN_THE_FUTURE));
        }
        Ok(time)
    }

    /// A day and a time of day from two columns.
    fn joined(&self, day: &str, clock: &str) -> Result<Micros, Fault> {
        let both = format!("{day} {clock}");
        if self.times.read(&both).is_none() && self.times.read(day).is_some() {
            return Err(Fault::of(Field::TimeOfDay, reason::NO_TIME_OF_DAY));
        }
        self.instant(Field::OccurredAt, &both)
    }
}

/// Namespaces of the identifiers, in the order in which they make a row's key.
const NAMESPACES: [&str; 5] = [safar_identity::ANONYMOUS, USER, EMAIL, PHONE, CRM];

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
    properties: String,
    /// Objects of `properties` that came before, as they are written.
    objects: HashMap<String, String, RandomState>,
    custom: String,
    hex: String,
}

#[inline]
fn trimmed(text: &str) -> &str {
    match text.as_bytes() {
        [] => text,
        [first, .., last] if first.is_ascii_graphic() && last.is_ascii_graphic() => text,
        _ => text.trim(),
    }
}

fn some(text: &str) -> Option<&str> {
    (!text.is_empty()).then_some(text)
}

/// Names that say what kind of contact an event was, whoever writes them. Case, blanks, `_` and `-` do not matter.
const TELLING: [(&str, Interaction); 27] = [
    ("visit", Interaction::Visit),
    ("page", Interaction::Visit),
    ("pageview", Interaction::Visit),
    ("screen", Interaction::Visit),
    ("adclick", Interaction::Click),
    ("impression", Interaction::Impression),
    ("adimpression", Interaction::Impression),
    ("adview", Interaction::Impression),
    ("email", Interaction::Email),
    ("emailopen", Interaction::Email),
    ("emailopened", Interaction::Email),
    ("emailclick", Interaction::Email),
    ("emailclicked", Interaction::Email),
    ("sms", Interaction::Sms),
    ("smsreceived", Interaction::Sms),
    ("textmessage", Interaction::Sms),
    ("pushopen", Interaction::Push),
    ("pushopened", Interaction::Push),
    ("pushreceived", Interaction::Push),
    ("pushnotification", Interaction::Push),
    ("call", Interaction::Call),
    ("phonecall", Interaction::Call),
    ("chat", Interaction::Chat),
    ("storevisit", Interaction::Store),
    ("instore", Interaction::Store),
    ("meeting", Interaction::Meeting),
    ("billboard", Interaction::Print),
];

/// Names that say it where the row says which source it came from: an app's own `click` or `view` comes from none.
const TELLING_OF_A_SOURCE: [(&str, Interaction); 2] =
    [("click", Interaction::Click), ("view", Interaction::Impression)];

/// The kind of contact that an event's name tells by itself. `open`, `text`, `post`, `print` and the like are anything in an
/// app, so they need the column `interaction`.
fn told_by(name: &str, sourced: bool) -> Interaction {
    let letters =
        || name.bytes().filter(|byte| !matches!(byte, b' ' | b'_' | b'-')).map(|byte| byte.to_ascii_lowercase());
    let tells = |(word, _): &&(&str, Interaction)| letters().eq(word.bytes());
    let of_a_source = TELLING_OF_A_SOURCE.iter().filter(|_| sourced);
    TELLING.iter().chain(of_a_source).find(tells).map_or(Interaction::None, |(_, kind)| *kind)
}

/// Yes or no, as programs write it.
pub(crate) fn flag(text: &str) -> Option<bool> {
    match text {
        "1" | "1.0" | "true" | "TRUE" | "True" | "yes" | "t" | "y" => Some(true),
        "0" | "0.0" | "false" | "FALSE" | "False" | "no" | "f" | "n" => Some(false),
        _ => text.parse::<f64>().ok().filter(|number| number.is_finite() && *number >= 0.0).map(|number| number > 0.0),
    }
}

impl<'e> Sink<'e> {
    pub(crate) fn new(
        enricher: &'e Enricher,
        identity: &'e IdentitySettings,
        words: Arc<Words>,
        erased: Arc<Erased>,
    ) -> Self {
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
            properties: String::new(),
            objects: HashMap::default(),
            custom: String::new(),
            hex: String::new(),
        }
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

    /// An order's number; nothing where a program wrote that it knows none, or all such orders would be one.
    fn order<'a>(&mut self, raw: &'a str) -> &'a str {
        if !raw.is_empty() && matches!(normalise("order", raw, self.identity), Normalised::Blocked(_)) {
            self.identifiers.blocked += 1;
            return "";
        }
        raw
    }

    /// Appends one event; `place` is the row's place in all inputs. On a fault nothing is appended, nor where the event is of
    /// somebody who was erased since.
    pub(crate) fn push(&mut self, row: &Row<'_>, terms: &Terms, place: u64) -> Result<(), Fault> {
        let get = |field: Field| row.get(field);
        let time_text = get(Field::OccurredAt);
        if time_text.is_empty() {
            return Err(Fault::of(Field::OccurredAt, reason::NO_TIME));
        }
        let time = match get(Field::TimeOfDay) {
            "" => terms.instant(Field::OccurredAt, time_text)?,
            clock => terms.joined(time_text, clock)?,
        };
        let received = match get(Field::ReceivedAt) {
            "" => None,
            text => Some(terms.instant(Field::ReceivedAt, text)?),
        };
        let told_currency = get(Field::Currency);
        let (value, mark) = match get(Field::Value) {
            "" => (None, ""),
            text => {
                let amount = terms.amounts.read(text).map_err(|error| Fault::of(Field::Value, error.reason()))?;
                (Some(amount.value), amount.mark)
            }
        };
        let default_currency = value.and(terms.default_currency.as_deref()).unwrap_or("");
        let currency =
            currency::of(mark, told_currency, default_currency).map_err(|reason| Fault::of(Field::Value, reason))?;
        let mut conversion = match get(Field::Conversion) {
            "" => None,
            text => Some(flag(text).ok_or(Fault::of(Field::Conversion, reason::NEITHER_0_NOR_1))?),
        };
        let consent_text = get(Field::Consent);
        let Consent { refused, kept } = self.consents.read(consent_text, &terms.consent);
        if refused.analytics && terms.consent.without_analytics == WithoutAnalytics::Drop {
            return Err(Fault::of(Field::Consent, reason::REFUSED));
        }
        let cookieless = refused.analytics && terms.consent.without_analytics == WithoutAnalytics::Cookieless;
        let strip = refused.advertising && terms.consent.without_advertising == WithoutAdvertising::Strip;
        let (page_url, referrer) = (get(Field::PageUrl), get(Field::Referrer));
        let told_order = get(Field::OrderId);
        let order_id = self.order(told_order);
        let given = [Field::Campaign, Field::Channel, Field::Medium, Field::Source].map(get);
        let [_, channel, medium, source] = given;
        let utm = [Field::UtmSource, Field::UtmMedium, Field::UtmCampaign, Field::UtmTerm, Field::UtmContent].map(get);
        let (click_id, click_type) = match (get(Field::ClickId), row.click) {
            ("", Some((parameter, value))) => (trimmed(value), parameter),
            (id, _) => (id, get(Field::ClickIdType)),
        };
        let stripped = if strip { without_click_ids(page_url) } else { Cow::Borrowed(page_url) };
        let page_url = &*stripped;
        let click_id = if strip && !click_id.is_empty() { WITHHELD } else { click_id };
        let stated = match get(Field::Interaction) {
            "" => None,
            // Some lists of touches mark the last one so: it says nothing about the kind of contact.
            "conversion" => {
                conversion = conversion.or(Some(true));
                None
            }
            text => Some(
                text.parse::<Interaction>().map_err(|_| Fault::of(Field::Interaction, reason::UNKNOWN_INTERACTION))?,
            ),
        };
        let sourced = given.iter().chain(&utm).any(|text| !text.is_empty()) || !click_id.is_empty();
        let name = match (get(Field::Name), conversion) {
            ("", Some(true)) => "conversion",
            ("", Some(false)) => "touch",
            ("", None) if !order_id.is_empty() => "purchase",
            ("", None) if !page_url.is_empty() => "page_view",
            ("", None) if sourced || stated.is_some() => "touch",
            ("", None) => return Err(Fault::of(Field::Name, reason::NOTHING_HAPPENED)),
            (name, _) => name,
        };
        // A row of a list of touches says where somebody came from and seldom what happened. Programs call other things `source`,
        // too, so that alone makes a touch of rows without a name only.
        let listed = !channel.is_empty() || !medium.is_empty() || (get(Field::Name).is_empty() && sourced);
        let interaction = stated.unwrap_or_else(|| {
            if !page_url.is_empty() {
                return Interaction::Visit;
            }
            match told_by(name, sourced) {
                Interaction::None if listed => Interaction::Click,
                told => told,
            }
        });

        let anonymous = self.identifier(safar_identity::ANONYMOUS, get(Field::AnonymousId));
        let user = self.identifier(USER, get(Field::UserId));
        let mut email = self.identifier(EMAIL, get(Field::Email));
        if email.is_none() {
            email = self.identifier(EMAIL, get(Field::EmailHash));
        }
        let mut phone = self.identifier(PHONE, get(Field::Phone));
        if phone.is_none() {
            phone = self.identifier(PHONE, get(Field::PhoneHash));
        }
        let crm = self.identifier(CRM, get(Field::CrmId));
        if !self.erased.is_empty() {
            let ids = [&anonymous, &user, &email, &phone, &crm];
            let erased = |(namespace, id): (&str, &Option<Cow<'_, str>>)| {
                id.as_deref().is_some_and(|id| self.erased.holds(namespace, id, time))
            };
            // A refund of the back office may name an order and nobody.
            let order = || ids.iter().all(|id| id.is_none()) && self.erased.holds(Erased::ORDER, order_id, time);
            if NAMESPACES.into_iter().zip(ids).any(erased) || order() {
                self.identifiers.erased += 1;
                return Ok(());
            }
        }

        let keep_contact_details = terms.keep_contact_details && !cookieless;
        let unplaced = (kept == Kept::Property).then_some(consent_text);
        self.write_properties(row, keep_contact_details, given, unplaced, conversion.is_some() && terms.has_name);
        self.write_custom(row.tags.iter().map(|(name, value)| (*name, Cow::Borrowed(*value))));
        let event_id = Some(get(Field::EventId)).filter(|id| !id.is_empty() && !id.eq_ignore_ascii_case("null"));
        let items = get(Field::Items);
        // The content of the event as told, whatever the order of columns or the rules of the day.
        self.content.clear();
        self.content.extend_from_slice(&time.to_le_bytes());
        if let Some(value) = value {
            self.content.extend_from_slice(&value.to_bits().to_le_bytes());
        }
        let ids = [&anonymous, &user, &email, &phone, &crm].map(|id| id.as_deref().unwrap_or(""));
        let texts = [
            name,
            page_url,
            get(Field::PageTitle),
            referrer,
            click_id,
            click_type,
            interaction.as_str(),
            told_order,
            if told_currency.is_empty() { mark } else { told_currency },
            items,
            consent_text,
            &self.custom,
            &self.properties,
            event_id.unwrap_or(""),
        ];
        let visitor = VisitorReader::FIELDS.map(get);
        let mut tag = 0;
        for told in [&ids[..], &utm, &texts, &visitor] {
            for text in told {
                if !text.is_empty() {
                    self.content.push(tag);
                    self.content.extend_from_slice(&(text.len() as u32).to_le_bytes());
                    self.content.extend_from_slice(text.as_bytes());
                }
                tag += 1;
            }
        }
        let hash = xxh3_128(&self.content);
        // What was said by whom makes the event's id; who it was is not kept.
        let ids = match cookieless {
            true => ids.map(|id| if id.starts_with(VISITOR_OF_THE_DAY) { id } else { "" }),
            false => ids,
        };

        // From here on without personal data. What stands in a column is, and cleaning it again would change nothing.
        let stripped = if strip { without_click_ids(referrer) } else { Cow::Borrowed(referrer) };
        let referrer = &*stripped;
        if strip {
            without_ids_of_clicks(&mut self.properties);
        }
        let personal = self.enricher.enricher().visitors().personal();
        let clean = |column: Text, url| {
            if self.columns.knows(column, url) { Cow::Borrowed(url) } else { personal.url(url) }
        };
        let (page_url, referrer) = (clean(Text::PageUrl, page_url), clean(Text::Referrer, referrer));
        let (page_url, referrer) = (&*page_url, &*referrer);
        let utm = utm.map(|tag| personal.text(tag));
        let utm = utm.each_ref().map(|tag| &**tag);
        if row.tags.iter().any(|(_, value)| matches!(personal.text(value), Cow::Owned(_))) {
            self.write_custom(row.tags.iter().map(|(name, value)| (*name, personal.text(value))));
        }
        self.visitor.tidy(&mut self.properties, &visitor);

        let key = match ids.iter().position(|id| !id.is_empty()) {
            Some(at) => key_of(NAMESPACES[at], ids[at]),
            None => match event_id {
                Some(id) => key_of("event", id),
                None => {
                    use std::fmt::Write;
                    self.hex.clear();
                    let _ = write!(self.hex, "{hash:032x}"); // writing to a String cannot fail
                    key_of("event", &self.hex)
                }
            },
        };

        let columns = &mut self.columns;
        columns.begin(key, time, place, hash, value);
        if let Some(received) = received {
            columns.received(received);
        }
        columns.text(Text::EventId, event_id.unwrap_or(""));
        columns.text(Text::Name, name);
        for (column, id) in
            [Text::AnonymousId, Text::UserId, Text::EmailHash, Text::PhoneHash, Text::CrmId].into_iter().zip(ids)
        {
            columns.text(column, id);
        }
        columns.text(Text::PageUrl, page_url);
        columns.text(Text::PageTitle, get(Field::PageTitle));
        columns.text(Text::OrderId, order_id);
        columns.text(Text::Currency, &currency);
        columns.text(Text::Items, if is_json(items) { items } else { "" });
        match kept {
            Kept::Json => columns.text(Text::Consent, consent_text),
            Kept::All(true) => columns.text(Text::Consent, r#"{"all":true}"#),
            Kept::All(false) => columns.text(Text::Consent, r#"{"all":false}"#),
            Kept::Nothing | Kept::Property => {}
        }
        columns.text(Text::Properties, &self.properties);
        self.visitor.write(columns, &visitor);
        if interaction == Interaction::None && page_url.is_empty() && referrer.is_empty() && !sourced {
            columns.text(Text::Interaction, interaction.as_str());
            columns.text(Text::UtmCustom, &self.custom);
            return Ok(());
        }
        let touch = Touch {
            page_url: some(page_url),
            referrer: some(referrer),
            utm_source: some(utm[0]),
            utm_medium: some(utm[1]),
            utm_campaign: some(utm[2]),
            utm_term: some(utm[3]),
            utm_content: some(utm[4]),
            click_id: some(click_id),
            click_id_type: some(click_type),
            source: some(source),
            medium: some(medium),
            interaction,
        };
        let (derived, place, fresh) = self.enricher.enrich_at(&touch);
        if fresh {
            self.derived[place] = columns.group_of(&derived_texts(&touch, derived));
        }
        let (group, untold) = self.derived[place];
        columns.group(group);
        let (named, last) = DERIVED.split_at(DERIVED.len() - given.len());
        if untold != 0 {
            let texts = derived_texts(&touch, derived);
            for (at, column) in named.iter().enumerate().filter(|(at, _)| untold & 1 << at != 0) {
                columns.text(*column, texts[at]);
            }
            for (at, column) in last.iter().enumerate().filter(|(at, _)| given[*at].is_empty()) {
                if untold & 1 << (named.len() + at) != 0 {
                    columns.text(*column, texts[named.len() + at]);
                }
            }
        }
        for (column, given) in last.iter().zip(given) {
            columns.text(*column, given);
        }
        if self.custom.is_empty() && !derived.utm_custom.is_empty() {
            self.custom.push('{');
            for (name, value) in &derived.utm_custom {
                member(&mut self.custom, name);
                quote(&mut self.custom, value);
            }
            self.custom.push('}');
        }
        columns.text(Text::UtmCustom, &self.custom);
        columns.text(Text::ClickId, derived.click_id.as_deref().unwrap_or(""));
        Ok(())
    }

    /// Members in the order of their names, so that equal rows make equal text.
    fn write_properties(
        &mut self,
        row: &Row<'_>,
        keep_contact_details: bool,
        given: [&str; 4],
        consent: Option<&str>,
        keep_conversion: bool,
    ) {
        let out = &mut self.properties;
        out.clear();
        let get = |field: Field| row.get(field);
        let items = some(get(Field::Items)).filter(|text| !is_json(text));
        let contact = [Field::Email, Field::Phone].map(|field| some(get(field)).filter(|_| keep_contact_details));
        let conversion = some(get(Field::Conversion)).filter(|_| keep_conversion);
        let own = get(Field::Properties);
        if row.extra.is_empty()
            && own.is_empty()
            && given.iter().all(|text| text.is_empty())
            && items.or(consent).or(contact[0]).or(contact[1]).or(conversion).is_none()
        {
            return;
        }
        out.push('{');
        for (name, value) in GIVEN.into_iter().zip(given) {
            if !value.is_empty() {
                member(out, name);
                quote(out, value);
            }
        }
        let named = [
            ("conversion", conversion),
            ("consent", consent),
            ("email", contact[0]),
            ("items", items),
            ("phone", contact[1]),
        ];
        for (name, value) in named.into_iter().filter_map(|(name, value)| Some((name, value?))) {
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
        let object = own.starts_with('{').then(|| serde_json::from_str::<serde_json::Value>(own).ok()).flatten();
        if let Some(serde_json::Value::Object(object)) = &object {
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
            let within = object.as_ref().is_some_and(|object| object.get(*name).is_some());
            if within {
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

    fn write_custom<'a>(&mut self, tags: impl Iterator<Item = (&'a str, Cow<'a, str>)>) {
        self.custom.clear();
        for (name, value) in tags {
            if self.custom.is_empty() {
                self.custom.push('{');
            }
            member(&mut self.custom, name);
            quote(&mut self.custom, &value);
        }
        if !self.custom.is_empty() {
            self.custom.push('}');
        }
    }
}

/// Takes the ids of clicks out of an object of JSON.
fn without_ids_of_clicks(object: &mut String) {
    if let Ok(mut told) = serde_json::from_str(object)
        && withhold_click_ids(&mut told)
    {
        *object = told.to_string();
    }
}

pub(super) fn is_json(text: &str) -> bool {
    text.starts_with(['{', '[']) && serde_json::from_str::<serde::de::IgnoredAny>(text).is_ok()
}

/// Consent in a word.
pub(crate) fn agreed(text: &str) -> Option<bool> {
    match text.to_ascii_lowercase().as_str() {
        "granted" | "all" | "accepted" | "accept" | "opt-in" => Some(true),
        "denied" | "none" | "rejected" | "reject" | "opt-out" => Some(false),
        _ => None,
    }
}

/// The name of the next member of a JSON object, and what parts it from the one before.
pub(super) fn member(out: &mut String, name: &str) {
    if out.len() > 1 {
        out.push(',');
    }
    quote(out, name);
    out.push(':');
}

/// A JSON string.
pub(crate) fn quote(out: &mut String, text: &str) {
    if text.bytes().all(|byte| byte >= 0x20 && byte != b'"' && byte != b'\\') {
        out.push('"');
        out.push_str(text);
        out.push('"');
    } else {
        out.push_str(&serde_json::Value::from(text).to_string());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn objects_are_json() {
        let mut out = String::from("{");
        member(&mut out, "a");
        out.push('{');
        out.push('}');
        member(&mut out, "b\"");
        quote(&mut out, "x\ny");
        out.push('}');
        assert_eq!(out, "{\"a\":{},\"b\\\"\":\"x\\ny\"}");
    }
}
