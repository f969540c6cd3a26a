//! Work of others between the moment at which a follower reads its record and what it does then.

use std::sync::{Arc, Mutex};

use es_system::Env;
use es_system::store::{Followed, ProcessRecorder, StoreError};
use tests::Place;
use tests::wrapped::{Around, Wrapping};

type Work = Box<dyn FnOnce() + Send>;

/// Does some work once, behind a look of a follower at its record.
#[derive(Default)]
pub struct Meanwhile(Mutex<(usize, Option<Work>)>);

impl Meanwhile {
    /// Has `work` done behind the `nth` look from now on, counted from 1.
    pub fn after(&self, nth: usize, work: impl FnOnce() + Send + 'static) {
        *self.0.lock().expect("no panic") = (nth, Some(Box::new(work)));
    }

    /// Returns the environment for the program of the follower `application` that looks.
    pub fn env(self: &Arc<Self>, place: &Place, application: &'static str) -> Env {
        let around = self.clone();
        let wrapping = Wrapping {
            application,
            around,
        };
        place.env.clone().with_store(Arc::new(wrapping))
    }
}

impl Around for Meanwhile {
    fn followed(
        &self,
        recorder: &dyn ProcessRecorder,
        upstream: &str,
    ) -> Result<Followed, StoreError> {
        let found = recorder.followed(upstream)?;
        let work = {
            let (looks, work) = &mut *self.0.lock().expect("no panic");
            *looks = looks.saturating_sub(1);
            work.take_if(|_| *looks == 0)
        };
        if let Some(work) = work {
            work();
        }
        Ok(found)
    }
}
