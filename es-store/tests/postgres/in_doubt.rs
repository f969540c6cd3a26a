//! Commits whose connection is lost. Each is recorded once, or refused because another writer was
//! first.

use std::sync::mpsc::{Receiver, channel};
use std::sync::{Arc, Mutex};

use es_store::{
    NotificationQuery, ProcessRecorder, Recorded, Recording, Role, StoreError, StoredEvent,
    Tracking,
};

use super::proxy::{POINTS, Point, Proxy};
use super::{Database, database, drop_functions, event, open, recording};

/// The form of a commit: one call of the function, or plain statements.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    Function,
    Plain,
}

pub(super) const FORMS: [Form; 2] = [Form::Function, Form::Plain];

pub(super) type Outcome = Result<Recorded, StoreError>;

/// A follower whose connections go through a proxy, and a second instance of it that connects to
/// the server directly.
pub(super) struct Pair<'a> {
    pub(super) database: &'a Database,
    pub(super) proxy: Proxy,
    pub(super) ours: Arc<dyn ProcessRecorder>,
    pub(super) theirs: Arc<dyn ProcessRecorder>,
    pub(super) events: String,
    form: Form,
    /// The expected log.
    expected: Mutex<Vec<StoredEvent>>,
}

impl<'a> Pair<'a> {
    pub(super) fn new(database: &'a Database, form: Form, lock_timeout: &str) -> Self {
        let application = format!("Dogs{form:?}");
        open(&application, Role::Follower, &database.env());
        let prefix = application.to_lowercase();
        if form == Form::Plain {
            drop_functions(database, &application);
        }
        let env = database
            .env()
            .with("CREATE_TABLE", "n")
            .with("POSTGRES_CONNECT_TIMEOUT", "5")
            .with("POSTGRES_LOCK_TIMEOUT", lock_timeout)
            .with("POSTGRES_IDLE_IN_TRANSACTION_SESSION_TIMEOUT", "0.5");
        let proxy = Proxy::start(&env);
        Self {
            database,
            ours: open(&application, Role::Follower, &proxy.env()),
            theirs: open(&application, Role::Follower, &env),
            proxy,
            events: format!("{prefix}_events"),
            form,
            expected: Mutex::default(),
        }
    }

    /// Records, and loses the connection meanwhile.
    pub(super) fn record(
        &self,
        ours: &Recording,
        point: Point,
        meanwhile: impl FnOnce() + Send + 'static,
    ) -> Outcome {
        let marker = match (self.form, ours.trackings.first()) {
            (Form::Plain, _) => "COMMIT",
            (Form::Function, Some(tracking)) => &tracking.upstream,
            (Form::Function, None) => "test:Thing.Happened",
        };
        self.proxy.trap(marker, point, meanwhile);
        let outcome = self.ours.record(ours);
        assert!(self.proxy.has_sprung(), "the connection was not lost");
        outcome
    }

    /// Returns the statements that lock the table until the end of the transaction or its
    /// connection.
    pub(super) fn lock(&self) -> String {
        format!("BEGIN; LOCK TABLE {} IN EXCLUSIVE MODE", self.events)
    }

    /// Checks that the log has grown by `winner`, byte for byte, and by nothing else.
    pub(super) fn check(&self, winner: &Recording, case: &str) {
        let mut expected = self.expected.lock().expect("no panic");
        expected.extend(winner.events.clone());
        let log = self.theirs.select_notifications(&NotificationQuery::all());
        let log = log.expect("read").into_iter().map(|one| one.event);
        assert_eq!(log.collect::<Vec<_>>(), *expected, "{case}");
    }

    pub(super) fn check_position(&self, upstream: &str, winner: &Recording, case: &str) {
        let moved = winner.trackings.first().map(|tracking| tracking.to);
        let tracked = self.theirs.tracked(upstream).expect("read");
        assert_eq!(tracked, moved, "{case}");
    }
}

/// A recording, and another one that competes with it.
pub(super) struct Rivals {
    pub(super) ours: Recording,
    pub(super) theirs: Recording,
    pub(super) upstream: String,
}

/// Returns competing recordings: of the same version with other bytes, for a leader and for a
/// follower, and of batches from the same position, with and without events.
pub(super) fn rivals(number: u128) -> [Rivals; 4] {
    let other = |number| {
        let mut event = event(number, 1);
        event.state = b"{\"by\":\"another\"}".to_vec();
        Recording::new(vec![event])
    };
    [0, 1, 2, 3].map(|kind| {
        let upstream = format!("Up{number}of{kind}");
        let (one, next) = (10 * number + kind, 10 * number + kind + 5);
        let moved = |to| Tracking::new(&upstream, 0, to);
        let (ours, theirs) = match kind {
            0 => (recording(one, 1..=3), other(one)),
            1 => (recording(one, 1..=3).tracking(moved(5)), other(one)),
            2 => (
                recording(one, 1..=3).tracking(moved(5)),
                other(next).tracking(moved(4)),
            ),
            _ => (
                Recording::default().tracking(moved(5)),
                other(next).tracking(moved(4)),
            ),
        };
        Rivals {
            ours,
            theirs,
            upstream,
        }
    })
}

/// Returns a closure that records by the second instance, and a channel for its outcome.
pub(super) fn later(
    recorder: &Arc<dyn ProcessRecorder>,
    recording: &Recording,
) -> (impl FnOnce() + Send + 'static, Receiver<Outcome>) {
    let (recorder, recording) = (recorder.clone(), recording.clone());
    let (tell, told) = channel();
    let record = move || drop(tell.send(recorder.record(&recording)));
    (record, told)
}

/// Returns the recording that was accepted, and checks that the other one was refused because of
/// it.
pub(super) fn winner<'a>(
    rivals: &'a Rivals,
    ours: &Outcome,
    theirs: &Outcome,
    case: &str,
) -> &'a Recording {
    let is_refused = |outcome: &Outcome, of: &Recording, by: &Recording| match outcome {
        Err(StoreError::Conflict(conflict)) => {
            let is_taken = |event: &StoredEvent| {
                event.originator_id == conflict.id && event.originator_version == conflict.version
            };
            by.events.iter().any(is_taken)
        }
        Err(StoreError::PositionMoved { found, .. }) => {
            !of.trackings.is_empty() && by.trackings.iter().any(|by| by.to == *found)
        }
        _ => false,
    };
    match (ours, theirs) {
        (Ok(_), theirs) if is_refused(theirs, &rivals.theirs, &rivals.ours) => &rivals.ours,
        (ours, Ok(_)) if is_refused(ours, &rivals.ours, &rivals.theirs) => &rivals.theirs,
        both => panic!("{case}: {both:?}"),
    }
}

#[test]
fn a_commit_that_is_cut_off_at_any_point_is_recorded_once() {
    let Some(database) = database() else { return };
    for form in FORMS {
        let pair = Pair::new(&database, form, "30");
        for (point, number) in POINTS.into_iter().zip(1..) {
            for Rivals { ours, upstream, .. } in rivals(number) {
                let case = format!("{form:?}, {point:?}, {upstream}");
                let recorded = pair.record(&ours, point, || {}).expect(&case);
                assert_eq!(recorded.positions.len(), ours.events.len(), "{case}");
                pair.check(&ours, &case);
                pair.check_position(&upstream, &ours, &case);
            }
        }
    }
}

#[test]
fn of_a_commit_that_is_cut_off_and_another_one_meanwhile_exactly_one_is_recorded() {
    let Some(database) = database() else { return };
    for form in FORMS {
        let pair = Pair::new(&database, form, "30");
        for (point, number) in POINTS.into_iter().zip(1..) {
            for rivals in rivals(number) {
                let case = format!("{form:?}, {point:?}, {}", rivals.upstream);
                let (meanwhile, theirs) = later(&pair.theirs, &rivals.theirs);
                let ours = pair.record(&rivals.ours, point, meanwhile);
                let theirs = theirs.recv().expect("an outcome");
                let winner = winner(&rivals, &ours, &theirs, &case);
                match point {
                    Point::Unsent | Point::Unfinished => assert!(theirs.is_ok(), "{case}"),
                    Point::Unheard => assert!(ours.is_ok(), "{case}"),
                    Point::Sent | Point::Silent => {}
                }
                pair.check(winner, &case);
                pair.check_position(&rivals.upstream, winner, &case);
            }
        }
    }
}
