//! Rebuilds whose tables take the place of those in which another program processes events.

use std::sync::Arc;

use es_system::Transaction;
use es_system::store::{Access, End, Role};

use super::meanwhile::Meanwhile;
use super::*;
use tests::programs::{
    asks_table, failing_table, now_table, old_table, stale_table, wider_table, without_table,
};

const ALL_BUT_ONE: [&str; 3] = ["registered 1", "registered 3", "renamed 4"];

#[test]
fn a_rebuild_replaces_no_tables_in_which_a_newer_program_has_processed_events() -> Result<()> {
    fn flow<R: Runner>(place: &Place) -> Result<()> {
        record(place)?;
        run::<R, old_table::Table>(place)?;
        let older = R::new(&program::<old_table::Table>()?, place.env.clone())?;
        let mut newer = Some(R::new(&program::<now_table::Table>()?, place.env.clone())?);
        let mut started = None;
        let rebuilt = older.rebuild::<old_table::Table>(|_| {
            if let Some(mut newer) = newer.take() {
                newer.start().expect("it starts");
                record(place).expect("it is recorded");
                newer.wait_until_idle(PATIENCE).expect("it follows");
                started = Some(newer);
            }
        });
        let error = rebuilt.expect_err("the new tables lack an event");
        for part in [
            "TrickTable: ",
            "`Dog.Renamed` of `North`",
            "retired(..)",
            "`discard_rebuild`",
        ] {
            assert!(error.to_string().contains(part), "{error}");
        }
        let newer = started.expect("it was started");
        let table = newer.get::<now_table::Table>()?;
        assert_eq!(table.lines()?, ALL_BUT_ONE, "{}", place.name);
        record(place)?;
        newer.wait_until_idle(PATIENCE)?;
        // The rebuild was kept, and the newer program decides about it.
        newer
            .rebuild::<now_table::Table>(|_| {})
            .expect_err("it has other policies");
        assert!(newer.discard_rebuild::<now_table::Table>()?);
        newer.rebuild::<now_table::Table>(|_| {})?;
        let all = [
            "registered 1",
            "renamed 2",
            "registered 3",
            "renamed 4",
            "registered 5",
            "renamed 6",
        ];
        assert_eq!(table.lines()?, all, "{}", place.name);
        Ok(())
    }
    on_each_runner([flow::<SingleThreadedRunner>, flow::<MultiThreadedRunner>])
}

#[test]
fn a_rebuild_does_not_take_in_again_what_a_program_that_was_started_later_has_taken_out()
-> Result<()> {
    fn flow<R: Runner>(place: &Place) -> Result<()> {
        record(place)?;
        run::<R, asks_table::Table>(place)?;
        let older = R::new(&program::<asks_table::Table>()?, place.env.clone())?;
        let mut is_out = false;
        let rebuilt = older.rebuild::<asks_table::Table>(|_| {
            if !std::mem::replace(&mut is_out, true) {
                record(place).expect("it is recorded");
                let lines = run::<R, without_table::Table>(place).expect("it follows");
                assert_eq!(lines.last().map(String::as_str), Some("registered 3"));
            }
        });
        let error = rebuilt.expect_err("the policy was taken out");
        assert!(error.to_string().contains("`Dog.Renamed`"), "{error}");
        let lines = older.get::<asks_table::Table>()?.lines()?;
        assert_eq!(lines, ["registered 1", "renamed 2", "registered 3"]);
        // Called again, it is the program that was started last, and has all events.
        older.rebuild::<asks_table::Table>(|_| {})?;
        let lines = older.get::<asks_table::Table>()?.lines()?;
        let all = ["registered 1", "renamed 2", "registered 3", "renamed 4"];
        assert_eq!(lines, all, "{}", place.name);
        assert_eq!(run::<R, asks_table::Table>(place)?, all, "{}", place.name);
        Ok(())
    }
    on_each_runner([flow::<SingleThreadedRunner>, flow::<MultiThreadedRunner>])
}

#[test]
fn no_handler_of_an_older_program_runs_on_the_tables_of_a_newer_one() -> Result<()> {
    for place in lasting_places() {
        let place = Arc::new(place);
        record(&place)?;
        run::<SingleThreadedRunner, stale_table::Table>(&place)?;
        let meanwhile = Arc::new(Meanwhile::default());
        let env = meanwhile.env(&place, "TrickTable");
        let mut older = SingleThreadedRunner::new(&program::<stale_table::Table>()?, env)?;
        older.start()?;
        let there = place.clone();
        meanwhile.after(1, move || {
            let newer = program::<asks_table::Table>().expect("a system");
            let newer = MultiThreadedRunner::new(&newer, there.env.clone()).expect("it opens");
            newer.rebuild::<asks_table::Table>(|_| {}).expect("rebuilt");
            // The older one finds these, from the position at which the tables were replaced.
            record(&there).expect("recorded");
        });
        older.process();
        assert_eq!(stepped_back(&older), "Dog.Renamed", "{}", place.name);
        older.watch_for_errors(Duration::ZERO)?;
        older.stop()?;
        let all = ["registered 1", "renamed 2", "registered 3", "renamed 4"];
        let lines = run::<SingleThreadedRunner, asks_table::Table>(&place)?;
        assert_eq!(lines, all, "{}", place.name);
    }
    Ok(())
}

/// Changes the record of the rebuild by hand.
fn change_rebuild(place: &Place, set: &str) -> Result<()> {
    let recorder = es_system::store::open("TrickTable", Role::Follower, &place.env);
    let table = match place.name {
        "postgres" => "tricktable_upstream",
        _ => "es_upstream",
    };
    let sql = format!("UPDATE {table} SET {set} WHERE application_name = '__rebuild__North'");
    let mut change = |tx: &mut Transaction<'_>| {
        let changed = tx.execute(&sql, &[]).expect("a statement");
        assert_eq!(changed, 1, "there is a rebuild");
        Ok(End::Commit)
    };
    let changed = recorder.and_then(|recorder| recorder.transact(Access::Write, &mut change));
    changed.expect("it is changed");
    Ok(())
}

/// Leaves new tables that have the first of two events.
fn interrupted(place: &Place) -> Result<()> {
    record(place)?;
    run::<SingleThreadedRunner, asks_table::Table>(place)?;
    let failing = program::<failing_table::Table>()?;
    let failing = SingleThreadedRunner::new(&failing, place.env.clone())?;
    failing
        .rebuild::<failing_table::Table>(|_| {})
        .expect_err("a handler fails");
    Ok(())
}

#[test]
fn a_rebuild_that_has_recorded_no_policies_is_not_continued() -> Result<()> {
    for place in lasting_places() {
        interrupted(&place)?;
        // As an earlier release would have left it.
        change_rebuild(&place, "policies = NULL, policies_at = NULL")?;
        let wider = program::<wider_table::Table>()?;
        let wider = SingleThreadedRunner::new(&wider, place.env.clone())?;
        let error = wider
            .rebuild::<wider_table::Table>(|_| {})
            .expect_err("the new tables may lack events");
        assert!(error.to_string().contains("`discard_rebuild`"), "{error}");
        assert!(wider.discard_rebuild::<wider_table::Table>()?);
        wider.rebuild::<wider_table::Table>(|_| {})?;
        let lines = wider.get::<wider_table::Table>()?.lines()?;
        assert_eq!(lines, ["dog 1", "dog 2"], "{}", place.name);
    }
    Ok(())
}

#[test]
fn a_rebuild_that_a_program_with_other_policies_has_continued_is_given_up() -> Result<()> {
    for place in lasting_places() {
        record(&place)?;
        run::<SingleThreadedRunner, asks_table::Table>(&place)?;
        for has_more in [true, false] {
            let runner = program::<asks_table::Table>()?;
            let runner = SingleThreadedRunner::new(&runner, place.env.clone())?;
            let mut is_changed = false;
            let rebuilt = runner.rebuild::<asks_table::Table>(|_| {
                if !std::mem::replace(&mut is_changed, true) {
                    change_rebuild(&place, "policies = 'others'").expect("it is changed");
                    if has_more {
                        record(&place).expect("it is recorded");
                    }
                }
            });
            let error = rebuilt.expect_err("the new tables may lack events");
            assert!(error.to_string().contains("`discard_rebuild`"), "{error}");
            assert!(runner.discard_rebuild::<asks_table::Table>()?);
        }
    }
    Ok(())
}
