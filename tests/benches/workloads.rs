//! Measures the speed of the library, as the ratio to the raw driver that does the same work in the
//! best known way.
//!
//! `cargo bench --bench workloads -- [w1] [w2] [sqlite] [postgres] [--writers N] [--pairs N]
//! [--json]`. Without words it runs every workload on every store that is available. PostgreSQL is
//! found as the tests find it. Each row runs the code of the library and of the raw driver in turn,
//! in at least five pairs. One binary varies more from run to run than most changes do, so only
//! pairs count.

#[path = "workloads/group.rs"]
mod group;
#[path = "workloads/pairs.rs"]
mod pairs;
#[path = "workloads/raw_postgres.rs"]
mod raw_postgres;
#[path = "workloads/raw_sqlite.rs"]
mod raw_sqlite;
#[path = "workloads/store.rs"]
mod store;
#[path = "workloads/stored.rs"]
mod stored;
#[path = "workloads/w1.rs"]
mod w1;
#[path = "workloads/w2.rs"]
mod w2;

use pairs::Report;
use store::Store;

/// The workloads and stores to run.
struct Choice {
    words: Vec<String>,
    writers: Option<usize>,
    pairs: usize,
    json: bool,
}

impl Choice {
    fn parse(mut args: impl Iterator<Item = String>) -> Result<Self, String> {
        let mut choice = Self {
            words: Vec::new(),
            writers: None,
            pairs: 5,
            json: false,
        };
        while let Some(arg) = args.next() {
            let mut number = || {
                let value = args.next().and_then(|value| value.parse().ok());
                value.ok_or_else(|| format!("{arg} needs a number"))
            };
            match arg.as_str() {
                "--writers" => choice.writers = Some(number()?),
                "--pairs" => choice.pairs = number()?.max(5),
                "--json" => choice.json = true,
                // Cargo itself passes this flag.
                "--bench" => {}
                "w1" | "w2" | "sqlite" | "postgres" => choice.words.push(arg),
                _ => return Err(format!("unknown word {arg}")),
            }
        }
        Ok(choice)
    }

    fn wants(&self, word: &str, of: &[&str]) -> bool {
        let named = |word: &str| self.words.iter().any(|w| w == word);
        named(word) || !of.iter().any(|other| named(other))
    }

    fn writers(&self) -> Vec<usize> {
        self.writers
            .map_or_else(|| vec![1, 8, 32], |writers| vec![writers])
    }
}

fn main() {
    let choice = match Choice::parse(std::env::args().skip(1)) {
        Ok(choice) => choice,
        Err(problem) => {
            eprintln!("workloads: {problem}");
            std::process::exit(2);
        }
    };
    let chosen = |store: &Store| choice.wants(store.word(), &Store::ALL.map(Store::word));
    let stores = Store::ALL.into_iter().filter(chosen);
    let stores: Vec<Store> = stores.filter(|store| store.is_there()).collect();
    let mut report = Report::new(choice.json);
    for store in stores {
        let on = store.title();
        if choice.wants("w1", &["w1", "w2"]) {
            let title = format!("W1 load, command, save; 1 writer; {on}");
            let ours = || w1::ours(store);
            report.row(&title, choice.pairs, ours, || w1::raw(store));
        }
        if choice.wants("w2", &["w1", "w2"]) {
            for writers in choice.writers() {
                let title = format!("W2 append, 1 event a save; {writers} writer(s); {on}");
                let ours = || w2::ours(store, writers);
                report.row(&title, choice.pairs, ours, || w2::raw(store, writers));
            }
        }
    }
}
