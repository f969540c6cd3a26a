//! States without named fields, which a snapshot holds as a whole.

use es_system::EventQuery;
use es_system::prelude::*;
use tests::evolving::DogSchool;

mod tuple {
    use super::*;

    #[aggregate(topic = "evolving:Pair")]
    #[derive(Serialize, Deserialize)]
    pub struct Pair(pub u8, pub u8);

    #[aggregate]
    impl Pair {
        #[event(Made)]
        pub fn make(left: u8, right: u8) -> Self {
            Self(left, right)
        }
    }
}

mod named {
    use super::*;

    #[aggregate(topic = "evolving:Pair", version = 2, upcast(1 => name))]
    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    pub struct Pair {
        pub left: u8,
        pub right: u8,
    }

    #[aggregate]
    impl Pair {
        #[event(Made)]
        pub fn make(left: u8, right: u8) -> Self {
            Self { left, right }
        }
    }
}

mod chosen {
    use super::*;

    #[aggregate(topic = "evolving:Pair", version = 3, upcast(1 => name, 2 => choose))]
    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    pub enum Pair {
        Same,
        Different,
    }

    #[aggregate]
    impl Pair {
        #[event(Made)]
        pub fn make(left: u8, right: u8) -> Self {
            if left == right {
                Self::Same
            } else {
                Self::Different
            }
        }
    }
}

fn name(state: &mut impl StoredState) -> Result<(), FieldError> {
    let (left, right): (u8, u8) = state.get("_state")?.unwrap_or_default();
    state.remove("_state");
    state.insert("left", &left)?;
    state.insert("right", &right)
}

fn choose(state: &mut impl StoredState) -> Result<(), FieldError> {
    let [left, right] = [state.get::<u8>("left")?, state.get("right")?];
    state.remove("left");
    state.remove("right");
    state.insert("_state", if left == right { "Same" } else { "Different" })
}

#[test]
fn a_state_becomes_one_of_another_shape() -> Result<()> {
    for (left, right) in [(1, 1), (1, 2)] {
        let school = DogSchool::new(Env::new())?;
        let mut pair = tuple::Pair::make(left, right);
        school.save(&mut pair)?;
        school.take_snapshot::<tuple::Pair>(pair.id(), None)?;
        let all = EventQuery::all();
        let snapshots = school.recorder()?.select_snapshots(pair.id(), &all);
        let mut snapshot = snapshots.expect("one").remove(0);
        // There are no events, so the whole state is in the snapshot.
        snapshot.originator_id = Uuid::nil().into();

        let after = DogSchool::new(Env::new())?;
        let recorder = after.recorder()?;
        recorder.record_snapshot(&snapshot).expect("recorded");
        let named: named::Pair = after.repository().get(Uuid::nil())?;
        assert_eq!((named.left, named.right), (left, right));
        let chosen = DogSchool::new(Env::new())?;
        let recorder = chosen.recorder()?;
        recorder.record_snapshot(&snapshot).expect("recorded");
        let chosen: chosen::Pair = chosen.repository().get(Uuid::nil())?;
        assert_eq!(*chosen == chosen::PairState::Same, left == right);
    }
    Ok(())
}
