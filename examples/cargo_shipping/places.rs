//! Ports, and the voyages between them.

use std::fmt;

use es_system::prelude::*;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Location {
    Hamburg,
    HongKong,
    NewYork,
    Stockholm,
    Tokyo,
}

/// One voyage from a port to the next.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Leg {
    pub voyage: String,
    pub from: Location,
    pub to: Location,
}

/// A sequence of legs. Each leg begins where the one before it ends.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Route {
    pub legs: Vec<Leg>,
}

/// All voyages.
const VOYAGES: [(&str, Location, Location); 5] = [
    ("v100", Location::HongKong, Location::NewYork),
    ("v200", Location::NewYork, Location::Stockholm),
    ("v300", Location::NewYork, Location::Tokyo),
    ("v400", Location::Tokyo, Location::Hamburg),
    ("v500", Location::Hamburg, Location::Stockholm),
];

impl Route {
    /// Returns all routes from one place to another that touch no port twice, shortest first.
    pub fn between(from: Location, to: Location) -> Vec<Self> {
        let mut found = Vec::new();
        let mut begun = vec![Self { legs: Vec::new() }];
        while !begun.is_empty() {
            let longer = begun.iter().flat_map(|route| route.continued(from));
            let (ended, open) = longer.partition(|route| route.end() == Some(to));
            found.extend::<Vec<_>>(ended);
            begun = open;
        }
        found
    }

    pub fn start(&self) -> Option<Location> {
        self.legs.first().map(|leg| leg.from)
    }

    pub fn end(&self) -> Option<Location> {
        self.legs.last().map(|leg| leg.to)
    }

    fn continued(&self, from: Location) -> impl Iterator<Item = Self> + use<'_> {
        let at = self.end().unwrap_or(from);
        let is_new = move |port| port != from && self.legs.iter().all(|leg| leg.to != port);
        let next = VOYAGES
            .into_iter()
            .filter(move |(_, from, to)| *from == at && is_new(*to));
        next.map(|(voyage, from, to)| {
            let mut legs = self.legs.clone();
            let voyage = voyage.to_owned();
            legs.push(Leg { voyage, from, to });
            Self { legs }
        })
    }
}

impl fmt::Display for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Hamburg => "Hamburg",
            Self::HongKong => "Hong Kong",
            Self::NewYork => "New York",
            Self::Stockholm => "Stockholm",
            Self::Tokyo => "Tokyo",
        })
    }
}

impl fmt::Display for Route {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for Leg { voyage, from, .. } in &self.legs {
            write!(f, "{from} --{voyage}--> ")?;
        }
        self.end().map_or(Ok(()), |end| write!(f, "{end}"))
    }
}
