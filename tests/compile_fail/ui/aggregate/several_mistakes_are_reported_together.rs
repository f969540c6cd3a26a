use es_system::prelude::*;

#[aggregate]
pub struct Dog {
    tricks: Vec<String>,
}

#[aggregate(topic = "Dog")]
impl Dog {
    #[event(Registered)]
    pub fn register() -> Self {
        Self { tricks: Vec::new() }
    }

    #[event(trick_added)]
    pub async fn add_trick(&mut self, trick: &mut str) {
        self.tricks.push(trick.to_owned());
    }

    #[event]
    pub fn forget(&self) {
        self.tricks.clear();
    }

    #[event(Renamed)]
    pub fn rename(&mut self, (name, _): (String, u8)) -> Result<()> {
        Ok(())
    }

    pub fn train(&mut self) {
        self.tricks = Vec::new();
    }
}

fn main() {
    let mut dog = Dog::register();
    dog.forget();
    dog.train();
    let _ = Dog::Renamed;
    let _: Option<DogRenamed> = None;
    let _: Option<DogEvent> = None;
}
