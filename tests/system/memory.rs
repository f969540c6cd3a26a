//! The memory of those who read large events. Each is measured in a process of its own.

#![cfg(target_os = "linux")]

use std::path::Path;
use std::process::{Command, Stdio};

use tests::{places, shared, torture};

const MIB: u64 = 1024 * 1024;

/// The bytes of an event.
const BYTES: u64 = 2 * MIB;

/// The memory above that at the start. A page has 8 MiB and one event, and PostgreSQL's rows are in
/// memory beside it while they are decoded.
const HIGHEST: u64 = 48 * MIB;

/// The memory of a follower above that at the start, however many events its aggregate has.
const LONG: u64 = 100 * MIB;

fn child(args: &[&str], dir: &Path) -> String {
    let mut command = Command::new(env!("CARGO_BIN_EXE_memory_child"));
    let (mode, rest) = args.split_first().expect("a mode");
    let command = command.arg(mode).arg(dir).args(rest);
    let output = command
        .stderr(Stdio::inherit())
        .output()
        .expect("a process");
    assert!(output.status.success(), "{args:?}");
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}

#[test]
fn who_reads_large_events_has_few_of_them_in_memory() {
    let count = 30 * u64::try_from(torture()).unwrap_or(1);
    for place in places() {
        if !matches!(place.name, "sqlite file" | "postgres") {
            continue;
        }
        let dir = shared(&place);
        child(
            &["fill", &count.to_string(), &BYTES.to_string()],
            dir.path(),
        );
        for reader in ["follower", "subscription", "projection", "rebuild", "load"] {
            let highest: u64 = child(&[reader], dir.path()).parse().expect("a number");
            println!(
                "{count} events, {}, {reader}: {} MiB",
                place.name,
                highest / MIB
            );
            assert!(
                highest < HIGHEST,
                "{}, {reader}: {} MiB",
                place.name,
                highest / MIB
            );
            assert!(highest < count * BYTES, "it measures something");
        }
    }
}

#[test]
fn a_follower_with_one_long_aggregate_has_little_of_it_in_memory() {
    let count = (10_000 * torture()).to_string();
    for place in places() {
        if !matches!(place.name, "sqlite file" | "postgres") {
            continue;
        }
        let dir = shared(&place);
        // The second process loads what the first one has counted.
        for process in ["first", "second"] {
            child(&["fill", &count, "4"], dir.path());
            let counted = child(&["count"], dir.path());
            println!("{count} events, {}, {process}: {counted}", place.name);
            let highest = counted.lines().next().and_then(|line| line.parse().ok());
            let highest: u64 = highest.expect("a number");
            assert!(highest < LONG, "{}: {} MiB", place.name, highest / MIB);
        }
    }
}
