//! What is stored needs serde and `Clone`; what is only in the state needs nothing.

use es_system::prelude::*;

struct Plain;

#[derive(Clone, Serialize, Deserialize)]
pub struct OnlyStored(f32);

#[aggregate]
pub struct Thing {
    plain: Plain,
    inner: Vec<OnlyStored>,
}

#[aggregate]
impl Thing {
    #[event(Made)]
    pub fn make(first: OnlyStored) -> Self {
        Self {
            plain: Plain,
            inner: vec![first],
        }
    }

    pub fn sum(&self) -> f32 {
        let Plain = self.plain;
        self.inner.iter().map(|stored| stored.0).sum()
    }

    pub fn take(mut self) -> f32 {
        let mut local = Local { sum: 0.0 };
        local.sum = self.sum();
        if self.sum() == local.sum {
            self = Self::make(OnlyStored(2.0));
        }
        self.sum()
    }
}

struct Local {
    sum: f32,
}

#[test]
fn main() {
    assert_eq!(Thing::make(OnlyStored(1.0)).take(), 2.0);
}
