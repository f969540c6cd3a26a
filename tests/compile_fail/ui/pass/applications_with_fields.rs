//! An application may have fields of its own: `new` takes them in order, and a system is told how
//! to make one.

#![deny(warnings, missing_docs, unreachable_pub, unused, rust_2018_idioms)]
#![deny(clippy::all, clippy::pedantic, clippy::nursery)]
#![allow(clippy::unnecessary_wraps, reason = "it is written so on purpose")]

use std::sync::{Arc, Mutex};

use es_system::prelude::*;

type Letters = Arc<Mutex<Vec<String>>>;

/// A dog.
#[aggregate]
struct Dog {}

#[aggregate(vis = pub(self))]
impl Dog {
    #[event(Registered)]
    fn register(name: &str) -> Self {
        Self {}
    }
}

/// A school with what it needs.
#[application]
#[derive(Clone)]
struct School {
    /// Who brings the letters.
    pub(crate) letters: Letters,
    env: &'static str,
    application: u8,
    #[cfg(any())]
    never: NoSuchType,
}

impl School {
    fn register(&self, name: &str) -> Result<()> {
        self.save(&mut Dog::register(name))?;
        assert_eq!(self.application, 1);
        self.letters
            .lock()
            .expect("nobody panics")
            .push(format!("{} {name}", self.env));
        Ok(())
    }
}

/// A follower with what it needs.
#[process_application(name = "Post")]
struct Postman {
    letters: Letters,
}

#[process_application]
impl Postman {
    #[policy(Dog::Registered)]
    fn welcome(&self, event: &DomainEvent<DogRegistered>, _: &mut ProcessingEvent) -> Result<()> {
        self.letters
            .lock()
            .expect("nobody panics")
            .push(format!("to {}", event.name));
        Ok(())
    }
}

/// It may have braces, and no field.
#[application]
struct Empty {}

#[test]
fn main() -> Result<()> {
    let (letters, posted) = (Letters::default(), Letters::default());
    let (sent, received) = (letters.clone(), posted.clone());
    let system = System::new(pipes![
        [
            School = move |env| School::new(env, sent.clone(), "Dear", 1),
            Postman = move |env| Postman::new(env, received.clone()),
        ],
        [Empty],
    ])?;
    let mut runner = SingleThreadedRunner::new(&system, Env::new())?;
    runner.start()?;
    let school = runner.get::<School>()?;
    school.register("Billy")?;
    school.as_ref().clone().register("Milly")?;
    assert_eq!(
        *letters.lock().expect("nobody panics"),
        ["Dear Billy", "Dear Milly"]
    );
    assert_eq!(
        *posted.lock().expect("nobody panics"),
        ["to Billy", "to Milly"]
    );
    assert!(format!("{:?}", Empty::new(Env::new())?).starts_with("Empty"));
    Ok(())
}
