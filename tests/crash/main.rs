//! Processes that die, and instances that race: each event is processed exactly once.

mod fence;
mod kills;
mod projections;
