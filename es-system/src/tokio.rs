//! For async callers: commands, queries and runners on threads that may block.
//!
//! Applications block while they read and write, and the driver of PostgreSQL cannot be called in the middle of an async task
//! at all: it is an [`Error::Usage`] there. So whatever an application or a runner does is handed to tokio's threads for work
//! that blocks:
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
//! A runner is started, waited for and stopped in the same way. The threads of a `MultiThreadedRunner` are its own, and its
//! policies may block. Applications and runners may be dropped anywhere; a runner that is dropped waits for its policies.

use std::panic::resume_unwind;
use std::sync::Arc;

use ::tokio::runtime::Handle;
use es_core::source;

use crate::error::{Error, Result};

/// Does `work` with an application (or a runner) on a thread that may block.
///
/// When what is returned is dropped, the work goes on to its end all the same. The thread inherits the
/// [source] of time and ids. A panic in `work` goes on in the caller.
///
/// # Errors
/// What `work` returned; [`Error::Usage`] when there is no tokio runtime, or it was shut down before the work began.
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

/// Does `work` on a thread that may block: opens an application, starts a runner.
///
/// # Errors
/// As [`run`].
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
