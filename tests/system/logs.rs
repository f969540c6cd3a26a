//! The notification log, its sections, and subscriptions.

use es_system::prelude::*;
use tests::domain::{Dog, DogSchool};
use tests::{Place, places};

fn with_dogs(env: Env, count: u64) -> Result<DogSchool> {
    let school = DogSchool::new(env)?;
    (0..count).try_for_each(|n| school.register_dog(&n.to_string()))?;
    Ok(school)
}

#[test]
fn the_log_selects_from_a_position_on_and_up_to_a_limit() -> Result<()> {
    for Place { name, env, .. } in places() {
        let log = with_dogs(env, 5)?.notification_log();
        let ids = |start, limit| -> Result<Vec<u64>> {
            Ok(log
                .select(start, limit)?
                .iter()
                .map(|notification| notification.id)
                .collect())
        };
        assert_eq!(ids(1, 3)?, [1, 2, 3], "{name}");
        assert_eq!(ids(4, 10)?, [4, 5], "{name}");
        assert!(
            ids(1, 0)?.is_empty(),
            "{name}: a limit of 0 is no events, not all"
        );
        assert!(ids(6, 10)?.is_empty(), "{name}");
        assert_eq!(log.head()?, 5);
    }
    Ok(())
}

#[test]
fn sections_lead_from_one_to_the_next() -> Result<()> {
    let log = with_dogs(Env::new(), 25)?.notification_log();
    let mut id = Some("1,10".to_owned());
    let mut seen = Vec::new();
    while let Some(next) = id {
        let section = log.section(&next)?;
        seen.extend(section.items.iter().map(|notification| notification.id));
        id = section.next_id;
    }
    assert_eq!(seen, (1..=25).collect::<Vec<u64>>());
    let error = log.section("one to ten").expect_err("no section id");
    assert!(error.to_string().contains("one to ten"), "{error}");
    Ok(())
}

#[test]
fn a_subscription_sees_what_was_there_and_what_comes_and_ends_when_it_is_stopped() -> Result<()> {
    for Place { name, env, .. } in places() {
        let school = with_dogs(env, 3)?;
        let mut subscription = school.subscribe(1)?;
        let stop = subscription.stop_handle();
        std::thread::scope(|scope| -> Result<()> {
            let reader = scope.spawn(move || -> Result<Vec<u64>> {
                subscription
                    .by_ref()
                    .map(|event| Ok(event?.id))
                    .inspect(|id| {
                        if matches!(id, Ok(6)) {
                            stop.stop();
                        }
                    })
                    .collect()
            });
            for dog in ["Billy", "Milly", "Scrappy"] {
                school.save(&mut Dog::register(dog))?;
            }
            assert_eq!(reader.join().expect("no panic")?, [2, 3, 4, 5, 6], "{name}");
            Ok(())
        })?;
    }
    Ok(())
}
