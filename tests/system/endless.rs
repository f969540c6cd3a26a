//! Applications that answer each other without end, on the thread of their caller.

use std::thread;

use es_system::prelude::*;
use es_system::testing::FaultyStores;
use tests::PATIENCE;

/// A shout, which grows with each echo.
#[aggregate]
#[derive(Clone)]
pub struct Shout {
    pub echoes: u64,
}

#[aggregate]
impl Shout {
    #[event(Begun)]
    pub fn begin() -> Self {
        Self { echoes: 0 }
    }

    #[event(Heard)]
    pub fn hear(&mut self) {
        self.echoes += 1;
    }
}

macro_rules! mountain {
    ($name:ident) => {
        #[process_application]
        struct $name;

        #[process_application]
        impl $name {
            #[policy(Shout::*)]
            fn echo(
                &self,
                event: &DomainEvent<ShoutEvent>,
                processing_event: &mut ProcessingEvent,
            ) -> Result<()> {
                let _ = event;
                processing_event.collect_events(&mut Shout::begin());
                Ok(())
            }
        }
    };
}

mountain!(Ping);
mountain!(Pong);
mountain!(Lone);

#[application]
struct Valley;

fn few(env: Env) -> Env {
    env.with("CYCLE_EVENTS_MAX", "100")
}

fn assert_names(error: &Error, applications: &[&str]) {
    assert_eq!(error.kind(), ErrorKind::Configuration, "{error}");
    let text = error.to_string();
    let named = |name: &&str| text.contains(&format!("`{name}`"));
    assert!(applications.iter().all(named), "{text}");
    assert!(!text.contains("Valley"), "{text}");
    assert!(text.contains("CYCLE_EVENTS_MAX"), "{text}");
}

#[test]
fn starting_a_cycle_that_feeds_itself_ends_with_an_error_that_names_it() -> Result<()> {
    let system = System::new(pipes![[Valley, Ping, Pong, Ping]])?;
    let mut runner = SingleThreadedRunner::new(&system, Env::new())?;
    runner.get::<Ping>()?.save(&mut Shout::begin())?;
    let error = runner.start().expect_err("it has no end");
    assert_names(&error, &["Ping", "Pong"]);
    assert!(runner.get::<Pong>()?.notification_log().head()? > 1_000);
    // It goes on where it ended, and does not run away.
    let ping = runner.get::<Ping>()?;
    let before = ping.notification_log().head()?;
    runner.process();
    assert!(ping.notification_log().head()? > before);
    let error = runner
        .watch_for_errors(PATIENCE)
        .expect_err("it has no end");
    assert_names(&error, &["Ping", "Pong"]);
    runner.stop()
}

#[test]
fn a_save_into_a_cycle_that_feeds_itself_returns_and_is_saved() -> Result<()> {
    for system in [
        pipes![[Valley, Ping, Pong, Ping]],
        pipes![[Valley, Lone, Lone]],
    ] {
        let system = System::new(system)?;
        let mut runner = SingleThreadedRunner::new(&system, few(Env::new()))?;
        runner.start()?;
        runner.watch_for_errors(Duration::ZERO)?;
        let valley = runner.get::<Valley>()?;
        for shouts in 1..=3 {
            valley.save(&mut Shout::begin())?;
            assert_eq!(valley.notification_log().head()?, shouts);
        }
        let error = runner.watch_for_errors(PATIENCE).expect_err("no end");
        assert!(matches!(error, Error::EndlessCycle { .. }), "{error}");
        let error = runner.wait_until_idle(Duration::MAX).expect_err("no end");
        assert!(matches!(error, Error::EndlessCycle { .. }), "{error}");
    }
    Ok(())
}

/// An application that answers a number of times.
mod finite {
    use super::*;

    pub(super) const ANSWERS: u64 = 500;

    #[process_application]
    pub(super) struct Counted;

    #[process_application]
    impl Counted {
        #[policy(Shout::*)]
        fn echo(
            &self,
            event: &DomainEvent<ShoutEvent>,
            processing_event: &mut ProcessingEvent,
        ) -> Result<()> {
            let id = event.originator_id.clone();
            let found = self.repository().find(id)?;
            let mut shout: Shout = found.unwrap_or_else(Shout::begin);
            if shout.echoes < ANSWERS {
                shout.hear();
                processing_event.collect_events(&mut shout);
            }
            Ok(())
        }
    }
}

#[test]
fn a_cycle_that_ends_is_processed_by_as_many_calls_as_it_takes_and_loses_nothing() -> Result<()> {
    let system = System::new(pipes![[Valley, finite::Counted, finite::Counted]])?;
    let mut runner = SingleThreadedRunner::new(&system, few(Env::new()))?;
    runner.start()?;
    runner.get::<Valley>()?.save(&mut Shout::begin())?;
    let mut calls = 1;
    while runner.watch_for_errors(Duration::ZERO).is_err() {
        runner.process();
        calls += 1;
    }
    assert!((2..20).contains(&calls), "{calls}");
    let counted = runner.get::<finite::Counted>()?;
    assert_eq!(counted.notification_log().head()?, finite::ANSWERS + 1);
    runner.wait_until_idle(PATIENCE)
}

/// An application whose policy answers by saving to another one, so that no pipe leads back.
mod answering {
    use std::sync::{Arc, OnceLock};

    use super::*;

    #[process_application]
    pub(super) struct Wall {
        pub(super) valley: OnceLock<Arc<Valley>>,
    }

    #[process_application]
    impl Wall {
        #[policy(Shout::*)]
        fn answer(&self, _: &DomainEvent<ShoutEvent>, _: &mut ProcessingEvent) -> Result<()> {
            let valley = self.valley.get().expect("it is set before the start");
            valley.save(&mut Shout::begin()).map(drop)
        }
    }

    pub(super) fn open(env: Env) -> Result<Wall> {
        Wall::new(env, OnceLock::new())
    }
}

#[test]
fn a_policy_that_saves_to_the_application_that_it_follows_is_such_a_cycle() -> Result<()> {
    use answering::{Wall, open};
    for (pipes, names) in [
        (pipes![[Valley, Wall = open]], &["Valley", "Wall"][..]),
        (
            pipes![[Valley, Ping, Pong, Wall = open]],
            &["Valley", "Ping", "Pong", "Wall"],
        ),
    ] {
        let mut runner = SingleThreadedRunner::new(&System::new(pipes)?, few(Env::new()))?;
        let valley = runner.get::<Valley>()?;
        let wall = runner.get::<Wall>()?;
        assert!(wall.valley.set(valley.clone()).is_ok());
        runner.start()?;
        valley.save(&mut Shout::begin())?;
        let error = runner.watch_for_errors(PATIENCE).expect_err("no end");
        let Error::EndlessCycle { applications, .. } = &error else {
            panic!("{error}")
        };
        assert_eq!(applications, names);
        runner.stop()?;
    }
    Ok(())
}

#[test]
fn policies_that_save_to_an_application_that_does_not_answer_are_no_cycle() -> Result<()> {
    use answering::{Wall, open};
    let system = System::new(pipes![[Ping, Wall = open], [Valley, Pong]])?;
    let mut runner = SingleThreadedRunner::new(&system, few(Env::new()))?;
    let valley = runner.get::<Valley>()?;
    assert!(runner.get::<Wall>()?.valley.set(valley).is_ok());
    runner.start()?;
    let mut shouts: Vec<_> = (0..300).map(|_| Shout::begin()).collect();
    runner.get::<Ping>()?.save(&mut shouts[..])?;
    runner.watch_for_errors(Duration::ZERO)?;
    assert_eq!(runner.get::<Pong>()?.position_in("Valley")?, Some(300));
    runner.stop()
}

#[test]
fn what_was_there_before_is_processed_by_one_call() -> Result<()> {
    let env = Env::new().with_store(std::sync::Arc::new(FaultyStores::in_memory()));
    let valley = Valley::new(env.clone())?;
    let mut shouts: Vec<_> = (0..500).map(|_| Shout::begin()).collect();
    valley.save(&mut shouts[..])?;
    let system = System::new(pipes![[Valley, finite::Counted, Ping], [Ping, Ping]])?;
    // Only `Ping` is in a cycle, and it answers the events of before as well as its own.
    let mut runner = SingleThreadedRunner::new(&system, few(env))?;
    let error = runner.start().expect_err("it has no end");
    assert_names(&error, &["Ping"]);
    assert_eq!(
        runner.get::<finite::Counted>()?.position_in("Valley")?,
        Some(500)
    );
    // Ten answers for each event of before are no sign of a cycle without end.
    let Error::EndlessCycle { events, .. } = error else {
        panic!("{error}")
    };
    assert!(events >= 100 + 10 * 500, "{events}");
    Ok(())
}

/// Programs of one application that follows itself. The second one replays for an added policy.
mod replaying {
    use super::*;

    pub(super) mod before {
        use super::*;

        #[process_application(name = "Echo")]
        pub struct Echo;

        #[process_application]
        impl Echo {
            #[policy(Shout::Begun)]
            fn begun(&self, _: &DomainEvent<ShoutBegun>, _: &mut ProcessingEvent) -> Result<()> {
                Ok(())
            }
        }
    }

    pub(super) mod after {
        use super::*;

        #[process_application(name = "Echo")]
        pub struct Echo;

        #[process_application]
        impl Echo {
            #[policy(Shout::Begun)]
            fn begun(&self, _: &DomainEvent<ShoutBegun>, _: &mut ProcessingEvent) -> Result<()> {
                Ok(())
            }

            #[policy(Shout::Heard, added = replay)]
            fn heard(&self, _: &DomainEvent<ShoutHeard>, _: &mut ProcessingEvent) -> Result<()> {
                Ok(())
            }
        }
    }
}

#[test]
fn what_a_replay_has_left_was_there_before() -> Result<()> {
    use replaying::{after, before};
    let env = few(Env::new().with_store(std::sync::Arc::new(FaultyStores::in_memory())));
    let system = System::new(pipes![[before::Echo, before::Echo]])?;
    let mut runner = SingleThreadedRunner::new(&system, env.clone())?;
    let mut shout = Shout::begin();
    (0..500).for_each(|_| shout.hear());
    runner.get::<before::Echo>()?.save(&mut shout)?;
    runner.start()?;
    runner.stop()?;
    let system = System::new(pipes![[after::Echo, after::Echo]])?;
    let mut runner = SingleThreadedRunner::new(&system, env)?;
    runner.start()?;
    runner.wait_until_idle(PATIENCE)
}

#[test]
fn a_runner_can_be_stopped_from_another_thread_while_a_cycle_feeds_itself() -> Result<()> {
    let system = System::new(pipes![[Valley, Ping, Pong, Ping]])?;
    let endless = Env::new().with("CYCLE_EVENTS_MAX", "0");
    let mut runner = SingleThreadedRunner::new(&system, endless)?;
    runner.start()?;
    let valley = runner.get::<Valley>()?;
    let pong = runner.get::<Pong>()?;
    thread::scope(|scope| -> Result<()> {
        let shouting = scope.spawn(|| valley.save(&mut Shout::begin()));
        while pong.notification_log().head()? < 10 {
            thread::yield_now();
        }
        runner.stop_within(PATIENCE)?;
        shouting.join().expect("no panic").map(drop)
    })
}
