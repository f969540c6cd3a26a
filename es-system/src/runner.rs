//! Runners open the applications of a system and have its followers process events.

mod has_follower;
pub(crate) mod health;
pub(crate) mod limits;
pub(crate) mod metrics;
pub(crate) mod multi_threaded;
pub(crate) mod network;
pub(crate) mod operate;
mod reentrancy;
pub(crate) mod single_threaded;
mod store_reads;
mod work_lock;

use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::application::ApplicationType;
use crate::error::{Error, Result};
use crate::follower::status::FollowerStatus;
use crate::projection::Projection;
use crate::projection::progress::RebuildProgress;
use crate::runner::health::Vitals;
use crate::runner::network::Network;
use crate::system::System;
use es_store::Env;

/// The limit of the wait for running policies in [`Runner::stop`] and when a runner is dropped.
const STOP_LIMIT: Duration = Duration::from_secs(10);

/// Runs a system. The same program runs under each runner and on each store.
///
/// Dropping a runner stops it. The trait is sealed: only the library's runners implement it.
#[diagnostic::on_unimplemented(
    message = "`{Self}` runs no systems",
    label = "expected `SingleThreadedRunner` or `MultiThreadedRunner`"
)]
pub trait Runner: Sealed + Sized {
    /// Opens the applications of `system` in `env`. Nothing is processed until
    /// [`start`](Self::start).
    ///
    /// # Errors
    /// Fails if the environment is wrong or a store cannot be opened. The error names the
    /// application.
    fn new(system: &System, env: Env) -> Result<Self>;

    /// Starts to process: first the events that are recorded already, then new ones as they come.
    ///
    /// A policy that fails is not an error of this call; see
    /// [`watch_for_errors`](Self::watch_for_errors).
    ///
    /// # Errors
    /// Fails if the runner was started or stopped before, or if it cannot listen to a store. Also
    /// fails, before anything is processed, if a policy was added to a follower that has passed
    /// events of it, and does not tell what becomes of them (`added = now`, `added = replay`). If
    /// that is not known yet, because the store cannot be read or another program follows, the same
    /// error may stop the follower later.
    fn start(&mut self) -> Result<()>;

    /// Returns the application of type `A` that this runner has opened.
    ///
    /// # Errors
    /// Fails if the system has no such application.
    fn get<A: ApplicationType>(&self) -> Result<Arc<A>>;

    /// Waits until every follower has processed every event. The recorded positions decide, so work
    /// that another process does counts, too.
    ///
    /// # Errors
    /// If a follower has stopped, fails at once with the error that stopped it. After `timeout`,
    /// fails with the list of edges that lag.
    fn wait_until_idle(&self, timeout: Duration) -> Result<()>;

    /// Waits until a follower stops, until the runner is stopped, or until `timeout` has passed.
    ///
    /// # Errors
    /// Returns the error of the first follower, in the order of definition, that has stopped. If
    /// there is none, returns that of the first one that has tried three times to work with a store
    /// that is configured wrongly.
    fn watch_for_errors(&self, timeout: Duration) -> Result<()>;

    /// Returns the status of each follower, in the order of definition.
    ///
    /// It returns also while a store is unreachable; the positions in that store are `None` then.
    fn status(&self) -> Vec<FollowerStatus>;

    /// Stops the runner. The events in hand are finished and recorded, and no other is begun. Waits
    /// for at most ten seconds.
    ///
    /// The applications stay open. The events that they save from now on are processed by the next
    /// runner.
    ///
    /// # Errors
    /// Fails as [`stop_within`](Self::stop_within) does.
    fn stop(&mut self) -> Result<()> {
        self.stop_within(STOP_LIMIT)
    }

    /// Stops as [`stop`](Self::stop) does, but waits for at most `limit`.
    ///
    /// # Errors
    /// Fails if a policy has not returned in time; the error names its follower. The thread of the
    /// policy goes on, but its batch is not committed, unless the commit had already begun.
    fn stop_within(&mut self, limit: Duration) -> Result<()>;

    /// Rebuilds the tables of the projection `A` from all events, on this thread. The new tables
    /// are filled beside the old ones, which can be queried and are kept up to date meanwhile. One
    /// transaction then replaces the old tables. `progress` is called after each batch; its
    /// argument can be printed: `|progress| eprintln!("{progress}")`.
    ///
    /// The runner need not have been started, so a separate program can rebuild while another one
    /// follows. A rebuild that was interrupted, even by a kill, continues from the last recorded
    /// batch. If the projection has changed since, call [`discard_rebuild`](Self::discard_rebuild)
    /// first. PostgreSQL cannot replace a table that a view depends on: drop the view before the
    /// rebuild, and create it again afterwards.
    ///
    /// If a policy of `A` had failed and its follower in this runner has stopped, the follower
    /// continues with the new tables. A follower that has stopped in another runner continues when
    /// a new runner is made there.
    ///
    /// # Errors
    /// Fails if another process rebuilds the same tables, if a handler fails, or if the store keeps
    /// failing. Also fails, and replaces nothing, if another program follows with a policy that
    /// this one lacks, or has taken policies in or out meanwhile. The rebuilt part is kept, and the
    /// next call continues with it, unless it was begun with other policies.
    fn rebuild<A: Projection>(&self, progress: impl FnMut(&RebuildProgress)) -> Result<()>;

    /// Drops the tables of an interrupted rebuild of the projection `A`. Returns false if there
    /// were none.
    ///
    /// # Errors
    /// Fails if another process rebuilds the same tables, or if the store fails.
    fn discard_rebuild<A: Projection>(&self) -> Result<bool>;
}

/// Seals [`Runner`], so that methods can be added to it.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be a runner: `Runner` is implemented by the library alone",
    label = "use `SingleThreadedRunner` or `MultiThreadedRunner`"
)]
pub trait Sealed {
    /// Returns the opened applications.
    #[doc(hidden)]
    fn network(&self) -> &Network;

    /// Returns how the runner itself stands.
    #[doc(hidden)]
    fn vitals(&self) -> Vitals;

    /// Has the followers look at their records, if the runner runs.
    #[doc(hidden)]
    fn prompt_followers(&self);
}

/// Returns the moment after `timeout`, or a year from now if that is sooner.
fn deadline(timeout: Duration) -> Instant {
    const YEAR: Duration = Duration::from_secs(365 * 24 * 60 * 60);
    Instant::now() + timeout.min(YEAR)
}

fn refuse_unless_new(started: bool, stopped: bool) -> Result<()> {
    let problem = match (started, stopped) {
        (_, true) => {
            "the runner was stopped: make a new runner, which continues where this one ended"
        }
        (true, false) => "the runner was started already",
        (false, false) => return Ok(()),
    };
    Err(Error::Usage(problem.to_owned()))
}

fn refuse_unless_started(started: bool) -> Result<()> {
    if started {
        return Ok(());
    }
    Err(Error::Usage(
        "the runner was not started, so nothing is processed".to_owned(),
    ))
}
