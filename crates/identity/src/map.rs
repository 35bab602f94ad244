//! Which person an identifier belongs to, and when.
use crate::{
    EventIds, IdentitySettings,
    ids::{Ids, WARM, key},
};
use hashbrown::HashMap;
use safar_model::Micros;
use std::{collections::BTreeSet, sync::Arc};

/// Identifier → person over time. At every instant an identifier has exactly one person: one that no link names is its
/// own person, with its own key as id.
#[derive(Clone, Debug)]
pub struct PersonMap {
    ids: Arc<Ids>,
    /// By id.
    pub(crate) owners: Vec<Owner>,
    pub(crate) timelines: Timelines,
    /// Columns of [`EventIds`] that name persons, strongest first.
    order: [usize; 4],
    /// By column of [`EventIds`]: the namespace's number, where any link names it.
    spaces: [Option<u16>; 5],
}

/// A person for all time, or (negative) the complement of a timeline's number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Owner(i64);

impl Owner {
    pub(crate) fn one(person: i64) -> Self {
        Self(person)
    }

    /// The person, where there is one for all time.
    pub(crate) fn always(self) -> i64 {
        self.0
    }
}

/// From when on, and who.
pub(crate) type Step = (Micros, i64);

/// Owners that change: for each timeline, steps of (from, person), the first from `Micros::MIN`.
#[derive(Clone, Debug, Default)]
pub(crate) struct Timelines {
    steps: Vec<Step>,
    ends: Vec<usize>,
    /// How many steps nobody has any more.
    stale: usize,
}

impl Timelines {
    /// Takes steps in the order of time; before the first step `before` owns.
    pub(crate) fn push(&mut self, steps: &[Step], before: i64) -> Owner {
        let start = self.steps.len();
        let lead = (Micros::MIN, before);
        for &(from, person) in std::iter::once(&lead).chain(steps) {
            if self.steps.len() > start && self.steps[self.steps.len() - 1].0 == from {
                self.steps.pop();
            }
            if self.steps[start..].last().is_none_or(|last| last.1 != person) {
                self.steps.push((from, person));
            }
        }
        if let [(_, person)] = self.steps[start..] {
            self.steps.truncate(start);
            return Owner(person);
        }
        self.ends.push(self.steps.len());
        Owner(!(self.ends.len() as i64 - 1))
    }

    fn several(&self, owner: Owner) -> &[Step] {
        if owner.0 >= 0 {
            return &[];
        }
        let timeline = !owner.0 as usize;
        let start = timeline.checked_sub(1).map_or(0, |before| self.ends[before]);
        &self.steps[start..self.ends[timeline]]
    }

    /// Who owns from when, the first from `Micros::MIN`.
    pub(crate) fn steps(&self, owner: Owner) -> impl Iterator<Item = Step> + Clone + '_ {
        let always = (owner.0 >= 0).then_some((Micros::MIN, owner.0));
        always.into_iter().chain(self.several(owner).iter().copied())
    }

    /// The same timelines without those that none of `owners` has.
    fn compact(&mut self, owners: &mut [Owner]) {
        let (mut fresh, mut known) = (Self::default(), HashMap::new());
        for owner in owners.iter_mut().filter(|owner| owner.0 < 0) {
            *owner = *known.entry(owner.0).or_insert_with(|| {
                let steps = self.several(*owner);
                fresh.push(steps, steps[0].1)
            });
        }
        *self = fresh;
    }

    fn at(&self, owner: Owner, at: Micros) -> i64 {
        if owner.0 >= 0 {
            return owner.0;
        }
        let steps = self.several(owner);
        // The first step starts at `Micros::MIN`, so there is always one before.
        steps[steps.partition_point(|step| step.0 <= at).saturating_sub(1)].1
    }
}

/// One row of the table `persons`, its version left to the caller.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct PersonRow<'a> {
    /// The person.
    pub person_id: i64,
    /// The identifier's namespace.
    pub namespace: &'a str,
    /// The identifier.
    pub identifier: &'a str,
    /// From when the identifier is this person's (inclusive); absent: always before `valid_to`.
    pub valid_from: Option<Micros>,
    /// Until when (exclusive); absent: always after `valid_from`.
    pub valid_to: Option<Micros>,
}

/// Rows that are no map.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MapError {
    /// Two rows claim the identifier at one instant.
    #[error("{0} `{1}` has two persons at one instant; keep the rows of one version only")]
    Overlap(String, String),
    /// A person id that no identifier can have.
    #[error("{0} `{1}` has the person id {2}; ids are not negative")]
    Negative(String, String, i64),
    /// More identifiers than the crate can count.
    #[error("the map is full: it holds 4,294,967,295 identifiers in 65,536 namespaces")]
    Full,
}

impl PersonMap {
    pub(crate) fn new(ids: Arc<Ids>, owners: Vec<Owner>, timelines: Timelines, settings: &IdentitySettings) -> Self {
        let columns = EventIds::default().columns();
        let mut order = [0, 1, 2, 3];
        order.sort_by_key(|&column| settings.rank(columns[column].0));
        let mut map = Self { ids: Arc::default(), owners, timelines, order, spaces: [None; 5] };
        map.take_ids(ids);
        map
    }

    /// Gives the identifiers back to the graph, which is about to add some.
    pub(crate) fn lend_ids(&mut self) {
        self.ids = Arc::default();
    }

    /// Takes identifiers, each with the number it has; new ones are their own person.
    pub(crate) fn take_ids(&mut self, ids: Arc<Ids>) {
        let fresh = self.owners.len() as u32..ids.len() as u32;
        self.owners.extend(fresh.map(|id| Owner::one(ids.key(id))));
        self.spaces = EventIds::default().columns().map(|(namespace, _)| ids.space_of(namespace));
        self.ids = ids;
    }

    /// Whether an identifier has other persons than its owner `before`, who has it no more; all of them are then in
    /// `changed`.
    pub(crate) fn replaced(&mut self, id: u32, before: Owner, changed: &mut BTreeSet<i64>) -> bool {
        self.timelines.stale += self.timelines.several(before).len();
        let (old, new) = (self.timelines.steps(before), self.timelines.steps(self.owners[id as usize]));
        let differs = !new.clone().eq(old.clone());
        if differs {
            changed.extend(old.chain(new).map(|step| step.1));
        }
        differs
    }

    /// Forgets timelines that nobody has, once there are so many that looking at every owner is worth it.
    pub(crate) fn drop_stale(&mut self) {
        if self.timelines.stale > (self.timelines.steps.len() + self.owners.len()) / 2 {
            self.timelines.compact(&mut self.owners);
        }
    }

    /// A map without identifiers: everyone is their own person.
    #[must_use]
    pub fn empty(settings: &IdentitySettings) -> Self {
        Self::new(Arc::default(), Vec::new(), Timelines::default(), settings)
    }

    /// Reads back the rows of one version ([`PersonMap::rows`]), in any order. Where no row claims an identifier it is
    /// its own person.
    ///
    /// # Errors
    /// When two rows claim an identifier at one instant, or a person id is negative.
    pub fn from_rows<'a>(
        rows: impl IntoIterator<Item = PersonRow<'a>>,
        settings: &IdentitySettings,
    ) -> Result<Self, MapError> {
        let mut ids = Ids::default();
        let mut spans = Vec::new();
        let (mut rows, mut some, mut keys) = (rows.into_iter(), Vec::with_capacity(WARM), Vec::with_capacity(WARM));
        loop {
            some.clear();
            some.extend(rows.by_ref().take(WARM));
            if some.is_empty() {
                break;
            }
            keys.clear();
            keys.extend(some.iter().map(|row| key(row.namespace, row.identifier)));
            ids.warm(&keys);
            for (row, &key) in some.iter().zip(&keys) {
                let space = ids.intern_space(row.namespace).ok_or(MapError::Full)?;
                let id = ids.intern(space, key, row.identifier, Micros::MIN).ok_or(MapError::Full)?;
                if row.person_id < 0 {
                    return Err(MapError::Negative(row.namespace.into(), row.identifier.into(), row.person_id));
                }
                let (from, to) = (row.valid_from.unwrap_or(Micros::MIN), row.valid_to.unwrap_or(Micros::MAX));
                spans.push((id, from, to, row.person_id));
            }
        }
        spans.sort_unstable();
        let (mut timelines, mut owners, mut steps) = (Timelines::default(), Vec::with_capacity(ids.len()), Vec::new());
        for spans in spans.chunk_by(|x, y| x.0 == y.0) {
            let own = ids.key(spans[0].0);
            steps.clear();
            let mut covered = Micros::MIN;
            for &(id, from, to, person) in spans {
                if from < covered || to <= from {
                    let (namespace, identifier) = ids.get(id);
                    return Err(MapError::Overlap(namespace.to_owned(), identifier.to_owned()));
                }
                steps.extend((covered < from).then_some((covered, own)));
                steps.push((from, person));
                covered = to;
            }
            steps.extend((covered < Micros::MAX).then_some((covered, own)));
            owners.push(timelines.push(&steps, own));
        }
        Ok(Self::new(Arc::new(ids), owners, timelines, settings))
    }

    /// How many identifiers it knows.
    #[must_use]
    pub fn len(&self) -> usize {
        self.owners.len()
    }

    /// Whether it knows none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.owners.is_empty()
    }

    pub(crate) fn owner(&self, id: u32, at: Micros) -> i64 {
        self.timelines.at(self.owners[id as usize], at)
    }

    /// Every person that the identifier ever belongs to, in the order of time; empty where no link names it.
    #[must_use]
    pub fn people_of(&self, namespace: &str, identifier: &str) -> Vec<i64> {
        let Some(id) = self.ids.find(namespace, identifier) else { return Vec::new() };
        self.timelines.steps(self.owners[id as usize]).map(|step| step.1).collect()
    }

    /// Those of `people` to whom any identifier ever belongs.
    #[must_use]
    pub fn owners_among(&self, people: &BTreeSet<i64>) -> BTreeSet<i64> {
        let steps = self.owners.iter().flat_map(|owner| self.timelines.steps(*owner));
        steps.map(|step| step.1).filter(|person| people.contains(person)).collect()
    }

    /// Every identifier that ever belongs to the person, in no order.
    pub(crate) fn members(&self, person: i64) -> impl Iterator<Item = (&str, &str)> {
        let owned = move |&(_, &owner): &(u32, &Owner)| self.timelines.steps(owner).any(|step| step.1 == person);
        (0_u32..).zip(&self.owners).filter(owned).map(|(id, _)| self.ids.get(id))
    }

    /// The person of an identifier at an instant; `None` where no link names it (it is then its own person, with the
    /// id [`safar_model::key_of`]).
    #[must_use]
    pub fn person(&self, namespace: &str, identifier: &str, at: Micros) -> Option<i64> {
        self.ids.find(namespace, identifier).map(|id| self.owner(id, at))
    }

    /// The person of an event. An identifier of a person (user, crm, e-mail, phone, by priority) wins over the device:
    /// the first that any link names, else the first there is. Without one, the device's owner at that time, else the
    /// device itself. `None` where the event has no identifier.
    #[must_use]
    pub fn person_of(&self, ids: &EventIds<'_>, at: Micros) -> Option<i64> {
        let columns = ids.columns();
        let mut unknown = None;
        let device = columns.len() - 1;
        for column in self.order.into_iter().chain([device]) {
            let (namespace, Some(identifier)) = columns[column] else { continue };
            if column == device && unknown.is_some() {
                break;
            }
            if let Some(id) = self.spaces[column].and_then(|space| self.ids.find_in(space, namespace, identifier)) {
                return Some(self.owner(id, at));
            }
            unknown = unknown.or(Some((namespace, identifier)));
        }
        unknown.map(|(namespace, identifier)| key(namespace, identifier))
    }

    /// Every identifier with its persons, one row an interval, ordered by person, namespace, identifier and time.
    #[must_use]
    pub fn rows(&self) -> Vec<PersonRow<'_>> {
        let mut rows = Vec::with_capacity(self.len());
        for (id, &owner) in (0_u32..).zip(&self.owners) {
            let (namespace, identifier) = self.ids.get(id);
            let mut steps = self.timelines.steps(owner).peekable();
            while let Some((from, person_id)) = steps.next() {
                let valid_from = (from > Micros::MIN).then_some(from);
                let valid_to = steps.peek().map(|next| next.0);
                rows.push(PersonRow { person_id, namespace, identifier, valid_from, valid_to });
            }
        }
        rows.sort_unstable();
        rows
    }

    /// The persons whose identifiers differ between two maps, on either side and in any interval, ascending: what must
    /// be rebuilt when `old` gives way to `new`.
    #[must_use]
    pub fn diff(old: &Self, new: &Self) -> Vec<i64> {
        let mut dirty = BTreeSet::new();
        Self::beside(old, new, |_, before, after| {
            if before != after {
                dirty.extend(before.iter().chain(after).map(|step| step.1));
            }
        });
        dirty.into_iter().collect()
    }

    /// Tells of each identifier that either map knows who owns it from when, before and after. Those of `new` come first,
    /// in their own order.
    pub(crate) fn beside(old: &Self, new: &Self, mut each: impl FnMut((&str, &str), &[Step], &[Step])) {
        let (mut before, mut after) = (Vec::new(), Vec::new());
        let alone = |map: &Self, id: u32| (Micros::MIN, map.ids.key(id));
        let spaces: Vec<Option<u16>> = new.ids.spaces().iter().map(|name| old.ids.space_of(name)).collect();
        let (mut met, mut keys) = (vec![false; old.len()], Vec::with_capacity(WARM));
        for (owners, first) in new.owners.chunks(WARM).zip((0_u32..).step_by(WARM)) {
            keys.clear();
            keys.extend((first..).take(owners.len()).map(|id| new.ids.key(id)));
            old.ids.warm(&keys);
            for ((id, &owner), &key) in (first..).zip(owners).zip(&keys) {
                let (namespace, identifier) = new.ids.get(id);
                let space = spaces[usize::from(new.ids.space(id))];
                before.clear();
                match space.and_then(|space| old.ids.find_key(space, key, identifier)) {
                    None => before.push(alone(new, id)),
                    Some(known) => {
                        met[known as usize] = true;
                        before.extend(old.timelines.steps(old.owners[known as usize]));
                    }
                }
                after.clear();
                after.extend(new.timelines.steps(owner));
                each((namespace, identifier), &before, &after);
            }
        }
        for ((id, &owner), met) in (0_u32..).zip(&old.owners).zip(met) {
            let (namespace, identifier) = old.ids.get(id);
            if !met {
                before.clear();
                before.extend(old.timelines.steps(owner));
                each((namespace, identifier), &before, &[alone(old, id)]);
            }
        }
    }
}
