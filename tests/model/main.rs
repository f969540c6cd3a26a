//! Tests with random commands and restarts against a model, and replay against live calls.

use std::collections::BTreeMap;

use es_system::prelude::*;
use proptest::prelude::{Just, ProptestConfig, Strategy, any, proptest};
use proptest::{collection, prop_oneof};
use tests::domain::{Counters, Dog, DogSchool};
use tests::{PATIENCE, files, torture};

const NAMES: [&str; 3] = ["Billy", "Milly", "Scrappy"];
const TRICKS: [&str; 3] = ["roll over", "fetch ball", "play dead"];

/// A step of a user or of the environment.
#[derive(Debug, Clone)]
enum Step {
    Register(usize),
    AddTrick(usize, usize),
    AddTwoAtOnce(usize, usize),
    /// Two copies of one dog are taught; the second save is a conflict.
    Conflict(usize, usize),
    /// The process ends without a shutdown, and another one starts.
    Restart,
    /// Another process saves.
    Foreign(usize, usize),
}

fn step() -> impl Strategy<Value = Step> {
    let dog = 0..NAMES.len();
    let trick = 0..TRICKS.len();
    prop_oneof![
        2 => dog.clone().prop_map(Step::Register),
        6 => (dog.clone(), trick.clone()).prop_map(|(d, t)| Step::AddTrick(d, t)),
        2 => (trick.clone(), trick.clone()).prop_map(|(a, b)| Step::AddTwoAtOnce(a, b)),
        1 => (dog.clone(), trick.clone()).prop_map(|(d, t)| Step::Conflict(d, t)),
        1 => Just(Step::Restart),
        1 => (dog, trick).prop_map(|(d, t)| Step::Foreign(d, t)),
    ]
}

/// The expected state: the tricks of each dog.
#[derive(Debug, Default)]
struct Model {
    dogs: BTreeMap<&'static str, Vec<String>>,
}

impl Model {
    fn register(&mut self, name: &'static str) -> bool {
        let is_new = !self.dogs.contains_key(name);
        self.dogs.entry(name).or_default();
        is_new
    }

    fn teach(&mut self, name: &str, trick: &str) -> bool {
        self.dogs
            .get_mut(name)
            .map(|tricks| tricks.push(trick.to_owned()))
            .is_some()
    }

    fn count(&self, trick: &str) -> u64 {
        self.dogs
            .values()
            .flatten()
            .filter(|known| *known == trick)
            .count() as u64
    }
}

/// A system, and the environment to start it again.
struct Process<R> {
    env: Env,
    runner: R,
}

impl<R: Runner> Process<R> {
    fn start(env: Env) -> Result<Self> {
        let mut runner = R::new(&System::new(pipes![[DogSchool, Counters]])?, env.clone())?;
        runner.start()?;
        Ok(Self { env, runner })
    }

    fn restart(self) -> Result<Self> {
        let env = self.env.clone();
        drop(self);
        Self::start(env)
    }

    fn school(&self) -> Result<std::sync::Arc<DogSchool>> {
        self.runner.get()
    }

    fn check(&self, model: &Model) -> Result<()> {
        self.runner.wait_until_idle(PATIENCE)?;
        let school = self.school()?;
        let counters = self.runner.get::<Counters>()?;
        for (name, tricks) in &model.dogs {
            assert_eq!(&school.get_dog(name)?.tricks, tricks, "{name}");
        }
        for trick in TRICKS {
            assert_eq!(counters.get_count(trick)?, model.count(trick), "{trick}");
        }
        Ok(())
    }
}

/// Asserts that a command succeeds exactly if the model expects it.
fn agree(expected: bool, outcome: Result<()>) {
    assert_eq!(expected, outcome.is_ok(), "{outcome:?}");
}

fn run<R: Runner>(steps: &[Step]) -> Result<()> {
    let dir = tempfile::tempdir().expect("a temporary folder");
    let mut process = Process::<R>::start(files(dir.path()))?;
    let mut model = Model::default();
    for step in steps {
        match *step {
            Step::Restart => process = process.restart()?,
            Step::Foreign(dog, trick) => {
                let other = DogSchool::new(process.env.clone())?;
                agree(
                    model.teach(NAMES[dog], TRICKS[trick]),
                    other.add_trick(NAMES[dog], TRICKS[trick]),
                );
            }
            _ => command(&*process.school()?, &mut model, step)?,
        }
    }
    process.check(&model)?;
    process.restart()?.check(&model)
}

fn command(school: &DogSchool, model: &mut Model, step: &Step) -> Result<()> {
    match *step {
        Step::Register(dog) => agree(model.register(NAMES[dog]), school.register_dog(NAMES[dog])),
        Step::AddTrick(dog, trick) => {
            let dog = NAMES[dog];
            let trick = TRICKS[trick];
            agree(model.teach(dog, trick), school.add_trick(dog, trick));
        }
        Step::AddTwoAtOnce(first, second) => {
            two_at_once(school, model, TRICKS[first], TRICKS[second])?
        }
        Step::Conflict(dog, trick) => conflict(school, model, NAMES[dog], TRICKS[trick])?,
        Step::Restart | Step::Foreign(..) => {}
    }
    Ok(())
}

/// Billy and Milly learn in one save, or neither does.
fn two_at_once(school: &DogSchool, model: &mut Model, first: &str, second: &str) -> Result<()> {
    let find = |name| school.repository().find::<Dog>(Dog::create_id(name));
    if let (Some(mut billy), Some(mut milly)) = (find("Billy")?, find("Milly")?) {
        billy.add_trick(first);
        milly.add_trick(second);
        school.save((&mut billy, &mut milly))?;
        assert!(model.teach("Billy", first) && model.teach("Milly", second));
    }
    Ok(())
}

fn conflict(school: &DogSchool, model: &mut Model, name: &str, trick: &str) -> Result<()> {
    let find = || school.repository().find::<Dog>(Dog::create_id(name));
    if let (Some(mut first), Some(mut second)) = (find()?, find()?) {
        first.add_trick(trick);
        second.add_trick("never learnt");
        school.save(&mut first)?;
        assert_eq!(
            school.save(&mut second).err().map(|e| e.kind()),
            Some(ErrorKind::Conflict)
        );
        assert!(model.teach(name, trick));
    }
    Ok(())
}

/// An aggregate with every kind of field, to compare replay with live calls.
#[aggregate]
#[derive(Debug, Clone, PartialEq)]
struct Ledger {
    owner: Uuid,
    total: i128,
    rate: f64,
    opened: Timestamp,
    notes: Vec<(String, Option<u8>)>,
}

#[aggregate(vis = pub(self))]
impl Ledger {
    #[event(Opened)]
    fn open(owner: Uuid, opened: Timestamp) -> Self {
        Self {
            owner,
            total: 0,
            rate: 0.0,
            opened,
            notes: Vec::new(),
        }
    }

    #[event(Booked)]
    fn book(&mut self, amount: i64, rate: f64) {
        self.total = self.total * 31 + i128::from(amount);
        self.rate = rate;
    }

    #[event(Noted)]
    fn note(&mut self, text: &str, tag: Option<u8>) {
        self.notes.push((text.to_owned(), tag));
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24 * torture() as u32, ..ProptestConfig::default() })]

    #[test]
    fn random_commands_and_restarts_agree_with_the_model(steps in collection::vec(step(), 1..40)) {
        run::<SingleThreadedRunner>(&steps).expect("no store fails");
        run::<MultiThreadedRunner>(&steps).expect("no store fails");
    }

    #[test]
    fn replay_equals_live(
        owner in any::<u128>(),
        micros in any::<i32>(),
        changes in collection::vec((any::<i64>(), any::<f64>(), any::<String>(), any::<Option<u8>>()), 0..20),
    ) {
        let opened = Timestamp::from_micros(micros.into()).expect("in range");
        let mut live = Ledger::open(Uuid::from_u128(owner), opened);
        for (amount, rate, text, tag) in &changes {
            live.book(amount % 1_000, if rate.is_finite() { *rate } else { 0.5 });
            live.note(text, *tag);
        }
        let dir = tempfile::tempdir().expect("a temporary folder");
        for env in [Env::new(), files(dir.path())] {
            let school = DogSchool::new(env).expect("it opens");
            school.save(&mut live.clone()).expect("it is saved");
            let replayed: Ledger = school.repository().get(live.id()).expect("it is there");
            assert_eq!(replayed, live);
        }
    }
}
