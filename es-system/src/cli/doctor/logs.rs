//! The check of the kinds of events in each log: that this program can decode them, and that some
//! code reads them. The last event of each kind is decoded.

use std::time::Duration;

use es_core::Timestamp;
use es_store::{Notification, NotificationQuery, TopicCount, Verdict};

use super::Finding;
use crate::application::Application;
use crate::application::saved_aggregate::SavedAggregate;
use crate::cli::opened::Target;
use crate::error::Result;
use crate::system::node::Opened;

/// The time by which an event may be from the future.
const SKEW: Duration = Duration::from_secs(5);

/// Checks the log of each application.
pub(super) fn check(target: &Target<'_>, opened: &[Option<Opened>], findings: &mut Vec<Finding>) {
    for (node, opened) in opened.iter().enumerate() {
        let Some(opened) = opened else { continue };
        let application = &opened.application;
        let known = target.aggregates(node);
        let is_listed = target.nodes()[node].saved().is_some();
        let mut add = |check, verdict| {
            findings.push(Finding::new(application.name(), check, verdict));
        };
        match application.on_store(|store| store.select_topics()) {
            Ok(topics) => check_topics(application, &known, is_listed, &topics, &mut add),
            Err(error) => add("events", Verdict::unknown(error.to_string())),
        }
        add(
            "time",
            newest(application).unwrap_or_else(|error| Verdict::unknown(error.to_string())),
        );
    }
}

fn check_topics(
    application: &Application,
    known: &[SavedAggregate],
    is_listed: bool,
    topics: &[TopicCount],
    add: &mut impl FnMut(&'static str, Verdict),
) {
    let mut decoded = 0;
    for topic in topics {
        let TopicCount {
            topic: name, count, ..
        } = topic;
        let of_aggregate = |one: &&SavedAggregate| {
            let aggregate = name.rsplit_once('.').map(|(aggregate, _)| aggregate);
            aggregate == Some(one.topic)
        };
        let verdict = match known.iter().find(of_aggregate) {
            Some(aggregate) if aggregate.inspection.topics.contains(&&**name) => {
                match decode(application, aggregate, topic) {
                    Ok(()) => {
                        decoded += 1;
                        continue;
                    }
                    Err(error) => undecodable(name, *count, &error.to_string()),
                }
            }
            Some(_) => unread(name, *count),
            None if is_listed => unread(name, *count),
            None => Verdict::unknown(format!(
                "{count} events `{name}`: the system does not know their type; list what the application saves, \
                 `aggregates(..)`"
            )),
        };
        add("events", verdict);
    }
    add(
        "events",
        Verdict::ok(format!("the last events of {decoded} kinds can be decoded")),
    );
}

fn unread(name: &str, count: u64) -> Verdict {
    Verdict::problem(
        format!("no code of this program reads the {count} events `{name}`"),
        "run the program that knows them, or declare the kind again as one that is no longer made",
    )
}

fn undecodable(name: &str, count: u64, error: &str) -> Verdict {
    Verdict::problem(
        format!("the last of {count} events `{name}` cannot be decoded: {error}"),
        "run a program that has its type and its key (CIPHER_KEY, CIPHER_KEYS_OLD), or write the upcaster that is missing",
    )
}

/// Decodes the last event of a topic.
fn decode(application: &Application, aggregate: &SavedAggregate, topic: &TopicCount) -> Result<()> {
    match event_at(application, topic.last)? {
        Some(event) => aggregate.inspection.decode(application, &event),
        None => Ok(()),
    }
}

fn event_at(application: &Application, position: u64) -> Result<Option<Notification>> {
    let events = application.notification_log().select(position, 1)?;
    Ok(events.into_iter().find(|event| event.id == position))
}

/// Checks that the newest event is not from the future.
fn newest(application: &Application) -> Result<Verdict> {
    let Some(head) = application.head()? else {
        return Ok(Verdict::ok("there is no event yet"));
    };
    let newest = NotificationQuery::from(head.position).limit(1);
    let newest = application.notification_log().query(&newest)?;
    let made = newest
        .first()
        .map(|event| application.mapper().timestamp(event));
    let Some(Ok(made)) = made else {
        return Ok(Verdict::unknown(
            "the time of the newest event cannot be read",
        ));
    };
    let ahead = made.duration_since(Timestamp::now());
    if ahead > SKEW {
        return Ok(Verdict::problem(
            format!(
                "the newest event is from the future, by {} s",
                ahead.as_secs()
            ),
            "set the clocks of the machines that save events from the same source (NTP)",
        ));
    }
    Ok(Verdict::ok("the newest event is not from the future"))
}
