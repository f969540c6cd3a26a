//! A projection's tables, rebuilt beside those that are queried.

use std::thread;
use std::time::Duration;

use es_store::{Notification, NotificationQuery, RebuildLock, Tables, Transaction};

use crate::application::Application;
use crate::error::{Error, Result};
use crate::follower::Follower;
use crate::follower::failure::{Failure, PolicyError};
use crate::follower::processing::{BATCH_EVENTS, tracking};
use crate::follower::projecting::{Events, Target};
use crate::policy::work::{Project, Work};
use crate::projection;
use crate::projection::progress::Meter;
use crate::projection::progress::RebuildProgress;

/// How often something is tried again that the store has refused.
const TRIES: u32 = 10;

/// A rebuild under way.
struct Rebuild<'a> {
    follower: &'a Follower,
    projection: &'a dyn Project,
    tables: Tables,
    /// How far it is in each upstream.
    positions: Vec<u64>,
    _lock: RebuildLock,
}

impl Follower {
    /// Rebuilds the tables, on this thread.
    pub(crate) fn rebuild(&self, progress: &mut dyn FnMut(&RebuildProgress)) -> Result<()> {
        let mut rebuild = self.begin_rebuild()?;
        let meter = Meter::start(self.name(), rebuild.positions.iter().sum());
        loop {
            let mut is_behind = false;
            for upstream in 0..self.upstreams.len() {
                is_behind |= rebuild.advance(upstream)?;
                let (done, total) = rebuild.count()?;
                progress(&meter.at(done, total, false));
            }
            if !is_behind && rebuild.persist(Rebuild::switch)? {
                break;
            }
        }
        let (done, total) = rebuild.count()?;
        progress(&meter.at(done, total, true));
        Ok(())
    }

    /// Drops what an interrupted rebuild has made.
    pub(crate) fn discard_rebuild(&self) -> Result<bool> {
        let tables = self.application.tables()?;
        let _lock = self.lock_rebuild(&tables)?;
        tables
            .discard_rebuild()
            .map_err(|e| self.application.store_error(e))
    }

    fn begin_rebuild(&self) -> Result<Rebuild<'_>> {
        let Work::Projection(projection) = &self.work else {
            let problem = format!("`{}` is no projection, and has no tables", self.name());
            return Err(Error::Usage(problem));
        };
        let tables = self.application.tables()?;
        let lock = self.lock_rebuild(&tables)?;
        let mut own = None;
        let make = projection.make_tables();
        let begun =
            tables.begin_rebuild(&mut projection::making(&self.application, make, &mut own));
        begun.map_err(|e| own.unwrap_or_else(|| self.application.store_error(e)))?;
        let rebuilt = |upstream: &Application| {
            tables
                .rebuilt(upstream.name())
                .map_err(|e| self.application.store_error(e))
        };
        let positions = self.upstreams.iter().map(rebuilt).collect::<Result<_>>()?;
        Ok(Rebuild {
            follower: self,
            projection: &**projection,
            tables,
            positions,
            _lock: lock,
        })
    }

    fn lock_rebuild(&self, tables: &Tables) -> Result<RebuildLock> {
        let lock = tables
            .lock_rebuild()
            .map_err(|e| self.application.store_error(e))?;
        lock.ok_or_else(|| {
            Error::Usage(format!(
                "{}: its tables are being rebuilt already",
                self.name()
            ))
        })
    }
}

impl Rebuild<'_> {
    /// Processes one batch of an upstream; says whether there may be more.
    fn advance(&mut self, upstream: usize) -> Result<bool> {
        self.persist(|rebuild| {
            let failed = match rebuild.batch(upstream) {
                Ok(is_behind) => return Ok(is_behind),
                Err(failed) => failed,
            };
            // Where a batch of it was recorded, or not, is seen there.
            rebuild.positions[upstream] = rebuild.rebuilt(upstream)?;
            Err(match failed {
                Failure::Store(error) | Failure::Stop(error) | Failure::Policy { error, .. } => {
                    error
                }
                Failure::Abandoned => {
                    let name = rebuild.follower.name();
                    Error::Usage(format!(
                        "{name}: the runner was stopped, and its thread left"
                    ))
                }
            })
        })
    }

    /// Does something again that the store has refused, with pauses that grow, but not without end: somebody waits for it,
    /// and can take it up later.
    fn persist<T>(&mut self, mut work: impl FnMut(&mut Self) -> Result<T>) -> Result<T> {
        let mut tries = 0;
        loop {
            match work(self) {
                Err(error) if tries < TRIES && error.is_of_store() => {
                    let projection = self.follower.name();
                    tracing::warn!(projection, %error, "a part of a rebuild runs again");
                    thread::sleep(Duration::from_millis(10) * 2_u32.pow(tries.min(7)));
                    tries += 1;
                }
                outcome => return outcome,
            }
        }
    }

    fn batch(&mut self, index: usize) -> Result<bool, Failure> {
        let (follower, from) = (self.follower, self.positions[index]);
        let upstream = &follower.upstreams[index];
        let head = upstream
            .recorder()?
            .head()
            .map_err(|e| upstream.store_error(e))?;
        let Some(head) = head.filter(|head| head.position > from) else {
            return Ok(false);
        };
        let page = self.page(upstream, from, head.position)?;
        let rest = (page.len() < BATCH_EVENTS).then_some(head);
        let is_last = rest.is_some();
        let to = match (page.is_empty(), rest) {
            (true, Some(head)) => {
                let to = head.position;
                let skip = tracking(upstream, from, to, head.event);
                let skipped = self
                    .tables
                    .process_rebuild(upstream.name(), from, &mut |_| Some(skip.clone()));
                skipped.map_err(|e| follower.application.store_error(e))?;
                to
            }
            (_, rest) => follower.project_events(self.events(upstream, from, &page), rest)?,
        };
        self.positions[index] = to;
        Ok(!is_last || page.last().is_some_and(|last| to < last.id))
    }

    /// Puts the new tables in the place of the old ones. Says whether it could: not if these are far ahead by now.
    fn switch(&mut self) -> Result<bool> {
        let (follower, mut failure) = (self.follower, None);
        let names: Vec<_> = follower.upstreams.iter().map(Application::name).collect();
        let catch_up = &mut |tx: &mut Transaction<'_>, index: usize, from, to| {
            let caught = self.catch_up(tx, index, from, to);
            caught.unwrap_or_else(|error| {
                failure = Some(error);
                false
            })
        };
        let switched = self.tables.switch(&names, catch_up);
        match (failure, switched) {
            (Some(error), _) => Err(error),
            (None, Err(error)) => Err(follower.application.store_error(error)),
            (None, Ok(true)) => Ok(true),
            (None, Ok(false)) => Ok(false),
        }
    }

    /// Processes, in the transaction of the switch, what the old tables have and the new ones have not.
    fn catch_up(&self, tx: &mut Transaction<'_>, index: usize, from: u64, to: u64) -> Result<bool> {
        let upstream = &self.follower.upstreams[index];
        let page = self.page(upstream, from, to)?;
        if page.len() >= BATCH_EVENTS {
            return Ok(false);
        }
        match self
            .follower
            .run_handlers(self.events(upstream, from, &page), tx, false)
        {
            (_, None) => Ok(true),
            (_, Some(PolicyError::Store(error) | PolicyError::Own(error))) => Err(error),
        }
    }

    fn page(&self, upstream: &Application, from: u64, to: u64) -> Result<Vec<Notification>> {
        let query = NotificationQuery::after(from).up_to(to).limit(BATCH_EVENTS);
        let query = query.shared_topics(self.follower.topics.clone());
        upstream.notification_log().query(&query)
    }

    fn events<'e>(
        &'e self,
        upstream: &'e Application,
        from: u64,
        page: &'e [Notification],
    ) -> Events<'e> {
        Events {
            projection: self.projection,
            target: Target::Rebuild,
            upstream,
            from,
            page,
        }
    }

    fn rebuilt(&self, upstream: usize) -> Result<u64> {
        let name = self.follower.upstreams[upstream].name();
        self.tables
            .rebuilt(name)
            .map_err(|e| self.follower.application.store_error(e))
    }

    /// How many events are processed, and how many there are.
    fn count(&self) -> Result<(u64, u64)> {
        let heads = self
            .follower
            .upstreams
            .iter()
            .map(|upstream| upstream.notification_log().head());
        let total = heads.sum::<Result<u64>>()?;
        Ok((self.positions.iter().sum(), total))
    }
}
