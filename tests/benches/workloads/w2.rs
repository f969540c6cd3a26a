//! W2: append, one event a save, by many writers at once.

use tests::domain::{Dog, DogSchool};

use crate::pairs::{Sample, on_threads, timed};
use crate::raw_sqlite::{self, Group};
use crate::w1::{raw_file, registered};

const SAVES: usize = 6_400;

fn name(writer: usize, number: usize) -> String {
    format!("dog {number} of writer {writer}")
}

pub fn ours_on_sqlite(writers: usize) -> Sample {
    let dir = tempfile::tempdir().expect("a temporary folder");
    let school = DogSchool::new(tests::files(dir.path())).expect("a new school");
    on_threads(writers, |writer| {
        timed(SAVES / writers, |number| {
            school
                .save(&mut Dog::register(&name(writer, number)))
                .expect("saved");
        })
    })
}

pub fn raw_on_sqlite(writers: usize) -> Sample {
    let dir = tempfile::tempdir().expect("a temporary folder");
    let group = Group::new(raw_sqlite::open(&raw_file(dir.path())));
    on_threads(writers, |writer| {
        timed(SAVES / writers, |number| {
            group.append(registered(&name(writer, number)))
        })
    })
}
