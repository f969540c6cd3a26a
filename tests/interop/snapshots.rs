//! Snapshots of one side that the other side loads. The events before them are unreadable.

use es_system::prelude::*;
use serde_json::json;
use tests::domain::{Dog, DogSchool};

use crate::shared::{EITHER_WAY, Sealing, Shared, Store};

pub fn a_snapshot_that_python_took_is_used_by_rust(store: Store) -> Result<()> {
    fn flow(store: Store, sealing: Sealing) -> Result<()> {
        let Some(shared) = Shared::new(store, sealing) else {
            return Ok(());
        };
        let Some(mut python) = shared.python() else {
            return Ok(());
        };
        let school = DogSchool::new(shared.env())?;
        python.ask(json!(["open"]));
        python.ask(json!(["register", "Billy"]));
        python.ask(json!(["add_trick", "Billy", "roll over \u{2028}"]));
        python.ask(json!(["add_trick", "Billy", "fetch ball"]));
        let before = school.get_dog("Billy")?;
        python.ask(json!(["take_snapshot", "Billy"]));
        shared.damage_dogs(3);

        let billy = school.get_dog("Billy")?;
        assert_eq!((billy.version(), &billy.tricks), (3, &before.tricks));
        python.ask(json!(["add_trick", "Billy", "play dead"]));
        school.add_trick("Billy", "sit")?;
        for school in [school, DogSchool::new(shared.env())?] {
            let billy = school.get_dog("Billy")?;
            let tricks = ["roll over \u{2028}", "fetch ball", "play dead", "sit"];
            assert_eq!(
                (billy.version(), &billy.tricks[..]),
                (5, &tricks.map(str::to_owned)[..])
            );
            assert_eq!(billy.created_on(), before.created_on());
        }
        let without = shared.env().with("IS_SNAPSHOTTING_ENABLED", "n");
        let error = DogSchool::new(without)?.get_dog("Billy");
        assert_eq!(error.expect_err("damaged").kind(), ErrorKind::BadData);
        Ok(())
    }
    EITHER_WAY
        .into_iter()
        .try_for_each(|sealing| flow(store, sealing))
}

pub fn a_snapshot_that_rust_took_is_used_by_python(store: Store) -> Result<()> {
    fn flow(store: Store, sealing: Sealing) -> Result<()> {
        let Some(shared) = Shared::new(store, sealing) else {
            return Ok(());
        };
        let (Some(mut python), Some(mut without)) =
            (shared.python(), shared.python_without_snapshots())
        else {
            return Ok(());
        };
        let school = DogSchool::new(shared.env())?;
        school.register_dog("Billy")?;
        school.add_trick("Billy", "roll over \u{2028}")?;
        school.add_trick("Billy", "fetch ball")?;
        school.add_trick("Billy", "play dead")?;
        // The last event is not part of the snapshot.
        school.take_snapshot::<Dog>(Dog::create_id("Billy"), 3)?;
        shared.damage_dogs(3);

        python.ask(json!(["open"]));
        let tricks = |more: &[&str]| {
            json!([&["roll over \u{2028}", "fetch ball", "play dead"], more].concat())
        };
        assert_eq!(python.ask(json!(["tricks", "Billy"])), tricks(&[]));
        python.ask(json!(["add_trick", "Billy", "sit"]));
        // Python can also take a snapshot of the aggregate that it loaded, and this side reads
        // that.
        python.ask(json!(["take_snapshot", "Billy"]));
        shared.damage_dogs(5);
        let billy = school.get_dog("Billy")?;
        assert_eq!(
            (billy.version(), json!(billy.tricks)),
            (5, tricks(&["sit"]))
        );
        school.add_trick("Billy", "stay")?;
        assert_eq!(
            python.ask(json!(["tricks", "Billy"])),
            tricks(&["sit", "stay"])
        );

        without.ask(json!(["open"]));
        without.fail(json!(["tricks", "Billy"]));
        Ok(())
    }
    EITHER_WAY
        .into_iter()
        .try_for_each(|sealing| flow(store, sealing))
}
