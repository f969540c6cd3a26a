use es_system::prelude::*;

#[aggregate]
pub struct Dog {
    pub walks: u64,
}

#[aggregate]
impl Dog {
    #[event(Registered)]
    pub fn register() -> Self {
        Self { walks: 0 }
    }

    #[event(Walked)]
    pub fn walk(&mut self, _place: &str, __with: Option<&str>, mut _far: u64) {
        self.walks += 1;
    }
}

fn main() {
    let mut dog = Dog::register();
    dog.walk("park", None, 1);
}
