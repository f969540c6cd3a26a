//! The raw side of a store, and many writers on it: one connection, one transaction for all that wait.

use std::sync::{Condvar, Mutex};

use es_system::prelude::Uuid;

use crate::stored::{Loaded, Row};

/// The raw driver with one connection, as one who knows it well uses it.
pub trait Raw: Send {
    fn load(&mut self, id: Uuid) -> Loaded;

    /// Inserts rows in one transaction.
    fn append(&mut self, rows: &[Row]);
}

/// Commits the rows of many threads together. Both stores have the same hand-off.
pub struct Group {
    state: Mutex<State>,
    /// Of even and of odd groups, so that nobody is woken for a group that is not theirs.
    committed: [Condvar; 2],
    raw: Mutex<Box<dyn Raw>>,
}

#[derive(Default)]
struct State {
    waiting: Vec<Row>,
    leading: bool,
    /// Whether the lead is kept for one of those that wait.
    passed: bool,
    /// Which group is being collected, and how many are committed.
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

    /// Returns when the row is committed. Who comes first commits for all who came.
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
            // Who has just led does not lead again at once: until one that waits is awake, the next group grows.
            state.passed = !state.waiting.is_empty();
            state.leading = state.passed;
            state.done = group;
            // Those of the group first: who comes again at once is in the next one.
            self.committed_of(group).notify_all();
            self.committed_of(group + 1).notify_one();
        }
    }

    fn committed_of(&self, group: u64) -> &Condvar {
        &self.committed[usize::from(group % 2 == 1)]
    }
}
