//! The error of a policy for which the world is not ready.

use std::error::Error;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use es_core::error_chain;

use crate::error::BoxError;

/// The longest time to wait. A longer one would be of no use.
const LONGEST: Duration = Duration::from_secs(24 * 60 * 60);

/// The shortest time to wait, which keeps a follower from trying without a pause.
const SHORTEST: Duration = Duration::from_millis(1);

/// The error of a policy that cannot process its event yet, because something outside of this
/// library is not ready.
///
/// The follower waits in front of the event for the time that the policy has set, and runs the
/// policy again, as often as it returns this error. The rules for policies that fail (`on_error`)
/// do not apply. Later events wait, too, so their order is kept.
///
/// A policy returns it as it is, as the cause of another error, or converted into an
/// [`Error`](crate::Error) by `?` or `.into()`:
///
/// ```
/// use es_system::prelude::*;
/// # #[aggregate]
/// # pub struct Order {}
/// # #[aggregate]
/// # impl Order {
/// #     #[event(Paid)]
/// #     pub fn pay(amount: u64) -> Self { Self {} }
/// # }
/// # mod broker {
/// #     pub fn publish(_amount: u64) -> Result<(), std::io::Error> { Ok(()) }
/// # }
/// # #[process_application]
/// # pub struct Publisher;
/// #[process_application]
/// impl Publisher {
///     #[policy(Order::Paid)]
///     fn publish(&self, event: &DomainEvent<OrderPaid>, _: &mut ProcessingEvent) -> Result<()> {
///         broker::publish(event.amount)
///             .map_err(|error| RetryLater::after(Duration::from_secs(5), error))?;
///         Ok(())
///     }
/// }
/// # Publisher::new(Env::new())?;
/// # Ok::<(), Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct RetryLater {
    wait: Arc<Wait>,
}

/// The content of a [`RetryLater`], and its source. An error of the user's that is transparent for
/// a `RetryLater` leaves that one out of the chain of causes, but not its source.
#[derive(Debug)]
struct Wait {
    delay: Duration,
    cause: BoxError,
}

impl RetryLater {
    /// Creates the error of a policy that is to run again after `delay`. The cause is an error or a
    /// text. A delay below 1 ms is 1 ms, and one above a day is a day.
    pub fn after(delay: Duration, cause: impl Into<BoxError>) -> Self {
        let delay = delay.clamp(SHORTEST, LONGEST);
        let cause = cause.into();
        let wait = Arc::new(Wait { delay, cause });
        Self { wait }
    }

    /// Returns the time after which the policy is to run again.
    pub fn delay(&self) -> Duration {
        self.wait.delay
    }

    /// Returns the time after which a policy is to run again that has failed with `error`, if this
    /// error is among its causes, or is itself the one.
    pub(crate) fn delay_of(error: &(dyn Error + 'static)) -> Option<Duration> {
        let mut cause = Some(error);
        while let Some(error) = cause {
            if let Some(wait) = error.downcast_ref::<Wait>() {
                return Some(wait.delay);
            }
            cause = error.source();
        }
        None
    }
}

impl fmt::Display for RetryLater {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.wait.fmt(f)
    }
}

impl Error for RetryLater {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&*self.wait)
    }
}

impl fmt::Display for Wait {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { delay, cause } = self;
        let cause = error_chain(&**cause);
        write!(f, "to be tried again after {delay:?}: {cause}")
    }
}

impl Error for Wait {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&*self.cause)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::PolicyFailure;

    const FIVE: Duration = Duration::from_secs(5);

    #[derive(Debug, thiserror::Error)]
    enum OfTheUser {
        #[error(transparent)]
        Transparent(#[from] RetryLater),
        #[error(transparent)]
        OfTheLibrary(#[from] crate::Error),
        #[error("the order was not published")]
        Caused(#[source] BoxError),
    }

    fn busy() -> RetryLater {
        RetryLater::after(FIVE, std::io::Error::other("the broker is busy"))
    }

    fn failed_with(error: BoxError) -> crate::Error {
        crate::Error::Policy(Arc::new(PolicyFailure {
            application: "Shop".to_owned(),
            upstream: "Orders".to_owned(),
            position: 1,
            topic: "Order.Paid".to_owned(),
            originator_id: "one".into(),
            originator_version: 1,
            error,
        }))
    }

    #[test]
    fn it_is_found_wherever_it_stands_in_the_chain_of_causes() {
        let library = || crate::Error::from(busy());
        let errors: [BoxError; 8] = [
            busy().into(),
            library().into(),
            OfTheUser::from(busy()).into(),
            OfTheUser::from(library()).into(),
            OfTheUser::Caused(busy().into()).into(),
            OfTheUser::Caused(OfTheUser::from(library()).into()).into(),
            failed_with(OfTheUser::Caused(busy().into()).into()).into(),
            std::io::Error::other(busy()).into(),
        ];
        for error in errors {
            assert_eq!(RetryLater::delay_of(&*error), Some(FIVE), "{error:?}");
            let text = error_chain(&*error).to_string();
            assert_eq!(text.matches("the broker is busy").count(), 1, "{text}");
            assert_eq!(text.matches("again after 5s").count(), 1, "{text}");
        }
        let others: [BoxError; 2] = [
            "the broker is busy".into(),
            OfTheUser::Caused("to be tried again after 5s".into()).into(),
        ];
        for error in others {
            assert_eq!(RetryLater::delay_of(&*error), None, "{error:?}");
        }
    }

    #[test]
    fn the_outermost_one_counts() {
        let error = RetryLater::after(Duration::from_secs(1), busy());
        assert_eq!(RetryLater::delay_of(&error), Some(Duration::from_secs(1)));
    }

    #[test]
    fn a_time_that_makes_no_sense_is_the_nearest_one_that_does() {
        let after = |delay| RetryLater::after(delay, "busy").delay();
        assert_eq!(after(Duration::ZERO), Duration::from_millis(1));
        assert_eq!(after(Duration::MAX), Duration::from_secs(86_400));
    }

    #[test]
    fn a_question_mark_makes_it_the_error_of_a_policy() {
        fn of_the_library() -> crate::Result<()> {
            Err(busy())?
        }
        fn boxed() -> Result<(), Box<dyn Error>> {
            Err(busy())?
        }
        fn returned() -> crate::Result<()> {
            Err(RetryLater::after(FIVE, "the broker is busy").into())
        }
        for error in [of_the_library(), returned()] {
            let error = error.expect_err("busy");
            assert_eq!(error.kind(), crate::ErrorKind::NotReady);
            let text = error.to_string();
            assert_eq!(text, "to be tried again after 5s: the broker is busy");
            assert_eq!(RetryLater::delay_of(&error), Some(FIVE));
        }
        let error = boxed().expect_err("busy");
        assert_eq!(RetryLater::delay_of(&*error), Some(FIVE));
    }
}
