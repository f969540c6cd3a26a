//! Policies that do odd things with their aggregates get what the record has all the same.

use std::collections::HashSet;
use std::sync::{Arc, Mutex};

use es_system::Application;
use es_system::prelude::*;
use es_system::store::{IdType, Role, StoreError, memory::MemoryRecorder};
use es_system::testing::{Call, FaultyRecorder, FaultyStores, Moment};
use proptest::prelude::{Just, ProptestConfig, Strategy, proptest};
use proptest::{collection, prop_oneof};
use tests::domain::{Dog, DogSchool, DogTrickAdded};
use tests::library::{Book, Rate};
use tests::{PATIENCE, torture};

/// A follower whose policies are told by the trick what to do with a book.
#[process_application]
struct Readers {
    aside: Mutex<Vec<Book>>,
    /// The events whose policy has failed once.
    failed: Mutex<HashSet<u64>>,
    /// An application on a store that fails when it is told to.
    broken: Application,
    broken_store: Arc<FaultyRecorder>,
    /// Another object of this application on the same store.
    twin: Option<Arc<Readers>>,
}

#[process_application]
impl Readers {
    #[policy(Dog::TrickAdded)]
    fn read(
        &self,
        event: &DomainEvent<DogTrickAdded>,
        processing_event: &mut ProcessingEvent,
    ) -> Result<()> {
        let (title, what) = event.trick.split_once(' ').expect("a title and what to do");
        let line = event.notification_id.to_string();
        // What was put aside for an earlier event is dropped while another one is processed.
        self.aside.lock().expect("no panic").clear();
        let mut book = self.book(title)?;
        match what {
            "read" => return Ok(()),
            "twice" => {
                let other = self.book(title)?;
                assert_eq!(book.lines, other.lines);
            }
            "aside" => {
                let first = std::mem::replace(&mut book, self.book(title)?);
                self.aside.lock().expect("no panic").push(first);
            }
            "thread" => {
                let first = std::mem::replace(&mut book, self.book(title)?);
                std::thread::spawn(move || drop(first))
                    .join()
                    .expect("no panic");
            }
            "twin" => {
                let twin = self.twin.as_ref().expect("there is one");
                book.add_line("by the twin");
                twin.save(&mut book)?;
                book = self.book(title)?;
            }
            _ => {}
        }
        book.add_line(&line);
        processing_event.collect_events(&mut book);
        match what {
            "again" => {
                let mut other = self.book(title)?;
                other.add_line("again");
                processing_event.collect_events(&mut other);
            }
            "more" => {
                book.add_line("more");
                processing_event.collect_events(&mut book);
            }
            "aside after" => self.aside.lock().expect("no panic").push(book),
            "fails"
                if self
                    .failed
                    .lock()
                    .expect("no panic")
                    .insert(event.notification_id) =>
            {
                let error = StoreError::read_only("faulty", "a look");
                self.broken_store.fail(Call::Head, 1, Moment::Before, error);
                self.broken.notification_log().head()?;
            }
            "panics"
                if self
                    .failed
                    .lock()
                    .expect("no panic")
                    .insert(event.notification_id) =>
            {
                let error = StoreError::read_only("faulty", "a look");
                self.broken_store.fail(Call::Head, 1, Moment::Before, error);
                let panicked = self.broken.notification_log().head();
                std::panic::resume_unwind(Box::new(format!("{panicked:?}")));
            }
            _ => {}
        }
        Ok(())
    }
}

const WHAT: [&str; 10] = [
    "write",
    "read",
    "twice",
    "aside",
    "thread",
    "again",
    "more",
    "aside after",
    "fails",
    "panics",
];

impl Readers {
    fn open(env: &Env, twin: Option<Arc<Self>>) -> Result<Self> {
        let memory = MemoryRecorder::new(Role::Leader, IdType::Uuid);
        let broken_store = Arc::new(FaultyRecorder::new(Arc::new(memory)));
        let broken = Application::with_recorder("Broken", Env::new(), broken_store.clone())?;
        let (aside, failed) = (Mutex::default(), Mutex::default());
        Self::new(env.clone(), aside, failed, broken, broken_store, twin)
    }

    /// Returns a book, and checks that it is what the events of the store and of the batch make.
    fn book(&self, title: &str) -> Result<Book> {
        let id = Book::create_id(title);
        let book: Book = self.repository().get(id)?;
        let replayed: Book = self.repository().get_at(id, book.version())?;
        assert_eq!(book.lines, replayed.lines);
        assert_eq!(book.modified_on(), replayed.modified_on());
        assert!(book.pending_events().is_empty());
        Ok(book)
    }
}

/// A step that the school, the readers or their store takes.
#[derive(Debug, Clone)]
enum Step {
    /// Teaches tricks in one save, so that they are one batch.
    Teach(Vec<(usize, usize)>),
    /// Teaches a trick for which the policy saves the book by another object of the application.
    TeachTwin(usize),
    /// Adds a line by a command.
    Command(usize),
    /// Adds a line by another object of the application.
    Twin(usize),
    /// Has the call of the readers' store fail that is the next but so many.
    Fail(Call, u64, bool),
}

const TITLES: [&str; 2] = ["red", "blue"];

fn step() -> impl Strategy<Value = Step> {
    let trick = (0..TITLES.len(), 0..WHAT.len());
    let calls = prop_oneof![
        Just((Call::Record, false)),
        Just((Call::Record, true)),
        Just((Call::SelectEvents, false)),
        Just((Call::Head, false)),
    ];
    prop_oneof![
        4 => collection::vec(trick, 1..6).prop_map(Step::Teach),
        1 => (0..TITLES.len()).prop_map(Step::TeachTwin),
        1 => (0..TITLES.len()).prop_map(Step::Command),
        1 => (0..TITLES.len()).prop_map(Step::Twin),
        1 => (calls, 1..4_u64).prop_map(|((call, after), number)| Step::Fail(call, number, after)),
    ]
}

fn add_line(readers: &Readers, title: &str) -> Result<()> {
    readers.retry(|| {
        let book = readers.repository().find(Book::create_id(title))?;
        let mut book = book.unwrap_or_else(|| Book::open(title));
        book.add_line("by a command");
        readers.save(&mut book)?;
        Ok(())
    })
}

fn check(steps: &[Step], env: Env) -> Result<()> {
    let stores = Arc::new(FaultyStores::in_memory());
    let env = env.with_store(stores.clone());
    let twin = Arc::new(Readers::open(&env, None)?);
    let open = {
        let (env, twin) = (env.clone(), twin.clone());
        move |_| Readers::open(&env, Some(twin.clone()))
    };
    let system = System::new(pipes![[DogSchool, Readers = open]])?;
    let mut runner = SingleThreadedRunner::new(&system, env)?;
    runner.start()?;
    let (school, readers) = (runner.get::<DogSchool>()?, runner.get::<Readers>()?);
    let store = stores.get("Readers").expect("it is open");
    school.register_dog("Billy")?;
    for title in TITLES {
        readers.save(&mut Book::open(title))?;
    }
    let mut expected = vec![Vec::new(); TITLES.len()];
    let mut position = 1;
    for step in steps {
        match step {
            Step::Teach(tricks) => {
                let mut dog = school.get_dog("Billy")?;
                for (title, what) in tricks {
                    dog.add_trick(&format!("{} {}", TITLES[*title], WHAT[*what]));
                    position += 1;
                    if WHAT[*what] != "read" {
                        expected[*title].push(position.to_string());
                    }
                }
                school.save(&mut dog)?;
            }
            Step::TeachTwin(title) => {
                runner.wait_until_idle(PATIENCE)?;
                school.add_trick("Billy", &format!("{} twin", TITLES[*title]))?;
                position += 1;
                expected[*title].push(position.to_string());
            }
            Step::Command(title) => {
                runner.wait_until_idle(PATIENCE)?;
                add_line(&readers, TITLES[*title])?;
            }
            Step::Twin(title) => {
                runner.wait_until_idle(PATIENCE)?;
                add_line(&twin, TITLES[*title])?;
            }
            Step::Fail(call, number, is_after) => {
                let (moment, error) = if *is_after {
                    let error = StoreError::outcome_unknown("faulty", "the answer was lost");
                    (Moment::After, error)
                } else {
                    (Moment::Before, StoreError::read_only("faulty", "a call"))
                };
                // A command would fail on it as well, so it is a batch that meets it.
                store.fail(*call, *number, moment, error);
                let mut dog = school.get_dog("Billy")?;
                for _ in 0..4 {
                    dog.add_trick("red write");
                    position += 1;
                    expected[0].push(position.to_string());
                }
                for _ in 0..4 {
                    school.save(&mut dog)?;
                    runner.wait_until_idle(PATIENCE)?;
                    dog.add_trick("blue write");
                    position += 1;
                    expected[1].push(position.to_string());
                }
                school.save(&mut dog)?;
                runner.wait_until_idle(PATIENCE)?;
                // What was not met by then is met here.
                for _ in 0..3 {
                    let _ = readers.contains(Book::create_id("red"));
                    let _ = readers.notification_log().head();
                }
            }
        }
    }
    runner.wait_until_idle(PATIENCE)?;
    for (title, expected) in TITLES.iter().zip(expected) {
        let book: Option<Book> = readers.repository().find(Book::create_id(title))?;
        let lines = book.map_or_else(Vec::new, |book| book.into_state().lines);
        let of_policies = lines.into_iter().filter(|line| line.parse::<u64>().is_ok());
        assert_eq!(of_policies.collect::<Vec<_>>(), expected);
    }
    let rate: Option<Rate> = readers.repository().find(Rate::create_id("red"))?;
    assert!(rate.is_none());
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24 * torture() as u32))]

    #[test]
    fn policies_get_what_the_record_has_whatever_they_do(
        steps in collection::vec(step(), 1..16),
        cache in prop_oneof![3 => Just("0"), 1 => Just("1")],
    ) {
        let env = Env::new().with("AGGREGATE_CACHE_MAXSIZE", cache);
        check(&steps, env).expect("nothing fails");
    }
}
