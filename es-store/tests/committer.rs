//! The committer: its hand-off under every kind of interleaving, and what it records against a
//! model.

#[path = "../src/committer/handoff.rs"]
mod handoff;
#[path = "committer/interleavings.rs"]
mod interleavings;
#[path = "committer/model.rs"]
mod model;
#[path = "committer/sync.rs"]
mod sync;
#[path = "../src/committer/wait_slot.rs"]
mod wait_slot;
