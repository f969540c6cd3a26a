//! Processes that die, connections that are lost, and instances that race: each event is processed
//! exactly once, and acknowledged events were flushed.

mod fence;
#[cfg(target_os = "linux")]
mod flushes;
mod kept;
mod kills;
#[cfg(unix)]
mod lost_commits;
mod projections;
#[cfg(unix)]
#[allow(dead_code, reason = "the store's own tests use the rest")]
#[path = "../../es-store/tests/postgres/proxy.rs"]
mod proxy;
mod replays;
mod set_aside;
