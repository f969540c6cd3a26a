//! Generated code has no warning that is not the user's own.

#![deny(warnings, missing_docs, unreachable_pub, unused, rust_2018_idioms)]
#![deny(clippy::all, clippy::pedantic, clippy::nursery)]
#![allow(
    clippy::redundant_pub_crate,
    clippy::missing_const_for_fn,
    clippy::unnecessary_wraps,
    reason = "it is written so on purpose"
)]

/// A private domain.
mod domain {
    use es_system::prelude::*;

    /// A dog.
    #[aggregate]
    #[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
    pub(crate) struct Dog {
        pub(crate) tricks: Vec<String>,
    }

    #[aggregate]
    impl Dog {
        /// Makes one.
        #[event(Registered)]
        pub(crate) fn register(name: &str, born: u16) -> Self {
            Self { tricks: Vec::new() }
        }

        /// Teaches one.
        #[event(TrickAdded)]
        #[expect(clippy::needless_pass_by_value, reason = "to have one")]
        #[expect(clippy::too_many_lines)]
        pub(crate) fn add_trick(&mut self, mut trick: String, timestamp: Timestamp) {
            trick.push('!');
            self.tricks.push(trick);
        }

        /// Sits.
        #[event(Sat)]
        pub(crate) fn sit(&mut self) {}
    }

    /// What a cat has learnt.
    #[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
    pub(crate) struct Learnt {
        /// What it is called.
        pub(crate) skill: String,
        /// How hard it is.
        pub(crate) level: u8,
        /// Who was there.
        pub(crate) others: Option<String>,
    }

    /// A cat.
    #[aggregate(version = 2, upcast(1 => from))]
    #[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
    pub(crate) struct Cat {
        pub(crate) skills: Vec<String>,
    }

    #[aggregate(vis = pub(crate))]
    impl Cat {
        /// Makes one.
        #[event(Registered)]
        pub(crate) fn register() -> Self {
            Self { skills: Vec::new() }
        }

        /// Learns.
        #[event(Learnt, payload = Learnt, version = 3, upcast(2 => Self::state, 1 => self::from))]
        pub(crate) fn learn(&mut self, skill: &str, level: u8, others: Option<&str>) {
            let _ = (level, others);
            self.skills.push(skill.to_owned());
        }

        fn state(state: &mut impl StoredState) -> Result<(), FieldError> {
            state.insert("level", &1)
        }
    }

    fn from(state: &mut impl StoredState) {
        let _ = state.remove("nothing");
    }

    #[aggregate]
    struct OnlyCreated {}

    #[aggregate(vis = pub(self))]
    impl OnlyCreated {
        #[event(Created)]
        fn create() -> Self {
            Self {}
        }
    }

    /// Sees everything.
    #[process_application]
    pub(crate) struct Audit;

    #[process_application]
    impl Audit {
        #[policy(Dog::Registered, Dog::TrickAdded)]
        fn some(&self, event: &DomainEvent<DogEvent>, _: &mut ProcessingEvent) -> Result<()> {
            let _ = (self, &event.payload);
            Ok(())
        }

        #[cfg(any())]
        #[policy(Dog::*)]
        fn none(&self, event: &DomainEvent<NoSuchType>, _: &mut ProcessingEvent) -> Result<()> {
            Ok(())
        }

        #[policy(OnlyCreated::*)]
        fn all(
            &self,
            event: &DomainEvent<OnlyCreatedEvent>,
            _: &mut ProcessingEvent,
        ) -> Result<()> {
            let _ = (self, &event.payload);
            Ok(())
        }

        #[policy(_)]
        fn rest(&self, event: &UndecodedEvent, _: &mut ProcessingEvent) -> Result<()> {
            let _ = (self, event.topic());
            Ok(())
        }
    }

    pub(crate) fn use_all() {
        let _ = OnlyCreated::create();
    }

    /// A school.
    #[application]
    pub(crate) struct School;

    /// Counters.
    #[process_application(name = "Dog_Counters")]
    pub(crate) struct Counters;

    #[process_application]
    impl Counters {
        #[policy(Dog::TrickAdded)]
        fn count(&self, event: &DomainEvent<DogTrickAdded>, _: &mut ProcessingEvent) -> Result<()> {
            let _ = (self, &event.trick);
            Ok(())
        }
    }
}

#[test]
fn main() {
    let mut dog = domain::Dog::register("Billy", 2024);
    dog.add_trick("sit".to_owned());
    dog.sit();
    assert_eq!(dog.tricks, ["sit!"]);
    let mut cat = domain::Cat::register();
    cat.learn("stay", 1, None);
    assert_eq!(cat.skills, ["stay"]);
    domain::use_all();
    assert!(domain::School::new(es_system::Env::new()).is_ok());
    assert!(domain::Audit::new(es_system::Env::new()).is_ok());
    assert!(domain::Counters::new(es_system::Env::new()).is_ok());
}
