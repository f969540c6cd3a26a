//! One clock for all of a test: of aggregates, of policies, and of whole systems.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Duration;

use es_system::prelude::*;
use es_system::testing::{
    Clock, FixedSource, Source, given, given_nothing, in_memory, policies_of, source, with_source,
};
use tests::PATIENCE;

#[aggregate]
struct Loan {
    due: Timestamp,
}

#[aggregate]
impl Loan {
    #[event(Made)]
    fn make(timestamp: Timestamp) -> Self {
        let four_weeks = Duration::from_secs(28 * 24 * 60 * 60);
        Self {
            due: timestamp + four_weeks,
        }
    }

    #[event(Returned)]
    fn hand_back(&mut self, late: bool) {
        let _ = late;
    }

    fn bring_back(&mut self) {
        let late = Timestamp::now() > self.due;
        self.hand_back(late);
    }
}

#[aggregate]
struct Letter {
    sent: Timestamp,
}

#[aggregate]
impl Letter {
    #[event(Sent)]
    fn send(made: Timestamp, timestamp: Timestamp) -> Self {
        let _ = made;
        Self { sent: timestamp }
    }
}

#[application]
struct Library;

#[process_application]
struct Office;

#[process_application]
impl Office {
    #[policy(Loan::Made)]
    fn write(
        &self,
        event: &DomainEvent<LoanMade>,
        processing_event: &mut ProcessingEvent,
    ) -> Result<()> {
        processing_event.collect_events(&mut Letter::send(event.timestamp));
        Ok(())
    }
}

fn time(text: &str) -> Timestamp {
    text.parse().expect("a time")
}

fn start() -> Timestamp {
    time("2024-01-01T00:00:00+00:00")
}

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

#[test]
fn a_command_has_the_time_that_the_test_gives_it() {
    for (at, late) in [
        ("2024-01-28T00:00:00+00:00", false),
        ("2024-02-01T00:00:00+00:00", true),
    ] {
        given([LoanMade {}])
            .at(time(at))
            .when(|loan: &mut Loan| loan.bring_back())
            .then([LoanReturned { late }])
            .and_the_aggregate(|loan| {
                assert_eq!(loan.created_on(), start());
                assert!(loan.modified_on() > time(at) && loan.modified_on() < time(at) + DAY);
            });
    }
    given_nothing()
        .at(time("2030-01-01T00:00:00+00:00"))
        .when(Loan::make)
        .then([LoanMade {}])
        .and_the_aggregate(|loan| assert_eq!(loan.due, time("2030-01-29T00:00:00+00:00")));
}

#[test]
fn events_of_the_upstream_have_the_time_that_the_test_gives_them() -> Result<()> {
    let loan = Uuid::from_u128(7);
    let later = time("2024-03-01T12:00:00+00:00");
    policies_of(Office::new(Env::new())?)
        .when(loan, [LoanMade {}])
        .then([LetterSent { made: start() }])
        .at(later)
        .when(Uuid::from_u128(8), [LoanMade {}])
        .then([LetterSent { made: later }])
        .and_the_application(|_| assert!(Timestamp::now() < later + DAY));
    assert!(source::current().is_none());
    Ok(())
}

#[test]
fn aggregates_policies_and_systems_share_the_clock_of_the_test() -> Result<()> {
    let clock = Clock::starting_at(time("2024-05-01T00:00:00+00:00"));
    clock.advance(DAY);
    given_nothing()
        .when(Loan::make)
        .then([LoanMade {}])
        .and_the_aggregate(|loan| assert_eq!(loan.created_on(), time("2024-05-02T00:00:00+00:00")));
    clock.move_to(time("2024-06-01T00:00:00+00:00"));
    let _ = policies_of(Office::new(Env::new())?)
        .when(Uuid::from_u128(99), [LoanMade {}])
        .then([LetterSent {
            made: time("2024-06-01T00:00:00+00:00"),
        }])
        .at(time("2024-07-01T00:00:00+00:00"));

    let system = in_memory(pipes![[Library, Office]])?;
    let mut loan = Loan::make();
    assert_eq!(loan.created_on(), time("2024-07-01T00:00:00+00:00"));
    let library = system.get::<Library>()?;
    library.save(&mut loan)?;
    clock.advance(28 * DAY);
    let returned = library.execute::<Loan, _>(loan.id(), |loan| {
        loan.bring_back();
        Ok(loan.modified_on())
    })?;
    assert!(returned > loan.due && returned < loan.due + DAY);
    drop(clock);
    assert!(source::current().is_none());
    Ok(())
}

#[test]
fn the_threads_of_a_runner_follow_the_clock_of_the_test() -> Result<()> {
    let clock = Clock::starting_at(start());
    let system = System::new(pipes![[Library, Office]])?;
    let mut runner = MultiThreadedRunner::new(&system, Env::new())?;
    runner.start()?;
    for month in ["2024-02-01T00:00:00+00:00", "2024-03-01T00:00:00+00:00"] {
        clock.move_to(time(month));
        runner.get::<Library>()?.save(&mut Loan::make())?;
        runner.wait_until_idle(PATIENCE)?;
        let office = runner.get::<Office>()?;
        let letters = office
            .notification_log()
            .query(&es_system::store::NotificationQuery::after(0))?;
        let last = &letters.last().expect("a letter").event;
        let letter: Letter = office.repository().get(&last.originator_id)?;
        assert!(
            letter.sent > time(month) && letter.sent < time(month) + DAY,
            "{:?}",
            letter.sent
        );
    }
    runner.stop()?;
    Ok(())
}

#[test]
fn a_clock_inside_of_another_gives_way_to_it_at_its_end() {
    let outer = Clock::starting_at(start());
    {
        let _inner = Clock::starting_at(time("2030-01-01T00:00:00+00:00"));
        assert_eq!(Timestamp::now(), time("2030-01-01T00:00:00+00:00"));
    }
    assert_eq!(Timestamp::now(), start());
    outer.advance(Duration::MAX);
    assert_eq!(Timestamp::now(), Timestamp::MAX);
}

#[test]
fn a_source_that_cannot_be_set_is_named_where_it_must_be() {
    struct Standing;
    impl Source for Standing {
        fn now(&self) -> Timestamp {
            Timestamp::MIN
        }
        fn fresh_id(&self) -> Uuid {
            Uuid::nil()
        }
    }
    let fixed = Arc::new(FixedSource::starting_at(start()));
    with_source(Some(fixed), || {
        let _ = given_nothing().at(start() + DAY).when(Loan::make);
        assert!(Timestamp::now() > start() + DAY);
    });
    let panicked = catch_unwind(AssertUnwindSafe(|| {
        with_source(Some(Arc::new(Standing)), || {
            let _ = given_nothing().at(start()).when(Loan::make);
        });
    }));
    let message = panicked.expect_err("it cannot be set");
    let message = message.downcast_ref::<&str>().expect("a message");
    assert!(
        message.contains("use `Clock` or `FixedSource`"),
        "{message}"
    );
}
