//! The raw side of a store with many writers: one connection, and one transaction for all saves
//! that wait.

use std::sync::{Condvar, Mutex};

use es_system::prelude::Uuid;

use crate::stored::{Loaded, Row};

/// The raw driver with one connection, in its best known use.
pub trait Raw: Send {
    fn load(&mut self, id: Uuid) -> Loaded;

    /// Inserts rows in one transaction.
    fn append(&mut self, rows: &[Row]);
}

/// Commits the rows of many threads together. Both stores hand over in the same way.
pub struct Group {
    state: Mutex<State>,
    /// The signals of even and of odd groups, so that a thread is woken only for its own group.
    committed: [Condvar; 2],
    raw: Mutex<Box<dyn Raw>>,
}

#[derive(Default)]
struct State {
    waiting: Vec<Row>,
    leading: bool,
    /// True if the lead is reserved for a thread that waits.
    passed: bool,
    /// The number of the group that is being collected, and the number of committed groups.
    collecting: u64,
    done: u64,
}

impl Group {
    pub fn new(raw: Box<dyn Raw>) -> Self {
        let state = State {
            collecting: 1,
            ..State::default()
        };
        Self {
            state: Mutex::new(state),
            committed: [Condvar::new(), Condvar::new()],
            raw: Mutex::new(raw),
        }
    }

    /// Returns when the row is committed. The first thread commits for all that have come.
    pub fn append(&self, row: Row) {
        let mut state = self.state.lock().expect("no panic");
        state.waiting.push(row);
        let mine = state.collecting;
        let mut was_woken = false;
        while state.done < mine {
            let is_next = was_woken && state.passed && mine == state.collecting;
            if state.leading && !is_next {
                let committed = self.committed_of(mine);
                state = committed.wait(state).expect("no panic");
                was_woken = true;
                continue;
            }
            let rows = std::mem::take(&mut state.waiting);
            let group = state.collecting;
            state.collecting += 1;
            (state.leading, state.passed) = (true, false);
            drop(state);
            self.raw.lock().expect("no panic").append(&rows);
            state = self.state.lock().expect("no panic");
            // A thread that has just led does not lead again at once: until a waiting thread is
            // awake, the next group grows.
            state.passed = !state.waiting.is_empty();
            state.leading = state.passed;
            state.done = group;
            // The threads of this group are woken first; one that comes again at once joins the
            // next group.
            self.committed_of(group).notify_all();
            self.committed_of(group + 1).notify_one();
        }
    }

    fn committed_of(&self, group: u64) -> &Condvar {
        &self.committed[usize::from(group % 2 == 1)]
    }
}
