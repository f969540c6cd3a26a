//! Pages of the notification log and of the events of one aggregate, limited in bytes.

use std::sync::Arc;

use super::bench::{Bench, positions, versions};
use crate::event_query::EventQuery;
use crate::notification::{Notification, NotificationQuery, PAGE_BYTES};
use crate::notification_log::NotificationLog;
use crate::recorder::ProcessRecorder;
use crate::recording::Recording;
use crate::stored_event::StoredEvent;
use crate::subscription::Subscription;

/// Records events with states of these sizes, and returns their positions.
fn recorded(bench: &Bench, sizes: &[usize]) -> (Arc<dyn ProcessRecorder>, Vec<u64>) {
    let recorder = bench.leader();
    let event = |(version, size): (u64, &usize)| {
        let mut event = bench.event(1, version);
        event.state = vec![b'x'; *size];
        event
    };
    let recording = Recording::new((1..).zip(sizes).map(event).collect());
    let recorded = recorder.record(&recording).expect("recorded");
    (recorder, recorded.positions)
}

/// Numbers that are the same in each run.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: u64) -> usize {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        usize::try_from((self.0 >> 33) % bound).unwrap_or_default()
    }

    /// Returns the sizes of 40 events, of which some are empty and some are large.
    fn sizes(&mut self) -> Vec<usize> {
        let mut size = |_| match self.below(4) {
            0 => 0,
            1 => self.below(10),
            2 => self.below(1_000),
            _ => self.below(20_000),
        };
        (0..40).map(&mut size).collect()
    }
}

/// Rule: a page ends with the event that reaches its limit of bytes.
pub fn a_page_ends_with_the_event_that_reaches_its_limit_of_bytes(bench: &Bench) {
    let (recorder, at) = recorded(bench, &[10, 0, 20, 3_000_000, 1, 0, 5]);
    let page = |limit| positions(&*recorder, &NotificationQuery::all().byte_limit(limit));
    for (limit, length) in [
        (0, 1),
        (1, 1),
        (10, 1),
        (11, 3),
        (30, 3),
        (31, 4),
        (3_000_030, 4),
        (3_000_031, 5),
        (3_000_032, 7),
        (usize::MAX - 1, 7),
    ] {
        assert_eq!(page(limit), at[..length], "{limit} bytes");
    }
    let behind = NotificationQuery::after(at[2]).up_to(at[4]);
    assert_eq!(positions(&*recorder, &behind.byte_limit(1)), [at[3]]);
    let even = NotificationQuery::all().topics(["test:Thing.Even"]);
    assert_eq!(positions(&*recorder, &even.byte_limit(1)), [at[1], at[3]]);
    let both = NotificationQuery::all().limit(2).byte_limit(31);
    assert_eq!(positions(&*recorder, &both), at[..2]);
}

/// Rule: pages with a limit of bytes are together the log.
pub fn pages_with_a_limit_of_bytes_are_together_the_log(bench: &Bench) {
    let mut random = Random(1);
    for _ in 0..5 {
        let sizes = random.sizes();
        let (recorder, at) = recorded(bench, &sizes);
        for _ in 0..5 {
            let query = NotificationQuery::all()
                .limit(1 + random.below(20))
                .byte_limit(random.below(30_000));
            let pages = read_in_pages(&*recorder, &query);
            let read: Vec<_> = pages.iter().flatten().map(|event| event.id).collect();
            assert_eq!(read, at, "{query:?} of {sizes:?}");
            for page in &pages {
                let before_last = page.split_last().map_or(page.as_slice(), |(_, rest)| rest);
                let bytes: usize = before_last.iter().map(|event| event.state.len()).sum();
                let is_longer = page.len() > 1 && bytes >= query.byte_limit.max(1);
                assert!(
                    !is_longer && page.len() <= query.limit,
                    "{query:?} of {sizes:?}"
                );
            }
        }
    }
}

/// Reads the log page by page, until a page is not full.
fn read_in_pages(
    recorder: &dyn ProcessRecorder,
    query: &NotificationQuery,
) -> Vec<Vec<Notification>> {
    let (mut pages, mut query) = (Vec::new(), query.clone());
    loop {
        let page = recorder
            .select_notifications(&query)
            .expect("the store can be read");
        let is_full = query.is_filled_by(&page);
        if let Some(last) = page.last() {
            (query.start, query.inclusive_of_start) = (Some(last.id), false);
        }
        pages.push(page);
        if !is_full {
            return pages;
        }
    }
}

/// Rule: a page of the events of one aggregate ends with the event that reaches its limit of bytes.
pub fn a_page_of_an_aggregate_ends_with_the_event_that_reaches_its_limit_of_bytes(bench: &Bench) {
    let (recorder, _) = recorded(bench, &[10, 0, 20, 3_000_000, 1, 0, 5]);
    let page = |query: EventQuery| versions(&*recorder, &bench.id(1), &query);
    for (limit, last) in [
        (0, 1),
        (1, 1),
        (10, 1),
        (11, 3),
        (30, 3),
        (31, 4),
        (3_000_030, 4),
        (3_000_031, 5),
        (3_000_032, 7),
        (usize::MAX - 1, 7),
    ] {
        let expected: Vec<u64> = (1..=last).collect();
        let found = page(EventQuery::all().byte_limit(limit));
        assert_eq!(found, expected, "{limit} bytes");
    }
    assert_eq!(page(EventQuery::all().gt(3).lte(5).byte_limit(1)), [4]);
    assert_eq!(page(EventQuery::all().gt(4).byte_limit(2)), [5, 6, 7]);
    assert_eq!(page(EventQuery::all().limit(2).byte_limit(31)), [1, 2]);
    let down = |limit| page(EventQuery::all().desc().byte_limit(limit));
    assert_eq!(down(5), [7]);
    assert_eq!(down(7), [7, 6, 5, 4]);
}

/// Rule: pages with a limit of bytes are together the events of an aggregate.
pub fn pages_of_an_aggregate_with_a_limit_of_bytes_are_together_its_events(bench: &Bench) {
    let mut random = Random(2);
    for _ in 0..5 {
        let sizes = random.sizes();
        let (recorder, _) = recorded(bench, &sizes);
        for is_desc in [false, true, false, true] {
            let mut query = EventQuery::all()
                .limit(1 + random.below(20))
                .byte_limit(random.below(30_000));
            query.desc = is_desc;
            let pages = aggregate_in_pages(&*recorder, bench, &query);
            let mut read: Vec<_> = pages.iter().flatten().collect();
            read.sort_by_key(|event| event.originator_version);
            let found: Vec<_> = read.iter().map(|event| event.state.len()).collect();
            assert_eq!(found, sizes, "{query:?}");
            for page in &pages {
                let before_last = page.split_last().map_or(page.as_slice(), |(_, rest)| rest);
                let bytes: usize = before_last.iter().map(|event| event.state.len()).sum();
                let is_longer = page.len() > 1 && bytes >= query.byte_limit.max(1);
                assert!(
                    !is_longer && page.len() <= query.limit,
                    "{query:?} of {sizes:?}"
                );
            }
        }
    }
}

/// Reads the events of an aggregate page by page, until a page is not full.
fn aggregate_in_pages(
    recorder: &dyn ProcessRecorder,
    bench: &Bench,
    query: &EventQuery,
) -> Vec<Vec<StoredEvent>> {
    let (mut pages, mut query) = (Vec::new(), query.clone());
    loop {
        let page = recorder.select_events(&bench.id(1), &query);
        let page = page.expect("the store can be read");
        let is_full = query.is_filled_by(&page);
        let last = page.last().map(|last| last.originator_version);
        if query.desc {
            query.lte = last.map(|last| last - 1).or(query.lte);
        } else {
            query.gt = last.or(query.gt);
        }
        pages.push(page);
        if !is_full {
            return pages;
        }
    }
}

/// Rule: a subscription and the sections of the log pass over nothing where a page ends by its
/// bytes.
pub fn large_events_are_read_one_page_after_the_other(bench: &Bench) {
    let sizes = [
        PAGE_BYTES / 2,
        PAGE_BYTES / 2,
        1,
        PAGE_BYTES,
        0,
        PAGE_BYTES - 1,
        7,
        7,
    ];
    let (recorder, at) = recorded(bench, &sizes);
    let subscription = Subscription::new(recorder.clone(), None).expect("a subscription");
    let seen: Vec<_> = subscription
        .take(sizes.len())
        .map(|next| next.map(|one| (one.id, one.state.len())).expect("read"))
        .collect();
    assert_eq!(seen, at.iter().copied().zip(sizes).collect::<Vec<_>>());

    let log = NotificationLog::new(recorder);
    let (mut next, mut sections) = (Some(format!("{},{}", at[0], at[0] + 9)), Vec::new());
    while let Some(id) = next {
        let section = log.section(&id).expect("a section");
        sections.push(section.items.iter().map(|one| one.id).collect::<Vec<_>>());
        next = section.next_id;
    }
    sections.retain(|section| !section.is_empty());
    assert_eq!(sections, [&at[..2], &at[2..4], &at[4..7], &at[7..]]);
}
