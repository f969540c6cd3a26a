//! Rebuilding an aggregate from its recorded events.

use std::mem::ManuallyDrop;
use std::panic::{AssertUnwindSafe, catch_unwind};

use crate::{Aggregate, AggregateId, EventSet, ReplayError, Root, Timestamp};

/// Rebuilds one aggregate, event by event in the order of versions.
///
/// Replay runs the same bodies as the live calls, so it reaches the same state. A body that panics
/// is an error, not a panic.
pub struct Replay<A: Aggregate> {
    id: AggregateId,
    root: Option<Root<A>>,
}

impl<A: Aggregate> Replay<A> {
    /// Starts before the first event of the aggregate `id`.
    pub fn new(id: AggregateId) -> Self {
        Self { id, root: None }
    }

    /// Continues from an aggregate at some version.
    pub fn resume(aggregate: A) -> Self {
        let root = aggregate.__into_root();
        Self {
            id: root.id().clone(),
            root: Some(root),
        }
    }

    /// Returns the version that is reached: 0 before the first event.
    pub fn version(&self) -> u64 {
        self.root.as_ref().map_or(0, Root::version)
    }

    /// Applies one recorded event.
    ///
    /// # Errors
    /// Fails when the event belongs to another aggregate, is not the next one, creates an aggregate
    /// that exists or changes one that does not, or when its body panics. The replay cannot be used
    /// after an error.
    pub fn apply(
        &mut self,
        originator_id: &AggregateId,
        version: u64,
        timestamp: Timestamp,
        event: &A::Event,
    ) -> Result<(), ReplayError> {
        self.check_originator(originator_id, event)?;
        self.check_version(version, event)?;
        let applied = catch_unwind(AssertUnwindSafe(|| self.mutate(version, timestamp, event)));
        applied.unwrap_or_else(|panic| {
            let (topic, message) = (event.topic().to_owned(), panic_message(panic));
            Err(ReplayError::Panicked {
                topic,
                version,
                message,
            })
        })
    }

    /// Returns the aggregate, without pending events, or `None` if there was no event.
    pub fn finish(self) -> Option<A> {
        self.root.map(A::__from_root)
    }

    fn check_originator(&self, found: &AggregateId, event: &A::Event) -> Result<(), ReplayError> {
        if *found == self.id {
            return Ok(());
        }
        Err(ReplayError::Originator {
            topic: event.topic().to_owned(),
            expected: self.id.clone(),
            found: found.clone(),
        })
    }

    fn check_version(&self, found: u64, event: &A::Event) -> Result<(), ReplayError> {
        let expected = self.version() + 1;
        if found == expected {
            return Ok(());
        }
        Err(ReplayError::Version {
            topic: event.topic().to_owned(),
            expected,
            found,
        })
    }

    fn mutate(
        &mut self,
        version: u64,
        timestamp: Timestamp,
        event: &A::Event,
    ) -> Result<(), ReplayError> {
        let topic = || event.topic().to_owned();
        let Some(root) = &mut self.root else {
            let state = A::__create(event, timestamp).ok_or_else(|| ReplayError::NotCreating {
                topic: topic(),
                version,
            })?;
            self.root = Some(Root::recorded(self.id.clone(), timestamp, state));
            return Ok(());
        };
        if !A::__apply(root.state_mut(), event, timestamp) {
            return Err(ReplayError::CreatedTwice {
                topic: topic(),
                version,
            });
        }
        root.advance(timestamp);
        Ok(())
    }
}

/// Returns the message of a caught panic. The payload of the panic is never dropped, because
/// dropping it might panic again.
#[doc(hidden)]
pub fn panic_message(panic: Box<dyn std::any::Any + Send>) -> String {
    let panic = ManuallyDrop::new(panic);
    let text = panic.downcast_ref::<&str>().copied();
    let text = text.or_else(|| panic.downcast_ref::<String>().map(String::as_str));
    text.unwrap_or("a panic without a message").to_owned()
}
