//! What a row says about its visitor → columns, and `properties` without whole addresses and personal data.
use super::{
    columns::{Columns, Text},
    field::Field,
    flag::flag,
    object::{member, quote},
};
use arrow::{
    array::{Array, ArrayRef, AsArray, BooleanArray, RecordBatch, StringArray, StringBuilder},
    error::ArrowError,
};
use foldhash::fast::RandomState;
use memchr::{memchr, memchr2_iter, memchr3, memmem};
use safar_enrich::{Told, Visitor, Visitors, address, language};
use serde_json::Value;
use std::{borrow::Cow, collections::HashMap, sync::Arc};

/// How many agents are remembered: sites see a few thousand.
const AGENTS: usize = 4096;

/// Members of `properties` that say what the columns were made of.
const AGENT: &str = "$user_agent";
const HINTS: &str = "$client_hints";
const ADDRESS: &str = "$ip";
const LANGUAGE: &str = "$language";

/// What a row says, in the order of [`VisitorReader::FIELDS`].
type Said<'a> = [&'a str; VisitorReader::FIELDS.len()];

/// Reads visitors, for one thread; an agent that was read before costs little.
pub(crate) struct VisitorReader<'e> {
    visitors: &'e Visitors,
    known: HashMap<String, Visitor, RandomState>,
    key: String,
}

impl<'e> VisitorReader<'e> {
    pub(crate) const FIELDS: [Field; 10] = [
        Field::UserAgent,
        Field::ClientHints,
        Field::Ip,
        Field::Country,
        Field::Language,
        Field::Device,
        Field::Browser,
        Field::BrowserVersion,
        Field::Os,
        Field::Bot,
    ];

    pub(crate) fn new(visitors: &'e Visitors) -> Self {
        Self { visitors, known: HashMap::default(), key: String::new() }
    }

    /// Gives the row that was begun last what it says, else what follows from it.
    pub(crate) fn write(&mut self, columns: &mut Columns, said: &Said<'_>) {
        if said.iter().all(|text| text.is_empty()) {
            return;
        }
        let [agent, hints, ip, country, languages, device, browser, version, os, bot] = *said;
        self.key.clear();
        for text in [agent, hints] {
            self.key.push_str(text);
            self.key.push('\0');
        }
        if !self.known.contains_key(&self.key) {
            if self.known.len() == AGENTS {
                self.known.clear();
            }
            let hints: Option<Value> = serde_json::from_str(hints).ok();
            let told = Told { agent, hints: hints.as_ref(), ..Told::default() };
            self.known.insert(self.key.clone(), self.visitors.read(&told));
        }
        let Some(read) = self.known.get(&self.key) else { return };
        let network = || Some(self.visitors.country(address::read(ip)?)?.into());
        let country = some(country).map(country_told).or_else(network);
        let bot = flag(bot).unwrap_or(read.bot);
        let device = some(device).map(device_told).or(match (bot, read.device) {
            (true, _) => Some("bot".into()),
            (false, device) => device.map(Cow::Borrowed),
        });
        // The version belongs to the browser that the same source tells.
        let (browser, version) = match (some(browser), some(version)) {
            (None, None) => (read.browser.as_deref(), read.browser_version.as_deref()),
            (browser, version) => (browser, version.map(major)),
        };
        columns.text(Text::Country, country.as_deref().unwrap_or(""));
        columns.text(Text::Language, language(languages).as_deref().unwrap_or(""));
        columns.text(Text::Device, device.as_deref().unwrap_or(""));
        columns.text(Text::Browser, browser.unwrap_or(""));
        columns.text(Text::BrowserVersion, version.unwrap_or(""));
        columns.text(Text::Os, some(os).or(read.os).unwrap_or(""));
        columns.text(Text::Bot, if bot { "1" } else { "" });
    }

    /// `properties` as they are stored: with the agent and the network that the columns were made of, addresses of visitors cut,
    /// and addresses of pages without personal data.
    pub(crate) fn tidy(&self, properties: &mut String, said: &Said<'_>) {
        let [agent, _, ip, ..] = *said;
        if properties.is_empty() && agent.is_empty() && ip.is_empty() {
            return;
        }
        if has_addresses(properties) || has_pages(properties) {
            let parsed = serde_json::from_str(properties);
            if let Ok(Value::Object(mut members)) = parsed {
                let changed = members.iter_mut().fold(false, |any, (name, value)| self.tidied(name, value) || any);
                if changed {
                    *properties = Value::Object(members).to_string();
                }
            }
        }
        if !agent.is_empty() && !properties.contains(agent) {
            append(properties, AGENT, agent);
        }
        if let Some(address) = address::read(ip)
            && !properties.contains("\"$ip\"")
        {
            append(properties, ADDRESS, &address::cut(address).to_string());
        }
    }

    /// Whether anything below a member had to be changed.
    fn tidied(&self, name: &str, value: &mut Value) -> bool {
        match value {
            Value::Object(members) => {
                members.iter_mut().fold(false, |any, (name, value)| self.tidied(name, value) || any)
            }
            Value::Array(items) => items.iter_mut().fold(false, |any, item| self.tidied(name, item) || any),
            Value::String(text) => {
                let new = match address::read(text).filter(|_| address::is_named(name)) {
                    Some(whole) => Cow::Owned(address::cut(whole).to_string()),
                    None if text.contains("://") || text.starts_with(['/', '?', '#']) => {
                        self.visitors.personal().url(text)
                    }
                    None => return false,
                };
                let Some(new) = Some(new.into_owned()).filter(|new| new != text) else { return false };
                *text = new;
                true
            }
            _ => false,
        }
    }
}

/// Parts of the names under which addresses of visitors stand.
const NAMES: [&[u8]; 9] = [b"ip\"", b"Ip\"", b"IP\"", b"ddr", b"DDR", b"orwarded", b"FORWARDED", b"\"ip", b"\"IP"];

/// Whether an address of a visitor may be within: its numbers, and its name.
fn has_addresses(json: &str) -> bool {
    let bytes = json.as_bytes();
    let parted = |at: usize| at > 0 && (bytes[at - 1].is_ascii_hexdigit() || bytes[at - 1] == b':');
    memchr2_iter(b'.', b':', bytes).any(parted) && NAMES.iter().any(|part| memmem::find(bytes, part).is_some())
}

/// Whether the address of a page with something worth looking at may be within.
fn has_pages(json: &str) -> bool {
    let bytes = json.as_bytes();
    let worth = memchr3(b'@', b'%', b'=', bytes).or_else(|| memchr(b'+', bytes)).is_some();
    let pages: [&[u8]; 4] = [b"://", b"\"/", b"\"?", b"\"#"];
    worth && pages.iter().any(|part| memmem::find(bytes, part).is_some())
}

fn append(properties: &mut String, name: &str, text: &str) {
    match properties.pop() {
        Some(_) => {}
        None => properties.push('{'),
    }
    member(properties, name);
    quote(properties, text);
    properties.push('}');
}

fn some(text: &str) -> Option<&str> {
    (!text.is_empty()).then_some(text)
}

fn country_told(text: &str) -> Cow<'_, str> {
    if text.len() == 2 { text.to_ascii_uppercase().into() } else { text.into() }
}

/// The usual words for kinds of devices.
fn device_told(text: &str) -> Cow<'_, str> {
    let lower = text.to_ascii_lowercase();
    match &*lower {
        "pc" | "computer" | "personal computer" => "desktop".into(),
        "phone" | "smartphone" | "mobile phone" => "mobile".into(),
        "smart tv" | "smarttv" | "connected tv" | "television" => "tv".into(),
        "game console" | "games console" => "console".into(),
        _ => lower.into(),
    }
}

fn major(version: &str) -> &str {
    version.split('.').next().unwrap_or_default()
}

/// Columns of stored events in which something was not known and can be told now from what `properties` keep.
pub(crate) fn filled(batch: &RecordBatch, visitors: &Visitors) -> Result<Vec<(&'static str, ArrayRef)>, ArrowError> {
    const TEXTS: [&str; 6] = ["country", "language", "device", "browser", "browser_version", "os"];
    let lacks = |name: &str| ArrowError::SchemaError(format!("events have no column `{name}`"));
    let column = |name: &str| -> Result<&StringArray, ArrowError> {
        batch.column_by_name(name).and_then(|array| array.as_string_opt::<i32>()).ok_or_else(|| lacks(name))
    };
    let properties = column("properties")?;
    let bots = batch.column_by_name("bot").and_then(|array| array.as_boolean_opt()).ok_or_else(|| lacks("bot"))?;
    let mut texts = Vec::with_capacity(TEXTS.len());
    for name in TEXTS {
        texts.push(column(name)?);
    }
    let mut read: Vec<(usize, Visitor)> = Vec::new();
    for row in (0..batch.num_rows()).filter(|row| properties.is_valid(*row)) {
        let json = properties.value(row);
        let untold = bots.is_null(row) && [AGENT, LANGUAGE].iter().any(|name| json.contains(name));
        let unplaced = visitors.knows_countries() && texts[0].is_null(row) && json.contains(ADDRESS);
        if (untold || unplaced)
            && let Ok(Value::Object(members)) = serde_json::from_str::<Value>(json)
        {
            let text = |name: &str| members.get(name).and_then(Value::as_str).unwrap_or_default();
            let told = Told {
                agent: text(AGENT),
                hints: members.get(HINTS),
                address: address::read(text(ADDRESS)),
                language: text(LANGUAGE),
            };
            read.push((row, visitors.read(&told)));
        }
    }
    let mut columns: Vec<(&'static str, ArrayRef)> = Vec::new();
    for (at, (name, old)) in TEXTS.into_iter().zip(texts).enumerate() {
        let new = |visitor: &Visitor| -> Option<String> {
            match at {
                0 => visitor.country.clone(),
                1 => visitor.language.clone(),
                2 => visitor.device.map(str::to_owned),
                3 => visitor.browser.as_deref().map(str::to_owned),
                4 => visitor.browser_version.clone(),
                _ => visitor.os.map(str::to_owned),
            }
        };
        if read.iter().any(|(row, visitor)| old.is_null(*row) && new(visitor).is_some()) {
            let mut told = read.iter().peekable();
            let mut made = StringBuilder::with_capacity(old.len(), old.value_data().len());
            for row in 0..old.len() {
                let visitor = told.next_if(|(place, _)| *place == row).map(|(_, visitor)| visitor);
                match (old.is_valid(row), visitor) {
                    (true, _) => made.append_value(old.value(row)),
                    (false, visitor) => made.append_option(visitor.and_then(new)),
                }
            }
            columns.push((name, Arc::new(made.finish())));
        }
    }
    if read.iter().any(|(row, _)| bots.is_null(*row)) {
        let mut told = read.iter().peekable();
        let made = (0..bots.len()).map(|row| {
            let visitor = told.next_if(|(place, _)| *place == row);
            if bots.is_valid(row) { Some(bots.value(row)) } else { visitor.map(|(_, visitor)| visitor.bot) }
        });
        columns.push(("bot", Arc::new(made.collect::<BooleanArray>())));
    }
    Ok(columns)
}
