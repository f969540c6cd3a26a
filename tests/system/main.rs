//! Whole flows: commands, policies, runners and stores together.

mod bad_input;
mod cache;
mod evolving;
mod example;
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
