//! `show`: the state of an aggregate.

mod difference;

use clap::Args;
use es_core::{AggregateId, Timestamp};
use es_store::EventQuery;
use serde::Serialize;
use serde_json::value::RawValue;

use self::difference::Change;
use super::failure::{Failure, Outcome};
use super::opened::Target;
use super::output::{Output, Paint, Report};
use super::{json, log};
use crate::application::Application;
use crate::application::saved_aggregate::SavedAggregate;
use crate::application::saved_aggregate::inspection::{InspectedAggregate, InspectedState};
use es_store::Role;

/// The arguments of `show`.
#[derive(Debug, Args)]
pub struct Show {
    /// The application that saves the aggregate
    application: String,
    /// The id of the aggregate
    id: String,
    /// The version whose state is shown; the newest, if none is given
    #[arg(long, value_name = "VERSION")]
    at: Option<u64>,
    /// Two versions whose states are compared
    #[arg(long, num_args = 2, value_names = ["FROM", "TO"], conflicts_with = "at")]
    diff: Option<Vec<u64>>,
    #[command(flatten)]
    output: Output,
}

#[derive(Debug, Serialize)]
struct Shown {
    application: String,
    aggregate: &'static str,
    id: String,
    aggregate_version: u64,
    created_on: Timestamp,
    modified_on: Timestamp,
    /// The state in the form in which a snapshot has it; `null` if it cannot be stored.
    state: Option<Box<RawValue>>,
    /// The text of a state that cannot be stored, by its `Debug`.
    #[serde(skip_serializing_if = "Option::is_none")]
    debug: Option<String>,
}

#[derive(Debug, Serialize)]
struct Difference {
    application: String,
    aggregate: &'static str,
    id: String,
    from: u64,
    to: u64,
    changes: Vec<Change>,
}

impl Report for Shown {
    const COMMAND: &'static str = "show";

    fn text(&self, _: Paint) -> String {
        let Self {
            aggregate,
            id,
            aggregate_version,
            created_on,
            modified_on,
            ..
        } = self;
        let state = match (&self.state, &self.debug) {
            (Some(state), _) => difference::pretty(state.get()),
            (None, Some(debug)) => debug.clone(),
            (None, None) => HIDDEN.to_owned(),
        };
        format!(
            "{aggregate} {id} at version {aggregate_version}\ncreated {created_on}, modified {modified_on}\n{state}\n"
        )
    }
}

impl Report for Difference {
    const COMMAND: &'static str = "show";

    fn text(&self, paint: Paint) -> String {
        let Self {
            aggregate,
            id,
            from,
            to,
            ..
        } = self;
        let changes: String = self.changes.iter().map(|one| one.text(paint)).collect();
        let none = if self.changes.is_empty() {
            "no field differs\n"
        } else {
            ""
        };
        format!("{aggregate} {id} from version {from} to {to}\n{changes}{none}")
    }
}

impl Show {
    pub(super) fn run(&self, target: &Target<'_>) -> Result<Outcome, Failure> {
        let node = target.find(&self.application)?;
        let opened = target.read_shared(node)?;
        let application = &opened.application;
        let id = log::parse_id(application, &self.id)?;
        let aggregate = self.aggregate(target, node, application, &id)?;
        let load = |version| aggregate.inspection.load(application, &id, version);
        if let Some([from, to]) = self.diff.as_deref() {
            let states = (state_of(load(Some(*from))?)?, state_of(load(Some(*to))?)?);
            self.output.print(&Difference {
                application: application.name().to_owned(),
                aggregate: aggregate.topic,
                id: self.id.clone(),
                from: *from,
                to: *to,
                changes: difference::between(&states.0, &states.1)?,
            })?;
            return Ok(Outcome::Good);
        }
        let found = load(self.at)?;
        let (state, debug) = match found.state {
            InspectedState::Json(state) => (Some(json::raw(state)?), None),
            InspectedState::Debug(state) => (None, Some(state)),
            InspectedState::Hidden => (None, None),
        };
        self.output.print(&Shown {
            application: application.name().to_owned(),
            aggregate: aggregate.topic,
            id: self.id.clone(),
            aggregate_version: found.version,
            created_on: found.created_on,
            modified_on: found.modified_on,
            state,
            debug,
        })?;
        Ok(Outcome::Good)
    }

    /// Returns the type of the aggregate, which its first event tells.
    fn aggregate(
        &self,
        target: &Target<'_>,
        node: usize,
        application: &Application,
        id: &AggregateId,
    ) -> Result<SavedAggregate, Failure> {
        let first = application.select_events(id, &EventQuery::all().limit(1))?;
        let Some(first) = first.first() else {
            return Err(Failure::Failed(format!(
                "{}: there is no aggregate {id}",
                application.name()
            )));
        };
        let of_event = |one: &SavedAggregate| {
            let rest = first.topic.strip_prefix(one.topic);
            rest.is_some_and(|rest| rest.starts_with('.'))
        };
        let mut known = target.aggregates(node).into_iter();
        known.find(of_event).ok_or_else(|| {
            let aggregate = first.topic.rsplit_once('.');
            let aggregate = aggregate.map_or(&*first.topic, |(aggregate, _)| aggregate);
            unknown(
                application.name(),
                target.nodes()[node].store_role(),
                aggregate,
            )
        })
    }
}

/// Returns the error of an aggregate whose type the system does not know.
fn unknown(application: &str, role: Role, aggregate: &str) -> Failure {
    let attribute = if role == Role::Follower {
        "process_application"
    } else {
        "application"
    };
    let name = aggregate.rsplit([':', '.']).next().unwrap_or(aggregate);
    Failure::Usage(format!(
        "{application}: the system does not know the type of the aggregate `{aggregate}`: list all aggregates that \
         the application saves, `#[{attribute}(aggregates({name}, ..))]` on its struct"
    ))
}

/// The advice about a state that cannot be shown.
const HIDDEN: &str = "its state cannot be shown: derive Serialize and Deserialize on the struct of the aggregate, or Debug";

/// Returns a state that can be compared with another one.
fn state_of(found: InspectedAggregate) -> Result<String, Failure> {
    match found.state {
        InspectedState::Json(state) => Ok(state),
        InspectedState::Debug(_) | InspectedState::Hidden => Err(Failure::Usage(
            "states can be compared if they can be stored: derive Serialize and Deserialize on the struct of the \
             aggregate"
                .to_owned(),
        )),
    }
}
