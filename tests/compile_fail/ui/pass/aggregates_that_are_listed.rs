#![deny(warnings)]

mod dogs {
    use es_system::prelude::*;

    #[aggregate]
    pub struct Dog {}

    #[aggregate]
    impl Dog {
        #[event(Registered)]
        pub fn register() -> Self {
            Self {}
        }
    }
}

use es_system::prelude::*;

#[aggregate(topic = "count")]
struct Count {}

#[aggregate(vis = pub(self))]
impl Count {
    #[event(Begun)]
    fn begin() -> Self {
        Self {}
    }
}

#[application(aggregates(dogs::Dog, Count), name = "School")]
struct Academy;

#[application(aggregates(self::dogs::Dog,))]
struct Kennel;

#[process_application(aggregates(Count))]
struct Counters;

#[process_application]
impl Counters {
    #[policy(dogs::Dog::Registered)]
    fn count(&self, _: &DomainEvent<dogs::DogRegistered>, on: &mut ProcessingEvent) -> Result<()> {
        on.collect_events(&mut Count::begin());
        Ok(())
    }
}

#[test]
fn main() -> Result<()> {
    let system = System::new(pipes![[Academy, Counters], [Kennel, Counters]])?;
    let mut runner = SingleThreadedRunner::new(&system, Env::new())?;
    runner.start()?;
    runner.get::<Kennel>()?.save(&mut dogs::Dog::register())?;
    runner.stop()
}
