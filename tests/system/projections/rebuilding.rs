//! Tables that are rebuilt while they are in use.

use std::cell::Cell;
use std::sync::Arc;

use es_system::prelude::*;
use es_system::store::{StoreError, sqlite};
use es_system::testing::{Call, FaultyStores, Moment};
use es_system::{Condition, RebuildProgress};
use tests::domain::{Dog, DogSchool, DogTrickAdded};
use tests::journal::{self, Journal};
use tests::table::TrickTable;
use tests::{PATIENCE, Place};

use super::commit::Families;
use super::{journal_system, sql_places, taught};

fn system() -> Result<System> {
    System::new(pipes![[DogSchool, TrickTable]])
}

/// Returns a runner whose table was damaged by hand, for a rebuild to repair.
fn spoiled<R: Runner>(place: &Place, events: usize) -> Result<R> {
    let mut runner = R::new(&system()?, place.env.clone())?;
    let school = runner.get::<DogSchool>()?;
    let mut dog = Dog::register("Billy");
    (0..events).for_each(|_| dog.add_trick("sit"));
    school.save(&mut dog)?;
    runner.start()?;
    runner.wait_until_idle(PATIENCE)?;
    Ok(runner)
}

#[test]
fn a_rebuild_replays_all_and_says_how_far_it_is() -> Result<()> {
    fn flow<R: Runner>(place: &Place) -> Result<()> {
        let runner = spoiled::<R>(place, 2_500)?;
        let school = runner.get::<DogSchool>()?;
        let table = runner.get::<TrickTable>()?;
        let mut seen: Vec<RebuildProgress> = Vec::new();
        for round in 1..=2 {
            seen.clear();
            runner.rebuild::<TrickTable>(|progress| {
                assert_eq!(
                    table.get_count("sit").expect("it answers"),
                    2_499 + round,
                    "{}",
                    place.name
                );
                seen.push(progress.clone());
            })?;
            let last = seen.last().expect("it was told");
            assert!(last.is_finished && last.done == last.total && last.projection == "TrickTable");
            assert!(
                seen.windows(2).all(|two| two[0].done <= two[1].done),
                "{seen:?}"
            );
            assert!(seen.len() > 3 && seen[0].done < last.done && seen[0].rate > 0.0);
            // The follower continues with the new tables.
            taught(&school, &["sit"])?;
            runner.wait_until_idle(PATIENCE)?;
            assert_eq!(table.get_count("sit")?, 2_500 + round);
        }
        Ok(())
    }
    sql_places().try_for_each(|place| flow::<SingleThreadedRunner>(&place))?;
    sql_places().try_for_each(|place| flow::<MultiThreadedRunner>(&place))
}

#[test]
fn a_rebuild_beside_a_follower_under_load_ends_with_a_table_that_is_right() -> Result<()> {
    for place in sql_places() {
        let mut runner = MultiThreadedRunner::new(&journal_system()?, place.env.clone())?;
        runner.start()?;
        let school = runner.get::<DogSchool>()?;
        let journal = runner.get::<Journal>()?;
        taught(&school, &["sit"])?;
        std::thread::scope(|scope| -> Result<()> {
            let teaching = scope.spawn(|| taught(&school, &["sit"; 150]));
            while !teaching.is_finished() {
                runner.rebuild::<Journal>(|_| {})?;
            }
            teaching.join().expect("no panic")
        })?;
        runner.wait_until_idle(PATIENCE)?;
        assert_eq!(
            journal.positions()?,
            (2..=152).collect::<Vec<u64>>(),
            "{}",
            place.name
        );
        runner.rebuild::<Journal>(|_| {})?;
        assert_eq!(
            journal.positions()?,
            (2..=152).collect::<Vec<u64>>(),
            "{}",
            place.name
        );
        runner.stop()?;
    }
    Ok(())
}

/// A projection whose table lacks the column that its policy writes to, until a thread that knows
/// of the column creates the table.
#[projection]
pub struct Priced;

thread_local! {
    static KNOWS_PRICES: Cell<bool> = const { Cell::new(false) };
}

#[projection]
impl Priced {
    fn tables(tx: &mut Transaction<'_>) -> Result<()> {
        let price = if KNOWS_PRICES.get() {
            ", price BIGINT"
        } else {
            ""
        };
        let prices = tx.table("prices");
        tx.execute(
            &format!("CREATE TABLE {prices} (trick TEXT NOT NULL{price})"),
            &[],
        )?;
        Ok(())
    }

    #[policy(Dog::TrickAdded)]
    fn price(&self, event: &DomainEvent<DogTrickAdded>, tx: &mut Transaction<'_>) -> Result<()> {
        let prices = tx.table("prices");
        let sql = format!("INSERT INTO {prices} (trick, price) VALUES ($1, $2)");
        tx.execute(&sql, &[&event.trick, &3])?;
        Ok(())
    }

    fn total(&self) -> Result<i64> {
        self.read(|tx| {
            let sql = format!("SELECT price FROM {}", tx.table("prices"));
            let rows = tx.query(&sql, &[])?;
            rows.iter()
                .map(|row| -> Result<i64> { Ok(row.get("price")?) })
                .sum()
        })
    }
}

#[test]
fn a_follower_that_has_stopped_at_an_old_table_goes_on_when_it_is_rebuilt() -> Result<()> {
    fn flow<R: Runner>(place: &Place) -> Result<()> {
        KNOWS_PRICES.set(false);
        let env = match place.name {
            "postgres" => place.env.clone(),
            _ => Env::new()
                .with("PRICED_PERSISTENCE_MODULE", "sqlite")
                .with("PRICED_SQLITE_DBNAME", ":memory:"),
        };
        let mut runner = R::new(&System::new(pipes![[DogSchool, Priced]])?, env)?;
        let school = runner.get::<DogSchool>()?;
        runner.start()?;
        taught(&school, &["sit"])?;
        let error = runner.wait_until_idle(PATIENCE).expect_err("no column");
        assert_eq!(error.kind(), ErrorKind::Policy, "{error}");
        assert!(error.to_string().contains("price"), "{error}");

        KNOWS_PRICES.set(true);
        runner.rebuild::<Priced>(|_| {})?;
        let condition = &runner.status()[0].condition;
        assert!(matches!(condition, Condition::Running), "{condition:?}");
        runner.wait_until_idle(PATIENCE)?;
        assert_eq!(runner.get::<Priced>()?.total()?, 3, "{}", place.name);
        taught(&school, &["roll over"])?;
        runner.wait_until_idle(PATIENCE)?;
        assert_eq!(runner.get::<Priced>()?.total()?, 6, "{}", place.name);
        runner.stop()
    }
    sql_places().try_for_each(|place| flow::<SingleThreadedRunner>(&place))?;
    sql_places().try_for_each(|place| flow::<MultiThreadedRunner>(&place))
}

#[test]
fn a_second_rebuild_at_the_same_time_is_refused() -> Result<()> {
    for place in sql_places() {
        let runner = spoiled::<SingleThreadedRunner>(&place, 10)?;
        let mut refused = None;
        runner.rebuild::<TrickTable>(|_| {
            refused = runner.rebuild::<TrickTable>(|_| {}).err();
            assert!(runner.discard_rebuild::<TrickTable>().is_err());
        })?;
        let refused = refused.expect("it was refused").to_string();
        assert_eq!(refused, "TrickTable: its tables are being rebuilt already");
        // Afterwards a rebuild succeeds.
        runner.rebuild::<TrickTable>(|_| {})?;
    }
    Ok(())
}

#[test]
fn a_second_runner_cannot_rebuild_either_until_the_first_has_ended() -> Result<()> {
    for place in sql_places().filter(|place| matches!(place.name, "sqlite file" | "postgres")) {
        let one = spoiled::<SingleThreadedRunner>(&place, 10)?;
        let two = MultiThreadedRunner::new(&system()?, place.env.clone())?;
        let mut refused = None;
        one.rebuild::<TrickTable>(|_| refused = two.rebuild::<TrickTable>(|_| {}).err())?;
        assert!(
            refused
                .expect("it was refused")
                .to_string()
                .contains("being rebuilt already")
        );
        two.rebuild::<TrickTable>(|_| {})?;
        assert_eq!(two.get::<TrickTable>()?.get_count("sit")?, 10);
    }
    Ok(())
}

#[application]
pub struct North;

#[application]
pub struct South;

#[test]
fn several_upstreams_are_rebuilt_together() -> Result<()> {
    for place in sql_places() {
        let system = System::new(pipes![[North, TrickTable], [South, TrickTable]])?;
        let mut runner = MultiThreadedRunner::new(&system, place.env.clone())?;
        runner.start()?;
        for (name, count) in [("Billy", 1_200), ("Milly", 30)] {
            let mut dog = Dog::register(name);
            (0..count).for_each(|_| dog.add_trick("sit"));
            match name {
                "Billy" => runner.get::<North>()?.save(&mut dog)?,
                _ => runner.get::<South>()?.save(&mut dog)?,
            };
        }
        runner.wait_until_idle(PATIENCE)?;
        let table = runner.get::<TrickTable>()?;
        let mut total = 0;
        runner.rebuild::<TrickTable>(|progress| total = progress.total)?;
        assert_eq!(total, 1_232);
        assert_eq!(table.get_count("sit")?, 1_230, "{}", place.name);
        runner.get::<South>()?.save(&mut Dog::register("Scrappy"))?;
        runner.wait_until_idle(PATIENCE)?;
        assert_eq!(table.position_in("North")?, Some(1_201));
        assert_eq!(table.position_in("South")?, Some(32));
        runner.stop()?;
    }
    Ok(())
}

#[test]
fn tables_that_refer_to_each_other_are_rebuilt() -> Result<()> {
    for place in sql_places() {
        let env = match place.name {
            "postgres" => place.env.clone(),
            _ => Env::new()
                .with("FAMILIES_PERSISTENCE_MODULE", "sqlite")
                .with("FAMILIES_SQLITE_DBNAME", ":memory:"),
        };
        let system = System::new(pipes![[DogSchool, Families]])?;
        let mut runner = SingleThreadedRunner::new(&system, env)?;
        runner.start()?;
        for round in 1..=3 {
            taught(&*runner.get::<DogSchool>()?, &["sit", "sit"])?;
            runner.rebuild::<Families>(|_| {})?;
            let children =
                "SELECT children.parent FROM children JOIN parents ON parents.id = children.parent";
            let families = runner.get::<Families>()?;
            let found = families.read(|tx| Ok(tx.query(children, &[])?.len()))?;
            assert_eq!(found, 2 * round, "{}", place.name);
        }
    }
    Ok(())
}

#[test]
fn a_rebuild_that_fails_is_taken_up_or_discarded() -> Result<()> {
    for place in sql_places() {
        let trick = format!("fail rebuild {}", place.name);
        let mut runner = SingleThreadedRunner::new(&journal_system()?, place.env.clone())?;
        runner.start()?;
        let school = runner.get::<DogSchool>()?;
        let journal = runner.get::<Journal>()?;
        taught(&school, &["sit", "sit", &trick, "sit"])?;
        assert!(runner.watch_for_errors(Duration::ZERO).is_err());
        let error = runner
            .rebuild::<Journal>(|_| {})
            .expect_err("the handler fails");
        assert!(
            error.to_string().contains("at position 4 of `DogSchool`"),
            "{error}"
        );
        assert_eq!(journal.positions()?, [2, 3], "the old table is as it was");

        journal::mend(&trick);
        let mut first = None;
        runner.rebuild::<Journal>(|progress| {
            first.get_or_insert(progress.done);
        })?;
        assert_eq!(first, Some(5), "it goes on behind position 3");
        assert_eq!(journal.positions()?, [2, 3, 4, 5]);
        assert!(!runner.discard_rebuild::<Journal>()?, "there is none");
    }
    Ok(())
}

#[test]
fn a_discarded_rebuild_leaves_nothing_and_the_next_begins_anew() -> Result<()> {
    for place in sql_places() {
        let trick = format!("fail discard {}", place.name);
        let mut runner = SingleThreadedRunner::new(&journal_system()?, place.env.clone())?;
        runner.start()?;
        taught(&*runner.get::<DogSchool>()?, &["sit", &trick])?;
        assert!(runner.rebuild::<Journal>(|_| {}).is_err());
        assert!(runner.discard_rebuild::<Journal>()?);
        assert!(!runner.discard_rebuild::<Journal>()?);
        journal::mend(&trick);
        runner.rebuild::<Journal>(|_| {})?;
        assert_eq!(runner.get::<Journal>()?.positions()?, [2, 3]);
    }
    Ok(())
}

#[test]
fn other_programs_and_views_find_the_rebuilt_table_under_its_plain_name() -> Result<()> {
    let Some(place) = sql_places().find(|place| place.name == "sqlite file") else {
        return Ok(());
    };
    let runner = spoiled::<SingleThreadedRunner>(&place, 10)?;
    let file = place
        .env
        .get("TRICKTABLE_SQLITE_DBNAME")
        .expect("it is set");
    let connection = rusqlite::Connection::open(file).expect("it opens");
    let view = "CREATE VIEW sits AS SELECT count FROM trick_counts WHERE trick = 'sit'";
    connection.execute_batch(view).expect("a view");
    runner.rebuild::<TrickTable>(|_| {})?;
    let sits: i64 = connection
        .query_row("SELECT count FROM sits", [], |row| row.get(0))
        .expect("the view is of the new table");
    assert_eq!(sits, 10);
    let names = "SELECT group_concat(name) FROM (SELECT name FROM sqlite_master WHERE name LIKE 'trick%' ORDER BY name)";
    let names: String = connection
        .query_row(names, [], |row| row.get(0))
        .expect("rows");
    assert_eq!(names, "trick_counts,trick_counts_by_count__1");
    let tracking = "SELECT count(*) FROM tracking WHERE application_name LIKE '%rebuild%'";
    let left: i64 = connection
        .query_row(tracking, [], |row| row.get(0))
        .expect("a count");
    assert_eq!(left, 0);
    Ok(())
}

#[test]
fn only_a_projection_of_the_system_that_follows_can_be_rebuilt() -> Result<()> {
    let system = System::new(pipes![[DogSchool]])?;
    let runner = SingleThreadedRunner::new(&system, Env::new())?;
    let error = runner
        .rebuild::<TrickTable>(|_| {})
        .expect_err("it is not there");
    assert!(
        error
            .to_string()
            .contains("is not an application of this system"),
        "{error}"
    );
    Ok(())
}

#[test]
fn an_upstream_that_cannot_be_read_for_a_moment_does_not_end_a_rebuild() -> Result<()> {
    let unique = "fail at a rebuild whose upstream fails";
    let stores = Arc::new(FaultyStores::new(sqlite::open));
    let memory = Env::new().with("SQLITE_DBNAME", ":memory:");
    let mut runner =
        SingleThreadedRunner::new(&journal_system()?, memory.with_store(stores.clone()))?;
    let school = runner.get::<DogSchool>()?;
    taught(&school, &["sit", unique])?;
    runner.start()?;
    assert!(runner.watch_for_errors(PATIENCE).is_err(), "it stops");
    journal::mend(unique);
    let store = stores.get("DogSchool").expect("it is open");
    let before = store.calls(Call::Head);
    runner.rebuild::<Journal>(|_| {})?;
    let calls = store.calls(Call::Head) - before;
    for nth in 1..=calls {
        let error = StoreError::read_only("faulty", "a read");
        store.fail(Call::Head, nth, Moment::Before, error);
        runner.rebuild::<Journal>(|_| {})?;
        runner.wait_until_idle(PATIENCE)?;
        assert_eq!(runner.get::<Journal>()?.positions()?, [2, 3], "call {nth}");
    }
    Ok(())
}
