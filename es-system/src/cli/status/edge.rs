//! The status of one edge, read from the record.

use std::time::Duration;

use es_core::Timestamp;
use es_store::{Operation, OperationKind};
use serde::Serialize;

use crate::cli::output::Paint;
use crate::cli::seconds;
use crate::error::Result;
use crate::follower::Follower;
use crate::follower::status::EdgeStatus;
use crate::system::node::Opened;

/// The status of a follower in one of its upstreams.
#[derive(Debug, Serialize)]
pub(super) struct EdgeReport {
    follower: String,
    upstream: String,
    /// The recorded position; 0 is before the first event.
    position: Option<u64>,
    head: Option<u64>,
    /// The number of positions between the two.
    lag: Option<u64>,
    /// The age of the oldest event that is still to be processed, in seconds; 0 if there is none,
    /// and `null` if it cannot be told.
    age_seconds: Option<f64>,
    /// The number of events that are set aside and wait.
    set_aside: Option<u64>,
    /// `following`, `paused`, `stopped` or `unreadable`.
    state: &'static str,
    /// The time since which it is paused or stopped.
    since: Option<Timestamp>,
    /// The person or program that has paused it.
    by: Option<String>,
    pub(super) is_behind: bool,
    /// The last error that is recorded, or the reason why a store cannot be read.
    error: Option<String>,
}

impl EdgeReport {
    pub(super) fn new(follower: &str, upstream: &str) -> Self {
        Self {
            follower: follower.to_owned(),
            upstream: upstream.to_owned(),
            position: None,
            head: None,
            lag: None,
            age_seconds: None,
            set_aside: None,
            state: "unreadable",
            since: None,
            by: None,
            is_behind: true,
            error: None,
        }
    }

    pub(super) fn fail(&mut self, error: Option<String>) {
        self.error = error;
    }

    /// Reads the record of the edge.
    pub(super) fn read(&mut self, leader: &Opened, follower: &Opened, max_age: Duration) {
        if let Err(error) = self.try_read(leader, follower, max_age) {
            self.error = Some(error.to_string());
        }
    }

    fn try_read(&mut self, leader: &Opened, follower: &Opened, max_age: Duration) -> Result<()> {
        let followed = follower.application.followed(leader.application.name())?;
        self.state = "following";
        let paused = followed.standing.as_ref();
        let paused = paused.filter(|one| one.kind == OperationKind::Paused);
        let is_passed =
            |one: &Operation| one.position.is_some() && followed.position >= one.position;
        let stopped = followed.stopped.as_ref().filter(|one| !is_passed(one));
        if let Some(paused) = paused {
            self.state = "paused";
            self.by = Some(paused.who.clone());
        } else if stopped.is_some() {
            self.state = "stopped";
        }
        self.since = paused.or(stopped).map(|one| one.when);
        if let Some(status) = status(leader, follower) {
            self.position = status.position;
            self.head = status.head;
            self.lag = status.lag;
            self.age_seconds = status.age.map(|age| age.as_secs_f64());
            self.set_aside = status.set_aside;
            self.error = status.last_error;
        }
        let is_old = match self.age_seconds {
            Some(age) => age > max_age.as_secs_f64(),
            None => self.lag != Some(0),
        };
        self.is_behind = is_old || self.state != "following";
        Ok(())
    }

    pub(super) fn row(&self, paint: Paint) -> Vec<String> {
        let number = |number: Option<u64>| number.map_or("?".to_owned(), |it| it.to_string());
        let state = match self.state {
            "following" if self.is_behind => paint.doubtful("behind"),
            "following" => paint.good("following"),
            state => paint.bad(state),
        };
        vec![
            self.follower.clone(),
            self.upstream.clone(),
            number(self.position),
            number(self.head),
            number(self.lag),
            self.age_seconds.map_or("?".to_owned(), seconds::text),
            number(self.set_aside),
            state,
        ]
    }

    /// Returns the line that tells why the edge stands, if it does.
    pub(super) fn remarks(&self) -> String {
        let Self {
            follower, upstream, ..
        } = self;
        let since = self.since.map(|since| {
            let by = self.by.iter().map(|by| format!(" by {by}"));
            format!("{} since {since}{}", self.state, by.collect::<String>())
        });
        let remarks: Vec<_> = since.into_iter().chain(self.error.clone()).collect();
        if remarks.is_empty() {
            return String::new();
        }
        format!("{follower} <- {upstream}: {}\n", remarks.join(": "))
    }
}

/// Reads the status of the edge from the record, by a follower that does not run.
fn status(leader: &Opened, follower: &Opened) -> Option<EdgeStatus> {
    let work = follower.work.clone()?;
    let upstreams = vec![leader.application.clone()];
    let follower = Follower::new(follower.application.clone(), upstreams, work);
    follower.status().edges.into_iter().next()
}
