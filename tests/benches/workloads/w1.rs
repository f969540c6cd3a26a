//! W1: one writer loads an aggregate, has it make an event, and saves it.

use std::time::Instant;

use tests::domain::Dog;

use crate::group::Raw;
use crate::pairs::{Sample, timed};
use crate::store::Store;
use crate::stored::{Row, registered, trick_added};

const DOGS: usize = 400;
const SAVES: usize = 1_600;

fn name(number: usize) -> String {
    format!("dog {}", number % DOGS)
}

pub fn ours(store: Store) -> Sample {
    let on = store.ours();
    let school = &on.side;
    let mut dogs: Vec<Dog> = (0..DOGS)
        .map(|number| Dog::register(&name(number)))
        .collect();
    school.save(&mut dogs[..]).expect("saved");
    sample(|number| school.add_trick(&name(number), "roll over").expect("saved"))
}

pub fn raw(store: Store) -> Sample {
    let mut on = store.raw();
    let raw = &mut *on.side;
    let rows: Vec<Row> = (0..DOGS).map(|number| registered(&name(number))).collect();
    raw.append(&rows);
    sample(|number| add_trick(raw, &name(number), "roll over"))
}

fn sample(save: impl FnMut(usize)) -> Sample {
    let began = Instant::now();
    let latencies = timed(SAVES, save);
    Sample {
        saves: SAVES,
        elapsed: began.elapsed(),
        latencies,
    }
}

fn add_trick(raw: &mut dyn Raw, name: &str, trick: &str) {
    let id = Dog::create_id(name);
    let dog = raw.load(id);
    std::hint::black_box(dog.tricks);
    raw.append(&[trick_added(id, dog.version, trick)]);
}
