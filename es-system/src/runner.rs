//! Runners: they open the applications of a system and have the followers process events.

pub(crate) mod multi_threaded;
mod network;
pub(crate) mod single_threaded;

use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::application::ApplicationType;
use crate::error::{Error, Result};
use crate::follower::status::FollowerStatus;
use crate::projection::Projection;
use crate::projection::progress::RebuildProgress;
use crate::runner::multi_threaded::MultiThreadedRunner;
use crate::runner::single_threaded::SingleThreadedRunner;
use crate::system::System;
use es_store::Env;

/// How long [`Runner::stop`], and dropping a runner, wait for the policies that run.
const STOP_LIMIT: Duration = Duration::from_secs(10);

/// Runs a system: the same program runs under each runner and on each store.
///
/// Dropping a runner stops it. The trait is sealed: the library's runners implement it.
#[diagnostic::on_unimplemented(
    message = "`{Self}` runs no systems",
    label = "expected `SingleThreadedRunner` or `MultiThreadedRunner`"
)]
pub trait Runner: Sealed + Sized {
    /// Opens the applications of `system` in `env`. Nothing is processed yet.
    ///
    /// # Errors
    /// When the environment is wrong or a store cannot be opened; the error names the application.
    fn new(system: &System, env: Env) -> Result<Self>;

    /// Starts to process: first what was recorded before, then what comes.
    ///
    /// A policy that fails meanwhile is not an error of this call; see
    /// [`watch_for_errors`](Self::watch_for_errors).
    ///
    /// # Errors
    /// When the runner was started already or was stopped, or listening to a store cannot begin.
    fn start(&mut self) -> Result<()>;

    /// The application object of type `A` that this runner runs.
    ///
    /// # Errors
    /// When the system has no such application.
    fn get<A: ApplicationType>(&self) -> Result<Arc<A>>;

    /// Waits until every follower has processed everything, by what is recorded, whoever did the work.
    ///
    /// # Errors
    /// At once, when a follower has stopped: why it did. After `timeout`: which edges lag.
    fn wait_until_idle(&self, timeout: Duration) -> Result<()>;

    /// Waits until a follower stops, the runner is stopped, or `timeout` is over.
    ///
    /// # Errors
    /// Why the first follower, in the order of definition, has stopped.
    fn watch_for_errors(&self, timeout: Duration) -> Result<()>;

    /// The condition of each follower, in the order of definition.
    ///
    /// It answers also while a store is away: then the positions in it are `None`.
    fn status(&self) -> Vec<FollowerStatus>;

    /// Stops: the event in hand is finished and recorded, no other is begun. Waits ten seconds at the most.
    ///
    /// The applications stay open: what they save from now on is processed by the next runner that is made and started.
    ///
    /// # Errors
    /// As [`stop_within`](Self::stop_within).
    fn stop(&mut self) -> Result<()> {
        self.stop_within(STOP_LIMIT)
    }

    /// Stops as [`stop`](Self::stop) does, waiting for `limit` at the most.
    ///
    /// # Errors
    /// When a policy did not return in time; it is named. Its thread is left, and its batch does not commit, unless
    /// it was being recorded already.
    fn stop_within(&mut self, limit: Duration) -> Result<()>;

    /// Rebuilds the tables of the projection `A` from all events, on this thread: into new tables beside the old ones, which
    /// are queried and followed all the time, and at last put in their place in one transaction. `progress` is called after
    /// each batch; it can be printed: `|progress| eprintln!("{progress}")`.
    ///
    /// The runner need not have been started, so a program of its own can rebuild, while another one follows. A rebuild that
    /// was interrupted, be it by a kill, is taken up where it was; if the projection has changed since, call
    /// [`discard_rebuild`](Self::discard_rebuild) first. (PostgreSQL replaces no table that a view depends on: drop the view
    /// before, and create it again.)
    ///
    /// If a policy of `A` had failed, and its follower here has stopped, it goes on with the new tables; one that has stopped in
    /// another runner goes on when a new runner is made there.
    ///
    /// # Errors
    /// When somebody else rebuilds the same tables, a handler fails, or the store fails and does not recover in a while. What
    /// was rebuilt stays, to be taken up.
    fn rebuild<A: Projection>(&self, progress: impl FnMut(&RebuildProgress)) -> Result<()>;

    /// Drops what an interrupted rebuild of the projection `A` has made; says whether there was any.
    ///
    /// # Errors
    /// When somebody else rebuilds the same tables, or the store fails.
    fn discard_rebuild<A: Projection>(&self) -> Result<bool>;
}

/// The seal of [`Runner`], so that it may get methods.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be a runner: `Runner` is implemented by the library alone",
    label = "use `SingleThreadedRunner` or `MultiThreadedRunner`"
)]
pub trait Sealed {}

impl Sealed for SingleThreadedRunner {}
impl Sealed for MultiThreadedRunner {}

/// The moment after `timeout`; a year from now, if that is sooner.
fn deadline(timeout: Duration) -> Instant {
    const YEAR: Duration = Duration::from_secs(365 * 24 * 60 * 60);
    Instant::now() + timeout.min(YEAR)
}

fn refuse_unless_new(started: bool, stopped: bool) -> Result<()> {
    let problem = match (started, stopped) {
        (_, true) => "the runner was stopped: make a new runner, which goes on where this one was",
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
        "the runner was not started: nothing is processed".to_owned(),
    ))
}
