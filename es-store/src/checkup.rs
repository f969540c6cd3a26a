//! The examination of a store and its surroundings, for an operator.

use std::collections::BTreeMap;

use crate::error::StoreError;
use crate::notification::{Notification, NotificationQuery, PAGE_BYTES};

/// The result of the examination of a store.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Checkup {
    /// The findings, in the order in which they were made.
    pub findings: Vec<Finding>,
    /// The connections that the store needs of a server; `None` if it needs none, or it could not
    /// be found out.
    pub connections: Option<Connections>,
}

#[cfg(any(feature = "sqlite", feature = "postgres"))]
impl Checkup {
    pub(crate) fn add(&mut self, check: &'static str, verdict: Verdict) {
        self.findings.push(Finding { check, verdict });
    }
}

/// One finding of an examination.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Finding {
    /// The name of the check: one or two words.
    pub check: &'static str,
    /// Its result.
    pub verdict: Verdict,
}

/// The result of a check.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// Nothing is wrong. The text tells what was found.
    Ok(String),
    /// Something is wrong.
    Problem {
        /// The problem.
        problem: String,
        /// The repair by which an operator ends it.
        repair: String,
    },
    /// The check could not be made, for the reason that the text gives.
    Unknown(String),
}

impl Verdict {
    /// Creates the result of a check that has found nothing wrong.
    pub fn ok(found: impl Into<String>) -> Self {
        Self::Ok(found.into())
    }

    /// Creates the result of a check that has found something wrong.
    pub fn problem(problem: impl Into<String>, repair: impl Into<String>) -> Self {
        Self::Problem {
            problem: problem.into(),
            repair: repair.into(),
        }
    }

    /// Creates the result of a check that could not be made.
    pub fn unknown(why: impl Into<String>) -> Self {
        Self::Unknown(why.into())
    }
}

/// The connections that one application needs of its server.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Connections {
    /// The server, by its name in settings. Applications with the same name share its connections.
    pub server: String,
    /// The lowest number with which the application works.
    pub least: u32,
    /// The highest number that it may open.
    pub most: u32,
    /// The number of connections that the server allows to this role, all together.
    pub allowed: u32,
}

impl Connections {
    /// Creates the needs of an application.
    pub fn new(server: impl Into<String>, least: u32, most: u32, allowed: u32) -> Self {
        Self {
            server: server.into(),
            least,
            most,
            allowed,
        }
    }
}

/// A topic of a log, and the events that have it.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct TopicCount {
    /// The topic.
    pub topic: String,
    /// The number of events.
    pub count: u64,
    /// The position of the last one.
    pub last: u64,
}

impl TopicCount {
    /// Creates the count of a topic.
    pub fn new(topic: impl Into<String>, count: u64, last: u64) -> Self {
        Self {
            topic: topic.into(),
            count,
            last,
        }
    }
}

/// Counts the topics of a log page by page.
pub(crate) fn count_topics(
    select: &dyn Fn(&NotificationQuery) -> Result<Vec<Notification>, StoreError>,
) -> Result<Vec<TopicCount>, StoreError> {
    const LIMIT: usize = 1_000;
    let mut topics: BTreeMap<String, (u64, u64)> = BTreeMap::new();
    let mut query = NotificationQuery::all().limit(LIMIT).byte_limit(PAGE_BYTES);
    loop {
        let page = select(&query)?;
        for notification in &page {
            let found = topics.entry(notification.topic.clone().into_owned());
            let (count, last) = found.or_default();
            *count += 1;
            *last = notification.id;
        }
        let Some(last) = page.last().filter(|_| query.is_filled_by(&page)) else {
            break;
        };
        query = NotificationQuery::after(last.id)
            .limit(LIMIT)
            .byte_limit(PAGE_BYTES);
    }
    let counts = topics.into_iter();
    Ok(counts
        .map(|(topic, (count, last))| TopicCount::new(topic, count, last))
        .collect())
}
