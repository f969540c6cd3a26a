//! Looks at what is stored of an aggregate, for those who do not know its type.

use std::fmt;

use es_core::__private::DebugState;
use es_core::{Aggregate, AggregateId, EventSet, Timestamp};
use es_store::Notification;

use crate::application::core::Application;
use crate::error::Result;

/// The functions that show what is stored of one type of aggregate.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Inspection {
    /// The topics of its events.
    pub(crate) topics: &'static [&'static str],
    load: Load,
    decode: Decode,
}

type Load = fn(&Application, &AggregateId, Option<u64>) -> Result<InspectedAggregate>;
type Decode = fn(&Application, &Notification) -> Result<()>;

/// An aggregate as an operator sees it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct InspectedAggregate {
    pub(crate) version: u64,
    pub(crate) created_on: Timestamp,
    pub(crate) modified_on: Timestamp,
    pub(crate) state: InspectedState,
}

/// The state of an aggregate as an operator sees it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum InspectedState {
    /// JSON, as a snapshot has it.
    Json(String),
    /// The text of its `Debug`, because it cannot be stored.
    Debug(String),
    /// Nothing, because it has no `Debug` either.
    Hidden,
}

impl Inspection {
    pub(crate) const fn of<A: Aggregate>() -> Self {
        Self {
            topics: A::Event::TOPICS,
            load: load::<A>,
            decode: decode::<A>,
        }
    }

    /// Loads an aggregate in its current state, or in that after the event numbered `version`.
    ///
    /// # Errors
    /// Fails as [`Repository::get_at`](crate::Repository::get_at) does.
    pub(crate) fn load(
        self,
        application: &Application,
        id: &AggregateId,
        version: Option<u64>,
    ) -> Result<InspectedAggregate> {
        (self.load)(application, id, version)
    }

    /// Fails if an event cannot be decoded.
    ///
    /// # Errors
    /// Returns [`Error::BadData`](crate::Error::BadData) then.
    pub(crate) fn decode(self, application: &Application, event: &Notification) -> Result<()> {
        (self.decode)(application, event)
    }
}

fn load<A: Aggregate>(
    application: &Application,
    id: &AggregateId,
    version: Option<u64>,
) -> Result<InspectedAggregate> {
    let repository = application.repository();
    let aggregate: A = match version {
        Some(version) => repository.get_at(id.clone(), version)?,
        None => repository.get(id.clone())?,
    };
    let state = application.mapper().state_json::<A>(aggregate.state());
    Ok(InspectedAggregate {
        version: aggregate.version(),
        created_on: aggregate.created_on(),
        modified_on: aggregate.modified_on(),
        state: match (state, A::__DEBUG_STATE) {
            (Some(Ok(json)), _) => InspectedState::Json(json),
            (_, Some(debug)) => InspectedState::Debug(debugged(aggregate.state(), debug)),
            (_, None) => InspectedState::Hidden,
        },
    })
}

fn debugged<S>(state: &S, debug: DebugState<S>) -> String {
    struct Shown<'a, S>(&'a S, DebugState<S>);
    impl<S> fmt::Debug for Shown<'_, S> {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            (self.1)(self.0, f)
        }
    }
    format!("{:#?}", Shown(state, debug))
}

fn decode<A: Aggregate>(application: &Application, event: &Notification) -> Result<()> {
    application.repository().decode::<A>(event).map(drop)
}
