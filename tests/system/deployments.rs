//! A follower is deployed again with other policies, while an older program follows or after it.

mod kills;
mod meanwhile;
mod projections;
mod rounds;
mod starts;
mod switches;
mod together;

use std::time::{Duration, Instant};

use es_system::Condition;
use es_system::prelude::*;
use tests::programs::{
    Dog, Lines, North, South, asks, hounds, now, old, replays, several, wider, without,
};
use tests::{PATIENCE, Place, places};

/// Returns each store that outlives the programs, empty.
fn lasting_places() -> impl Iterator<Item = Place> {
    let is_lasting = |place: &Place| matches!(place.name, "sqlite file" | "postgres");
    places().into_iter().filter(is_lasting)
}

/// A system of the north, which `F` follows.
fn program<F>() -> Result<System>
where
    F: es_system::__private::FollowerType + es_system::__private::FromEnv,
{
    System::new(pipes![[North, F]])
}

/// Runs `F` until it has processed everything, and returns its lines.
fn run<R: Runner, F>(place: &Place) -> Result<Vec<String>>
where
    F: es_system::__private::FollowerType + es_system::__private::FromEnv + Lines,
{
    let mut runner = R::new(&program::<F>()?, place.env.clone())?;
    runner.start()?;
    runner.wait_until_idle(PATIENCE)?;
    let lines = runner.get::<F>()?.lines()?;
    runner.stop()?;
    Ok(lines)
}

/// Records a dog that is registered and renamed: two events.
fn record(place: &Place) -> Result<()> {
    let mut dog = Dog::register();
    dog.rename("Rex");
    North::new(place.env.clone())?.save(&mut dog)?;
    Ok(())
}

/// Waits until the only follower of the runner has stepped back, and returns the topic.
fn stepped_back<R: Runner>(runner: &R) -> String {
    let started = Instant::now();
    loop {
        // A single-threaded runner works during the wait.
        let _lag = runner.wait_until_idle(Duration::from_millis(1));
        let status = runner.status().remove(0);
        if let Condition::WaitingForNewer { topic, .. } = status.condition {
            return topic;
        }
        assert!(started.elapsed() < PATIENCE, "it follows: {status:?}");
    }
}

fn on_each_runner(flow: [fn(&Place) -> Result<()>; 2]) -> Result<()> {
    for flow in flow {
        lasting_places().try_for_each(|place| flow(&place))?;
    }
    Ok(())
}

#[test]
fn a_policy_that_was_added_behind_events_of_its_kind_is_an_error_at_start() -> Result<()> {
    fn flow<R: Runner>(place: &Place) -> Result<()> {
        record(place)?;
        record(place)?;
        let before = ["registered 1", "registered 3"];
        assert_eq!(run::<R, old::Second>(place)?, before);
        record(place)?;
        let mut runner = R::new(&program::<asks::Second>()?, place.env.clone())?;
        let error = runner.start().expect_err("nobody has decided");
        assert_eq!(error.kind(), ErrorKind::Configuration);
        for part in [
            "Second: ",
            "`Dog.Renamed`",
            "position 4",
            "the first at position 2",
            "`added = replay`",
            "`added = now`",
        ] {
            assert!(error.to_string().contains(part), "{error}");
        }
        assert_eq!(runner.get::<asks::Second>()?.lines()?, before);
        assert_eq!(runner.get::<asks::Second>()?.position_in("North")?, Some(4));
        Ok(())
    }
    on_each_runner([flow::<SingleThreadedRunner>, flow::<MultiThreadedRunner>])
}

#[test]
fn a_policy_that_was_added_begins_with_the_events_to_come() -> Result<()> {
    fn flow<R: Runner>(place: &Place) -> Result<()> {
        record(place)?;
        run::<R, old::Second>(place)?;
        record(place)?;
        let all = ["registered 1", "registered 3", "renamed 4"];
        assert_eq!(run::<R, now::Second>(place)?, all, "{}", place.name);
        // From now on it is one of the policies.
        assert_eq!(run::<R, asks::Second>(place)?, all, "{}", place.name);
        Ok(())
    }
    on_each_runner([flow::<SingleThreadedRunner>, flow::<MultiThreadedRunner>])
}

#[test]
fn a_policy_that_was_added_replays_the_earlier_events_and_then_goes_on_in_order() -> Result<()> {
    fn flow<R: Runner>(place: &Place) -> Result<()> {
        record(place)?;
        record(place)?;
        run::<R, old::Second>(place)?;
        record(place)?;
        let all = [
            "registered 1",
            "registered 3",
            "renamed 2",
            "renamed 4",
            "registered 5",
            "renamed 6",
        ];
        assert_eq!(run::<R, replays::Second>(place)?, all, "{}", place.name);
        assert_eq!(run::<R, asks::Second>(place)?, all, "{}", place.name);
        Ok(())
    }
    on_each_runner([flow::<SingleThreadedRunner>, flow::<MultiThreadedRunner>])
}

#[test]
fn policies_that_were_added_together_are_replayed_in_the_order_of_the_log() -> Result<()> {
    fn flow<R: Runner>(place: &Place) -> Result<()> {
        for _ in 0..2 {
            let mut dog = Dog::register();
            dog.sell();
            dog.rename("Rex");
            North::new(place.env.clone())?.save(&mut dog)?;
        }
        run::<R, old::Second>(place)?;
        let lines = run::<R, several::Second>(place)?;
        let replayed = ["sold 2", "renamed 3", "sold 5", "renamed 6"];
        assert_eq!(lines[2..], replayed, "{}", place.name);
        Ok(())
    }
    on_each_runner([flow::<SingleThreadedRunner>, flow::<MultiThreadedRunner>])
}

#[test]
fn a_policy_for_all_of_an_aggregate_replays_the_events_that_none_had() -> Result<()> {
    fn flow<R: Runner>(place: &Place) -> Result<()> {
        record(place)?;
        record(place)?;
        run::<R, old::Second>(place)?;
        record(place)?;
        let all = [
            "registered 1",
            "registered 3",
            "dog 2",
            "dog 4",
            "dog 5",
            "dog 6",
        ];
        assert_eq!(run::<R, wider::Second>(place)?, all, "{}", place.name);
        Ok(())
    }
    on_each_runner([flow::<SingleThreadedRunner>, flow::<MultiThreadedRunner>])
}

#[test]
fn a_program_without_a_policy_steps_back_unless_it_was_taken_out() -> Result<()> {
    fn flow<R: Runner>(place: &Place) -> Result<()> {
        run::<R, asks::Second>(place)?;
        record(place)?;
        run::<R, asks::Second>(place)?;
        record(place)?;
        let mut runner = R::new(&program::<old::Second>()?, place.env.clone())?;
        runner.start()?;
        assert_eq!(stepped_back(&runner), "Dog.Renamed");
        let lag = runner
            .wait_until_idle(Duration::from_millis(5))
            .expect_err("it waits");
        assert!(lag.to_string().contains("retired"), "{lag}");
        let second = runner.get::<old::Second>()?;
        assert_eq!(second.position_in("North")?, Some(2), "{}", place.name);
        runner.watch_for_errors(Duration::ZERO)?;
        runner.stop()?;

        let some = ["registered 1", "renamed 2", "registered 3"];
        assert_eq!(run::<R, without::Second>(place)?, some, "{}", place.name);
        record(place)?;
        let all = ["registered 1", "renamed 2", "registered 3", "registered 5"];
        assert_eq!(run::<R, without::Second>(place)?, all, "{}", place.name);
        Ok(())
    }
    on_each_runner([flow::<SingleThreadedRunner>, flow::<MultiThreadedRunner>])
}

#[test]
fn a_policy_that_is_taken_in_again_goes_on_where_it_was_taken_out() -> Result<()> {
    fn flow<R: Runner>(place: &Place) -> Result<()> {
        record(place)?;
        run::<R, asks::Second>(place)?;
        record(place)?;
        run::<R, without::Second>(place)?;
        record(place)?;
        let all = [
            "registered 1",
            "renamed 2",
            "registered 3",
            "renamed 4",
            "registered 5",
            "renamed 6",
        ];
        assert_eq!(run::<R, asks::Second>(place)?, all, "{}", place.name);
        Ok(())
    }
    on_each_runner([flow::<SingleThreadedRunner>, flow::<MultiThreadedRunner>])
}

#[test]
fn a_type_with_another_name_and_the_same_stored_one_has_the_same_policies() -> Result<()> {
    fn flow<R: Runner>(place: &Place) -> Result<()> {
        record(place)?;
        run::<R, asks::Second>(place)?;
        record(place)?;
        let mut runner = R::new(&program::<hounds::Second>()?, place.env.clone())?;
        runner.start()?;
        runner.wait_until_idle(PATIENCE)?;
        runner.stop()?;
        let all = ["registered 1", "renamed 2", "registered 3", "renamed 4"];
        assert_eq!(run::<R, asks::Second>(place)?, all, "{}", place.name);
        Ok(())
    }
    on_each_runner([flow::<SingleThreadedRunner>, flow::<MultiThreadedRunner>])
}

#[test]
fn each_upstream_has_policies_of_its_own() -> Result<()> {
    for place in lasting_places() {
        record(&place)?;
        run::<MultiThreadedRunner, old::Second>(&place)?;
        let mut dog = Dog::register();
        dog.rename("Rex");
        South::new(place.env.clone())?.save(&mut dog)?;
        // The south is new, so nothing was missed there.
        let system = System::new(pipes![[North, now::Second], [South, now::Second]])?;
        let mut runner = MultiThreadedRunner::new(&system, place.env.clone())?;
        runner.start()?;
        runner.wait_until_idle(PATIENCE)?;
        let lines = runner.get::<now::Second>()?.lines()?;
        assert_eq!(
            lines,
            ["registered 1", "registered 1", "renamed 2"],
            "{}",
            place.name
        );
    }
    Ok(())
}

#[test]
fn a_program_that_has_stepped_back_is_not_idle_though_nothing_is_left() -> Result<()> {
    fn flow<R: Runner>(place: &Place) -> Result<()> {
        record(place)?;
        let mut before = R::new(&program::<old::Second>()?, place.env.clone())?;
        before.start()?;
        before.wait_until_idle(PATIENCE)?;
        run::<R, now::Second>(place)?;
        before.get::<North>()?.save(&mut Dog::register())?;
        stepped_back(&before);
        run::<R, now::Second>(place)?;
        let error = before.wait_until_idle(Duration::from_millis(50));
        let error = error.expect_err("another program follows");
        assert!(matches!(error, Error::NotIdle(_)), "{error}");
        before.stop()
    }
    on_each_runner([flow::<SingleThreadedRunner>, flow::<MultiThreadedRunner>])
}
