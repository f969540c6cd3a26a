//! The status of one edge, read from the record.

use std::time::Duration;

use es_core::Timestamp;
use es_store::{NotificationQuery, OperationKind};
use serde::Serialize;

use crate::cli::output::Paint;
use crate::cli::seconds;
use crate::error::Result;
use crate::policy::work::Work;
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
    pub(super) is_behind: bool,
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
        let position = followed.position.unwrap_or(0);
        self.position = Some(position);
        self.set_aside = Some(followed.waiting.count);
        let head = leader.application.head()?;
        let head = head.map_or(0, |head| head.position);
        self.head = Some(head);
        self.lag = Some(head.saturating_sub(position));
        self.state = "following";
        if let Some(standing) = followed.standing {
            self.state = match standing.kind {
                OperationKind::Stopped => "stopped",
                OperationKind::Paused => "paused",
                _ => "following",
            };
            self.since = Some(standing.when).filter(|_| self.state != "following");
        }
        self.age_seconds = age(leader, follower, position).unwrap_or_default();
        let is_old = self
            .age_seconds
            .map_or(head > position, |age| age > max_age.as_secs_f64());
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
        let since = self
            .since
            .map(|since| format!("{} since {since}", self.state));
        let remarks: Vec<_> = since.into_iter().chain(self.error.clone()).collect();
        if remarks.is_empty() {
            return String::new();
        }
        format!("{follower} <- {upstream}: {}\n", remarks.join(": "))
    }
}

/// Returns the age of the oldest event behind `position` that a policy wants, in seconds; 0 if
/// there is none, and `None` if its time cannot be read.
fn age(leader: &Opened, follower: &Opened, position: u64) -> Result<Option<f64>> {
    let topics = follower.work.as_ref().and_then(Work::topics);
    let oldest = NotificationQuery::after(position).limit(1).filter(topics);
    let log = leader.application.notification_log();
    let Some(oldest) = log.query(&oldest)?.into_iter().next() else {
        return Ok(Some(0.0));
    };
    let made = leader.application.mapper().timestamp(&oldest);
    let age = |made| Timestamp::now().duration_since(made).as_secs_f64();
    Ok(made.ok().map(age))
}
