//! The calls by which a program operates its followers: it has one go on, passes over an event, or
//! tries again what was set aside.

use std::time::Duration;

use es_core::Timestamp;
use es_store::{Operation, OperationKind, Recording};

use crate::application::ApplicationType;
use crate::error::{Error, Result};
use crate::follower::Follower;
use crate::runner::health::Health;
use crate::runner::metrics::Metrics;
use crate::runner::{Network, Runner};

/// The time for which [`Operate::health`] waits for the stores. A probe of Kubernetes waits for one
/// second if nothing else is set.
const HEALTH_LIMIT: Duration = Duration::from_millis(500);

/// The outcome of a retry of events that were set aside.
#[derive(Debug)]
#[non_exhaustive]
pub struct Retried {
    /// The number of events that were processed.
    pub done: u64,
    /// The events that have failed again, by their positions, with their errors. The events of
    /// their sequences behind them were not tried.
    pub failed: Vec<(u64, Error)>,
}

/// Operates the followers of a runner, and tells how they are. Each operation is recorded with the
/// name of the user, and reaches the followers in all processes. The runner need not have been
/// started.
///
/// Every runner has these methods. The same operations are commands of the
/// [program itself](crate::guide::cli).
pub trait Operate: Runner {
    /// Has the follower `A` go on, which was paused, or which has stopped and was repaired from
    /// outside. It begins with the event in front of which it stands.
    ///
    /// # Errors
    /// Fails if the runner has no such follower, or the store fails.
    fn resume<A: ApplicationType>(&self) -> Result<()> {
        let follower = self.network().follower::<A>()?;
        record(follower, OperationKind::Resumed)?;
        follower.see_operations();
        self.prompt_followers();
        Ok(())
    }

    /// Has the follower `A` process no events until it is resumed.
    ///
    /// # Errors
    /// Fails if the runner has no such follower, or the store fails.
    fn pause<A: ApplicationType>(&self) -> Result<()> {
        record(self.network().follower::<A>()?, OperationKind::Paused)?;
        self.prompt_followers();
        Ok(())
    }

    /// Has the follower `A` pass over the event at `position` of `upstream`, in front of which it
    /// stands. A rebuild passes over it, too.
    ///
    /// # Errors
    /// Fails if the follower stands in front of another event, which the error names, and if the
    /// store fails.
    fn skip<A: ApplicationType>(&self, upstream: &str, position: u64) -> Result<()> {
        let follower = self.network().follower::<A>()?;
        follower.skip(upstream, position, &user())?;
        follower.see_operations();
        self.prompt_followers();
        Ok(())
    }

    /// Tries events again that the follower `A` has set aside, now and on this thread: the sequence
    /// of the event at `position` of `upstream`, or all. The events of a sequence are tried in
    /// order, until one fails.
    ///
    /// # Errors
    /// Fails if no event is set aside at `position`, and if the store fails. The events that were
    /// processed before are recorded.
    fn retry<A: ApplicationType>(&self, upstream: &str, position: Option<u64>) -> Result<Retried> {
        let follower = self.network().follower::<A>()?;
        let outcome = follower.retry(upstream, position, &user())?;
        self.prompt_followers();
        let (done, failed) = (outcome.done, outcome.failed);
        Ok(Retried { done, failed })
    }

    /// Gives up an event that the follower `A` has set aside. The next event of its sequence is
    /// tried. A rebuild passes over the event.
    ///
    /// # Errors
    /// Fails if the event is not set aside, and if the store fails.
    fn discard<A: ApplicationType>(&self, upstream: &str, position: u64) -> Result<()> {
        let follower = self.network().follower::<A>()?;
        follower.discard(upstream, position, &user())?;
        self.prompt_followers();
        Ok(())
    }

    /// Has the follower `A` go on with the first event at `position` of `upstream` or behind it.
    /// The events in front of it are passed over, as far as they were not processed before.
    ///
    /// # Errors
    /// Fails if the follower has passed the position, if the upstream has not reached it, and if
    /// the store fails.
    fn start_at<A: ApplicationType>(&self, upstream: &str, position: u64) -> Result<()> {
        let follower = self.network().follower::<A>()?;
        follower.start_at(upstream, position, &user())?;
        follower.see_operations();
        self.prompt_followers();
        Ok(())
    }

    /// Has the process application `A` process all events again, from the first one. The events
    /// that it has recorded itself are kept: only policies that are made for it may be run again.
    /// Those of a projection are run again by [`Runner::rebuild`].
    ///
    /// # Errors
    /// Fails if `A` is a projection, while a policy that was added replays events, and if the store
    /// fails.
    fn reset_keeping_events<A: ApplicationType>(&self) -> Result<()> {
        let follower = self.network().follower::<A>()?;
        if follower.is_projection() {
            return Err(Error::Usage(format!(
                "`{}` is a projection: rebuild its tables instead",
                A::NAME
            )));
        }
        follower.reset(&user())?;
        follower.see_operations();
        self.prompt_followers();
        Ok(())
    }

    /// Has the follower `A` accept the log of `upstream`, which was restored and is not the one
    /// that it has followed. It goes on behind `position`, the last one that both logs have in
    /// common: usually the last one of the backup.
    ///
    /// The effects of the events that were lost remain. Everything that was set aside or decided
    /// about them is forgotten.
    ///
    /// # Errors
    /// Fails if the follower has not processed that position, if the log does not have it, while a
    /// policy that was added replays events, and if the store fails.
    fn accept_upstream<A: ApplicationType>(&self, upstream: &str, position: u64) -> Result<()> {
        let follower = self.network().follower::<A>()?;
        follower.accept_upstream(upstream, position, &user())?;
        follower.see_operations();
        self.prompt_followers();
        Ok(())
    }

    /// Returns the health of this runner, for the probes of an orchestrator: whether a restart
    /// helps, whether the process can serve, and why not.
    ///
    /// Each store is read once. One that has not answered after 500 ms counts as one that cannot be
    /// read, so the answer comes within that time also while a store is away.
    ///
    /// ```
    /// use es_system::prelude::*;
    ///
    /// /// Returns the status and the text with which a server answers a liveness probe.
    /// fn is_live(runner: &MultiThreadedRunner) -> (u16, String) {
    ///     let health = runner.health();
    ///     (if health.is_live() { 200 } else { 503 }, health.to_string())
    /// }
    /// ```
    fn health(&self) -> Health {
        self.health_within(HEALTH_LIMIT)
    }

    /// Returns the health as [`health`](Self::health) does, but waits for the stores for at most
    /// `limit`.
    fn health_within(&self, limit: Duration) -> Health {
        self.network().health(self.vitals(), limit)
    }

    /// Returns the numbers of this runner's work since it was made. It reads no store, and is cheap
    /// enough to be called every second.
    fn metrics(&self) -> Metrics {
        self.network().metrics()
    }
}

impl<R: Runner> Operate for R {}

/// Records an operation for each edge of a follower.
fn record(follower: &Follower, kind: OperationKind) -> Result<()> {
    let (who, now) = (user(), Timestamp::now());
    let edges = follower.edges().iter();
    let operation = |upstream: &str| Operation::new(kind, upstream, &*who, now);
    let recording = edges.fold(Recording::default(), |recording, edge| {
        recording.operation(operation(edge.upstream().name()))
    });
    follower.application().record(&recording)?;
    Ok(())
}

/// Returns the name of the user by whom this program runs.
pub(crate) fn user() -> String {
    let keys = ["USER", "LOGNAME", "USERNAME"].into_iter();
    let mut names = keys.filter_map(|key| std::env::var(key).ok());
    let name = names.find(|name| !name.is_empty());
    name.unwrap_or_else(|| "an operator".to_owned())
}

impl Network {
    /// Returns the follower `A`.
    pub(super) fn follower<A: ApplicationType>(&self) -> Result<&Follower> {
        let object = self.get::<A>()?;
        let mut followers = self.followers().iter();
        let same =
            |one: &&std::sync::Arc<Follower>| one.application().instance() == object.instance();
        let follower = followers.find(same).map(|follower| &**follower);
        follower.ok_or_else(|| {
            let name = A::NAME;
            Error::Usage(format!("`{name}` follows no application in this system"))
        })
    }
}
