//! The handling of cargoes in ports: an application of its own, which does not know bookings.

use es_system::prelude::*;

use crate::places::Location;

/// A handling of a cargo in a port. Loading and unloading have a voyage.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Activity {
    Received(Location),
    Loaded(String, Location),
    Unloaded(String, Location),
    Claimed(Location),
}

/// All handlings of one cargo.
#[aggregate]
pub struct HandlingHistory {
    activities: Vec<Activity>,
}

#[aggregate]
impl HandlingHistory {
    #[id]
    fn of(cargo: AggregateId) -> Uuid {
        Uuid::new_v5(
            &Uuid::NAMESPACE_URL,
            format!("/handling/{cargo}").as_bytes(),
        )
    }

    #[event(Begun)]
    fn begin(cargo: AggregateId) -> Self {
        Self {
            activities: Vec::new(),
        }
    }

    #[event(Handled)]
    fn handle(&mut self, cargo: AggregateId, activity: Activity) {
        self.activities.push(activity);
    }
}

#[application]
pub struct Handling;

impl Handling {
    pub fn register(&self, cargo: &AggregateId, activity: Activity) -> Result<()> {
        let found = self.repository().find(HandlingHistory::of(cargo.clone()))?;
        let mut history = found.unwrap_or_else(|| HandlingHistory::begin(cargo.clone()));
        history.handle(cargo.clone(), activity);
        self.save(&mut history)?;
        Ok(())
    }
}
