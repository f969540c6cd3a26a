//! The example's system as its own tool, which the tests run.

use std::process::ExitCode;

use es_system::prelude::*;
use tests::domain::{Counters, DogSchool};
use tests::table::TrickTable;

fn main() -> Result<ExitCode> {
    let system = System::new(pipes![[DogSchool, Counters], [DogSchool, TrickTable]])?;
    Ok(es_system::cli::main(&system, Env::from_process()))
}
