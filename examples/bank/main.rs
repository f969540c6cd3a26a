//! A bank with an HTTP interface. Without arguments it answers a few requests of its own, and
//! prints them. With `--serve 127.0.0.1:8080` it serves, on the store that the environment of the
//! process names.

mod domain;
mod http;
mod session;

use domain::{Accounts, Transfers};
use es_system::prelude::*;
use http::Bank;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<_> = std::env::args().skip(1).collect();
    let env = match arguments[..] {
        [] => Env::new(),
        _ => Env::from_process(),
    };
    let system = System::new(pipes![[Transfers, Accounts, Transfers]])?;
    let mut runner = MultiThreadedRunner::new(&system, env)?;
    runner.start()?;
    let bank = Bank {
        accounts: runner.get::<Accounts>()?,
        transfers: runner.get::<Transfers>()?,
    };

    let routes = http::routes(bank);
    let tokio = tokio::runtime::Runtime::new()?;
    match &arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        [] => tokio.block_on(session::run(routes, &runner))?,
        ["--serve", address] => tokio.block_on(async {
            let listener = tokio::net::TcpListener::bind(address).await?;
            axum::serve(listener, routes)
                .with_graceful_shutdown(async {
                    let _interrupted = tokio::signal::ctrl_c().await;
                })
                .await
        })?,
        _ => return Err("usage: bank [--serve ADDRESS]".into()),
    }
    // Requests in progress end first, because they hold the applications.
    drop(tokio);
    Ok(runner.stop()?)
}
