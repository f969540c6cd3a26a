//! Content that the server refuses: the event whose policy made it is named, and everything before
//! it is recorded.

use es_system::testing::postgres::database;
use tests::domain::{Dog, DogSchool, DogTrickAdded};

use super::*;

/// An aggregate whose id is its text.
#[aggregate]
struct Note {
    text: String,
}

#[aggregate(vis = pub(self))]
impl Note {
    #[id]
    fn create_id(id: &str) -> String {
        id.to_owned()
    }

    #[event(Written)]
    fn write(id: &str, text: &str) -> Self {
        let _the_id_is_made_of_it = id;
        Self {
            text: text.to_owned(),
        }
    }
}

/// Writes a note for each trick, whose id is the trick.
#[process_application]
struct Secretary;

#[process_application]
impl Secretary {
    #[policy(Dog::TrickAdded)]
    fn write(
        &self,
        event: &DomainEvent<DogTrickAdded>,
        processing_event: &mut ProcessingEvent,
    ) -> Result<()> {
        let mut note = Note::write(&event.trick, &event.trick);
        processing_event.collect_events(&mut note);
        Ok(())
    }
}

/// Returns a text that cannot be compressed.
fn noise(bytes: usize) -> String {
    let mut state = 1_u64;
    let mut letter = || {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        char::from(b'!' + u8::try_from((state >> 33) % 90).expect("below 90"))
    };
    (0..bytes).map(|_| letter()).collect()
}

/// Has tricks taught before the follower starts, and returns the failure at the only bad one.
fn stops<R: Runner>(tricks: &[&str], bad: usize, prepare: &str) -> Result<()> {
    let Some(database) = database() else {
        return Ok(());
    };
    let env = database.env().with("SECRETARY_ORIGINATOR_ID_TYPE", "text");
    let school = DogSchool::new(env.clone())?;
    let mut billy = Dog::register("Billy");
    tricks.iter().for_each(|trick| billy.add_trick(trick));
    school.save(&mut billy)?;
    let mut runner = R::new(&System::new(pipes![[DogSchool, Secretary]])?, env)?;
    run(&database, prepare);
    runner.start()?;
    let error = runner.wait_until_idle(PATIENCE).expect_err("it stops");
    let Error::Policy(failure) = &error else {
        panic!("{error}");
    };
    // Billy's registration comes first.
    assert_eq!(failure.position, bad as u64 + 2, "{error}");
    assert_eq!(failure.topic, "dogschool:Dog.TrickAdded");
    let secretary = runner.get::<Secretary>()?;
    assert_eq!(secretary.position_in("DogSchool")?, Some(bad as u64 + 1));
    assert_eq!(secretary.notification_log().select(1, 100)?.len(), bad);
    let repository = secretary.repository();
    for trick in &tricks[..bad] {
        let note: Note = repository.get(trick.to_string())?;
        assert_eq!(note.text, *trick);
    }
    assert!(matches!(condition(&runner), Condition::Stopped { .. }));
    runner.stop()
}

fn both(tricks: &[&str], bad: usize, prepare: &str) -> Result<()> {
    stops::<SingleThreadedRunner>(tricks, bad, prepare)?;
    stops::<MultiThreadedRunner>(tricks, bad, prepare)
}

#[test]
fn an_id_that_is_too_long_for_the_servers_index_is_the_failure_of_its_event() -> Result<()> {
    let noise = noise(9_000);
    both(&["sit", &noise, "roll over"], 1, "")?;
    both(&["sit", "beg", "fetch", "stay", &noise], 4, "")
}

#[test]
fn what_a_constraint_of_the_users_own_refuses_is_the_failure_of_its_event() -> Result<()> {
    let check = "ALTER TABLE secretary_events ADD CHECK (originator_id <> 'forbidden')";
    both(&["sit", "beg", "forbidden", "fetch"], 2, check)
}

#[test]
fn what_a_trigger_raises_or_keeps_back_is_the_failure_of_its_event() -> Result<()> {
    for refusal in [
        "RAISE EXCEPTION 'no such trick' USING ERRCODE = 'U0123'",
        "RAISE EXCEPTION 'no such trick'",
        "PERFORM 1 / (length(NEW.originator_id) - 9)",
        "RETURN NULL",
    ] {
        let trigger = format!(
            "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN \
             IF NEW.originator_id = 'forbidden' THEN {refusal}; END IF; RETURN NEW; END $$; \
             CREATE TRIGGER refuse BEFORE INSERT ON secretary_events FOR EACH ROW \
             EXECUTE FUNCTION refuse()"
        );
        stops::<MultiThreadedRunner>(&["sit", "forbidden", "fetch"], 1, &trigger)?;
    }
    Ok(())
}

#[test]
fn content_that_a_command_saves_is_bad_data_at_once() -> Result<()> {
    let Some(database) = database() else {
        return Ok(());
    };
    let secretary = Secretary::new(database.env().with("ORIGINATOR_ID_TYPE", "text"))?;
    let error = secretary
        .save(&mut Note::write(&noise(9_000), ""))
        .expect_err("too long");
    assert_eq!(error.kind(), ErrorKind::BadData, "{error}");
    assert!(error.to_string().contains("54000"), "{error}");
    secretary.save(&mut Note::write("short", "")).map(|_| ())
}
