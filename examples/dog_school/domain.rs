//! The tutorial's code: dogs learn tricks in one application, and another one counts the tricks.

use es_system::prelude::*;

#[aggregate(topic = "dogschool:Dog")]
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Dog {
    pub name: String,
    pub tricks: Vec<String>,
}

#[aggregate]
impl Dog {
    #[id]
    pub fn create_id(name: &str) -> Uuid {
        Uuid::new_v5(&Uuid::NAMESPACE_URL, format!("/dogs/{name}").as_bytes())
    }

    #[event(Registered)]
    pub fn register(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            tricks: Vec::new(),
        }
    }

    #[event(TrickAdded)]
    pub fn add_trick(&mut self, trick: &str) {
        self.tricks.push(trick.to_owned());
    }
}

#[application]
pub struct DogSchool;

impl DogSchool {
    pub fn register_dog(&self, name: &str) -> Result<()> {
        self.save(&mut Dog::register(name))?;
        Ok(())
    }

    pub fn add_trick(&self, name: &str, trick: &str) -> Result<()> {
        let mut dog = self.repository().get::<Dog>(Dog::create_id(name))?;
        dog.add_trick(trick);
        self.save(&mut dog)?;
        Ok(())
    }

    pub fn get_dog(&self, name: &str) -> Result<Dog> {
        self.repository().get(Dog::create_id(name))
    }
}

#[aggregate(topic = "dogschool:Counter")]
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Counter {
    pub name: String,
    pub count: u64,
}

#[aggregate]
impl Counter {
    #[id]
    pub fn create_id(name: &str) -> Uuid {
        Uuid::new_v5(&Uuid::NAMESPACE_URL, format!("/counters/{name}").as_bytes())
    }

    #[event(Created)]
    pub fn new(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            count: 0,
        }
    }

    #[event(Incremented)]
    pub fn increment(&mut self) {
        self.count += 1;
    }
}

#[process_application]
pub struct Counters;

#[process_application]
impl Counters {
    #[policy(Dog::TrickAdded)]
    fn count_trick(
        &self,
        event: &DomainEvent<DogTrickAdded>,
        processing_event: &mut ProcessingEvent,
    ) -> Result<()> {
        let mut counter = self
            .repository()
            .find(Counter::create_id(&event.trick))?
            .unwrap_or_else(|| Counter::new(&event.trick));
        counter.increment();
        processing_event.collect_events(&mut counter);
        Ok(())
    }

    pub fn get_count(&self, trick: &str) -> Result<u64> {
        let counter = self
            .repository()
            .find::<Counter>(Counter::create_id(trick))?;
        Ok(counter.map_or(0, |counter| counter.count))
    }
}
