//! Calls from async code: work that is handed over succeeds on every store, and a call that would
//! block a task is an error.

use std::future::Future;
use std::sync::Arc;

use es_system::prelude::*;
use es_system::testing::FixedSource;
use es_system::testing::source;
use es_system::tokio::{blocking, run};
use tests::domain::{Counters, Dog, DogSchool};
use tests::{PATIENCE, Place, places, postgres};
use tokio::runtime::{Builder, Runtime};

fn runtimes() -> [Runtime; 2] {
    let builders = [Builder::new_current_thread(), Builder::new_multi_thread()];
    builders.map(|mut builder| builder.build().expect("a runtime"))
}

/// Does `work` on each store, in a runtime of each kind.
fn everywhere<F: Future<Output = Result<()>>>(work: impl Fn(Env, &'static str) -> F) -> Result<()> {
    for turn in 0..2 {
        for Place { name, env, .. } in places() {
            runtimes()[turn].block_on(work(env, name))?;
        }
    }
    Ok(())
}

/// Does `work` on PostgreSQL, where it is available.
fn on_postgres<F: Future<Output = Result<()>>>(work: impl Fn(Env) -> F) -> Result<()> {
    for runtime in runtimes() {
        if let Some(Place { env, .. }) = postgres() {
            runtime.block_on(work(env))?;
        }
    }
    Ok(())
}

async fn started<R: Runner + Send + Sync + 'static>(env: Env) -> Result<Arc<R>> {
    blocking(|| {
        let mut runner = R::new(&System::new(pipes![[DogSchool, Counters]])?, env)?;
        runner.start()?;
        Ok(Arc::new(runner))
    })
    .await
}

async fn commands(school: &Arc<DogSchool>, name: &str) -> Result<()> {
    run(school, |school| school.register_dog("Billy")).await?;
    let teach = |_| {
        let school = school.clone();
        tokio::spawn(async move {
            run(&school, |school| {
                school.execute::<Dog, _>(Dog::create_id("Billy"), |dog| {
                    dog.add_trick("sit");
                    Ok(())
                })
            })
            .await
        })
    };
    let taught: Vec<_> = (0..8).map(teach).collect();
    for taught in taught {
        taught.await.expect("no panic")?;
    }
    let billy = run(school, |school| school.get_dog("Billy")).await?;
    assert_eq!(billy.version(), 9, "{name}");
    Ok(())
}

#[test]
fn a_system_is_run_from_a_tokio_runtime_and_dropped_there() -> Result<()> {
    async fn flow<R: Runner + Send + Sync + 'static>(env: Env, name: &str) -> Result<()> {
        let runner = started::<R>(env).await?;
        let school = run(&runner, |runner| runner.get::<DogSchool>()).await?;
        commands(&school, name).await?;
        run(&runner, |runner| runner.wait_until_idle(PATIENCE)).await?;
        let counters = runner.get::<Counters>()?;
        let count = run(&counters, |counters| counters.get_count("sit")).await?;
        assert_eq!(count, 8, "{name}");
        drop(runner);
        drop((school, counters));
        Ok(())
    }
    everywhere(flow::<SingleThreadedRunner>)?;
    everywhere(flow::<MultiThreadedRunner>)
}

#[test]
fn an_application_is_dropped_in_a_task() -> Result<()> {
    everywhere(|env, name| async move {
        let school = Arc::new(blocking(|| DogSchool::new(env)).await?);
        commands(&school, name).await?;
        drop(school);
        Ok(())
    })
}

fn is_told_where_to_do_it<T>(done: Result<T>) {
    let Err(error) = done else {
        panic!("it would block a task");
    };
    assert_eq!(error.kind(), ErrorKind::Usage, "{error}");
    for expected in [
        "DogSchool: PostgreSQL database",
        "es_system::tokio::run",
        "spawn_blocking",
    ] {
        assert!(error.to_string().contains(expected), "{error}");
    }
}

#[test]
fn on_postgresql_what_would_block_a_task_is_an_error_that_says_where_to_do_it() -> Result<()> {
    on_postgres(|env| async move {
        is_told_where_to_do_it(DogSchool::new(env.clone()));
        let school = blocking(|| DogSchool::new(env)).await?;
        for _ in 0..2 {
            let mut billy = Dog::register("Billy");
            is_told_where_to_do_it(school.save(&mut billy));
            assert_eq!(billy.pending_events().len(), 1);
            is_told_where_to_do_it(school.get_dog("Billy"));
            is_told_where_to_do_it(school.subscribe(0));
            is_told_where_to_do_it(school.notification_log().select(1, 10));
            tokio::task::yield_now().await;
        }
        let school = Arc::new(school);
        commands(&school, "after the errors").await?;
        let spawned = school.clone();
        let told = tokio::spawn(async move { is_told_where_to_do_it(spawned.get_dog("Billy")) });
        told.await.expect("an error, no panic");
        Ok(())
    })
}

#[test]
fn on_postgresql_any_thread_that_may_block_will_do() -> Result<()> {
    on_postgres(|env| async move {
        let register = || DogSchool::new(env)?.register_dog("Billy");
        tokio::task::spawn_blocking(register)
            .await
            .expect("no panic")
    })?;
    if let (Some(Place { env, .. }), [_, several]) = (postgres(), runtimes()) {
        let work =
            async { tokio::task::block_in_place(|| DogSchool::new(env)?.register_dog("Billy")) };
        several.block_on(work)?;
    }
    let [runtime, _] = runtimes();
    let _entered = runtime.enter();
    if let Some(Place { env, .. }) = postgres() {
        DogSchool::new(env)?.register_dog("Billy")?;
    }
    Ok(())
}

#[test]
fn where_nothing_blocks_for_long_a_task_may_call_directly() -> Result<()> {
    for runtime in runtimes() {
        for Place { env, .. } in places()
            .into_iter()
            .filter(|place| place.name != "postgres")
        {
            runtime.block_on(async { DogSchool::new(env)?.register_dog("Billy") })?;
        }
    }
    Ok(())
}

#[test]
fn the_source_of_time_and_ids_is_handed_over() -> Result<()> {
    let fixed = "2024-01-02T03:04:05+00:00".parse().expect("a time");
    let [runtime, _] = runtimes();
    let billy = source::with_source(Some(Arc::new(FixedSource::starting_at(fixed))), || {
        runtime.block_on(blocking(|| Ok::<_, Error>(Dog::register("Billy"))))
    })?;
    assert_eq!(billy.created_on(), fixed);
    Ok(())
}

#[test]
fn a_panic_goes_on_in_the_caller() {
    let [runtime, _] = runtimes();
    let panics = || runtime.block_on(blocking::<(), Error>(|| panic!("told to panic")));
    let panicked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(panics));
    let panic = panicked.expect_err("it panics");
    assert_eq!(panic.downcast_ref::<&str>(), Some(&"told to panic"));
}

#[test]
fn without_a_runtime_it_is_an_error() {
    let mut context = std::task::Context::from_waker(std::task::Waker::noop());
    let work = std::pin::pin!(blocking(|| Ok::<_, Error>(())));
    let std::task::Poll::Ready(Err(error)) = work.poll(&mut context) else {
        panic!("there is no runtime");
    };
    assert_eq!(error.kind(), ErrorKind::Usage, "{error}");
}
