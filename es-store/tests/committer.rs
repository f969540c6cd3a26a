//! The committer: its hand-off under every kind of interleaving, and what it records against a model.

#[path = "../src/committer/handoff.rs"]
mod handoff;
#[path = "committer/interleavings.rs"]
mod interleavings;
#[path = "committer/model.rs"]
mod model;
#[path = "../src/committer/seat.rs"]
mod seat;
#[path = "committer/sync.rs"]
mod sync;
