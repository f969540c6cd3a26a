//! The program is killed while it works, again and again. In the end, money and stock are counted.

mod books;

use std::hash::{BuildHasher, RandomState};
use std::path::Path;
use std::sync::Arc;
use std::thread;
use std::time::Instant;

use es_system::prelude::*;
use es_system::testing::postgres::database;
use shop::orders::Orders;
use shop::outside::{EXPIRED, FileBroker, FileGateway};
use shop::publisher::Publisher;
use shop::stock::Stock;

use self::books::Books;
use crate::worker::Worker;
use crate::{PATIENCE, program};

const ORDERS_PER_ROUND: u32 = 15;

/// The items that are received. The lamps are too few.
const RECEIVED: [(&str, u32); 2] = [("mug", 100_000), ("lamp", 5)];

/// The flags of a worker whose gateway and broker often fail.
const UNRELIABLE: [&str; 4] = ["--one-fails-of", "7", "--latency", "2"];

/// Returns a number below `end`.
fn random(end: u64) -> u64 {
    RandomState::new().hash_one(0) % end
}

/// Returns the factor by which the test is extended.
fn torture() -> u32 {
    let factor = std::env::var("ES_TORTURE").ok();
    factor.and_then(|factor| factor.parse().ok()).unwrap_or(1)
}

/// A shop in which other processes work.
struct Shop<'a> {
    folder: &'a Path,
    env: Env,
    orders: Orders,
    gateway: Arc<FileGateway>,
    broker: Arc<FileBroker>,
}

impl<'a> Shop<'a> {
    fn open(folder: &'a Path, env: Env) -> Result<Self> {
        let gateway = FileGateway::open(folder).expect("a file");
        let broker = FileBroker::open(folder).expect("a file");
        let stock = Stock::new(env.clone())?;
        for (sku, received) in RECEIVED {
            stock.receive(sku, 250, received)?;
        }
        Ok(Self {
            folder,
            orders: Orders::new(env.clone())?,
            env,
            gateway: Arc::new(gateway),
            broker: Arc::new(broker),
        })
    }

    /// Places the orders of a round, of which three in five can be confirmed. Some clients send
    /// their request twice, and one is killed in between.
    fn place(&self, round: u32) -> Result<Vec<Uuid>> {
        let mut placed = Vec::new();
        for number in 0..ORDERS_PER_ROUND {
            let key = format!("{round}-{number}");
            let (customer, sku) = match number % 5 {
                0 => (EXPIRED, "mug"),
                1 => ("Dora", "lamp"),
                _ => ("Ann", "mug"),
            };
            let quantity = 1 + number % 3;
            if number == 7 {
                self.place_and_die([&key, customer, sku, &quantity.to_string()]);
            }
            let order = self.orders.place(&key, customer, sku, quantity)?.order;
            if random(3) == 0 {
                let again = self.orders.place(&key, customer, sku, quantity)?.order;
                assert_eq!(again, order, "the same key is the same order");
            }
            placed.push(order);
        }
        Ok(placed)
    }

    /// Has a client place an order, and kills it after a random time.
    fn place_and_die(&self, order: [&str; 4]) {
        let mut client = program(self.folder, &self.env);
        let client = client.arg("order").args(order).spawn();
        let mut client = client.expect("the program starts");
        thread::sleep(Duration::from_millis(random(300)));
        client.kill().expect("it can be killed");
        client.wait().expect("it ends");
    }

    /// Starts a worker, and kills it after a random number of charges and a random time.
    fn work_and_die(&self) {
        let charges = 1 + random(u64::from(ORDERS_PER_ROUND) / 2);
        let enough = self.charges_and_repetitions() + charges;
        let mut worker = Worker::start(self.folder, &self.env, &UNRELIABLE);
        let began = Instant::now();
        while self.charges_and_repetitions() < enough {
            assert!(worker.is_running(), "it has not ended by itself");
            assert!(began.elapsed() < PATIENCE, "it charges");
            thread::sleep(Duration::from_millis(1));
        }
        if random(2) == 0 {
            thread::sleep(Duration::from_millis(random(50)));
        }
    }

    /// Has everything processed that is left, and what was set aside tried again.
    fn finish(&self) -> Result<()> {
        let system = shop::system(self.gateway.clone(), self.broker.clone())?;
        let mut runner = MultiThreadedRunner::new(&system, self.env.clone())?;
        runner.start()?;
        runner.wait_until_idle(PATIENCE)?;
        let retried = runner.retry::<Publisher>("Orders", None)?;
        assert!(retried.failed.is_empty(), "{retried:?}");
        runner.stop()
    }

    fn charges_and_repetitions(&self) -> u64 {
        self.gateway.charges.lines().expect("a file") as u64
    }
}

/// Places orders, kills workers, and counts. A charge that is repeated is the control: if the
/// gateway made both, the money would be wrong.
fn check(env: &Env, folder: &Path) -> Result<()> {
    let shop = Shop::open(folder, env.clone())?;
    let mut placed = Vec::new();
    for round in 0..6 * torture() {
        placed.extend(shop.place(round)?);
        shop.work_and_die();
    }
    shop.finish()?;
    let books = Books::new(&shop, &placed)?;
    books.check_outcomes();
    books.check_money();
    books.check_messages();
    books.check_stock()?;
    books.check_board()?;
    let charges = shop.gateway.charges.entries().expect("a file").len() as u64;
    let all = shop.charges_and_repetitions();
    assert!(
        all > charges,
        "a worker was killed between a charge and its record"
    );
    Ok(())
}

#[test]
fn workers_that_are_killed_charge_reserve_and_publish_each_order_once() -> Result<()> {
    let folder = || tempfile::tempdir().expect("a temporary folder");
    let sqlite = folder();
    let files = shop::with_files(Env::new(), sqlite.path());
    check(&files, sqlite.path())?;
    match database() {
        Some(database) => check(&database.env(), folder().path()),
        None => Ok(()),
    }
}
