//! Programs with random policies follow one log at the same time, and are killed and replaced.

use std::collections::BTreeSet;

use es_store::{Followed, PoliciesMove, PolicyTopic, Replay, TopicChange, Tracking};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};

use super::super::decision::{Decision, Program, StepBack};
use super::super::missed::{Coverage, Missed};
use crate::policy::policy_set::{ALL, Added, DeclaredPolicies, DeclaredTopic, tag};

const EVENTS: [&str; 4] = ["A.X", "A.Y", "B.X", "B.Y"];
const TOPICS: [&str; 7] = ["A.X", "A.Y", "B.X", "B.Y", "A.", "B.", ALL];
const UPSTREAM: &str = "Log";

/// A log, what a follower has recorded about it, and how often each event was offered.
#[derive(Default)]
struct World {
    log: Vec<&'static str>,
    offered: Vec<u32>,
    record: Followed,
    /// False in a control.
    compares_tags: bool,
}

/// A move, and the positions of the events that it offers.
struct Batch {
    trackings: Vec<Tracking>,
    offers: Vec<u64>,
}

impl World {
    fn topic(&self, position: u64) -> &'static str {
        self.log[position as usize - 1]
    }

    fn head(&self) -> u64 {
        self.log.len() as u64
    }

    /// Records all of it or nothing.
    fn commit(&mut self, batch: Batch) -> bool {
        let mut after = self.record.clone();
        for tracking in &batch.trackings {
            if !apply(&mut after, tracking, self.compares_tags) {
                return false;
            }
        }
        self.record = after;
        for position in batch.offers {
            self.offered[position as usize - 1] += 1;
        }
        true
    }

    /// Checks that each event was offered once to the topics that are recorded, and none twice.
    fn check(&self) -> Result<(), TestCaseError> {
        let coverage = Coverage::new(&self.record.topics);
        let reached = self.record.position.unwrap_or(0);
        for position in 1..=self.head() {
            let offered = self.offered[position as usize - 1];
            let topic = self.topic(position);
            let is_offered = position <= reached && position <= coverage.of(topic);
            prop_assert!(
                offered <= 1 && (offered == 1 || !is_offered),
                "{topic} at {position} was offered {offered} times: {:?}",
                self.record
            );
        }
        Ok(())
    }
}

/// Applies a move as a store does. Returns false if the record is another than the move expects.
fn apply(record: &mut Followed, tracking: &Tracking, compares_tags: bool) -> bool {
    let policies = tracking.policies.clone();
    let PoliciesMove {
        expected,
        new,
        topics,
        ..
    } = policies.expect("each move has policies");
    let is_expected = |found: &Option<String>| !compares_tags || *found == expected;
    if tracking.of_replay {
        let found = record.replay.as_ref();
        let (at, tag) = found.map_or((0, None), |one| (one.position, Some(one.policies.clone())));
        // The row of a replay is compared in the control, too.
        if at != tracking.from || tag != expected {
            return false;
        }
        record.replay = new.map(|new| replay(tracking.to, new));
    } else {
        if record.position.unwrap_or(0) != tracking.from || !is_expected(&record.policies) {
            return false;
        }
        record.position = Some(tracking.to);
        record.policies = new;
    }
    for change in topics {
        record.topics.retain(|row| row.topic != change.topic());
        if let TopicChange::Put(row) = change {
            record.topics.push(row);
        }
    }
    true
}

fn replay(position: u64, policies: String) -> Replay {
    Replay::new(position, policies)
}

/// A process that runs a program.
struct Process {
    policies: DeclaredPolicies,
    joined: BTreeSet<String>,
    has_followed: bool,
    /// The batch that it is about to commit, with the topics that it has joined then.
    in_flight: Option<(Batch, BTreeSet<String>)>,
    stepped_back: Option<StepBack>,
    has_asked: bool,
}

impl Process {
    fn new(policies: DeclaredPolicies) -> Self {
        Self {
            policies,
            joined: BTreeSet::new(),
            has_followed: false,
            in_flight: None,
            stepped_back: None,
            has_asked: false,
        }
    }

    fn look(&mut self, world: &World, size: u64) {
        let found = world.record.clone();
        let program = Program {
            policies: &self.policies,
            is_projection: false,
            joined: &self.joined,
            has_followed: self.has_followed,
        };
        self.stepped_back = None;
        let decision = program.decide(&found);
        self.in_flight = self.act(world, found, decision, size);
    }

    fn act(
        &mut self,
        world: &World,
        found: Followed,
        decision: Decision,
        size: u64,
    ) -> Option<(Batch, BTreeSet<String>)> {
        let from = found.position.unwrap_or(0);
        let declared = self.policies.declared.clone();
        let all = || declared.iter().map(|one| one.topic.clone());
        match decision {
            Decision::Begin(change) | Decision::Record(change) => {
                let trackings = change.trackings(UPSTREAM, &found);
                let joined = all().filter(|topic| change.has(topic)).collect();
                let offers = Vec::new();
                Some((Batch { trackings, offers }, joined))
            }
            Decision::Follow => {
                self.has_followed = true;
                let to = world.head().min(from + size);
                let policies = PoliciesMove::new(found.policies, tag(&self.policies.topics()));
                let tracking = Tracking::new(UPSTREAM, from, to).policies(policies);
                let has = |position: &u64| self.policies.has(world.topic(*position));
                let offers = (from + 1..=to).filter(has).collect();
                let trackings = vec![tracking];
                Some((Batch { trackings, offers }, all().collect()))
            }
            Decision::Replay(missed) => {
                let Replay {
                    position: at,
                    policies,
                    ..
                } = found.replay.expect("it is replayed");
                let to = from.min(at + size);
                let moved = PoliciesMove::new(Some(policies.clone()), policies);
                let tracking = Tracking::replay(UPSTREAM, at, to, moved);
                let is_missed = |position: &u64| missed.contains(world.topic(*position), *position);
                let offers = (at + 1..=to).filter(is_missed).collect();
                let trackings = vec![tracking];
                Some((Batch { trackings, offers }, self.joined.clone()))
            }
            Decision::Ask(missed, next) => {
                if is_any_recorded(world, &missed, from) {
                    self.has_asked = true;
                    return None;
                }
                self.act(world, found, *next, size)
            }
            Decision::StepBack(reason) => {
                self.stepped_back = Some(reason);
                None
            }
        }
    }

    /// Commits what is in flight. Returns false if nothing is, or it was fenced.
    fn commit(&mut self, world: &mut World) -> bool {
        let Some((batch, joined)) = self.in_flight.take() else {
            return false;
        };
        let is_recorded = world.commit(batch);
        if is_recorded {
            self.joined.extend(joined);
        }
        is_recorded
    }
}

fn is_any_recorded(world: &World, missed: &Missed, up_to: u64) -> bool {
    let mut positions = missed.start() + 1..=up_to;
    positions.any(|position| missed.contains(world.topic(position), position))
}

#[derive(Debug, Clone)]
enum Step {
    Append(usize),
    Start { process: usize, program: usize },
    Look { process: usize, size: u64 },
    Commit { process: usize },
}

const PROCESSES: usize = 3;
const PROGRAMS: usize = 4;

fn step() -> impl Strategy<Value = Step> {
    let process = || 0..PROCESSES;
    prop_oneof![
        3 => (0..EVENTS.len()).prop_map(Step::Append),
        1 => (process(), 0..PROGRAMS).prop_map(|(process, program)| Step::Start { process, program }),
        6 => (process(), 1..6_u64).prop_map(|(process, size)| Step::Look { process, size }),
        6 => process().prop_map(|process| Step::Commit { process }),
    ]
}

fn policies() -> impl Strategy<Value = DeclaredPolicies> {
    let rule = prop_oneof![Just(None), Just(Some(Added::Replay))];
    let declared = prop::collection::btree_map(0..TOPICS.len(), rule, 1..4);
    let retired = prop::collection::btree_set(0..TOPICS.len(), 0..4);
    (declared, retired).prop_map(|(declared, retired)| {
        let declared: Vec<_> = declared
            .into_iter()
            .map(|(topic, added)| declared_topic(TOPICS[topic], added))
            .collect();
        let mut policies = DeclaredPolicies {
            declared,
            retired: Vec::new(),
        };
        let retired = retired.into_iter().map(|topic| TOPICS[topic].to_owned());
        policies.retired = retired.filter(|topic| !policies.has(topic)).collect();
        policies
    })
}

fn declared_topic(topic: &str, added: Option<Added>) -> DeclaredTopic {
    DeclaredTopic {
        topic: topic.to_owned(),
        added,
    }
}

type Story = (Vec<DeclaredPolicies>, Vec<Step>);

fn stories() -> impl Strategy<Value = Story> {
    let programs = prop::collection::vec(policies(), PROGRAMS);
    (programs, prop::collection::vec(step(), 1..120))
}

/// Plays a story. At its end, a program with policies for everything replays what all others have
/// missed, and then each event was offered exactly once.
fn play((programs, steps): Story, compares_tags: bool) -> Result<(), TestCaseError> {
    let mut world = World {
        compares_tags,
        ..World::default()
    };
    let mut processes: Vec<_> = programs[..PROCESSES]
        .iter()
        .cloned()
        .map(Process::new)
        .collect();
    for step in steps {
        match step {
            Step::Append(event) => {
                world.log.push(EVENTS[event]);
                world.offered.push(0);
            }
            Step::Start { process, program } => {
                processes[process] = Process::new(programs[program].clone());
            }
            Step::Look { process, size } => processes[process].look(&world, size),
            Step::Commit { process } => {
                processes[process].commit(&mut world);
                world.check()?;
            }
        }
    }
    let everything = DeclaredPolicies {
        declared: vec![declared_topic(ALL, Some(Added::Replay))],
        retired: Vec::new(),
    };
    let mut last = Process::new(everything);
    for _ in 0..1000 {
        last.look(&world, 3);
        prop_assert_eq!(&last.stepped_back, &None);
        prop_assert!(!last.has_asked);
        let was = world.record.clone();
        prop_assert!(last.commit(&mut world));
        world.check()?;
        if world.record == was && was.position.unwrap_or(0) == world.head() {
            break;
        }
    }
    let offered = vec![1; world.log.len()];
    prop_assert_eq!(&world.offered, &offered);
    prop_assert_eq!(&world.record.topics, &[PolicyTopic::live(ALL)]);
    prop_assert_eq!(&world.record.replay, &None);
    Ok(())
}

#[test]
fn each_event_is_offered_once_to_the_recorded_topics_whoever_follows() {
    let mut runner = TestRunner::new(Config::with_cases(400));
    let played = runner.run(&stories(), |story| play(story, true));
    played.unwrap_or_else(|failure| panic!("{failure}"));
}

#[test]
fn the_control_that_compares_positions_alone_loses_events() {
    let mut runner = TestRunner::deterministic();
    let played = runner.run(&stories(), |story| play(story, false));
    played.expect_err("an event is lost or offered twice");
}

#[test]
fn a_batch_of_a_replay_that_was_given_up_is_not_recorded_in_another_one_of_the_same_topics() {
    let program = |replayed: &[&str], retired: &[&str]| {
        let replayed = replayed.iter();
        let replayed = replayed.map(|topic| declared_topic(topic, Some(Added::Replay)));
        Process::new(DeclaredPolicies {
            declared: std::iter::once(declared_topic("B.X", None))
                .chain(replayed)
                .collect(),
            retired: retired.iter().map(|topic| (*topic).to_owned()).collect(),
        })
    };
    let mut world = World {
        compares_tags: true,
        ..World::default()
    };
    let finish = |mut process: Process, world: &mut World| {
        for _ in 0..6 {
            process.look(world, 10);
            assert!(process.commit(world), "{:?}", process.stepped_back);
        }
        assert_eq!(world.record.position, Some(world.head()));
    };
    let append = |world: &mut World, events: &[&'static str]| {
        world.log.extend(events);
        world.offered.resize(world.log.len(), 0);
    };
    append(&mut world, &["A.X", "A.Y", "A.X", "A.Y"]);
    finish(program(&[], &[]), &mut world);
    let mut late = program(&["A.X", "A.Y"], &[]);
    late.look(&world, 10);
    assert!(late.commit(&mut world), "the replay is begun");
    late.look(&world, 10);
    // The second program replays a part alone, and the third one takes that out.
    finish(program(&["A.X"], &["A.Y"]), &mut world);
    append(&mut world, &["A.X"]);
    finish(program(&[], &["A.X", "A.Y"]), &mut world);
    let mut last = program(&["A.X", "A.Y"], &[]);
    last.look(&world, 10);
    assert!(last.commit(&mut world), "another replay is begun");
    assert!(!late.commit(&mut world), "it is of the former one");
    finish(last, &mut world);
    world.check().expect("each event once");
    assert_eq!(world.offered, [1; 5]);
}
