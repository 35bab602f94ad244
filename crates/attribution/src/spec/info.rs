//! What help texts say about models and presets.

/// One setting of a model, for help texts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SettingInfo {
    /// As spelled.
    pub name: &'static str,
    /// What it is when it is left out; empty where it has no default of its own.
    pub default: &'static str,
    /// In one line.
    pub meaning: &'static str,
}

/// One model, for help texts. [`ModelSpec::weights`](crate::ModelSpec::weights) gives the weights of a rule model.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ModelInfo {
    /// As spelled.
    pub name: &'static str,
    /// In one line.
    pub meaning: &'static str,
    /// Where the definition comes from: a paper, a vendor, a tool.
    pub source: &'static str,
    /// Year of the paper, or year in which the vendor's rule was read; empty where there is none.
    pub version: &'static str,
    /// What can be set.
    pub settings: &'static [SettingInfo],
}

const fn model(
    name: &'static str,
    meaning: &'static str,
    (source, version): (&'static str, &'static str),
    settings: &'static [SettingInfo],
) -> ModelInfo {
    ModelInfo { name, meaning, source, version, settings }
}

const fn setting(name: &'static str, default: &'static str, meaning: &'static str) -> SettingInfo {
    SettingInfo { name, default, meaning }
}

const COMMON: (&str, &str) = ("common rule", "");
const ORDER: SettingInfo = setting("order", "1", "how many touches a state remembers, 1 or more");

/// Every model by name, in the order of the documentation.
pub const MODELS: &[ModelInfo] = &[
    model("first", "all credit to the first touch", COMMON, &[]),
    model("last", "all credit to the last touch, direct included", COMMON, &[]),
    model(
        "last_non_direct",
        "all credit to the last touch that is not direct; direct only where the whole path is",
        ("Google Analytics, Shopify", "2026"),
        &[setting("direct", "Direct", "names that count as direct, separated by |, case ignored")],
    ),
    model("linear", "equal credit to every touch", COMMON, &[]),
    model(
        "position",
        "fixed shares for the first and the last touch, the rest shared by the touches between",
        COMMON,
        &[
            setting("first", "0.4", "share of the first touch, 0 to 1"),
            setting("last", "0.4", "share of the last touch, 0 to 1; first + last at most 1"),
        ],
    ),
    model("position_decay", "touch i of n weighs i, so the last weighs most", COMMON, &[]),
    model(
        "time_decay",
        "a touch's weight halves with every half-life before the outcome",
        COMMON,
        &[setting("half_life", "7d", "a number with d, h, m or s; without times, touches count as one day apart")],
    ),
    model(
        "markov",
        "removal effects in a Markov chain, solved exactly",
        ("Anderl, Becker, von Wangenheim, Schumann, Mapping the customer journey", "2016"),
        &[
            setting(
                "order",
                "1",
                "how many touches a state remembers, 1 or more; auto takes the order that foretells outcomes best",
            ),
            setting("most", "", "with order=auto: the highest order that is tried, up to 32; 4 where left out"),
            setting("seed", "", "with order=auto: seed of the folds that people are dealt to; 1 where left out"),
            setting("solver", "auto", "exact, iterative (the remaining error is printed), or auto: the cheaper one"),
        ],
    ),
    model(
        "custom",
        "your own weights, normalised on each path",
        ("you", ""),
        &[
            setting("first", "0", "weight of the first touch"),
            setting("middle", "0", "weight of all touches between, together"),
            setting("last", "0", "weight of the last touch"),
            setting("weights", "", "instead of the three above: one weight for each place, separated by /"),
            setting("from", "first", "places of `weights` count from the `first` or from the `last` touch"),
        ],
    ),
    model(
        "amplitude_j",
        "60 % last, 20 % the one before, 20 % the rest; 30/70 on two touches",
        ("Amplitude, J-shaped attribution", "2026"),
        &[],
    ),
    model(
        "w_shaped",
        "30 % each to the first, the middle and the last touch, 10 % to the rest; 50/50 on two touches, thirds on three",
        ("business-to-business usage: first touch, lead creation, opportunity creation, rest", "2026"),
        &[],
    ),
    model(
        "participation",
        "the whole conversion to every channel that took part: sums to over 100 %",
        ("Adobe Analytics, participation", "2026"),
        &[],
    ),
    model(
        "shapley",
        "Shapley values of covered conversions: equal credit to a path's distinct channels",
        ("Zhao, Mahboobi, Bagheri, Shapley value methods for attribution modeling", "2018"),
        &[],
    ),
    model(
        "shapley_rate",
        "Shapley values of conversion rates within each set of channels that converts; can be negative",
        ("DP6 marketing_attribution_models; Google Ads Data Hub", ""),
        &[setting(
            "most",
            "",
            "paths of more distinct channels stay unattributed; no limit where left out, but what takes too long is refused",
        )],
    ),
    model(
        "shapley_markov",
        "Shapley values of what a Markov chain converts with some channels only; exact up to 20 channels, sampled beyond",
        ("Shapley 1953, on the chain of Anderl et al. 2016; sampling of Castro, Gómez, Tejada 2009", "2016"),
        &[
            ORDER,
            setting(
                "samples",
                "",
                "orders of the channels that are drawn, 4 or more; left out: exact, or up to 1000 where exact is out of reach",
            ),
            setting("seed", "1", "seed of the draws"),
        ],
    ),
    model(
        "leave_one_out",
        "what the conversion rate of equal paths loses without the touch",
        ("Google fractribution", ""),
        &[],
    ),
    model(
        "shao_li",
        "second-order probabilistic model of Shao and Li, scaled to conversions",
        ("Shao, Li, Data-driven multi-touch attribution models", "2011"),
        &[],
    ),
    model(
        "logistic",
        "bagged logistic regression of Shao and Li: a path's channels share by how much they raise its odds to convert",
        ("Shao, Li, Data-driven multi-touch attribution models", "2011"),
        &[
            setting("bags", "100", "regressions, each on half of the people and half of the channels"),
            setting("l2", "1", "penalty on half the squared coefficients, in people; above 0"),
            setting("seed", "1", "seed of the draws"),
        ],
    ),
    model(
        "hazard",
        "additive hazard: what touches add to a person's rate of conversion, fading as learned; the rest stays unattributed",
        ("Zhang, Wei, Ren, Multi-touch attribution in online advertising with survival theory", "2014"),
        &[setting("rounds", "60", "most rounds of learning")],
    ),
    model(
        "intent_hazard",
        "additive hazard with hidden intent, learned from everything a person does, and effects traced upstream",
        ("Safar, docs/truth.md", "2026"),
        &[
            setting("levels", "7", "levels of lasting intent, 1 to 31"),
            setting("moods", "3", "levels of passing intent, 1 to 9"),
            setting("seasons", "1", "equal stretches of the calendar, 1 to 1000, each with its own rates"),
            setting("rounds", "60", "most rounds of learning"),
        ],
    ),
];

/// A named choice of settings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PresetInfo {
    /// As spelled in place of a model, and shown; it takes no settings.
    pub name: &'static str,
    /// What it stands for; [`ModelSpec::weights`](crate::ModelSpec::weights) gives the weights.
    pub spec: &'static str,
    /// Where the weights come from.
    pub source: &'static str,
    /// The last year in which the vendor is known to have used them.
    pub version: &'static str,
}

/// Every preset. Vendors use the same words for different weights, so each name says whose it is. Vendors' weights
/// that no settings can express are models of their own: `amplitude_j`, `w_shaped`, `participation`.
pub const PRESETS: &[PresetInfo] = &[
    PresetInfo {
        name: "google_position",
        spec: "position:first=0.4,last=0.4",
        source: "Google Ads and Universal Analytics, position-based model, until 2023",
        version: "2023",
    },
    PresetInfo {
        name: "adobe_j",
        spec: "custom:first=20,middle=20,last=60",
        source: "Adobe Analytics, J curve: 20/20/60, 25/75 on two touches",
        version: "2026",
    },
    PresetInfo {
        name: "adobe_inverse_j",
        spec: "custom:first=60,middle=20,last=20",
        source: "Adobe Analytics, inverse J: 60/20/20, 75/25 on two touches",
        version: "2026",
    },
];
