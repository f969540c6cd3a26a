//! The runner without a thread of its own.
//!
//! Concurrency: one thread works at a time; who has the *turn* works until nothing is queued. A command from a
//! second thread queues what it saved and waits for the turn, so what follows from it is processed when it
//! returns, by whoever had the turn before or by itself. A save from inside a policy (of another application of
//! the system, on the working thread) is queued only: the loop that called the policy comes to it. A policy
//! must not wait for another thread that saves to an application of the system: that thread waits for the turn.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, Weak};
use std::time::{Duration, Instant};

use es_store::Signal;
use es_store::sync;

use crate::application::core::AfterSave;
use crate::application::{Application, ApplicationType};
use crate::error::{Error, Result};
use crate::follower::edge::{Next, Skips};
use crate::follower::status::FollowerStatus;
use crate::projection::Projection;
use crate::projection::progress::RebuildProgress;
use crate::runner;
use crate::runner::Runner;
use crate::runner::network::{Connection, Network};
use crate::system::System;
use es_store::Env;

/// How long a command goes on with a batch that the store refuses, before it leaves it to the next one.
const COMMAND_PATIENCE: Duration = Duration::from_secs(1);

/// Runs a system on the threads of its commands, in an order that is always the same.
///
/// It has no thread of its own: it pulls at the start, after each save on the saving thread, in
/// [`wait_until_idle`](Runner::wait_until_idle) and in [`process`](Self::process). When a command
/// returns, everything that follows from it has been processed: what was saved first is followed first, by
/// its followers in the order in which the edges are defined. A policy that fails does not fail the command:
/// it stops its follower, and `watch_for_errors` and `wait_until_idle` say so. A store that fails is tried again for a
/// second, and then at the next occasion.
pub struct SingleThreadedRunner {
    shared: Arc<Shared>,
}

struct Shared {
    instance: u64,
    network: Network,
    queue: Mutex<VecDeque<usize>>,
    turn: Turn,
    started: AtomicBool,
    stopped: AtomicBool,
    /// Rung when the runner is stopped, to end a pause between two attempts.
    stop: Arc<Signal>,
}

impl Runner for SingleThreadedRunner {
    fn new(system: &System, env: Env) -> Result<Self> {
        static INSTANCES: AtomicU64 = AtomicU64::new(0);
        let shared = Shared {
            instance: INSTANCES.fetch_add(1, Ordering::Relaxed),
            network: Network::open(system, &env)?,
            queue: Mutex::default(),
            turn: Turn::default(),
            started: AtomicBool::new(false),
            stopped: AtomicBool::new(false),
            stop: Signal::new(),
        };
        Ok(Self {
            shared: Arc::new(shared),
        })
    }

    fn start(&mut self) -> Result<()> {
        let started = self.shared.started.load(Ordering::SeqCst);
        runner::refuse_unless_new(started, self.shared.stopped.load(Ordering::SeqCst))?;
        self.shared.started.store(true, Ordering::SeqCst);
        for leader in self.shared.network.leaders() {
            let shared: Weak<Shared> = Arc::downgrade(&self.shared);
            self.shared
                .network
                .application(leader)
                .tell_after_save(shared);
        }
        self.process();
        Ok(())
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
            shared.work(
                Skips::Now,
                Limits {
                    retry: deadline,
                    stop: Some(deadline),
                },
            );
            // Nothing was done: another process works on it, or its store is out of reach.
            let pause = Duration::from_millis(20).min(deadline - Instant::now().min(deadline));
            shared.network.progress.wait(seen, pause);
        })
    }

    fn watch_for_errors(&self, timeout: Duration) -> Result<()> {
        let stopped = || self.shared.stopped.load(Ordering::SeqCst);
        self.shared.network.watch_for_errors(timeout, stopped)
    }

    fn status(&self) -> Vec<FollowerStatus> {
        self.shared.network.status()
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
    /// Processes what others have recorded since the last pull, on this thread.
    ///
    /// What fails is seen in [`status`](Runner::status) and [`watch_for_errors`](Runner::watch_for_errors).
    pub fn process(&self) {
        self.shared.queue_leaders();
        self.shared.work(Skips::Now, Limits::of_a_command());
    }
}

impl AfterSave for Shared {
    fn after_save(&self, application: &Application) {
        if let Some(node) = self.network.node_of(application) {
            self.queue(node);
            self.work(Skips::Later, Limits::of_a_command());
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

    /// Works until nothing is queued, or the limits are reached.
    fn work(&self, skips: Skips, limits: Limits) {
        if Working::on_this_thread(self.instance) {
            return;
        }
        let stopped = || self.stopped.load(Ordering::SeqCst);
        let Some(_turn) = self.turn.take_within(limits.wait(), stopped) else {
            return;
        };
        let _working = Working::begin(self.instance);
        let mut left_over = Vec::new();
        while let Some(leader) = self.next_in_queue(limits) {
            let edges = self.network.edges().iter();
            for connection in edges.filter(|connection| connection.leader == leader) {
                if !self.follow(connection, skips, limits) {
                    left_over.push(leader);
                }
            }
        }
        left_over.into_iter().for_each(|leader| self.queue(leader));
    }

    fn next_in_queue(&self, limits: Limits) -> Option<usize> {
        if self.stopped.load(Ordering::SeqCst) || limits.are_over() {
            return None;
        }
        self.lock_queue().pop_front()
    }

    /// Has one follower process everything of one leader. Returns false if something is left over.
    fn follow(&self, connection: &Connection, skips: Skips, limits: Limits) -> bool {
        connection.edge.end_pause();
        loop {
            let seen = self.stop.rings();
            let step = self.network.step(&connection.edge, skips);
            if step.recorded {
                self.queue(connection.node);
            }
            match step.next {
                Next::AtOnce => {}
                Next::WhenPrompted { .. } | Next::Never => return true,
                Next::NotBefore(at) => {
                    let now = Instant::now();
                    let left = limits.retry.saturating_duration_since(now);
                    if left.is_zero() {
                        return false;
                    }
                    self.stop
                        .wait(seen, left.min(at.saturating_duration_since(now)));
                }
            }
            if self.stopped.load(Ordering::SeqCst) || limits.are_over() {
                return false;
            }
        }
    }

    fn stop_within(&self, limit: Duration) -> Result<()> {
        self.stopped.store(true, Ordering::SeqCst);
        let followers = self.network.followers();
        followers.iter().for_each(|follower| follower.finish());
        self.stop.ring();
        self.network.progress.ring();
        self.turn.wake_all();
        let turn = || self.turn.take_within(limit, || false);
        if Working::on_this_thread(self.instance) || turn().is_some() {
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

/// How long one piece of work may go on.
#[derive(Clone, Copy)]
struct Limits {
    /// Until when a batch that the store refuses is tried again.
    retry: Instant,
    /// When to leave off, also when all goes well: a cycle may feed itself without end.
    stop: Option<Instant>,
}

impl Limits {
    fn of_a_command() -> Self {
        Self {
            retry: Instant::now() + COMMAND_PATIENCE,
            stop: None,
        }
    }

    /// How long to wait for the turn.
    fn wait(self) -> Duration {
        self.stop.map_or(Duration::MAX, |stop| {
            stop.saturating_duration_since(Instant::now())
        })
    }

    fn are_over(self) -> bool {
        self.stop.is_some_and(|stop| Instant::now() >= stop)
    }
}

/// Who works. It can be waited for with a limit, which a mutex cannot.
#[derive(Default)]
struct Turn {
    taken: Mutex<bool>,
    given: Condvar,
}

/// Gives the turn on when it is dropped.
struct Taken<'a>(&'a Turn);

impl Turn {
    /// The turn, if it comes within `limit` and before `give_up` holds.
    fn take_within(&self, limit: Duration, give_up: impl Fn() -> bool) -> Option<Taken<'_>> {
        let deadline = runner::deadline(limit);
        let mut taken = sync::lock(&self.taken);
        while *taken {
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() || give_up() {
                return None;
            }
            let waited = self.given.wait_timeout(taken, left);
            taken = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
        *taken = true;
        Some(Taken(self))
    }

    /// Has all who wait for the turn look whether to give up.
    fn wake_all(&self) {
        let _looking = sync::lock(&self.taken);
        self.given.notify_all();
    }
}

impl Drop for Taken<'_> {
    fn drop(&mut self) {
        *sync::lock(&self.0.taken) = false;
        self.0.given.notify_one();
    }
}

thread_local! {
    /// The runners that work on this thread: one inside another if a policy drives another system.
    static WORKING: RefCell<Vec<u64>> = const { RefCell::new(Vec::new()) };
}

/// Says, until it is dropped, that a runner works on this thread.
struct Working;

impl Working {
    fn begin(instance: u64) -> Self {
        WORKING.with_borrow_mut(|working| working.push(instance));
        Self
    }

    fn on_this_thread(instance: u64) -> bool {
        WORKING.with_borrow(|working| working.contains(&instance))
    }
}

impl Drop for Working {
    fn drop(&mut self) {
        WORKING.with_borrow_mut(|working| working.pop());
    }
}
