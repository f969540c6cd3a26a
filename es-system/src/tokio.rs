//! Calls applications and runners from async code, on threads that may block.
//!
//! Applications block while they read and write. The driver of PostgreSQL refuses calls from inside
//! an async task with an [`Error::Usage`]. So hand the calls to tokio's threads for blocking work:
//!
//! ```
//! use std::sync::Arc;
//!
//! use es_system::prelude::*;
//! use es_system::tokio::{blocking, run};
//! # #[aggregate]
//! # pub struct Dog { pub name: String }
//! # #[aggregate]
//! # impl Dog {
//! #     #[id]
//! #     pub fn create_id(name: &str) -> Uuid { Uuid::new_v5(&Uuid::NAMESPACE_URL, name.as_bytes()) }
//! #     #[event(Registered)]
//! #     pub fn register(name: &str) -> Self { Self { name: name.to_owned() } }
//! # }
//! # #[application]
//! # pub struct DogSchool;
//! # impl DogSchool {
//! #     pub fn register_dog(&self, name: &str) -> Result<()> { self.save(&mut Dog::register(name)).map(drop) }
//! #     pub fn get_dog(&self, name: &str) -> Result<Dog> { self.repository().get(Dog::create_id(name)) }
//! # }
//!
//! async fn register(env: Env) -> Result<()> {
//!     let school = Arc::new(blocking(|| DogSchool::new(env)).await?);
//!     run(&school, |school| school.register_dog("Billy")).await?;
//!     let billy = run(&school, |school| school.get_dog("Billy")).await?;
//!     assert_eq!(billy.name, "Billy");
//!     Ok(())
//! }
//! # let runtime = ::tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
//! # runtime.block_on(register(Env::new()))?;
//! # Ok::<(), Error>(())
//! ```
//!
//! A runner is started, waited for and stopped in the same way. A `MultiThreadedRunner` has threads
//! of its own, so its policies may block. Applications and runners may be dropped anywhere;
//! dropping a runner waits for its policies.

use std::panic::resume_unwind;
use std::sync::Arc;

use ::tokio::runtime::Handle;
use es_core::source;

use crate::error::{Error, Result};

/// Runs `work` with an application or a runner on a thread that may block.
///
/// If the returned future is dropped, the work still runs to its end. The thread inherits the
/// [source] of time and ids. A panic in `work` continues in the caller.
///
/// # Errors
/// Returns the error of `work`, or [`Error::Usage`] if there is no tokio runtime or if it was shut
/// down before the work began.
pub async fn run<A, T, E>(
    on: &Arc<A>,
    work: impl FnOnce(&A) -> Result<T, E> + Send + 'static,
) -> Result<T, E>
where
    A: Send + Sync + 'static,
    T: Send + 'static,
    E: From<Error> + Send + 'static,
{
    let on = on.clone();
    blocking(move || work(&on)).await
}

/// Runs `work` on a thread that may block, for example to open an application or start a runner.
///
/// # Errors
/// Fails as [`run`] does.
pub async fn blocking<T, E>(work: impl FnOnce() -> Result<T, E> + Send + 'static) -> Result<T, E>
where
    T: Send + 'static,
    E: From<Error> + Send + 'static,
{
    let source = source::current();
    let runtime = Handle::try_current().map_err(|error| Error::Usage(error.to_string()))?;
    let work = runtime.spawn_blocking(move || source::with_source(source, work));
    match work.await.map_err(|error| error.try_into_panic()) {
        Ok(done) => done,
        Err(Ok(panic)) => resume_unwind(panic),
        Err(Err(error)) => Err(Error::Usage(format!(
            "the async runtime was shut down before the work began: {error}"
        ))
        .into()),
    }
}
