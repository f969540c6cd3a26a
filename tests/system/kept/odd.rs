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
use tests::library::Book;
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
            "in vain" => {
                book.add_line("in vain");
                assert_eq!(book.pending_events().len(), 1);
                return Ok(());
            }
            _ => {}
        }
        self.before(title, what, &mut book)?;
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
            "fails" => self.fail_once(event.notification_id)?,
            "panics" => {
                if let Err(error) = self.fail_once(event.notification_id) {
                    std::panic::resume_unwind(Box::new(error.to_string()));
                }
            }
            _ => {}
        }
        Ok(())
    }
}

const WHAT: [&str; 11] = [
    "in vain",
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

    /// Does something odd before the book is changed.
    fn before(&self, title: &str, what: &str, book: &mut Book) -> Result<()> {
        match what {
            "twice" => {
                let other = self.book(title)?;
                assert_eq!(book.lines, other.lines);
            }
            "aside" => {
                let first = std::mem::replace(book, self.book(title)?);
                self.aside.lock().expect("no panic").push(first);
            }
            "thread" => {
                let first = std::mem::replace(book, self.book(title)?);
                let dropped = std::thread::spawn(move || drop(first)).join();
                dropped.expect("no panic");
            }
            "twin" => {
                let twin = self.twin.as_ref().expect("there is one");
                book.add_line("by the twin");
                twin.save(&mut *book)?;
                *book = self.book(title)?;
            }
            _ => {}
        }
        Ok(())
    }

    /// Fails with the error of a store, the first time for each event.
    fn fail_once(&self, position: u64) -> Result<()> {
        if self.failed.lock().expect("no panic").insert(position) {
            let error = StoreError::read_only("faulty", "a look");
            self.broken_store.fail(Call::Head, 1, Moment::Before, error);
            self.broken.notification_log().head()?;
        }
        Ok(())
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

/// A school and its readers, and the lines that the policies are to have written.
struct Run {
    runner: SingleThreadedRunner,
    school: Arc<DogSchool>,
    readers: Arc<Readers>,
    twin: Arc<Readers>,
    store: Arc<FaultyRecorder>,
    expected: Vec<Vec<String>>,
    position: u64,
}

impl Run {
    fn start(env: Env) -> Result<Self> {
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
        school.register_dog("Billy")?;
        for title in TITLES {
            readers.save(&mut Book::open(title))?;
        }
        Ok(Self {
            runner,
            school,
            readers,
            twin,
            store: stores.get("Readers").expect("it is open"),
            expected: vec![Vec::new(); TITLES.len()],
            position: 1,
        })
    }

    /// Teaches tricks in one save.
    fn teach<'w>(&mut self, tricks: impl IntoIterator<Item = (usize, &'w str)>) -> Result<()> {
        let mut dog = self.school.get_dog("Billy")?;
        for (title, what) in tricks {
            dog.add_trick(&format!("{} {what}", TITLES[title]));
            self.position += 1;
            if !matches!(what, "read" | "in vain") {
                self.expected[title].push(self.position.to_string());
            }
        }
        self.school.save(&mut dog)?;
        Ok(())
    }

    fn take(&mut self, step: &Step) -> Result<()> {
        if !matches!(step, Step::Teach(_)) {
            self.runner.wait_until_idle(PATIENCE)?;
        }
        match step {
            Step::Teach(tricks) => {
                self.teach(tricks.iter().map(|(title, what)| (*title, WHAT[*what])))
            }
            Step::TeachTwin(title) => self.teach([(*title, "twin")]),
            Step::Command(title) => add_line(&self.readers, TITLES[*title]),
            Step::Twin(title) => add_line(&self.twin, TITLES[*title]),
            Step::Fail(call, number, is_after) => self.fail(*call, *number, *is_after),
        }
    }

    fn fail(&mut self, call: Call, number: u64, is_after: bool) -> Result<()> {
        let (moment, error) = if is_after {
            let error = StoreError::outcome_unknown("faulty", "the answer was lost");
            (Moment::After, error)
        } else {
            (Moment::Before, StoreError::read_only("faulty", "a call"))
        };
        self.store.fail(call, number, moment, error);
        for _ in 0..5 {
            self.teach([(0, "write"), (1, "write"), (0, "write")])?;
            self.runner.wait_until_idle(PATIENCE)?;
        }
        // A failure that no batch has met by then is met here, and by no command.
        for _ in 0..3 {
            let _ = self.readers.contains(Book::create_id("red"));
            let _ = self.readers.notification_log().head();
        }
        Ok(())
    }
}

fn check(steps: &[Step], env: Env) -> Result<()> {
    let mut run = Run::start(env)?;
    steps.iter().try_for_each(|step| run.take(step))?;
    run.runner.wait_until_idle(PATIENCE)?;
    for (title, expected) in TITLES.iter().zip(run.expected) {
        let book: Book = run.readers.repository().get(Book::create_id(title))?;
        let lines = book.into_state().lines.into_iter();
        let of_policies = lines.filter(|line| line.parse::<u64>().is_ok());
        assert_eq!(of_policies.collect::<Vec<_>>(), expected);
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24 * torture() as u32))]

    #[test]
    fn policies_get_what_the_record_has_whatever_they_do(
        steps in collection::vec(step(), 1..16),
        cache in prop_oneof![Just("0"), Just("1"), Just("9")],
    ) {
        let env = Env::new().with("AGGREGATE_CACHE_MAXSIZE", cache);
        check(&steps, env).expect("nothing fails");
    }
}
