//! The application in which cargoes are booked and routed. It follows their handling in ports.

use es_system::prelude::*;

use crate::cargo::{Cargo, Refused, Transport};
use crate::handling::{HandlingHistory, HandlingHistoryHandled};
use crate::places::{Location, Route};

/// An error: the domain refuses, or the library fails.
#[derive(Debug, thiserror::Error)]
pub enum BookingError {
    #[error(transparent)]
    Refused(#[from] Refused),
    #[error(transparent)]
    Failed(#[from] Error),
}

#[process_application]
pub struct Booking;

#[process_application]
impl Booking {
    #[policy(HandlingHistory::Handled)]
    fn follow(
        &self,
        event: &DomainEvent<HandlingHistoryHandled>,
        processing_event: &mut ProcessingEvent,
    ) -> Result<()> {
        let mut cargo: Cargo = self.repository().get(&event.cargo)?;
        cargo.handle(&event.activity);
        processing_event.collect_events(&mut cargo);
        Ok(())
    }

    pub fn book(&self, from: Location, to: Location) -> Result<AggregateId, BookingError> {
        let mut cargo = Cargo::book(from, to)?;
        self.save(&mut cargo)?;
        Ok(cargo.id().clone())
    }

    /// Returns the routes on which a cargo can go on from its current port.
    pub fn possible_routes(&self, cargo: &AggregateId) -> Result<Vec<Route>, BookingError> {
        let cargo: Cargo = self.repository().get(cargo)?;
        Ok(Route::between(cargo.starts_from(), cargo.destination))
    }

    pub fn assign_route(&self, cargo: &AggregateId, route: Route) -> Result<(), BookingError> {
        self.try_execute(cargo, |cargo: &mut Cargo| cargo.assign_route(route.clone()))
            .map_err(ExecuteError::flatten)
    }

    pub fn change_destination(
        &self,
        cargo: &AggregateId,
        destination: Location,
    ) -> Result<(), BookingError> {
        self.try_execute(cargo, |cargo: &mut Cargo| {
            cargo.change_destination(destination)
        })
        .map_err(ExecuteError::flatten)
    }

    pub fn status(&self, cargo: &AggregateId) -> Result<String, BookingError> {
        let cargo: Cargo = self.repository().get(cargo)?;
        let place = match &cargo.transport {
            Transport::NotReceived => "not received yet".to_owned(),
            Transport::InPort(port) => format!("in port in {port}"),
            Transport::OnBoard(voyage) => format!("on board of {voyage}"),
            Transport::Claimed => "claimed".to_owned(),
        };
        let problem = match (&cargo.route, cargo.is_misdirected) {
            (_, true) => ", misdirected",
            (None, false) => ", not routed",
            _ => "",
        };
        Ok(format!("to {}: {place}{problem}", cargo.destination))
    }
}
