//! Writing a group of recordings in one transaction.
//!
//! The order of the log: a position is given when a row is inserted, and seen when its transaction commits. So that no reader is shown
//! a position below one that it has seen, the table is locked before the first row of a transaction is inserted, until
//! its end; the Python library does the same. What is checked is read by statements that begin after the lock is held.

use std::collections::{BTreeMap, HashMap};

use ::postgres::types::ToSql;
use ::postgres::{Error, Row};
use es_core::{AggregateId, IdType};
use uuid::Uuid;

use super::connection::Connection;
use super::judge::{Judge, Known, Verdict};
use super::names::{Names, quoted};
use super::rows::{Rows, at_most, upstream_id_text, version};
use super::sql::Sql;
use crate::{Recorded, Recording, StoreError, StoredEvent, Tracking};

/// What became of each recording of a group.
pub(super) type Outcomes = Vec<Result<Recorded, StoreError>>;

/// Why a group was not written.
pub(super) enum Failed {
    Driver(Error),
    Store(StoreError),
    /// Somebody else moved a position meanwhile; nothing was written.
    Race,
}

impl From<Error> for Failed {
    fn from(error: Error) -> Self {
        Self::Driver(error)
    }
}

impl From<StoreError> for Failed {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

/// Writes groups on one connection.
pub(super) struct Write<'a> {
    pub(super) connection: &'a mut Connection,
    pub(super) names: &'a Names,
    pub(super) rows: Rows<'a>,
}

impl Write<'_> {
    /// Writes a group by one call of the function, in one round trip. `None`, and nothing is written, if it has to be judged.
    pub(super) fn append(&mut self, group: &[&Recording]) -> Result<Option<Outcomes>, Failed> {
        let (Some(firsts), Some(moves)) = (self.firsts(group), single_moves(group)) else {
            return Ok(None);
        };
        let events = Events::of(self.rows.id_type, group.iter().flat_map(|one| &one.events));
        let (moves, marks) = (Moves::of(&moves), Marks::of(&moves));
        let rows = self.connection.query(
            Sql::Append,
            &[
                events.ids.param(),
                &events.versions,
                &events.topics,
                &events.states,
                firsts.ids.param(),
                &firsts.versions,
                &moves.upstreams,
                &moves.froms,
                &moves.tos,
                &marks.upstreams,
                &marks.positions,
                &marks.ids,
                &marks.versions,
            ],
        )?;
        if let [row] = &rows[..]
            && row.try_get::<_, Option<i64>>(0)?.is_none()
        {
            return Ok(None);
        }
        let mut positions = self.positions(&rows, group.iter().copied())?.into_iter();
        let recorded = |one: &&Recording| {
            Ok(Recorded::new(
                positions.by_ref().take(one.events.len()).collect(),
            ))
        };
        Ok(Some(group.iter().map(recorded).collect()))
    }

    /// Writes a group by plain statements: those recordings that are accepted.
    pub(super) fn judged(
        &mut self,
        group: &[&Recording],
        is_resent: bool,
    ) -> Result<Outcomes, Failed> {
        let has_events = group.iter().any(|one| !one.events.is_empty());
        let begin = match has_events {
            false => "BEGIN".to_owned(),
            true => format!(
                "BEGIN; LOCK TABLE {} IN EXCLUSIVE MODE",
                self.names.path(&self.names.events)
            ),
        };
        let done = self
            .connection
            .client
            .batch_execute(&begin)
            .map_err(Failed::from)
            .and_then(|()| self.in_transaction(group, is_resent));
        if done.is_err() {
            // Should that fail, the connection is lost, and the transaction with it.
            let _rolled_back = self.connection.client.batch_execute("ROLLBACK");
        }
        done
    }

    fn in_transaction(
        &mut self,
        group: &[&Recording],
        is_resent: bool,
    ) -> Result<Outcomes, Failed> {
        let mut judge = Judge::new(is_resent);
        let is_new = self.look_at_tracking(group, &mut judge)?;
        let known = self.look_at_events(group)?;
        let mut known = &known[..];
        let mut verdicts = Vec::with_capacity(group.len());
        for one in group {
            let (own, others) = known.split_at(one.events.len().min(known.len()));
            verdicts.push(judge.judge(one, own));
            known = others;
        }
        let accepted: Vec<_> = group
            .iter()
            .zip(&verdicts)
            .filter(|(_, verdict)| matches!(verdict, Verdict::Accepted))
            .map(|(one, _)| *one)
            .collect();
        self.move_positions(&accepted, is_new)?;
        let positions = self.insert(&accepted)?;
        let notify = match positions.is_empty() {
            true => String::new(),
            false => format!("NOTIFY {}; ", quoted(&self.names.events)),
        };
        self.connection
            .client
            .batch_execute(&format!("{notify}COMMIT"))?;
        Ok(outcomes(group, verdicts, positions))
    }

    /// How far the upstreams are tracked, whose rows stay locked; whether some have none.
    fn look_at_tracking<'g>(
        &mut self,
        group: &[&'g Recording],
        judge: &mut Judge<'g>,
    ) -> Result<bool, Failed> {
        let trackings = group.iter().filter_map(|one| one.tracking.as_ref());
        let upstreams: BTreeMap<&str, ()> = trackings
            .map(|tracking| (tracking.upstream.as_str(), ()))
            .collect();
        if upstreams.is_empty() {
            return Ok(false);
        }
        let wanted: Vec<&str> = upstreams.keys().copied().collect();
        let rows = self.connection.query(Sql::LookTracking, &[&wanted])?;
        for row in &rows {
            let (upstream, found): (String, Option<i64>) = (row.try_get(0)?, row.try_get(1)?);
            let found = found.and_then(|found| u64::try_from(found).ok());
            let (Some((upstream, ())), Some(found)) =
                (upstreams.get_key_value(upstream.as_str()), found)
            else {
                let at = format!("of tracking for `{upstream}`");
                return Err(self
                    .rows
                    .label
                    .damaged(at, "its position is no position")
                    .into());
            };
            judge.tracked.insert(*upstream, found);
        }
        Ok(rows.len() < upstreams.len())
    }

    fn look_at_events(&mut self, group: &[&Recording]) -> Result<Vec<Known>, Failed> {
        let events = Events::of(self.rows.id_type, group.iter().flat_map(|one| &one.events));
        if events.versions.is_empty() {
            return Ok(Vec::new());
        }
        let rows = self.connection.query(Sql::Look, &events.params())?;
        let known = |row: &Row| -> Result<Known, Failed> {
            let position = row.try_get::<_, Option<i64>>(0)?;
            Ok(Known {
                position: position.map(|_| self.rows.position(row, 0)).transpose()?,
                is_same: row.try_get::<_, Option<bool>>(1)?.unwrap_or(false),
                follows: row.try_get(2)?,
            })
        };
        rows.iter().map(known).collect()
    }

    fn move_positions(&mut self, accepted: &[&Recording], is_new: bool) -> Result<(), Failed> {
        let mut moves: BTreeMap<&str, Tracking> = BTreeMap::new();
        for tracking in accepted.iter().filter_map(|one| one.tracking.as_ref()) {
            let from = moves
                .get(tracking.upstream.as_str())
                .map_or(tracking.from, |first| first.from);
            let net = Tracking {
                from,
                ..tracking.clone()
            };
            moves.insert(&tracking.upstream, net);
        }
        if moves.is_empty() {
            return Ok(());
        }
        let all: Vec<_> = moves.values().collect();
        let (moves, marks) = (Moves::of(&all), Marks::of(&all));
        if is_new {
            self.connection
                .execute(Sql::StartTracking, &[&moves.upstreams])?;
        }
        let moved = self.connection.execute(
            Sql::MoveTracking,
            &[&moves.upstreams, &moves.froms, &moves.tos],
        )?;
        if moved != all.len() as u64 {
            return Err(Failed::Race);
        }
        if !marks.upstreams.is_empty() {
            self.connection.execute(
                Sql::KeepUpstream,
                &[
                    &marks.upstreams,
                    &marks.positions,
                    &marks.ids,
                    &marks.versions,
                ],
            )?;
        }
        Ok(())
    }

    fn insert(&mut self, accepted: &[&Recording]) -> Result<Vec<u64>, Failed> {
        let events = Events::of(
            self.rows.id_type,
            accepted.iter().flat_map(|one| &one.events),
        );
        if events.versions.is_empty() {
            return Ok(Vec::new());
        }
        let rows = self.connection.query(Sql::Insert, &events.params())?;
        self.positions(&rows, accepted.iter().copied())
    }

    /// The positions of new events, in their order. The rows tell whose they are, and may come in any order.
    fn positions<'g>(
        &self,
        rows: &[Row],
        group: impl Iterator<Item = &'g Recording>,
    ) -> Result<Vec<u64>, Failed> {
        let lacks = || {
            let at = "among those just recorded";
            let problem = "its id or version is another one";
            Failed::Store(self.rows.label.damaged(at, problem))
        };
        let mut inserted = Vec::with_capacity(rows.len());
        for row in rows {
            let id = self.rows.id(row, 1).map_err(|_| lacks())?;
            let version = version(row, 2).map_err(|_| lacks())?;
            inserted.push(((id, version), self.rows.position(row, 0)?));
        }
        let events: Vec<_> = group.flat_map(|one| &one.events).collect();
        let is_of = |event: &StoredEvent, (id, version): &(AggregateId, u64)| {
            event.originator_id == *id && event.originator_version == *version
        };
        // As a rule they come in the order of the events.
        if events.len() == inserted.len()
            && events
                .iter()
                .zip(&inserted)
                .all(|(event, (key, _))| is_of(event, key))
        {
            return Ok(inserted.into_iter().map(|(_, position)| position).collect());
        }
        let inserted: HashMap<_, _> = inserted.into_iter().collect();
        let position = |event: &&StoredEvent| {
            let key = (event.originator_id.clone(), event.originator_version);
            inserted.get(&key).copied().ok_or_else(lacks)
        };
        events.iter().map(position).collect()
    }

    /// The first event of each aggregate, which alone has to be checked against the record; `None` if some do not follow each other
    /// within the group.
    fn firsts<'g>(&self, group: &[&'g Recording]) -> Option<Events<'g>> {
        let mut last = HashMap::new();
        let mut firsts = Vec::new();
        for event in group.iter().flat_map(|one| &one.events) {
            let version = event.originator_version;
            match last.insert(&event.originator_id, version) {
                None => firsts.push(event),
                Some(before) if before.checked_add(1) == Some(version) => {}
                Some(_) => return None,
            }
        }
        Some(Events::of(self.rows.id_type, firsts))
    }
}

/// The moves of a group; `None` if it has two of one upstream.
fn single_moves<'g>(group: &[&'g Recording]) -> Option<Vec<&'g Tracking>> {
    let moves: Vec<_> = group
        .iter()
        .filter_map(|one| one.tracking.as_ref())
        .collect();
    let distinct: BTreeMap<_, ()> = moves.iter().map(|one| (&one.upstream, ())).collect();
    (distinct.len() == moves.len()).then_some(moves)
}

fn outcomes(group: &[&Recording], verdicts: Vec<Verdict>, positions: Vec<u64>) -> Outcomes {
    let mut positions = positions.into_iter();
    let outcome = |(one, verdict): (&&Recording, Verdict)| match verdict {
        Verdict::Accepted => Ok(Recorded::new(
            positions.by_ref().take(one.events.len()).collect(),
        )),
        Verdict::There(positions) => Ok(Recorded::new(positions)),
        Verdict::Refused(error) => Err(error),
    };
    group.iter().zip(verdicts).map(outcome).collect()
}

/// Events as columns.
struct Events<'a> {
    ids: Ids<'a>,
    versions: Vec<i64>,
    topics: Vec<&'a str>,
    states: Vec<&'a [u8]>,
}

enum Ids<'a> {
    Uuid(Vec<Uuid>),
    Text(Vec<&'a str>),
}

impl<'a> Events<'a> {
    fn of(id_type: IdType, events: impl IntoIterator<Item = &'a StoredEvent>) -> Self {
        let mut columns = Self {
            ids: match id_type {
                IdType::Uuid => Ids::Uuid(Vec::new()),
                IdType::Text => Ids::Text(Vec::new()),
            },
            versions: Vec::new(),
            topics: Vec::new(),
            states: Vec::new(),
        };
        for event in events {
            columns.ids.push(&event.originator_id);
            columns.versions.push(at_most(event.originator_version));
            columns.topics.push(&event.topic);
            columns.states.push(&event.state);
        }
        columns
    }

    fn params(&self) -> [&(dyn ToSql + Sync); 4] {
        [self.ids.param(), &self.versions, &self.topics, &self.states]
    }
}

impl<'a> Ids<'a> {
    /// Ids of the other form were refused before.
    fn push(&mut self, id: &'a AggregateId) {
        match (self, id) {
            (Self::Uuid(ids), AggregateId::Uuid(id)) => ids.push(*id),
            (Self::Text(ids), AggregateId::Text(id)) => ids.push(id),
            _ => {}
        }
    }

    fn param(&self) -> &(dyn ToSql + Sync) {
        match self {
            Self::Uuid(ids) => ids,
            Self::Text(ids) => ids,
        }
    }
}

/// Moves of positions as columns.
#[derive(Default)]
struct Moves<'a> {
    upstreams: Vec<&'a str>,
    froms: Vec<i64>,
    tos: Vec<i64>,
}

impl<'a> Moves<'a> {
    fn of(moves: &[&'a Tracking]) -> Self {
        Self {
            upstreams: moves.iter().map(|one| one.upstream.as_str()).collect(),
            froms: moves.iter().map(|one| at_most(one.from)).collect(),
            tos: moves.iter().map(|one| at_most(one.to)).collect(),
        }
    }
}

/// Which events stand at the new positions, as columns.
#[derive(Default)]
struct Marks<'a> {
    upstreams: Vec<&'a str>,
    positions: Vec<i64>,
    ids: Vec<String>,
    versions: Vec<i64>,
}

impl<'a> Marks<'a> {
    fn of(moves: &[&'a Tracking]) -> Self {
        let mut marks = Self::default();
        for one in moves {
            if let Some(event) = &one.at {
                marks.upstreams.push(&one.upstream);
                marks.positions.push(at_most(one.to));
                marks.ids.push(upstream_id_text(&event.originator_id));
                marks.versions.push(at_most(event.originator_version));
            }
        }
        marks
    }
}
