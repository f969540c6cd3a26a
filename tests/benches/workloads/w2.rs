//! W2: many writers append one event a save, at the same time.

use tests::domain::Dog;

use crate::group::Group;
use crate::pairs::{Sample, on_threads, timed};
use crate::store::Store;
use crate::stored::registered;

const SAVES: usize = 6_400;

fn name(writer: usize, number: usize) -> String {
    format!("dog {number} of writer {writer}")
}

pub fn ours(store: Store, writers: usize) -> Sample {
    let on = store.ours();
    let school = &on.side;
    on_threads(writers, |writer| {
        timed(SAVES / writers, |number| {
            school
                .save(&mut Dog::register(&name(writer, number)))
                .expect("saved");
        })
    })
}

pub fn raw(store: Store, writers: usize) -> Sample {
    let on = store.raw();
    let group = Group::new(on.side);
    on_threads(writers, |writer| {
        timed(SAVES / writers, |number| {
            group.append(registered(&name(writer, number)))
        })
    })
}
