use es_system::prelude::*;

#[aggregate]
pub enum Door {
    Open,
    Shut,
}

#[aggregate]
impl Door {
    #[event(Built)]
    pub fn build() -> Self {
        Self::Open
    }

    #[event(Closed)]
    pub fn close(&mut self) {
        *self = Self::Shut;
    }

    pub fn is_open(&self) -> bool {
        match self {
            Self::Open => true,
            Self::Shut => false,
        }
    }
}

fn main() {}
