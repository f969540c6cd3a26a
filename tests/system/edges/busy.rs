//! Two upstreams, one of which always has new events.

use std::sync::Mutex;

use tests::domain::{Counter, DogTrickAdded};

use super::*;

/// Makes a counter for each trick, without checking that there is none. At the trick "busy" it has
/// the south save the next one, so that there is always a new event.
#[process_application(name = "Watcher")]
struct Blind;

static SOUTH: Mutex<Option<Arc<South>>> = Mutex::new(None);

#[process_application]
impl Blind {
    #[policy(Dog::TrickAdded)]
    fn make(
        &self,
        event: &DomainEvent<DogTrickAdded>,
        processing_event: &mut ProcessingEvent,
    ) -> Result<()> {
        if event.trick == "busy" {
            let south = SOUTH.lock().expect("no panic").clone();
            return save_next(&south.expect("the test sets it"), event.notification_id);
        }
        processing_event.collect_events(&mut Counter::new(&event.trick));
        Ok(())
    }
}

/// Saves a dog with a unique name, which is made of the position before it.
fn save_next(south: &South, position: u64) -> Result<()> {
    let mut dog = Dog::register(&format!("behind {position}"));
    dog.add_trick("busy");
    south.save(&mut dog).map(drop)
}

#[test]
fn a_refused_batch_of_one_upstream_is_taken_apart_while_another_is_busy() -> Result<()> {
    let dir = tempfile::tempdir().expect("a temporary folder");
    let system = System::new(pipes![[North, Blind], [South, Blind]])?;
    let mut runner = MultiThreadedRunner::new(&system, files(dir.path()))?;
    runner.start()?;
    let north = runner.get::<North>()?;
    let south = runner.get::<South>()?;
    let blind = runner.get::<Blind>()?;
    let mut billy = Dog::register("Billy");
    billy.add_trick("sit");
    north.save(&mut billy)?;
    runner.wait_until_idle(PATIENCE)?;

    *SOUTH.lock().expect("no panic") = Some(south.clone());
    save_next(&south, 0)?;
    wait_until("the south is busy", || {
        Ok(blind.position_in("South")? > Some(10))
    })?;
    for trick in ["stay", "spin", "sit", "beg"] {
        billy.add_trick(trick);
    }
    north.save(&mut billy)?;
    let stopped = runner.watch_for_errors(SOON);
    let busy_until = blind.position_in("South")?;
    let error = stopped.expect_err("it finds the guilty event");
    assert_eq!(error.kind(), ErrorKind::Policy, "{error}");
    let named = error.to_string();
    assert!(named.contains("at position 5 of `North`"), "{named}");

    assert_eq!(blind.position_in("North")?, Some(4), "up to the guilty one");
    for (trick, is_there) in [("stay", true), ("spin", true), ("beg", false)] {
        let id = Counter::create_id(trick);
        assert_eq!(blind.contains(id)?, is_there, "{trick}");
    }
    assert!(
        busy_until < Some(south.notification_log().head()?),
        "it was never done"
    );
    Ok(())
}
