//! Runs the tool, and compares its output.

use std::path::Path;
use std::process::{Command, Stdio};

use es_system::prelude::*;
use es_system::testing::postgres::{Database, database};
use serde_json::Value;
use tempfile::TempDir;
use tests::domain::DogSchool;
use tests::{PATIENCE, files};

/// A place for the databases of the system.
pub(crate) struct Place {
    pub(crate) name: &'static str,
    pub(crate) env: Env,
    pub(crate) folder: TempDir,
    /// The database, if it is one on PostgreSQL, which is dropped with this.
    pub(crate) database: Option<Database>,
}

/// The result of a call of the tool.
pub(crate) struct Ran {
    pub(crate) code: i32,
    pub(crate) out: String,
    pub(crate) err: String,
}

/// Returns a folder for files of SQLite.
pub(crate) fn sqlite() -> Place {
    let folder = tempfile::tempdir().expect("a temporary folder");
    Place {
        name: "sqlite",
        env: files(folder.path()),
        folder,
        database: None,
    }
}

/// Returns the stores that other processes see. PostgreSQL is among them where it is available.
pub(crate) fn places() -> Vec<Place> {
    [sqlite()].into_iter().chain(on_postgres()).collect()
}

/// Returns a database on PostgreSQL, or `None` where there is none.
pub(crate) fn on_postgres() -> Option<Place> {
    database().map(place_of)
}

/// Returns the place of a database on PostgreSQL.
pub(crate) fn place_of(database: Database) -> Place {
    Place {
        name: "postgres",
        env: database.env(),
        folder: tempfile::tempdir().expect("a temporary folder"),
        database: Some(database),
    }
}

impl Place {
    /// Runs the tool with these arguments.
    pub(crate) fn run(&self, arguments: &[&str]) -> Ran {
        let output = command(&self.env)
            .args(arguments)
            .output()
            .expect("the tool can be run");
        Ran {
            code: output.status.code().expect("it was not killed"),
            out: String::from_utf8(output.stdout).expect("text"),
            err: String::from_utf8(output.stderr).expect("text"),
        }
    }

    /// Runs the tool, and returns what it has printed if it succeeds.
    pub(crate) fn good(&self, arguments: &[&str]) -> String {
        let ran = self.run(arguments);
        assert_eq!(
            ran.code, 0,
            "{}: {arguments:?}: {}{}",
            self.name, ran.out, ran.err
        );
        ran.out
    }

    pub(crate) fn database(&self) -> &Database {
        self.database.as_ref().expect("it is on PostgreSQL")
    }

    /// Returns the path of the file of an application.
    pub(crate) fn file(&self, application: &str) -> std::path::PathBuf {
        self.folder.path().join(format!("{application}.sqlite"))
    }

    /// Saves two dogs and three tricks, and has followers process them.
    pub(crate) fn fill(&self) {
        let mut runner = self.start();
        let school = runner.get::<DogSchool>().expect("it is there");
        school.register_dog("Fido").expect("it is saved");
        school.add_trick("Fido", "roll over").expect("it is saved");
        school.add_trick("Fido", "play dead").expect("it is saved");
        school.register_dog("Rex").expect("it is saved");
        school.add_trick("Rex", "roll over").expect("it is saved");
        runner.wait_until_idle(PATIENCE).expect("all is processed");
        runner.stop().expect("it stops");
    }

    /// Saves one more trick, which nobody processes.
    pub(crate) fn fall_behind(&self) {
        let school = DogSchool::new(self.env.clone()).expect("it is opened");
        school.add_trick("Rex", "fetch ball").expect("it is saved");
    }

    pub(crate) fn start(&self) -> SingleThreadedRunner {
        let system = tests::tooling::system().expect("a system");
        let mut runner = SingleThreadedRunner::new(&system, self.env.clone()).expect("a runner");
        runner.start().expect("it starts");
        runner
    }
}

/// Returns the tool in an environment that has nothing else.
pub(crate) fn command(env: &Env) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tool"));
    command.env_clear().stdin(Stdio::null());
    for key in env.keys() {
        command.env(key, env.get(key).unwrap_or_default());
    }
    command
}

/// Returns the id of a dog.
pub(crate) fn dog(name: &str) -> String {
    tests::domain::Dog::create_id(name).to_string()
}

/// Compares JSON, one object a line, with the file of this name. Times and what is measured count
/// as equal. `UPDATE_CLI=1` writes the file.
#[track_caller]
pub(crate) fn assert_shape(name: &str, json: &str) {
    let lines = json.lines().map(|line| {
        let mut value: Value = serde_json::from_str(line).expect("each line is JSON");
        hide_measured(&mut value);
        serde_json::to_string_pretty(&value).expect("it is JSON") + "\n"
    });
    let shape: String = lines.collect();
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("fixtures/cli/{name}.json"));
    if std::env::var_os("UPDATE_CLI").is_some() {
        std::fs::write(&path, &shape).expect("the file can be written");
    }
    let expected = std::fs::read_to_string(&path).unwrap_or_default();
    assert_eq!(shape, expected, "{}", path.display());
}

/// Puts a text in place of each time and of each number that differs from run to run.
fn hide_measured(value: &mut Value) {
    const MEASURED: [&str; 10] = [
        "seconds",
        "age_seconds",
        "time",
        "created_on",
        "modified_on",
        "first",
        "last",
        "due",
        "when",
        "since",
    ];
    match value {
        Value::Object(fields) => {
            for (name, value) in fields {
                if MEASURED.contains(&name.as_str()) && !value.is_null() {
                    *value = Value::from("measured");
                }
                hide_measured(value);
            }
        }
        Value::Array(values) => values.iter_mut().for_each(hide_measured),
        _ => {}
    }
}
