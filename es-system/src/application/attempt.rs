//! Saves whose outcome is unknown, and how it becomes known.
//!
//! While the outcome is unknown, the first attempt may be recorded, lost, or still waiting for a
//! lock in the server. So the events are not encoded again: the same bytes are sent, and an answer
//! to them is one to all attempts. The attempt is kept by the error and by each aggregate that was
//! saved. Nothing of an aggregate is saved before the answer is there.
//!
//! Concurrency: a mutex guards the answer. It is not held while the recording is sent, because
//! sending it twice at once is safe.

use std::fmt;
use std::panic::{RefUnwindSafe, UnwindSafe};
use std::sync::{Arc, Mutex};

use es_core::{Aggregate, AggregateId, Root};
use es_store::sync::lock;
use es_store::{ProcessRecorder, Recorded, Recording, StoreError, StoredEvent};

use crate::application::core::Application;
use crate::application::{saved_inside, store_errors};
use crate::error::{Attempt, Doubt, Error, Result};

/// A save that was sent and not answered.
pub(crate) struct SaveAttempt {
    application: Application,
    /// The store itself, so that the outcome can be found after the application was closed.
    recorder: Arc<dyn ProcessRecorder>,
    recording: Recording,
    answer: Mutex<Option<Result<Recorded>>>,
}

// Nothing of it is left half changed by a panic.
impl UnwindSafe for SaveAttempt {}
impl RefUnwindSafe for SaveAttempt {}

/// Records events. If the outcome is unknown, the error has the doubt.
pub(crate) fn record(
    application: &Application,
    recording: &Recording,
) -> Result<Recorded, (Error, Option<Arc<SaveAttempt>>)> {
    let recorder = application.recorder().map_err(|error| (error, None))?;
    saved_inside::tell(application, &recording.events);
    let record = || store_errors::calling(|| recorder.record(recording));
    match application.seeing(recording, record) {
        Ok(recorded) => {
            application.save_counters().count_save();
            Ok(recorded)
        }
        Err(problem @ StoreError::OutcomeUnknown { .. }) => {
            let attempt = SaveAttempt::new(application, recorder, recording.clone());
            Err((attempt.clone().unknown(problem), Some(attempt)))
        }
        Err(error) => {
            let error = application.store_error(error);
            application.save_counters().count_refusal(&error);
            Err((error, None))
        }
    }
}

impl SaveAttempt {
    fn new(
        application: &Application,
        recorder: Arc<dyn ProcessRecorder>,
        recording: Recording,
    ) -> Arc<Self> {
        Arc::new(Self {
            application: application.clone(),
            recorder,
            recording: recording.resent(),
            answer: Mutex::new(None),
        })
    }

    /// Returns an attempt at these events through `application`, although another object of the
    /// application has sent them.
    pub(crate) fn moved_to(
        application: &Application,
        events: Vec<StoredEvent>,
    ) -> Result<Arc<Self>> {
        let recorder = application.recorder()?;
        Ok(Self::new(application, recorder, Recording::new(events)))
    }

    /// Returns the attempt at saving the pending events of an aggregate, if there is one.
    pub(crate) fn of<A: Aggregate>(root: &Root<A>) -> Option<Arc<Self>> {
        let attempt: &dyn std::any::Any = &**root.__in_doubt()?;
        attempt.downcast_ref::<Kept>().map(|kept| kept.0.clone())
    }

    /// Keeps the attempt with an aggregate.
    pub(crate) fn keep<A: Aggregate>(self: &Arc<Self>, root: &mut Root<A>) {
        root.__set_in_doubt(Some(Arc::new(Kept(self.clone()))));
    }

    /// Returns true if this application object has sent it.
    pub(crate) fn is_by(&self, application: &Application) -> bool {
        self.application.instance() == application.instance()
    }

    /// Returns the events as they were sent.
    pub(crate) fn events(&self) -> &[StoredEvent] {
        &self.recording.events
    }

    /// Returns the last version of an aggregate among the events, or 0.
    pub(crate) fn last_version(&self, id: &AggregateId) -> u64 {
        let own = self.events().iter().filter(|one| one.originator_id == *id);
        own.map(|event| event.originator_version).max().unwrap_or(0)
    }

    /// Returns the answer, if there is one.
    pub(crate) fn answer(&self) -> Option<Result<Recorded>> {
        lock(&self.answer).clone()
    }

    fn answered(self: Arc<Self>, answer: Result<Recorded>) -> Result<Recorded> {
        *lock(&self.answer) = Some(answer.clone());
        store_errors::take_back(&Doubt::of(self));
        answer
    }

    fn unknown(self: Arc<Self>, problem: StoreError) -> Error {
        let error = Error::OutcomeUnknown {
            application: self.application.name().to_owned(),
            problem: Arc::new(problem),
            doubt: Some(Doubt::of(self)),
            attempts: 1,
        };
        store_errors::record(&error);
        error
    }
}

impl Attempt for SaveAttempt {
    fn settle(self: Arc<Self>) -> Result<Recorded> {
        if let Some(answer) = self.answer() {
            return answer;
        }
        saved_inside::tell(&self.application, self.events());
        let sent = store_errors::calling(|| self.recorder.record(&self.recording));
        // An aggregate that was loaded meanwhile may be old now.
        self.application.forget(&self.recording.events);
        match sent {
            Ok(recorded) => {
                let application = self.application.clone();
                application.save_counters().count_save();
                let answer = self.answered(Ok(recorded));
                application.prompt();
                answer
            }
            Err(error) if error.is_refusal() => {
                let error = self.application.store_error(error);
                self.application.save_counters().count_refusal(&error);
                self.answered(Err(error))
            }
            Err(error) => Err(self.unknown(error)),
        }
    }

    fn describe(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.application.name())?;
        let mut separator = ": ";
        for event in self.events() {
            let (id, version) = (&event.originator_id, event.originator_version);
            write!(f, "{separator}version {version} of aggregate {id}")?;
            separator = ", ";
        }
        Ok(())
    }
}

impl Drop for SaveAttempt {
    fn drop(&mut self) {
        if lock(&self.answer).is_none() {
            let application = self.application.name();
            let first = self.events().first();
            let id = first.map(|event| event.originator_id.to_string());
            let version = first.map(|event| event.originator_version);
            let events = self.events().len();
            tracing::warn!(
                application,
                id,
                version,
                events,
                "a save was given up, and it is unknown whether it took place"
            );
        }
    }
}

/// The attempt, as an aggregate keeps it.
struct Kept(Arc<SaveAttempt>);
