//! The rules of a block as its attributes write them.

use crate::policy::begin::Begin;
use crate::policy::kinds::FollowerType;
use crate::policy::on_error::{OnError, Retry, Then, backoff};
use crate::prelude::*;

#[aggregate]
pub struct Dog {}

#[aggregate]
impl Dog {
    #[event(Registered)]
    pub fn register() -> Self {
        Self {}
    }

    #[event(Renamed)]
    pub fn rename(&mut self) {}

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
struct Shop;

#[process_application(on_error = retry(times = 2, backoff = "2s..5min"), from = 7)]
impl Shop {
    #[policy(Dog::Registered)]
    fn registered(&self, _: &DomainEvent<DogRegistered>, _: &mut ProcessingEvent) -> Result<()> {
        Ok(())
    }

    #[policy(Dog::Renamed, Dog::Sold, on_error = set_aside)]
    fn changed(&self, _: &DomainEvent<DogEvent>, _: &mut ProcessingEvent) -> Result<()> {
        Ok(())
    }

    #[policy(Cat::*, on_error = retry(then = set_aside), added = now)]
    fn cat(&self, _: &DomainEvent<CatEvent>, _: &mut ProcessingEvent) -> Result<()> {
        Ok(())
    }

    #[policy(_, on_error = stop)]
    fn rest(&self, _: &UndecodedEvent, _: &mut ProcessingEvent) -> Result<()> {
        Ok(())
    }
}

#[test]
fn each_event_has_the_rule_that_is_written_at_its_policy_or_at_the_block() -> Result<()> {
    let policies = Shop::policies();
    let shop = Shop::new(Env::new())?;
    let rules = policies.rules(&shop)?;
    let of_the_block = OnError::Retry(Retry {
        times: 2,
        backoff: backoff(2_000, 300_000),
        then: Then::Stop,
    });
    let of_cats = OnError::Retry(Retry {
        then: Then::SetAside,
        ..Retry::DEFAULT
    });
    for (topic, rule) in [
        ("Dog.Registered", of_the_block),
        ("Dog.Renamed", OnError::SetAside),
        ("Dog.Sold", OnError::SetAside),
        ("Cat.Registered", of_cats),
        ("Cat.Unknown", of_cats),
        ("Dog.Unknown", OnError::Stop),
    ] {
        assert_eq!(rules.rule(topic), rule, "{topic}");
    }
    assert_eq!(rules.rule_of_newer("Cat.Unknown"), Some(of_cats));
    assert_eq!(rules.rule_of_newer("Dog.Registered"), None);
    assert_eq!(policies.begin(), Begin::At(7));
    Ok(())
}
