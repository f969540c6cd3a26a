//! Aggregates: the effects of live calls, and the events that replay refuses.

use std::cell::Cell;
use std::sync::Arc;

use es_core::__private::Loan;
use es_core::testing::FixedSource;
use es_core::{
    Aggregate, AggregateId, EventSet, HasState, Replay, ReplayError, Timestamp, aggregate, source,
};

#[aggregate(crate = es_core)]
#[derive(Debug, Clone, PartialEq)]
struct Account {
    owner: String,
    balance: i64,
    last_change: Option<Timestamp>,
}

#[aggregate(crate = es_core, vis = pub(self))]
impl Account {
    #[event(Opened)]
    fn open(owner: &str) -> Self {
        Self {
            owner: owner.to_owned(),
            balance: 0,
            last_change: None,
        }
    }

    #[event(Booked)]
    fn book(&mut self, amount: i64, timestamp: Timestamp) {
        assert_ne!(amount, 13, "an unlucky amount");
        self.balance += amount;
        self.last_change = Some(timestamp);
    }

    /// A command, which checks and then makes events.
    fn transfer(&mut self, amount: i64) -> Result<(), &'static str> {
        if amount > self.balance {
            return Err("too little money");
        }
        self.book(-amount);
        Ok(())
    }
}

fn with_fixed_source<T>(work: impl FnOnce() -> T) -> T {
    let start = "2024-01-02T03:04:05+00:00".parse().expect("a time");
    source::with_source(Some(Arc::new(FixedSource::starting_at(start))), work)
}

#[test]
fn events_number_the_aggregate_and_move_its_time() {
    with_fixed_source(|| {
        let mut account = Account::open("Ada");
        account.book(5);
        assert_eq!(account.id(), &AggregateId::from(uuid::Uuid::from_u128(1)));
        assert_eq!(account.version(), 2);
        assert_eq!(
            account.created_on().to_string(),
            "2024-01-02T03:04:05+00:00"
        );
        assert_eq!(
            account.modified_on().to_string(),
            "2024-01-02T03:04:05.000001+00:00"
        );
        assert_eq!(
            account.last_change,
            Some(account.modified_on()),
            "the body has the event's time"
        );
    });
}

#[test]
fn a_command_that_refuses_makes_no_event() {
    let mut account = Account::open("Ada");
    assert_eq!(account.transfer(1), Err("too little money"));
    assert_eq!(account.pending_events().len(), 1);
    account.book(3);
    assert_eq!(account.transfer(1), Ok(()));
    assert_eq!(account.into_state().balance, 2);
}

#[test]
fn pending_events_are_readable_in_order() {
    let mut account = Account::open("Ada");
    account.book(5);
    let events: Vec<_> = account
        .pending_events()
        .iter()
        .map(|e| (e.originator_version, e.payload.clone()))
        .collect();
    let opened = AccountOpened {
        owner: "Ada".to_owned(),
    };
    assert_eq!(
        events,
        [(1, opened.into()), (2, AccountBooked { amount: 5 }.into())]
    );
}

#[test]
fn topics_name_the_aggregate_and_the_event() {
    assert_eq!(AccountEvent::TOPICS, ["Account.Opened", "Account.Booked"]);
    assert_eq!(Account::Booked.topic(), "Account.Booked");
}

#[test]
fn replay_ends_in_the_state_of_the_live_calls() {
    let mut account = Account::open("Ada");
    account.book(5);
    account.book(-2);
    let mut replay = Replay::<Account>::new(account.id().clone());
    for event in account.pending_events() {
        let (version, time) = (event.originator_version, event.timestamp);
        replay
            .apply(account.id(), version, time, &event.payload)
            .expect("it fits");
    }
    let replayed = replay.finish().expect("it was opened");
    assert_eq!(replayed, account);
    assert!(replayed.pending_events().is_empty());
    assert_eq!(replayed.created_on(), account.created_on());
}

/// Returns the result of applying `event` as the `version`-th to an account that was opened.
fn apply(
    id: Option<AggregateId>,
    version: u64,
    event: impl Into<AccountEvent>,
) -> Result<(), ReplayError> {
    let account = Account::open("Ada");
    let id = id.unwrap_or_else(|| account.id().clone());
    Replay::resume(account).apply(&id, version, Timestamp::MIN, &event.into())
}

fn booked(amount: i64) -> AccountBooked {
    AccountBooked { amount }
}

#[test]
fn replay_refuses_an_event_that_does_not_continue_the_aggregate() {
    assert_eq!(apply(None, 2, booked(1)), Ok(()));
    let refused = [
        (
            apply(None, 3, booked(1)),
            "has version 3 where version 2 comes next",
        ),
        (
            apply(None, 1, booked(1)),
            "has version 1 where version 2 comes next",
        ),
        (
            apply(Some("other".into()), 2, booked(1)),
            "belongs to aggregate other, not to ",
        ),
        (
            apply(
                None,
                2,
                AccountOpened {
                    owner: String::new(),
                },
            ),
            "creates an aggregate that exists already",
        ),
        (apply(None, 2, booked(13)), "panicked at version 2: "),
    ];
    for (outcome, why) in refused {
        let error = outcome.expect_err(why).to_string();
        assert!(
            error.contains(why) && error.contains("`Account."),
            "{error}"
        );
    }
}

#[test]
fn replay_refuses_a_first_event_that_creates_nothing() {
    let id = AggregateId::from("account");
    let mut replay = Replay::<Account>::new(id.clone());
    let error = replay
        .apply(&id, 1, Timestamp::MIN, &booked(1).into())
        .expect_err("nothing is there");
    assert!(
        error.to_string().contains("does not create the aggregate"),
        "{error}"
    );
    assert!(Replay::<Account>::new(id).finish().is_none());
}

#[test]
fn a_clone_has_the_pending_events_too() {
    let account = Account::open("Ada");
    assert_eq!(account.clone().pending_events(), account.pending_events());
}

#[test]
fn an_event_ends_a_loan_live_and_in_replay() {
    thread_local! {
        static RETURNED: Cell<usize> = const { Cell::new(0) };
    }
    let lent = || {
        let mut account = Account::open("Ada");
        account.__root_mut().__lend(Loan {
            number: 1,
            give_back: |_, _| RETURNED.set(RETURNED.get() + 1),
        });
        account
    };
    drop(lent());
    assert_eq!(
        RETURNED.get(),
        1,
        "an aggregate without a new event goes back"
    );
    let mut changed = lent();
    changed.book(1);
    drop(changed);
    for amount in [1, 13] {
        let (account, event) = (lent(), booked(amount));
        let id = account.id().clone();
        let mut replay = Replay::resume(account);
        let applied = replay.apply(&id, 2, Timestamp::MIN, &event.into());
        assert_eq!(applied.is_ok(), amount == 1, "the other body panics");
        drop(replay);
    }
    assert_eq!(RETURNED.get(), 1, "a changed one does not");
}
