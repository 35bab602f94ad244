//! Paths: which touches lie before a conversion, inside its look-back windows.
use crate::rules::{NullPaths, Windows};
use safar_model::{Interaction, Micros};

/// A contact that can earn credit; the numbers called `seq` are places in the person's rows.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Touch {
    pub at: Micros,
    /// Its event.
    pub seq: u32,
    /// The event that says where the person came from: another one where a session begins without a source.
    pub source_seq: u32,
    pub kind: Interaction,
}

/// What the touches led to: a conversion, or nothing.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Outcome {
    pub at: Micros,
    /// Index of the person's conversion.
    pub conversion: Option<u32>,
    /// Its touches in the caller's list, `start..end`; those out of reach are left out when the path is written.
    pub start: u32,
    pub end: u32,
}

/// A conversion's place in the person's rows.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Goalpost {
    pub at: Micros,
    pub seq: u32,
    pub conversion: u32,
    /// An orphan refund takes no touches with it and gets none.
    pub is_orphan_refund: bool,
}

impl Windows {
    /// Whether a touch counts for an outcome at `at`.
    pub(crate) fn holds(&self, touch: &Touch, at: Micros) -> bool {
        self.reach_us(touch.kind.is_view()).is_some_and(|reach| at - touch.at <= reach)
    }

    /// The outcomes of one person and one goal, given touches and conversions oldest first.
    ///
    /// At the same instant a touch comes before a conversion, unless the conversion's own event is a touch too: then
    /// the rows' order decides, so that rows which are both keep their touches apart.
    pub(crate) fn outcomes(&self, touches: &[Touch], posts: &mut [Goalpost], out: &mut Vec<Outcome>) {
        let own_touch = |post: &Goalpost| touches.binary_search_by_key(&post.seq, |touch| touch.seq).is_ok();
        posts.sort_by_key(|post| (post.at, !own_touch(post), post.seq));
        let (mut start, mut end) = (0, 0);
        let mut converted = false;
        for post in posts.iter() {
            let conversion = Some(post.conversion);
            if post.is_orphan_refund {
                out.push(Outcome { at: post.at, conversion, start: 0, end: 0 });
                continue;
            }
            converted = true;
            let own = own_touch(post);
            let before = |touch: &Touch| touch.at < post.at || touch.at == post.at && (!own || touch.seq <= post.seq);
            while touches.get(end).is_some_and(before) {
                end += 1;
            }
            while start < end && self.is_lost(&touches[start], post.at) {
                start += 1;
            }
            out.push(Outcome { at: post.at, conversion, start: start as u32, end: end as u32 });
            if !self.count_again {
                start = end;
            }
        }
        let open = match (converted, self.null_paths) {
            (false, _) => 0..touches.len(),
            (true, NullPaths::Journeys) => end..touches.len(),
            (true, NullPaths::People) => return,
        };
        // It ends at its last touch of a kind that counts at all.
        let last = touches[open.clone()].iter().rposition(|touch| self.reach_us(touch.kind.is_view()).is_some());
        if let Some(last) = last {
            let end = open.start + last + 1;
            out.push(Outcome { at: touches[end - 1].at, conversion: None, start: open.start as u32, end: end as u32 });
        }
    }

    /// Whether a touch is too old for every later outcome as well.
    fn is_lost(&self, touch: &Touch, at: Micros) -> bool {
        let reach = self.reach_us(false).max(self.reach_us(true)).unwrap_or(0);
        at - touch.at > reach
    }
}
