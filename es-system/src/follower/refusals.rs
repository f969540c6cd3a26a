//! What becomes of a batch whose content the record refuses: a version that is there already, or that does not follow.
//!
//! Most often somebody else was first, and to run the batch again is all that is needed. After two refusals it goes on
//! with one event at a time. A policy that did not look at what is recorded makes the same version again and again:
//! when one event alone is refused twice for the same version, that is the policy's failure. (Who races with
//! a user's saves is refused each time for a higher one.) What no race can cause, such as a gap in versions, is the
//! policy's failure as soon as its event is alone.

use es_store::Conflict;

/// What the record has refused, since it last took something.
#[derive(Debug, Default)]
pub(super) struct Refusals {
    count: u32,
    /// The position of the event that was refused alone, and for which version.
    last_alone: Option<(u64, Conflict)>,
}

impl Refusals {
    /// Whether to go on with one event at a time.
    pub(super) fn one_at_a_time(&self) -> bool {
        self.count >= 2
    }

    /// Notes one more. `alone` is the position, if the batch was one event; `conflict` the version that is there
    /// already, if it is that. Says whether it is the policy's failure.
    pub(super) fn note(&mut self, alone: Option<u64>, conflict: Option<Conflict>) -> bool {
        self.count += 1;
        let Some(position) = alone else { return false };
        let Some(conflict) = conflict else {
            return true;
        };
        let this = Some((position, conflict));
        let again = this == self.last_alone;
        self.last_alone = this;
        again
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn version(version: u64) -> Option<Conflict> {
        Some(Conflict::new("dog", version))
    }

    #[test]
    fn one_event_alone_that_is_refused_twice_for_one_version_is_the_policys() {
        let mut refusals = Refusals::default();
        assert!(!refusals.note(None, version(1)));
        assert!(!refusals.one_at_a_time());
        assert!(!refusals.note(None, version(1)));
        assert!(refusals.one_at_a_time());
        assert!(!refusals.note(Some(7), version(1)));
        assert!(refusals.note(Some(7), version(1)));
    }

    #[test]
    fn another_version_or_another_event_is_somebody_elses() {
        let mut refusals = Refusals::default();
        assert!(!refusals.note(Some(7), version(4)));
        assert!(!refusals.note(Some(7), version(5)));
        assert!(!refusals.note(Some(8), version(5)));
    }

    #[test]
    fn what_no_race_can_cause_is_the_policys_when_its_event_is_alone() {
        let mut refusals = Refusals::default();
        assert!(!refusals.note(None, None));
        assert!(refusals.note(Some(7), None));
    }
}
