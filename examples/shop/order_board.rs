//! A table of all orders, which any program can query.

use es_system::prelude::*;
use es_system::store::Row;

use crate::orders::{Order, OrderConfirmed, OrderPlaced, OrderRejected, OrderReserved, Progress};

/// An order in the table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BoardEntry {
    pub order: String,
    pub customer: String,
    pub sku: String,
    pub quantity: i64,
    pub progress: String,
}

#[projection]
pub struct OrderBoard;

#[projection]
impl OrderBoard {
    fn tables(tx: &mut Transaction<'_>) -> Result<()> {
        let board = tx.table("order_board");
        let columns = "order_id TEXT PRIMARY KEY, placed_at BIGINT NOT NULL, \
                       customer TEXT NOT NULL, sku TEXT NOT NULL, quantity BIGINT NOT NULL, \
                       progress TEXT NOT NULL";
        tx.execute(&format!("CREATE TABLE {board} ({columns})"), &[])?;
        Ok(())
    }

    #[policy(Order::Placed)]
    fn placed(&self, event: &DomainEvent<OrderPlaced>, tx: &mut Transaction<'_>) -> Result<()> {
        let board = tx.table("order_board");
        let sql = format!("INSERT INTO {board} VALUES ($1, $2, $3, $4, $5, $6)");
        let order = event.originator_id.to_string();
        let position = event.notification_id.cast_signed();
        let quantity = i64::from(event.quantity);
        let progress = Progress::Placed.to_string();
        tx.execute(
            &sql,
            &[
                &order,
                &position,
                &event.customer,
                &event.sku,
                &quantity,
                &progress,
            ],
        )?;
        Ok(())
    }

    #[policy(Order::Reserved)]
    fn reserved(&self, event: &DomainEvent<OrderReserved>, tx: &mut Transaction<'_>) -> Result<()> {
        update(tx, &event.originator_id, &Progress::Reserved)
    }

    #[policy(Order::Confirmed)]
    fn confirmed(
        &self,
        event: &DomainEvent<OrderConfirmed>,
        tx: &mut Transaction<'_>,
    ) -> Result<()> {
        update(tx, &event.originator_id, &Progress::Confirmed)
    }

    #[policy(Order::Rejected)]
    fn rejected(&self, event: &DomainEvent<OrderRejected>, tx: &mut Transaction<'_>) -> Result<()> {
        let rejected = Progress::Rejected(event.reason.clone());
        update(tx, &event.originator_id, &rejected)
    }

    pub fn find(&self, order: Uuid) -> Result<Option<BoardEntry>> {
        self.read(|tx| {
            let board = tx.table("order_board");
            let sql = format!("SELECT * FROM {board} WHERE order_id = $1");
            let row = tx.query_first(&sql, &[&order.to_string()])?;
            row.as_ref().map(entry).transpose()
        })
    }

    /// Returns all orders, in the order in which they were placed.
    pub fn entries(&self) -> Result<Vec<BoardEntry>> {
        self.read(|tx| {
            let board = tx.table("order_board");
            let sql = format!("SELECT * FROM {board} ORDER BY placed_at");
            let rows = tx.query(&sql, &[])?;
            rows.iter().map(entry).collect()
        })
    }
}

fn update(tx: &mut Transaction<'_>, order: &AggregateId, progress: &Progress) -> Result<()> {
    let board = tx.table("order_board");
    let sql = format!("UPDATE {board} SET progress = $2 WHERE order_id = $1");
    tx.execute(&sql, &[&order.to_string(), &progress.to_string()])?;
    Ok(())
}

fn entry(row: &Row) -> Result<BoardEntry> {
    Ok(BoardEntry {
        order: row.get("order_id")?,
        customer: row.get("customer")?,
        sku: row.get("sku")?,
        quantity: row.get("quantity")?,
        progress: row.get("progress")?,
    })
}
