//! Acknowledged events were flushed before. Killing a process cannot show this, because the system
//! keeps what was written, so its system calls are traced.

use std::collections::HashMap;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

use es_system::prelude::*;
use tests::domain::DogSchool;
use tests::files;

const SAVES: usize = 50;

/// Returns true if the calls of another process can be traced. Otherwise it prints a visible
/// message; if `CI` is set, that is a failure.
fn can_trace() -> bool {
    let probe = Command::new("strace")
        .args(["-f", "-o", "/dev/null", "true"])
        .stderr(Stdio::null())
        .status();
    let can_trace = probe.is_ok_and(|status| status.success());
    if !can_trace {
        let missing = "strace is not here, or may not trace: nothing shows that saves are flushed";
        assert!(std::env::var_os("CI").is_none(), "{missing}");
        // The test harness would capture the output of `eprintln!`.
        let _ = writeln!(std::io::stderr(), "\n*** SKIPPED: {missing} ***\n");
    }
    can_trace
}

/// Returns the calls of a child that write and flush. Each line begins with the thread and names
/// the file.
fn trace(dir: &Path, args: &[&str]) -> String {
    let trace = dir.join("trace");
    let status = Command::new("strace")
        .args(["-f", "-y", "-s", "16", "-e"])
        .arg("trace=write,pwrite64,fsync,fdatasync")
        .arg("-o")
        .arg(&trace)
        .arg(env!("CARGO_BIN_EXE_crash_child"))
        .args(args)
        .stdout(Stdio::null())
        .status();
    assert!(status.expect("strace runs").success());
    std::fs::read_to_string(trace).expect("the trace is there")
}

/// Returns the number of acknowledgements, and the number of those without a flush of SQLite's log,
/// since the previous one and after every write to the log.
fn count(trace: &str) -> (usize, usize) {
    let mut acknowledged = 0;
    let mut lacking = 0;
    let mut is_written = false;
    let mut is_flushed = false;
    // The beginnings of calls whose ends are in later lines.
    let mut begun = HashMap::new();
    for line in trace.lines() {
        let (thread, mut call) = line.split_once(' ').expect("a thread and a call");
        call = call.trim_start();
        let is_end = call.starts_with("<... ");
        let is_begun = call.ends_with("<unfinished ...>");
        let succeeded = !is_begun && !call.contains(" = -1");
        if is_begun {
            begun.insert(thread, call);
        }
        if is_end {
            call = begun.remove(thread).unwrap_or(call);
        }
        let is_flush = call.starts_with("fsync(") || call.starts_with("fdatasync(");
        let is_log = call.contains(".sqlite-wal>");
        if is_log && is_flush && succeeded {
            (is_written, is_flushed) = (false, true);
        } else if is_log && !is_flush {
            is_written = true;
        } else if call.contains("\"saved ") && !is_end {
            acknowledged += 1;
            lacking += usize::from(is_written || !is_flushed);
            is_flushed = false;
        }
    }
    (acknowledged, lacking)
}

fn saves() -> String {
    SAVES.to_string()
}

#[test]
fn every_save_is_flushed_before_it_is_acknowledged() -> Result<()> {
    if !can_trace() {
        return Ok(());
    }
    let dir = tempfile::tempdir().expect("a temporary folder");
    DogSchool::new(files(dir.path()))?.register_dog("Common")?;
    let path = dir.path().to_str().expect("a path");
    let trace = trace(dir.path(), &["aloud", path, &saves()]);
    assert_eq!(count(&trace), (SAVES, 0), "{trace}");
    Ok(())
}

/// The control: the same events are written without the library.
#[test]
fn without_flushes_every_acknowledgement_is_noticed() -> Result<()> {
    if !can_trace() {
        return Ok(());
    }
    for (synchronous, lacking) in [("FULL", 0), ("OFF", SAVES)] {
        let dir = tempfile::tempdir().expect("a temporary folder");
        DogSchool::new(files(dir.path()))?;
        let path = dir.path().to_str().expect("a path");
        let trace = trace(dir.path(), &["bare", path, synchronous, &saves()]);
        assert_eq!(count(&trace), (SAVES, lacking), "{synchronous}: {trace}");
    }
    Ok(())
}
