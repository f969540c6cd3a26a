//! An event-sourced log that both sides append to and read.

use es_system::prelude::*;
use serde_json::json;
use tests::domain::DogSchool;

use crate::shared::{EITHER_WAY, Sealing, Shared, Store};

/// The log of all dogs, as `dogschool.py` defines it.
#[aggregate(topic = "dogschool:Dogs")]
struct Dogs;

#[aggregate(vis = pub(self))]
impl Dogs {
    #[id]
    fn create_id() -> Uuid {
        Uuid::new_v5(&Uuid::NAMESPACE_URL, b"/dogs")
    }

    #[event(Named)]
    fn named(name: &str) -> Self {
        Self
    }
}

pub fn both_append_to_one_log(store: Store) -> Result<()> {
    fn flow(store: Store, sealing: Sealing) -> Result<()> {
        let Some(shared) = Shared::new(store, sealing) else {
            return Ok(());
        };
        let Some(mut python) = shared.python() else {
            return Ok(());
        };
        python.ask(json!(["open"]));
        let school = DogSchool::new(shared.env())?;
        let dogs = school.log::<Dogs>(Dogs::create_id());
        let append = |name| dogs.append(Dogs::named(name));
        append("Søren")?;
        python.ask(json!(["append_dog", "Billy"]));
        assert_eq!(append("Milly")?, 3);
        python.ask(json!(["append_dog", "Rex"]));

        let all = json!([[1, "Søren"], [2, "Billy"], [3, "Milly"], [4, "Rex"]]);
        assert_eq!(python.ask(json!(["dogs"])), all);
        let read = dogs.get(&EventQuery::all())?;
        let read = read.iter().map(|event| match &event.payload {
            DogsEvent::Named(named) => json!([event.originator_version, named.name]),
        });
        assert_eq!(read.collect::<serde_json::Value>(), all);
        Ok(())
    }
    EITHER_WAY
        .into_iter()
        .try_for_each(|sealing| flow(store, sealing))
}
