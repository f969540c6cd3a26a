//! Applications with fields of their own, in systems on every store.

use std::sync::{Arc, Mutex};

use es_system::prelude::*;
use tests::domain::{Dog, DogSchool, DogTrickAdded};
use tests::{PATIENCE, Place, places};

/// The messages that were sent, with their senders.
#[derive(Clone, Default)]
struct Mailer {
    sent: Arc<Mutex<Vec<String>>>,
}

impl Mailer {
    fn send(&self, letter: String) {
        self.sent.lock().expect("no sender panics").push(letter);
    }

    fn sent(&self) -> Vec<String> {
        self.sent.lock().expect("no sender panics").clone()
    }
}

#[application(name = "North")]
struct School {
    mailer: Mailer,
    town: String,
}

impl School {
    fn register(&self, name: &str) -> Result<()> {
        let mut dog = Dog::register(name);
        dog.add_trick("sit");
        self.save(&mut dog)?;
        self.mailer.send(format!("{name} of {}", self.town));
        Ok(())
    }
}

#[process_application(name = "Watcher")]
struct Post {
    mailer: Mailer,
}

#[process_application]
impl Post {
    #[policy(Dog::TrickAdded)]
    fn tell(&self, event: &DomainEvent<DogTrickAdded>, _: &mut ProcessingEvent) -> Result<()> {
        self.mailer
            .send(format!("{} at {}", event.trick, event.notification_id));
        Ok(())
    }
}

fn run<R: Runner>(env: Env, name: &str) -> Result<()> {
    let mailer = Mailer::default();
    let of_school = mailer.clone();
    let of_post = mailer.clone();
    let post = move |env| Post::new(env, of_post.clone());
    let system = System::new(pipes![
        [
            School = move |env| School::new(env, of_school.clone(), "Rome".to_owned()),
            Post = post.clone()
        ],
        [DogSchool, Post = post],
    ])?;
    for round in 0..2_u64 {
        let mut runner = R::new(&system, env.clone())?;
        runner.start()?;
        runner
            .get::<School>()?
            .register(&format!("Billy {round}"))?;
        runner.wait_until_idle(PATIENCE)?;
        runner.stop()?;
    }
    let sent = mailer.sent();
    let by_school = |round| format!("Billy {round} of Rome");
    for round in 0..2 {
        assert!(sent.contains(&by_school(round)), "{name}: {sent:?}");
    }
    let by_post = sent.iter().filter(|letter| letter.starts_with("sit at "));
    assert_eq!((by_post.count(), sent.len()), (2, 4), "{name}: {sent:?}");
    Ok(())
}

#[test]
fn a_system_makes_applications_with_fields_for_each_runner() -> Result<()> {
    for Place { name, env, .. } in places() {
        run::<SingleThreadedRunner>(env, name)?;
    }
    for Place { name, env, .. } in places() {
        run::<MultiThreadedRunner>(env, name)?;
    }
    Ok(())
}

#[test]
fn a_factory_that_fails_is_the_error_of_the_runner() -> Result<()> {
    let refuse = |_| Err(Error::Usage("no mailer today".to_owned()));
    let system = System::new(pipes![[School = refuse]])?;
    let Err(error) = SingleThreadedRunner::new(&system, Env::new()) else {
        panic!("the factory refuses");
    };
    assert_eq!(error.to_string(), "no mailer today");
    Ok(())
}
