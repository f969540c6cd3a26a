//! Replays: added policies are offered the events that they have missed.

use es_store::{Followed, Head, PoliciesMove, UpstreamEvent};

use crate::follower::edge::{Edge, Pulled};
use crate::follower::events::{Lane, Page};
use crate::follower::failure::Failure;
use crate::follower::policies::Missed;
use crate::follower::processor;

impl Edge {
    /// Processes a batch of missed events. `left` is what the last batch has left of its page.
    ///
    /// The position of the replay moves by compare-and-set as any other. Its tag are the topics of
    /// the replay, so it also fails if the replay was ended or changed meanwhile.
    pub(in crate::follower) fn replay(
        &self,
        found: &Followed,
        missed: &Missed,
        left: Option<Page>,
    ) -> Result<Pulled, Failure> {
        let Some(replay) = &found.replay else {
            return Ok(Pulled::changed());
        };
        let tag = replay.policies.clone();
        let lane = Lane::Replay(PoliciesMove::new(Some(tag.clone()), tag));
        let limit = self.state().limit(&lane);
        let from = replay.position;
        let page = match left.and_then(|left| left.continuing(&lane, from)) {
            Some(left) => left,
            None => self.replay_page(found, missed, (from, lane), limit)?,
        };
        let mut replayed = Followed::new(Some(from));
        replayed.event.clone_from(&replay.event);
        self.history().verify(&replayed, page.start.as_ref())?;
        match page.rest.clone().filter(|_| page.events.is_empty()) {
            Some(rest) => {
                self.move_past(&page.lane, from, rest, None)?;
                Ok(Pulled::changed())
            }
            None => self.process(page, found),
        }
    }

    fn replay_page(
        &self,
        found: &Followed,
        missed: &Missed,
        (from, lane): (u64, Lane),
        limit: usize,
    ) -> Result<Page, Failure> {
        let to = found.position.unwrap_or(0);
        let filter = missed.filter();
        let (page, is_full) = processor::page(&self.upstream, filter.as_ref(), (from, to), limit)?;
        let mut events = page.notifications;
        let rest = match events.last() {
            Some(last) if is_full => Head::new(last.id, Some(UpstreamEvent::from(&last.event))),
            _ => Head::new(to, found.event.clone()),
        };
        events.retain(|event| missed.contains(&event.topic, event.id));
        Ok(Page {
            lane,
            from,
            start: page.start,
            events,
            rest: Some(rest),
        })
    }
}
