//! The struct in one module, its events in another, its commands in a third, its policy in a
//! fourth.

mod state {
    use es_system::prelude::*;

    #[aggregate]
    #[derive(Debug)]
    pub struct Dog {
        pub(super) tricks: Vec<String>,
    }
}

mod events {
    use es_system::prelude::*;

    #[aggregate]
    impl super::state::Dog {
        pub const MOST: usize = 2;

        #[event(Registered)]
        pub fn register() -> Self {
            Self {
                tricks: Vec::with_capacity(Self::MOST),
            }
        }

        #[event(TrickAdded)]
        pub fn add_trick(&mut self, trick: &str) {
            self.tricks.push(trick.to_owned());
            self.tricks.truncate(Self::most());
        }

        fn most() -> usize {
            Self::MOST
        }
    }
}

mod commands {
    use super::state::Dog;

    impl Dog {
        pub fn learn(&mut self, trick: &str) -> Result<(), &'static str> {
            if self.knows(trick) {
                return Err("known");
            }
            self.add_trick(trick);
            Ok(())
        }

        fn knows(&self, trick: &str) -> bool {
            self.tricks.iter().any(|known| known == trick)
        }
    }
}

mod application {
    use es_system::prelude::*;

    #[process_application]
    pub struct Counters;
}

mod policies {
    use super::{application, events, state};

    #[es_system::process_application]
    impl application::Counters {
        #[policy(state::Dog::TrickAdded)]
        fn count(
            &self,
            event: &es_system::DomainEvent<events::DogTrickAdded>,
            _: &mut es_system::ProcessingEvent,
        ) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
            assert!(!event.trick.is_empty());
            Ok(())
        }
    }
}

#[test]
fn main() {
    let mut dog = state::Dog::register();
    assert_eq!(dog.learn("sit"), Ok(()));
    assert_eq!(dog.learn("sit"), Err("known"));
    let _: events::DogEvent = events::DogRegistered {}.into();
    application::Counters::new(es_system::Env::new()).expect("opens");
}
