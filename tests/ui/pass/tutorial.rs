use es_system::prelude::*;

#[aggregate]
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

#[aggregate]
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

fn run<R: Runner>(env: Env) -> Result<()> {
    let system = System::new(pipes![[DogSchool, Counters]])?;
    assert_eq!(system.nodes(), ["DogSchool", "Counters"]);
    assert_eq!(system.edges(), [("DogSchool", "Counters")]);

    let mut runner = R::new(&system, env)?;
    runner.start()?;
    let school = runner.get::<DogSchool>()?;
    let counters = runner.get::<Counters>()?;

    for name in ["Billy", "Milly", "Scrappy"] {
        school.register_dog(name)?;
    }
    for name in ["Billy", "Milly", "Scrappy"] {
        school.add_trick(name, "roll over")?;
    }
    expect(&runner, &counters, [3, 0, 0])?;

    school.add_trick("Billy", "fetch ball")?;
    school.add_trick("Milly", "fetch ball")?;
    expect(&runner, &counters, [3, 2, 0])?;

    school.add_trick("Billy", "play dead")?;
    expect(&runner, &counters, [3, 2, 1])?;
    runner.stop()
}

fn expect<R: Runner>(runner: &R, counters: &Counters, counts: [u64; 3]) -> Result<()> {
    runner.wait_until_idle(Duration::from_secs(5))?;
    for (trick, count) in ["roll over", "fetch ball", "play dead"]
        .into_iter()
        .zip(counts)
    {
        assert_eq!(counters.get_count(trick)?, count);
    }
    Ok(())
}

fn main() -> Result<()> {
    run::<SingleThreadedRunner>(Env::new())?;
    run::<MultiThreadedRunner>(Env::new())
}
