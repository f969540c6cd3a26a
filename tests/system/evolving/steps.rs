//! Steps from every older version to the current one, in repositories, policies, notification logs
//! and snapshots.

use es_system::prelude::*;
use tests::evolving::{DogSchool, check, v4};
use tests::{PATIENCE, Place, places};

use super::{Rows, record, text};

/// Counts the number of times that a skill was taught with a level.
#[aggregate]
#[derive(Clone)]
struct Count {
    levels: Vec<u64>,
    trainers: Vec<Uuid>,
}

#[aggregate(vis = pub(crate))]
impl Count {
    #[id]
    fn id_of(skill: &str) -> Uuid {
        Uuid::new_v5(&Uuid::NAMESPACE_URL, skill.as_bytes())
    }

    #[event(Begun)]
    fn begin(skill: &str) -> Self {
        Self {
            levels: Vec::new(),
            trainers: Vec::new(),
        }
    }

    #[event(Counted)]
    fn count(&mut self, level: u64, trainer: Uuid) {
        self.levels.push(level);
        self.trainers.push(trainer);
    }
}

#[process_application]
struct Counters;

#[process_application]
impl Counters {
    #[policy(v4::Dog::TrickAdded)]
    fn count(
        &self,
        event: &DomainEvent<v4::DogTrickAdded>,
        processing_event: &mut ProcessingEvent,
    ) -> Result<()> {
        let count = self.repository().find(Count::id_of(&event.skill))?;
        let mut count = count.unwrap_or_else(|| Count::begin(&event.skill));
        count.count(event.level, event.trainer);
        processing_event.collect_events(&mut count);
        Ok(())
    }
}

/// The state that the fourth program must read from the rows of each program.
fn expected(version: u64) -> (u64, Uuid) {
    match version {
        4 => (4, Uuid::NAMESPACE_DNS),
        _ => (version, Uuid::nil()),
    }
}

#[test]
fn events_of_every_older_version_are_read_as_those_of_the_current_one() -> Result<()> {
    for place in places() {
        let school = DogSchool::new(place.env.clone())?;
        for version in 1..=4 {
            let Rows { id, events, .. } = Rows::of(version, Env::new())?;
            record(&school, events);
            let mut dog: v4::Dog = school.repository().get(&id)?;
            check(&dog, version, place.name);

            let log = school.notification_log().select(1, usize::MAX)?;
            let event = school.decode::<v4::Dog>(log.last().expect("an event"))?;
            let (level, trainer) = expected(version);
            let skill = "stay".to_owned();
            let taught = v4::DogTrickAdded {
                skill,
                level,
                trainer,
            };
            assert_eq!(event.payload, taught.into());

            // A new event follows the old ones, in the current version.
            dog.add_skill("spin", 9, Uuid::NAMESPACE_URL);
            school.save(&mut dog)?;
            let again: v4::Dog = school.repository().get(&id)?;
            assert_eq!(again, dog);
        }
    }
    Ok(())
}

#[test]
fn policies_are_given_events_of_the_current_version_only() -> Result<()> {
    fn flow<R: Runner>(place: &Place) -> Result<()> {
        let system = System::new(pipes![[DogSchool, Counters]])?;
        let mut runner = R::new(&system, place.env.clone())?;
        runner.start()?;
        let school = runner.get::<DogSchool>()?;
        for version in 1..=4 {
            record(&school, Rows::of(version, Env::new())?.events);
        }
        // Recording without the application prompts no follower.
        school.save(&mut v4::Dog::register("Milly", 0))?;
        runner.wait_until_idle(PATIENCE)?;
        let counters = runner.get::<Counters>()?;
        let count: Count = counters.repository().get(Count::id_of("sit"))?;
        let (levels, trainers): (Vec<_>, Vec<_>) = (1..=4).map(expected).unzip();
        assert_eq!(count.levels, levels, "{}", place.name);
        assert_eq!(count.trainers, trainers, "{}", place.name);
        runner.stop()
    }
    places().iter().try_for_each(flow::<SingleThreadedRunner>)?;
    places().iter().try_for_each(flow::<MultiThreadedRunner>)
}

#[test]
fn snapshots_of_every_older_version_are_used() -> Result<()> {
    for place in places() {
        let school = DogSchool::new(place.env.clone())?;
        for version in 1..=4 {
            let mut rows = Rows::of(version, Env::new())?;
            // The events up to the snapshot cannot be read, so the test shows that the snapshot is.
            rows.events[..2]
                .iter_mut()
                .for_each(|row| row.state = vec![0]);
            record(&school, rows.events);
            let recorder = school.recorder()?;
            recorder.record_snapshot(&rows.snapshot).expect("recorded");
            check(&school.repository().get(&rows.id)?, version, place.name);
        }
    }
    Ok(())
}

#[test]
fn states_that_are_compressed_and_encrypted_are_upcast_too() -> Result<()> {
    let sealed = Env::new()
        .with("COMPRESSOR_TOPIC", "zlib")
        .with("CIPHER_TOPIC", "aes")
        .with("CIPHER_KEY", "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=");
    for version in 1..=4 {
        let school = DogSchool::new(sealed.clone())?;
        let Rows { id, events, .. } = Rows::of(version, sealed.clone())?;
        assert!(!text(&events[1]).contains("sit"));
        record(&school, events);
        check(&school.repository().get(&id)?, version, "sealed");
    }
    Ok(())
}

#[test]
fn the_version_is_stored_last_and_only_above_one() -> Result<()> {
    let ends = [
        (r#""trick":"sit"}"#, r#""tricks":["sit"]}}"#),
        (
            r#","level":2,"class_version":2}"#,
            r#","levels":[2],"class_version":2}}"#,
        ),
        (
            r#","level":3,"class_version":3}"#,
            r#","levels":[3],"class_version":3}}"#,
        ),
        (r#"c8"},"class_version":4}"#, r#"c8"}],"class_version":4}}"#),
    ];
    for (version, (of_event, of_snapshot)) in (1..).zip(ends) {
        let rows = Rows::of(version, Env::new())?;
        assert!(!text(&rows.events[0]).contains("class_version"));
        for (row, end) in [(&rows.events[1], of_event), (&rows.snapshot, of_snapshot)] {
            assert!(text(row).ends_with(end), "{}", text(row));
        }
    }
    Ok(())
}
