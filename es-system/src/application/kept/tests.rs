//! Tests of what is kept after a look at the log.

use es_store::Env;

use super::*;

/// An aggregate at a version.
struct Version(u64);

impl KeptRoot for Version {
    fn version(&self) -> u64 {
        self.0
    }

    fn cached(&self) -> Option<CachedAggregate> {
        None
    }

    fn state_bytes(&self, _: &Mapper) -> Option<usize> {
        None
    }
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
    let mapper = Mapper::new(&Env::new()).expect("a mapper");
    let mut kept = Kept::default();
    look(&mut kept, seen);
    let (id, version) = (&loaded.originator_id, loaded.originator_version);
    assert!(kept.take(id).is_none());
    kept.lent(id, 0, Size::of(1));
    kept.give_back(id, Box::new(Version(version)));
    let events: Vec<_> = own.iter().map(|own| own.event.clone()).collect();
    let positions: Vec<_> = own.iter().map(|own| own.id).collect();
    kept.settle(&mapper, &events, &positions);
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
