//! After the fields of a state have changed, its outdated snapshots are reported once, and the next
//! save of each aggregate replaces them.

use es_system::prelude::*;
use tests::domain::{Dog, DogSchool, DogTrickAdded};
use tests::{PATIENCE, files};

use super::lost::Warnings;
use super::{execute, versions};

/// Declares a ballot with these fields besides its votes.
macro_rules! ballot {
    ($program:ident, $topic:literal, [$($field:ident),*]) => {
        #[allow(dead_code, reason = "not every program opens ballots")]
        mod $program {
            use super::*;

            #[aggregate(topic = $topic, snapshot_every = 10)]
            #[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
            pub(super) struct Ballot {
                pub(super) votes: u32,
                $($field: Option<u32>,)*
            }

            #[aggregate(vis = pub(super))]
            impl Ballot {
                #[id]
                pub(super) fn create_id(name: &str) -> Uuid {
                    Uuid::new_v5(&Uuid::NAMESPACE_URL, name.as_bytes())
                }

                #[event(Opened)]
                pub(super) fn open(name: &str) -> Self {
                    let _ = name;
                    Self { votes: 0, $($field: Some(7),)* }
                }

                #[event(Voted)]
                pub(super) fn vote(&mut self) {
                    self.votes += 1;
                }
            }
        }
    };
}

ballot!(before, "outdated:Ballot", []);
ballot!(after, "outdated:Ballot", [weight]);
// A type of its own, because each is reported once in a process.
ballot!(reported_before, "outdated:Reported", []);
ballot!(reported_after, "outdated:Reported", [weight]);

#[test]
fn outdated_snapshots_are_reported_once_and_replaced_by_the_next_saves() -> Result<()> {
    let dir = tempfile::tempdir().expect("a temporary folder");
    let env = files(dir.path());
    let names = ["red", "blue", "green"];
    let school = DogSchool::new(env.clone())?;
    for name in names {
        let mut ballot = reported_before::Ballot::open(name);
        (0..9).for_each(|_| ballot.vote());
        school.save(&mut ballot)?;
        assert_eq!(versions(&school, ballot.id()), [10]);
    }
    let school = DogSchool::new(env.clone())?;
    let ids = names.map(reported_after::Ballot::create_id);
    let load = |id: &Uuid| school.repository().get::<reported_after::Ballot>(*id);
    let (loaded, said) = Warnings::during(|| {
        ids.iter().try_for_each(load_twice(&load))?;
        DogSchool::new(env.clone())?
            .repository()
            .get::<reported_after::Ballot>(ids[0])
    });
    assert_eq!(loaded?.votes, 9);
    let [said] = &said[..] else {
        panic!("{said:?}")
    };
    for part in ["`weight` is missing", "outdated:Reported", "the next save"] {
        assert!(said.contains(part), "{said}");
    }

    for id in ids {
        let mut ballot = load(&id)?;
        for expected in [&[10, 11][..], &[10, 11]] {
            ballot.vote();
            school.save(&mut ballot)?;
            assert_eq!(versions(&school, id), expected);
        }
    }
    // Nothing in front of the new snapshots is read.
    let damage = "UPDATE stored_events SET state = x'00' WHERE originator_version <= 11";
    execute(&dir.path().join("DogSchool.sqlite"), damage);
    ids.iter().try_for_each(load_twice(&load))
}

fn load_twice<T>(load: &impl Fn(&Uuid) -> Result<T>) -> impl FnMut(&Uuid) -> Result<()> {
    |id| (0..2).try_for_each(|_| load(id).map(drop))
}

#[test]
fn a_copy_of_the_cache_replaces_an_outdated_snapshot_too() -> Result<()> {
    let dir = tempfile::tempdir().expect("a temporary folder");
    let env = files(dir.path()).with("AGGREGATE_CACHE_MAXSIZE", "9");
    let school = DogSchool::new(env.clone())?;
    let mut ballot = before::Ballot::open("red");
    (0..9).for_each(|_| ballot.vote());
    school.save(&mut ballot)?;
    let school = DogSchool::new(env)?;
    let id = after::Ballot::create_id("red");
    for expected in [&[10, 11][..], &[10, 11]] {
        let _cached: after::Ballot = school.repository().get(id)?;
        let mut ballot: after::Ballot = school.repository().get(id)?;
        ballot.vote();
        school.save(&mut ballot)?;
        assert_eq!(versions(&school, id), expected);
    }
    Ok(())
}

/// Votes for each trick.
#[process_application(name = "Watcher")]
struct Voter;

#[process_application]
impl Voter {
    #[policy(Dog::TrickAdded)]
    fn vote(&self, event: &DomainEvent<DogTrickAdded>, on: &mut ProcessingEvent) -> Result<()> {
        let mut ballot: after::Ballot = self
            .repository()
            .get(after::Ballot::create_id(&event.trick))?;
        if event.notification_id > 2 {
            ballot.vote();
        }
        on.collect_events(&mut ballot);
        Ok(())
    }
}

#[test]
fn a_policy_that_only_reads_leaves_the_replacement_to_the_next_that_changes() -> Result<()> {
    let dir = tempfile::tempdir().expect("a temporary folder");
    let env = files(dir.path());
    let mut red = before::Ballot::open("red");
    (0..9).for_each(|_| red.vote());
    let watcher = Voter::new(env.clone())?;
    watcher.save(&mut red)?;
    let system = System::new(pipes![[DogSchool, Voter]])?;
    let mut runner = SingleThreadedRunner::new(&system, env)?;
    runner.start()?;
    let school = runner.get::<DogSchool>()?;
    school.register_dog("Billy")?;
    for expected in [&[10][..], &[10, 11], &[10, 11]] {
        school.add_trick("Billy", "red")?;
        runner.wait_until_idle(PATIENCE)?;
        assert_eq!(versions(&watcher, red.id()), expected);
    }
    Ok(())
}
