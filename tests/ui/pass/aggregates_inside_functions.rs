//! Two aggregates with the same names of events, inside of functions.

use es_system::prelude::*;

fn main() {
    #[aggregate]
    struct Dog {
        name: String,
    }

    #[aggregate]
    impl Dog {
        #[event(Registered)]
        fn register(name: &str) -> Self {
            Self {
                name: name.to_owned(),
            }
        }
    }

    #[aggregate]
    struct Cat {
        name: String,
    }

    #[aggregate]
    impl Cat {
        #[event(Registered)]
        fn register(name: &str) -> Self {
            Self {
                name: name.to_owned(),
            }
        }
    }

    assert_eq!(Dog::register("Billy").name, Cat::register("Billy").name);
    assert_ne!(Dog::Registered.topic(), Cat::Registered.topic());
}
