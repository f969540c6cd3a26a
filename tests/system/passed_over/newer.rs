//! A follower waits in front of an event that only a newer program knows.

mod programs;

use std::time::{Duration, Instant};

use es_system::prelude::*;
use es_system::{Condition, Error};
use tests::{PATIENCE, Place, places};

use programs::{Lines, new, old};

/// Returns each store that outlives the programs, empty.
fn lasting_places() -> impl Iterator<Item = Place> {
    let is_lasting = |place: &Place| matches!(place.name, "sqlite file" | "postgres");
    places().into_iter().filter(is_lasting)
}

/// Records a parcel that was sent and returned, and another one that was sent, as the newer program
/// does.
fn record_newer(env: &Env) -> Result<()> {
    let shop = new::North::new(env.clone())?;
    let mut parcel = new::Parcel::send("1");
    parcel.give_back("broken");
    shop.save(&mut parcel)?;
    shop.save(&mut new::Parcel::send("2"))?;
    Ok(())
}

/// Waits until the only follower of the runner waits for a newer program, and returns position,
/// topic and error.
fn waiting<R: Runner>(runner: &R, upstream: &str) -> Result<(u64, String, Error)> {
    let started = Instant::now();
    loop {
        // A single-threaded runner works during the wait.
        let _lag = runner.wait_until_idle(Duration::from_millis(1));
        let status = runner.status().remove(0);
        if let Condition::WaitingForNewer {
            application,
            upstream: of,
            position,
            topic,
            error,
            ..
        } = status.condition
        {
            assert_eq!(
                (application.as_str(), of.as_str()),
                (&*status.follower, upstream)
            );
            return Ok((position, topic, error));
        }
        assert!(started.elapsed() < PATIENCE, "it does not wait: {status:?}");
    }
}

/// Runs a program on events of the newer one: it waits at position 2 of North with what is in front
/// of it done. The newer program then goes on, and after it the older one.
fn waits_and_goes_on<R: Runner, Old: Lines, New: Lines>(
    place: &Place,
    (old, new): (System, System),
) -> Result<()> {
    record_newer(&place.env)?;
    let mut older = R::new(&old, place.env.clone())?;
    older.start()?;
    let (position, topic, error) = waiting(&older, "North")?;
    assert_eq!((position, &*topic), (2, "shop:Parcel.Returned"));
    assert_eq!(older.get::<Old>()?.lines()?, ["sent 1"], "{}", place.name);
    assert_eq!(older.status()[0].edges[0].position, Some(1));
    assert!(
        error.to_string().contains("at position 2 of `North`"),
        "{error}"
    );
    assert!(
        error
            .to_string()
            .ends_with("this program does not know that event of the aggregate `shop:Parcel`"),
        "{error}"
    );
    older.watch_for_errors(Duration::ZERO)?;
    let lag = older
        .wait_until_idle(Duration::from_millis(10))
        .expect_err("it waits");
    assert!(
        lag.to_string().contains("(waiting for a newer program: "),
        "{lag}"
    );

    let mut newer = R::new(&new, place.env.clone())?;
    newer.start()?;
    newer.wait_until_idle(PATIENCE)?;
    let all = ["sent 1", "returned broken", "sent 2"];
    assert_eq!(newer.get::<New>()?.lines()?, all, "{}", place.name);
    newer.stop()?;

    older.wait_until_idle(PATIENCE)?;
    assert!(matches!(older.status()[0].condition, Condition::Running));
    new::North::new(place.env.clone())?.save(&mut new::Parcel::send("3"))?;
    older.wait_until_idle(PATIENCE)?;
    assert_eq!(
        older.get::<Old>()?.lines()?[3..],
        ["sent 3"],
        "{}",
        place.name
    );
    older.stop()
}

#[test]
fn who_follows_all_of_an_aggregate_waits_in_front_of_a_kind_that_it_does_not_know() -> Result<()> {
    fn flow<R: Runner>(place: &Place) -> Result<()> {
        let old = System::new(pipes![[old::North, old::Second]])?;
        let new = System::new(pipes![[new::North, new::Second]])?;
        waits_and_goes_on::<R, old::Second, new::Second>(place, (old, new))
    }
    lasting_places().try_for_each(|place| flow::<SingleThreadedRunner>(&place))?;
    lasting_places().try_for_each(|place| flow::<MultiThreadedRunner>(&place))
}

#[test]
fn a_policy_for_everything_else_does_not_get_it() -> Result<()> {
    fn flow<R: Runner>(place: &Place) -> Result<()> {
        let old = System::new(pipes![[old::North, old::Third]])?;
        let new = System::new(pipes![[new::North, new::Third]])?;
        waits_and_goes_on::<R, old::Third, new::Third>(place, (old, new))
    }
    lasting_places().try_for_each(|place| flow::<SingleThreadedRunner>(&place))?;
    lasting_places().try_for_each(|place| flow::<MultiThreadedRunner>(&place))
}

#[test]
fn a_projection_waits_as_well_and_so_does_its_rebuild() -> Result<()> {
    fn flow<R: Runner>(place: &Place) -> Result<()> {
        let old = || System::new(pipes![[old::North, old::TrickTable]]);
        let new = System::new(pipes![[new::North, new::TrickTable]])?;
        waits_and_goes_on::<R, old::TrickTable, new::TrickTable>(place, (old()?, new))?;
        let runner = R::new(&old()?, place.env.clone())?;
        let error = runner
            .rebuild::<old::TrickTable>(|_| {})
            .expect_err("it is newer");
        assert!(
            error.to_string().contains("shop:Parcel.Returned"),
            "{error}"
        );
        assert!(runner.discard_rebuild::<old::TrickTable>()?);
        Ok(())
    }
    lasting_places().try_for_each(|place| flow::<SingleThreadedRunner>(&place))?;
    lasting_places().try_for_each(|place| flow::<MultiThreadedRunner>(&place))
}

#[test]
fn a_policy_for_single_events_passes_over_other_kinds() -> Result<()> {
    for place in lasting_places() {
        record_newer(&place.env)?;
        let system = System::new(pipes![[old::North, old::Watcher]])?;
        let mut runner = MultiThreadedRunner::new(&system, place.env.clone())?;
        runner.start()?;
        runner.wait_until_idle(PATIENCE)?;
        let watcher = runner.get::<old::Watcher>()?;
        assert_eq!(watcher.lines()?, ["sent 1", "sent 2"], "{}", place.name);
        assert_eq!(watcher.position_in("North")?, Some(3));
    }
    Ok(())
}

/// Records an event in a version that the older program does not know.
fn record_newer_version(env: &Env) -> Result<()> {
    let shop = new::South::new(env.clone())?;
    shop.save(&mut new::Bill::write("1", "EUR"))?;
    Ok(())
}

#[test]
fn a_version_that_the_program_does_not_know_is_waited_for_by_each_policy_that_takes_it()
-> Result<()> {
    fn flow<R: Runner>(place: &Place) -> Result<()> {
        record_newer_version(&place.env)?;
        let systems = [
            System::new(pipes![[old::South, old::BillsByName]])?,
            System::new(pipes![[old::South, old::AllBills]])?,
            System::new(pipes![[old::South, old::UndecodedBills]])?,
        ];
        for system in systems {
            let mut runner = R::new(&system, place.env.clone())?;
            runner.start()?;
            let (position, topic, error) = waiting(&runner, "South")?;
            assert_eq!((position, &*topic), (1, "shop:Bill.Written"));
            let known = "it has class_version 2, and this program knows 1";
            assert!(error.to_string().ends_with(known), "{error}");
            runner.watch_for_errors(Duration::ZERO)?;
            runner.stop()?;
        }
        Ok(())
    }
    lasting_places().try_for_each(|place| flow::<SingleThreadedRunner>(&place))?;
    lasting_places().try_for_each(|place| flow::<MultiThreadedRunner>(&place))
}

#[test]
fn one_upstream_with_a_newer_event_does_not_hold_up_the_others() -> Result<()> {
    for place in lasting_places() {
        record_newer(&place.env)?;
        let system = System::new(pipes![[old::North, old::Second], [old::South, old::Second]])?;
        let mut runner = MultiThreadedRunner::new(&system, place.env.clone())?;
        runner.start()?;
        waiting(&runner, "North")?;
        runner
            .get::<old::South>()?
            .save(&mut old::Parcel::send("south"))?;
        let second = runner.get::<old::Second>()?;
        let started = Instant::now();
        while second.position_in("South")? != Some(1) {
            assert!(
                started.elapsed() < PATIENCE,
                "the other upstream is not followed"
            );
            let _lag = runner.wait_until_idle(Duration::from_millis(1));
        }
        assert_eq!(second.lines()?, ["sent 1", "sent south"]);
        assert_eq!(second.position_in("North")?, Some(1));
        runner.stop()?;
    }
    Ok(())
}

#[test]
fn a_command_does_not_wait_for_a_newer_program() -> Result<()> {
    for place in lasting_places() {
        record_newer(&place.env)?;
        let system = System::new(pipes![[old::North, old::Second]])?;
        let mut runner = SingleThreadedRunner::new(&system, place.env.clone())?;
        runner.start()?;
        waiting(&runner, "North")?;
        let shop = runner.get::<old::North>()?;
        let started = Instant::now();
        for number in 0..10 {
            shop.save(&mut old::Parcel::send(&number.to_string()))?;
        }
        // A command that tries a failed batch again takes a second.
        assert!(
            started.elapsed() < Duration::from_secs(5),
            "{:?}",
            started.elapsed()
        );
        runner.stop()?;
    }
    Ok(())
}
