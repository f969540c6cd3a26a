//! Saves and batches on PostgreSQL whose connection is lost during the commit. An encrypted event
//! has other bytes in each encoding, so it is found only if the same bytes are sent again.

use std::sync::mpsc::channel;

use es_system::prelude::*;
use es_system::store::create_key;
use es_system::testing::postgres::{Database, database};
use tests::PATIENCE;
use tests::domain::{Counters, Dog, DogSchool};

use crate::proxy::{POINTS, Point, Proxy};

/// Returns two databases with their settings, one for plain and one for encrypted events.
fn places() -> Vec<(Database, Env, &'static str)> {
    let place = |sealing| {
        let database = database()?;
        let env = match sealing {
            "plain" => database.env(),
            _ => database
                .env()
                .with("COMPRESSOR_TOPIC", "zlib")
                .with("CIPHER_TOPIC", "aes")
                .with("CIPHER_KEY", create_key(32).expect("random numbers")),
        };
        Some((database, env, sealing))
    };
    ["plain", "sealed"].into_iter().filter_map(place).collect()
}

/// Returns the dog's versions in the log.
fn versions(school: &DogSchool, dog: &Dog) -> Result<Vec<u64>> {
    let log = school.notification_log().select(1, usize::MAX)?;
    let of_dog = log.iter().filter(|event| event.originator_id == *dog.id());
    Ok(of_dog.map(|event| event.originator_version).collect())
}

#[test]
fn a_save_whose_commit_is_cut_off_succeeds_and_is_recorded_once() -> Result<()> {
    for (_database, env, sealing) in places() {
        let proxy = Proxy::start(&env);
        let school = DogSchool::new(proxy.env())?;
        for point in POINTS {
            let mut dog = Dog::register(&format!("{sealing} {point:?}"));
            school.save(&mut dog)?;
            dog.add_trick("sit");
            proxy.trap("dogschool:Dog.TrickAdded", point, || {});
            school.save(&mut dog)?;
            assert!(proxy.has_sprung());
            assert!(dog.pending_events().is_empty());
            assert_eq!(versions(&school, &dog)?, [1, 2], "{}", dog.name);
            assert_eq!(
                DogSchool::new(env.clone())?.get_dog(&dog.name)?.tricks,
                ["sit"]
            );
        }
    }
    Ok(())
}

#[test]
fn of_a_save_that_is_cut_off_and_another_one_of_the_version_meanwhile_one_is_recorded() -> Result<()>
{
    for (_database, env, sealing) in places() {
        let proxy = Proxy::start(&env);
        let school = DogSchool::new(proxy.env())?;
        for point in POINTS {
            let mut dog = Dog::register(&format!("{sealing} {point:?}"));
            school.save(&mut dog)?;
            let other = DogSchool::new(env.clone())?;
            let mut same_dog = other.get_dog(&dog.name)?;
            let (tell, told) = channel();
            let save_the_other = move || {
                same_dog.add_trick("roll over");
                let _ = tell.send(other.save(&mut same_dog).map(drop));
            };
            dog.add_trick("sit");
            proxy.trap("dogschool:Dog.TrickAdded", point, save_the_other);
            let saved = school.save(&mut dog).map(drop);
            let trick = match (saved, told.recv().expect("an outcome")) {
                (Ok(()), Err(error)) if error.kind() == ErrorKind::Conflict => "sit",
                (Err(error), Ok(())) if error.kind() == ErrorKind::Conflict => {
                    assert_eq!(dog.pending_events().len(), 1, "they can still be read");
                    "roll over"
                }
                both => panic!("{}: {both:?}", dog.name),
            };
            assert_eq!(versions(&school, &dog)?, [1, 2], "{}", dog.name);
            assert_eq!(school.get_dog(&dog.name)?.tricks, [trick]);
        }
    }
    Ok(())
}

/// Another session holds the lock for longer than the second attempt waits for it.
#[test]
fn while_the_outcome_is_unknown_what_is_pending_stays_and_saving_again_is_safe() -> Result<()> {
    for (database, env, sealing) in places() {
        let proxy = Proxy::start(&env.clone().with("POSTGRES_LOCK_TIMEOUT", "0.2"));
        let school = DogSchool::new(proxy.env())?;
        for point in POINTS {
            for is_taken in [false, true] {
                let mut dog = Dog::register(&format!("{sealing} {point:?} {is_taken}"));
                school.save(&mut dog)?;
                dog.add_trick("sit");
                let mut holder = database.connect();
                let (hand_over, held) = channel();
                let take_the_lock = move || {
                    let lock = "BEGIN; LOCK TABLE dogschool_events IN EXCLUSIVE MODE";
                    holder.batch_execute(lock).expect("a lock");
                    let _ = hand_over.send(holder);
                };
                proxy.trap("dogschool:Dog.TrickAdded", point, take_the_lock);
                let error = school.save(&mut dog).expect_err("nobody knows");
                assert_eq!(error.kind(), ErrorKind::OutcomeUnknown, "{error}");
                assert_eq!(dog.pending_events().len(), 1);
                let mut holder = held.recv().expect("the lock was taken");
                holder.batch_execute("ROLLBACK").expect("no lock");

                let other = is_taken
                    .then(|| DogSchool::new(env.clone())?.add_trick(&dog.name, "roll over"));
                other.transpose()?;
                let saved = school.save(&mut dog).map(drop);
                let tricks = school.get_dog(&dog.name)?.tricks.clone();
                match saved {
                    Ok(()) => assert!(dog.pending_events().is_empty() && tricks[0] == "sit"),
                    Err(error) => {
                        assert!(is_taken && tricks == ["roll over"], "{error}");
                        assert_eq!(error.kind(), ErrorKind::Conflict, "{error}");
                    }
                }
                if point == Point::Unheard {
                    assert_eq!(tricks[0], "sit", "it was recorded at first");
                }
                let expected: Vec<_> = (1..=1 + tricks.len() as u64).collect();
                assert_eq!(versions(&school, &dog)?, expected);
                assert!(tricks.iter().filter(|trick| *trick == "sit").count() <= 1);
            }
        }
    }
    Ok(())
}

#[test]
fn a_batch_whose_commit_is_cut_off_counts_each_event_once() -> Result<()> {
    fn flow<R: Runner>(env: &Env, point: Point) -> Result<()> {
        let proxy = Proxy::start(env);
        let mut runner = R::new(&System::new(pipes![[DogSchool, Counters]])?, proxy.env())?;
        runner.start()?;
        let school = runner.get::<DogSchool>()?;
        let counters = runner.get::<Counters>()?;
        let trick = format!("{point:?}");
        let dog = format!("{point:?} {}", std::any::type_name::<R>());
        school.register_dog(&dog)?;
        let before = counters.get_count(&trick)?;
        proxy.trap("dogschool:Counter.Incremented", point, || {});
        for _ in 0..5 {
            school.add_trick(&dog, &trick)?;
        }
        runner.wait_until_idle(PATIENCE)?;
        assert!(proxy.has_sprung());
        assert_eq!(counters.get_count(&trick)?, before + 5, "{dog}");
        runner.stop()
    }
    for (_database, env, _) in places() {
        for point in POINTS {
            flow::<SingleThreadedRunner>(&env, point)?;
            flow::<MultiThreadedRunner>(&env, point)?;
        }
    }
    Ok(())
}
