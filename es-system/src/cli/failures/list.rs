//! `failures list` and `failures show`.

use clap::Args;
use es_store::{NotificationQuery, SetAside, SetAsideQuery};
use serde::Serialize;
use serde_json::value::RawValue;

use super::row::Row;
use crate::application::Application;
use crate::cli::edge::EdgeNames;
use crate::cli::failure::{Failure, Outcome};
use crate::cli::opened::Target;
use crate::cli::output::{Output, Paint, Report};
use crate::cli::{edge, json, names, table};
use crate::error::Result;

/// The arguments of `failures list`.
#[derive(Debug, Args)]
pub struct List {
    /// The application that follows; all, if none is named
    follower: Option<String>,
    /// Also list the events that were skipped or discarded
    #[arg(long)]
    decided: bool,
    /// The highest number of events of each follower
    #[arg(long, default_value_t = 1_000, value_name = "COUNT")]
    limit: usize,
    #[command(flatten)]
    output: Output,
}

/// The arguments of `failures show`.
#[derive(Debug, Args)]
pub struct Show {
    #[command(flatten)]
    edge: EdgeNames,
    /// The position of the event
    position: u64,
    /// Show the values of the event, as they are stored
    #[arg(long)]
    values: bool,
    #[command(flatten)]
    output: Output,
}

#[derive(Debug, Serialize)]
struct Listed {
    events: Vec<Row>,
}

#[derive(Debug, Serialize)]
struct Shown {
    #[serde(flatten)]
    row: Row,
    #[serde(skip_serializing_if = "Option::is_none")]
    values: Option<Box<RawValue>>,
}

impl Report for Listed {
    const COMMAND: &'static str = "failures list";

    fn text(&self, _: Paint) -> String {
        if self.events.is_empty() {
            return "no event is set aside\n".to_owned();
        }
        let head = [
            "FOLLOWER", "UPSTREAM", "POSITION", "TOPIC", "EVENT", "ATTEMPTS", "STATE",
        ];
        let head = head.map(str::to_owned).to_vec();
        let rows = self.events.iter().map(Row::cells);
        table::lines(&[head].into_iter().chain(rows).collect::<Vec<_>>())
    }
}

impl Report for Shown {
    const COMMAND: &'static str = "failures show";

    fn text(&self, paint: Paint) -> String {
        let values = self
            .values
            .iter()
            .map(|values| format!("values: {values}\n"));
        self.row.text(paint) + &values.collect::<String>()
    }
}

impl List {
    pub(super) fn run(&self, target: &Target<'_>) -> Result<Outcome, Failure> {
        let mut edges: Vec<_> = edge::edges(target).collect();
        edges.dedup_by_key(|edge| edge.follower);
        if let Some(follower) = &self.follower {
            let followers: Vec<_> = edges.iter().map(|edge| edge.follower).collect();
            edges = vec![edges[names::find(follower, &followers, "follower")?]];
        }
        let query = SetAsideQuery::all().limit(self.limit);
        let query = if self.decided { query } else { query.waiting() };
        let mut events = Vec::new();
        for edge in edges {
            let follower = edge.read_follower(target)?;
            let rows = select(&follower.application, &query)?;
            let rows = rows.into_iter();
            events.extend(rows.map(|row| Row::new(&follower.application, row)));
        }
        self.output.print(&Listed { events })?;
        Ok(Outcome::Good)
    }
}

impl Show {
    pub(super) fn run(&self, target: &Target<'_>) -> Result<Outcome, Failure> {
        let edge = self.edge.find(target)?;
        let follower = edge.read_follower(target)?;
        let query = SetAsideQuery::of(edge.upstream).at(self.position);
        let row = select(&follower.application, &query)?.into_iter().next();
        let Some(row) = row else {
            return Err(Failure::Failed(format!(
                "{}: no event at position {} of {} is set aside",
                edge.follower, self.position, edge.upstream
            )));
        };
        let values = if self.values {
            Some(values(
                &edge.read_upstream(target)?.application,
                self.position,
            )?)
        } else {
            None
        };
        let row = Row::new(&follower.application, row);
        self.output.print(&Shown { row, values })?;
        Ok(Outcome::Good)
    }
}

fn select(follower: &Application, query: &SetAsideQuery) -> Result<Vec<SetAside>> {
    follower.on_store(|store| store.select_set_aside(query))
}

/// Returns the values of the event at a position, as they are stored.
fn values(upstream: &Application, position: u64) -> Result<Box<RawValue>, Failure> {
    let query = NotificationQuery::from(position).up_to(position).limit(1);
    let event = upstream.notification_log().query(&query)?;
    let Some(event) = event.first() else {
        return Err(Failure::Failed(format!(
            "{}: there is no event at position {position}",
            upstream.name()
        )));
    };
    let values = upstream.mapper().json(event);
    json::raw(values.map_err(|error| Failure::Failed(error.to_string()))?)
}
