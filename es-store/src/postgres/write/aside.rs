//! Writing what is set aside, and operations.
//!
//! A recording that has any of them is alone in its group, see
//! [`Writer`](crate::postgres::writer::Writer). They are rare, and so each change is a statement.
//! If one is refused, the transaction is rolled back.

use super::{Write, WriteError};
use crate::error::StoreError;
use crate::postgres::connection::Connection;
use crate::postgres::validator::Validation;
use crate::recording::Recording;
use crate::sql::beside;
use crate::sql::transaction::{Executor, Value};

/// The connection that writes, in its transaction.
struct WriteExecutor<'a>(&'a mut Connection);

impl Executor for WriteExecutor<'_> {
    type Error = WriteError;

    fn execute(&mut self, sql: &str, params: &[Value]) -> Result<u64, WriteError> {
        Ok(self.0.execute_text(sql, params)?)
    }

    fn select(&mut self, sql: &str, params: &[Value]) -> Result<Vec<Vec<Value>>, WriteError> {
        Ok(self.0.select_text(sql, params)?)
    }
}

impl Write<'_> {
    /// Returns true if an earlier attempt has recorded what the group has beside events and
    /// positions.
    pub(super) fn has_aside(&mut self, group: &[&Recording]) -> Result<bool, WriteError> {
        let names = self.names.aside();
        let mut executor = WriteExecutor(self.connection);
        for one in group.iter().filter(|one| one.has_aside()) {
            if !beside::is_recorded(&mut executor, &names, one)? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Carries out the changes of a lone recording. Those who lost the race are told of the moved
    /// position first, then of the changed row, and then of the conflict that follows from it.
    pub(super) fn record_aside(
        &mut self,
        group: &[&Recording],
        validations: &[Validation],
    ) -> Result<(), WriteError> {
        let ([one], [validation]) = (group, validations) else {
            return Ok(());
        };
        let refusal = match validation {
            _ if !one.has_aside() => return Ok(()),
            Validation::AlreadyRecorded(_)
            | Validation::Refused(StoreError::PositionMoved { .. }) => return Ok(()),
            Validation::Accepted => None,
            Validation::Refused(error) => Some(error),
        };
        let names = self.names.aside();
        beside::record(&mut WriteExecutor(self.connection), &names, one)?;
        match refusal {
            Some(error) => Err(error.clone().into()),
            None => Ok(()),
        }
    }
}
