mod domain {
    use es_system::prelude::*;

    #[aggregate]
    pub struct Dog {}

    #[aggregate]
    impl Dog {
        #[event(Registered)]
        fn register() -> Self {
            Self {}
        }
    }
}

fn main() {
    let _ = domain::Dog::register();
}
