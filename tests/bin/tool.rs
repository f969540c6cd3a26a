//! A system as its own tool, which the tests run.

use std::process::ExitCode;

use es_system::prelude::*;

fn main() -> Result<ExitCode> {
    let system = tests::tooling::system()?;
    Ok(es_system::cli::main(&system, Env::from_process()))
}
