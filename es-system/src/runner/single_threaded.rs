//! The runner without a thread of its own.
//!
//! Concurrency: one thread works at a time. The thread that holds the work lock works until nothing
//! is queued. A command on a second thread queues the application that it saved to, and waits for
//! the lock. So when it returns, its consequences are processed, either by the former holder or by
//! itself. A save from inside a policy (to another application of the system, on the working
//! thread) only queues: the loop that called the policy processes the queue. A policy must not wait
//! for another thread that saves to an application of the system, because that thread waits for the
//! lock.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, Weak};
use std::time::{Duration, Instant};

use es_store::Signal;
use es_store::sync;

use crate::application::core::AfterSave;
use crate::application::{Application, ApplicationType};
use crate::error::{Error, Result};
use crate::follower::status::FollowerStatus;
use crate::follower::step::{Next, Skips};
use crate::projection::Projection;
use crate::projection::progress::RebuildProgress;
use crate::runner::health::{Phase, Vitals};
use crate::runner::limits::{Budget, Limits};
use crate::runner::network::{Connection, Network};
use crate::runner::reentrancy::ReentrancyGuard;
use crate::runner::work_lock::WorkLock;
use crate::runner::{self, limits};
use crate::runner::{Runner, Sealed};
use crate::system::System;
use es_store::Env;

/// Runs a system on the threads of its commands, in an order that is always the same.
///
/// The runner has no thread of its own. It pulls at the start, after each save on the saving
/// thread, in [`wait_until_idle`](Runner::wait_until_idle) and in [`process`](Self::process). When
/// a command returns, everything that follows from it has been processed. Applications are followed
/// in the order in which they were saved to, and by their followers in the order in which the edges
/// are defined. A policy that fails does not fail the command: it stops its follower, and
/// `watch_for_errors` and `wait_until_idle` return its error. When a store fails, the batch is
/// retried for a second, and again by the next pull.
///
/// Applications that follow each other, or whose policies save to those that they follow, may
/// answer each other without end. So one call processes at most `CYCLE_EVENTS_MAX` events of such
/// applications, 10,000 unless set otherwise, and ten for each event that was there before. Then
/// [`start`](Runner::start) and [`wait_until_idle`](Runner::wait_until_idle) return an error that
/// names the applications. [`watch_for_errors`](Runner::watch_for_errors) returns it after any
/// call. Nothing is lost: the next call goes on.
pub struct SingleThreadedRunner {
    shared: Arc<Shared>,
}

struct Shared {
    instance: u64,
    network: Network,
    queue: Mutex<VecDeque<usize>>,
    /// The nodes that policies have saved to since the last step of the working thread.
    saved_to: Mutex<Vec<usize>>,
    work_lock: WorkLock,
    started: AtomicBool,
    stopped: AtomicBool,
    /// The maximum number of events in cycles that one call processes; 0 is no limit.
    cycle_events: u64,
    /// The error of the last work, if applications answered each other beyond the limit.
    endless: Mutex<Option<Error>>,
    /// Rung when the runner is stopped, to end the pause between two attempts.
    stop: Arc<Signal>,
}

impl Runner for SingleThreadedRunner {
    fn new(system: &System, env: Env) -> Result<Self> {
        static INSTANCES: AtomicU64 = AtomicU64::new(0);
        let shared = Shared {
            instance: INSTANCES.fetch_add(1, Ordering::Relaxed),
            network: Network::open(system, &env)?,
            queue: Mutex::default(),
            saved_to: Mutex::default(),
            work_lock: WorkLock::default(),
            started: AtomicBool::new(false),
            stopped: AtomicBool::new(false),
            cycle_events: limits::cycle_events(&env)?,
            endless: Mutex::default(),
            stop: Signal::new(),
        };
        Ok(Self {
            shared: Arc::new(shared),
        })
    }

    fn start(&mut self) -> Result<()> {
        let started = self.shared.started.load(Ordering::SeqCst);
        runner::refuse_unless_new(started, self.shared.stopped.load(Ordering::SeqCst))?;
        self.shared.network.refuse_to_start()?;
        self.shared.network.record_policies()?;
        self.shared.started.store(true, Ordering::SeqCst);
        for leader in self.shared.network.leaders() {
            let shared: Weak<Shared> = Arc::downgrade(&self.shared);
            self.shared
                .network
                .application(leader)
                .tell_after_save(shared);
        }
        self.process();
        self.shared.endless().map_or(Ok(()), Err)
    }

    fn get<A: ApplicationType>(&self) -> Result<Arc<A>> {
        self.shared.network.get()
    }

    fn wait_until_idle(&self, timeout: Duration) -> Result<()> {
        let shared = &self.shared;
        runner::refuse_unless_started(shared.started.load(Ordering::SeqCst))?;
        shared.network.wait_until_idle(timeout, |deadline| {
            let seen = shared.network.progress.rings();
            shared.queue_leaders();
            shared.work(Skips::Now, Limits::of_a_wait(deadline));
            shared.endless().map_or(Ok(()), Err)?;
            // Nothing was done: another process does the work, or a failed batch is in its pause.
            let pause = Duration::from_millis(20).min(deadline - Instant::now().min(deadline));
            shared.network.progress.wait(seen, pause);
            Ok(())
        })
    }

    fn watch_for_errors(&self, timeout: Duration) -> Result<()> {
        let shared = &self.shared;
        let done = || shared.stopped.load(Ordering::SeqCst) || shared.endless().is_some();
        shared.network.watch_for_errors(timeout, done)?;
        shared.endless().map_or(Ok(()), Err)
    }

    fn status(&self) -> Vec<FollowerStatus> {
        let Shared {
            started, stopped, ..
        } = &*self.shared;
        let is_running = started.load(Ordering::SeqCst) && !stopped.load(Ordering::SeqCst);
        self.shared.network.status(is_running)
    }

    fn stop_within(&mut self, limit: Duration) -> Result<()> {
        self.shared.stop_within(limit)
    }

    fn rebuild<A: Projection>(&self, mut progress: impl FnMut(&RebuildProgress)) -> Result<()> {
        if self
            .shared
            .network
            .projection::<A>()?
            .rebuild(&mut progress)?
        {
            self.process();
        }
        Ok(())
    }

    fn discard_rebuild<A: Projection>(&self) -> Result<bool> {
        self.shared.network.projection::<A>()?.discard_rebuild()
    }
}

impl SingleThreadedRunner {
    /// Processes on this thread what others have recorded since the last pull.
    ///
    /// Failures are reported by [`status`](Runner::status) and
    /// [`watch_for_errors`](Runner::watch_for_errors).
    pub fn process(&self) {
        self.shared.queue_leaders();
        self.shared.work_for_a_command(Skips::Now);
    }

    /// Processes what is recorded. If it was nothing, waits until another process moves a position,
    /// for at most `pause`.
    pub(super) fn work_until(&self, pause: Duration, deadline: Instant) {
        let shared = &self.shared;
        let seen = shared.network.progress.rings();
        if shared.started.load(Ordering::SeqCst) {
            shared.queue_leaders();
            shared.work(Skips::Now, Limits::of_a_wait(deadline));
        }
        shared.network.progress.wait(seen, pause);
    }

    /// Has every save in the system compare values with what was stored of them, for tests.
    pub(crate) fn compare_values(&self) {
        self.shared.network.compare_values();
    }
}

impl Sealed for SingleThreadedRunner {
    fn network(&self) -> &Network {
        &self.shared.network
    }

    fn vitals(&self) -> Vitals {
        let Shared {
            started, stopped, ..
        } = &*self.shared;
        Vitals {
            phase: Phase::of(
                started.load(Ordering::SeqCst),
                stopped.load(Ordering::SeqCst),
            ),
            ended: Vec::new(),
            endless: self.shared.endless(),
        }
    }

    fn prompt_followers(&self) {
        if self.shared.started.load(Ordering::SeqCst) {
            self.process();
        }
    }
}

impl AfterSave for Shared {
    fn after_save(&self, application: &Application) {
        if let Some(node) = self.network.node_of(application) {
            self.queue(node);
            if ReentrancyGuard::on_this_thread(self.instance) {
                sync::lock(&self.saved_to).push(node);
            }
            self.work_for_a_command(Skips::Later);
        }
    }
}

impl Shared {
    /// Queues a node whose log has grown, unless it is queued already.
    fn queue(&self, node: usize) {
        let mut queue = self.lock_queue();
        if !queue.contains(&node) {
            queue.push_back(node);
        }
    }

    fn queue_leaders(&self) {
        self.network.leaders().for_each(|leader| self.queue(leader));
    }

    /// Works for a command, which tries failed batches again at once.
    fn work_for_a_command(&self, skips: Skips) {
        let connections = self.network.edges().iter();
        connections.for_each(|connection| connection.edge.end_pause());
        self.work(skips, Limits::of_a_command());
    }

    /// Works until nothing is queued or a limit is reached.
    fn work(&self, skips: Skips, limits: Limits) {
        if ReentrancyGuard::on_this_thread(self.instance) {
            return;
        }
        let stopped = || self.stopped.load(Ordering::SeqCst);
        let Some(_guard) = self.work_lock.take_within(limits.wait(), stopped) else {
            return;
        };
        let _working = ReentrancyGuard::begin(self.instance);
        let mut budget = Budget::new(self.cycle_events, limits);
        loop {
            let seen = self.stop.rings();
            let retry_at = self.work_off_queue(skips, &mut budget);
            self.report_endless(&budget);
            let Some(retry_at) = retry_at else {
                return;
            };
            let now = Instant::now();
            let left = limits.retry.saturating_duration_since(now);
            if left.is_zero() || stopped() || budget.is_over() {
                return;
            }
            let pause = retry_at.saturating_duration_since(now);
            self.stop.wait(seen, left.min(pause));
        }
    }

    /// Follows each queued leader once. Those with a failed batch are queued again. Returns the
    /// time of the first retry, if there is one.
    fn work_off_queue(&self, skips: Skips, budget: &mut Budget) -> Option<Instant> {
        let mut left_over = Vec::new();
        let mut retry_at: Option<Instant> = None;
        while let Some(leader) = self.next_in_queue(budget) {
            let edges = self.network.edges().iter();
            for connection in edges.filter(|connection| connection.leader == leader) {
                match self.follow(connection, skips, budget) {
                    Followed::All => {}
                    Followed::NotAll => left_over.push(leader),
                    Followed::RetryAt(at) => {
                        left_over.push(leader);
                        retry_at = Some(retry_at.map_or(at, |first| first.min(at)));
                    }
                }
            }
        }
        left_over.into_iter().for_each(|leader| self.queue(leader));
        retry_at
    }

    fn next_in_queue(&self, budget: &Budget) -> Option<usize> {
        if self.stopped.load(Ordering::SeqCst) || budget.is_over() {
            return None;
        }
        self.lock_queue().pop_front()
    }

    /// Has one follower process all events of one leader. It does not wait for the pause after a
    /// failure, because others have work to do meanwhile.
    fn follow(&self, connection: &Connection, skips: Skips, budget: &mut Budget) -> Followed {
        loop {
            budget.begin(connection);
            let before = connection.edge.passed();
            let step = self.network.step(&connection.edge, skips, budget.began());
            let saved_to = std::mem::take(&mut *sync::lock(&self.saved_to));
            if budget.add_saves(&self.network, connection, saved_to) {
                budget.begin(connection);
            }
            budget.spend(connection, connection.edge.passed() - before);
            if step.recorded {
                self.queue(connection.node);
            }
            match step.next {
                Next::NotBefore(at) if at > Instant::now() => return Followed::RetryAt(at),
                Next::AtOnce | Next::NotBefore(_) => {}
                Next::WhenPrompted { .. } | Next::Never => return Followed::All,
            }
            if self.stopped.load(Ordering::SeqCst) || budget.is_over() {
                return Followed::NotAll;
            }
        }
    }

    /// Reports applications that answer each other beyond the limit, or that they have ended.
    fn report_endless(&self, budget: &Budget) {
        let error = budget
            .exceeded()
            .map(|(cycle, events)| self.network.endless(cycle, events));
        if let Some(error) = &error {
            tracing::error!(%error, "work without end was interrupted");
        }
        let is_endless = error.is_some();
        *sync::lock(&self.endless) = error;
        if is_endless {
            self.network.progress.ring();
        }
    }

    fn endless(&self) -> Option<Error> {
        sync::lock(&self.endless).clone()
    }

    fn stop_within(&self, limit: Duration) -> Result<()> {
        self.stopped.store(true, Ordering::SeqCst);
        let followers = self.network.followers();
        followers.iter().for_each(|follower| follower.finish());
        self.stop.ring();
        self.network.progress.ring();
        self.work_lock.wake_all();
        let work_lock = || self.work_lock.take_within(limit, || false);
        if ReentrancyGuard::on_this_thread(self.instance) || work_lock().is_some() {
            return Ok(());
        }
        followers.iter().for_each(|follower| follower.abandon());
        let stuck = followers
            .iter()
            .find_map(|f| f.in_hand().map(|hand| (f, hand)));
        Err(Error::StillRunning {
            follower: stuck.map_or_else(|| "the runner".to_owned(), |(f, _)| f.name().to_owned()),
            limit,
            in_hand: stuck.map(|(_, (upstream, position))| (upstream.to_owned(), position)),
        })
    }

    fn lock_queue(&self) -> MutexGuard<'_, VecDeque<usize>> {
        sync::lock(&self.queue)
    }
}

impl Drop for SingleThreadedRunner {
    fn drop(&mut self) {
        if let Err(error) = self.stop() {
            tracing::error!(%error, "a runner was dropped while it worked");
        }
    }
}

/// The result of following a leader.
enum Followed {
    /// All its events are processed, or the follower has stopped.
    All,
    /// A limit was reached before all its events were processed.
    NotAll,
    /// A batch has failed, and runs again at this moment.
    RetryAt(Instant),
}
