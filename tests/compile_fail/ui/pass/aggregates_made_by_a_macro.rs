//! A macro of the user may write the attributes, the names and parts of the bodies.

use es_system::prelude::*;

macro_rules! shape {
    ($name:ident, $make:block, $item:item, $m:ident) => {
        #[aggregate]
        $item
        #[aggregate]
        impl $name {
            #[id]
            pub fn id_of(name: &str) -> Uuid { Uuid::new_v5(&Uuid::NAMESPACE_URL, name.as_bytes()) }
            #[event(Made)]
            pub fn make(name: &str, timestamp: Timestamp) -> Self $make
            #[event(Changed)]
            pub fn change(&mut self, event: &str, state: Option<&str>) { let _ = &self.tricks; let _ = (event, state); }
            #[event(Other)]
            pub fn $m(&mut self) { self.tricks.clear(); }
            pub fn learn(&mut self) { self.change("a", None); self.$m(); }
        }
        #[process_application]
        pub struct Counters;
        #[process_application]
        impl Counters {
            #[policy($name::Changed)]
            fn count(&self, event: &DomainEvent<DogChanged>, processing_event: &mut ProcessingEvent) -> Result<()> {
                let _ = (event, processing_event);
                Ok(())
            }
        }
    };
}
shape!(
    Dog,
    { DogState { tricks: vec![] } },
    pub struct Dog {
        pub tricks: Vec<String>,
    },
    forget
);

#[test]
fn main() {}
