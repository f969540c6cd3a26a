//! Events that were saved, at their positions, and the wait until a follower has processed them.

use std::fmt;
use std::ops::Deref;
use std::str::FromStr;
use std::time::{Duration, Instant};

use es_store::{Recorded, SetAsideQuery};

use crate::application::core::Application;
use crate::application::kinds::ApplicationType;
use crate::error::{Error, Lag, NotIdle, Result};

/// The events of a save, at their positions in the log of their application.
///
/// Prints as a text, such as `DogSchool:17,18`, that another process can parse. So a client can
/// bring along what it has written, and read it in a read model.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Saved {
    application: String,
    recorded: Recorded,
}

/// A place in which the follower `A` can be asked how far it is: a runner that has it, or the
/// application itself.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot tell how far `{A}` is",
    label = "expected a runner, or `{A}` itself"
)]
pub trait HasFollower<A> {
    /// Returns the application of the follower.
    #[doc(hidden)]
    fn __application(&self) -> Result<Application>;

    /// Returns the error that stopped the follower in this process, if it has stopped.
    #[doc(hidden)]
    fn __stopped(&self) -> Option<Error> {
        None
    }

    /// Announces a wait, so that the follower records its position at once until the guard is
    /// dropped.
    #[doc(hidden)]
    fn __announce(&self) -> Option<Box<dyn Announced + '_>> {
        None
    }

    /// Waits for at most `pause`, or does some of the follower's work, until `deadline`.
    #[doc(hidden)]
    fn __work(&self, pause: Duration, _deadline: Instant) {
        std::thread::sleep(pause);
    }
}

/// A wait that was announced, until it is dropped.
pub trait Announced {}

impl<A: ApplicationType> HasFollower<A> for A {
    fn __application(&self) -> Result<Application> {
        Ok(Application::clone(self))
    }
}

impl<A: ApplicationType> HasFollower<A> for std::sync::Arc<A> {
    fn __application(&self) -> Result<Application> {
        Ok(Application::clone(self))
    }
}

/// The shortest and the longest pause between two looks at a position that another process moves.
const PAUSES: (Duration, Duration) = (Duration::from_millis(1), Duration::from_millis(20));

impl Saved {
    pub(crate) fn new(application: &str, recorded: Recorded) -> Self {
        let application = application.to_owned();
        Self {
            application,
            recorded,
        }
    }

    /// Returns the name of the application that has saved the events.
    pub fn application(&self) -> &str {
        &self.application
    }

    /// Waits until the follower `A` has processed the events, so that its read model shows them.
    /// The recorded position decides, whichever process moves it. `place` is a runner, or the
    /// application `A` itself in a process that only reads.
    ///
    /// Events without a policy count as processed once the position has passed them.
    ///
    /// # Errors
    /// - [`Error::SetAside`]: the follower has set one of the events aside, or passes over it.
    /// - The error that stopped the follower, if it has stopped in this process.
    /// - [`Error::NotIdle`]: `timeout` has passed. It tells the position of the follower.
    /// - The errors of the follower's store.
    ///
    /// ```
    /// # use es_system::prelude::*;
    /// # #[aggregate]
    /// # pub struct Dog { pub tricks: Vec<String> }
    /// # #[aggregate]
    /// # impl Dog {
    /// #     #[event(Registered)]
    /// #     pub fn register() -> Self { Self { tricks: Vec::new() } }
    /// # }
    /// # #[aggregate]
    /// # pub struct Greeting {}
    /// # #[aggregate]
    /// # impl Greeting {
    /// #     #[event(Sent)]
    /// #     pub fn send() -> Self { Self {} }
    /// # }
    /// # #[application]
    /// # pub struct DogSchool;
    /// # #[process_application]
    /// # pub struct Greetings;
    /// # #[process_application]
    /// # impl Greetings {
    /// #     #[policy(Dog::Registered)]
    /// #     fn greet(
    /// #         &self,
    /// #         _: &DomainEvent<DogRegistered>,
    /// #         event: &mut ProcessingEvent,
    /// #     ) -> Result<()> {
    /// #         event.collect_events(&mut Greeting::send());
    /// #         Ok(())
    /// #     }
    /// # }
    /// # let system = System::new(pipes![[DogSchool, Greetings]])?;
    /// # let mut runner = MultiThreadedRunner::new(&system, Env::new())?;
    /// # runner.start()?;
    /// let saved = runner.get::<DogSchool>()?.save(&mut Dog::register())?;
    /// saved.wait_in::<Greetings>(&runner, Duration::from_secs(5))?;
    /// # Ok::<(), Error>(())
    /// ```
    pub fn wait_in<A: ApplicationType>(
        &self,
        place: &impl HasFollower<A>,
        timeout: Duration,
    ) -> Result<()> {
        let Some(last) = self.recorded.last_position() else {
            return Ok(());
        };
        let follower = place.__application()?;
        follower.refuse_inside_policy("wait_in", "its events are processed one after the other")?;
        let began = Instant::now();
        let deadline = began + timeout.min(Duration::from_secs(365 * 24 * 60 * 60));
        let (mut pause, mut announced) = (PAUSES.0, None);
        loop {
            let position = follower.position_in(&self.application)?.unwrap_or(0);
            if position >= last {
                return self.refuse_set_aside(&follower);
            }
            if announced.is_none() {
                announced = place.__announce();
            }
            if let Some(error) = place.__stopped() {
                return Err(error);
            }
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Err(self.late(&follower, position, last, began.elapsed()));
            }
            place.__work(pause.min(left), deadline);
            pause = (pause * 2).min(PAUSES.1);
        }
    }

    /// Fails if one of the events was set aside, so that its effects are not there.
    fn refuse_set_aside(&self, follower: &Application) -> Result<()> {
        let positions = &self.recorded.positions;
        let (Some(first), Some(last)) = (positions.iter().min(), positions.iter().max()) else {
            return Ok(());
        };
        let mut query = SetAsideQuery::of(&*self.application);
        query.above = first.checked_sub(1);
        query.up_to = Some(*last);
        let set_aside = follower.on_store(|store| store.select_set_aside(&query))?;
        let mut ours = set_aside
            .into_iter()
            .filter(|row| positions.contains(&row.position));
        ours.next().map_or(Ok(()), |row| {
            Err(Error::SetAside {
                application: follower.name().to_owned(),
                upstream: row.upstream,
                position: row.position,
                decision: row.decision.map(|decision| decision.kind),
                problem: follower.opened(&row.error),
            })
        })
    }

    fn late(&self, follower: &Application, position: u64, last: u64, waited: Duration) -> Error {
        let lag = Lag {
            upstream: self.application.clone(),
            follower: follower.name().to_owned(),
            position,
            head: last,
            retrying: None,
            waiting_for_newer: None,
            paused: None,
        };
        let lags = vec![lag];
        Error::NotIdle(std::sync::Arc::new(NotIdle { waited, lags }))
    }
}

impl Application {
    /// Returns everything that is recorded so far, to [wait](Saved::wait_in) until a follower has
    /// processed it. It has the last position of the log alone.
    ///
    /// # Errors
    /// Fails if the application is closed or the store cannot be read.
    pub fn saved_so_far(&self) -> Result<Saved> {
        let head = self.head()?.map(|head| head.position);
        let recorded = Recorded::new(head.into_iter().collect());
        Ok(Saved::new(self.name(), recorded))
    }
}

impl Deref for Saved {
    type Target = Recorded;

    fn deref(&self) -> &Recorded {
        &self.recorded
    }
}

impl fmt::Display for Saved {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let positions = self.recorded.positions.iter().map(u64::to_string);
        let positions = positions.collect::<Vec<_>>().join(",");
        write!(f, "{}:{positions}", self.application)
    }
}

impl FromStr for Saved {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let problem = || {
            Error::Usage(format!(
                "`{text}` tells of no save: expected `DogSchool:17,18`"
            ))
        };
        let (application, positions) = text.rsplit_once(':').ok_or_else(problem)?;
        let positions = positions.split(',').filter(|text| !text.is_empty());
        let positions: std::result::Result<_, _> = positions.map(str::parse).collect();
        if application.is_empty() {
            return Err(problem());
        }
        let recorded = Recorded::new(positions.map_err(|_| problem())?);
        Ok(Self::new(application, recorded))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_saved_is_told_to_another_process_by_its_text() {
        for positions in [vec![], vec![17], vec![17, 18]] {
            let saved = Saved::new("Dog:School", Recorded::new(positions));
            assert_eq!(saved.to_string().parse::<Saved>().ok(), Some(saved));
        }
        for wrong in ["", "DogSchool", ":17", "DogSchool:x", "DogSchool:1;2"] {
            assert!(wrong.parse::<Saved>().is_err(), "{wrong}");
        }
    }
}
