//! What the shop sells, where its visitors come from, and when.
use crate::persona::Way;

/// A product: SKU, name, page, price in cents.
pub(crate) struct Product {
    pub(crate) sku: &'static str,
    pub(crate) name: &'static str,
    pub(crate) slug: &'static str,
    pub(crate) cents: i64,
}

const fn product(sku: &'static str, name: &'static str, slug: &'static str, cents: i64) -> Product {
    Product { sku, name, slug, cents }
}

pub(crate) const PRODUCTS: [Product; 12] = [
    product("TEA-001", "Assam loose leaf 100 g", "assam-loose-leaf", 890),
    product("TEA-002", "Darjeeling first flush 100 g", "darjeeling-first-flush", 1_650),
    product("TEA-003", "Earl Grey 100 g", "earl-grey", 950),
    product("TEA-004", "Sencha 100 g", "sencha", 1_290),
    product("TEA-005", "Jasmine pearls 75 g", "jasmine-pearls", 1_890),
    product("TEA-006", "Rooibos orange 150 g", "rooibos-orange", 790),
    product("POT-001", "Cast iron teapot 0.8 l", "cast-iron-teapot", 5_900),
    product("POT-002", "Glass teapot 1 l", "glass-teapot", 3_450),
    product("CUP-001", "Two stoneware cups", "stoneware-cups", 2_490),
    product("KET-001", "Kettle with thermometer", "kettle-thermometer", 7_900),
    product("BOX-001", "Tasting box, 12 teas", "tasting-box", 3_990),
    product("GFT-001", "Gift card", "gift-card", 2_500),
];

/// Where a visit comes from.
pub(crate) struct Source {
    /// Whose taste it is.
    pub(crate) way: Way,
    /// What the browser says; empty: nothing.
    pub(crate) referrer: &'static str,
    /// Tags of the landing page; empty: none.
    pub(crate) tags: &'static str,
    /// Parameter of the click id; empty: none.
    pub(crate) click: &'static str,
    /// Landing page.
    pub(crate) page: &'static str,
    /// Visits a day of a person without any history.
    pub(crate) rate: f64,
    /// How much more often people come who mean to buy anyway.
    pub(crate) intent: f64,
    /// How much more often people come who have seen advertisements lately.
    pub(crate) brand: f64,
    /// What the visit adds to the wish to buy.
    pub(crate) effect: f64,
}

const fn source(way: Way, texts: [&'static str; 4], numbers: [f64; 4]) -> Source {
    let [referrer, tags, click, page] = texts;
    let [rate, intent, brand, effect] = numbers;
    Source { way, referrer, tags, click, page, rate, intent, brand, effect }
}

const GOOGLE: &str = "https://www.google.com/";

/// The index of a visit by e-mail in [`SOURCES`]; its rate is 0 because it follows an e-mail.
pub(crate) const EMAIL: usize = 0;
/// The index of a visit from an advertisement shown to former visitors; rate 0 likewise.
pub(crate) const RETARGETING: usize = 1;
/// Visits whom a friend invited, or a push or text message led here; rate 0 likewise.
pub(crate) const FRIEND: usize = 27;
pub(crate) const PUSH: usize = 28;
pub(crate) const SMS: usize = 29;

#[rustfmt::skip]
pub(crate) const SOURCES: [Source; 33] = [
    source(Way::Messages, ["", "utm_source=newsletter&utm_medium=email", "", "/new"], [0.0, 0.0, 0.0, 0.35]),
    source(Way::Social, ["https://news.example/", "utm_source=adnetwork&utm_medium=display&utm_campaign=retargeting", "dclid", "/cart"], [0.0, 0.0, 0.0, 0.05]),
    source(Way::Direct, ["", "", "", "/"], [0.0120, 1.2, 1.5, 0.02]),
    source(Way::Brand, [GOOGLE, "utm_source=google&utm_medium=cpc&utm_campaign=brand&utm_term=shop+example", "gclid", "/"], [0.0030, 1.5, 2.5, 0.05]),
    source(Way::Search, [GOOGLE, "utm_source=google&utm_medium=cpc&utm_campaign=generic-tea&utm_term=loose+leaf+tea", "gclid", "/tea"], [0.0060, 0.6, 0.0, 0.30]),
    source(Way::Search, [GOOGLE, "utm_source=google&utm_medium=cpc&utm_campaign=shopping-teapots", "gclid", "/teapots"], [0.0037, 0.7, 0.0, 0.30]),
    source(Way::Search, ["https://www.bing.com/", "utm_source=bing&utm_medium=cpc&utm_campaign=generic-tea&utm_term=green+tea", "msclkid", "/tea"], [0.0015, 0.6, 0.0, 0.25]),
    source(Way::Social, ["https://l.facebook.com/", "utm_source=facebook&utm_medium=paid_social&utm_campaign=tasting-box&utm_content=video-a", "fbclid", "/p/tasting-box"], [0.0053, 0.1, 0.2, 0.20]),
    source(Way::Social, ["https://l.facebook.com/", "utm_source=Facebook&utm_medium=paid_social&utm_campaign=Tasting-Box&utm_content=image-b", "fbclid", "/p/tasting-box"], [0.0012, 0.1, 0.2, 0.20]),
    source(Way::Social, ["https://l.instagram.com/", "utm_source=instagram&utm_medium=paid_social&utm_campaign=tasting-box&utm_content=story", "fbclid", "/p/tasting-box"], [0.0037, 0.1, 0.2, 0.18]),
    source(Way::Social, ["https://www.tiktok.com/", "utm_source=tiktok&utm_medium=paid_social&utm_campaign=creators", "ttclid", "/new"], [0.0030, 0.0, 0.1, 0.12]),
    source(Way::Social, ["https://news.example/", "utm_source=adnetwork&utm_medium=display&utm_campaign=autumn", "dclid", "/new"], [0.0012, 0.0, 0.1, 0.10]),
    source(Way::Deals, ["https://dealfinder.example/", "utm_source=dealfinder&utm_medium=affiliate&utm_campaign=vouchers", "", "/tea"], [0.0018, 1.2, 0.0, 0.05]),
    source(Way::Messages, ["", "utm_source=sms&utm_medium=sms&utm_campaign=back-in-stock", "", "/new"], [0.0006, 0.5, 0.0, 0.25]),
    source(Way::Organic, [GOOGLE, "", "", "/tea"], [0.0112, 0.6, 1.0, 0.15]),
    source(Way::Organic, ["https://www.bing.com/", "", "", "/"], [0.0018, 0.6, 0.8, 0.15]),
    source(Way::Organic, ["https://duckduckgo.com/", "", "", "/guides/brewing"], [0.0012, 0.4, 0.5, 0.12]),
    source(Way::Social, ["https://l.instagram.com/", "", "", "/new"], [0.0027, 0.2, 0.3, 0.10]),
    source(Way::Reviews, ["https://www.reddit.com/", "", "", "/guides/brewing"], [0.0014, 0.2, 0.0, 0.15]),
    source(Way::Social, ["https://www.pinterest.com/", "", "", "/teapots"], [0.0012, 0.2, 0.0, 0.10]),
    source(Way::Reviews, ["https://teablog.example/best-darjeeling", "", "", "/p/darjeeling-first-flush"], [0.0018, 0.4, 0.0, 0.40]),
    source(Way::Reviews, ["https://reviews.example/shop", "", "", "/"], [0.0009, 0.9, 0.2, 0.30]),
    source(Way::Assistants, ["https://chatgpt.com/", "", "", "/guides/brewing"], [0.0015, 0.6, 0.0, 0.30]),
    source(Way::Assistants, ["https://www.perplexity.ai/", "", "", "/tea"], [0.0004, 0.6, 0.0, 0.30]),
    source(Way::Assistants, ["https://gemini.google.com/", "", "", "/tea"], [0.0004, 0.6, 0.0, 0.25]),
    source(Way::Assistants, ["https://copilot.microsoft.com/", "", "", "/teapots"], [0.0003, 0.6, 0.0, 0.25]),
    source(Way::Assistants, ["https://claude.ai/", "", "", "/guides/brewing"], [0.0003, 0.6, 0.0, 0.30]),
    source(Way::Reviews, ["", "utm_source=friend&utm_medium=referral&utm_campaign=invite", "", "/new"], [0.0, 0.0, 0.0, 0.45]),
    source(Way::Messages, ["", "utm_source=app&utm_medium=push&utm_campaign=restock", "", "/p/sencha"], [0.0, 0.0, 0.0, 0.20]),
    source(Way::Messages, ["", "utm_source=sms&utm_medium=sms&utm_campaign=sale", "", "/tea"], [0.0, 0.0, 0.0, 0.20]),
    source(Way::Social, ["https://www.youtube.com/", "utm_source=youtube&utm_medium=paid_video&utm_campaign=brewing", "", "/guides/brewing"], [0.0012, 0.2, 0.3, 0.20]),
    source(Way::Reviews, ["", "utm_source=teatalk&utm_medium=audio&utm_campaign=spring-episode", "", "/new"], [0.0007, 0.5, 0.2, 0.30]),
    source(Way::Direct, ["", "utm_source=poster&utm_medium=qr&utm_campaign=station", "", "/new"], [0.0010, 0.3, 0.4, 0.10]),
];

/// An advertisement that is shown.
pub(crate) struct Advert {
    pub(crate) tags: &'static str,
    pub(crate) placement: &'static str,
    /// Times a day it is shown to a person.
    pub(crate) rate: f64,
    /// What it adds to how well the shop is known.
    pub(crate) brand: f64,
    /// What it adds to the wish to buy.
    pub(crate) effect: f64,
}

/// The last is shown to former visitors only.
#[rustfmt::skip]
pub(crate) const ADVERTS: [Advert; 4] = [
    Advert { tags: "utm_source=adnetwork&utm_medium=display&utm_campaign=autumn", placement: "news.example", rate: 0.05, brand: 0.25, effect: 0.02 },
    Advert { tags: "utm_source=instagram&utm_medium=paid_social&utm_campaign=tasting-box&utm_content=story", placement: "instagram", rate: 0.06, brand: 0.30, effect: 0.04 },
    Advert { tags: "utm_source=youtube&utm_medium=paid_video&utm_campaign=brewing", placement: "youtube", rate: 0.03, brand: 0.45, effect: 0.05 },
    Advert { tags: "utm_source=adnetwork&utm_medium=display&utm_campaign=retargeting", placement: "weather.example", rate: 0.20, brand: 0.02, effect: 0.01 },
];

pub(crate) const PAYMENT: [&str; 3] =
    ["https://www.paypal.com/", "https://checkout.stripe.com/", "https://pay.klarna.com/"];
pub(crate) const STORES: [&str; 3] = ["Harbour Street", "Old Market", "Station"];
pub(crate) const PAGES: [&str; 7] = ["/", "/tea", "/teapots", "/new", "/guides/brewing", "/about", "/delivery"];
pub(crate) const SEARCHES: [&str; 6] = ["sencha", "earl grey", "gift", "teapot", "decaf", "sample"];
pub(crate) const MAILINGS: [&str; 4] = ["new-harvest", "brewing-tips", "staff-picks", "gift-ideas"];
pub(crate) const FIRST_NAMES: [&str; 16] = [
    "ada", "ben", "clara", "darius", "elif", "farid", "greta", "hana", "ivan", "julia", "karim", "lena", "mina",
    "noor", "omar", "petra",
];
pub(crate) const LAST_NAMES: [&str; 16] = [
    "adler",
    "berg",
    "costa",
    "daneshvar",
    "eriksen",
    "fischer",
    "gold",
    "haddad",
    "ionescu",
    "jonsdottir",
    "kowalska",
    "lind",
    "moradi",
    "novak",
    "olsen",
    "park",
];

/// How busy each hour is (UTC).
pub(crate) const DAY: [f64; 24] = [
    1.2, 0.6, 0.4, 0.3, 0.3, 0.5, 1.2, 2.2, 3.0, 3.6, 4.0, 4.2, 4.8, 4.4, 4.0, 3.9, 4.2, 4.8, 5.6, 6.6, 7.2, 6.8, 4.6,
    2.4,
];
