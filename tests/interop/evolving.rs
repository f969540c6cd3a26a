//! Events and snapshots of every version, written by one side and read by the fourth program of the
//! other.

use es_system::prelude::*;
use serde_json::{Value, json};
use tests::evolving::{CHIP, DogSchool, check, teach, v4};

use crate::shared::{EITHER_WAY, Sealing, Shared, Store};

fn as_python(dog: &v4::Dog) -> Value {
    json!([dog.chip.to_string(), dog.skills, dog.levels, dog.trainers])
}

pub fn rust_reads_what_python_stored_in_every_version(store: Store) -> Result<()> {
    fn flow(store: Store, sealing: Sealing, version: u64) -> Result<()> {
        let Some(shared) = Shared::new(store, sealing) else {
            return Ok(());
        };
        let Some(mut python) = shared.python_in_version(version) else {
            return Ok(());
        };
        python.ask(json!(["open", "y"]));
        python.ask(json!(["register", "Billy", CHIP.to_string()]));
        python.ask(json!(["add", "Billy", "sit"]));
        python.ask(json!(["take_snapshot", "Billy"]));
        python.ask(json!(["add", "Billy", "stay"]));
        assert_eq!(
            python.ask(json!(["stored_versions", "Billy"])),
            json!([1, version, version])
        );
        let school = DogSchool::new(shared.env())?;
        let without = shared.env().with("IS_SNAPSHOTTING_ENABLED", "n");
        let id = v4::Dog::create_id("Billy");
        let by_events = DogSchool::new(without)?.repository().get(id)?;
        check(&by_events, version, "Python's events");

        // From here on the snapshot is needed.
        shared.damage_dogs(2);
        let mut dog: v4::Dog = school.repository().get(id)?;
        assert_eq!(dog, by_events);
        dog.add_skill("spin", 7, Uuid::NAMESPACE_URL);
        school.save(&mut dog)?;

        // Python's fourth program continues from the same snapshot, and reads the event behind it.
        let Some(mut current) = shared.python_in_version(4) else {
            return Ok(());
        };
        current.ask(json!(["open", "y"]));
        assert_eq!(current.ask(json!(["dog", "Billy"])), as_python(&dog));
        Ok(())
    }
    EITHER_WAY
        .into_iter()
        .try_for_each(|sealing| (1..=4).try_for_each(|version| flow(store, sealing, version)))
}

pub fn python_reads_what_rust_stored_in_every_version(store: Store) -> Result<()> {
    fn flow(store: Store, sealing: Sealing) -> Result<()> {
        let Some(shared) = Shared::new(store, sealing) else {
            return Ok(());
        };
        let (Some(mut python), Some(mut without)) =
            (shared.python_in_version(4), shared.python_in_version(4))
        else {
            return Ok(());
        };
        let school = DogSchool::new(shared.env())?;
        python.ask(json!(["open", "y"]));
        without.ask(json!(["open", "n"]));
        let names = ["One", "Two", "Three", "Four"];
        for (name, version) in names.into_iter().zip(1..) {
            teach(&DogSchool::new(shared.env())?, name, version)?;
            assert_eq!(
                python.ask(json!(["stored_versions", name])),
                json!([1, version, version])
            );
        }
        let mut by_events = Vec::new();
        for (name, version) in names.into_iter().zip(1..) {
            let dog: v4::Dog = school.repository().get(v4::Dog::create_id(name))?;
            check(&dog, version, "events");
            assert_eq!(without.ask(json!(["dog", name])), as_python(&dog));
            by_events.push(as_python(&dog));
        }
        shared.damage_dogs(2);
        for (name, dog) in names.into_iter().zip(by_events) {
            assert_eq!(python.ask(json!(["dog", name])), dog);
        }
        Ok(())
    }
    EITHER_WAY
        .into_iter()
        .try_for_each(|sealing| flow(store, sealing))
}
