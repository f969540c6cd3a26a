//! Each rule of the decision, by one case of it.

use std::collections::BTreeSet;

use es_store::{Followed, PolicyTopic, Replay, TopicChange, Tracking};

use super::super::decision::{Decision, Program, StepBack};
use super::super::missed::Missed;
use crate::policy::policy_set::{Added, DeclaredPolicies, DeclaredTopic};

fn policies(topics: &[(&str, Option<Added>)], retired: &[&str]) -> DeclaredPolicies {
    let declared = topics.iter().map(|(topic, added)| DeclaredTopic {
        topic: (*topic).to_owned(),
        added: *added,
    });
    DeclaredPolicies {
        declared: declared.collect(),
        retired: retired.iter().map(|topic| (*topic).to_owned()).collect(),
    }
}

/// A record at position 100.
fn found(topics: &[PolicyTopic], replay: Option<Replay>) -> Followed {
    let mut found = Followed::new(Some(100));
    found.topics = topics.to_vec();
    found.replay = replay;
    found
}

fn live(topic: &str) -> PolicyTopic {
    PolicyTopic::live(topic)
}

fn program(policies: &DeclaredPolicies, joined: &[&str], found: &Followed) -> Decision {
    let joined: BTreeSet<_> = joined.iter().map(|topic| (*topic).to_owned()).collect();
    let program = Program {
        policies,
        is_projection: false,
        joined: &joined,
        has_followed: !joined.is_empty(),
    };
    program.decide(found)
}

fn decide(policies: &DeclaredPolicies, found: &Followed) -> Decision {
    program(policies, &[], found)
}

fn projection(policies: &DeclaredPolicies, found: &Followed) -> Decision {
    let joined = BTreeSet::new();
    let program = Program {
        policies,
        is_projection: true,
        joined: &joined,
        has_followed: !joined.is_empty(),
    };
    program.decide(found)
}

/// Returns the changes of topics, and the moves of a replay.
fn recorded(decision: Decision, found: &Followed) -> (Vec<TopicChange>, Vec<Tracking>) {
    let Decision::Record(change) = decision else {
        panic!("nothing is recorded: {decision:?}")
    };
    let mut trackings = change.trackings("Log", found);
    let here = trackings.remove(0);
    assert_eq!((here.from, here.to), (100, 100));
    let policies = here.policies.expect("it has policies");
    (policies.topics, trackings)
}

fn lacks(decision: Decision) -> StepBack {
    match decision {
        Decision::StepBack(reason) => reason,
        other => panic!("it does not step back: {other:?}"),
    }
}

fn asked(decision: Decision) -> (Missed, Decision) {
    match decision {
        Decision::Ask(missed, next) => (missed, *next),
        other => panic!("nobody is asked: {other:?}"),
    }
}

#[test]
fn before_the_first_batch_the_policies_are_recorded_and_an_older_librarys_position_is_adopted() {
    let policies = policies(&[("A.X", None), ("A.Y", None)], &[]);
    for position in [None, Some(0)] {
        let decision = decide(&policies, &Followed::new(position));
        assert!(matches!(decision, Decision::Begin(_)), "{decision:?}");
    }
    let found = Followed::new(Some(100));
    let (topics, replay) = recorded(decide(&policies, &found), &found);
    let both = ["A.X", "A.Y"].map(|topic| TopicChange::Put(live(topic)));
    assert_eq!(topics, both);
    assert_eq!(replay, []);
}

#[test]
fn a_program_with_the_recorded_policies_follows() {
    let found = found(&[live("A.X"), PolicyTopic::covered("B.X", 7)], None);
    let decision = decide(&policies(&[("A.X", None)], &[]), &found);
    assert!(matches!(decision, Decision::Follow), "{decision:?}");
}

#[test]
fn a_program_that_lacks_a_live_topic_steps_back() {
    for (topic, own) in [("B.X", "A.X"), ("A.", "A.X"), ("*", "A.")] {
        let found = found(&[live("A.X"), live(topic)], None);
        let reason = lacks(decide(&policies(&[(own, None)], &[]), &found));
        assert_eq!(reason, StepBack::Lacks(topic.to_owned()));
    }
}

#[test]
fn a_program_that_lacks_a_topic_of_a_replay_steps_back() {
    let replay = Replay::new(30, "replay B.X");
    let found = found(&[live("A.X")], Some(replay));
    let reason = lacks(decide(&policies(&[("A.X", None)], &[]), &found));
    assert_eq!(reason, StepBack::Lacks("B.X".to_owned()));
    let reason = lacks(program(&policies(&[("A.X", None)], &[]), &["A.X"], &found));
    assert_eq!(reason, StepBack::Lacks("B.X".to_owned()));
}

#[test]
fn a_replay_that_a_newer_program_has_recorded_in_another_way_is_left_to_it() {
    let replay = Replay::new(30, "slowly B.X");
    let found = found(&[live("A.X")], Some(replay));
    let reason = lacks(decide(
        &policies(&[("A.X", None), ("B.X", None)], &[]),
        &found,
    ));
    assert_eq!(reason, StepBack::NewerReplay("slowly B.X".to_owned()));
}

#[test]
fn policies_that_are_taken_out_are_covered_up_to_the_position() {
    let found = found(&[live("A.X"), live("B.X"), live("B.Y")], None);
    let policies = policies(&[("A.X", None)], &["B.", "C.X"]);
    let (topics, replay) = recorded(decide(&policies, &found), &found);
    let covered = ["B.X", "B.Y"].map(|topic| TopicChange::Put(PolicyTopic::covered(topic, 100)));
    assert_eq!((&topics[..], &replay[..]), (&covered[..], &[][..]));
}

#[test]
fn a_policy_for_a_part_takes_the_place_of_one_for_all_that_is_taken_out() {
    let found = found(&[live("*")], None);
    let policies = policies(&[("A.X", None)], &["*"]);
    let (topics, replay) = recorded(decide(&policies, &found), &found);
    // All events of A.X up to the position were offered.
    let covered = TopicChange::Put(PolicyTopic::covered("*", 100));
    assert_eq!(topics, [TopicChange::Put(live("A.X")), covered]);
    assert_eq!(replay, []);
}

#[test]
fn events_that_an_added_policy_has_missed_are_asked_about() {
    let found = found(&[live("A.X")], None);
    let decision = decide(&policies(&[("A.X", None), ("B.X", None)], &[]), &found);
    let (missed, next) = asked(decision);
    assert_eq!(missed.start(), 0);
    let filter = missed.filter().expect("not all events");
    assert_eq!(&filter.topics[..], ["B.X"]);
    assert!(missed.contains("B.X", 1) && !missed.contains("A.X", 1));
    let (topics, replay) = recorded(next, &found);
    assert_eq!(topics, [TopicChange::Put(live("B.X"))]);
    assert_eq!(replay, []);
}

#[test]
fn of_a_wider_policy_only_the_events_are_missed_that_no_other_has_had() {
    let found = found(&[live("A.X"), PolicyTopic::covered("A.Y", 40)], None);
    let (missed, next) = asked(decide(&policies(&[("A.", None)], &[]), &found));
    assert!(!missed.contains("A.X", 1) && missed.contains("A.Z", 1));
    assert!(!missed.contains("A.Y", 40) && missed.contains("A.Y", 41));
    let (topics, _) = recorded(next, &found);
    let removed = ["A.X", "A.Y"].map(|topic| TopicChange::Remove(topic.to_owned()));
    assert_eq!(topics[..2], removed);
    assert_eq!(topics[2..], [TopicChange::Put(live("A."))]);
}

#[test]
fn an_added_policy_begins_now_or_with_a_replay_as_it_says() {
    let found = found(&[live("A.X")], None);
    let set = policies(&[("A.X", None), ("B.X", Some(Added::Now))], &[]);
    let (topics, replay) = recorded(decide(&set, &found), &found);
    assert_eq!(
        (&topics[..], &replay[..]),
        (&[TopicChange::Put(live("B.X"))][..], &[][..])
    );

    let both = [
        ("A.X", None),
        ("B.X", Some(Added::Replay)),
        ("B.Y", Some(Added::Now)),
    ];
    let set = policies(&both, &[]);
    let (topics, replay) = recorded(decide(&set, &found), &found);
    assert_eq!(topics, []);
    let policies = replay[0].policies.as_ref().expect("policies");
    assert_eq!(
        (replay[0].from, replay[0].to, &policies.expected),
        (0, 0, &None)
    );
    let text = policies.new.as_deref().expect("a tag");
    let (epoch, topics) = text.split_once('\n').expect("several lines");
    assert!(epoch.starts_with("epoch "), "{epoch}");
    assert_eq!(topics, "replay B.X\nnow B.Y");
    let (_, again) = recorded(decide(&set, &found), &found);
    let again = again[0].policies.as_ref().expect("policies");
    assert_ne!(
        again.new, policies.new,
        "each replay has an epoch of its own"
    );
}

#[test]
fn a_replay_is_finished_before_anything_else_and_then_its_topics_are_live() {
    let set = policies(&[("A.X", None), ("B.", None)], &[]);
    // An earlier release has written no epoch.
    for text in ["replay B.X\nnow B.Y", "epoch 7\nreplay B.X\nnow B.Y"] {
        finishes(&set, text);
    }
}

fn finishes(set: &DeclaredPolicies, text: &str) {
    let here = |at| found(&[live("A.X"), live("B.Z")], Some(Replay::new(at, text)));
    let (_, next) = asked(decide(set, &here(30)));
    let Decision::Replay(missed) = next else {
        panic!("it is not replayed: {next:?}")
    };
    assert!(missed.contains("B.X", 31) && !missed.contains("B.Y", 31));
    assert!(!missed.contains("B.Z", 31) && !missed.contains("A.X", 31));
    let (_, next) = asked(decide(set, &here(100)));
    let (topics, replay) = recorded(next, &here(100));
    assert_eq!(
        topics,
        ["B.X", "B.Y"].map(|topic| TopicChange::Put(live(topic)))
    );
    assert!(replay[0].ends_replay());
    assert_eq!((replay[0].from, replay[0].to), (100, 100));
}

#[test]
fn a_replay_of_policies_that_are_taken_out_ends_and_leaves_what_was_done() {
    let found = found(
        &[live("A.X")],
        Some(Replay::new(30, "replay B.X\nreplay C.X")),
    );
    let set = policies(&[("A.X", None), ("B.X", None)], &["C.X"]);
    let (topics, replay) = recorded(decide(&set, &found), &found);
    let covered = ["B.X", "C.X"].map(|topic| TopicChange::Put(PolicyTopic::covered(topic, 30)));
    assert_eq!(topics, covered);
    assert!(replay[0].ends_replay());
}

#[test]
fn a_policy_that_is_taken_in_again_goes_on_where_it_ended() {
    let found = found(&[live("A.X"), PolicyTopic::covered("B.X", 40)], None);
    let again = |rule| policies(&[("A.X", None), ("B.X", rule)], &[]);
    for rule in [None, Some(Added::Replay)] {
        let (topics, replay) = recorded(decide(&again(rule), &found), &found);
        assert_eq!((topics, replay[0].to), (vec![], 40));
    }
    let (topics, replay) = recorded(decide(&again(Some(Added::Now)), &found), &found);
    assert_eq!(
        (topics, replay),
        (vec![TopicChange::Put(live("B.X"))], vec![])
    );
}

#[test]
fn a_policy_that_is_taken_out_while_the_program_runs_is_not_taken_in_again_by_it() {
    let found = found(&[live("A.X"), PolicyTopic::covered("B.X", 40)], None);
    let set = policies(&[("A.X", None), ("B.X", None)], &[]);
    let reason = lacks(program(&set, &["A.X", "B.X"], &found));
    assert_eq!(reason, StepBack::TakenOut("B.X".to_owned()));
    // The other topic was added since.
    recorded(program(&set, &["A.X"], &found), &found);
}

#[test]
fn a_projection_replays_nothing() {
    let rows = [live("A.X"), PolicyTopic::covered("B.X", 40)];
    let found = found(&rows, None);
    let set = |rule| policies(&[("A.X", None), ("B.X", rule)], &[]);
    let (missed, _) = asked(projection(&set(None), &found));
    assert!(!missed.contains("B.X", 40) && missed.contains("B.X", 41));
    assert_eq!(missed.start(), 40);
    recorded(projection(&set(Some(Added::Now)), &found), &found);
}

#[test]
fn a_policy_that_is_taken_in_while_the_program_runs_is_not_taken_out_again_by_it() {
    let found = found(&[live("A.X"), live("B.X")], None);
    let set = policies(&[("A.X", None)], &["B.X"]);
    let reason = lacks(program(&set, &["A.X"], &found));
    assert_eq!(reason, StepBack::TakenIn("B.X".to_owned()));
    recorded(decide(&set, &found), &found);
}

#[test]
fn a_change_by_another_program_between_two_looks_is_noticed() {
    let set = policies(&[("A.X", None), ("A.Y", None)], &["B.X"]);
    let x = || live("A.X");
    let changed = |before: &[PolicyTopic], after: &[PolicyTopic]| {
        let joined = BTreeSet::new();
        let program = Program {
            policies: &set,
            is_projection: true,
            joined: &joined,
            has_followed: false,
        };
        program.changed_by_another(&found(before, None), &found(after, None))
    };
    let covered = PolicyTopic::covered("A.Y", 9);
    for (before, after, reason) in [
        (vec![x()], vec![x()], None),
        (vec![x()], vec![live("A.")], None),
        (vec![live("B.X")], vec![live("B.X")], None),
        (vec![x(), live("B.X")], vec![x()], None),
        (
            vec![live("A.")],
            vec![x(), covered],
            Some(StepBack::TakenOut("A.Y".to_owned())),
        ),
        (
            vec![x()],
            vec![x(), live("B.X")],
            Some(StepBack::TakenIn("B.X".to_owned())),
        ),
    ] {
        assert_eq!(changed(&before, &after), reason, "{before:?} {after:?}");
    }
}
