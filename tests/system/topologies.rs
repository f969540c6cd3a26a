//! Systems of every shape: counts are exact with both runners, on every store.

use es_system::prelude::*;
use tests::domain::{Counters, Dog, DogSchool, DogTrickAdded};
use tests::{PATIENCE, Place, places};

/// Runs `flow` with both runners on every store.
macro_rules! with_both_runners {
    ($flow:ident) => {
        for Place { name, env, .. } in places() {
            $flow::<SingleThreadedRunner>(env).unwrap_or_else(|e| panic!("single, {name}: {e}"));
        }
        for Place { name, env, .. } in places() {
            $flow::<MultiThreadedRunner>(env).unwrap_or_else(|e| panic!("multi, {name}: {e}"));
        }
    };
}

fn started<R: Runner>(system: &System, env: Env) -> Result<R> {
    let mut runner = R::new(system, env)?;
    runner.start()?;
    Ok(runner)
}

/// Counts down, one tick for each event of its own.
#[aggregate]
struct Rocket {
    remaining: u64,
}

#[aggregate(vis = pub(self))]
impl Rocket {
    #[event(Fuelled)]
    fn fuel(seconds: u64) -> Self {
        Self { remaining: seconds }
    }

    #[event(Ticked)]
    fn tick(&mut self) {
        self.remaining -= 1;
    }
}

#[process_application]
struct Countdown;

#[process_application]
impl Countdown {
    #[policy(Rocket::Fuelled)]
    fn begin(
        &self,
        event: &DomainEvent<RocketFuelled>,
        processing_event: &mut ProcessingEvent,
    ) -> Result<()> {
        self.go_on(&event.originator_id, processing_event)
    }

    #[policy(Rocket::Ticked)]
    fn tick(
        &self,
        event: &DomainEvent<RocketTicked>,
        processing_event: &mut ProcessingEvent,
    ) -> Result<()> {
        self.go_on(&event.originator_id, processing_event)
    }

    fn go_on(&self, rocket: &AggregateId, processing_event: &mut ProcessingEvent) -> Result<()> {
        let mut rocket = self.repository().get::<Rocket>(rocket)?;
        if rocket.remaining > 0 {
            rocket.tick();
            processing_event.collect_events(&mut rocket);
        }
        Ok(())
    }
}

#[test]
fn an_application_that_follows_itself_processes_what_it_records() {
    fn flow<R: Runner>(env: Env) -> Result<()> {
        let runner: R = started(&System::new(pipes![[Countdown, Countdown]])?, env)?;
        let countdown = runner.get::<Countdown>()?;
        let mut rocket = Rocket::fuel(10);
        countdown.save(&mut rocket)?;
        runner.wait_until_idle(PATIENCE)?;
        let rocket = countdown.repository().get::<Rocket>(rocket.id())?;
        assert_eq!((rocket.remaining, rocket.version()), (0, 11));
        assert_eq!(countdown.position_in("Countdown")?, Some(11));
        Ok(())
    }
    with_both_runners!(flow);
}

/// A rally: each side answers the strokes of the other.
#[aggregate]
struct Stroke;

#[aggregate(vis = pub(self))]
impl Stroke {
    #[event(Hit)]
    fn hit(number: u64) -> Self {
        let _only_the_event_has_it = number;
        Self
    }
}

const RALLY: u64 = 9;

fn answer(event: &DomainEvent<StrokeHit>, processing_event: &mut ProcessingEvent) {
    if event.number < RALLY {
        processing_event.collect_events(&mut Stroke::hit(event.number + 1));
    }
}

macro_rules! player {
    ($name:ident) => {
        #[process_application]
        struct $name;

        #[process_application]
        impl $name {
            #[policy(Stroke::Hit)]
            fn answer(
                &self,
                event: &DomainEvent<StrokeHit>,
                processing_event: &mut ProcessingEvent,
            ) -> Result<()> {
                answer(event, processing_event);
                Ok(())
            }
        }
    };
}

player!(Ping);
player!(Pong);

#[test]
fn two_applications_may_follow_each_other() {
    fn flow<R: Runner>(env: Env) -> Result<()> {
        let runner: R = started(&System::new(pipes![[Ping, Pong, Ping]])?, env)?;
        let ping = runner.get::<Ping>()?;
        let pong = runner.get::<Pong>()?;
        ping.save(&mut Stroke::hit(1))?;
        runner.wait_until_idle(PATIENCE)?;
        assert_eq!(ping.notification_log().head()?, 5, "strokes 1, 3, 5, 7, 9");
        assert_eq!(pong.notification_log().head()?, 4, "strokes 2, 4, 6, 8");
        Ok(())
    }
    with_both_runners!(flow);
}

#[application]
struct North;

#[application]
struct South;

#[test]
fn a_follower_with_two_upstreams_counts_the_events_of_both() {
    fn flow<R: Runner>(env: Env) -> Result<()> {
        let runner: R = started(
            &System::new(pipes![[North, Counters], [South, Counters]])?,
            env,
        )?;
        let north = runner.get::<North>()?;
        let south = runner.get::<South>()?;
        for number in 0..20 {
            let mut dogs =
                ["north", "south"].map(|side| Dog::register(&format!("{side} {number}")));
            let [northern, southern] = &mut dogs;
            northern.add_trick("sit");
            southern.add_trick("sit");
            north.save(northern)?;
            south.save(southern)?;
        }
        runner.wait_until_idle(PATIENCE)?;
        let counters = runner.get::<Counters>()?;
        assert_eq!(counters.get_count("sit")?, 40);
        assert_eq!(counters.position_in("North")?, Some(40));
        assert_eq!(counters.position_in("South")?, Some(40));
        Ok(())
    }
    with_both_runners!(flow);
}

#[process_application(name = "Second")]
struct OtherCounters;

#[process_application]
impl OtherCounters {
    #[policy(Dog::TrickAdded)]
    fn count(
        &self,
        event: &DomainEvent<DogTrickAdded>,
        processing_event: &mut ProcessingEvent,
    ) -> Result<()> {
        let _ = event;
        processing_event.collect_events(&mut Stroke::hit(event.originator_version));
        Ok(())
    }
}

#[test]
fn two_followers_of_one_leader_each_process_every_event() {
    fn flow<R: Runner>(env: Env) -> Result<()> {
        let system = System::new(pipes![[DogSchool, Counters], [DogSchool, OtherCounters]])?;
        let runner: R = started(&system, env)?;
        let school = runner.get::<DogSchool>()?;
        school.register_dog("Billy")?;
        for _ in 0..25 {
            school.add_trick("Billy", "sit")?;
        }
        runner.wait_until_idle(PATIENCE)?;
        assert_eq!(runner.get::<Counters>()?.get_count("sit")?, 25);
        assert_eq!(
            runner.get::<OtherCounters>()?.notification_log().head()?,
            25
        );
        Ok(())
    }
    with_both_runners!(flow);
}

/// Follows the counters, so that a chain of three is complete.
#[process_application]
struct Third;

#[process_application]
impl Third {
    #[policy(tests::domain::Counter::Incremented)]
    fn mirror(
        &self,
        event: &DomainEvent<tests::domain::CounterIncremented>,
        processing_event: &mut ProcessingEvent,
    ) -> Result<()> {
        processing_event.collect_events(&mut Stroke::hit(event.originator_version));
        Ok(())
    }
}

#[test]
fn in_a_chain_of_three_each_event_arrives_at_the_end_once() {
    fn flow<R: Runner>(env: Env) -> Result<()> {
        let runner: R = started(&System::new(pipes![[DogSchool, Counters, Third]])?, env)?;
        let school = runner.get::<DogSchool>()?;
        for name in ["Billy", "Milly"] {
            school.register_dog(name)?;
            school.add_trick(name, "sit")?;
        }
        runner.wait_until_idle(PATIENCE)?;
        assert_eq!(runner.get::<Third>()?.notification_log().head()?, 2);
        Ok(())
    }
    with_both_runners!(flow);
}
