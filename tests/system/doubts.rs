//! Saves of unknown outcome: an error stays in doubt until the same bytes were sent again and
//! answered, and what settles it outlives everything else.

use std::sync::Arc;
use std::thread;

use es_system::Doubt;
use es_system::prelude::*;
use es_system::store::{Conflict, StoreError};
use es_system::testing::{Call, FaultyRecorder, FaultyStores, Moment};
use tests::domain::{Dog, DogSchool};

/// The log of all dogs.
#[aggregate]
#[derive(Clone, Debug)]
struct Register;

#[aggregate(vis = pub(self))]
impl Register {
    #[id]
    fn create_id() -> Uuid {
        Uuid::new_v5(&Uuid::NAMESPACE_URL, b"/register")
    }

    #[event(Registered)]
    fn registered(dog: &str) -> Self {
        Self
    }
}

mod cached;
mod followed;
mod late;

struct School {
    school: DogSchool,
    billy: Uuid,
    store: Arc<FaultyRecorder>,
    env: Env,
}

fn school(env: Env) -> Result<School> {
    let stores = Arc::new(FaultyStores::in_memory());
    let env = env.with_store(stores.clone());
    let school = DogSchool::new(env.clone())?;
    school.register_dog("Billy")?;
    school.register_dog("Milly")?;
    Ok(School {
        school,
        billy: Dog::create_id("Billy"),
        store: stores.get("DogSchool").expect("it is open"),
        env,
    })
}

impl School {
    /// Makes the next save in doubt, which takes place at `moment`, and then has `away` more calls
    /// fail because the server is away.
    fn lose(&self, moment: Moment, away: u64) {
        let unknown = StoreError::outcome_unknown("faulty", "the answer was lost");
        self.store.fail(Call::Record, 1, moment, unknown);
        self.stay_away(2, away);
    }

    fn stay_away(&self, from: u64, times: u64) {
        for nth in from..from + times {
            let away = StoreError::driver("faulty", "connecting", "nobody is there");
            self.store.fail(Call::Record, nth, Moment::Before, away);
        }
    }

    fn teach(&self, trick: &str) -> Result<()> {
        self.school.execute::<Dog, _>(self.billy, |dog| {
            dog.add_trick(trick);
            Ok(())
        })
    }

    fn tricks(&self, dog: &str) -> Result<Vec<String>> {
        Ok(self.school.get_dog(dog)?.tricks.clone())
    }
}

fn doubt_of<T>(done: Result<T>) -> Doubt {
    let error = done.err().expect("the outcome is unknown");
    assert_eq!(error.kind(), ErrorKind::OutcomeUnknown, "{error}");
    error.doubt().expect("a doubt").clone()
}

fn envs() -> [Env; 3] {
    let sealed = crate::sealed::zlib_and_aes(Env::new());
    let cached = sealed
        .clone()
        .with("AGGREGATE_CACHE_MAXSIZE", "10")
        .with("AGGREGATE_CACHE_FASTFORWARD", "n");
    [Env::new(), sealed, cached]
}

#[test]
fn once_in_doubt_a_command_stays_in_doubt_while_the_server_is_away() -> Result<()> {
    for env in envs() {
        for moment in [Moment::Before, Moment::After] {
            let school = school(env.clone())?;
            school.lose(moment, 100);
            let error = school.teach("sit").expect_err("nobody answers");
            assert_eq!(error.kind(), ErrorKind::OutcomeUnknown, "{error}");
            let text = error.to_string();
            assert!(text.contains("nobody is there (tried 5 times)"), "{text}");
            assert!(text.contains("settle the doubt"), "{text}");
            let doubt = error.doubt().expect("a doubt").clone();
            assert!(doubt_of(doubt.settle()).settle().is_err());
        }
    }
    Ok(())
}

#[test]
fn a_doubt_is_settled_when_the_server_is_back_and_the_events_are_there_once() -> Result<()> {
    for env in envs() {
        for moment in [Moment::Before, Moment::After] {
            let school = school(env.clone())?;
            school.lose(moment, 4);
            let doubt = doubt_of(school.teach("sit"));
            let recorded = doubt.settle()?;
            assert_eq!(recorded.positions, [3], "{moment:?}");
            assert_eq!(doubt.settle()?, recorded);
            assert_eq!(school.tricks("Billy")?, ["sit"], "{moment:?}");
            school.teach("roll over")?;
            assert_eq!(school.tricks("Billy")?, ["sit", "roll over"]);
        }
    }
    Ok(())
}

#[test]
fn a_doubt_is_settled_by_a_conflict_if_another_writer_was_first() -> Result<()> {
    for env in envs() {
        let school = school(env)?;
        school.lose(Moment::Before, 4);
        let doubt = doubt_of(school.teach("sit"));
        DogSchool::new(school.env.clone())?.add_trick("Billy", "roll over")?;
        for _ in 0..2 {
            let error = doubt.settle().expect_err("another trick");
            assert_eq!(error.kind(), ErrorKind::Conflict, "{error}");
        }
        assert_eq!(school.tricks("Billy")?, ["roll over"]);
    }
    Ok(())
}

#[test]
fn an_aggregate_in_doubt_sends_the_same_bytes_first_and_then_what_was_added() -> Result<()> {
    for env in envs() {
        for moment in [Moment::Before, Moment::After] {
            let school = school(env.clone())?;
            let mut billy = school.school.get_dog("Billy")?;
            billy.add_trick("sit");
            school.lose(moment, 2);
            for _ in 0..3 {
                doubt_of(school.school.save(&mut billy));
                billy.add_trick("roll over");
            }
            let recorded = school.school.save(&mut billy)?;
            assert_eq!(recorded.positions, [3, 4, 5, 6], "{moment:?}");
            assert!(billy.pending_events().is_empty());
            let tricks = ["sit", "roll over", "roll over", "roll over"];
            assert_eq!(school.tricks("Billy")?, tricks, "{moment:?}");
        }
    }
    Ok(())
}

#[test]
fn what_was_saved_together_stays_together_whoever_is_saved_again() -> Result<()> {
    for moment in [Moment::Before, Moment::After] {
        let school = school(Env::new())?;
        let mut billy = school.school.get_dog("Billy")?;
        let mut milly = school.school.get_dog("Milly")?;
        billy.add_trick("sit");
        milly.add_trick("sit");
        school.lose(moment, 0);
        let doubt = doubt_of(school.school.save((&mut billy, &mut milly)));
        school.school.save(&mut billy)?;
        assert_eq!(school.tricks("Milly")?, ["sit"], "{moment:?}");
        assert_eq!(doubt.settle()?.positions, [3, 4]);
        let calls = school.store.calls(Call::Record);
        school.school.save(&mut milly)?;
        assert!(milly.pending_events().is_empty());
        assert_eq!(school.store.calls(Call::Record), calls, "it is known");
    }
    Ok(())
}

#[test]
fn an_aggregate_whose_doubt_was_settled_is_not_sent_again() -> Result<()> {
    let school = school(Env::new())?;
    let mut billy = school.school.get_dog("Billy")?;
    billy.add_trick("sit");
    school.lose(Moment::After, 0);
    let doubt = doubt_of(school.school.save(&mut billy));
    let mut twin = billy.clone();
    doubt.settle()?;
    school.school.save((&mut billy, &mut twin))?;
    assert_eq!(school.tricks("Billy")?, ["sit"]);
    Ok(())
}

#[test]
fn events_that_were_refused_when_their_doubt_was_settled_are_saved_as_any_others() -> Result<()> {
    let school = school(Env::new())?;
    let mut billy = school.school.get_dog("Billy")?;
    let mut milly = school.school.get_dog("Milly")?;
    billy.add_trick("sit");
    milly.add_trick("sit");
    school.lose(Moment::Before, 0);
    let doubt = doubt_of(school.school.save((&mut billy, &mut milly)));
    school.school.add_trick("Billy", "roll over")?;
    assert!(doubt.settle().is_err());
    let error = school.school.save(&mut billy).expect_err("another trick");
    assert_eq!(error.kind(), ErrorKind::Conflict, "{error}");
    school.school.save(&mut milly)?;
    assert_eq!(school.tricks("Milly")?, ["sit"]);
    Ok(())
}

#[test]
fn a_doubt_outlives_the_aggregate_and_the_application() -> Result<()> {
    let School {
        school,
        billy,
        store,
        env,
    } = school(Env::new())?;
    let unknown = StoreError::outcome_unknown("faulty", "the answer was lost");
    (1..=5).for_each(|nth| store.fail(Call::Record, nth, Moment::Before, unknown.clone()));
    let doubt = doubt_of(school.execute::<Dog, _>(billy, |dog| {
        dog.add_trick("sit");
        Ok(())
    }));
    school.close();
    drop(school);
    doubt.settle()?;
    assert_eq!(DogSchool::new(env)?.get_dog("Billy")?.tricks, ["sit"]);
    Ok(())
}

#[test]
fn an_aggregate_in_doubt_is_settled_by_the_application_that_was_opened_again() -> Result<()> {
    for env in envs() {
        for moment in [Moment::Before, Moment::After] {
            let school = school(env.clone())?;
            let mut billy = school.school.get_dog("Billy")?;
            billy.add_trick("sit");
            school.lose(moment, 2);
            doubt_of(school.school.save(&mut billy));
            school.school.close();
            let again = DogSchool::new(school.env.clone())?;
            billy.add_trick("roll over");
            doubt_of(again.save(&mut billy));
            doubt_of(again.save(&mut billy));
            again.save(&mut billy)?;
            let tricks = ["sit", "roll over"];
            assert_eq!(again.get_dog("Billy")?.tricks, tricks, "{moment:?}");
        }
    }
    Ok(())
}

#[test]
fn a_doubt_names_what_was_sent_and_shows_no_values() -> Result<()> {
    let school = school(Env::new())?;
    school.lose(Moment::Before, 4);
    let doubt = doubt_of(school.teach("a secret"));
    let billy = school.billy;
    let expected = format!("Doubt(DogSchool: version 2 of aggregate {billy})");
    assert_eq!(format!("{doubt:?}"), expected);
    Ok(())
}

#[test]
fn several_threads_settle_one_doubt_and_all_hear_the_same() -> Result<()> {
    let school = school(Env::new())?;
    school.lose(Moment::Before, 4);
    let doubt = doubt_of(school.teach("sit"));
    thread::scope(|scope| {
        let threads: Vec<_> = (0..8).map(|_| scope.spawn(|| doubt.settle())).collect();
        for thread in threads {
            let recorded = thread.join().expect("no panic").expect("recorded");
            assert_eq!(recorded.positions, [3]);
        }
    });
    assert_eq!(school.tricks("Billy")?, ["sit"]);
    Ok(())
}

#[test]
fn an_entry_of_a_log_in_doubt_gets_no_other_number() -> Result<()> {
    for moment in [Moment::Before, Moment::After] {
        let school = school(Env::new())?;
        let dogs = school.school.log::<Register>(Register::create_id());
        let mut entry = dogs.trigger_event(Register::registered("Rex"))?;
        school.lose(moment, 0);
        doubt_of(school.school.save(&mut entry));
        let error = dogs.trigger_event(entry.clone()).expect_err("in doubt");
        assert_eq!(error.kind(), ErrorKind::Usage, "{error}");
        school.school.save(&mut entry)?;
        assert_eq!(dogs.get(&EventQuery::all())?.len(), 1, "{moment:?}");
        school.lose(moment, 4);
        doubt_of(dogs.append(Register::registered("Fido"))).settle()?;
        assert_eq!(dogs.get(&EventQuery::all())?.len(), 2, "{moment:?}");
    }
    Ok(())
}

#[test]
fn a_repeated_command_keeps_its_doubt() -> Result<()> {
    for moment in [Moment::Before, Moment::After] {
        let school = school(Env::new())?;
        school.lose(moment, 0);
        let mut runs = 0;
        let doubt = doubt_of(school.school.retry(|| {
            runs += 1;
            let mut billy = school.school.get_dog("Billy")?;
            let mut milly = school.school.get_dog("Milly")?;
            billy.add_trick("sit");
            milly.add_trick("sit");
            school.school.save((&mut billy, &mut milly))
        }));
        doubt.settle()?;
        assert_eq!(runs, 1);
        assert_eq!(school.tricks("Billy")?, ["sit"]);
        assert_eq!(school.tricks("Milly")?, ["sit"]);
    }
    Ok(())
}

#[test]
fn a_command_that_failed_says_how_often_it_was_tried() -> Result<()> {
    let school = school(Env::new())?;
    let conflict = || StoreError::Conflict(Conflict::new(school.billy, 2));
    (1..=20).for_each(|nth| {
        school
            .store
            .fail(Call::Record, nth, Moment::Before, conflict())
    });
    let error = school.teach("sit").expect_err("another writer");
    let text = error.to_string();
    assert!(text.contains("exists already (tried 20 times):"), "{text}");
    (1..=3).for_each(|nth| {
        school
            .store
            .fail(Call::Record, nth, Moment::Before, conflict())
    });
    school.stay_away(4, 1);
    let text = school
        .teach("sit")
        .expect_err("nobody is there")
        .to_string();
    assert!(text.ends_with("nobody is there (tried 4 times)"), "{text}");
    school.stay_away(1, 1);
    let text = school
        .teach("sit")
        .expect_err("nobody is there")
        .to_string();
    assert!(text.ends_with("nobody is there"), "{text}");
    Ok(())
}
