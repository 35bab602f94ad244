//! Identifiers that are resolved together: all of them, or what new links can reach.
use hashbrown::HashMap;

/// Dense numbers for identifiers.
pub(crate) trait Numbers {
    fn len(&self) -> usize;
    /// The number of an identifier that has one.
    fn of(&self, id: u32) -> u32;
    /// The identifier of a number.
    fn id(&self, number: u32) -> u32;
}

/// Every identifier there is.
pub(crate) struct All(pub(crate) usize);

impl Numbers for All {
    fn len(&self) -> usize {
        self.0
    }

    fn of(&self, id: u32) -> u32 {
        id
    }

    fn id(&self, number: u32) -> u32 {
        number
    }
}

/// Some identifiers, in the order in which they were reached.
#[derive(Default)]
pub(crate) struct Part {
    pub(crate) ids: Vec<u32>,
    numbers: HashMap<u32, u32>,
}

impl Part {
    pub(crate) fn insert(&mut self, id: u32) {
        let fresh = self.ids.len() as u32;
        if *self.numbers.entry(id).or_insert(fresh) == fresh {
            self.ids.push(id);
        }
    }
}

impl Numbers for Part {
    fn len(&self) -> usize {
        self.ids.len()
    }

    fn of(&self, id: u32) -> u32 {
        self.numbers[&id]
    }

    fn id(&self, number: u32) -> u32 {
        self.ids[number as usize]
    }
}
