//! Projections that are deployed again with other policies.

use tests::programs::{
    asks_table, failing_table, now_table, old_table, wider_table, without_table,
};

use super::*;

#[test]
fn a_projection_with_an_added_policy_is_rebuilt() -> Result<()> {
    fn flow<R: Runner>(place: &Place) -> Result<()> {
        record(place)?;
        record(place)?;
        run::<R, old_table::Table>(place)?;
        let mut older = R::new(&program::<old_table::Table>()?, place.env.clone())?;
        older.start()?;
        older.wait_until_idle(PATIENCE)?;
        let mut newer = R::new(&program::<asks_table::Table>()?, place.env.clone())?;
        let error = newer.start().expect_err("the tables lack events");
        for part in [
            "TrickTable: ",
            "`Dog.Renamed`",
            "at position 2",
            "rebuild",
            "`added = now`",
        ] {
            assert!(error.to_string().contains(part), "{error}");
        }
        newer.rebuild::<asks_table::Table>(|_| {})?;
        record(place)?;
        assert_eq!(stepped_back(&older), "Dog.Renamed");
        let error = older
            .rebuild::<old_table::Table>(|_| {})
            .expect_err("it would lose events");
        assert!(error.to_string().contains("`Dog.Renamed`"), "{error}");
        newer.start()?;
        newer.wait_until_idle(PATIENCE)?;
        let all = [
            "registered 1",
            "renamed 2",
            "registered 3",
            "renamed 4",
            "registered 5",
            "renamed 6",
        ];
        assert_eq!(
            newer.get::<asks_table::Table>()?.lines()?,
            all,
            "{}",
            place.name
        );
        older.stop()?;
        newer.stop()
    }
    on_each_runner([flow::<SingleThreadedRunner>, flow::<MultiThreadedRunner>])
}

#[test]
fn a_projection_with_an_added_policy_begins_with_the_events_to_come() -> Result<()> {
    fn flow<R: Runner>(place: &Place) -> Result<()> {
        record(place)?;
        run::<R, old_table::Table>(place)?;
        record(place)?;
        let all = ["registered 1", "registered 3", "renamed 4"];
        assert_eq!(run::<R, now_table::Table>(place)?, all, "{}", place.name);
        assert_eq!(run::<R, asks_table::Table>(place)?, all, "{}", place.name);
        Ok(())
    }
    on_each_runner([flow::<SingleThreadedRunner>, flow::<MultiThreadedRunner>])
}

#[test]
fn a_policy_of_a_projection_that_was_taken_out_and_has_missed_events_needs_a_rebuild() -> Result<()>
{
    fn flow<R: Runner>(place: &Place) -> Result<()> {
        record(place)?;
        run::<R, asks_table::Table>(place)?;
        run::<R, without_table::Table>(place)?;
        // Nothing was missed yet.
        assert_eq!(
            run::<R, asks_table::Table>(place)?,
            ["registered 1", "renamed 2"]
        );
        run::<R, without_table::Table>(place)?;
        record(place)?;
        run::<R, without_table::Table>(place)?;
        let mut again = R::new(&program::<asks_table::Table>()?, place.env.clone())?;
        let error = again.start().expect_err("the tables lack an event");
        assert!(
            error.to_string().contains("the first at position 4"),
            "{error}"
        );
        Ok(())
    }
    on_each_runner([flow::<SingleThreadedRunner>, flow::<MultiThreadedRunner>])
}

#[test]
fn a_rebuild_is_not_continued_by_a_program_with_other_policies() -> Result<()> {
    fn flow<R: Runner>(place: &Place) -> Result<()> {
        record(place)?;
        run::<R, old_table::Table>(place)?;
        // The handler fails at the second event, and the first one stays in the new tables.
        let failing = R::new(&program::<failing_table::Table>()?, place.env.clone())?;
        failing
            .rebuild::<failing_table::Table>(|_| {})
            .expect_err("a handler fails");
        let runner = R::new(&program::<now_table::Table>()?, place.env.clone())?;
        runner.rebuild::<now_table::Table>(|_| {})?;
        let runner = R::new(&program::<asks_table::Table>()?, place.env.clone())?;
        assert_eq!(
            runner.get::<asks_table::Table>()?.lines()?,
            ["registered 1", "renamed 2"]
        );
        let failing = R::new(&program::<failing_table::Table>()?, place.env.clone())?;
        failing
            .rebuild::<failing_table::Table>(|_| {})
            .expect_err("a handler fails");
        let wider = R::new(&program::<wider_table::Table>()?, place.env.clone())?;
        let error = wider
            .rebuild::<wider_table::Table>(|_| {})
            .expect_err("the new tables would lack events");
        assert!(error.to_string().contains("`discard_rebuild`"), "{error}");
        assert!(wider.discard_rebuild::<wider_table::Table>()?);
        wider.rebuild::<wider_table::Table>(|_| {})?;
        assert_eq!(
            wider.get::<wider_table::Table>()?.lines()?,
            ["dog 1", "dog 2"]
        );
        Ok(())
    }
    on_each_runner([flow::<SingleThreadedRunner>, flow::<MultiThreadedRunner>])
}
