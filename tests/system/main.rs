//! Whole flows: commands, policies, runners and stores together.

mod asynchronous;
mod bad_input;
mod bad_postgres;
mod batches;
mod cache;
mod clocks;
mod deployments;
mod dispatch;
mod doubts;
#[cfg(unix)]
mod doubts_postgres;
mod edges;
mod endless;
mod errors;
mod event_logs;
mod evolving;
mod example;
mod execute;
mod fields;
mod fixtures;
mod forgotten;
mod freshness;
mod given_when_then;
mod graph;
mod guides;
mod history;
mod kept;
mod logged;
mod logs;
mod lost_server;
mod memory;
mod mended;
mod older_databases;
mod operated;
mod passed_over;
mod policies;
mod projections;
#[cfg(unix)]
#[allow(dead_code, reason = "the tests of the store use all of it")]
#[path = "../../es-store/tests/postgres/proxy.rs"]
mod proxy;
mod refusals;
mod remedies;
mod round_trips;
mod runners;
mod saving;
mod sealed;
mod sealed_postgres;
mod secret_logs;
mod settings;
mod snapshots;
mod stopping;
mod store_failures;
mod surroundings;
mod test_first;
mod topologies;
mod transcodings;
mod tutorial;
mod unwell;
