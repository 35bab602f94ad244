//! What the shop pays for advertising, as its advertising accounts would tell it.
use crate::{
    Shop, ShopError,
    catalogue::{ADVERTS, SOURCES},
    dice::Dice,
    session::{Act, What},
};
use jiff::{Timestamp, civil::Date, tz::TimeZone};
use std::io::{self, Write};

/// The columns of [`write_costs_csv`].
pub const COST_COLUMNS: [&str; 8] =
    ["date", "source", "medium", "campaign", "impressions", "clicks", "cost", "currency"];

/// What one campaign cost on one day.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cost {
    /// The day (UTC).
    pub day: Date,
    /// As in the tags of its links.
    pub source: &'static str,
    /// As in the tags.
    pub medium: &'static str,
    /// As in the tags.
    pub campaign: &'static str,
    /// How often it was shown, or sent.
    pub impressions: u64,
    /// How often it led to the shop.
    pub clicks: u64,
    /// In cents of euros.
    pub cents: u64,
}

/// What is paid for.
struct Campaign {
    tags: [&'static str; 3],
    /// Cents for a click, and for a thousand impressions.
    click: f64,
    thousand: f64,
    /// How often it is shown for each click, where no event tells each time.
    shown: f64,
}

const fn campaign(tags: [&'static str; 3], click: f64, thousand: f64, shown: f64) -> Campaign {
    Campaign { tags, click, thousand, shown }
}

/// Plausible prices of small advertisers; the platform's own spelling of its tags.
#[rustfmt::skip]
const CAMPAIGNS: [Campaign; 14] = [
    campaign(["google", "cpc", "brand"], 24.0, 0.0, 8.0),
    campaign(["google", "cpc", "generic-tea"], 62.0, 0.0, 28.0),
    campaign(["google", "cpc", "shopping-teapots"], 44.0, 0.0, 70.0),
    campaign(["bing", "cpc", "generic-tea"], 48.0, 0.0, 32.0),
    campaign(["facebook", "paid_social", "tasting-box"], 41.0, 0.0, 85.0),
    campaign(["instagram", "paid_social", "tasting-box"], 0.0, 520.0, 0.0),
    campaign(["tiktok", "paid_social", "creators"], 30.0, 0.0, 120.0),
    campaign(["adnetwork", "display", "autumn"], 0.0, 310.0, 0.0),
    campaign(["adnetwork", "display", "retargeting"], 0.0, 340.0, 0.0),
    campaign(["youtube", "paid_video", "brewing"], 0.0, 800.0, 0.0),
    campaign(["dealfinder", "affiliate", "vouchers"], 35.0, 0.0, 0.0),
    campaign(["teatalk", "audio", "spring-episode"], 90.0, 0.0, 0.0),
    campaign(["newsletter", "email", ""], 0.0, 300.0, 0.0),
    campaign(["sms", "sms", "sale"], 0.0, 6_000.0, 0.0),
];

impl Shop {
    /// What each campaign cost on each day on which it was shown or clicked, by day, then in the order of the accounts.
    /// Clicks are those of the events; prices wander by a tenth and rise with demand.
    ///
    /// # Errors
    /// As [`Shop::events`].
    pub fn costs(&self) -> Result<Vec<Cost>, ShopError> {
        let mut events = self.events()?;
        let mut dice = Dice::new(!self.seed);
        let mut costs = vec![];
        while let Some((start, acts)) = events.draw_day() {
            let demand = crate::calendar::today(start).busy;
            let day = Timestamp::from_microsecond(start).map_or(Date::ZERO, |at| at.to_zoned(TimeZone::UTC).date());
            let mut counts = [(0_u64, 0_u64); CAMPAIGNS.len()];
            for act in &acts {
                if let Some((campaign, is_click)) = paid(act) {
                    let count = &mut counts[campaign];
                    *(if is_click { &mut count.1 } else { &mut count.0 }) += 1;
                }
            }
            for (campaign, (told, clicks)) in CAMPAIGNS.iter().zip(counts) {
                let price = (0.9 + 0.2 * dice.unit()) * (0.8 + 0.2 * demand);
                let impressions = told + (campaign.shown * clicks as f64 * (0.8 + 0.4 * dice.unit())) as u64;
                if impressions + clicks > 0 {
                    let cents =
                        price * (campaign.click * clicks as f64 + campaign.thousand * impressions as f64 / 1_000.0);
                    let [source, medium, campaign] = campaign.tags;
                    costs.push(Cost { day, source, medium, campaign, impressions, clicks, cents: cents as u64 });
                }
            }
        }
        Ok(costs)
    }
}

/// The campaign that an act belongs to, and whether it is a click.
fn paid(act: &Act) -> Option<(usize, bool)> {
    let (tags, is_click) = match act.what {
        What::Landing { source, .. } => (SOURCES[usize::from(source)].tags, true),
        What::Shown(advert) => (ADVERTS[usize::from(advert)].tags, false),
        What::Sent(_) => ("utm_source=newsletter&utm_medium=email", false),
        What::Text => ("utm_source=sms&utm_medium=sms&utm_campaign=sale", false),
        _ => return None,
    };
    let tag = |name: &str| tags.split('&').find_map(|pair| pair.split_once('=').filter(|(key, _)| *key == name));
    let value = |name| tag(name).map_or("", |(_, value)| value);
    let tags = [value("utm_source"), value("utm_medium"), value("utm_campaign")];
    let is_same =
        |campaign: &Campaign| campaign.tags.iter().zip(tags).all(|(one, other)| one.eq_ignore_ascii_case(other));
    CAMPAIGNS.iter().position(is_same).map(|campaign| (campaign, is_click))
}

/// Writes what a shop's advertising cost as CSV (UTF-8, comma, `\n`) with a header line, and returns how many lines follow it.
///
/// # Errors
/// When `out` cannot be written, or the shop cannot be ([`ShopError`] inside).
pub fn write_costs_csv(shop: &Shop, mut out: impl Write) -> io::Result<u64> {
    let costs = shop.costs().map_err(|error| io::Error::new(io::ErrorKind::InvalidInput, error))?;
    writeln!(out, "{}", COST_COLUMNS.join(","))?;
    for Cost { day, source, medium, campaign, impressions, clicks, cents } in &costs {
        let (units, rest) = (cents / 100, cents % 100);
        writeln!(out, "{day},{source},{medium},{campaign},{impressions},{clicks},{units}.{rest:02},EUR")?;
    }
    out.flush()?;
    Ok(costs.len() as u64)
}
