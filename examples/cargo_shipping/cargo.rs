//! A cargo: its destination, its route, and its current place.

use es_system::prelude::*;

use crate::handling::Activity;
use crate::places::{Location, Route};

/// The reason why a command was refused.
#[derive(Debug, PartialEq, thiserror::Error)]
pub enum Refused {
    #[error("it starts and ends in {0}")]
    GoesNowhere(Location),
    #[error("the route does not lead from {0} to {1}")]
    WrongRoute(Location, Location),
    #[error("the cargo was claimed")]
    Claimed,
}

/// The place of a cargo.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Transport {
    NotReceived,
    InPort(Location),
    OnBoard(String),
    Claimed,
}

#[aggregate(snapshot_every = 10)]
#[derive(Serialize, Deserialize)]
pub struct Cargo {
    pub origin: Location,
    pub destination: Location,
    pub route: Option<Route>,
    pub transport: Transport,
    pub is_misdirected: bool,
}

#[aggregate]
impl Cargo {
    #[event(Booked)]
    fn booked(origin: Location, destination: Location) -> Self {
        Self {
            origin,
            destination,
            route: None,
            transport: Transport::NotReceived,
            is_misdirected: false,
        }
    }

    #[event(DestinationChanged)]
    fn destination_changed(&mut self, destination: Location) {
        self.destination = destination;
        self.route = None;
    }

    #[event(RouteAssigned)]
    fn route_assigned(&mut self, route: Route) {
        self.route = Some(route);
        self.is_misdirected = false;
    }

    #[event(Handled)]
    fn handled(&mut self, activity: Activity) {
        self.is_misdirected = !self.expects(&activity);
        self.transport = match activity {
            Activity::Received(port) | Activity::Unloaded(_, port) => Transport::InPort(port),
            Activity::Loaded(voyage, _) => Transport::OnBoard(voyage),
            Activity::Claimed(_) => Transport::Claimed,
        };
    }

    pub fn book(origin: Location, destination: Location) -> Result<Self, Refused> {
        if origin == destination {
            return Err(Refused::GoesNowhere(origin));
        }
        Ok(Self::booked(origin, destination))
    }

    pub fn change_destination(&mut self, destination: Location) -> Result<(), Refused> {
        if self.transport == Transport::Claimed {
            return Err(Refused::Claimed);
        }
        if destination == self.starts_from() {
            return Err(Refused::GoesNowhere(destination));
        }
        self.destination_changed(destination);
        Ok(())
    }

    pub fn assign_route(&mut self, route: Route) -> Result<(), Refused> {
        let (from, to) = (self.starts_from(), self.destination);
        if (route.start(), route.end()) != (Some(from), Some(to)) {
            return Err(Refused::WrongRoute(from, to));
        }
        self.route_assigned(route);
        Ok(())
    }

    pub fn handle(&mut self, activity: &Activity) {
        self.handled(activity.clone());
    }
}

/// Questions that events and commands share.
impl CargoState {
    /// Returns the port where a route has to start: that of the cargo, or its origin.
    pub fn starts_from(&self) -> Location {
        match self.transport {
            Transport::InPort(port) => port,
            _ => self.origin,
        }
    }

    fn expects(&self, activity: &Activity) -> bool {
        let Some(route) = &self.route else {
            return false;
        };
        match activity {
            Activity::Received(port) => route.start() == Some(*port),
            Activity::Loaded(voyage, port) => route
                .legs
                .iter()
                .any(|leg| leg.voyage == *voyage && leg.from == *port),
            Activity::Unloaded(voyage, port) => route
                .legs
                .iter()
                .any(|leg| leg.voyage == *voyage && leg.to == *port),
            Activity::Claimed(port) => *port == self.destination,
        }
    }
}
