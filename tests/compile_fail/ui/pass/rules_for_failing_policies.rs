//! Rules for events whose policy fails, and the event with which a follower begins.

#![deny(warnings)]

use es_system::ApplicationType;
use es_system::prelude::*;

#[aggregate]
pub struct Dog {}

#[aggregate]
impl Dog {
    #[event(Registered)]
    pub fn register() -> Self {
        Self {}
    }

    #[event(Renamed)]
    pub fn rename(&mut self, name: &str) {}

    #[event(Sold)]
    pub fn sell(&mut self) {}
}

#[aggregate]
pub struct Cat {}

#[aggregate]
impl Cat {
    #[event(Registered)]
    pub fn register() -> Self {
        Self {}
    }
}

#[process_application]
pub struct Counters;

#[process_application(on_error = retry(times = 5, backoff = "100ms..60s", then = set_aside), from = now)]
impl Counters {
    #[policy(Dog::Registered, on_error = stop)]
    fn registered(&self, _: &DomainEvent<DogRegistered>, _: &mut ProcessingEvent) -> Result<()> {
        Ok(())
    }

    #[policy(on_error = set_aside, Dog::Renamed, added = now)]
    fn renamed(&self, event: &DomainEvent<DogRenamed>, _: &mut ProcessingEvent) -> Result<()> {
        if event.is_replay() {
            return Ok(());
        }
        Err(RetryLater::after(Duration::from_secs(5), "the mail server is busy").into())
    }

    #[cfg(test)]
    #[policy(Dog::Sold, on_error = retry)]
    fn sold(&self, _: &DomainEvent<DogSold>, _: &mut ProcessingEvent) -> Result<()> {
        Err(RetryLater::after(
            Duration::from_secs(5),
            std::io::Error::other("no answer"),
        ))?
    }

    #[policy(Cat::*, on_error = retry())]
    fn cat(
        &self,
        _: &DomainEvent<CatEvent>,
        _: &mut ProcessingEvent,
    ) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
        Err(RetryLater::after(Duration::from_millis(1), "no answer"))?
    }

    #[policy(_, on_error = retry(times = 1,),)]
    fn rest(&self, event: &UndecodedEvent, _: &mut ProcessingEvent) -> Result<()> {
        assert!(!event.is_replay());
        Ok(())
    }
}

#[process_application]
pub struct Totals;

#[process_application(from = 1000, retired(Dog::Sold), on_error = stop)]
impl Totals {
    #[policy(Dog::Registered, Dog::Renamed, on_error = retry(backoff = "2s..5min"))]
    fn dog(&self, _: &DomainEvent<DogEvent>, _: &mut ProcessingEvent) -> Result<()> {
        Ok(())
    }
}

#[projection]
pub struct Names;

#[projection(from = start, on_error = set_aside)]
impl Names {
    fn tables(tx: &mut Transaction<'_>) -> Result<()> {
        let table = tx.table("names");
        tx.execute(&format!("CREATE TABLE {table} (name TEXT)"), &[])?;
        Ok(())
    }

    #[policy(Dog::Renamed, on_error = retry(then = stop, times = 3), added = now)]
    fn rename(&self, _: &DomainEvent<DogRenamed>, _: &mut Transaction<'_>) -> Result<()> {
        Ok(())
    }
}

mod without_the_prelude {
    use super::{Dog, DogRenamed};

    #[es_system::process_application]
    pub struct Shadowed;

    pub struct OnError;
    pub struct Retry;
    pub struct Then;
    pub struct Begin;

    #[es_system::process_application(from = now, on_error = retry(times = 1))]
    impl Shadowed {
        #[policy(Dog::Renamed, on_error = retry(then = set_aside))]
        fn renamed(
            &self,
            _: &es_system::DomainEvent<DogRenamed>,
            _: &mut es_system::ProcessingEvent,
        ) -> es_system::Result<()> {
            let _ = (OnError, Retry, Then, Begin);
            Ok(())
        }
    }
}

#[test]
fn main() {
    let leads = |_: &str| ();
    leads(Counters::NAME);
    leads(Totals::NAME);
    leads(Names::NAME);
    leads(without_the_prelude::Shadowed::NAME);
}
