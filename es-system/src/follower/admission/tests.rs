//! Programs that follow beside each other while no events come, at given times.

mod settled;

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use es_core::Timestamp;
use es_store::sync::lock;
use es_store::{Env, Recording, Role, StoredEvent, TopicFilter};

use crate::application::Application;
use crate::error::BoxError;
use crate::follower::Follower;
use crate::follower::edge::Edge;
use crate::follower::status::Condition;
use crate::follower::step::{Next, Skips};
use crate::policy::begin::Begin;
use crate::policy::policy_set::{DeclaredPolicies, DeclaredTopic, filter};
use crate::policy::processing_event::ProcessingEvent;
use crate::policy::received::Received;
use crate::policy::rules::Rules;
use crate::policy::work::{Dispatch, Work};

/// The positions of the events that a program was given.
type Given = Arc<Mutex<Vec<u64>>>;

struct Policies {
    policies: DeclaredPolicies,
    rules: Rules,
    given: Given,
}

impl Dispatch for Policies {
    fn topics(&self) -> Option<TopicFilter> {
        filter(self.policies.declared.iter().map(|one| &*one.topic))
    }

    fn policies(&self) -> DeclaredPolicies {
        self.policies.clone()
    }

    fn rules(&self) -> &Rules {
        &self.rules
    }

    fn begin(&self) -> Begin {
        Begin::default()
    }

    fn dispatch(&self, event: &Received<'_>, _: ProcessingEvent) -> Result<(), BoxError> {
        lock(&self.given).push(event.notification.id);
        Ok(())
    }
}

/// A log with a follower, and the time.
struct World {
    log: Application,
    follower: Application,
    now: Rc<RefCell<Instant>>,
}

/// A program that follows.
struct Program {
    follower: Follower,
    given: Given,
}

impl World {
    fn new() -> Self {
        let open = |name, role| Application::open(name, role, Env::new()).expect("in memory");
        Self {
            log: open("School", Role::Leader),
            follower: open("Shop", Role::Follower),
            now: Rc::new(RefCell::new(Instant::now())),
        }
    }

    fn append(&self, topics: &[&str]) {
        for topic in topics {
            let id = es_core::source::fresh_id();
            let event = StoredEvent::new(id, 1, (*topic).to_owned(), Vec::new());
            let recording = Recording::new(vec![event]);
            self.log.record(&recording).expect("recorded");
        }
    }

    fn program(&self, topics: &[&str], retired: &[&str]) -> Program {
        let declared = topics.iter().map(|topic| (*topic).to_owned());
        let policies = DeclaredPolicies {
            declared: declared.map(DeclaredTopic::new).collect(),
            retired: retired.iter().map(|topic| (*topic).to_owned()).collect(),
        };
        let given = Given::default();
        let work = Work::Policies(Arc::new(Policies {
            rules: Rules::default(),
            policies,
            given: given.clone(),
        }));
        let follower = Follower::new(self.follower.clone(), vec![self.log.clone()], work);
        Program { follower, given }
    }

    /// Has each program look once a second, for so many seconds or until `is_done`. Returns the
    /// number of seconds.
    fn pass(&self, seconds: u64, programs: &[&Program], is_done: impl Fn() -> bool) -> u64 {
        for second in 0..seconds {
            programs.iter().for_each(|one| one.work(*self.now.borrow()));
            if is_done() {
                return second;
            }
            *self.now.borrow_mut() += Duration::from_secs(1);
        }
        seconds
    }
}

impl Program {
    fn edge(&self) -> &Edge {
        &self.follower.edges()[0]
    }

    fn work(&self, now: Instant) {
        while self.edge().step(now, Skips::Now, Timestamp::now()).next == Next::AtOnce {}
    }

    fn waits(&self) -> bool {
        matches!(self.edge().condition(), Condition::WaitingForNewer { .. })
    }

    fn given(&self) -> Vec<u64> {
        lock(&self.given).clone()
    }
}

/// Returns a world in which one program has processed the events 1 and 2, and another one, which
/// was started later, has taken out the policy for `B.X` and processed the event 3.
fn with_a_canary() -> (World, Program, Program) {
    let world = World::new();
    world.append(&["A.X", "B.X"]);
    let first = world.program(&["A.X", "B.X"], &[]);
    world.pass(1, &[&first], || false);
    let canary = world.program(&["A.X"], &["B.X"]);
    world.pass(1, &[&canary], || false);
    world.append(&["A.X", "B.X"]);
    world.pass(1, &[&canary, &first], || false);
    assert_eq!((first.given(), canary.given()), (vec![1, 2], vec![3]));
    assert!(first.waits() && !canary.waits());
    (world, first, canary)
}

#[test]
fn a_policy_that_was_taken_out_comes_back_without_new_events_when_the_other_program_has_ended() {
    let (world, first, canary) = with_a_canary();
    drop(canary);
    let seconds = world.pass(120, &[&first], || !first.waits());
    assert!((30..=35).contains(&seconds), "{seconds}");
    assert_eq!(first.given(), [1, 2, 4]);
    world.append(&["B.X"]);
    world.pass(1, &[&first], || false);
    assert_eq!(first.given(), [1, 2, 4, 5]);
}

#[test]
fn a_policy_stays_taken_out_while_the_other_program_has_nothing_to_do() {
    let (world, first, canary) = with_a_canary();
    world.pass(600, &[&first, &canary], || {
        assert!(first.waits() && !canary.waits());
        false
    });
    assert_eq!((first.given(), canary.given()), (vec![1, 2], vec![3]));
    world.append(&["A.X", "B.X"]);
    world.pass(1, &[&first, &canary], || false);
    assert_eq!(canary.given(), [3, 5]);
    // It ends later, and its events are not lost.
    drop(canary);
    let seconds = world.pass(120, &[&first], || !first.waits());
    assert!((30..=65).contains(&seconds), "{seconds}");
    assert_eq!(first.given(), [1, 2, 4, 6]);
}

#[test]
fn a_policy_that_was_taken_in_again_is_not_taken_out_without_new_events() {
    let (world, first, canary) = with_a_canary();
    let again = world.program(&["A.X", "B.X"], &[]);
    world.pass(600, &[&again, &canary, &first], || false);
    assert_eq!((again.given(), first.given()), (vec![4], vec![1, 2]));
    assert!(canary.waits() && !first.waits());
    drop((again, first));
    world.pass(600, &[&canary], || false);
    assert!(canary.waits());
    world.append(&["A.X"]);
    let seconds = world.pass(120, &[&canary], || !canary.waits());
    assert!((29..=65).contains(&seconds), "{seconds}");
    assert_eq!(canary.given(), [3, 5]);
}
