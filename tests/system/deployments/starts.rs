//! Programs that start while an older one follows.

use std::sync::Arc;

use super::meanwhile::Meanwhile;
use super::*;

/// Records an event that a newer program alone has a policy for, and has an older program follow.
fn follow_with_an_older_program(place: &Place) -> Result<()> {
    record(place)?;
    let mut older = SingleThreadedRunner::new(&program::<old::Second>()?, place.env.clone())?;
    older.start()?;
    older.stop()
}

/// Starts a program with an added policy. Behind one of its looks at the record an older program
/// passes over the first event of that policy, if it still may. Returns the error of the start.
fn started_beside_an_older_program<R: Runner>(place: Place, look: usize) -> Result<Option<Error>> {
    let place = Arc::new(place);
    North::new(place.env.clone())?.save(&mut Dog::register())?;
    run::<R, old::Second>(&place)?;
    let meanwhile = Arc::new(Meanwhile::default());
    let env = meanwhile.env(&place, "Second");
    let mut newer = R::new(&program::<asks::Second>()?, env)?;
    let there = place.clone();
    meanwhile.after(look, move || {
        follow_with_an_older_program(&there).expect("it follows or steps back");
    });
    if let Err(error) = newer.start() {
        return Ok(Some(error));
    }
    newer.wait_until_idle(PATIENCE)?;
    newer.watch_for_errors(Duration::ZERO)?;
    let lines = newer.get::<asks::Second>()?.lines()?;
    let all = ["registered 1", "registered 2", "renamed 3"];
    assert_eq!(lines, all, "{}, look {look}", place.name);
    newer.stop()?;
    Ok(None)
}

#[test]
fn a_program_that_has_started_does_not_stop_because_an_older_one_came_between() -> Result<()> {
    fn flow<R: Runner>() -> Result<()> {
        for look in 1..=3 {
            for place in lasting_places() {
                let error = started_beside_an_older_program::<R>(place, look)?;
                // The policies are recorded with the second look.
                assert_eq!(error.is_some(), look <= 2, "look {look}: {error:?}");
                if let Some(error) = error {
                    assert_eq!(error.kind(), ErrorKind::Configuration);
                    let error = error.to_string();
                    assert!(error.contains("the first at position 3"), "{error}");
                    assert!(error.contains("`added = replay`"), "{error}");
                }
            }
        }
        Ok(())
    }
    flow::<SingleThreadedRunner>()?;
    flow::<MultiThreadedRunner>()
}
