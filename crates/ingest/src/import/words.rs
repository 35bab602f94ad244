//! Texts that repeat, by number. What a column says again and again is kept once for an import; its rows hold numbers
//! of 16 bits until they are written. A column with too many texts, or a long one, holds them in its rows instead.
use super::columns::{DERIVED, Group, Text};
use arrow::array::StringArray;
use foldhash::fast::RandomState;
use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
};

/// How many texts of a column are numbered, and their bytes: some 20 MB for all columns, and as much for each thread.
const TEXTS_MAX: usize = 1 << 14;
const BYTES_MAX: usize = 1 << 20;
const TEXT_MAX: usize = 1 << 10;

/// The number of no text.
pub(crate) const NONE: u16 = 0;

type Numbers = HashMap<Arc<str>, u16, RandomState>;

#[derive(Default)]
struct Column {
    /// From now on its texts stay in the rows.
    closed: AtomicBool,
    known: Mutex<Known>,
}

#[derive(Default)]
struct Known {
    numbers: Numbers,
    /// The text of number `n` is at `n - 1`.
    texts: Vec<Arc<str>>,
    bytes: usize,
}

/// Groups by number; that of [`NONE`] says nothing.
struct Groups {
    numbers: HashMap<Group, u16, RandomState>,
    groups: Vec<Group>,
}

impl Default for Groups {
    fn default() -> Self {
        let nothing = [NONE; DERIVED.len()];
        Self { numbers: HashMap::from_iter([(nothing, NONE)]), groups: vec![nothing] }
    }
}

/// The numbered texts of an import, shared by its threads. Which number a text has depends on chance; it is never stored.
pub(crate) struct Words {
    columns: Vec<Column>,
    groups: Mutex<Groups>,
}

impl Words {
    pub(crate) fn new() -> Self {
        let columns = Text::ALL
            .iter()
            .map(|column| Column { closed: AtomicBool::new(!column.repeats()), known: Mutex::default() });
        Self { columns: columns.collect(), groups: Mutex::default() }
    }

    fn known(&self, column: Text) -> MutexGuard<'_, Known> {
        self.columns[column as usize].known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether new texts of the column are numbered.
    pub(crate) fn is_open(&self, column: Text) -> bool {
        !self.columns[column as usize].closed.load(Ordering::Relaxed)
    }

    /// The number of a text, a new one where it is new; `None` closes the column.
    fn number(&self, column: Text, text: &str) -> Option<(u16, Arc<str>)> {
        let known = &mut *self.known(column);
        if let Some((text, number)) = known.numbers.get_key_value(text) {
            return Some((*number, Arc::clone(text)));
        }
        let bytes = known.bytes + text.len();
        if !self.is_open(column) || known.texts.len() == TEXTS_MAX || bytes > BYTES_MAX || text.len() > TEXT_MAX {
            self.columns[column as usize].closed.store(true, Ordering::Relaxed);
            return None;
        }
        known.bytes = bytes;
        let text: Arc<str> = text.into();
        known.texts.push(Arc::clone(&text));
        let number = known.texts.len() as u16;
        known.numbers.insert(Arc::clone(&text), number);
        Some((number, text))
    }

    /// The number of a group, a new one where it is new; `None` when there are as many as numbers.
    pub(crate) fn group(&self, group: Group) -> Option<u16> {
        let Groups { numbers, groups } = &mut *self.groups.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(number) = numbers.get(&group) {
            return Some(*number);
        }
        let number = u16::try_from(groups.len()).ok()?;
        groups.push(group);
        numbers.insert(group, number);
        Some(number)
    }

    /// The group of number `n` at `n`.
    pub(crate) fn groups(&self) -> Vec<Group> {
        self.groups.lock().unwrap_or_else(PoisonError::into_inner).groups.clone()
    }

    /// The text of number `n` at `n`; that of [`NONE`] is empty.
    pub(crate) fn texts(&self, column: Text) -> StringArray {
        let known = self.known(column);
        StringArray::from_iter_values(std::iter::once("").chain(known.texts.iter().map(|text| &**text)))
    }
}

/// What one thread knows of the numbers, so that it seldom waits for others.
pub(crate) struct Numbered {
    words: Arc<Words>,
    columns: Vec<Numbers>,
}

impl Numbered {
    pub(crate) fn new(words: Arc<Words>) -> Self {
        Self { words, columns: vec![Numbers::default(); Text::ALL.len()] }
    }

    pub(crate) fn words(&self) -> &Words {
        &self.words
    }

    /// The number of a text; `None`: the column's texts are not numbered any more.
    #[inline]
    pub(crate) fn number(&mut self, column: Text, text: &str) -> Option<u16> {
        if text.is_empty() {
            return Some(NONE);
        }
        match self.columns[column as usize].get(text) {
            Some(number) => Some(*number),
            None => self.ask(column, text),
        }
    }

    /// Whether a text has a number that this thread gave before.
    #[inline]
    pub(crate) fn knows(&self, column: Text, text: &str) -> bool {
        text.is_empty() || self.columns[column as usize].contains_key(text)
    }

    #[cold]
    fn ask(&mut self, column: Text, text: &str) -> Option<u16> {
        if !self.words.is_open(column) {
            return None;
        }
        let (number, text) = self.words.number(column, text)?;
        self.columns[column as usize].insert(text, number);
        Some(number)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups_are_given_until_there_are_too_many() {
        let words = Words::new();
        let group = |number: u16| std::array::from_fn(|at| if at == 3 { number } else { NONE });
        for number in 0..=u16::MAX {
            assert_eq!(words.group(group(number)), Some(number));
        }
        assert_eq!(words.group(group(7)), Some(7));
        assert_eq!(words.group([1; DERIVED.len()]), None);
        assert_eq!(words.groups()[7], group(7));
    }

    #[test]
    fn numbers_are_given_until_there_are_too_many() {
        let words = Arc::new(Words::new());
        let (mut one, mut two) = (Numbered::new(Arc::clone(&words)), Numbered::new(Arc::clone(&words)));
        for number in 1..=TEXTS_MAX as u16 {
            assert_eq!(one.number(Text::Campaign, &format!("c{number}")), Some(number));
        }
        assert_eq!(two.number(Text::Campaign, "c7"), Some(7));
        assert_eq!(two.number(Text::Campaign, ""), Some(NONE));
        assert_eq!(two.number(Text::Campaign, "one more"), None);
        assert!(!words.is_open(Text::Campaign) && words.is_open(Text::Source));
        assert_eq!(words.texts(Text::Campaign).value(7), "c7");
        assert_eq!(one.number(Text::Source, &"x".repeat(TEXT_MAX + 1)), None);
        assert_eq!(one.number(Text::OrderId, "never"), None);
    }
}
