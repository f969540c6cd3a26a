//! The check of one log, event by event.

use std::collections::BTreeMap;

use es_store::{Notification, NotificationQuery, PAGE_BYTES};
use serde::Serialize;

use super::versions::Versions;
use crate::application::Application;
use crate::application::saved_aggregate::SavedAggregate;
use crate::cli::output::Paint;
use crate::cli::progress::Bar;
use crate::error::{Error, ErrorKind, Result};

/// The number of events that are read at once.
const PAGE: usize = 1_000;

/// The maximum number of problems that are listed.
const LISTED: usize = 100;

/// The result of the check of a log.
#[derive(Debug, Serialize)]
pub(super) struct LogReport {
    application: String,
    events: u64,
    head: u64,
    /// The number of problems, of which the first ones are listed.
    problem_count: u64,
    problems: Vec<Problem>,
    /// The topics that no type of the system can decode, with the number of their events.
    not_decoded: BTreeMap<String, u64>,
}

#[derive(Debug, Serialize)]
struct Problem {
    /// The position of the event; `null` if it cannot be read.
    position: Option<u64>,
    problem: String,
}

impl LogReport {
    pub(super) fn is_good(&self) -> bool {
        self.problem_count == 0
    }

    pub(super) fn text(&self, paint: Paint) -> String {
        let name = &self.application;
        let mut text = String::new();
        for Problem { position, problem } in &self.problems {
            let at = position.map_or(String::new(), |at| format!(" at position {at}"));
            text.push_str(&format!(
                "{name}: {}{at}: {problem}\n",
                paint.bad("problem")
            ));
        }
        let more = self.problem_count - self.problems.len() as u64;
        if more > 0 {
            text.push_str(&format!("{name}: {more} more problems\n"));
        }
        if self.is_good() {
            let ok = paint.good("ok");
            text.push_str(&format!(
                "{name}: {ok}: {} events up to position {}\n",
                self.events, self.head
            ));
        }
        for (topic, count) in &self.not_decoded {
            let unknown = paint.doubtful("could not check");
            text.push_str(&format!(
                "{name}: {unknown}: {count} events `{topic}` were not decoded, because the system does not know their type\n"
            ));
        }
        text
    }
}

/// The check of a log in progress.
pub(super) struct LogCheck<'a> {
    application: &'a Application,
    aggregates: Vec<SavedAggregate>,
    versions: Versions<'a>,
    last: u64,
    report: LogReport,
}

impl<'a> LogCheck<'a> {
    pub(super) fn new(application: &'a Application, aggregates: Vec<SavedAggregate>) -> Self {
        Self {
            application,
            aggregates,
            versions: Versions::new(application),
            last: 0,
            report: LogReport {
                application: application.name().to_owned(),
                events: 0,
                head: 0,
                problem_count: 0,
                problems: Vec::new(),
                not_decoded: BTreeMap::new(),
            },
        }
    }

    /// Reads the log page by page, up to the head that it has now.
    pub(super) fn run(mut self, bar: &Bar) -> Result<LogReport> {
        let head = self.application.head()?.map_or(0, |head| head.position);
        self.report.head = head;
        bar.begin(head);
        let mut limit = PAGE;
        while self.last < head {
            let query = NotificationQuery::after(self.last)
                .up_to(head)
                .limit(limit)
                .byte_limit(PAGE_BYTES);
            match self.application.notification_log().query(&query) {
                Ok(page) => {
                    for event in &page {
                        self.event(event)?;
                    }
                    self.last = match page.last() {
                        Some(last) if query.is_filled_by(&page) => last.id,
                        _ => head,
                    };
                }
                // The events in front of a damaged row are checked one by one.
                Err(error) if error.kind() == ErrorKind::BadData && limit > 1 => limit = 1,
                Err(error) if error.kind() == ErrorKind::BadData => {
                    self.problem(None, error.to_string());
                    self.last = self.behind_damage(head, error)?;
                    limit = PAGE;
                }
                Err(error) => return Err(error),
            }
            bar.at(self.last);
        }
        bar.end();
        Ok(self.report)
    }

    /// Returns the position of the damaged row behind the last event.
    fn behind_damage(&self, head: u64, error: Error) -> Result<u64> {
        // The rows behind the last event are searched for the first position up to which a page
        // cannot be read.
        let is_damaged = |up_to: u64| {
            let query = NotificationQuery::after(self.last).up_to(up_to).limit(1);
            match self.application.notification_log().query(&query) {
                Ok(_) => Ok(false),
                Err(error) if error.kind() == ErrorKind::BadData => Ok(true),
                Err(error) => Err(error),
            }
        };
        let (mut good, mut damaged) = (self.last, head);
        if !is_damaged(damaged)? {
            return Err(error);
        }
        while good + 1 < damaged {
            let middle = good + (damaged - good) / 2;
            if is_damaged(middle)? {
                damaged = middle;
            } else {
                good = middle;
            }
        }
        Ok(damaged)
    }

    fn event(&mut self, event: &Notification) -> Result<()> {
        self.report.events += 1;
        if event.id <= self.last {
            let problem = format!("it comes behind position {}", self.last);
            self.problem(Some(event.id), problem);
        }
        self.last = self.last.max(event.id);
        let id = &event.originator_id;
        if let Some(problem) = self.versions.next(id, event.originator_version)? {
            self.problem(Some(event.id), problem);
        }
        self.decode(event);
        Ok(())
    }

    /// Decodes an event by its type, or, if that is not known, reads it as JSON.
    fn decode(&mut self, event: &Notification) {
        let mut known = self.aggregates.iter();
        let decoded = match known.find(|one| one.inspection.topics.contains(&&*event.topic)) {
            Some(aggregate) => aggregate.inspection.decode(self.application, event),
            None => {
                let topic = event.topic.clone().into_owned();
                *self.report.not_decoded.entry(topic).or_default() += 1;
                let read = self.application.mapper().json(event).map(drop);
                read.map_err(|problem| Error::data(self.application.name(), problem))
            }
        };
        if let Err(error) = decoded {
            self.problem(Some(event.id), error.to_string());
        }
    }

    fn problem(&mut self, position: Option<u64>, problem: String) {
        self.report.problem_count += 1;
        if self.report.problems.len() < LISTED {
            self.report.problems.push(Problem { position, problem });
        }
    }
}
