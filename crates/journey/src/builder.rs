//! From a stream of sorted events to their places in journeys and the rows of four tables, one person at a time.
use crate::convert::{Conversion, Converter};
use crate::input::{Chunk, Field, PersonRows, Place, RowRef, id_of};
use crate::lookback::{Goalpost, Outcome, Touch};
use crate::orders::SharedOrders;
use crate::output::{Rows, channel_of};
use crate::rules::Windows;
use crate::session::{NO_SESSION, Session, Sessioniser};
use crate::{Error, Findings, JourneyBatches, JourneyRules};
use arrow::array::RecordBatch;
use safar_model::Interaction;

/// Builds sessions, touchpoints, conversions and paths from events sorted by `(person_id, occurred_at)`.
///
/// Holds the batches of the person it is reading and the rows not yet taken, nothing else: memory is bounded by the
/// largest person and by how often [`JourneyBuilder::take`] is called. The result depends on neither the size of the
/// batches nor on other people. Rows of one person at one instant keep the order in which they come.
///
/// - A *session* is a run of on-site events: visits, clicks, and other events with a page. Its source is that of its first
///   event which has one; a payment or login provider, which enrichment calls direct, does not change it.
/// - The *place* of an event is its number among its person's events and the session that runs when it happens: its own, or
///   for an event elsewhere the one that has not been idle too long.
/// - A *touchpoint* is a session, or one contact outside of sessions: an impression, e-mail, call, store visit, or a
///   click without a page, or a visit without one whose channel was stated by the import. A session's touch happens when it starts.
/// - A *conversion* is an event that reaches a goal. An order counts once a goal: the first event wins, also where several people
///   told of it ([`SharedOrders`]). A conversion counts in the session that runs when it happens, also when its event came from
///   elsewhere (a server).
/// - A *refund* reduces the conversion with its order id, by its value, or by all where it has none; told again, it counts once:
///   the same number, or the same amount within a day. One whose order is unknown becomes a row with gross value 0,
///   and a path without touches and without a conversion, so that money adds up ([`Findings::orphan_refunds`]).
/// - A *path* is the touches before one conversion inside its windows, oldest first; people without a conversion of a
///   goal have a null path that ends at their last touch.
#[derive(Debug)]
pub struct JourneyBuilder {
    chunks: Vec<Chunk>,
    rows: Vec<RowRef>,
    person: i64,
    last: Option<(i64, i64)>,
    sessioniser: Sessioniser,
    converter: Converter,
    goals: Vec<(String, Windows)>,
    scratch: Scratch,
    out: Rows,
    findings: Findings,
}

/// One person's intermediate results; kept to reuse the memory.
#[derive(Debug, Default)]
struct Scratch {
    sessions: Vec<Session>,
    session_ids: Vec<i64>,
    running: Vec<u32>,
    conversions: Vec<Conversion>,
    conversion_ids: Vec<i64>,
    touches: Vec<Touch>,
    touch_ids: Vec<i64>,
    posts: Vec<Goalpost>,
    outcomes: Vec<Outcome>,
    order: Vec<(i64, u32, u32)>,
    bytes: Vec<u8>,
}

impl JourneyBuilder {
    /// A builder by these rules.
    ///
    /// # Errors
    /// When the time zone is unknown, or goals share a name or have no condition.
    pub fn new(rules: &JourneyRules) -> Result<Self, Error> {
        Self::with_shared_orders(rules, &SharedOrders::new())
    }

    /// A builder that knows which orders, and which refunds, other people's events told of.
    ///
    /// # Errors
    /// As [`JourneyBuilder::new`].
    pub fn with_shared_orders(rules: &JourneyRules, orders: &SharedOrders) -> Result<Self, Error> {
        let zone =
            jiff::tz::TimeZone::get(&rules.time_zone).map_err(|_| Error::TimeZone { name: rules.time_zone.clone() })?;
        let goals = rules.goals.iter();
        Ok(Self {
            chunks: vec![],
            rows: vec![],
            person: 0,
            last: None,
            sessioniser: Sessioniser::new(rules.sessions.cuts(), zone),
            converter: Converter::new(rules, orders)?,
            goals: goals
                .map(|goal| (goal.name.clone(), goal.windows.as_ref().unwrap_or(&rules.windows).clone()))
                .collect(),
            scratch: Scratch::default(),
            out: Rows::default(),
            findings: Findings::default(),
        })
    }

    /// Reads the next batch: at least [`crate::INPUT_COLUMNS`].
    ///
    /// # Errors
    /// When a column is missing or of another type, or rows are out of order. Nothing of the batch counts then.
    pub fn push(&mut self, batch: &RecordBatch) -> Result<(), Error> {
        let chunk = Chunk::new(batch)?;
        let (people, times) = (chunk.person.values().clone(), chunk.at.values().clone());
        let mut last = self.last;
        for (person, at) in people.iter().zip(times.iter()) {
            if let Some((previous_person, previous_at)) = last
                && (*person, *at) < (previous_person, previous_at)
            {
                return Err(Error::Unsorted { person: *person, at: *at, previous_person, previous_at });
            }
            last = Some((*person, *at));
        }
        self.last = last;
        self.chunks.push(chunk);
        for (row, person) in people.iter().enumerate() {
            if *person != self.person {
                self.flush();
                self.person = *person;
            }
            self.rows.push(RowRef::new(&self.chunks, self.chunks.len() - 1, row));
        }
        self.forget_read_chunks();
        Ok(())
    }

    /// The rows of everyone who has been read completely, and forgets them.
    ///
    /// # Errors
    /// When Arrow refuses the arrays.
    pub fn take(&mut self) -> Result<JourneyBatches, Error> {
        self.out.take()
    }

    /// How many rows wait to be taken, over all tables.
    #[must_use]
    pub fn waiting_rows(&self) -> usize {
        self.out.len()
    }

    /// The rest, and what deserves attention.
    ///
    /// # Errors
    /// When Arrow refuses the arrays.
    pub fn finish(mut self) -> Result<(JourneyBatches, Findings), Error> {
        self.flush();
        Ok((self.out.take()?, self.findings))
    }

    /// Drops the batches that only people already written were in.
    fn forget_read_chunks(&mut self) {
        let first = self.rows.first().map_or(self.chunks.len() as u32, |at| at.chunk);
        if first > 0 {
            self.chunks.drain(..first as usize);
            for at in &mut self.rows {
                at.chunk -= first;
            }
        }
    }

    /// Writes the current person.
    fn flush(&mut self) {
        if self.rows.is_empty() {
            return;
        }
        let rows = PersonRows { person: self.person, chunks: &self.chunks, rows: &self.rows };
        let scratch = &mut self.scratch;
        self.sessioniser.run(rows, &mut scratch.sessions, &mut scratch.running);
        self.converter.run(rows, &scratch.running, &mut scratch.conversions, &mut self.findings);
        scratch.write_sessions(rows, &mut self.out);
        scratch.write_places(&mut self.out);
        scratch.write_touches(rows, &mut self.out);
        scratch.write_conversions(rows, &self.goals, &mut self.out);
        scratch.write_paths(rows, &self.goals, &mut self.out);
        self.rows.clear();
    }
}

impl Scratch {
    fn write_sessions(&mut self, rows: PersonRows<'_>, out: &mut Rows) {
        for conversion in self.conversions.iter().filter(|conversion| !conversion.is_orphan_refund) {
            if let Some(session) = self.sessions.get_mut(self.running[conversion.seq as usize] as usize) {
                session.conversions += 1;
                session.value += conversion.gross - conversion.refunded;
            }
        }
        self.session_ids.clear();
        for session in &self.sessions {
            let id = id_of(&mut self.bytes, "session", rows.person, rows.get(session.first_seq as usize).id());
            self.session_ids.push(id);
            out.session(rows, session, id);
        }
    }

    fn write_places(&self, out: &mut Rows) {
        for (running, step) in self.running.iter().zip(1..) {
            out.place(step, self.session_ids.get(*running as usize).copied());
        }
    }

    fn write_touches(&mut self, rows: PersonRows<'_>, out: &mut Rows) {
        self.touches.clear();
        self.touch_ids.clear();
        let mut next_session = 0;
        for (seq, event) in rows.iter().enumerate() {
            let session = self.sessions.get(next_session).filter(|session| session.first_seq as usize == seq);
            let (source_seq, kind, session_id) = if let Some(session) = session {
                next_session += 1;
                let is_click = event.text(Field::ClickId).is_some() || event.interaction() == Interaction::Click;
                let kind = if is_click { Interaction::Click } else { Interaction::Visit };
                (session.source_seq, kind, Some(self.session_ids[next_session - 1]))
            } else if event.place() == Place::Alone {
                let running = self.running[seq];
                let session_id = (running != NO_SESSION).then(|| self.session_ids[running as usize]);
                (seq as u32, event.interaction(), session_id)
            } else {
                continue;
            };
            let id = id_of(&mut self.bytes, "touch", rows.person, event.id());
            let touch = Touch { at: event.at(), seq: seq as u32, source_seq, kind };
            self.touches.push(touch);
            self.touch_ids.push(id);
            out.touch(rows, &touch, id, session_id);
        }
    }

    fn write_conversions(&mut self, rows: PersonRows<'_>, goals: &[(String, Windows)], out: &mut Rows) {
        self.conversion_ids.clear();
        for conversion in &self.conversions {
            let goal = &goals[conversion.goal as usize].0;
            let id = id_of(&mut self.bytes, goal, rows.person, rows.get(conversion.seq as usize).id());
            self.conversion_ids.push(id);
            out.conversion(rows, conversion, goal, id);
        }
    }

    fn write_paths(&mut self, rows: PersonRows<'_>, goals: &[(String, Windows)], out: &mut Rows) {
        self.outcomes.clear();
        self.order.clear();
        for (goal, (_, windows)) in goals.iter().enumerate() {
            self.posts.clear();
            for (index, conversion) in
                self.conversions.iter().enumerate().filter(|(_, found)| found.goal as usize == goal)
            {
                let Conversion { at, seq, is_orphan_refund, .. } = *conversion;
                self.posts.push(Goalpost { at, seq, conversion: index as u32, is_orphan_refund });
            }
            let first = self.outcomes.len();
            windows.outcomes(&self.touches, &mut self.posts, &mut self.outcomes);
            let new = self.outcomes[first..].iter().enumerate();
            self.order.extend(new.map(|(offset, outcome)| (outcome.at, goal as u32, (first + offset) as u32)));
        }
        self.order.sort_unstable();
        for (_, goal, index) in &self.order {
            let outcome = self.outcomes[*index as usize];
            let (name, windows) = &goals[*goal as usize];
            let conversion = outcome
                .conversion
                .map(|index| (&self.conversions[index as usize], self.conversion_ids[index as usize]));
            out.open_path(rows.person, outcome.at, name, conversion);
            let span = outcome.start as usize..outcome.end as usize;
            for (touch, id) in self.touches[span.clone()].iter().zip(&self.touch_ids[span]) {
                if windows.holds(touch, outcome.at) {
                    let channel = channel_of(&rows.get(touch.source_seq as usize), touch.kind);
                    out.step(channel, *id, outcome.at - touch.at);
                }
            }
            out.close_path();
        }
    }
}
