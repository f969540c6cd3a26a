//! Processes that die, and instances that race: each event is processed exactly once.

mod fence;
mod kills;
#[cfg(unix)]
mod lost_commits;
#[cfg(unix)]
#[allow(dead_code, reason = "the store's own tests use the rest")]
#[path = "../../es-store/tests/postgres/proxy.rs"]
mod proxy;
