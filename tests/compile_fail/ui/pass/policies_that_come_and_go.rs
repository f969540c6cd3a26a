//! Policies that were added, and policies that were taken out.

#![deny(warnings)]
#![allow(clippy::non_minimal_cfg, reason = "it is written so on purpose")]

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

#[process_application(retired(Dog::Registered, Cat::*, _,))]
impl Counters {
    #[policy(Dog::Renamed, added = now)]
    fn renamed(&self, _: &DomainEvent<DogRenamed>, _: &mut ProcessingEvent) -> Result<()> {
        Ok(())
    }

    #[policy(added = replay, Dog::Sold)]
    fn sold(&self, _: &DomainEvent<DogSold>, _: &mut ProcessingEvent) -> Result<()> {
        Ok(())
    }
}

#[process_application]
pub struct Names;

#[process_application(retired(Cat::Registered))]
impl Names {
    #[policy(Dog::*, added = replay)]
    fn dog(&self, _: &DomainEvent<DogEvent>, _: &mut ProcessingEvent) -> Result<()> {
        Ok(())
    }

    #[cfg(all())]
    #[policy(Cat::Registered, added = now)]
    fn cat(&self, _: &DomainEvent<CatRegistered>, _: &mut ProcessingEvent) -> Result<()> {
        Ok(())
    }
}

#[process_application]
pub struct Totals;

#[process_application]
impl Totals {
    #[policy(Dog::Renamed, Dog::Sold, added = now)]
    fn dog(&self, _: &DomainEvent<DogEvent>, _: &mut ProcessingEvent) -> Result<()> {
        Ok(())
    }

    #[policy(_, added = replay)]
    fn rest(&self, _: &UndecodedEvent, _: &mut ProcessingEvent) -> Result<()> {
        Ok(())
    }
}

#[projection]
pub struct NameTable;

#[projection(retired(Dog::Sold))]
impl NameTable {
    fn tables(tx: &mut Transaction<'_>) -> Result<()> {
        let table = tx.table("names");
        tx.execute(&format!("CREATE TABLE {table} (name TEXT)"), &[])?;
        Ok(())
    }

    #[policy(Dog::Renamed, added = now)]
    fn rename(&self, _: &DomainEvent<DogRenamed>, _: &mut Transaction<'_>) -> Result<()> {
        Ok(())
    }
}

#[test]
fn main() {
    let leads = |_: &str| ();
    leads(Counters::NAME);
    leads(Names::NAME);
    leads(Totals::NAME);
    leads(NameTable::NAME);
}
