//! The public form of an event.
use safar_model::Micros;

/// One event of the shop. Texts are empty where the source says nothing.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SimEvent {
    /// Unique.
    pub event_id: String,
    /// What happened; [`STAGES`] has the names.
    pub name: &'static str,
    /// When it happened.
    pub occurred_at: Micros,
    /// The browser.
    pub anonymous_id: String,
    /// The account, where somebody is logged in or the server tells.
    pub user_id: String,
    /// As typed, case and all.
    pub email: String,
    /// With calling code.
    pub phone: String,
    /// With tags and click ids; of an impression or a mailing, the page that it leads to.
    pub page_url: String,
    /// What the browser told.
    pub referrer: &'static str,
    /// A word of [`safar_model::Interaction`].
    pub interaction: &'static str,
    /// Of purchases and refunds. Most orders are told twice, by the browser and by the server.
    pub order_id: String,
    /// Of purchases, and of refunds the amount given back, positive.
    pub value: Option<f64>,
    /// ISO 4217.
    pub currency: &'static str,
    /// JSON array of sku, name, quantity, price.
    pub items: String,
    /// JSON object of purpose and answer.
    pub consent: &'static str,
    /// JSON object.
    pub properties: String,
    /// Who it really was, from 0: the truth, in no file.
    pub person: u32,
}

/// The six stages of a customer's life with the shop, and the names of the events in which each shows.
pub const STAGES: [(&str, &[&str]); 6] = [
    ("awareness", &["ad_impression", "market_stall", "page_view"]),
    (
        "consideration",
        &[
            "view_item",
            "site_search",
            "add_to_cart",
            "newsletter_sign_up",
            "email_sent",
            "email_open",
            "text_message",
            "push_message",
            "tasting",
            "store_visit",
        ],
    ),
    ("purchase", &["begin_checkout", "coupon", "login", "purchase"]),
    ("service", &["order_delivered", "refund", "chat", "call"]),
    ("loyalty", &["club_joined", "reward_used"]),
    ("advocacy", &["survey_answer", "review_posted", "invite_sent"]),
];

impl SimEvent {
    /// Empties every field and keeps the room.
    pub(crate) fn clear(&mut self) {
        for text in [
            &mut self.event_id,
            &mut self.anonymous_id,
            &mut self.user_id,
            &mut self.email,
            &mut self.phone,
            &mut self.page_url,
            &mut self.order_id,
            &mut self.items,
            &mut self.properties,
        ] {
            text.clear();
        }
        (self.name, self.referrer, self.interaction, self.currency, self.consent) = ("", "", "", "", "");
        self.value = None;
    }
}
