//! Projections that are deployed again with other policies.

use super::programs::{asks_table, now_table, old_table, without_table};
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
