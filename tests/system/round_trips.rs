//! In tests, an event and a state in a snapshot come back with the values that they had: a type
//! whose serde impls lose something fails the test, with the field's name.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

use es_system::prelude::*;
use es_system::testing::{given, given_nothing, in_memory, policies_of};

/// Grams, which are stored as whole kilograms: they are written as they are read, and rounded.
#[derive(Debug, Clone, PartialEq)]
pub struct Grams(u32);

impl Serialize for Grams {
    fn serialize<S: es_system::__private::serde::Serializer>(
        &self,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        serializer.serialize_u32(self.0 / 1000)
    }
}

impl<'de> Deserialize<'de> for Grams {
    fn deserialize<D: es_system::__private::serde::Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Self, D::Error> {
        u32::deserialize(deserializer).map(|kilograms| Self(kilograms * 1000))
    }
}

/// A type without `PartialEq`.
#[derive(Clone, Serialize, Deserialize)]
struct Note(String);

#[aggregate(snapshot_every = 10)]
#[derive(Clone, Serialize, Deserialize)]
struct Parcel {
    to: String,
    weight: Option<Grams>,
    notes: Vec<Note>,
    #[serde(skip)]
    cached: usize,
}

#[aggregate]
impl Parcel {
    #[event(Packed)]
    fn pack(to: &str) -> Self {
        Self {
            to: to.to_owned(),
            weight: None,
            notes: Vec::new(),
            cached: 0,
        }
    }

    #[event(Weighed)]
    fn weigh(&mut self, note: Note, weight: Grams) {
        self.cached = note.0.len();
        self.notes.push(note);
        self.weight = Some(weight);
    }

    /// The event is stored as it is; the state is not.
    #[event(WeighedInGrams)]
    fn weigh_in_grams(&mut self, grams: u32) {
        self.cached += 1;
        self.weight = Some(Grams(grams));
    }
}

/// A state that can be compared as a whole, and an event with a struct of its own.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Filled {
    pub liters: Grams,
}

#[aggregate]
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
enum Tank {
    Empty,
    Holds(Grams),
}

#[aggregate]
impl Tank {
    #[event(Built)]
    fn build() -> Self {
        Self::Empty
    }

    #[event(Filled, payload = Filled)]
    fn fill(&mut self, liters: Grams) {
        *self = Self::Holds(liters);
    }

    #[event(FilledUp)]
    fn fill_up(&mut self, liters: u32) {
        *self = Self::Holds(Grams(liters));
    }
}

#[application]
struct Depot;

#[process_application]
struct Scales;

#[process_application]
impl Scales {
    #[policy(Parcel::Packed)]
    fn weigh(
        &self,
        event: &DomainEvent<ParcelPacked>,
        processing_event: &mut ProcessingEvent,
    ) -> Result<()> {
        let mut parcel = Parcel::pack(&event.to);
        parcel.weigh(note("policy"), Grams(1500));
        processing_event.collect_events(&mut parcel);
        Ok(())
    }
}

fn note(text: &str) -> Note {
    Note(text.to_owned())
}

fn packed() -> ParcelPacked {
    let to = "Rex".to_owned();
    ParcelPacked { to }
}

#[track_caller]
fn fails(test: impl FnOnce(), parts: &[&str]) {
    let panic = catch_unwind(AssertUnwindSafe(test)).expect_err("the test fails");
    let message = panic.downcast_ref::<String>().expect("a message");
    for part in parts {
        assert!(message.contains(part), "{part} is not in: {message}");
    }
}

const OTHER: &str = "it would come back as another value";

#[test]
fn an_event_that_comes_back_changed_fails_given_when_then() {
    fails(
        || {
            let weighed = || ParcelWeighed {
                note: note("x"),
                weight: Grams(1500),
            };
            let weighing =
                given([packed()]).when(|it: &mut Parcel| it.weigh(note("x"), Grams(1500)));
            let _ = weighing.then([weighed()]);
        },
        &["`Parcel.Weighed`", "field `weight`", OTHER],
    );
    let whole = ParcelWeighed {
        note: note("x"),
        weight: Grams(2000),
    };
    let weighing = given([packed()]).when(|it: &mut Parcel| it.weigh(note("x"), Grams(2000)));
    let _ = weighing.then([whole]);
}

#[test]
fn a_given_event_that_comes_back_changed_fails_the_test() {
    fails(
        || {
            let given = given((
                packed(),
                ParcelWeighed {
                    note: note("x"),
                    weight: Grams(1),
                },
            ));
            let _ = given.when(|_: &mut Parcel| ()).then_nothing();
        },
        &["`Parcel.Weighed`", "field `weight`", OTHER],
    );
}

#[test]
fn a_state_that_comes_back_changed_from_a_snapshot_fails_given_when_then() {
    let grams = |grams| ParcelWeighedInGrams { grams };
    fails(
        || {
            let weighing = given([packed()]).when(|it: &mut Parcel| it.weigh_in_grams(1500));
            let _ = weighing.then([grams(1500)]);
        },
        &["`Parcel`", "field `weight`", OTHER],
    );
    // A field that is not stored is not compared.
    let weighing = given([packed()]).when(|it: &mut Parcel| it.weigh_in_grams(3000));
    let _ = weighing.then([grams(3000)]);
}

#[test]
fn a_state_that_is_an_enum_is_compared_as_a_whole() {
    let built = || given([TankBuilt {}]);
    fails(
        || {
            let filling = built().when(|tank: &mut Tank| tank.fill_up(1));
            let _ = filling.then([TankFilledUp { liters: 1 }]);
        },
        &["`Tank`", "field `state`", OTHER],
    );
    let _ = given_nothing().when(Tank::build).then([TankBuilt {}]);
}

#[test]
fn an_event_with_a_struct_of_its_own_is_compared_as_a_whole() {
    fails(
        || {
            let filling = given([TankBuilt {}]).when(|tank: &mut Tank| tank.fill(Grams(1)));
            let _ = filling.then([TankFilled(Filled { liters: Grams(1) })]);
        },
        &["`Tank.Filled`", "field `payload`", OTHER],
    );
}

#[test]
fn what_comes_back_changed_fails_the_save_in_a_system_in_memory() -> Result<()> {
    let system = in_memory(pipes![[Depot]])?;
    let depot = system.get::<Depot>()?;
    let mut parcel = Parcel::pack("Rex");
    parcel.weigh(note("x"), Grams(1500));
    let error = depot
        .save(&mut parcel)
        .expect_err("it would come back changed");
    assert_eq!(error.kind(), ErrorKind::BadData);
    let error = error.to_string();
    let parts = [
        "Depot",
        "`Parcel.Weighed`",
        "version 2",
        "field `weight`",
        OTHER,
    ];
    for part in parts {
        assert!(error.contains(part), "{part} is not in: {error}");
    }
    assert_eq!(parcel.pending_events().len(), 2);

    let mut parcel = Parcel::pack("Rex");
    parcel.weigh_in_grams(1500);
    let error = depot.save(&mut parcel).expect_err("its snapshot would");
    assert!(error.to_string().contains("field `weight`"), "{error}");

    let mut parcel = Parcel::pack("Rex");
    parcel.weigh(note("x"), Grams(2000));
    depot.save(&mut parcel)?;
    Ok(())
}

#[test]
fn what_comes_back_changed_fails_the_policy_that_collects_it() -> Result<()> {
    let system = in_memory(pipes![[Depot, Scales]])?;
    system.get::<Depot>()?.save(&mut Parcel::pack("Rex"))?;
    let error = system.wait_until_idle(Duration::from_secs(5));
    let error = error.expect_err("the policy has failed").to_string();
    assert!(error.contains("field `weight`"), "{error}");

    let id = Uuid::from_u128(1);
    let _ = policies_of(Scales::new(Env::new())?).when_it_fails(id, [packed()], |error| {
        assert!(error.to_string().contains("field `weight`"), "{error}");
    });
    Ok(())
}

#[test]
fn outside_of_tests_nothing_is_compared() -> Result<()> {
    let depot = Depot::new(Env::new())?;
    let mut parcel = Parcel::pack("Rex");
    parcel.weigh(note("x"), Grams(1500));
    depot.save(&mut parcel)?;
    let found: Parcel = depot.repository().get(parcel.id())?;
    assert_eq!(found.weight, Some(Grams(1000)));
    Ok(())
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Form {
    answers: Vec<Option<Option<u32>>>,
}

#[aggregate(snapshot_every = 2)]
#[derive(Serialize, Deserialize)]
struct Quiz {
    last: Option<Option<u32>>,
}

#[aggregate]
impl Quiz {
    #[event(Asked)]
    fn ask() -> Self {
        Self { last: None }
    }

    #[event(Answered)]
    fn answer(&mut self, answer: Option<Option<u32>>) {
        self.last = answer;
    }

    #[event(FormFilled)]
    fn fill(&mut self, form: Form) {
        let _ = form;
    }

    #[event(Skipped)]
    fn skip(&mut self) {
        self.last = Some(None);
    }
}

#[test]
fn an_answer_of_some_none_is_refused_by_name() -> Result<()> {
    let depot = Depot::new(Env::new())?;
    let mut quiz = Quiz::ask();
    quiz.answer(Some(None));
    let error = depot.save(&mut quiz).expect_err("it is refused");
    let error = error.to_string();
    let id = quiz.id().to_string();
    for part in [
        "`Quiz.Answered`",
        &id,
        "version 2",
        "field `answer`",
        "use an enum",
    ] {
        assert!(error.contains(part), "{part} is not in: {error}");
    }

    let mut quiz = Quiz::ask();
    let answers = vec![None, Some(Some(1)), Some(None)];
    quiz.fill(Form { answers });
    let error = depot.save(&mut quiz).expect_err("it is refused");
    let error = error.to_string();
    assert!(error.contains("field `form.answers[2]`"), "{error}");
    Ok(())
}

#[test]
fn a_state_of_which_no_snapshot_can_be_taken_is_replayed_and_a_test_of_it_fails() -> Result<()> {
    let depot = Depot::new(Env::new())?;
    let mut quiz = Quiz::ask();
    quiz.skip();
    depot.save(&mut quiz)?;
    assert_eq!(depot.repository().get::<Quiz>(quiz.id())?.last, Some(None));
    fails(
        || {
            let skipping = given([QuizAsked {}]).when(|quiz: &mut Quiz| quiz.skip());
            let _ = skipping.then([QuizSkipped {}]);
        },
        &["`Quiz`", "field `state.last`", "use an enum"],
    );
    Ok(())
}
