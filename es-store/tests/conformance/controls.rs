//! Stores with one rule removed: the rule's test must fail. The faults are those of libraries that
//! are in use.

use std::sync::Arc;

use es_core::{AggregateId, IdType};
use es_store::memory::MemoryRecorder;
use es_store::testing::conformance::{self, Bench};
use es_store::{
    AggregateRecorder, ApplicationRecorder, EventQuery, Followed, Head, History, Listening,
    Notification, NotificationQuery, Operation, ProcessRecorder, Recorded, Recording, Role,
    SetAside, SetAsideChange, SetAsideQuery, Signal, StoreError, StoredEvent, TopicFilter,
    Tracking, UpstreamEvent, Waiting,
};

/// A fault of a store.
#[derive(Clone, Copy, PartialEq)]
enum Fault {
    LimitZeroIsNoLimit,
    ConflictsAreLostSilently,
    EventsAreRecordedOneByOne,
    TrackingIsRecordedSeparately,
    HigherThanRecordedIsEnough,
    TrackingWithoutEventsIsDropped,
    OnlyOnePositionMoves,
    PositionsAreRecordedOneByOne,
    EventsAreSortedByInsertion,
    GapsAreLostSilently,
    TheFirstSnapshotWins,
    AHistoryHasNoEnd,
    BytesOfAnAggregateAreNotCounted,
    UnknownKindsArePassedOver,
    KindsAreFoundByPrefixAlone,
    BytesAreNotCounted,
    APageExceedsItsBytesByNothing,
    EventsAreSetAsideBehindAnything,
    WhatIsDoneIsNotCompared,
    WhatIsSetAsideIsRecordedSeparately,
    WhatIsDueIsCountedBehindOthers,
}

struct Broken {
    inner: MemoryRecorder,
    fault: Fault,
}

fn bench(fault: Fault) -> Bench {
    Bench::new(IdType::Uuid, move |role: Role, ids| {
        Arc::new(Broken {
            inner: MemoryRecorder::new(role, ids),
            fault,
        })
    })
}

impl Broken {
    fn first(&self, upstream: &str, sequence: &str) -> Result<Option<u64>, StoreError> {
        let firsts = SetAsideQuery::of(upstream).firsts();
        let firsts = firsts.sequences(vec![sequence.to_owned()]);
        let first = self.inner.select_set_aside(&firsts)?;
        Ok(first.first().map(|row| row.position))
    }

    fn is_first(&self, change: &SetAsideChange) -> Result<bool, StoreError> {
        let firsts = SetAsideQuery::of(change.upstream()).firsts();
        let found = self.inner.select_set_aside(&firsts.at(change.position()))?;
        Ok(!found.is_empty())
    }

    /// Records what is set aside as the fault makes it.
    fn set_aside(&self, recording: &mut Recording) -> Result<(), StoreError> {
        match self.fault {
            Fault::EventsAreSetAsideBehindAnything => {
                for change in &mut recording.set_aside {
                    if let SetAsideChange::Put { event, behind } = change {
                        *behind = self.first(&event.upstream, &event.sequence)?;
                    }
                }
            }
            Fault::WhatIsDoneIsNotCompared => {
                let mut compared = Vec::new();
                for change in std::mem::take(&mut recording.set_aside) {
                    if !matches!(change, SetAsideChange::Done { .. }) || self.is_first(&change)? {
                        compared.push(change);
                    }
                }
                recording.set_aside = compared;
            }
            Fault::WhatIsSetAsideIsRecordedSeparately if recording.trackings.is_empty() => {
                for change in std::mem::take(&mut recording.set_aside) {
                    self.inner.record(&Recording::default().set_aside(change))?;
                }
            }
            _ => {}
        }
        Ok(())
    }
}

impl AggregateRecorder for Broken {
    fn record(&self, recording: &Recording) -> Result<Recorded, StoreError> {
        let mut recording = recording.clone();
        self.set_aside(&mut recording)?;
        match (self.fault, recording.trackings.first().cloned()) {
            (Fault::ConflictsAreLostSilently, _) => match self.inner.record(&recording) {
                Err(StoreError::Conflict(_)) => return Ok(Recorded::default()),
                recorded => return recorded,
            },
            (Fault::GapsAreLostSilently, _) => match self.inner.record(&recording) {
                Err(StoreError::Gap { .. }) => return Ok(Recorded::default()),
                recorded => return recorded,
            },
            (Fault::EventsAreRecordedOneByOne, None) => {
                let one = |event| Ok(self.inner.record(&Recording::new(vec![event]))?.positions);
                let positions = recording
                    .events
                    .into_iter()
                    .map(one)
                    .collect::<Result<Vec<_>, StoreError>>()?;
                return Ok(Recorded::new(positions.concat()));
            }
            (Fault::TrackingIsRecordedSeparately, Some(tracking)) => {
                self.inner
                    .record(&Recording::default().tracking(tracking))?;
                recording.trackings.clear();
            }
            (
                Fault::HigherThanRecordedIsEnough,
                Some(Tracking {
                    upstream, to, at, ..
                }),
            ) => {
                let found = self.inner.tracked(&upstream)?.unwrap_or(0);
                let mut tracking = Tracking::new(upstream, found, to);
                tracking.at = at;
                recording.trackings = vec![tracking];
            }
            (Fault::OnlyOnePositionMoves, _) => recording.trackings.truncate(1),
            (Fault::PositionsAreRecordedOneByOne, Some(_)) => {
                let (last, first) = recording.trackings.split_last().expect("some");
                for tracking in first {
                    let alone = Recording::default().tracking(tracking.clone());
                    self.inner.record(&alone)?;
                }
                recording.trackings = vec![last.clone()];
            }
            (Fault::TrackingWithoutEventsIsDropped, _) if recording.events.is_empty() => {
                return Ok(Recorded::default());
            }
            _ => {}
        }
        self.inner.record(&recording)
    }

    fn select_events(
        &self,
        id: &AggregateId,
        query: &EventQuery,
    ) -> Result<Vec<StoredEvent>, StoreError> {
        if self.fault == Fault::EventsAreSortedByInsertion {
            let log = self.inner.select_notifications(&NotificationQuery::all())?;
            return Ok(log
                .into_iter()
                .map(|found| found.event)
                .filter(|event| event.originator_id == *id)
                .collect());
        }
        let limit = if self.fault == Fault::LimitZeroIsNoLimit && query.limit == 0 {
            usize::MAX
        } else {
            query.limit
        };
        let mut query = query.clone().limit(limit);
        if self.fault == Fault::BytesOfAnAggregateAreNotCounted {
            query.byte_limit = usize::MAX;
        }
        self.inner.select_events(id, &query)
    }

    fn record_snapshot(&self, snapshot: &StoredEvent) -> Result<(), StoreError> {
        let former = self.inner.select_snapshots(
            &snapshot.originator_id,
            &EventQuery::all().lte(snapshot.originator_version),
        )?;
        match self.fault {
            Fault::TheFirstSnapshotWins if !former.is_empty() => Ok(()),
            _ => self.inner.record_snapshot(snapshot),
        }
    }

    fn select_snapshots(
        &self,
        id: &AggregateId,
        query: &EventQuery,
    ) -> Result<Vec<StoredEvent>, StoreError> {
        self.inner.select_snapshots(id, query)
    }

    fn select_history(&self, id: &AggregateId, query: &EventQuery) -> Result<History, StoreError> {
        let mut query = query.clone();
        match self.fault {
            Fault::AHistoryHasNoEnd => query.lte = None,
            Fault::BytesOfAnAggregateAreNotCounted => query.byte_limit = usize::MAX,
            _ => {}
        }
        self.inner.select_history(id, &query)
    }

    fn id_type(&self) -> IdType {
        self.inner.id_type()
    }
}

impl ApplicationRecorder for Broken {
    fn select_notifications(
        &self,
        query: &NotificationQuery,
    ) -> Result<Vec<Notification>, StoreError> {
        let filter = query.topics.clone().unwrap_or_default();
        let mut page = self.inner.select_notifications(query)?;
        match self.fault {
            Fault::BytesAreNotCounted => {
                let query = query.clone().byte_limit(usize::MAX);
                self.inner.select_notifications(&query)
            }
            Fault::APageExceedsItsBytesByNothing => {
                let mut bytes = 0;
                page.retain(|one| {
                    bytes += one.state.len();
                    bytes <= query.byte_limit
                });
                Ok(page)
            }
            Fault::UnknownKindsArePassedOver => {
                let known = TopicFilter::new(filter.topics.to_vec());
                let query = query.clone().filter(Some(known));
                self.inner.select_notifications(&query)
            }
            Fault::KindsAreFoundByPrefixAlone => {
                let mut all = self
                    .inner
                    .select_notifications(&query.clone().filter(None))?;
                all.retain(|event| {
                    let of = |aggregate: &String| event.topic.starts_with(aggregate.as_str());
                    filter.selects(&event.topic) || filter.aggregates.iter().any(of)
                });
                Ok(all)
            }
            _ => Ok(page),
        }
    }

    fn head(&self) -> Result<Option<Head>, StoreError> {
        self.inner.head()
    }

    fn event_at(&self, position: u64) -> Result<Option<UpstreamEvent>, StoreError> {
        self.inner.event_at(position)
    }

    fn listen(&self, signal: &Arc<Signal>) -> Result<Listening, StoreError> {
        self.inner.listen(signal)
    }
}

impl ProcessRecorder for Broken {
    fn tracked(&self, upstream: &str) -> Result<Option<u64>, StoreError> {
        self.inner.tracked(upstream)
    }

    fn followed(&self, upstream: &str) -> Result<Followed, StoreError> {
        let mut followed = self.inner.followed(upstream)?;
        if self.fault == Fault::WhatIsDueIsCountedBehindOthers {
            let rows = self
                .inner
                .select_set_aside(&SetAsideQuery::of(upstream).waiting())?;
            let due = rows.iter().filter_map(|row| row.due).min();
            followed.waiting = Waiting::new(rows.len() as u64, due);
        }
        Ok(followed)
    }

    fn check_set_aside(&self) -> Result<(), StoreError> {
        self.inner.check_set_aside()
    }

    fn select_set_aside(&self, query: &SetAsideQuery) -> Result<Vec<SetAside>, StoreError> {
        self.inner.select_set_aside(query)
    }

    fn select_operations(&self, limit: usize) -> Result<Vec<Operation>, StoreError> {
        self.inner.select_operations(limit)
    }
}

macro_rules! controls {
    ($($fault:ident is caught by $($rule:ident),+;)*) => {
        #[test]
        fn each_fault_is_caught() {
            $($(
                let caught = std::panic::catch_unwind(|| conformance::$rule(&bench(Fault::$fault))).is_err();
                assert!(caught, concat!(stringify!($fault), " is not caught by ", stringify!($rule)));
            )+)*
        }
    };
}

controls! {
    LimitZeroIsNoLimit is caught by a_limit_of_zero_selects_nothing;
    ConflictsAreLostSilently is caught by
        a_version_that_exists_is_a_conflict_that_names_it,
        a_conflict_is_found_from_version_ten_on_as_well,
        of_many_savers_of_one_version_exactly_one_wins;
    EventsAreRecordedOneByOne is caught by
        a_version_that_a_recording_has_twice_is_a_conflict,
        nobody_sees_a_part_of_a_recording;
    TrackingIsRecordedSeparately is caught by a_failed_recording_changes_nothing_at_all;
    HigherThanRecordedIsEnough is caught by a_position_moves_only_from_where_it_is;
    TrackingWithoutEventsIsDropped is caught by tracking_is_recorded_without_events_and_events_without_tracking;
    OnlyOnePositionMoves is caught by several_positions_move_in_one_recording;
    PositionsAreRecordedOneByOne is caught by
        one_of_several_positions_that_was_moved_refuses_all,
        one_recording_moves_a_position_once;
    EventsAreSortedByInsertion is caught by events_are_selected_by_version_order_and_limit;
    GapsAreLostSilently is caught by
        a_version_that_does_not_follow_is_refused,
        a_gap_within_a_recording_is_refused;
    BytesAreNotCounted is caught by
        a_page_ends_with_the_event_that_reaches_its_limit_of_bytes,
        pages_with_a_limit_of_bytes_are_together_the_log;
    APageExceedsItsBytesByNothing is caught by
        a_page_ends_with_the_event_that_reaches_its_limit_of_bytes,
        pages_with_a_limit_of_bytes_are_together_the_log;
    AHistoryHasNoEnd is caught by a_history_is_the_newest_snapshot_and_the_events_behind_it;
    BytesOfAnAggregateAreNotCounted is caught by
        a_page_of_an_aggregate_ends_with_the_event_that_reaches_its_limit_of_bytes,
        pages_of_an_aggregate_with_a_limit_of_bytes_are_together_its_events,
        a_history_has_a_page_of_the_events_behind_its_snapshot;
    UnknownKindsArePassedOver is caught by all_events_of_an_aggregate_are_selected_whatever_their_kind;
    KindsAreFoundByPrefixAlone is caught by all_events_of_an_aggregate_are_selected_whatever_their_kind;
    EventsAreSetAsideBehindAnything is caught by an_event_is_set_aside_behind_the_first_of_its_sequence;
    WhatIsDoneIsNotCompared is caught by
        only_the_first_of_a_sequence_is_done,
        of_many_who_retry_a_sequence_each_row_is_done_once;
    WhatIsSetAsideIsRecordedSeparately is caught by only_the_first_of_a_sequence_is_done;
    WhatIsDueIsCountedBehindOthers is caught by a_follower_knows_what_waits_and_when_it_is_due;
    TheFirstSnapshotWins is caught by of_two_snapshots_of_one_version_the_last_wins;
}
