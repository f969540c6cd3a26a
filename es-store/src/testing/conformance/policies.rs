//! The policies for which a position counts.

use super::bench::{Bench, snapshot};
use crate::error::StoreError;
use crate::followed::{Followed, PoliciesMove, PolicyTopic, Replay, TopicChange};
use crate::recorder::ProcessRecorder;
use crate::recording::{Recorded, Recording};
use crate::tracking::Tracking;

fn from_to(expected: Option<&str>, new: &str) -> PoliciesMove {
    PoliciesMove::new(expected.map(str::to_owned), new)
}

fn record(recorder: &dyn ProcessRecorder, tracking: Tracking) -> Result<Recorded, StoreError> {
    recorder.record(&Recording::default().tracking(tracking))
}

fn assert_moved(refused: &Result<Recorded, StoreError>, at: u64) {
    assert!(
        matches!(refused, Err(StoreError::PositionMoved { upstream, found, .. }) if upstream == "Up" && *found == at),
        "{refused:?}"
    );
}

fn followed(recorder: &dyn ProcessRecorder) -> Followed {
    recorder.followed("Up").expect("read")
}

/// Rule: a position moves only if it counts for the expected policies.
pub fn a_position_moves_only_if_it_counts_for_the_expected_policies(bench: &Bench) {
    let recorder = bench.follower();
    let to = |from, to, policies| Tracking::new("Up", from, to).policies(policies);
    let refused = record(&*recorder, to(0, 5, from_to(Some("a"), "a")));
    assert_moved(&refused, 0);
    assert_eq!(followed(&*recorder), Followed::default());
    record(&*recorder, to(0, 5, from_to(None, "a"))).expect("recorded");
    record(&*recorder, to(5, 9, from_to(Some("a"), "a"))).expect("recorded");
    assert_eq!(followed(&*recorder).policies.as_deref(), Some("a"));
    let before = snapshot(&*recorder, "Up");
    for expected in [None, Some("b"), Some("A")] {
        let tracking = to(9, 12, from_to(expected, "b"));
        let refused = recorder.record(&bench.events(1, [1]).tracking(tracking));
        assert_moved(&refused, 9);
        assert_eq!(snapshot(&*recorder, "Up"), before);
    }
    // The position stands, and counts for other policies.
    record(&*recorder, to(9, 9, from_to(Some("a"), "b"))).expect("recorded");
    let late = bench
        .events(1, [1])
        .tracking(to(9, 12, from_to(Some("a"), "a")));
    assert_moved(&recorder.record(&late), 9);
    assert_eq!(recorder.head().expect("read"), None);
    assert_eq!(followed(&*recorder).policies.as_deref(), Some("b"));
}

/// Rule: the policies count only at the position for which they were recorded. A program that does
/// not know them moves the position and leaves them.
pub fn policies_count_only_at_their_position(bench: &Bench) {
    let recorder = bench.follower();
    let start = Tracking::new("Up", 0, 5).policies(from_to(None, "a"));
    record(&*recorder, start.at(bench.event_id(7, 1))).expect("recorded");
    record(&*recorder, Tracking::new("Up", 5, 5)).expect("recorded");
    assert_eq!(followed(&*recorder).policies.as_deref(), Some("a"));
    record(&*recorder, Tracking::new("Up", 5, 8)).expect("recorded");
    let found = followed(&*recorder);
    assert_eq!((found.position, found.policies), (Some(8), None));
    let late = Tracking::new("Up", 8, 9).policies(from_to(Some("a"), "a"));
    assert_moved(&record(&*recorder, late), 8);
    let again = Tracking::new("Up", 8, 8).policies(from_to(None, "b"));
    record(&*recorder, again.at(bench.event_id(7, 2))).expect("recorded");
    // A move that tells the policies alone leaves the event.
    let policies = Tracking::new("Up", 8, 8).policies(from_to(Some("b"), "c"));
    record(&*recorder, policies).expect("recorded");
    let found = followed(&*recorder);
    assert_eq!(found.policies.as_deref(), Some("c"));
    assert_eq!(found.event, Some(bench.event_id(7, 2)));
}

/// Rule: topics are recorded and removed with the move of a position, or not at all.
pub fn topics_change_with_the_position(bench: &Bench) {
    let recorder = bench.follower();
    let put = |topic| TopicChange::Put(topic);
    let first = from_to(None, "a")
        .topic(put(PolicyTopic::live("test:Thing.Odd")))
        .topic(put(PolicyTopic::covered("*", 0)))
        .topic(put(PolicyTopic::live("test:Thing.")));
    let tracking = Tracking::new("Up", 0, 3).policies(first);
    let other = from_to(None, "x").topic(put(PolicyTopic::live("other")));
    let other = Tracking::new("up", 0, 3).policies(other);
    let recording = bench.events(1, [1]).tracking(tracking).tracking(other);
    recorder.record(&recording).expect("recorded");
    let topics = [
        PolicyTopic::covered("*", 0),
        PolicyTopic::live("test:Thing."),
        PolicyTopic::live("test:Thing.Odd"),
    ];
    assert_eq!(followed(&*recorder).topics, topics);
    let second = from_to(Some("a"), "b")
        .topic(put(PolicyTopic::covered("test:Thing.Odd", 3)))
        .topic(TopicChange::Remove("*".to_owned()))
        .topic(TopicChange::Remove("unknown".to_owned()));
    let tracking = Tracking::new("Up", 3, 3).policies(second);
    let refused = recorder.record(&bench.events(1, [1]).tracking(tracking.clone()));
    assert!(
        matches!(refused, Err(StoreError::Conflict(_))),
        "{refused:?}"
    );
    assert_eq!(followed(&*recorder).topics, topics);
    record(&*recorder, tracking).expect("recorded");
    let topics = [
        PolicyTopic::live("test:Thing."),
        PolicyTopic::covered("test:Thing.Odd", 3),
    ];
    assert_eq!(followed(&*recorder).topics, topics);
    let of_other = recorder.followed("up").expect("read").topics;
    assert_eq!(of_other, [PolicyTopic::live("other")]);
}

/// Rule: a replay has a position of its own, which starts once, moves only from where it is, and
/// ends once.
pub fn a_replay_has_a_position_of_its_own(bench: &Bench) {
    let recorder = bench.follower();
    let main = Tracking::new("Up", 0, 9).policies(from_to(None, "a"));
    record(&*recorder, main).expect("recorded");
    let replay = |from, to, policies| Tracking::replay("Up", from, to, policies);
    let begin = || {
        let widened = Tracking::new("Up", 9, 9).policies(from_to(Some("a"), "ab"));
        let started = replay(0, 4, from_to(None, "b")).at(bench.event_id(7, 4));
        bench.events(1, [1]).tracking(widened).tracking(started)
    };
    recorder.record(&begin()).expect("recorded");
    assert_moved(&recorder.record(&begin()), 9);
    let mut found = followed(&*recorder);
    let started = Replay {
        position: 4,
        event: Some(bench.event_id(7, 4)),
        policies: "b".to_owned(),
    };
    assert_eq!(found.replay.take(), Some(started));
    assert_eq!(found.policies.as_deref(), Some("ab"));
    assert_moved(&record(&*recorder, replay(0, 4, from_to(None, "b"))), 4);
    let other = replay(4, 6, from_to(Some("c"), "b"));
    assert_moved(&record(&*recorder, other), 4);
    let moved = replay(4, 6, from_to(Some("b"), "b"));
    let moved = bench.events(2, [1]).tracking(moved);
    recorder.record(&moved).expect("recorded");
    let of_replay = followed(&*recorder).replay.expect("a replay");
    assert_eq!((of_replay.position, of_replay.event), (6, None));
    assert_eq!(followed(&*recorder).position, Some(9));
    for (at, tag) in [(4, "b"), (6, "a")] {
        let refused = replay(at, at, PoliciesMove::end_of_replay(tag));
        assert_moved(&record(&*recorder, refused), 6);
    }
    let end = || replay(6, 6, PoliciesMove::end_of_replay("b"));
    record(&*recorder, end()).expect("recorded");
    assert_eq!(followed(&*recorder), found);
    assert_moved(&record(&*recorder, end()), 0);
    record(&*recorder, replay(0, 0, from_to(None, "c"))).expect("another replay");
    let of_replay = followed(&*recorder).replay.expect("a replay");
    assert_eq!(of_replay.position, 0);
}

/// Rule: a resent recording that changes policies alone is recorded once.
pub fn a_resent_change_of_policies_is_recorded_once(bench: &Bench) {
    let recorder = bench.follower();
    let to = |from, to, policies| Tracking::new("Up", from, to).policies(policies);
    let send = |tracking: &Tracking| {
        let recording = Recording::default().tracking(tracking.clone());
        recorder.record(&recording.resent())
    };
    record(&*recorder, to(0, 5, from_to(None, "a"))).expect("recorded");
    let widened = to(5, 5, from_to(Some("a"), "b"));
    let start = Tracking::replay("Up", 0, 2, from_to(None, "r"));
    let end = Tracking::replay("Up", 2, 2, PoliciesMove::end_of_replay("r"));
    for tracking in [&widened, &start, &end] {
        for _ in 0..2 {
            send(tracking).expect("recorded once");
        }
    }
    assert_eq!(followed(&*recorder).policies.as_deref(), Some("b"));
    assert_eq!(followed(&*recorder).replay, None);
    // The position is the one that it moves to, but other policies have moved it.
    assert_moved(&send(&to(5, 5, from_to(Some("a"), "c"))), 5);
    assert_moved(&send(&to(3, 5, from_to(Some("a"), "a"))), 5);
}

/// Rule: a change of policies that means nothing is refused.
pub fn a_change_of_policies_that_means_nothing_is_refused(bench: &Bench) {
    let recorder = bench.follower();
    let main = |policies| Tracking::new("Up", 0, 5).policies(policies);
    let without = PoliciesMove {
        new: None,
        ..from_to(None, "a")
    };
    let put = |topic| from_to(None, "a").topic(TopicChange::Put(topic));
    let replay = |policies| Tracking::replay("Up", 0, 5, policies);
    let mut bare = replay(from_to(None, "a"));
    bare.policies = None;
    let recordings = [
        main(from_to(None, "")),
        main(from_to(Some(""), "a")),
        main(without.clone()),
        main(PoliciesMove::end_of_replay("a")),
        main(put(PolicyTopic::live(""))),
        main(put(PolicyTopic::covered("a", u64::MAX))),
        replay(without),
        bare,
        Tracking::replay("__replay__Up", 0, 5, from_to(None, "a")),
    ];
    for tracking in recordings {
        let refused = record(&*recorder, tracking.clone());
        assert!(
            matches!(refused, Err(StoreError::Invalid(_))),
            "{tracking:?}: {refused:?}"
        );
    }
    assert_eq!(followed(&*recorder), Followed::default());
    let reserved = recorder.followed("__replay__Up").expect("read");
    assert_eq!(reserved, Followed::default());
    let leader = bench.leader();
    let refused = record(&*leader, main(from_to(None, "a")));
    assert!(
        matches!(refused, Err(StoreError::Invalid(_))),
        "{refused:?}"
    );
}
