//! The rules that every store keeps, as tests for any store.
//!
//! [`conformance_tests!`](crate::conformance_tests) makes one `#[test]` of each rule. A rule panics
//! when it is broken.

mod bench;
mod conflicts;
mod decided;
mod history;
mod log;
mod operations;
mod pages;
mod policies;
mod racing;
mod recording;
mod set_aside;
mod snapshots;
mod tracking;

pub use bench::Bench;
pub use conflicts::*;
pub use decided::*;
pub use history::*;
pub use log::*;
pub use operations::*;
pub use pages::*;
pub use policies::*;
pub use racing::*;
pub use recording::*;
pub use set_aside::*;
pub use snapshots::*;
pub use tracking::*;

/// Makes a test of each rule that a store keeps, for ids of both forms.
///
/// The argument is an expression of type `fn(Role, IdType) -> Arc<dyn ProcessRecorder>`, a function
/// or a closure, that opens a new, empty store.
///
/// ```
/// mod memory {
///     use std::sync::Arc;
///     use es_store::memory::MemoryRecorder;
///
///     es_store::conformance_tests!(|role, ids| Arc::new(MemoryRecorder::new(role, ids)));
/// }
/// # fn main() {}
/// ```
#[macro_export]
macro_rules! conformance_tests {
    ($open:expr) => {
        $crate::__conformance_tests! { $open;
            // Recording.
            recorded_events_come_back_as_they_were,
            events_are_selected_by_version_order_and_limit,
            a_limit_of_zero_selects_nothing,
            a_page_of_an_aggregate_ends_with_the_event_that_reaches_its_limit_of_bytes,
            pages_of_an_aggregate_with_a_limit_of_bytes_are_together_its_events,
            an_empty_recording_does_nothing,
            a_version_or_position_that_is_too_large_is_refused_and_never_wraps,
            an_id_of_the_other_form_is_refused_and_not_found,
            a_state_may_be_any_bytes,
            // Conflicts.
            a_version_that_exists_is_a_conflict_that_names_it,
            a_version_that_a_recording_has_twice_is_a_conflict,
            a_conflict_is_found_from_version_ten_on_as_well,
            a_failed_recording_changes_nothing_at_all,
            identical_bytes_are_a_conflict_too,
            a_resent_recording_is_recorded_once,
            a_resent_recording_with_other_bytes_is_refused,
            a_resent_move_is_recorded_once,
            a_version_that_does_not_follow_is_refused,
            a_gap_within_a_recording_is_refused,
            a_conflict_is_no_gap,
            a_version_of_zero_is_refused,
            // The log.
            positions_strictly_increase_in_the_order_of_recordings,
            notifications_are_selected_by_start_stop_and_limit,
            notifications_are_selected_by_topic,
            all_events_of_an_aggregate_are_selected_whatever_their_kind,
            a_page_ends_with_the_event_that_reaches_its_limit_of_bytes,
            pages_with_a_limit_of_bytes_are_together_the_log,
            large_events_are_read_one_page_after_the_other,
            positions_beyond_the_end_select_nothing,
            the_head_is_the_last_event,
            which_event_stands_at_a_position_is_told,
            who_listens_is_woken_by_a_commit,
            who_listens_no_more_is_not_woken,
            a_section_of_the_log_names_itself_and_the_next,
            a_subscription_sees_what_was_there_and_what_comes,
            a_subscription_to_topics_passes_over_the_others,
            // Tracking.
            a_position_that_was_never_recorded_is_zero,
            a_position_moves_only_from_where_it_is,
            a_position_may_stay_but_not_go_back,
            tracking_is_recorded_without_events_and_events_without_tracking,
            a_moved_position_is_told_before_a_conflict,
            each_upstream_has_its_own_position,
            several_positions_move_in_one_recording,
            one_of_several_positions_that_was_moved_refuses_all,
            one_recording_moves_a_position_once,
            the_upstream_event_counts_only_at_its_position,
            the_upstream_event_has_an_id_of_either_form,
            reserved_names_are_no_upstreams,
            a_leader_keeps_no_tracking,
            // The history of an upstream.
            an_event_has_the_same_digest_wherever_it_is_read,
            a_page_has_the_event_at_which_it_starts,
            a_page_of_large_events_has_the_event_at_which_it_starts,
            the_digest_counts_only_at_its_position,
            // The policies of a follower.
            a_position_moves_only_if_it_counts_for_the_expected_policies,
            policies_count_only_at_their_position,
            topics_change_with_the_position,
            a_replay_has_a_position_of_its_own,
            a_resent_change_of_policies_is_recorded_once,
            a_change_of_policies_that_means_nothing_is_refused,
            // What is set aside.
            what_is_set_aside_comes_back_as_it_was,
            an_event_is_set_aside_with_the_move_past_it_or_not_at_all,
            an_event_is_set_aside_once,
            an_event_is_set_aside_behind_the_first_of_its_sequence,
            only_the_first_of_a_sequence_is_done,
            each_failed_attempt_is_counted_once,
            a_decision_ends_the_waiting_and_stays,
            an_event_that_waits_becomes_due,
            rows_above_a_position_are_forgotten,
            what_is_set_aside_is_selected_by_all_parts_of_a_query,
            what_is_due_comes_in_the_order_of_its_times,
            a_follower_knows_what_waits_and_when_it_is_due,
            a_resent_change_of_what_is_set_aside_is_recorded_once,
            a_change_of_what_is_set_aside_that_means_nothing_is_refused,
            of_many_who_retry_a_sequence_each_row_is_done_once,
            nothing_is_set_aside_behind_a_row_that_was_just_removed,
            a_refused_change_fails_no_other_recording,
            // Operations.
            operations_come_back_with_the_last_one_first,
            the_last_operation_tells_how_a_follower_stands,
            an_operation_is_recorded_with_all_else_or_not_at_all,
            // Snapshots.
            snapshots_come_back_as_they_were,
            snapshots_are_selected_by_version_order_and_limit,
            of_two_snapshots_of_one_version_the_last_wins,
            snapshots_and_events_leave_each_other_alone,
            a_history_is_the_newest_snapshot_and_the_events_behind_it,
            a_history_has_a_page_of_the_events_behind_its_snapshot,
            a_snapshot_that_cannot_be_kept_is_refused,
            // Many at once.
            of_many_savers_of_one_version_exactly_one_wins,
            of_many_movers_of_one_position_exactly_one_wins,
            of_a_mover_and_those_who_change_the_policies_exactly_one_wins,
            a_reader_never_sees_a_position_below_one_it_has_seen,
            nobody_sees_a_part_of_a_recording,
        }
    };
}

/// The expansion of [`conformance_tests!`](crate::conformance_tests).
#[doc(hidden)]
#[macro_export]
macro_rules! __conformance_tests {
    ($open:expr; $($rule:ident),* $(,)?) => {
        fn __conformance_bench(ids: $crate::testing::conformance::__IdType) -> $crate::testing::conformance::Bench {
            $crate::testing::conformance::Bench::new(ids, $open)
        }

        mod with_uuids {$(
            #[test]
            fn $rule() {
                let ids = $crate::testing::conformance::__IdType::Uuid;
                $crate::testing::conformance::$rule(&super::__conformance_bench(ids));
            }
        )*}

        mod with_text_ids {$(
            #[test]
            fn $rule() {
                let ids = $crate::testing::conformance::__IdType::Text;
                $crate::testing::conformance::$rule(&super::__conformance_bench(ids));
            }
        )*}
    };
}

#[doc(hidden)]
pub use es_core::IdType as __IdType;
