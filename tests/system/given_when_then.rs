//! Tests written as events: they pass if the events are as expected, and print the difference if
//! not.

use std::collections::{HashMap, HashSet};
use std::panic::{AssertUnwindSafe, catch_unwind};

use es_system::prelude::*;
use es_system::testing::{given, given_nothing, in_memory, policies_of};
use tests::domain::{
    CounterCreated, CounterIncremented, Counters, Dog, DogRegistered, DogTrickAdded,
};

#[test]
fn a_dog_learns_a_trick() {
    let name = "Billy".to_owned();
    let trick = "sit".to_owned();
    given([DogRegistered { name }])
        .when(|dog: &mut Dog| dog.add_trick("sit"))
        .then([DogTrickAdded { trick }]);
}

#[test]
fn a_trick_is_counted() -> Result<()> {
    let billy = Dog::create_id("Billy");
    let sit = "sit".to_owned();
    let event = DogTrickAdded { trick: sit.clone() };
    policies_of(Counters::new(Env::new())?)
        .when(billy, [event])
        .then((CounterCreated { name: sit }, CounterIncremented {}));
    Ok(())
}

#[aggregate(topic = "bank:Account")]
#[derive(Serialize, Deserialize)]
struct Account {
    owner: String,
    balance: i64,
    opened: Timestamp,
}

#[aggregate]
impl Account {
    #[event(Opened)]
    pub fn open(owner: &str, timestamp: Timestamp) -> Self {
        Self {
            owner: owner.to_owned(),
            balance: 0,
            opened: timestamp,
        }
    }

    pub fn open_for(owner: &str) -> Result<Self, String> {
        match owner {
            "" => Err("an account has an owner".to_owned()),
            owner => Ok(Self::open(owner)),
        }
    }

    #[event(Deposited)]
    pub fn deposit(&mut self, amount: i64) {
        self.balance += amount;
    }

    #[event(Withdrawn)]
    pub fn withdraw(&mut self, amount: i64) {
        self.balance -= amount;
    }

    pub fn pay(&mut self, amount: i64) -> Result<i64, String> {
        if amount > self.balance {
            return Err(format!("{amount} is more than {}", self.balance));
        }
        self.withdraw(amount);
        Ok(self.balance)
    }
}

fn opened() -> AccountOpened {
    AccountOpened {
        owner: "Rex".to_owned(),
    }
}

#[test]
fn a_command_is_tested_by_the_events_that_were_and_that_it_makes() {
    given_nothing()
        .when(|| Account::open("Rex"))
        .then([opened()])
        .and_the_aggregate(|account| assert_eq!(account.owner, "Rex"));
    given((opened(), AccountDeposited { amount: 10 }))
        .when(|account: &mut Account| account.pay(7))
        .then([AccountWithdrawn { amount: 7 }])
        .and_the_aggregate(|account| assert_eq!((account.balance, account.version()), (3, 3)))
        .and_the_outcome(|rest| assert_eq!(rest, Ok(3)));
}

#[test]
fn a_refusal_makes_no_event() {
    given([opened()])
        .when(|account: &mut Account| account.pay(7))
        .then_nothing()
        .and_the_outcome(|refused| assert_eq!(refused, Err("7 is more than 0".to_owned())));
    given_nothing()
        .try_when(|| Account::open_for(""))
        .then_nothing()
        .and_the_outcome(|refused| assert!(refused.is_err()));
    given_nothing()
        .try_when(|| Account::open_for("Rex"))
        .then([opened()]);
}

#[test]
fn ids_and_times_can_be_foretold() {
    let id = Uuid::from_u128(7);
    given([opened()])
        .of(id)
        .when(|account: &mut Account| account.deposit(1))
        .then([AccountDeposited { amount: 1 }])
        .and_the_aggregate(|account| {
            assert_eq!(*account.id(), id);
            assert_eq!(account.opened.to_string(), "2024-01-01T00:00:00+00:00");
            assert_eq!(
                account.modified_on().to_string(),
                "2024-01-01T00:00:00.000001+00:00"
            );
        });
}

/// Returns the message of the panic of a test that fails.
fn said(test: impl FnOnce()) -> String {
    let panic = catch_unwind(AssertUnwindSafe(test)).expect_err("the test fails");
    let text = panic.downcast_ref::<String>().cloned();
    text.or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned()))
        .expect("a text")
}

#[test]
fn events_that_differ_are_shown_side_by_side() {
    let said = said(|| {
        given((opened(), AccountDeposited { amount: 10 }))
            .when(|account: &mut Account| {
                account.deposit(1);
                account.withdraw(2);
            })
            .then((
                AccountDeposited { amount: 1 },
                AccountWithdrawn { amount: 3 },
            ));
    });
    let expected = "the new events are not the expected ones\n\
                    expected:\n    1. bank:Account.Deposited {\"amount\":1}\n  > 2. bank:Account.Withdrawn {\"amount\":3}\n\
                    found:\n    1. bank:Account.Deposited {\"amount\":1}\n  > 2. bank:Account.Withdrawn {\"amount\":2}";
    assert_eq!(said, expected);
}

#[test]
fn an_event_too_many_and_one_too_few_fail_the_test() {
    let deposit = |account: &mut Account| account.deposit(1);
    let too_many = said(|| {
        given([opened()]).when(deposit).then_nothing();
    });
    assert!(
        too_many.contains("expected:\n    none\nfound:\n  > 1. bank:Account.Deposited"),
        "{too_many}"
    );
    let too_few = said(|| {
        let twice = [
            AccountDeposited { amount: 1 },
            AccountDeposited { amount: 1 },
        ];
        given([opened()]).when(deposit).then(twice);
    });
    assert!(
        too_few.contains("  > 2. bank:Account.Deposited {\"amount\":1}\nfound:"),
        "{too_few}"
    );
}

#[test]
fn events_that_no_aggregate_could_have_had_fail_the_test() {
    let no_account = said(|| {
        let _ =
            given([AccountDeposited { amount: 1 }]).when(|account: &mut Account| account.pay(1));
    });
    assert!(
        no_account.contains("the events of `bank:Account` cannot be applied"),
        "{no_account}"
    );
    let no_event = said(|| {
        let _ = given(()).when(|account: &mut Account| account.pay(1));
    });
    assert!(
        no_event.contains("begin with `given_nothing()`"),
        "{no_event}"
    );
}

#[aggregate]
#[derive(Serialize, Deserialize)]
struct Die {
    throws: u32,
}

#[aggregate]
impl Die {
    #[event(Made)]
    pub fn new() -> Self {
        Self { throws: 0 }
    }

    #[event(Thrown)]
    pub fn throw(&mut self) {
        use std::sync::atomic::{AtomicU32, Ordering};
        static ALL: AtomicU32 = AtomicU32::new(1);
        self.throws = ALL.fetch_add(1, Ordering::Relaxed);
    }
}

#[test]
fn a_body_that_depends_on_something_else_fails_the_test() {
    given_nothing().when(Die::new).then([DieMade {}]);
    let said = said(|| {
        given([DieMade {}])
            .when(|die: &mut Die| die.throw())
            .then([DieThrown {}]);
    });
    assert!(
        said.contains("depends on something besides its parameters"),
        "{said}"
    );
}

/// The guests, and their presents.
#[aggregate]
#[derive(Serialize, Deserialize)]
struct Party {
    guests: HashSet<u32>,
    gifts: HashMap<u32, String>,
}

#[aggregate]
impl Party {
    #[event(Planned)]
    fn plan(guests: &[u32]) -> Self {
        let guests = guests.iter().copied().collect();
        Self {
            guests,
            gifts: HashMap::new(),
        }
    }

    #[event(Begun)]
    fn begin(&mut self, gifts: &HashMap<u32, String>) {
        self.gifts.clone_from(gifts);
    }
}

#[test]
fn maps_and_sets_are_equal_whatever_their_order() {
    let gifts = || (0..20).map(|guest| (guest, "a bone".to_owned()));
    let guests: Vec<_> = (0..20).collect();
    given_nothing()
        .when(|| Party::plan(&guests))
        .then([PartyPlanned {
            guests: guests.clone(),
        }]);
    given([PartyPlanned { guests }])
        .when(|party: &mut Party| party.begin(&gifts().collect()))
        .then([PartyBegun {
            gifts: gifts().rev().collect(),
        }]);
}

#[aggregate]
struct Total {
    amount: i64,
}

#[aggregate]
impl Total {
    #[id]
    fn only() -> Uuid {
        Uuid::from_u128(1)
    }

    #[event(Begun)]
    fn begin() -> Self {
        Self { amount: 0 }
    }

    #[event(Grown)]
    fn grow(&mut self, by: i64) {
        self.amount += by;
    }
}

#[application]
struct Bank;

#[process_application]
struct Totals;

#[process_application]
impl Totals {
    #[policy(Account::Deposited)]
    fn grow(
        &self,
        event: &DomainEvent<AccountDeposited>,
        processing_event: &mut ProcessingEvent,
    ) -> Result<(), String> {
        if event.amount < 0 {
            return Err("less than nothing".to_owned());
        }
        let found = self.repository().find(Total::only());
        let mut total = found
            .map_err(|error| error.to_string())?
            .unwrap_or_else(Total::begin);
        total.grow(event.amount);
        processing_event.collect_events(&mut total);
        Ok(())
    }
}

#[test]
fn policies_are_tested_by_the_events_of_the_upstream_and_their_own() -> Result<()> {
    let one = Uuid::from_u128(1);
    let two = Uuid::from_u128(2);
    policies_of(Totals::new(Env::new())?)
        .given(one, (opened(), AccountDeposited { amount: 1 }))
        .when(two, [opened()])
        .then_nothing()
        .when(
            two,
            [
                AccountDeposited { amount: 2 },
                AccountDeposited { amount: 3 },
            ],
        )
        .then([TotalGrown { by: 2 }, TotalGrown { by: 3 }])
        .and_the_application(|totals| {
            let total = totals.repository().get::<Total>(Total::only());
            assert_eq!(total.expect("there").amount, 6);
        });
    Ok(())
}

#[test]
fn policies_of_aggregates_with_either_form_of_ids_are_tested() -> Result<()> {
    let deposited = |amount| [AccountDeposited { amount }];
    policies_of(Totals::new(Env::new())?)
        .given("an account", deposited(1))
        .when(Uuid::from_u128(1), deposited(2))
        .then([TotalGrown { by: 2 }])
        .when("an account", deposited(3))
        .then([TotalGrown { by: 3 }]);
    Ok(())
}

#[test]
fn a_policy_that_fails_is_told_and_keeps_what_came_before() -> Result<()> {
    policies_of(Totals::new(Env::new())?)
        .when_it_fails(
            Uuid::from_u128(1),
            [
                AccountDeposited { amount: 4 },
                AccountDeposited { amount: -1 },
            ],
            |error| assert!(error.to_string().contains("less than nothing"), "{error}"),
        )
        .then((TotalBegun {}, TotalGrown { by: 4 }));
    let failed = said(|| {
        let totals = Totals::new(Env::new()).expect("in memory");
        policies_of(totals).when(Uuid::from_u128(1), [AccountDeposited { amount: -1 }]);
    });
    assert!(failed.contains("less than nothing"), "{failed}");
    Ok(())
}

#[test]
fn a_whole_system_in_memory_is_one_line() -> Result<()> {
    let system = in_memory(pipes![[Bank, Totals]])?;
    let mut account = Account::open("Rex");
    account.deposit(5);
    system.get::<Bank>()?.save(&mut account)?;
    let totals = system.get::<Totals>()?;
    assert_eq!(totals.repository().get::<Total>(Total::only())?.amount, 5);
    Ok(())
}
