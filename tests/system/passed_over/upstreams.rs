//! Applications that list the aggregates that they save: a save of another one is refused, and so
//! is a system with a policy whose events no upstream records.

use es_system::prelude::*;
use tests::{PATIENCE, Place, places};

macro_rules! aggregates {
    ($($name:ident in $topic:literal),*) => {
        $(#[aggregate(topic = $topic)]
        pub struct $name {}

        #[aggregate]
        impl $name {
            #[event(Made)]
            pub fn make() -> Self {
                Self {}
            }

            #[event(Used)]
            pub fn make_use(&mut self) {}
        })*
    };
}

aggregates!(Dog in "school:Dog", Cat in "school:Cat", Count in "Count", Entries in "Entries");

#[application(aggregates(Dog, Cat))]
struct DogSchool;

#[application(aggregates(Cat))]
struct North;

#[application]
struct South;

#[process_application(aggregates(Count))]
struct Counters;

#[process_application]
impl Counters {
    #[policy(Cat::Made, Cat::Used)]
    fn cats(&self, _: &DomainEvent<CatEvent>, on: &mut ProcessingEvent) -> Result<()> {
        on.collect_events(&mut Count::make());
        Ok(())
    }

    #[policy(Dog::Used)]
    fn dogs(&self, _: &DomainEvent<DogUsed>, on: &mut ProcessingEvent) -> Result<()> {
        on.collect_events(&mut Dog::make());
        Ok(())
    }
}

#[process_application]
struct Watcher;

#[process_application]
impl Watcher {
    #[policy(Count::*)]
    fn watch(&self, _: &DomainEvent<CountEvent>, _: &mut ProcessingEvent) -> Result<()> {
        Ok(())
    }

    #[policy(_)]
    fn rest(&self, _: &UndecodedEvent, _: &mut ProcessingEvent) -> Result<()> {
        Ok(())
    }
}

#[projection]
struct TrickTable;

#[projection]
impl TrickTable {
    fn tables(_: &mut Transaction<'_>) -> Result<()> {
        Ok(())
    }

    #[policy(Dog::*)]
    fn dogs(&self, _: &DomainEvent<DogEvent>, _: &mut Transaction<'_>) -> Result<()> {
        Ok(())
    }
}

/// The dog of another program, under the same stored name.
mod mirrored {
    use super::*;

    aggregates!(Dog in "school:Dog");
}

#[test]
fn an_aggregate_that_is_not_listed_is_not_saved() -> Result<()> {
    for Place { name, env, .. } in places() {
        let school = DogSchool::new(env.clone())?;
        let mut count = Count::make();
        let mut dog = Dog::make();
        let error = school
            .save((&mut dog, &mut count))
            .expect_err("it is not listed");
        assert_eq!(error.kind(), ErrorKind::Configuration, "{name}");
        let expected = "DogSchool: the aggregate `Count` is not among those that are saved here, so nothing was \
                        recorded: save it in the application that lists it, or add it to the list, \
                        `aggregates(.., Count)`";
        assert_eq!(error.to_string(), expected);
        assert_eq!(school.notification_log().head()?, 0);
        assert_eq!(
            (dog.pending_events().len(), count.pending_events().len()),
            (1, 1)
        );
        school.save((&mut dog, &mut Cat::make()))?;
        school.execute(dog.id().clone(), |dog: &mut Dog| {
            dog.make_use();
            Ok(())
        })?;
        // A type of another program under the stored name of a listed one is the same aggregate.
        DogSchool::new(env)?.save(&mut mirrored::Dog::make())?;
        assert!(
            school.notification_log().select(1, 10)?.len() >= 3,
            "{name}"
        );
    }
    Ok(())
}

#[test]
fn entries_of_a_log_are_saved_without_being_listed() -> Result<()> {
    for Place { env, .. } in places() {
        let school = DogSchool::new(env.clone())?;
        let log = school.log::<Entries>(Uuid::from_u128(7));
        log.append(Entries::make())?;
        let mut entry = log.trigger_event(Entries::make())?;
        school.save((&mut Dog::make(), &mut entry))?;
        assert_eq!(log.get(&EventQuery::all())?.len(), 2);
        school
            .save(&mut Entries::make())
            .expect_err("it is not of a log");
    }
    Ok(())
}

#[test]
fn a_policy_that_collects_an_aggregate_that_is_not_listed_fails() -> Result<()> {
    for Place { env, .. } in places() {
        let mut runner =
            SingleThreadedRunner::new(&System::new(pipes![[DogSchool, Counters]])?, env)?;
        runner.start()?;
        let school = runner.get::<DogSchool>()?;
        school.save(&mut Cat::make())?;
        let mut dog = Dog::make();
        dog.make_use();
        school.save(&mut dog)?;
        let error = runner
            .wait_until_idle(PATIENCE)
            .expect_err("it is not listed");
        assert!(
            error
                .to_string()
                .contains("`school:Dog` is not among those"),
            "{error}"
        );
        assert_eq!(
            runner
                .get::<Counters>()?
                .notification_log()
                .select(1, 10)?
                .len(),
            1
        );
    }
    Ok(())
}

fn refused(pipes: es_system::Result<System>) -> String {
    let error = pipes.expect_err("nobody saves it");
    assert_eq!(error.kind(), ErrorKind::Configuration);
    error.to_string()
}

#[test]
fn a_policy_whose_aggregate_no_upstream_saves_is_an_error() {
    let error = refused(System::new(pipes![[North, Counters]]));
    let expected = "Counters: it has a policy for `school:Dog.Used`, and none of the applications that it follows \
                    (`North`) lists the aggregate `school:Dog` as one that it saves: add the pipe from the \
                    application that saves it, `[.., Counters]`, or add the aggregate to `aggregates(..)` of the \
                    one that does";
    assert_eq!(error, expected);
    let error = refused(System::new(pipes![[North, TrickTable]]));
    assert!(
        error.starts_with("TrickTable: it has a policy for `school:Dog.Made`"),
        "{error}"
    );
    let error = refused(System::new(pipes![[DogSchool, Watcher], [North, Watcher]]));
    assert!(
        error.contains("`Count.Made`") && error.contains("(`DogSchool`, `North`)"),
        "{error}"
    );
}

#[test]
fn a_system_in_which_each_policy_has_an_upstream_is_made() -> Result<()> {
    System::new(pipes![
        [DogSchool, Counters, Watcher],
        [DogSchool, TrickTable]
    ])?;
    // Each policy needs one upstream, and not each upstream.
    System::new(pipes![[North, Counters], [DogSchool, Counters]])?;
    // What the south saves is not listed, so it may be dogs.
    System::new(pipes![[North, Counters], [South, Counters]])?;
    System::new(pipes![[South, TrickTable]])?;
    // A follower of nobody that leads follows nothing.
    System::new(pipes![[Counters, Watcher]])?;
    Ok(())
}
