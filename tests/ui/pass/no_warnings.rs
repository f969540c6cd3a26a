//! Generated code has no warning that is not the user's own.

#![deny(warnings, missing_docs, unreachable_pub, unused, rust_2018_idioms)]
#![deny(clippy::all, clippy::pedantic, clippy::nursery)]

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
        fn all(&self, event: &DomainEvent<OnlyCreatedEvent>, _: &mut ProcessingEvent) -> Result<()> {
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

fn main() {
    let mut dog = domain::Dog::register("Billy", 2024);
    dog.add_trick("sit".to_owned());
    dog.sit();
    assert_eq!(dog.tricks, ["sit!"]);
    domain::use_all();
    assert!(domain::School::new(es_system::Env::new()).is_ok());
    assert!(domain::Audit::new(es_system::Env::new()).is_ok());
    assert!(domain::Counters::new(es_system::Env::new()).is_ok());
}
