//! Conditions of channel rules: their spelling in settings, and whether they hold.
use crate::sources::Category;
use regex::{Regex, RegexBuilder};
use safar_model::Interaction;
use serde::de::{self, Deserialize, Deserializer, MapAccess, SeqAccess, Visitor, value::MapAccessDeserializer};
use std::fmt;

macro_rules! fields {
    ($($(#[$doc:meta])* $variant:ident = $word:literal),+ $(,)?) => {
        /// What a condition can ask about.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        pub(crate) enum Field { $($(#[$doc])* $variant),+ }

        impl Field {
            pub(crate) const ALL: &'static [Self] = &[$(Self::$variant),+];
            const WORDS: &'static [&'static str] = &[$($word),+];
        }
    };
}

fields! {
    Source = "source",
    Medium = "medium",
    Campaign = "campaign",
    Term = "term",
    Content = "content",
    PageHost = "page_host",
    PagePath = "page_path",
    Referrer = "referrer",
    ClickIdType = "click_id_type",
    Interaction = "interaction",
    SourceCategory = "source_category",
}

impl Field {
    fn word(self) -> &'static str {
        Self::WORDS[self as usize]
    }

    /// The words that a field is limited to; none where any text will do.
    fn words(self) -> Option<Vec<&'static str>> {
        match self {
            Self::Interaction => Some(Interaction::ALL.iter().map(|kind| kind.as_str()).collect()),
            Self::SourceCategory => Some(Category::ALL.iter().map(|category| category.as_str()).collect()),
            _ => None,
        }
    }
}

/// When a rule applies: alternatives, each a list of tests that must all hold.
///
/// In settings a table is a list of tests, an array of tables lists alternatives. A test is a text (the field is that
/// text), a list of texts (it is one of them) or a table of operators, which must all hold:
///
/// | operator | holds when the field |
/// |---|---|
/// | `is`, `in` | is the text, or one of a list |
/// | `contains`, `starts`, `ends` | has the text (or one of a list) inside, in front, at the end |
/// | `matches` | matches a regular expression somewhere; anchor it with `^` and `$` |
/// | `is_set` | is known (`true`) or not (`false`) |
/// | `not` | does not pass the test that follows: a text, a list or a table |
///
/// Case never matters. Fields: `source`, `medium`, `campaign`, `term`, `content`, `page_host`, `page_path`, `referrer`,
/// `click_id_type`, `interaction` (the kinds of [`Interaction`]) and `source_category`
/// (`search`, `social`, `shopping`, `video`, `ai`).
#[derive(Clone, Debug)]
pub struct When(Vec<Vec<(Field, Test)>>);

#[derive(Clone, Debug)]
enum Test {
    Is(Vec<String>),
    Contains(Vec<String>),
    Starts(Vec<String>),
    Ends(Vec<String>),
    Matches(Vec<Regex>),
    IsSet(bool),
    Not(Vec<Test>),
}

impl When {
    /// Whether it holds; `get` gives a field in lower case, none where nothing is known.
    pub(crate) fn holds<'a>(&self, get: impl Fn(Field) -> Option<&'a str>) -> bool {
        self.0.iter().any(|all| all.iter().all(|(field, test)| test.holds(get(*field))))
    }

    /// The fields that it asks about.
    pub(crate) fn fields(&self) -> impl Iterator<Item = Field> {
        self.0.iter().flatten().map(|(field, _)| *field)
    }
}

impl Test {
    /// The order in descriptions.
    fn rank(&self) -> u8 {
        match self {
            Self::Is(_) => 0,
            Self::Contains(_) => 1,
            Self::Starts(_) => 2,
            Self::Ends(_) => 3,
            Self::Matches(_) => 4,
            Self::IsSet(_) => 5,
            Self::Not(_) => 6,
        }
    }

    fn holds(&self, value: Option<&str>) -> bool {
        let any = |words: &[String], test: fn(&str, &str) -> bool| {
            value.is_some_and(|value| words.iter().any(|word| test(value, word)))
        };
        match self {
            Self::Is(words) => any(words, |value, word| value == word),
            Self::Contains(words) => any(words, |value, word| value.contains(word)),
            Self::Starts(words) => any(words, |value, word| value.starts_with(word)),
            Self::Ends(words) => any(words, |value, word| value.ends_with(word)),
            Self::Matches(patterns) => value.is_some_and(|value| patterns.iter().any(|p| p.is_match(value))),
            // Placeholders in parentheses say that nothing is known.
            Self::IsSet(set) => {
                value.is_some_and(|value| !matches!(value, "(direct)" | "(none)" | "(not set)")) == *set
            }
            Self::Not(tests) => !tests.iter().all(|test| test.holds(value)),
        }
    }
}

impl fmt::Display for When {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (nth, all) in self.0.iter().enumerate() {
            f.write_str(if nth > 0 { " or " } else { "" })?;
            for (nth, (field, test)) in all.iter().enumerate() {
                write!(f, "{}{} {test}", if nth > 0 { " and " } else { "" }, field.word())?;
            }
        }
        Ok(())
    }
}

impl fmt::Display for Test {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut list = |verb: &str, words: &mut dyn Iterator<Item = &str>| {
            write!(f, "{verb} ")?;
            words.enumerate().try_for_each(|(nth, word)| write!(f, "{}{word:?}", if nth > 0 { " or " } else { "" }))
        };
        match self {
            Self::Is(words) => list("is", &mut words.iter().map(String::as_str)),
            Self::Contains(words) => list("contains", &mut words.iter().map(String::as_str)),
            Self::Starts(words) => list("starts with", &mut words.iter().map(String::as_str)),
            Self::Ends(words) => list("ends with", &mut words.iter().map(String::as_str)),
            Self::Matches(patterns) => list("matches", &mut patterns.iter().map(Regex::as_str)),
            Self::IsSet(true) => f.write_str("is set"),
            Self::IsSet(false) => f.write_str("is not set"),
            Self::Not(tests) => {
                f.write_str("not (")?;
                for (nth, test) in tests.iter().enumerate() {
                    write!(f, "{}{test}", if nth > 0 { " and " } else { "" })?;
                }
                f.write_str(")")
            }
        }
    }
}

impl<'de> Deserialize<'de> for When {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Alternatives;
        impl<'de> Visitor<'de> for Alternatives {
            type Value = When;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a table of conditions such as { medium = \"influencer\" }, or an array of such tables")
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<When, A::Error> {
                All::deserialize(MapAccessDeserializer::new(map)).map(|all| When(vec![all.0]))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<When, A::Error> {
                let mut alternatives = Vec::new();
                while let Some(All(all)) = seq.next_element()? {
                    alternatives.push(all);
                }
                if alternatives.is_empty() {
                    return Err(de::Error::custom("the rule has no condition, so it would never apply"));
                }
                Ok(When(alternatives))
            }
        }
        deserializer.deserialize_any(Alternatives)
    }
}

/// Tests that must all hold.
struct All(Vec<(Field, Test)>);

impl<'de> Deserialize<'de> for All {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Tests;
        impl<'de> Visitor<'de> for Tests {
            type Value = All;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a table of conditions such as { medium = \"influencer\" }")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<All, A::Error> {
                let mut all = Vec::new();
                while let Some(word) = map.next_key::<String>()? {
                    let Some(at) = Field::WORDS.iter().position(|known| *known == word) else {
                        return Err(de::Error::unknown_field(&word, Field::WORDS));
                    };
                    let field = Field::ALL[at];
                    for test in map.next_value_seed(TestsOf(field))? {
                        all.push((field, test));
                    }
                }
                if all.is_empty() {
                    return Err(de::Error::custom("the condition is empty, so it would match every touch"));
                }
                // The order in a table means nothing, and parsers differ in it; descriptions and fingerprints must not.
                all.sort_by_key(|(field, test)| (*field, test.rank()));
                Ok(All(all))
            }
        }
        deserializer.deserialize_map(Tests)
    }
}

/// The tests of one field: a text, a list of texts, or a table of operators.
struct TestsOf(Field);

impl<'de> de::DeserializeSeed<'de> for TestsOf {
    type Value = Vec<Test>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Vec<Test>, D::Error> {
        deserializer.deserialize_any(self)
    }
}

const OPERATORS: &[&str] = &["is", "in", "contains", "starts", "ends", "matches", "is_set", "not"];

impl<'de> Visitor<'de> for TestsOf {
    type Value = Vec<Test>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a text, a list of texts, or a table with one of {}", OPERATORS.join(", "))
    }

    fn visit_str<E: de::Error>(self, word: &str) -> Result<Vec<Test>, E> {
        Ok(vec![Test::Is(self.allowed(vec![word.to_lowercase()])?)])
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Vec<Test>, A::Error> {
        let mut words = Vec::new();
        while let Some(word) = seq.next_element::<String>()? {
            words.push(word.to_lowercase());
        }
        Ok(vec![Test::Is(self.allowed(words)?)])
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Vec<Test>, A::Error> {
        let mut tests = Vec::new();
        while let Some(operator) = map.next_key::<String>()? {
            tests.push(match operator.as_str() {
                "is" | "in" => Test::Is(self.allowed(lower(map.next_value()?))?),
                "contains" => Test::Contains(lower(map.next_value()?)),
                "starts" => Test::Starts(lower(map.next_value()?)),
                "ends" => Test::Ends(lower(map.next_value()?)),
                "matches" => Test::Matches(
                    map.next_value::<Texts>()?
                        .0
                        .iter()
                        .map(|p| compile(p))
                        .collect::<Result<_, _>>()
                        .map_err(de::Error::custom)?,
                ),
                "is_set" => Test::IsSet(map.next_value()?),
                "not" => Test::Not(map.next_value_seed(TestsOf(self.0))?),
                other => return Err(de::Error::unknown_field(other, OPERATORS)),
            });
        }
        if tests.is_empty() {
            return Err(de::Error::custom(format_args!(
                "`{}` has no operator; use {}",
                self.0.word(),
                OPERATORS.join(", ")
            )));
        }
        tests.sort_by_key(Test::rank);
        Ok(tests)
    }
}

impl TestsOf {
    fn allowed<E: de::Error>(&self, words: Vec<String>) -> Result<Vec<String>, E> {
        if words.is_empty() {
            return Err(E::custom(format_args!("`{}` has an empty list, so it would never match", self.0.word())));
        }
        if let Some(allowed) = self.0.words()
            && let Some(unknown) = words.iter().find(|word| !allowed.contains(&word.as_str()))
        {
            return Err(E::custom(format_args!("`{unknown}` is no {}; use {}", self.0.word(), allowed.join(", "))));
        }
        Ok(words)
    }
}

/// One text or a list of them.
struct Texts(Vec<String>);

fn lower(texts: Texts) -> Vec<String> {
    texts.0.iter().map(|text| text.to_lowercase()).collect()
}

impl<'de> Deserialize<'de> for Texts {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct OneOrMore;
        impl<'de> Visitor<'de> for OneOrMore {
            type Value = Texts;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a text or a list of texts")
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Texts, E> {
                Ok(Texts(vec![text.to_owned()]))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Texts, A::Error> {
                let mut texts = Vec::new();
                while let Some(text) = seq.next_element()? {
                    texts.push(text);
                }
                if texts.is_empty() {
                    return Err(de::Error::custom("the list is empty, so it would never match"));
                }
                Ok(Texts(texts))
            }
        }
        deserializer.deserialize_any(OneOrMore)
    }
}

/// A regular expression that ignores case; the engine bounds its size and runs in linear time.
fn compile(pattern: &str) -> Result<Regex, regex::Error> {
    RegexBuilder::new(pattern).case_insensitive(true).build()
}
