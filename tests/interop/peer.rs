//! A Python process that obeys commands.

use std::fs::File;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::OnceLock;

use serde_json::{Value, json};

/// The Python library with which the format is shared, and its driver for PostgreSQL.
const LIBRARY: [&str; 2] = ["eventsourcing[crypto,postgres]==9.5.6", "psycopg[binary]"];

/// A Python process, ended when it is dropped.
pub struct Peer {
    process: Child,
    tell: ChildStdin,
    hear: BufReader<ChildStdout>,
}

impl Peer {
    /// Starts a process that runs `script` with these environment variables. Returns `None` where
    /// there is no Python, with a visible message; if `CI` is set, that is a failure.
    pub fn start(script: &str, env: &[(String, String)]) -> Option<Self> {
        let python = python()?;
        let mut command = Command::new(python);
        let scripts = Path::new(env!("CARGO_MANIFEST_DIR")).join("interop/python");
        command.arg(scripts.join(script));
        command.envs(env.iter().cloned());
        command.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut process = command.spawn().expect("Python starts");
        let tell = process.stdin.take().expect("it is piped");
        let hear = BufReader::new(process.stdout.take().expect("it is piped"));
        Some(Self {
            process,
            tell,
            hear,
        })
    }

    /// Has the process execute a request, and returns the answer.
    pub fn ask(&mut self, request: Value) -> Value {
        self.begin(&request);
        self.answer(&request)
    }

    /// Has the process begin a request, whose answer is read later.
    pub fn begin(&mut self, request: &Value) {
        writeln!(self.tell, "{request}").expect("Python listens");
    }

    /// Returns the answer to a request that has begun, or the exception that Python raised.
    pub fn outcome(&mut self, request: &Value) -> Result<Value, String> {
        let mut answer = self.heard(request);
        match answer.get("error") {
            Some(error) => Err(error.to_string()),
            None => Ok(answer["ok"].take()),
        }
    }

    /// Returns the answer to a request that has begun.
    pub fn answer(&mut self, request: &Value) -> Value {
        let mut answer = self.heard(request);
        assert!(answer.get("error").is_none(), "{request}: {answer}");
        answer["ok"].take()
    }

    /// Has the process execute a request that must fail.
    pub fn fail(&mut self, request: Value) {
        self.begin(&request);
        let answer = self.heard(&request);
        assert!(answer.get("error").is_some(), "{request}: {answer}");
    }

    fn heard(&mut self, request: &Value) -> Value {
        let mut line = String::new();
        self.hear.read_line(&mut line).expect("Python answers");
        serde_json::from_str(&line)
            .unwrap_or_else(|_| panic!("Python ended instead of doing {request}"))
    }

    /// Returns the number of times that the trick was counted.
    pub fn count(&mut self, trick: &str) -> u64 {
        self.ask(json!(["count", trick]))
            .as_u64()
            .expect("a number")
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Returns a Python that has the library, in an environment of the build folder.
fn python() -> Option<&'static Path> {
    static PYTHON: OnceLock<Option<PathBuf>> = OnceLock::new();
    let python = PYTHON.get_or_init(|| match install() {
        Ok(python) => Some(python),
        Err(problem) => {
            let required = std::env::var_os("CI").is_some();
            assert!(!required, "the Python library is needed here: {problem}");
            // The test harness would capture the output of `eprintln!`.
            let _ = writeln!(
                std::io::stderr(),
                "\n*** SKIPPED: nothing is tested against Python: {problem} ***\n"
            );
            None
        }
    });
    python.as_deref()
}

fn install() -> Result<PathBuf, String> {
    let home = Path::new(env!("CARGO_TARGET_TMPDIR")).join("python-eventsourcing-9.5.6-postgres");
    let python = home.join("bin/python");
    let complete = home.join("complete");
    std::fs::create_dir_all(&home).map_err(|e| e.to_string())?;
    let lock = File::create(home.join("lock")).map_err(|e| e.to_string())?;
    lock.lock().map_err(|e| e.to_string())?;
    if !complete.exists() {
        run(Command::new("python3").args(["-m", "venv"]).arg(&home))?;
        let pip = [
            "-m",
            "pip",
            "install",
            "--quiet",
            "--disable-pip-version-check",
        ];
        run(Command::new(&python).args(pip).args(LIBRARY))?;
        File::create(&complete).map_err(|e| e.to_string())?;
    }
    Ok(python)
}

fn run(command: &mut Command) -> Result<(), String> {
    let output = command
        .output()
        .map_err(|error| format!("{command:?}: {error}"))?;
    if output.status.success() {
        return Ok(());
    }
    let message = String::from_utf8_lossy(&output.stderr);
    Err(format!("{command:?}: {message}"))
}
