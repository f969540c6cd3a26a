//! The flags of this program.

use std::path::PathBuf;

/// The stores and runners to run, and the folder for files.
#[derive(Default)]
pub struct Flags {
    store: Option<Store>,
    threads: Option<Threads>,
    /// The folder of SQLite files; `None` is a temporary folder.
    pub dir: Option<PathBuf>,
}

/// The store of the events.
#[derive(Clone, Copy)]
pub enum Store {
    Memory,
    Sqlite,
    Postgres,
}

/// The runner that processes them.
#[derive(Clone, Copy)]
pub enum Threads {
    Single,
    Multi,
}

impl Threads {
    pub fn name(self) -> &'static str {
        match self {
            Self::Single => "single",
            Self::Multi => "multi",
        }
    }
}

impl Flags {
    /// Reads the flags. The error names the flag that is wrong.
    pub fn parse(mut args: impl Iterator<Item = String>) -> Result<Self, String> {
        let mut flags = Self::default();
        while let Some(flag) = args.next() {
            let mut value = || args.next().ok_or_else(|| format!("{flag} needs a value"));
            match flag.as_str() {
                "--store" => flags.store = Some(store(&value()?)?),
                "--runner" => flags.threads = Some(threads(&value()?)?),
                "--dir" => flags.dir = Some(value()?.into()),
                _ => return Err(format!("unknown flag {flag}: use --store, --runner, --dir")),
            }
        }
        Ok(flags)
    }

    /// Returns the stores to run on.
    pub fn stores(&self) -> &[Store] {
        match &self.store {
            Some(store) => std::slice::from_ref(store),
            None if self.dir.is_some() => &[Store::Sqlite],
            None => &[Store::Memory, Store::Sqlite],
        }
    }

    /// Returns the runners to run with.
    pub fn threads(&self) -> &[Threads] {
        match &self.threads {
            Some(threads) => std::slice::from_ref(threads),
            None => &[Threads::Single, Threads::Multi],
        }
    }
}

fn store(name: &str) -> Result<Store, String> {
    match name {
        "memory" => Ok(Store::Memory),
        "sqlite" => Ok(Store::Sqlite),
        "postgres" => Ok(Store::Postgres),
        _ => Err(format!("--store {name}: use memory, sqlite or postgres")),
    }
}

fn threads(name: &str) -> Result<Threads, String> {
    match name {
        "single" => Ok(Threads::Single),
        "multi" => Ok(Threads::Multi),
        _ => Err(format!("--runner {name}: use single or multi")),
    }
}
