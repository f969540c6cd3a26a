//! One domain in four versions. Each module is the program at some time, and writes in the format
//! of that time.
#![allow(missing_docs, reason = "the domain says what it is")]

use es_system::prelude::*;

/// Numbers above 64 bits survive code that does not use them.
pub const CHIP: u128 = 340_282_366_920_938_463_463_374_607_431_768_211_455;

/// In version 1 tricks had no level.
pub mod v1 {
    use super::*;

    #[aggregate(topic = "evolving:Dog")]
    #[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
    pub struct Dog {
        pub name: String,
        pub chip: u128,
        pub tricks: Vec<String>,
    }

    #[aggregate]
    impl Dog {
        #[id]
        pub fn create_id(name: &str) -> Uuid {
            super::create_id(name)
        }

        #[event(Registered)]
        pub fn register(name: &str, chip: u128) -> Self {
            Self {
                name: name.to_owned(),
                chip,
                tricks: Vec::new(),
            }
        }

        #[event(TrickAdded)]
        pub fn add_trick(&mut self, trick: &str) {
            self.tricks.push(trick.to_owned());
        }
    }
}

/// Since version 2 tricks have levels.
pub mod v2 {
    use super::*;

    #[aggregate(topic = "evolving:Dog", version = 2, upcast(1 => add_levels))]
    #[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
    pub struct Dog {
        pub name: String,
        pub chip: u128,
        pub tricks: Vec<String>,
        pub levels: Vec<u64>,
    }

    #[aggregate]
    impl Dog {
        #[id]
        pub fn create_id(name: &str) -> Uuid {
            super::create_id(name)
        }

        #[event(Registered)]
        pub fn register(name: &str, chip: u128) -> Self {
            Self {
                name: name.to_owned(),
                chip,
                tricks: Vec::new(),
                levels: Vec::new(),
            }
        }

        #[event(TrickAdded, version = 2, upcast(1 => add_level))]
        pub fn add_trick(&mut self, trick: &str, level: u64) {
            self.tricks.push(trick.to_owned());
            self.levels.push(level);
        }
    }
}

/// Since version 3 tricks are called skills.
pub mod v3 {
    use super::*;

    #[aggregate(topic = "evolving:Dog", version = 3, upcast(1 => add_levels, 2 => rename_tricks))]
    #[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
    pub struct Dog {
        pub name: String,
        pub chip: u128,
        pub skills: Vec<String>,
        pub levels: Vec<u64>,
    }

    #[aggregate]
    impl Dog {
        #[id]
        pub fn create_id(name: &str) -> Uuid {
            super::create_id(name)
        }

        #[event(Registered)]
        pub fn register(name: &str, chip: u128) -> Self {
            Self {
                name: name.to_owned(),
                chip,
                skills: Vec::new(),
                levels: Vec::new(),
            }
        }

        #[event(TrickAdded, version = 3, upcast(1 => add_level, 2 => rename_trick))]
        pub fn add_skill(&mut self, skill: &str, level: u64) {
            self.skills.push(skill.to_owned());
            self.levels.push(level);
        }
    }
}

/// Since version 4 the trainer is known.
pub mod v4 {
    use super::*;

    #[aggregate(
        topic = "evolving:Dog",
        version = 4,
        upcast(1 => add_levels, 2 => rename_tricks, 3 => add_trainers)
    )]
    #[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
    pub struct Dog {
        pub name: String,
        pub chip: u128,
        pub skills: Vec<String>,
        pub levels: Vec<u64>,
        pub trainers: Vec<Uuid>,
    }

    #[aggregate]
    impl Dog {
        #[id]
        pub fn create_id(name: &str) -> Uuid {
            super::create_id(name)
        }

        #[event(Registered)]
        pub fn register(name: &str, chip: u128) -> Self {
            Self {
                name: name.to_owned(),
                chip,
                skills: Vec::new(),
                levels: Vec::new(),
                trainers: Vec::new(),
            }
        }

        #[event(TrickAdded, version = 4, upcast(1 => add_level, 2 => rename_trick, 3 => Self::add_trainer))]
        pub fn add_skill(&mut self, skill: &str, level: u64, trainer: Uuid) {
            self.skills.push(skill.to_owned());
            self.levels.push(level);
            self.trainers.push(trainer);
        }

        fn add_trainer(state: &mut impl StoredState) -> Result<(), FieldError> {
            state.insert("trainer", &Uuid::nil())
        }
    }
}

fn create_id(name: &str) -> Uuid {
    Uuid::new_v5(&Uuid::NAMESPACE_URL, format!("/dogs/{name}").as_bytes())
}

fn add_level(state: &mut impl StoredState) -> Result<(), FieldError> {
    state.insert("level", &1)
}

fn rename_trick(state: &mut impl StoredState) -> Result<(), FieldError> {
    state.rename("trick", "skill").map(drop)
}

fn add_levels(state: &mut impl StoredState) -> Result<(), FieldError> {
    let tricks: Vec<String> = state.get("tricks")?.unwrap_or_default();
    state.insert("levels", &vec![1; tricks.len()])
}

fn rename_tricks(state: &mut impl StoredState) -> Result<(), FieldError> {
    state.rename("tricks", "skills").map(drop)
}

fn add_trainers(state: &mut impl StoredState) -> Result<(), FieldError> {
    let skills: Vec<String> = state.get("skills")?.unwrap_or_default();
    state.insert("trainers", &vec![Uuid::nil(); skills.len()])
}

/// The application of each of these programs.
#[application]
pub struct DogSchool;

/// Has the program of `version` teach a new dog two tricks, with its version as the level, and take
/// a snapshot of it.
///
/// # Errors
/// Returns the error of the store.
pub fn teach(school: &DogSchool, name: &str, version: u64) -> Result<AggregateId> {
    macro_rules! teach {
        ($version:ident, $add:ident, $($more:expr),*) => {{
            let mut dog = $version::Dog::register(name, CHIP);
            dog.$add("sit", $($more),*);
            school.save(&mut dog)?;
            school.take_snapshot::<$version::Dog>(dog.id(), None)?;
            dog.$add("stay", $($more),*);
            school.save(&mut dog)?;
            Ok(dog.id().clone())
        }};
    }
    match version {
        1 => teach!(v1, add_trick,),
        2 => teach!(v2, add_trick, 2),
        3 => teach!(v3, add_skill, 3),
        _ => teach!(v4, add_skill, 4, Uuid::NAMESPACE_DNS),
    }
}

/// Checks such a dog as the fourth program must see it.
pub fn check(dog: &v4::Dog, version: u64, place: &str) {
    let trainer = match version {
        4 => Uuid::NAMESPACE_DNS,
        _ => Uuid::nil(),
    };
    assert_eq!(dog.skills, ["sit", "stay"], "{place}, {version}");
    assert_eq!(dog.levels, [version; 2], "{place}, {version}");
    assert_eq!(dog.trainers, [trainer; 2], "{place}, {version}");
    assert_eq!((dog.chip, dog.version()), (CHIP, 3), "{place}, {version}");
}
