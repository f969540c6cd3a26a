//! A batch of unknown outcome that its store records later, after others have looked for it.

use std::sync::{Arc, Mutex};

use es_system::prelude::*;
use es_system::store::{Head, ProcessRecorder, Recorded, Recording, StoreError};
use tests::domain::{Counters, DogSchool};
use tests::wrapped::{Around, Wrapping};

use super::followed::Total;

/// The first batch with new events.
#[derive(Default)]
enum First {
    #[default]
    NotSent,
    /// It was sent, and is not recorded yet.
    Sent(Recording),
    Recorded,
}

/// A store that does not answer the first batch with new events. It records the batch when somebody
/// has read the head of its log, who does not see the batch.
#[derive(Default)]
struct Late(Mutex<First>);

impl Around for Late {
    fn record(
        &self,
        recorder: &dyn ProcessRecorder,
        recording: &Recording,
    ) -> Result<Recorded, StoreError> {
        let mut first = self.0.lock().expect("no panic");
        if matches!(*first, First::NotSent) && !recording.events.is_empty() {
            *first = First::Sent(recording.clone());
            return Err(StoreError::outcome_unknown("late", "the answer was lost"));
        }
        recorder.record(recording)
    }

    fn head(&self, recorder: &dyn ProcessRecorder) -> Result<Option<Head>, StoreError> {
        let head = recorder.head();
        let mut first = self.0.lock().expect("no panic");
        if let First::Sent(recording) = &*first {
            recorder.record(recording).expect("nothing is in its way");
            *first = First::Recorded;
        }
        head
    }
}

#[test]
fn a_batch_that_is_recorded_later_than_others_have_looked_is_followed_when_the_command_returns()
-> Result<()> {
    let late = Arc::new(Late::default());
    let env = Env::new().with("SQLITE_DBNAME", ":memory:");
    let env = env.with_store(Arc::new(Wrapping {
        application: "Counters",
        around: late.clone(),
    }));
    let system = System::new(pipes![[DogSchool, Counters, Total]])?;
    let mut runner = SingleThreadedRunner::new(&system, env)?;
    runner.start()?;
    let school = runner.get::<DogSchool>()?;
    school.register_dog("Billy")?;
    school.add_trick("Billy", "sit")?;
    assert_eq!(runner.get::<Total>()?.notification_log().head()?, 1);
    let first = late.0.lock().expect("no panic");
    assert!(matches!(*first, First::Recorded));
    Ok(())
}
