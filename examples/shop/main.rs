//! A shop. Without arguments the program tells a story. Its commands work on the store that the
//! environment names, or else on files in a folder. Those of the operator are the library's:
//!
//! ```sh
//! shop receive mug 1250 10
//! shop work &
//! shop order ann-1 Ann mug 2
//! shop status
//! shop failures list
//! ```

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use clap::{Args, Parser, Subcommand};
use es_system::prelude::*;
use shop::order_board::OrderBoard;
use shop::orders::Orders;
use shop::outside::{Connection, FileBroker, FileGateway};
use shop::stock::Stock;
use shop::{AnyResult, story};

/// Sells things
#[derive(Parser)]
struct Program {
    /// The folder of the services and, unless the environment names a store, of the databases
    #[arg(long, global = true, default_value = "shop-data")]
    folder: PathBuf,
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Subcommand)]
enum Command {
    /// Receives items, and prints how many are available
    Receive(Receive),
    /// Places an order, and prints it as the board has it; the same key is the same order
    Order(Order),
    /// Processes orders, until the program is ended
    Work(Work),
    #[command(flatten)]
    System(es_system::cli::Command),
}

#[derive(Args)]
struct Receive {
    sku: String,
    /// The price of one, in cents
    price: u32,
    quantity: u32,
}

#[derive(Args)]
struct Order {
    key: String,
    customer: String,
    sku: String,
    quantity: u32,
}

#[derive(Args)]
struct Work {
    /// Have one of this number of calls of each service fail; 0 is none
    #[arg(long, default_value_t = 0, value_name = "CALLS")]
    one_fails_of: u64,
    /// The time that a charge takes, in milliseconds
    #[arg(long, default_value_t = 0, value_name = "MILLISECONDS")]
    latency: u64,
}

fn main() -> ExitCode {
    let Program { folder, command } = Program::parse();
    let ended = match command {
        None => tell_story(),
        Some(command) => command.run(&folder),
    };
    ended.unwrap_or_else(|error| {
        eprintln!("shop: {error}");
        ExitCode::FAILURE
    })
}

fn tell_story() -> AnyResult<ExitCode> {
    let folder = tempfile::tempdir()?;
    story::tell(folder.path())?;
    Ok(ExitCode::SUCCESS)
}

impl Command {
    fn run(self, folder: &Path) -> AnyResult<ExitCode> {
        std::fs::create_dir_all(folder)?;
        let env = match Env::from_process() {
            env if env.get("PERSISTENCE_MODULE").is_some() => env,
            env => shop::with_files(env, folder),
        };
        match self {
            Self::Receive(command) => command.run(env)?,
            Self::Order(command) => command.run(env)?,
            Self::Work(command) => command.run(folder, env)?,
            Self::System(command) => {
                let (gateway, broker) = (FileGateway::open(folder)?, FileBroker::open(folder)?);
                let system = shop::system(Arc::new(gateway), Arc::new(broker))?;
                return Ok(command.run(&system, &env));
            }
        }
        Ok(ExitCode::SUCCESS)
    }
}

impl Receive {
    fn run(self, env: Env) -> Result<()> {
        let stock = Stock::new(env)?;
        let available = stock.receive(&self.sku, self.price, self.quantity)?;
        println!("{}: {available} available", self.sku);
        Ok(())
    }
}

impl Order {
    /// Places the order, and waits until the process that works has put it on the board.
    fn run(self, env: Env) -> Result<()> {
        let orders = Orders::new(env.clone())?;
        let placed = orders.place(&self.key, &self.customer, &self.sku, self.quantity)?;
        let board = OrderBoard::new(env)?;
        placed
            .saved
            .wait_in::<OrderBoard>(&board, Duration::from_secs(10))?;
        if let Some(entry) = board.find(placed.order)? {
            println!("{} {}: {}", entry.quantity, entry.sku, entry.progress);
        }
        Ok(())
    }
}

impl Work {
    fn run(self, folder: &Path, env: Env) -> AnyResult<()> {
        let mut gateway = FileGateway::open(folder)?;
        let mut broker = FileBroker::open(folder)?;
        gateway.connection = Connection::failing(self.one_fails_of);
        gateway.latency = Duration::from_millis(self.latency);
        broker.connection = Connection::failing(self.one_fails_of);
        let system = shop::system(Arc::new(gateway), Arc::new(broker))?;
        let mut runner = MultiThreadedRunner::new(&system, env)?;
        runner.start()?;
        loop {
            runner.watch_for_errors(Duration::from_secs(60))?;
        }
    }
}
