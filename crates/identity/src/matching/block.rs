//! Which pairs are looked at.
use super::{MatchError, Records};
use hashbrown::HashMap;
use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr};

/// Pairs are looked at that agree in all of these fields. In text: `surname`, `born+postcode:2`, where `:2` takes the
/// first two characters only.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Blocking {
    /// Fields, each with the number of characters that count; all of them where there is none.
    pub fields: Vec<(String, Option<u32>)>,
}

/// A block with more records than allowed: none of its pairs was looked at by this rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Skipped {
    /// The rule.
    pub rule: String,
    /// What its records agree in.
    pub value: String,
    /// How many they are.
    pub records: u64,
}

impl Blocking {
    /// Whether the rule looks at this field.
    pub(super) fn reads(&self, field: &str) -> bool {
        self.fields.iter().any(|(name, _)| name == field)
    }
}

/// The blocks of all rules.
pub(super) struct Blocks {
    /// By rule and record: number of the block + 1, 0 for none.
    of: Vec<Vec<u32>>,
    /// By rule: its blocks, each with its records in ascending order.
    members: Vec<Vec<Vec<u32>>>,
    pub(super) skipped: Vec<Skipped>,
}

impl Blocks {
    /// # Errors
    /// When a rule names a field that there is not.
    pub(super) fn new(records: &Records, rules: &[Blocking], most: u32) -> Result<Self, MatchError> {
        let mut blocks = Self { of: Vec::new(), members: Vec::new(), skipped: Vec::new() };
        for rule in rules {
            blocks.add(records, rule, most)?;
        }
        Ok(blocks)
    }

    fn add(&mut self, records: &Records, rule: &Blocking, most: u32) -> Result<(), MatchError> {
        let columns = rule
            .fields
            .iter()
            .map(|(field, start)| Ok((records.column(field)?, *start)))
            .collect::<Result<Vec<_>, MatchError>>()?;
        // The texts of one record's fields, cut off and kept apart by a character that values cannot begin with.
        let mut text = String::new();
        let mut numbers: HashMap<String, u32> = HashMap::new();
        let mut members: Vec<Vec<u32>> = Vec::new();
        let mut names = Vec::new();
        'records: for record in 0..records.len() as u32 {
            text.clear();
            for (place, (column, start)) in columns.iter().enumerate() {
                let Some(value) = column.value(record) else { continue 'records };
                let value = column.text(value);
                let end =
                    start.and_then(|start| value.char_indices().nth(start as usize)).map_or(value.len(), |end| end.0);
                if place > 0 {
                    text.push('\u{1f}');
                }
                text.push_str(&value[..end]);
            }
            let fresh = members.len() as u32;
            let block = *numbers.entry_ref(text.as_str()).or_insert(fresh);
            if block == fresh {
                members.push(Vec::new());
                names.push(text.clone());
            }
            members[block as usize].push(record);
        }
        let mut of = vec![0; records.len()];
        let mut kept = Vec::new();
        for (block, name) in members.into_iter().zip(names) {
            if block.len() > most as usize {
                let value = name.replace('\u{1f}', " + ");
                self.skipped.push(Skipped { rule: rule.to_string(), value, records: block.len() as u64 });
            } else if block.len() > 1 {
                kept.push(block);
                for &record in &kept[kept.len() - 1] {
                    of[record as usize] = kept.len() as u32;
                }
            }
        }
        self.of.push(of);
        self.members.push(kept);
        Ok(())
    }

    /// By rule: how many pairs it makes.
    pub(super) fn pairs(&self) -> Vec<u64> {
        let pairs = |block: &Vec<u32>| block.len() as u64 * (block.len() as u64 - 1) / 2;
        self.members.iter().map(|blocks| blocks.iter().map(pairs).sum()).collect()
    }

    /// Every block, with its rule.
    pub(super) fn each(&self) -> Vec<(usize, &[u32])> {
        let of_rule = |(rule, blocks)| std::iter::repeat(rule).zip(blocks);
        self.members
            .iter()
            .enumerate()
            .flat_map(of_rule)
            .map(|(rule, block): (usize, &Vec<u32>)| (rule, &block[..]))
            .collect()
    }

    /// The rules under which two records share a block, as bits.
    pub(super) fn rules(&self, a: u32, b: u32) -> u32 {
        let shared = |of: &Vec<u32>| of[a as usize] != 0 && of[a as usize] == of[b as usize];
        self.of.iter().enumerate().filter(|(_, of)| shared(of)).fold(0, |bits, (rule, _)| bits | 1 << rule)
    }
}

impl FromStr for Blocking {
    type Err = MatchError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let wrong = || MatchError::Blocking(text.to_owned());
        let field = |part: &str| {
            let (field, start) = match part.split_once(':') {
                None => (part, None),
                Some((field, start)) => {
                    (field, Some(start.trim().parse().ok().filter(|&start| start > 0).ok_or_else(wrong)?))
                }
            };
            let field = field.trim();
            if field.is_empty() { Err(wrong()) } else { Ok((field.to_owned(), start)) }
        };
        Ok(Self { fields: text.split('+').map(field).collect::<Result<_, _>>()? })
    }
}

impl fmt::Display for Blocking {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, (field, start)) in self.fields.iter().enumerate() {
            write!(f, "{}{field}", if place > 0 { "+" } else { "" })?;
            if let Some(start) = start {
                write!(f, ":{start}")?;
            }
        }
        Ok(())
    }
}

impl TryFrom<String> for Blocking {
    type Error = MatchError;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<Blocking> for String {
    fn from(blocking: Blocking) -> Self {
        blocking.to_string()
    }
}
