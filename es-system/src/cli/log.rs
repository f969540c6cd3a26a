//! `log`: the events of an application.

use clap::Args;
use es_core::{AggregateId, IdType, Timestamp};
use es_store::{Notification, NotificationQuery, PAGE_BYTES, TopicFilter};
use serde::Serialize;
use serde_json::value::RawValue;
use uuid::Uuid;

use super::failure::{Failure, Outcome};
use super::json;
use super::opened::Target;
use super::output::{Output, Paint, Report};
use crate::application::Application;
use crate::error::{Error, Result};

/// The number of events that are read at once.
const PAGE: usize = 1_000;

/// The arguments of `log`.
#[derive(Debug, Args)]
pub struct Log {
    /// The application
    application: String,
    /// Wait for new events, and show them as they come
    #[arg(long)]
    follow: bool,
    /// The position of the first event
    #[arg(long, default_value_t = 1, value_name = "POSITION")]
    from: u64,
    /// The highest number of events
    #[arg(long, value_name = "COUNT")]
    limit: Option<u64>,
    /// Only events of this topic (`Dog.Registered`) or aggregate (`Dog`); may be repeated
    #[arg(long, value_name = "TOPIC")]
    topic: Vec<String>,
    /// Only events of the aggregate with this id
    #[arg(long, value_name = "ID")]
    aggregate: Option<String>,
    /// Show the values of events, as they are stored
    #[arg(long)]
    values: bool,
    #[command(flatten)]
    output: Output,
}

#[derive(Debug, Serialize)]
struct Entry {
    application: String,
    position: u64,
    /// The time of the event; `null` if it cannot be read.
    time: Option<Timestamp>,
    topic: String,
    id: String,
    aggregate_version: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    values: Option<Box<RawValue>>,
    /// The reason why the event cannot be read.
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
}

impl Report for Entry {
    const COMMAND: &'static str = "log";

    fn text(&self, paint: Paint) -> String {
        let time = self.time.map_or("?".to_owned(), |time| time.to_string());
        let mut line = format!(
            "{}  {time}  {} {} v{}",
            self.position, self.topic, self.id, self.aggregate_version
        );
        if let Some(values) = &self.values {
            line.push_str("  ");
            line.push_str(values.get());
        }
        if let Some(error) = &self.error {
            line.push_str("  ");
            line.push_str(&paint.bad(error));
        }
        line + "\n"
    }
}

impl Log {
    pub(super) fn run(&self, target: &Target<'_>) -> std::result::Result<Outcome, Failure> {
        let opened = target.read_shared(target.find(&self.application)?)?;
        let application = &opened.application;
        let id = self.aggregate.as_deref();
        let id = id.map(|id| parse_id(application, id)).transpose()?;
        let mut left = self.limit.unwrap_or(u64::MAX);
        let next = self.print_recorded(application, id.as_ref(), &mut left)?;
        if self.follow && left > 0 {
            for event in application.subscribe(next - 1)? {
                let event = event?;
                if self.selects(&event) {
                    self.print(application, &event, id.as_ref(), &mut left)?;
                }
                if left == 0 {
                    break;
                }
            }
        }
        Ok(Outcome::Good)
    }

    /// Prints the events that are recorded now, and returns the position behind them.
    fn print_recorded(
        &self,
        application: &Application,
        id: Option<&AggregateId>,
        left: &mut u64,
    ) -> std::result::Result<u64, Failure> {
        let head = application.head()?.map_or(0, |head| head.position);
        let mut from = self.from.max(1);
        while *left > 0 && from <= head {
            let query = NotificationQuery::from(from)
                .up_to(head)
                .limit(PAGE)
                .byte_limit(PAGE_BYTES)
                .filter(self.topics());
            let page = application.notification_log().query(&query)?;
            for event in &page {
                self.print(application, event, id, left)?;
            }
            from = match page.last() {
                Some(last) if query.is_filled_by(&page) => last.id + 1,
                _ => head + 1,
            };
        }
        Ok(from)
    }

    fn print(
        &self,
        application: &Application,
        event: &Notification,
        id: Option<&AggregateId>,
        left: &mut u64,
    ) -> std::result::Result<(), Failure> {
        if *left == 0 || id.is_some_and(|id| event.originator_id != *id) {
            return Ok(());
        }
        *left -= 1;
        self.output.print(&self.entry(application, event)?)
    }

    fn entry(
        &self,
        application: &Application,
        event: &Notification,
    ) -> std::result::Result<Entry, Failure> {
        let mapper = application.mapper();
        let time = mapper.timestamp(event);
        let error = time.as_ref().err().map(|error| error.problem.to_string());
        let values = match mapper.json(event) {
            Ok(values) if self.values => Some(json::raw(values)?),
            _ => None,
        };
        Ok(Entry {
            application: application.name().to_owned(),
            position: event.id,
            time: time.ok(),
            topic: event.topic.clone().into_owned(),
            id: event.originator_id.to_string(),
            aggregate_version: event.originator_version,
            values,
            error,
        })
    }

    /// Returns the filter of the topics; `None` is all. A text may name a kind of event or an
    /// aggregate.
    fn topics(&self) -> Option<TopicFilter> {
        if self.topic.is_empty() {
            return None;
        }
        let filter = TopicFilter::new(self.topic.iter().cloned());
        Some(filter.of_aggregates(self.topic.iter().cloned()))
    }

    fn selects(&self, event: &Notification) -> bool {
        self.topics()
            .is_none_or(|filter| filter.selects(&event.topic))
    }
}

/// Parses the id of an aggregate, in the form that the application keeps.
pub(super) fn parse_id(application: &Application, text: &str) -> Result<AggregateId> {
    match application.recorder()?.id_type() {
        IdType::Text => Ok(AggregateId::from(text)),
        IdType::Uuid => Uuid::parse_str(text).map(AggregateId::from).map_err(|_| {
            let name = application.name();
            Error::Usage(format!("{name}: `{text}` is no UUID, as its ids are"))
        }),
    }
}
