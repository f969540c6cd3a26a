//! The filter of topics, as each store understands it.

use std::cell::Cell;

use es_store::{NotificationQuery, Recording, StoredEvent, TopicFilter};
use es_system::AggregateId;
use es_system::prelude::*;
use proptest::prelude::*;
use proptest::test_runner::TestRunner;
use tests::domain::DogSchool;
use tests::{places, torture};

/// Returns names that contain what a pattern, a quotation or an encoding could get wrong, and that
/// are often prefixes of each other.
fn name() -> impl Strategy<Value = String> {
    let part = prop_oneof![
        4 => proptest::sample::select(vec![
            "shop:Parcel", "Parcel", "Box", "shop:", "Sent", "ü", "Ü", "u\u{308}", "\u{1F4E6}",
        ]),
        2 => Just("."),
        2 => proptest::sample::select(vec![
            "%", "_", "'", "\"", "\\", "*", "?", "^", "$", "{", "}", " ", "\u{7f}", "\u{1}",
        ]),
    ];
    proptest::collection::vec(part, 0..5).prop_map(|parts| parts.concat())
}

/// Returns topics of events, among them an empty name behind the dot and nested classes.
fn topic() -> impl Strategy<Value = String> {
    prop_oneof![
        name(),
        (name(), name()).prop_map(|(aggregate, kind)| format!("{aggregate}.{kind}")),
    ]
}

/// Returns names that a pattern, or a comparison without case, would take for this one.
fn near(name: &str) -> Vec<String> {
    let mut rest = name.chars();
    let Some(first) = rest.next() else {
        return vec!["%".to_owned()];
    };
    let rest = rest.as_str();
    let upper = first.to_uppercase();
    vec![
        format!("_{rest}"),
        format!("%{rest}"),
        format!("{first}%"),
        format!("*{rest}"),
        format!("?{rest}"),
        format!(".{rest}"),
        format!("\\{name}"),
        format!("{upper}{rest}"),
        name.to_lowercase(),
    ]
}

/// Returns true if a topic begins with an aggregate's and a dot, and has no further dot.
fn is_of(aggregate: &str, topic: &str) -> bool {
    let kind = topic
        .strip_prefix(aggregate)
        .and_then(|rest| rest.strip_prefix('.'));
    kind.is_some_and(|kind| !kind.contains('.'))
}

#[test]
fn each_store_selects_the_topics_that_a_plain_predicate_selects() -> Result<()> {
    for place in places() {
        let school = DogSchool::new(place.env.clone())?;
        let recorder = school.recorder()?;
        let number = Cell::new(0);
        let cases = ProptestConfig::with_cases(24 * torture() as u32);
        let given = (
            proptest::collection::vec(topic(), 1..40),
            proptest::collection::vec(topic(), 0..3),
            proptest::collection::vec(name(), 0..4),
            proptest::collection::vec(any::<proptest::sample::Index>(), 0..3),
        );
        let ran = TestRunner::new(cases).run(&given, |(topics, mut exact, mut of, picked)| {
            // Names are made at random, so some are taken from the topics.
            for index in picked {
                let topic = index.get(&topics);
                exact.push(topic.clone());
                if let Some((aggregate, _)) = topic.rsplit_once('.') {
                    of.push(aggregate.to_owned());
                    of.extend(near(aggregate));
                }
            }
            number.set(number.get() + 1);
            let id = AggregateId::from(Uuid::from_u128(number.get()));
            let event = |(topic, version): (&String, u64)| {
                StoredEvent::new(id.clone(), version, topic.clone(), b"{}".to_vec())
            };
            let events = topics.iter().zip(1..).map(event).collect();
            let at = recorder
                .record(&Recording::new(events))
                .expect("recorded")
                .positions;
            let filter = TopicFilter::new(exact.clone()).of_aggregates(of.clone());
            let query = NotificationQuery::from(at[0]).filter(Some(filter.clone()));
            let found = recorder.select_notifications(&query).expect("selected");
            let found: Vec<_> = found.iter().map(|one| &*one.topic).collect();
            let is_wanted = |topic: &&str| {
                exact.iter().any(|one| one == topic) || of.iter().any(|one| is_of(one, topic))
            };
            let wanted: Vec<_> = topics
                .iter()
                .map(|topic| &**topic)
                .filter(is_wanted)
                .collect();
            prop_assert_eq!(found, wanted, "{:?}", &filter);
            for topic in &topics {
                prop_assert_eq!(filter.selects(topic), is_wanted(&&**topic), "{}", topic);
            }
            Ok(())
        });
        ran.unwrap_or_else(|problem| panic!("{}: {problem}", place.name));
    }
    Ok(())
}
