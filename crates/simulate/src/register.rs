//! Customer lists with typing errors: what probable matches are tried on.
use crate::dice::Dice;

const GIVEN: [&str; 24] = [
    "anna",
    "jonas",
    "maria",
    "peter",
    "sofia",
    "lukas",
    "emma",
    "karim",
    "laila",
    "omid",
    "greta",
    "pawel",
    "agnieszka",
    "bjorn",
    "sigrun",
    "hassan",
    "yusuf",
    "nadia",
    "clara",
    "felix",
    "irene",
    "tomas",
    "helena",
    "viktor",
];
const SYLLABLES: [&str; 16] =
    ["ber", "lin", "mar", "kov", "ste", "fan", "dor", "hal", "nor", "wick", "tan", "ros", "gul", "mann", "son", "sen"];
const TOWNS: [&str; 12] =
    ["hull", "york", "leeds", "bonn", "trier", "ulm", "gdansk", "lodz", "akureyri", "shiraz", "tabriz", "fez"];

/// The fields of an [`Entry`], in order.
pub const REGISTER_FIELDS: [&str; 6] = ["given_name", "surname", "born", "street", "town", "postcode"];

/// A list in which some people are more than once, with errors.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Register {
    /// How many people.
    pub people: u32,
    /// Equal seeds give equal lists.
    pub seed: u64,
}

/// A record of the list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The values of [`REGISTER_FIELDS`].
    pub values: [Option<String>; 6],
    /// Who it really is.
    pub person: u32,
}

impl Register {
    /// Every record: two people in five are in the list twice or three times; in a repeated record one field in eight has a
    /// typing error, one in twelve is missing, and one person in fifteen has moved.
    #[must_use]
    pub fn entries(&self) -> Vec<Entry> {
        let mut dice = Dice::new(self.seed);
        let mut entries = Vec::new();
        for person in 0..self.people {
            let own = values(&mut dice);
            for copy in 0..=dice.weighted(&[0.6, 0.3, 0.1]) {
                let mut values = own.clone();
                if copy > 0 {
                    spoil(&mut dice, &mut values);
                }
                entries.push(Entry { values, person });
            }
        }
        entries
    }
}

pub(crate) fn values(dice: &mut Dice) -> [Option<String>; 6] {
    let given = (*dice.pick(&GIVEN)).to_owned();
    let surname = (0..dice.between(2, 3)).map(|_| *dice.pick(&SYLLABLES)).collect();
    let born = format!("{}-{:02}-{:02}", dice.between(1930, 2005), dice.between(1, 12), dice.between(1, 28));
    let [street, town, postcode] = address(dice);
    [given, surname, born, street, town, postcode].map(Some)
}

fn address(dice: &mut Dice) -> [String; 3] {
    let street = (0..2).map(|_| *dice.pick(&SYLLABLES)).collect::<String>();
    let town = dice.below(TOWNS.len() as u64);
    let postcode = format!("{}", 10_000 + 1_000 * town + dice.below(200));
    [format!("{street} street {}", dice.between(1, 90)), TOWNS[town as usize].to_owned(), postcode]
}

pub(crate) fn spoil(dice: &mut Dice, values: &mut [Option<String>; 6]) {
    if dice.chance(1.0 / 15.0) {
        for (value, new) in values[3..].iter_mut().zip(address(dice)) {
            *value = Some(new);
        }
    }
    for value in values {
        if dice.chance(1.0 / 12.0) {
            *value = None;
        } else if dice.chance(1.0 / 8.0) {
            *value = value.take().map(|text| typo(dice, text));
        }
    }
}

/// A character left out, doubled, exchanged with the next or replaced.
pub(crate) fn typo(dice: &mut Dice, text: String) -> String {
    let mut letters: Vec<char> = text.chars().collect();
    let at = dice.below(letters.len() as u64) as usize;
    match dice.below(4) {
        0 if letters.len() > 1 => drop(letters.remove(at)),
        1 => letters.insert(at, letters[at]),
        2 if at + 1 < letters.len() => letters.swap(at, at + 1),
        _ => letters[at] = *dice.pick(&['a', 'e', 'n', 's', '1', '7']),
    }
    letters.into_iter().collect()
}
