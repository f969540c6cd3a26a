//! Events that are newer than the program.

use es_store::MapperError;

/// An event that only a newer program can process. It is not the fault of the policy.
#[derive(Debug, thiserror::Error)]
pub(crate) enum NewerEvent {
    /// A kind of event that the program does not know, of an aggregate all of whose events a policy
    /// follows.
    #[error("this program does not know that event of the aggregate `{aggregate}`")]
    Kind { aggregate: &'static str },
    /// A known kind of event in a version that the program does not know.
    #[error(transparent)]
    Version(MapperError),
}
