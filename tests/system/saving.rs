//! Saving and loading aggregates.

use std::sync::atomic::{AtomicU64, Ordering};

use es_system::prelude::*;
use tests::domain::{Counter, Dog, DogSchool};
use tests::{Place, places};

fn school() -> Result<DogSchool> {
    DogSchool::new(Env::new())
}

#[test]
fn an_aggregate_comes_back_as_it_was_saved() -> Result<()> {
    for Place { name, env, .. } in places() {
        let school = DogSchool::new(env)?;
        let mut dog = Dog::register("Søren \"Ünï\" 🐕");
        dog.add_trick("spin\n\t\\ \u{2028} \u{7f} \u{1}");
        school.save(&mut dog)?;
        let found: Dog = school.repository().get(dog.id())?;
        assert_eq!(
            (&found.name, &found.tricks),
            (&dog.name, &dog.tricks),
            "{name}"
        );
        assert_eq!((found.id(), found.version()), (dog.id(), 2));
        assert_eq!(found.created_on(), dog.created_on());
        assert_eq!(found.modified_on(), dog.modified_on());
        assert!(found.pending_events().is_empty());
    }
    Ok(())
}

#[test]
fn of_two_saves_of_one_version_the_second_is_a_conflict_and_keeps_its_pending_events() -> Result<()>
{
    for Place { name, env, .. } in places() {
        let school = DogSchool::new(env)?;
        school.register_dog("Billy")?;
        let mut first = school.get_dog("Billy")?;
        let mut second = school.get_dog("Billy")?;
        first.add_trick("sit");
        second.add_trick("roll over");
        school.save(&mut first)?;
        let error = school.save(&mut second).expect_err("a conflict");
        assert_eq!(error.kind(), ErrorKind::Conflict, "{name}: {error}");
        assert_eq!(
            error.to_string(),
            format!(
                "DogSchool: version 2 of aggregate {} exists already: load the aggregate again and retry",
                second.id()
            )
        );
        assert_eq!(second.pending_events().len(), 1);
        assert_eq!(school.get_dog("Billy")?.tricks, ["sit"]);
    }
    Ok(())
}

#[test]
fn several_aggregates_are_saved_all_or_none() -> Result<()> {
    for Place { name, env, .. } in places() {
        let school = DogSchool::new(env)?;
        school.register_dog("Billy")?;
        let mut counter = Counter::new("sit");
        let mut again = Dog::register("Billy");
        let error = school
            .save((&mut counter, &mut again))
            .expect_err("Billy exists");
        assert_eq!(error.kind(), ErrorKind::Conflict, "{name}");
        assert!(
            !school.contains(counter.id())?,
            "{name}: nothing of it was saved"
        );
        assert_eq!(
            (counter.pending_events().len(), again.pending_events().len()),
            (1, 1)
        );

        let recorded = school.save((&mut counter, &mut Dog::register("Milly")))?;
        assert_eq!(recorded.positions.len(), 2);
        assert!(school.contains(counter.id())? && school.contains(Dog::create_id("Milly"))?);
    }
    Ok(())
}

#[test]
fn slices_and_vectors_of_aggregates_are_saved_at_once() -> Result<()> {
    let school = school()?;
    let mut dogs: Vec<Dog> = (0..3).map(|n| Dog::register(&n.to_string())).collect();
    assert_eq!(school.save(&mut dogs[..])?.positions, [1, 2, 3]);
    dogs.iter_mut().for_each(|dog| dog.add_trick("sit"));
    assert_eq!(
        school.save(dogs.iter_mut().collect::<Vec<_>>())?.positions,
        [4, 5, 6]
    );
    assert_eq!(
        school.save(&mut dogs[..])?.last_position(),
        None,
        "nothing is pending"
    );
    Ok(())
}

#[test]
fn an_aggregate_that_does_not_exist_is_not_found_and_named() -> Result<()> {
    let school = school()?;
    let id = Dog::create_id("Nobody");
    let error = school.get_dog("Nobody").expect_err("there is none");
    assert!(matches!(&error, Error::AggregateNotFound { id: missing, .. } if *missing == id));
    assert_eq!(error.kind(), ErrorKind::NotFound);
    assert_eq!(
        error.to_string(),
        format!("DogSchool: no `dogschool:Dog` {id}")
    );
    assert!(school.repository().find::<Dog>(id)?.is_none());
    assert!(!school.contains(id)?);
    Ok(())
}

#[test]
fn a_past_version_is_what_it_was() -> Result<()> {
    let school = school()?;
    school.register_dog("Billy")?;
    for trick in ["sit", "roll over", "fetch ball"] {
        school.add_trick("Billy", trick)?;
    }
    let id = Dog::create_id("Billy");
    let past: Dog = school.repository().get_at(id, 3)?;
    assert_eq!(
        (past.tricks.as_slice(), past.version()),
        (&["sit", "roll over"].map(String::from)[..], 3)
    );
    let error = school
        .repository()
        .get_at::<Dog>(id, 5)
        .expect_err("it never had version 5");
    assert_eq!(
        error.to_string(),
        format!("DogSchool: no `dogschool:Dog` {id} at version 5")
    );
    assert_eq!(
        school
            .repository()
            .get_at::<Dog>(id, 0)
            .expect_err("no version 0")
            .kind(),
        ErrorKind::NotFound
    );
    Ok(())
}

#[test]
fn of_many_threads_on_one_aggregate_exactly_one_wins_each_version() -> Result<()> {
    for Place { name, env, .. } in places() {
        let school = DogSchool::new(env)?;
        school.register_dog("Billy")?;
        let saved = AtomicU64::new(0);
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    for _ in 0..25 {
                        match school.add_trick("Billy", "sit") {
                            Ok(()) => drop(saved.fetch_add(1, Ordering::Relaxed)),
                            Err(error) => assert_eq!(error.kind(), ErrorKind::Conflict, "{error}"),
                        }
                    }
                });
            }
        });
        let billy = school.get_dog("Billy")?;
        assert_eq!(billy.tricks.len() as u64, saved.into_inner(), "{name}");
        assert_eq!(billy.version(), 1 + billy.tricks.len() as u64);
    }
    Ok(())
}

#[test]
fn a_closed_application_says_so() -> Result<()> {
    for Place { env, .. } in places() {
        let school = DogSchool::new(env)?;
        school.register_dog("Billy")?;
        school.close();
        school.close();
        let mut dog = Dog::register("Milly");
        let error = school.save(&mut dog).expect_err("closed");
        assert_eq!(error.to_string(), "DogSchool: the application: closed");
        assert_eq!(dog.pending_events().len(), 1);
        assert!(school.get_dog("Billy").is_err());
        assert!(school.notification_log().select(1, 10).is_err());
        assert!(school.subscribe(0).is_err());
    }
    Ok(())
}

#[test]
fn text_ids_are_kept_where_the_environment_says_so() -> Result<()> {
    for Place { name, env, .. } in places() {
        let text = DogSchool::new(env.with("ORIGINATOR_ID_TYPE", "text"))?;
        let error = text
            .register_dog("Billy")
            .expect_err("a UUID in a store of text ids");
        assert!(
            error.to_string().contains("ORIGINATOR_ID_TYPE"),
            "{name}: {error}"
        );
        text.save(&mut Named::new("Billy"))?;
        assert_eq!(text.repository().get::<Named>("named-Billy")?.name, "Billy");
    }
    let error = school()?
        .save(&mut Named::new("Billy"))
        .expect_err("text in a store of UUIDs");
    assert!(error.to_string().contains("ORIGINATOR_ID_TYPE"), "{error}");
    Ok(())
}

#[aggregate]
struct Named {
    name: String,
}

#[aggregate(vis = pub(self))]
impl Named {
    #[id]
    fn create_id(name: &str) -> String {
        format!("named-{name}")
    }

    #[event(Named)]
    fn new(name: &str) -> Self {
        Self {
            name: name.to_owned(),
        }
    }
}

/// A dog that refuses a trick that it knows already.
mod refusing {
    use es_system::prelude::*;

    #[aggregate]
    pub(super) struct Dog {
        pub(super) name: String,
        pub(super) tricks: Vec<String>,
    }

    #[aggregate(vis = pub(super))]
    impl Dog {
        #[event(Registered)]
        pub fn register(name: &str) -> Self {
            Self {
                name: name.to_owned(),
                tricks: Vec::new(),
            }
        }

        #[event(TrickAdded)]
        pub fn add_trick(&mut self, trick: &str) {
            self.tricks.push(trick.to_owned());
        }

        pub fn teach(&mut self, trick: &str) -> Result<(), String> {
            if self.tricks.iter().any(|known| known == trick) {
                return Err(format!("{} knows {trick} already", self.name));
            }
            self.add_trick(trick);
            Ok(())
        }
    }
}

#[test]
fn a_command_that_refuses_makes_no_event() {
    let mut dog = refusing::Dog::register("Billy");
    assert_eq!(dog.teach("sit"), Ok(()));
    assert_eq!(dog.teach("sit"), Err("Billy knows sit already".to_owned()));
    assert_eq!((dog.version(), dog.state().tricks.len()), (2, 1));
}

#[test]
fn an_event_may_keep_the_id_of_another_aggregate_in_either_form() -> Result<()> {
    let school = school()?;
    let owners: [AggregateId; 2] = [
        Uuid::NAMESPACE_URL.into(),
        "7af4050a-b4c7-5133-9183-ab86addc7e7d".into(),
    ];
    for owner in owners {
        let mut collar = Collar::new(&owner);
        school.save(&mut collar)?;
        assert_eq!(school.repository().get::<Collar>(collar.id())?.owner, owner);
    }
    Ok(())
}

#[aggregate]
struct Collar {
    owner: AggregateId,
}

#[aggregate(vis = pub(self))]
impl Collar {
    #[event(Made)]
    fn new(owner: &AggregateId) -> Self {
        Self {
            owner: owner.clone(),
        }
    }
}

#[test]
fn to_ask_for_another_type_than_an_aggregate_is_of_is_said_so() -> Result<()> {
    let school = DogSchool::new(Env::new())?;
    school.register_dog("Billy")?;
    let asked = school.repository().get::<Counter>(Dog::create_id("Billy"));
    let said = asked.expect_err("a dog").to_string();
    let expected = format!(
        "DogSchool: aggregate {} has the event `dogschool:Dog.Registered`, so it is not a `dogschool:Counter`: \
         ask for the type of the event",
        Dog::create_id("Billy")
    );
    assert_eq!(said, expected);
    Ok(())
}
