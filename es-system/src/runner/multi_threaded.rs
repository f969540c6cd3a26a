//! The runner with a thread for each follower.
//!
//! Concurrency: only its own thread works on a follower. The thread listens to all its upstreams
//! before its first pull, and reads the number of its signal's rings before each pull. So an event
//! that is committed during a pull makes the following wait return at once. Rings are hints: the
//! thread also pulls once in each poll interval. Threads share nothing but the signals and the
//! flags that stop them. The record alone ensures that an event is processed exactly once, see
//! [`follower`](crate::follower).

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use es_core::source;
use es_core::source::{Source, SystemSource};
use es_store::{Listening, Signal};

use crate::application::ApplicationType;
use crate::application::saved::Announced;
use crate::error::{Error, Result};
use crate::follower::Follower;
use crate::follower::status::FollowerStatus;
use crate::follower::step::{Next, Skips};
use crate::projection::Projection;
use crate::projection::progress::RebuildProgress;
use crate::runner;
use crate::runner::health::{Phase, Vitals};
use crate::runner::network::Network;
use crate::runner::{Runner, Sealed};
use crate::system::System;
use es_store::Env;
use es_store::backoff::jitter;

/// Runs a system with a thread for each follower.
///
/// Commands return when their events are recorded. Followers are prompted at once, and also notice
/// the events that other processes record. The threads inherit the [source](crate::testing::Source)
/// of time and ids of the thread that starts the runner.
pub struct MultiThreadedRunner {
    shared: Arc<Shared>,
    /// The thread of each follower, in the order of the followers.
    threads: Vec<(Arc<Follower>, JoinHandle<()>)>,
    started: bool,
    stopped: bool,
}

struct Shared {
    network: Network,
    /// The signal of each follower, rung by its upstreams and to stop it.
    prompts: Vec<Arc<Signal>>,
    /// The number of calls that wait until the system is idle. While there is one, followers write
    /// each position at once.
    waiting: AtomicUsize,
    /// Rung when a thread ends.
    ended: Arc<Signal>,
}

impl Runner for MultiThreadedRunner {
    fn new(system: &System, env: Env) -> Result<Self> {
        let network = Network::open(system, &env)?;
        let prompts = network.followers().iter().map(|_| Signal::new()).collect();
        let shared = Arc::new(Shared {
            network,
            prompts,
            waiting: AtomicUsize::new(0),
            ended: Signal::new(),
        });
        Ok(Self {
            shared,
            threads: Vec::new(),
            started: false,
            stopped: false,
        })
    }

    fn start(&mut self) -> Result<()> {
        runner::refuse_unless_new(self.started, self.stopped)?;
        self.shared.network.refuse_to_start()?;
        let listening: Result<Vec<_>> = (0..self.shared.prompts.len())
            .map(|index| self.shared.listen(index))
            .collect();
        let listening = listening?;
        self.shared.network.record_policies()?;
        for (index, (poll, listening)) in listening.into_iter().enumerate() {
            self.started = true;
            self.spawn(index, poll, listening)?;
        }
        self.started = true;
        Ok(())
    }

    fn get<A: ApplicationType>(&self) -> Result<Arc<A>> {
        self.shared.network.get()
    }

    fn wait_until_idle(&self, timeout: Duration) -> Result<()> {
        runner::refuse_unless_started(self.started)?;
        let _waiter = self.shared.announce_waiting();
        let progress = &self.shared.network.progress;
        let mut seen = progress.rings();
        self.shared.network.wait_until_idle(timeout, |deadline| {
            // Another process may do the work without ringing this signal, so look again after a
            // while.
            let left = deadline.saturating_duration_since(Instant::now());
            seen = progress.wait(seen, left.min(Duration::from_millis(20)));
            Ok(())
        })
    }

    fn watch_for_errors(&self, timeout: Duration) -> Result<()> {
        self.shared
            .network
            .watch_for_errors(timeout, || self.stopped)
    }

    fn status(&self) -> Vec<FollowerStatus> {
        self.shared.network.status(self.started && !self.stopped)
    }

    fn stop_within(&mut self, limit: Duration) -> Result<()> {
        self.stopped = true;
        self.shared.finish();
        let deadline = runner::deadline(limit);
        // A thread that has not ended is kept, so that the next call to stop reports it again.
        let mut left = Vec::new();
        for (follower, thread) in self.threads.drain(..) {
            if thread.thread().id() == thread::current().id() {
                continue;
            }
            if self.shared.wait_for_end(&thread, deadline) {
                // The thread catches panics itself.
                let _ = thread.join();
            } else {
                follower.abandon();
                left.push((follower, thread));
            }
        }
        self.threads = left;
        let stuck = self.threads.first().map(|(follower, _)| follower);
        match stuck {
            None => Ok(()),
            Some(follower) => Err(Error::StillRunning {
                follower: follower.name().to_owned(),
                limit,
                in_hand: follower
                    .in_hand()
                    .map(|(upstream, at)| (upstream.to_owned(), at)),
            }),
        }
    }

    fn rebuild<A: Projection>(&self, mut progress: impl FnMut(&RebuildProgress)) -> Result<()> {
        if self
            .shared
            .network
            .projection::<A>()?
            .rebuild(&mut progress)?
        {
            self.shared.prompt_all();
        }
        Ok(())
    }

    fn discard_rebuild<A: Projection>(&self) -> Result<bool> {
        self.shared.network.projection::<A>()?.discard_rebuild()
    }
}

impl MultiThreadedRunner {
    fn spawn(&mut self, index: usize, poll: Duration, listening: Listening) -> Result<()> {
        let follower = self.shared.network.followers()[index].clone();
        let shared = self.shared.clone();
        let source = source::current();
        let work = move || {
            let _ended = RingAtEnd(shared.ended.clone());
            source::with_source(source, || shared.run(index, poll));
            drop(listening);
        };
        let name = format!("follower {}", follower.name());
        let thread = thread::Builder::new()
            .name(name)
            .spawn(work)
            .map_err(|error| {
                Error::configuration(
                    follower.name(),
                    format!("no thread can be started for it: {error}"),
                )
            })?;
        self.threads.push((follower, thread));
        Ok(())
    }
}

impl Shared {
    /// Listens to all upstreams of a follower. Returns its poll interval and the listener.
    fn listen(&self, index: usize) -> Result<(Duration, Listening)> {
        let follower = &self.network.followers()[index];
        let poll = follower.application().poll_interval()?;
        let mut listening = Listening::new(|| ());
        for edge in follower.edges() {
            let prompt = &self.prompts[index];
            let more = edge.upstream().on_store(|store| store.listen(prompt))?;
            listening = listening.and(more);
        }
        Ok((poll, listening))
    }

    /// Runs a follower on its thread. The thread outlives a stop of the follower, because the
    /// follower continues when its tables are rebuilt.
    fn run(&self, index: usize, poll: Duration) {
        let follower = &self.network.followers()[index];
        loop {
            // Read before the check, so that a stop that rings after the check ends the wait.
            let seen = self.prompts[index].rings();
            if follower.is_finishing() {
                break;
            }
            if let Some(pause) = self.step_all(follower, poll) {
                self.prompts[index].wait(seen, pause);
            }
        }
        self.network.progress.ring();
    }

    /// Takes a step of each edge. Returns the time to wait for a prompt, or `None` if there may be
    /// more to do at once.
    fn step_all(&self, follower: &Follower, poll: Duration) -> Option<Duration> {
        let now = Instant::now();
        let mut wait = jitter(poll, 0.75, 1.25);
        let mut is_done = true;
        for edge in follower.edges() {
            let until = match self
                .network
                .step(edge, self.skips(), SystemSource.now())
                .next
            {
                Next::AtOnce => {
                    is_done = false;
                    continue;
                }
                Next::NotBefore(at) => at,
                Next::WhenPrompted { or_at: Some(at) } => at,
                Next::WhenPrompted { or_at: None } | Next::Never => continue,
            };
            wait = wait.min(until.saturating_duration_since(now));
        }
        is_done.then_some(wait)
    }

    fn skips(&self) -> Skips {
        if self.waiting.load(Ordering::SeqCst) > 0 {
            Skips::Now
        } else {
            Skips::Later
        }
    }

    /// Prompts all followers, and has them write each position at once until the guard is dropped.
    fn announce_waiting(&self) -> IdleWaiter<'_> {
        self.waiting.fetch_add(1, Ordering::SeqCst);
        self.prompt_all();
        IdleWaiter(self)
    }

    fn prompt_all(&self) {
        self.prompts.iter().for_each(|prompt| prompt.ring());
    }

    fn finish(&self) {
        self.network
            .followers()
            .iter()
            .for_each(|follower| follower.finish());
        self.prompt_all();
        self.network.progress.ring();
    }

    fn wait_for_end(&self, thread: &JoinHandle<()>, deadline: Instant) -> bool {
        loop {
            let seen = self.ended.rings();
            if thread.is_finished() {
                return true;
            }
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return false;
            }
            // A thread rings shortly before it is finished, so look again soon.
            self.ended.wait(seen, left.min(Duration::from_millis(5)));
        }
    }
}

impl Sealed for MultiThreadedRunner {
    fn network(&self) -> &Network {
        &self.shared.network
    }

    fn vitals(&self) -> Vitals {
        let phase = Phase::of(self.started, self.stopped);
        let runs = |follower: &Arc<Follower>| {
            let mut threads = self.threads.iter();
            threads.any(|(of, thread)| Arc::ptr_eq(of, follower) && !thread.is_finished())
        };
        let followers = self.shared.network.followers().iter();
        let ended = followers.filter(|one| phase == Phase::Running && !runs(one));
        Vitals {
            phase,
            ended: ended.map(|follower| follower.name().to_owned()).collect(),
            endless: None,
        }
    }

    fn prompt_followers(&self) {
        self.shared.prompt_all();
    }
}

impl MultiThreadedRunner {
    /// Has followers write at once each position that only skips events, until the guard is
    /// dropped.
    pub(super) fn announce_waiting(&self) -> impl Announced + '_ {
        self.shared.announce_waiting()
    }
}

impl Drop for MultiThreadedRunner {
    fn drop(&mut self) {
        if let Err(error) = self.stop() {
            tracing::error!(%error, "a runner was dropped while it worked");
        }
    }
}

struct IdleWaiter<'a>(&'a Shared);

impl Announced for IdleWaiter<'_> {}

impl Drop for IdleWaiter<'_> {
    fn drop(&mut self) {
        self.0.waiting.fetch_sub(1, Ordering::SeqCst);
    }
}

struct RingAtEnd(Arc<Signal>);

impl Drop for RingAtEnd {
    fn drop(&mut self) {
        self.0.ring();
    }
}
