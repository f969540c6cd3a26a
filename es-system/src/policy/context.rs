//! The objects that policies write to: a processing event that collects new events, or the
//! transaction of a projection.

/// The kind of object that the policies of an application write to.
pub trait Context: Sized + 'static {
    /// The type of the argument that each policy receives.
    type Of<'t>;

    /// The further data of a dispatch table, beside the policies.
    type Setup: Default;
}

/// The context of policies that collect new events.
pub struct Collecting;
