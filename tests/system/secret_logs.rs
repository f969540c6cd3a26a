//! The values that the driver of PostgreSQL logs, and the directive of the guide that prevents it.

use std::io;
use std::sync::{Arc, Mutex};

use es_system::prelude::*;
use es_system::testing::postgres::database;
use tests::domain::{Dog, DogSchool, DogTrickAdded};
use tracing_log::LogTracer;
use tracing_subscriber::EnvFilter;

const SECRET: &str = "a trick that nobody may know";

/// A read model that keeps values.
#[projection]
struct Known;

#[projection]
impl Known {
    fn tables(tx: &mut Transaction<'_>) -> Result<()> {
        let tricks = tx.table("tricks");
        tx.execute(&format!("CREATE TABLE {tricks} (trick TEXT)"), &[])?;
        Ok(())
    }

    #[policy(Dog::TrickAdded)]
    fn keep(&self, event: &DomainEvent<DogTrickAdded>, tx: &mut Transaction<'_>) -> Result<()> {
        let tricks = tx.table("tricks");
        tx.execute(
            &format!("INSERT INTO {tricks} VALUES ($1)"),
            &[&event.trick],
        )?;
        Ok(())
    }
}

#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<u8>>>);

impl io::Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().expect("no panic").write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Returns what is logged with these directives while a system works on a server.
fn logged(directives: &str, env: &Env) -> Result<String> {
    let lines = Lines::default();
    let writer = lines.clone();
    let subscriber = tracing_subscriber::fmt()
        .with_env_filter(EnvFilter::new(directives))
        .with_writer(move || writer.clone())
        .finish();
    crate::logged::with_subscriber(subscriber, || -> Result<()> {
        let system = System::new(pipes![[DogSchool, Known]])?;
        let mut runner = SingleThreadedRunner::new(&system, env.clone())?;
        runner.start()?;
        let school = runner.get::<DogSchool>()?;
        school
            .register_dog("Billy")
            .or_else(|_| Ok::<_, Error>(()))?;
        school.add_trick("Billy", SECRET)?;
        runner.watch_for_errors(Duration::ZERO)?;
        assert!(school.get_dog("Billy")?.tricks.contains(&SECRET.to_owned()));
        runner.stop()
    })?;
    let bytes = lines.0.lock().expect("no panic").clone();
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// Returns true if the secret is there as text, or as the bytes of a state.
fn shows_the_secret(logged: &str) -> bool {
    let bytes: Vec<_> = SECRET.bytes().map(|byte| byte.to_string()).collect();
    logged.contains(SECRET) || logged.contains(&bytes.join(", "))
}

#[test]
fn with_the_directive_of_the_guide_nothing_that_is_logged_has_a_value() -> Result<()> {
    let Some(database) = database() else {
        return Ok(());
    };
    // Another test of this program cannot have set it.
    LogTracer::init().expect("the first");
    let guide = include_str!("../../es-system/src/guide/operating.md");
    let directives = "debug,tokio_postgres=warn";
    assert!(
        guide.contains(directives),
        "it is the directive of the guide"
    );
    let env = database.env();
    let quiet = logged(directives, &env)?;
    assert!(!shows_the_secret(&quiet), "{quiet}");
    let all = logged("debug", &env)?;
    assert!(shows_the_secret(&all), "the driver shows parameters");
    Ok(())
}
