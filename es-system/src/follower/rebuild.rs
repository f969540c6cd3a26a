//! Rebuilds the tables of a projection beside the live ones.

mod aside;
mod switch;

use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use es_store::backoff::{Backoff, jitter};
use es_store::{Followed, PoliciesMove, RebuildLock, StoreError, Tables, Tracking};

use crate::application::Application;
use crate::error::{Error, Result};
use crate::follower::aside::Failed;
use crate::follower::batch::{BatchLoop, Committed, Until};
use crate::follower::edge::Edge;
use crate::follower::events::{EventSlice, Lane, Page};
use crate::follower::failure::{CommitFailure, Failure, Pause};
use crate::follower::history::History;
use crate::follower::processor::Processor;
use crate::follower::projecting::{self, Target};
use crate::follower::refusals::Refusals;
use crate::policy::work::{Project, Work};
use crate::projection;
use crate::projection::progress::{Meter, RebuildProgress};

/// The maximum number of retries of an operation that the store has refused.
const TRIES: u32 = 10;
/// The pauses between them.
const PAUSES: Backoff = Backoff::new(Duration::from_millis(10), Duration::from_millis(1280));

/// The pauses between attempts to replace tables that others use.
const IN_USE: Backoff = Backoff::new(Duration::from_millis(100), Duration::from_secs(2));

/// A rebuild in progress.
pub(super) struct Rebuild<'a> {
    processor: &'a Processor,
    projection: &'a dyn Project,
    tables: Tables,
    upstreams: Vec<Upstream<'a>>,
    /// The number of this rebuild.
    number: u64,
    lock: RebuildLock,
}

/// An upstream, and the position of the rebuild in it.
struct Upstream<'a> {
    edge: &'a Edge,
    application: &'a Application,
    /// The record about the old tables when this program began to rebuild them.
    begun: Followed,
    /// The position of the rebuild, and the event there.
    followed: Followed,
    refusals: Refusals,
    /// The events of the last page that its batch has left.
    left: Option<Page>,
    /// The event that the next batch sets aside, because its handler has failed.
    failed: Option<Failed>,
}

impl Upstream<'_> {
    fn position(&self) -> u64 {
        self.followed.position.unwrap_or(0)
    }

    /// Takes over a move of the position that was recorded.
    fn moved(&mut self, tracking: Tracking) {
        self.followed = Followed::new(Some(tracking.to));
        self.followed.event = tracking.at;
        self.followed.policies = tracking.policies.and_then(|policies| policies.new);
    }

    /// Returns the policies that a move of the rebuild records.
    fn policies(&self, processor: &Processor) -> PoliciesMove {
        let own = processor.policies.recorded();
        PoliciesMove::new(self.followed.policies.clone(), own.tag)
    }
}

/// Drops the tables that an interrupted rebuild has made. Returns false if there were none.
pub(super) fn discard(processor: &Processor) -> Result<bool> {
    let _lock = lock(processor)?;
    while_in_use(|| processor.application.on_tables(Tables::discard_rebuild))
}

/// Replaces or drops tables. While others use them, it tries again, for as long as a lock may be
/// waited for. The store waits only a moment each time, and the others get through in between.
fn while_in_use<T>(mut work: impl FnMut() -> Result<T>) -> Result<T> {
    let (began, mut tries) = (Instant::now(), 0);
    let may_wait = |error: &Error| match error {
        Error::Store { problem, .. } => match **problem {
            StoreError::Locked { limit, .. } => limit.is_zero() || began.elapsed() < limit,
            _ => false,
        },
        _ => false,
    };
    loop {
        match work() {
            Err(error) if may_wait(&error) => {
                tracing::debug!(%error, "tables that are in use are not replaced yet");
                tries += 1;
                thread::sleep(jitter(IN_USE.pause(tries), 0.5, 1.5));
            }
            done => return done,
        }
    }
}

fn lock(processor: &Processor) -> Result<RebuildLock> {
    let lock = processor.application.on_tables(Tables::lock_rebuild)?;
    lock.ok_or_else(|| {
        let name = processor.name();
        Error::Usage(format!("{name}: its tables are being rebuilt already"))
    })
}

impl<'a> Rebuild<'a> {
    /// Begins a rebuild, or continues one that was interrupted.
    pub(super) fn begin(processor: &'a Processor, edges: &'a [Arc<Edge>]) -> Result<Self> {
        let application = &processor.application;
        let Work::Projection(projection) = &processor.work else {
            let name = processor.name();
            let problem = format!("`{name}` is not a projection, so it has no tables");
            return Err(Error::Usage(problem));
        };
        let begun = edges.iter().map(|edge| edge.admit_rebuild());
        let begun = begun.collect::<Result<Vec<_>>>()?;
        let tables = application.tables()?;
        let lock = lock(processor)?;
        let mut own = None;
        let make = projection.make_tables();
        let number = tables.begin_rebuild(&mut projection::making(application, make, &mut own));
        let number = number.map_err(|e| own.unwrap_or_else(|| application.store_error(e)))?;
        let mut rebuild = Self {
            processor,
            projection: &**projection,
            tables,
            upstreams: Vec::new(),
            number,
            lock,
        };
        for (edge, begun) in edges.iter().zip(begun) {
            let followed = rebuild.recorded_position(&edge.upstream)?;
            rebuild.upstreams.push(Upstream {
                edge,
                application: &edge.upstream,
                begun,
                followed,
                refusals: Refusals::default(),
                left: None,
                failed: None,
            });
        }
        Ok(rebuild)
    }

    /// Rebuilds the tables and replaces the old ones.
    pub(super) fn run(mut self, progress: &mut dyn FnMut(&RebuildProgress)) -> Result<()> {
        let meter = Meter::start(self.processor.name(), self.position());
        loop {
            let mut is_behind = false;
            for index in 0..self.upstreams.len() {
                is_behind |= self.advance(index)?;
                let head = self.persist(|rebuild| Ok(rebuild.head()?))?;
                progress(&meter.at(self.position(), head, false));
            }
            if !is_behind && self.persist(Self::hold_lock_and_switch)? {
                break;
            }
        }
        // The rebuild has succeeded, whether or not its upstreams can be read now.
        let head = self.head().unwrap_or_else(|_| self.position());
        progress(&meter.at(self.position(), head, true));
        Ok(())
    }

    /// Processes one batch of an upstream. Returns true if there may be more.
    fn advance(&mut self, index: usize) -> Result<bool> {
        self.persist(|rebuild| {
            let failure = match rebuild.batch(index) {
                Ok(is_behind) => return Ok(is_behind),
                Err(failure) => failure,
            };
            let is_behind = rebuild.apply_rule(index, failure);
            // The record shows if the batch, or the events before the failed one, were committed.
            rebuild.look_again(index)?;
            is_behind
        })
    }

    /// Repeats an operation that the store refuses, with growing pauses. The number of attempts is
    /// limited, because the caller waits and can continue the rebuild later. An attempt with fewer
    /// events than before is not counted, because there are few of them.
    fn persist<T>(&mut self, mut work: impl FnMut(&mut Self) -> Result<T, Failure>) -> Result<T> {
        let mut tries = 0;
        loop {
            let (error, pause) = match work(self) {
                Ok(done) => return Ok(done),
                Err(Failure::Retry { error, pause })
                    if tries < TRIES && pause != Pause::Configuration =>
                {
                    (error, pause)
                }
                Err(
                    Failure::Retry { error, .. } | Failure::Policy(error) | Failure::Stop(error),
                ) => return Err(error),
                Err(Failure::Newer(event)) => return Err(Error::Policy(event)),
                Err(Failure::SteppedBack(back)) => return Err(back.error),
                Err(Failure::Abandoned) => {
                    let name = self.processor.name();
                    let problem = format!("{name}: the runner was stopped during the rebuild");
                    return Err(Error::Usage(problem));
                }
            };
            let projection = self.processor.name();
            tracing::warn!(projection, %error, "a part of a rebuild runs again");
            if pause != Pause::None {
                tries += 1;
                thread::sleep(pause.time(&PAUSES, tries));
            }
        }
    }

    fn batch(&mut self, index: usize) -> Result<bool, Failure> {
        let this = &mut self.upstreams[index];
        let (upstream, from, left) = (this.application, this.position(), this.left.take());
        let limit = this.refusals.limit();
        let history = History {
            follower: self.processor.name(),
            upstream,
        };
        let Some(head) = history.verify_head(&this.followed, upstream.head()?)? else {
            return Ok(false);
        };
        let lane = Lane::Rebuild(this.policies(self.processor));
        let page = self
            .processor
            .next_page(left, lane, upstream, from, head.clone(), limit)?;
        history.verify(&this.followed, page.start.as_ref())?;
        if page.events.is_empty() {
            let skip = page
                .lane
                .tracking(upstream, from, head.position, head.event);
            let skipped = self
                .tables
                .process_rebuild(&skip, &mut |_| Some(skip.clone()));
            skipped.map_err(|e| self.processor.application.store_error(e))?;
            self.upstreams[index].moved(skip);
            return Ok(false);
        }
        let aside = self.aside(index)?;
        let began = self.upstreams[index].begun.began;
        let events = self.allowed(index, page.slice(upstream, began), &aside)?;
        let done = self.project(index, events)?;
        let tracking = events.tracking(done);
        let to = tracking.to;
        let is_full = page.rest.is_none();
        let this = &mut self.upstreams[index];
        this.moved(tracking);
        this.refusals.passed(to);
        this.failed = None;
        this.left = page.behind(done, to);
        Ok(is_full || this.left.is_some())
    }

    /// Runs the handlers for `events` on the new tables. Returns the number of events that are
    /// done.
    fn project(&mut self, index: usize, events: EventSlice<'_>) -> Result<usize, Failure> {
        let batch_loop = self.batch_loop(Until::TimeIsOver);
        let processed = projecting::process(batch_loop, self.projection, Target::Rebuild, events);
        let refusals = &mut self.upstreams[index].refusals;
        match processed {
            Ok(Committed {
                done,
                failed: Some(failed),
                ..
            }) => Err(refusals.of_event(events.page[done].id, failed)),
            Ok(Committed { done, .. }) => Ok(done),
            Err(CommitFailure::Refused {
                error,
                events: refused,
            }) => Err(refusals.of_commit(
                self.processor.name(),
                events.first(refused).offered(),
                error,
            )),
            Err(CommitFailure::Other(failure)) => Err(failure),
        }
    }

    fn batch_loop(&self, until: Until) -> BatchLoop<'a> {
        BatchLoop {
            processor: self.processor,
            in_hand: None,
            until,
        }
    }

    /// Reads the position of the rebuild in an upstream again.
    fn look_again(&mut self, index: usize) -> Result<()> {
        let followed = self.recorded_position(self.upstreams[index].application)?;
        self.upstreams[index].followed = followed;
        Ok(())
    }

    /// Returns the position of the rebuild. Fails if a program with other policies than those of
    /// this one has moved it: it may have begun the rebuild, or had its lock in between. An earlier
    /// release has not recorded its policies, so they may be others, too.
    fn recorded_position(&self, upstream: &Application) -> Result<Followed> {
        let position = self.tables.rebuilt(upstream.name());
        let followed = position.map_err(|e| self.processor.application.store_error(e))?;
        let is_own = match &followed.policies {
            Some(tag) => *tag == self.processor.policies.tag,
            None => followed.position.unwrap_or(0) == 0,
        };
        if is_own {
            return Ok(followed);
        }
        Err(Error::Usage(format!(
            "{}: its rebuild was begun by a program with other policies, or by an earlier release, \
             which does not record them: call `discard_rebuild`, and rebuild again",
            self.processor.name()
        )))
    }

    /// Returns the number of processed events.
    fn position(&self) -> u64 {
        self.upstreams.iter().map(Upstream::position).sum()
    }

    /// Returns the number of events in all upstreams.
    fn head(&self) -> Result<u64> {
        let heads = self.upstreams.iter();
        heads
            .map(|upstream| upstream.application.notification_log().head())
            .sum()
    }
}
