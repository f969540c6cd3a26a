//! Whole flows: commands, policies, runners and stores together.

mod bad_input;
mod bad_postgres;
mod cache;
mod example;
mod fixtures;
mod given_when_then;
mod graph;
mod guides;
mod logs;
mod lost_server;
mod policies;
mod refusals;
mod runners;
mod saving;
mod sealed;
mod sealed_postgres;
mod snapshots;
mod stopping;
mod store_failures;
mod topologies;
mod transcodings;
mod tutorial;
