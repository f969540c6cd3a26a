//! What policies work on, and how messages call it.

use crate::application;
use crate::options::Accepted;

/// Which of the attributes it is.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// `#[process_application]`: policies collect new events.
    Collecting,
    /// `#[projection]`: policies change tables.
    InTables,
}

impl Kind {
    pub(super) fn of_struct(self) -> application::Kind {
        match self {
            Self::Collecting => application::Kind::Follower,
            Self::InTables => application::Kind::Projection,
        }
    }

    pub(super) fn accepted(self) -> Accepted {
        let here = &[("crate", "`crate = other_name`")];
        match self {
            Self::Collecting => Accepted {
                attribute: "`#[process_application]` on an impl block",
                here,
                elsewhere: &[(
                    "name",
                    "the `#[process_application]` on the struct, whose stored name it is",
                )],
            },
            Self::InTables => Accepted {
                attribute: "`#[projection]` on an impl block",
                here,
                elsewhere: &[(
                    "name",
                    "the `#[projection]` on the struct, whose stored name it is",
                )],
            },
        }
    }

    /// The signature of a policy that takes this event.
    pub(super) fn signature(self, event: &str) -> String {
        let context = match self {
            Self::Collecting => "processing_event: &mut ProcessingEvent",
            Self::InTables => "tx: &mut Transaction<'_>",
        };
        format!("`(&self, event: {event}, {context}) -> Result<()>`")
    }

    /// Why a policy takes `&self`.
    pub(super) fn shared(self) -> &'static str {
        match self {
            Self::Collecting => {
                "a policy takes `&self`: the application is shared, and what changes is collected on the processing event"
            }
            Self::InTables => {
                "a policy takes `&self`: the application is shared, and what changes are its tables, by the transaction"
            }
        }
    }

    /// What a policy takes.
    pub(super) fn takes(self) -> &'static str {
        match self {
            Self::Collecting => "a policy takes the event and the processing event",
            Self::InTables => "a policy of a projection takes the event and the transaction",
        }
    }

    /// That the second parameter is a mutable reference.
    pub(super) fn mutable(self) -> &'static str {
        match self {
            Self::Collecting => {
                "a policy collects new events on the processing event: write `&mut ProcessingEvent`"
            }
            Self::InTables => {
                "a policy of a projection changes tables by the transaction: write `&mut Transaction<'_>`"
            }
        }
    }

    /// The last word of the type of a second parameter that belongs to the other kind, and what is said of it.
    pub(super) fn of_the_other(self) -> (&'static str, &'static str) {
        match self {
            Self::Collecting => (
                "Transaction",
                "a policy of a process application takes the processing event: write \
                 `processing_event: &mut ProcessingEvent`",
            ),
            Self::InTables => (
                "ProcessingEvent",
                "a policy of a projection takes the transaction: write `tx: &mut Transaction<'_>`",
            ),
        }
    }

    /// That there is no policy.
    pub(super) fn without_a_policy(self) -> &'static str {
        match self {
            Self::Collecting => {
                "a process application without a policy follows nothing: write a `#[policy(Dog::TrickAdded)]` method, \
                 or make it an `#[application]` and remove this attribute"
            }
            Self::InTables => {
                "a projection without a policy has nothing in its tables: write a `#[policy(Dog::TrickAdded)]` method"
            }
        }
    }
}
