//! The story that the program tells without arguments: what goes well, and what goes wrong.

use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use es_system::Condition;
use es_system::prelude::*;
use es_system::store::SetAsideQuery;

use crate::AnyResult;
use crate::order_board::OrderBoard;
use crate::orders::{Order, Orders};
use crate::outside::{EXPIRED, FileBroker, FileGateway};
use crate::publisher::Publisher;
use crate::stock::{Item, Stock};

/// The longest wait for anything.
const LIMIT: Duration = Duration::from_secs(60);

/// A shop that runs.
struct Shop {
    gateway: Arc<FileGateway>,
    broker: Arc<FileBroker>,
    orders: Arc<Orders>,
    stock: Arc<Stock>,
    publisher: Arc<Publisher>,
    board: Arc<OrderBoard>,
    runner: MultiThreadedRunner,
}

/// Opens a shop in `folder`, and prints the story.
pub fn tell(folder: &Path) -> AnyResult<()> {
    let gateway = Arc::new(FileGateway::open(folder)?);
    let broker = Arc::new(FileBroker::open(folder)?);
    let system = crate::system(gateway.clone(), broker.clone())?;
    let env = crate::with_files(Env::new(), folder);
    let mut runner = MultiThreadedRunner::new(&system, env)?;
    runner.start()?;
    let mut shop = Shop {
        gateway,
        broker,
        orders: runner.get()?,
        stock: runner.get()?,
        publisher: runner.get()?,
        board: runner.get()?,
        runner,
    };
    shop.items_are_received()?;
    shop.a_request_is_repeated()?;
    shop.the_gateway_is_down()?;
    shop.a_card_has_expired()?;
    shop.too_much_is_ordered()?;
    shop.a_message_is_not_accepted()?;
    shop.everything_is_counted()?;
    Ok(shop.runner.stop()?)
}

impl Shop {
    fn items_are_received(&self) -> AnyResult<()> {
        self.stock.receive("mug", 1250, 10)?;
        self.stock.receive("lamp", 8000, 2)?;
        println!("The shop has 10 mugs and 2 lamps.");
        Ok(())
    }

    /// The client repeats its request with the same key. It sees its order at once.
    fn a_request_is_repeated(&self) -> AnyResult<()> {
        let first = self.orders.place("ann-1", "Ann", "mug", 2)?;
        let again = self.orders.place("ann-1", "Ann", "mug", 2)?;
        let same = first.order == again.order;
        println!("Ann orders 2 mugs, and sends the request again. Same order: {same}");
        again.saved.wait_in::<OrderBoard>(&self.runner, LIMIT)?;
        let is_there = self.board.find(again.order)?.is_some();
        println!("She looks at the board. Her order is there: {is_there}");
        self.print_outcome("ann-1")
    }

    /// The payment waits for the gateway.
    fn the_gateway_is_down(&self) -> AnyResult<()> {
        self.gateway.connection.interrupt();
        self.orders.place("bob-1", "Bob", "mug", 1)?;
        wait_for("a payment that waits", || {
            let condition = self.condition_of_payments();
            Ok(condition.filter(|condition| matches!(condition, Condition::Waiting { .. })))
        })?;
        println!("Bob orders a mug while the gateway is down. His payment waits.");
        self.gateway.connection.restore();
        self.print_outcome("bob-1")
    }

    /// The declined payment is compensated: the mugs are released.
    fn a_card_has_expired(&self) -> AnyResult<()> {
        println!("{EXPIRED} orders 4 mugs.");
        self.orders.place("carl-1", EXPIRED, "mug", 4)?;
        self.print_outcome("carl-1")
    }

    fn too_much_is_ordered(&self) -> AnyResult<()> {
        println!("Dora orders 3 lamps.");
        self.orders.place("dora-1", "Dora", "lamp", 3)?;
        self.print_outcome("dora-1")
    }

    /// The message of one order is set aside, and holds up no other one, until an operator has it
    /// tried again. `shop failures retry` does the same.
    fn a_message_is_not_accepted(&self) -> AnyResult<()> {
        println!("Eve orders a lamp. The broker does not accept the message.");
        self.broker.block(Some(Order::id_of("eve-1")));
        self.orders.place("eve-1", "Eve", "lamp", 1)?;
        self.print_outcome("eve-1")?;
        self.print_set_aside()?;
        println!("Fay orders a lamp.");
        self.orders.place("fay-1", "Fay", "lamp", 1)?;
        self.print_outcome("fay-1")?;
        self.print_published()?;
        println!("The broker is mended, and an operator has the message tried again.");
        self.broker.block(None);
        self.runner.retry::<Publisher>("Orders", None)?;
        self.print_published()
    }

    fn everything_is_counted(&self) -> AnyResult<()> {
        println!("The board:");
        for entry in self.board.entries()? {
            let (customer, progress) = (&entry.customer, &entry.progress);
            println!(
                "  {customer:<4}  {} {:<4}  {progress}",
                entry.quantity, entry.sku
            );
        }
        for sku in ["mug", "lamp"] {
            let item: Item = self.stock.repository().get(Item::id_of(sku))?;
            let (available, reserved) = (item.available, item.reserved);
            println!("{sku}: {available} available, {reserved} reserved");
        }
        let amounts = self.gateway.charges.entries()?.into_iter();
        let amounts: Result<Vec<u64>, _> = amounts.map(|(_, amount)| amount.parse()).collect();
        println!("charged: {} cents", amounts?.iter().sum::<u64>());
        Ok(())
    }

    /// Waits until everything is processed, and prints how an order has ended.
    fn print_outcome(&self, key: &str) -> AnyResult<()> {
        self.runner.wait_until_idle(LIMIT)?;
        let order: Order = self.orders.repository().get(Order::id_of(key))?;
        let item: Item = self.stock.repository().get(Item::id_of(&order.sku))?;
        let (progress, sku, available) = (&order.progress, &order.sku, item.available);
        println!("  the order is {progress} ({sku}s available: {available})");
        Ok(())
    }

    /// Waits until a message is left to an operator, and prints the reason.
    fn print_set_aside(&self) -> AnyResult<()> {
        let query = SetAsideQuery::of("Orders").waiting();
        let recorder = self.publisher.recorder()?;
        let left = wait_for("a message that is set aside", || {
            let mut rows = recorder.select_set_aside(&query)?.into_iter();
            Ok(rows.find(|row| row.due.is_none()))
        })?;
        let (attempts, error) = (left.attempts, left.error);
        println!("  the message is set aside after {attempts} attempts: {error}");
        Ok(())
    }

    fn print_published(&self) -> AnyResult<()> {
        let published = self.broker.messages.entries()?.len();
        println!("  messages published: {published}");
        Ok(())
    }

    /// Returns the condition of the payments.
    fn condition_of_payments(&self) -> Option<Condition> {
        let mut all = self.runner.status().into_iter();
        let payments = all.find(|status| status.follower == "Payments");
        payments.map(|status| status.condition)
    }
}

/// Waits until `find` finds something.
fn wait_for<T>(what: &str, mut find: impl FnMut() -> AnyResult<Option<T>>) -> AnyResult<T> {
    let began = Instant::now();
    while began.elapsed() < LIMIT {
        if let Some(found) = find()? {
            return Ok(found);
        }
        std::thread::sleep(Duration::from_millis(1));
    }
    Err(format!("{what} is late").into())
}
