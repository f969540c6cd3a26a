//! Whole flows: commands, policies, runners and stores together.

mod asynchronous;
mod bad_input;
mod cache;
mod dispatch;
mod event_logs;
mod example;
mod execute;
mod fields;
mod fixtures;
mod graph;
mod logs;
mod policies;
mod refusals;
mod runners;
mod saving;
mod sealed;
mod snapshots;
mod stopping;
mod store_failures;
mod topologies;
mod transcodings;
mod tutorial;
