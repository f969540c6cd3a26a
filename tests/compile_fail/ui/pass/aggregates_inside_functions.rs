//! Two aggregates with the same names of events, inside of functions.

use es_system::prelude::*;

#[test]
fn main() {
    #[derive(Serialize, Deserialize)]
    struct Called {
        name: String,
    }

    fn add_name(state: &mut impl StoredState) -> Result<(), FieldError> {
        state.insert("name", "nobody")
    }

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

    #[aggregate(vis = pub(self))]
    impl Cat {
        #[event(Registered, payload = Called, version = 2, upcast(1 => add_name))]
        fn register(name: &str) -> Self {
            Self {
                name: name.to_owned(),
            }
        }
    }

    assert_eq!(Dog::register("Billy").name, Cat::register("Billy").name);
    assert_ne!(Dog::Registered.topic(), Cat::Registered.topic());
}
