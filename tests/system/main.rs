//! Whole flows: commands, policies, runners and stores together.

mod bad_input;
mod example;
mod fixtures;
mod graph;
mod logs;
mod policies;
mod runners;
mod saving;
mod stopping;
mod topologies;
mod tutorial;
