//! Tests of what is kept: within the limits, and after a look at the log.

use es_store::{Env, Notification, NotificationQuery, UpstreamEvent};

use super::look::LOOK;
use super::root::KeptRoot;
use super::*;
use crate::application::held::Held;

/// An aggregate at a version, whose state has a number of bytes if it can be stored.
struct Version(u64, Option<usize>);

impl KeptRoot for Version {
    fn id(&self) -> &AggregateId {
        unreachable!("a test tells the id")
    }

    fn version(&self) -> u64 {
        self.0
    }

    fn cached(&self) -> Option<CachedAggregate> {
        None
    }

    fn state_bytes(&self, _: &Mapper) -> Option<usize> {
        self.1
    }
}

fn held(version: u64, state: Option<usize>) -> HeldRoot {
    Held::new(Box::new(Version(version, state)))
}

fn mapper() -> Mapper {
    Mapper::new(&Env::new()).expect("a mapper")
}

/// A load of events of this many bytes, which has taken this many milliseconds.
fn load(bytes: usize, millis: u64) -> Load {
    Load {
        base: 0,
        size: Size::of(bytes),
        time: Duration::from_millis(millis),
    }
}

/// Has a policy use an aggregate, which is loaded if it is not there. Returns true if it was.
fn uses(kept: &mut Kept, number: usize, events: usize, state: Option<usize>) -> bool {
    let id = AggregateId::from(number.to_string());
    let taken = kept.take(&id);
    let is_there = taken.is_some();
    let root = taken.map_or_else(|| held(9, state), |taken| taken.root);
    if !is_there {
        kept.lent(&id, &load(events, 10));
    }
    if kept.is_measure_due(&id, 9) {
        kept.measured(&id, 9, state);
    }
    kept.give_back(&id, root);
    is_there
}

const MIB: usize = 1024 * 1024;

#[test]
fn states_that_small_events_have_made_large_are_bounded_within_a_batch() {
    let mut kept = Kept::default();
    for number in 0..1_000 {
        assert!(!uses(&mut kept, number, 10, Some(MIB)));
        assert!(kept.bytes <= MAX_BYTES && kept.aggregates.len() <= MAX_BYTES / MIB);
    }
    // The next batch has the last used ones.
    kept.settle(&mapper(), &[], &[]);
    assert!(uses(&mut kept, 999, 10, Some(MIB)));
    assert!(!uses(&mut kept, 0, 10, Some(MIB)));
}

#[test]
fn small_aggregates_are_bounded_in_number_within_a_batch() {
    let mut kept = Kept::default();
    for number in 0..5_000 {
        uses(&mut kept, number, 10, Some(10));
    }
    assert_eq!(kept.aggregates.len(), MAX);
    // What was asked for in vain takes the place of nothing.
    for number in 0..5_000 {
        assert!(
            kept.take(&format!("none {number}").as_str().into())
                .is_none()
        );
    }
    assert!(uses(&mut kept, 4_001, 10, Some(10)));
}

#[test]
fn the_last_used_ones_do_not_push_each_other_out_however_large_they_are() {
    for (events, state) in [
        (50 * MIB, None),
        (50 * MIB, Some(50 * MIB)),
        (10, Some(50 * MIB)),
    ] {
        for in_one_batch in [true, false] {
            let mut kept = Kept::default();
            for round in 0..5 {
                for number in 0..LAST_USED {
                    assert_eq!(uses(&mut kept, number, events, state), round > 0);
                    if !in_one_batch {
                        kept.settle(&mapper(), &[], &[]);
                    }
                }
            }
            assert!(!uses(&mut kept, LAST_USED, events, state));
            assert_eq!(kept.aggregates.len(), LAST_USED);
        }
    }
}

#[test]
fn only_the_first_load_of_what_is_here_counts_as_waiting() {
    let mut kept = Kept::default();
    let ms = Duration::from_millis;
    assert!(!uses(&mut kept, 1, 10, Some(10)));
    assert_eq!(kept.waited(), ms(10));
    let id = AggregateId::from("1");
    // A policy that has it already gets it once more.
    let taken = kept.take(&id).expect("it is there");
    assert!(kept.take(&id).is_none());
    kept.lent(&id, &load(10, 10));
    kept.give_back(&id, taken.root);
    assert_eq!(kept.waited(), ms(10));
    // One that does not come back has to be loaded again.
    assert!(kept.take(&"2".into()).is_none());
    kept.lent(&"2".into(), &load(10, 10));
    assert_eq!(kept.waited(), ms(10));
    // So has one that made room for others.
    for number in 3..=102 {
        uses(&mut kept, number, 10, Some(MIB));
    }
    assert_eq!(
        kept.waited(),
        ms(10) * u32::try_from(kept.aggregates.len()).expect("few")
    );
    kept.settle(&mapper(), &[], &[]);
    assert_eq!(kept.waited(), Duration::ZERO);
}

#[test]
fn copies_are_made_only_in_the_batch_whose_policies_get_an_aggregate_twice() {
    let mut kept = Kept::default();
    uses(&mut kept, 1, 10, None);
    let id = AggregateId::from("1");
    let taken = kept.take(&id).expect("it is there");
    assert!(kept.take(&id).is_none());
    kept.give_back(&id, taken.root);
    assert!(kept.is_copied(&id));
    kept.settle(&mapper(), &[], &[]);
    assert!(!kept.is_copied(&id));
}

fn event(position: u64, id: &str, version: u64, state: &str) -> Notification {
    let event = StoredEvent::new(id, version, "shop:Order.Placed", state.into());
    Notification::new(position, event)
}

fn head(log: &[Notification]) -> Option<Head> {
    let last = log.last()?;
    Some(Head::new(last.id, Some(UpstreamEvent::from(&last.event))))
}

fn look(kept: &mut Kept, log: &[Notification]) {
    let between = |query: &NotificationQuery| {
        let is_behind = |event: &&Notification| Some(event.id) >= query.start;
        let page = log.iter().filter(is_behind).take(query.limit);
        Ok(Some(page.cloned().collect()))
    };
    kept.look(head(log), between).expect("the log is read");
}

/// Returns what is kept of an aggregate that was loaded behind the last look. `own` is the
/// event that the batch has recorded, if it has recorded one.
fn loaded_behind_a_look(
    seen: &[Notification],
    loaded: &Notification,
    own: Option<&Notification>,
) -> Kept {
    let mut kept = Kept::default();
    look(&mut kept, seen);
    let (id, version) = (&loaded.originator_id, loaded.originator_version);
    assert!(kept.take(id).is_none());
    kept.lent(id, &load(1, 0));
    kept.give_back(id, held(version, None));
    let events: Vec<_> = own.iter().map(|own| own.event.clone()).collect();
    let positions: Vec<_> = own.iter().map(|own| own.id).collect();
    kept.settle(&mapper(), &events, &positions);
    if kept.needs_head() {
        kept.know(head(std::slice::from_ref(loaded)));
    }
    kept
}

#[test]
fn what_was_loaded_behind_the_last_look_is_not_kept_if_the_log_has_lost_it() {
    let seen = [event(100, "other", 1, "")];
    let loaded = event(101, "order", 8, "lost");
    let own = event(103, "bill", 1, "");
    let histories: [&[Notification]; 4] = [
        &[],
        &[event(101, "order", 8, "written again")],
        &[
            event(101, "order", 8, "written again"),
            event(103, "bill", 1, "anew"),
        ],
        &[
            event(101, "order", 8, "written again"),
            event(109, "other", 2, ""),
        ],
    ];
    for own in [None, Some(&own)] {
        for later in histories {
            let mut kept = loaded_behind_a_look(&seen, &loaded, own);
            look(&mut kept, &[&seen[..], later].concat());
            assert!(
                kept.take(&loaded.originator_id).is_none(),
                "{own:?} {later:?}"
            );
        }
    }
}

#[test]
fn what_was_loaded_behind_the_last_look_is_kept_while_the_log_has_it() {
    let seen = [event(100, "other", 1, "")];
    let loaded = event(101, "order", 8, "");
    let own = event(103, "bill", 1, "");
    let others = [event(105, "other", 2, ""), event(106, "order", 9, "")];
    for own in [None, Some(&own)] {
        for count in 0..=others.len() {
            let mut kept = loaded_behind_a_look(&seen, &loaded, own);
            let own = own.map_or(&[][..], std::slice::from_ref);
            let log = [&seen, std::slice::from_ref(&loaded), own, &others[..count]].concat();
            look(&mut kept, &log);
            let taken = kept.take(&loaded.originator_id).expect("it is kept");
            assert_eq!(taken.is_behind, count == 2);
        }
    }
}

#[test]
fn nothing_is_kept_if_others_have_saved_more_than_are_looked_at() {
    let seen = [event(1, "order", 8, "")];
    for (others, is_kept) in [(LOOK - 1, true), (LOOK + 1, false)] {
        let mut kept = loaded_behind_a_look(&seen, &seen[0], None);
        let later = (2..).take(others).map(|at| event(at, "other", at, ""));
        let log: Vec<_> = seen.iter().cloned().chain(later).collect();
        look(&mut kept, &log);
        assert_eq!(kept.take(&seen[0].originator_id).is_some(), is_kept);
    }
}
