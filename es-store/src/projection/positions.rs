//! The positions of a projection and of its rebuild.

use super::meta::problem;
use crate::digest::Digest;
use crate::error::StoreError;
use crate::followed::{PoliciesMove, PolicySet, PolicyTopic, TopicChange};
use crate::role::{REBUILD, rebuild_row};
use crate::sql::followed::{keep_statement, kept};
use crate::sql::transaction::{Row, ToValue, Transaction};
use crate::sql::upstream_id;
use crate::tracking::Tracking;
use crate::upstream_event::UpstreamEvent;

/// A position in an upstream.
pub(super) struct Position {
    upstream: String,
    /// The upstream's name in the row of the position.
    row: String,
}

impl Position {
    /// Returns the position of the tables that are queried.
    pub(super) fn live(upstream: &str) -> Self {
        Self {
            upstream: upstream.to_owned(),
            row: upstream.to_owned(),
        }
    }

    /// Returns the position of the tables that are being rebuilt.
    pub(super) fn rebuild(upstream: &str) -> Self {
        Self {
            upstream: upstream.to_owned(),
            row: rebuild_row(upstream),
        }
    }

    pub(super) fn upstream(&self) -> &str {
        &self.upstream
    }

    /// Returns the upstream's name in the row of the position.
    pub(super) fn row(&self) -> &str {
        &self.row
    }

    /// Locks the position until the transaction ends, and fails if it counts for other policies
    /// than these expect.
    pub(super) fn lock_for(
        &self,
        tx: &mut Transaction<'_>,
        policies: Option<&PoliciesMove>,
    ) -> Result<(), StoreError> {
        let at = self.lock(tx)?;
        match policies {
            Some(policies) => self.expect_policies(tx, at, policies.expected.as_deref()),
            None => Ok(()),
        }
    }

    /// Returns the position, or 0 if there is none, and locks it until the transaction ends.
    pub(super) fn lock(&self, tx: &mut Transaction<'_>) -> Result<u64, StoreError> {
        let tracking = &tx.names().tracking;
        let lock = format!(
            "UPDATE {tracking} SET notification_id = notification_id WHERE application_name = $1 RETURNING notification_id"
        );
        let start = format!(
            "INSERT INTO {tracking} (application_name, notification_id) VALUES ($1, 0) ON CONFLICT DO NOTHING"
        );
        let mut row = tx.query_first(&lock, &[&self.row]).map_err(problem)?;
        if row.is_none() {
            tx.execute(&start, &[&self.row]).map_err(problem)?;
            row = tx.query_first(&lock, &[&self.row]).map_err(problem)?;
        }
        match row.map(|row| row.get(0)) {
            Some(Ok(position)) => Ok(position),
            _ => Err(StoreError::DamagedRow {
                store: tracking.clone(),
                at: format!("of tracking for `{}`", self.row),
                problem: "its position is not a whole number of 0 or more".to_owned(),
            }),
        }
    }

    /// Moves the locked position.
    pub(super) fn set(&self, tx: &mut Transaction<'_>, to: u64) -> Result<(), StoreError> {
        let tracking = &tx.names().tracking;
        let sql = format!("UPDATE {tracking} SET notification_id = $2 WHERE application_name = $1");
        tx.execute(&sql, &[&self.row, &to]).map_err(problem)?;
        Ok(())
    }

    /// Returns the error of a position that is `found`, or counts for other policies than those of
    /// a move from `expected`.
    pub(super) fn moved(&self, expected: u64, found: u64) -> StoreError {
        StoreError::position_moved(&self.upstream, expected, found)
    }

    /// Fails if the locked position `at` counts for other policies than those with the tag
    /// `expected`.
    pub(super) fn expect_policies(
        &self,
        tx: &mut Transaction<'_>,
        at: u64,
        expected: Option<&str>,
    ) -> Result<(), StoreError> {
        if self.policies(tx, at)?.as_deref() == expected {
            return Ok(());
        }
        Err(self.moved(at, at))
    }

    /// Fails if other topics are recorded for the locked position `at` than the `expected` ones.
    pub(super) fn expect_topics(
        &self,
        tx: &mut Transaction<'_>,
        at: u64,
        expected: &[PolicyTopic],
    ) -> Result<(), StoreError> {
        let policies = &tx.names().policies;
        let sql = format!("SELECT topic, covered FROM {policies} WHERE upstream = $1");
        let rows = tx.query(&sql, &[&self.upstream]).map_err(problem)?;
        let topic = |row: &Row| -> Result<_, StoreError> {
            let topic = row.get(0).map_err(problem)?;
            let covered = row.get(1).map_err(problem)?;
            Ok(PolicyTopic { topic, covered })
        };
        let found = rows.iter().map(topic).collect::<Result<Vec<_>, _>>()?;
        if found.len() == expected.len() && found.iter().all(|row| expected.contains(row)) {
            return Ok(());
        }
        Err(self.moved(at, at))
    }

    /// Moves the locked position to the end of the move `tracking`, and records what belongs to it.
    pub(super) fn follow(
        &self,
        tx: &mut Transaction<'_>,
        tracking: &Tracking,
    ) -> Result<(), StoreError> {
        self.set(tx, tracking.to)?;
        let policies = tracking.policies.iter();
        for change in policies.flat_map(|policies| &policies.topics) {
            self.change_topic(tx, change)?;
        }
        self.keep(tx, tracking)
    }

    /// Returns the event that was recorded for the position `at`.
    pub(super) fn event(
        &self,
        tx: &mut Transaction<'_>,
        at: u64,
    ) -> Result<Option<UpstreamEvent>, StoreError> {
        let sql = format!(
            "SELECT originator_id, originator_version, CASE WHEN identity_at = notification_id THEN identity END AS identity \
             FROM {} WHERE application_name = $1 AND notification_id = $2",
            tx.names().upstream
        );
        let row = tx.query_first(&sql, &[&self.row, &at]).map_err(problem)?;
        let Some(row) = row else { return Ok(None) };
        let id: String = row.get(0).map_err(problem)?;
        let version: u64 = row.get(1).map_err(problem)?;
        let identity: Option<String> = row.get(2).map_err(problem)?;
        // An event that cannot be read is not known. It is recorded again with the next batch.
        let event = upstream_id::from_column(&id).map(|id| UpstreamEvent::new(id, version));
        let digest = identity.and_then(|identity| Digest::from_hex(&identity));
        Ok(match (event, digest) {
            (Some(event), Some(digest)) => Some(event.digest(digest)),
            (event, _) => event,
        })
    }

    /// Returns the tag of the policies for which the position `at` counts.
    pub(super) fn policies(
        &self,
        tx: &mut Transaction<'_>,
        at: u64,
    ) -> Result<Option<String>, StoreError> {
        let upstream = &tx.names().upstream;
        let sql = format!(
            "SELECT policies FROM {upstream} WHERE application_name = $1 AND policies_at = $2"
        );
        let row = tx.query_first(&sql, &[&self.row, &at]).map_err(problem)?;
        row.map_or(Ok(None), |row| row.get(0).map_err(problem))
    }

    /// Records the event and the policies of a new position.
    fn keep(&self, tx: &mut Transaction<'_>, tracking: &Tracking) -> Result<(), StoreError> {
        let Some(kept) = kept(tracking) else {
            return Ok(());
        };
        let sql = keep_statement(&tx.names().upstream);
        let params: [&dyn ToValue; 8] = [
            &self.row,
            &kept.event_at,
            &kept.originator_id,
            &kept.originator_version,
            &kept.identity_at,
            &kept.identity,
            &kept.policies_at,
            &kept.policies,
        ];
        tx.execute(&sql, &params).map_err(problem)?;
        Ok(())
    }

    fn change_topic(
        &self,
        tx: &mut Transaction<'_>,
        change: &TopicChange,
    ) -> Result<(), StoreError> {
        let policies = &tx.names().policies;
        let remove = format!("DELETE FROM {policies} WHERE upstream = $1 AND topic = $2");
        let put = format!(
            "INSERT INTO {policies} (upstream, topic, covered) VALUES ($1, $2, $3) \
             ON CONFLICT (upstream, topic) DO UPDATE SET covered = excluded.covered"
        );
        let done = match change {
            TopicChange::Put(PolicyTopic { topic, covered }) => {
                tx.execute(&put, &[&self.upstream, topic, covered])
            }
            TopicChange::Remove(topic) => tx.execute(&remove, &[&self.upstream, topic]),
        };
        done.map_err(problem)?;
        Ok(())
    }

    /// Records that the locked position `at` counts for `policies` alone.
    pub(super) fn set_policies(
        &self,
        tx: &mut Transaction<'_>,
        at: u64,
        policies: &PolicySet,
    ) -> Result<(), StoreError> {
        let sql = format!("DELETE FROM {} WHERE upstream = $1", tx.names().policies);
        tx.execute(&sql, &[&self.upstream]).map_err(problem)?;
        for topic in &policies.topics {
            let live = PolicyTopic::live(topic.as_str());
            self.change_topic(tx, &TopicChange::Put(live))?;
        }
        let tag = PoliciesMove::new(None, policies.tag.as_str());
        let tracking = Tracking::new(self.upstream.as_str(), at, at).policies(tag);
        self.keep(tx, &tracking)
    }

    /// Takes over the event that is recorded for `other`.
    pub(super) fn take_event_of(
        &self,
        tx: &mut Transaction<'_>,
        other: &Self,
    ) -> Result<(), StoreError> {
        let upstream = &tx.names().upstream;
        let remove = format!("DELETE FROM {upstream} WHERE application_name = $1");
        tx.execute(&remove, &[&self.row]).map_err(problem)?;
        let take =
            format!("UPDATE {upstream} SET application_name = $1 WHERE application_name = $2");
        tx.execute(&take, &[&self.row, &other.row])
            .map_err(problem)?;
        Ok(())
    }
}

/// Removes the positions of a rebuild.
pub(super) fn remove_of_rebuild(tx: &mut Transaction<'_>) -> Result<(), StoreError> {
    let names = tx.names();
    for table in [&names.tracking, &names.upstream] {
        let sql = format!("DELETE FROM {table} WHERE substr(application_name, 1, $1) = $2");
        // The database counts characters, and these are one byte each.
        let length = i32::try_from(REBUILD.len()).unwrap_or_default();
        tx.execute(&sql, &[&length, &REBUILD]).map_err(problem)?;
    }
    Ok(())
}
