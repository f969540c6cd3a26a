//! One domain in four versions: each module is the program as it was at some time, and writes what it wrote then.
#![allow(missing_docs, reason = "the domain says what it is")]

use es_system::prelude::*;

/// Numbers above 64 bits come through what does not touch them.
pub const CHIP: u128 = 340_282_366_920_938_463_463_374_607_431_768_211_455;

/// Tricks had no level.
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

/// Tricks have levels.
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

/// Tricks are called skills.
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

/// It is known who the trainer was.
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
