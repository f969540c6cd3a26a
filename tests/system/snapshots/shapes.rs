//! States of which snapshots can be taken, and states of which they cannot.

use es_system::prelude::*;
use es_system::store::Mapper;
use tests::domain::DogSchool;

use super::snapshots;

/// Makes an aggregate whose state comes from one event, and compares it with the state in its
/// snapshot. Returns the snapshot's state.
macro_rules! comes_back {
    ($school:expr, $item:item, $name:ident, $state:expr) => {{
        #[aggregate]
        #[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
        $item

        #[aggregate]
        impl $name {
            #[event(Made)]
            fn make() -> Self {
                $state
            }
        }

        let mut made = $name::make();
        $school.save(&mut made)?;
        $school.take_snapshot::<$name>(made.id(), None)?;
        let snapshot = snapshots(&$school, made.id()).remove(0);
        let mapper = Mapper::new(&Env::new()).expect("a mapper");
        let decoded = mapper.decode_snapshot::<$name>(&snapshot);
        assert_eq!(decoded, Some(Ok(made)));
        let text = String::from_utf8_lossy(&snapshot.state).into_owned();
        assert!(text.contains(r#""state":{"_created_on":"#), "{text}");
        text
    }};
}

#[test]
fn states_of_every_shape_come_back_from_snapshots() -> Result<()> {
    let school = DogSchool::new(Env::new())?;
    let unit = comes_back!(school, struct Unit;, Unit, Self);
    assert!(unit.ends_with(r#"},"_state":null}}"#), "{unit}");
    let empty = comes_back!(school, struct Empty {}, Empty, Self {});
    assert!(empty.ends_with(r#""}}}"#), "{empty}");
    let pair = comes_back!(
        school,
        struct Pair(u8, String);,
        Pair,
        Self(1, "one".to_owned())
    );
    assert!(pair.ends_with(r#","_state":[1,"one"]}}"#), "{pair}");
    let id = comes_back!(
        school,
        struct Identified(Uuid);,
        Identified,
        Self(Uuid::NAMESPACE_URL)
    );
    assert!(id.contains(r#","_type_":"uuid_hex","#), "{id}");
    let fields = comes_back!(
        school,
        struct Fields {
            when: Option<Timestamp>,
            r#type: Uuid,
        },
        Fields,
        Self {
            when: None,
            r#type: Uuid::NAMESPACE_URL
        }
    );
    assert!(
        fields.contains(r#","when":null,"type":{"_type_":"#),
        "{fields}"
    );
    Ok(())
}

#[test]
fn states_that_are_enums_come_back_from_snapshots() -> Result<()> {
    let school = DogSchool::new(Env::new())?;
    let level = comes_back!(
        school,
        enum Level {
            Low,
            High(u8),
        },
        Level,
        Self::High(3)
    );
    assert!(level.ends_with(r#","High":3}}"#), "{level}");
    let lowest = comes_back!(
        school,
        enum Lowest {
            Low,
            High(u8),
        },
        Lowest,
        {
            let _ = Self::High(1);
            Self::Low
        }
    );
    assert!(lowest.ends_with(r#","_state":"Low"}}"#), "{lowest}");
    Ok(())
}

#[test]
fn a_field_whose_name_a_snapshot_needs_is_refused_where_it_is_asked_for() -> Result<()> {
    #[aggregate(snapshot_every = 1)]
    #[derive(Serialize, Deserialize)]
    struct Release {
        _version: u8,
    }

    #[aggregate(vis = pub(crate))]
    impl Release {
        #[event(Made)]
        fn make() -> Self {
            Self { _version: 1 }
        }
    }

    let school = DogSchool::new(Env::new())?;
    let mut release = Release::make();
    school.save(&mut release)?;
    let error = school
        .take_snapshot::<Release>(release.id(), None)
        .expect_err("the name is reserved");
    assert_eq!(error.kind(), ErrorKind::BadData);
    assert!(error.to_string().contains("field `_version`"), "{error}");
    Ok(())
}

#[test]
fn a_state_that_panics_when_it_is_stored_fails_no_save() -> Result<()> {
    #[derive(Deserialize)]
    struct Touchy;

    impl Serialize for Touchy {
        fn serialize<S: es_system::__private::serde::Serializer>(
            &self,
            _: S,
        ) -> Result<S::Ok, S::Error> {
            panic!("do not touch")
        }
    }

    #[aggregate(snapshot_every = 1)]
    #[derive(Serialize, Deserialize)]
    struct Box {
        touchy: Touchy,
    }

    #[aggregate(vis = pub(crate))]
    impl Box {
        #[event(Made)]
        fn make() -> Self {
            Self { touchy: Touchy }
        }
    }

    let school = DogSchool::new(Env::new())?;
    let mut made = Box::make();
    school.save(&mut made)?;
    assert!(made.pending_events().is_empty());
    let error = school
        .take_snapshot::<Box>(made.id(), None)
        .expect_err("it panics");
    assert!(error.to_string().contains("do not touch"), "{error}");
    Ok(())
}
