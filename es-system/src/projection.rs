//! Projections: read models in SQL tables of the user's, changed in the transaction that moves the
//! position.

pub(crate) mod progress;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use es_core::__private::panic_message;
use es_store::{Env, StoreError, TopicFilter, Transaction};

use crate::application::{Application, store_errors};
use crate::error::{BoxError, Error, Result};
use crate::policy::begin::Begin;
use crate::policy::context::Context;
use crate::policy::kinds::{Bind, FollowerType};
use crate::policy::policy_set::DeclaredPolicies;
use crate::policy::received::Received;
use crate::policy::rules::Rules;
use crate::policy::table::{self, Policies};
use crate::policy::work::{MakeTables, Project, Work};

/// A read model in SQL tables, which its policies change exactly once for each event.
///
/// `#[projection]` on a struct and on its impl block implements it. It cannot be implemented by
/// hand. Use it as the bound of code for any projection.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no projection: it has no tables",
    label = "needs `#[projection]` on `struct {Self}` and on `impl {Self}`"
)]
pub trait Projection: FollowerType<Context = InTables> {}

/// The context of policies that change tables.
pub struct InTables;

impl Context for InTables {
    type Of<'t> = Transaction<'t>;

    type Setup = Option<MakeTables>;
}

impl Bind for InTables {
    fn bind<A: FollowerType<Context = Self>>(application: Arc<A>) -> Result<Work> {
        let policies = table::checked(A::policies())?;
        let make_tables = policies.setup.unwrap_or(|_| Ok(()));
        let rules = policies.rules(&application)?;
        prepare(&application, make_tables)?;
        Ok(Work::Projection(Arc::new(BoundProjection {
            application,
            policies,
            rules,
            make_tables,
        })))
    }
}

impl<A> Policies<A, InTables> {
    /// Returns a table without entries, for handlers that change the tables that `make` creates.
    pub fn in_tables(make: MakeTables) -> Self {
        Self::with(Some(make))
    }
}

struct BoundProjection<A> {
    application: Arc<A>,
    policies: Policies<A, InTables>,
    rules: Rules,
    make_tables: MakeTables,
}

impl<A: FollowerType<Context = InTables>> Project for BoundProjection<A> {
    fn topics(&self) -> Option<TopicFilter> {
        self.policies.topics()
    }

    fn policies(&self) -> DeclaredPolicies {
        self.policies.set().clone()
    }

    fn rules(&self) -> &Rules {
        &self.rules
    }

    fn begin(&self) -> Begin {
        self.policies.begin()
    }

    fn project(&self, received: &Received<'_>, tx: &mut Transaction<'_>) -> Result<(), BoxError> {
        self.policies.run(&self.application, received, tx)
    }

    fn make_tables(&self) -> MakeTables {
        self.make_tables
    }
}

/// Opens the application of a projection, and creates its tables if they are missing.
pub(crate) fn open<A: Projection>(env: Env) -> Result<Application> {
    let application = Application::open(A::NAME, A::ROLE, env)?;
    prepare(&application, A::policies().setup.unwrap_or(|_| Ok(())))?;
    Ok(application)
}

fn prepare(application: &Application, make_tables: MakeTables) -> Result<()> {
    refuse_memory(application)?;
    let create = application.env().boolean("CREATE_TABLE", true);
    let create = create.map_err(|e| Error::env(application.name(), e))?;
    application.policy_timeout()?;
    let mut own = None;
    let prepared = application
        .tables()?
        .prepare(create, &mut making(application, make_tables, &mut own));
    prepared.map_err(|error| own.unwrap_or_else(|| application.store_error(error)))
}

/// Adapts the function that creates the tables to the store's interface. An error of the function
/// itself, rather than of its transaction, is put into `own`.
pub(crate) fn making<'a>(
    application: &'a Application,
    make: MakeTables,
    own: &'a mut Option<Error>,
) -> impl FnMut(&mut Transaction<'_>) -> Result<(), StoreError> + 'a {
    move |tx| {
        let made = catch_unwind(AssertUnwindSafe(|| make(tx)));
        let made =
            made.unwrap_or_else(|panic| Err(format!("panicked: {}", panic_message(panic)).into()));
        let Err(error) = made else { return Ok(()) };
        if let Some(failure) = tx.failure() {
            return Err(failure);
        }
        let problem = format!("its tables cannot be created: {error}");
        *own = Some(Error::configuration(application.name(), problem.clone()));
        Err(StoreError::Configuration(problem))
    }
}

fn refuse_memory(application: &Application) -> Result<()> {
    let env = application.env();
    let module = env.get("PERSISTENCE_MODULE").unwrap_or("memory");
    if env.store().is_some() || !matches!(module, "memory" | "eventsourcing.popo") {
        return Ok(());
    }
    let name = application.name().to_uppercase();
    Err(Error::configuration(
        application.name(),
        format!(
            "a projection keeps SQL tables, and PERSISTENCE_MODULE is `{module}`: set {name}_PERSISTENCE_MODULE to \
             `postgres` or `sqlite`; with {name}_SQLITE_DBNAME `:memory:` they are in memory, too"
        ),
    ))
}

/// Reads the tables in a transaction that sees one moment and changes nothing.
pub(crate) fn read<T>(
    application: &Application,
    work: impl FnOnce(&mut Transaction<'_>) -> Result<T>,
) -> Result<T> {
    application.refuse_inside_policy("read", "use the transaction that the handler was given")?;
    let mut work = Some(work);
    let mut outcome = None;
    let read = application
        .tables()?
        .read(&mut |tx| outcome = work.take().map(|work| work(tx)));
    read.map_err(|error| application.store_error(error))?;
    let never = || {
        Err(Error::Usage(format!(
            "{}: nothing was read",
            application.name()
        )))
    };
    // The caller may be a policy of another application.
    outcome
        .unwrap_or_else(never)
        .inspect_err(store_errors::record)
}
