//! An aggregate of one application is never kept or cached as that of another, though both have one
//! of the same id at the same version.

use std::sync::{Arc, OnceLock};

use es_system::Application;
use es_system::prelude::*;
use es_system::store::Role;
use tests::PATIENCE;
use tests::domain::{Dog, DogSchool, DogTrickAdded};

#[aggregate]
#[derive(Clone, Serialize, Deserialize)]
struct Sum {
    total: u64,
}

#[aggregate(vis = pub(self))]
impl Sum {
    #[id]
    fn create_id(name: &str) -> Uuid {
        Uuid::new_v5(&Uuid::NAMESPACE_URL, name.as_bytes())
    }

    #[event(Begun)]
    fn begin(name: &str) -> Self {
        let _ = name;
        Self { total: 0 }
    }

    #[event(Added)]
    fn add(&mut self, number: u64) {
        self.total += number;
    }
}

fn sum_of(application: &Application) -> Result<Sum> {
    application.repository().get(Sum::create_id("all"))
}

/// Adds to a sum, of which the trick tells whose it is.
#[process_application]
struct Sums {
    elsewhere: OnceLock<Arc<Application>>,
}

#[process_application]
impl Sums {
    #[policy(Dog::TrickAdded)]
    fn add(
        &self,
        event: &DomainEvent<DogTrickAdded>,
        processing_event: &mut ProcessingEvent,
    ) -> Result<()> {
        let elsewhere = self.elsewhere.get().expect("it is set before the start");
        let own = sum_of(self)?;
        let recorded: Sum = self.repository().get_at(own.id().clone(), own.version())?;
        if own.total != recorded.total {
            let (own, recorded) = (own.total, recorded.total);
            return Err(Error::Usage(format!("{own} in place of {recorded}")));
        }
        let mut sum = match event.trick.as_str() {
            "elsewhere" => sum_of(elsewhere)?,
            "after own" => {
                drop(own);
                sum_of(elsewhere)?
            }
            _ => own,
        };
        sum.add(1);
        processing_event.collect_events(&mut sum);
        Ok(())
    }
}

impl Sums {
    fn open(env: Env) -> Result<Self> {
        Self::new(env, OnceLock::new())
    }
}

/// Saves a sum with its second event.
fn save(application: &Application, number: u64) -> Result<()> {
    let mut sum = Sum::begin("all");
    sum.add(number);
    application.save(&mut sum)?;
    Ok(())
}

#[test]
fn what_a_policy_loads_from_another_application_is_not_kept_as_its_own() -> Result<()> {
    for cache in ["0", "9"] {
        for trick in ["elsewhere", "after own"] {
            for is_one_batch in [true, false] {
                let env = Env::new().with("AGGREGATE_CACHE_MAXSIZE", cache);
                let elsewhere =
                    Arc::new(Application::open("Elsewhere", Role::Leader, env.clone())?);
                save(&elsewhere, 100)?;
                let system = System::new(pipes![[DogSchool, Sums = Sums::open]])?;
                let mut runner = SingleThreadedRunner::new(&system, env)?;
                let (school, sums) = (runner.get::<DogSchool>()?, runner.get::<Sums>()?);
                assert!(sums.elsewhere.set(elsewhere).is_ok());
                save(&sums, 7)?;
                runner.start()?;
                let mut dog = Dog::register("Billy");
                for trick in [trick, "own", "own"] {
                    dog.add_trick(trick);
                    if !is_one_batch {
                        school.save(&mut dog)?;
                    }
                }
                school.save(&mut dog)?;
                runner.wait_until_idle(PATIENCE)?;
                assert_eq!(sum_of(&sums)?.total, 10, "{trick}, cache {cache}");
            }
        }
    }
    Ok(())
}

#[test]
fn what_a_command_loads_from_another_application_is_not_cached_as_its_own() -> Result<()> {
    for fast_forward in ["y", "n"] {
        let env = Env::new()
            .with("AGGREGATE_CACHE_MAXSIZE", "9")
            .with("AGGREGATE_CACHE_FASTFORWARD", fast_forward);
        let one = Application::open("One", Role::Leader, env.clone())?;
        let other = Application::open("Other", Role::Leader, env)?;
        save(&one, 100)?;
        save(&other, 7)?;
        let mut sum = sum_of(&one)?;
        sum.add(1);
        other.save(&mut sum)?;
        assert_eq!(sum_of(&other)?.total, 8, "{fast_forward}");
        // What it has made itself is cached.
        let mut sum = sum_of(&other)?;
        sum.add(1);
        other.save(&mut sum)?;
        assert_eq!(sum_of(&other)?.total, 9, "{fast_forward}");
    }
    Ok(())
}
