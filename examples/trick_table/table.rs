//! A read model in a SQL table: the number of times that each trick was taught.

use es_system::prelude::*;

use crate::domain::{Dog, DogTrickAdded};

#[projection]
pub struct TrickTable;

#[projection]
impl TrickTable {
    fn tables(tx: &mut Transaction<'_>) -> Result<()> {
        let counts = tx.table("trick_counts");
        let columns = "trick TEXT PRIMARY KEY, count BIGINT NOT NULL";
        tx.execute(&format!("CREATE TABLE {counts} ({columns})"), &[])?;
        let by_count = tx.index("trick_counts_by_count");
        tx.execute(&format!("CREATE INDEX {by_count} ON {counts} (count)"), &[])?;
        Ok(())
    }

    #[policy(Dog::TrickAdded)]
    fn count(&self, event: &DomainEvent<DogTrickAdded>, tx: &mut Transaction<'_>) -> Result<()> {
        let counts = tx.table("trick_counts");
        let sql = format!(
            "INSERT INTO {counts} AS t (trick, count) VALUES ($1, 1) \
             ON CONFLICT (trick) DO UPDATE SET count = t.count + 1"
        );
        tx.execute(&sql, &[&event.trick])?;
        Ok(())
    }

    pub fn get_count(&self, trick: &str) -> Result<i64> {
        self.read(|tx| {
            let counts = tx.table("trick_counts");
            let sql = format!("SELECT count FROM {counts} WHERE trick = $1");
            let row = tx.query_first(&sql, &[&trick])?;
            Ok(row.map(|row| row.get("count")).transpose()?.unwrap_or(0))
        })
    }
}

impl TrickTable {
    /// Returns all tricks, those first that were taught most often.
    pub fn counts(&self) -> Result<Vec<(String, i64)>> {
        self.read(|tx| {
            let counts = tx.table("trick_counts");
            let sql = format!("SELECT trick, count FROM {counts} ORDER BY count DESC, trick");
            let rows = tx.query(&sql, &[])?;
            rows.iter()
                .map(|row| Ok((row.get("trick")?, row.get("count")?)))
                .collect()
        })
    }
}
