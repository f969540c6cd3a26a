//! The flags of this program.

use std::path::PathBuf;

/// Which stores and runners to run, and where to keep files.
#[derive(Default)]
pub struct Flags {
    store: Option<Store>,
    threads: Option<Threads>,
    /// Where SQLite files are kept; a temporary folder if it is not given.
    pub dir: Option<PathBuf>,
}

/// Where events are stored.
#[derive(Clone, Copy)]
pub enum Store {
    Memory,
    Sqlite,
    Postgres,
}

/// Which runner processes them.
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
    /// Reads the flags, or says what is wrong with them.
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

    /// The stores to run on.
    pub fn stores(&self) -> &[Store] {
        match &self.store {
            Some(store) => std::slice::from_ref(store),
            None if self.dir.is_some() => &[Store::Sqlite],
            None => &[Store::Memory, Store::Sqlite],
        }
    }

    /// The runners to run with.
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
