//! Runners as places where a follower is asked how far it is.

use std::time::{Duration, Instant};

use crate::application::saved::{Announced, HasFollower};
use crate::application::{Application, ApplicationType};
use crate::error::{Error, Result};
use crate::runner::multi_threaded::MultiThreadedRunner;
use crate::runner::single_threaded::SingleThreadedRunner;
use crate::runner::{Runner, Sealed};

impl<A: ApplicationType> HasFollower<A> for MultiThreadedRunner {
    fn __application(&self) -> Result<Application> {
        Ok(Application::clone(&*self.get::<A>()?))
    }

    fn __stopped(&self) -> Option<Error> {
        self.network().stop_of::<A>()
    }

    fn __announce(&self) -> Option<Box<dyn Announced + '_>> {
        Some(Box::new(self.announce_waiting()))
    }

    fn __work(&self, pause: Duration, _deadline: Instant) {
        let progress = &self.network().progress;
        progress.wait(progress.rings(), pause);
    }
}

impl<A: ApplicationType> HasFollower<A> for SingleThreadedRunner {
    fn __application(&self) -> Result<Application> {
        Ok(Application::clone(&*self.get::<A>()?))
    }

    fn __stopped(&self) -> Option<Error> {
        self.network().stop_of::<A>()
    }

    fn __work(&self, pause: Duration, deadline: Instant) {
        self.work_until(pause, deadline);
    }
}
