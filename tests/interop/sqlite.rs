//! Both languages on SQLite files.

use es_system::prelude::*;
use serde_json::json;
use tempfile::TempDir;
use tests::PATIENCE;
use tests::domain::{Counters, Dog, DogSchool};

use crate::peer::Peer;

/// Files that both sides use.
struct Shared {
    dir: TempDir,
    sealing: Sealing,
}

/// Whether states are compressed and encrypted.
#[derive(Clone, Copy)]
enum Sealing {
    Plain,
    Sealed,
}

const EITHER_WAY: [Sealing; 2] = [Sealing::Plain, Sealing::Sealed];

impl Shared {
    fn new(sealing: Sealing) -> Self {
        let dir = tempfile::tempdir().expect("a temporary folder");
        Self { dir, sealing }
    }

    fn variables(&self) -> Vec<(&'static str, String)> {
        let file = |name: &str| self.dir.path().join(name).to_string_lossy().into_owned();
        let mut variables = vec![
            ("PERSISTENCE_MODULE", "eventsourcing.sqlite".to_owned()),
            ("DOGSCHOOL_SQLITE_DBNAME", file("dogschool.sqlite")),
            ("COUNTERS_SQLITE_DBNAME", file("counters.sqlite")),
            ("OTHERCOUNTERS_SQLITE_DBNAME", file("othercounters.sqlite")),
            ("SQLITE_LOCK_TIMEOUT", "30".to_owned()),
            ("SQLITE_YIELD", "110".to_owned()),
        ];
        if let Sealing::Sealed = self.sealing {
            let key = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
            variables.extend([
                (
                    "COMPRESSOR_TOPIC",
                    "eventsourcing.compressor:ZlibCompressor".to_owned(),
                ),
                ("CIPHER_TOPIC", "eventsourcing.cipher:AESCipher".to_owned()),
                ("CIPHER_KEY", key.to_owned()),
            ]);
        }
        variables
    }

    fn env(&self) -> Env {
        self.variables()
            .into_iter()
            .fold(Env::new(), |env, (key, value)| env.with(key, value))
    }

    fn python(&self) -> Option<Peer> {
        Peer::start(&self.variables())
    }

    fn rust<R: Runner>(&self) -> Result<R> {
        let mut runner = R::new(&System::new(pipes![[DogSchool, Counters]])?, self.env())?;
        runner.start()?;
        Ok(runner)
    }
}

#[test]
fn python_begins_and_rust_goes_on() -> Result<()> {
    fn flow<R: Runner>(sealing: Sealing, python_runner: &str) -> Result<()> {
        let shared = Shared::new(sealing);
        let Some(mut python) = shared.python() else {
            return Ok(());
        };
        python.ask(json!(["start", python_runner]));
        python.ask(json!(["register", "Søren \"Ünï\" 🐕"]));
        python.ask(json!([
            "add_trick",
            "Søren \"Ünï\" 🐕",
            "spin\n\t\\ \u{2028}"
        ]));
        python.ask(json!(["wait_for_position", 2]));
        python.ask(json!(["stop"]));

        let runner: R = shared.rust()?;
        let (school, counters) = (runner.get::<DogSchool>()?, runner.get::<Counters>()?);
        assert_eq!(
            school.get_dog("Søren \"Ünï\" 🐕")?.tricks,
            ["spin\n\t\\ \u{2028}"]
        );
        assert_eq!(counters.get_count("spin\n\t\\ \u{2028}")?, 1);
        school.add_trick("Søren \"Ünï\" 🐕", "sit")?;
        school.register_dog("Billy")?;
        school.add_trick("Billy", "sit")?;
        runner.wait_until_idle(PATIENCE)?;
        assert_eq!(counters.get_count("sit")?, 2);

        python.ask(json!(["open"]));
        assert_eq!(python.ask(json!(["tricks", "Billy"])), json!(["sit"]));
        assert_eq!(python.count("sit"), 2);
        Ok(())
    }
    EITHER_WAY.into_iter().try_for_each(|sealing| {
        flow::<SingleThreadedRunner>(sealing, "single")?;
        flow::<MultiThreadedRunner>(sealing, "multi")
    })
}

#[test]
fn rust_begins_and_python_goes_on() -> Result<()> {
    fn flow<R: Runner>(sealing: Sealing, python_runner: &str) -> Result<()> {
        let shared = Shared::new(sealing);
        let Some(mut python) = shared.python() else {
            return Ok(());
        };
        let runner: R = shared.rust()?;
        let school = runner.get::<DogSchool>()?;
        school.register_dog("Billy")?;
        school.add_trick("Billy", "roll over")?;
        runner.wait_until_idle(PATIENCE)?;
        drop(runner);
        // What nobody has processed yet, Python is to.
        school.add_trick("Billy", "fetch ball")?;

        python.ask(json!(["start", python_runner]));
        assert_eq!(
            python.ask(json!(["tricks", "Billy"])),
            json!(["roll over", "fetch ball"])
        );
        assert_eq!(python.ask(json!(["position"])), json!(2));
        python.ask(json!(["add_trick", "Billy", "roll over"]));
        python.ask(json!(["wait_for_position", 4]));
        assert_eq!(
            (python.count("roll over"), python.count("fetch ball")),
            (2, 1)
        );
        python.ask(json!(["stop"]));

        let counters = Counters::new(shared.env())?;
        assert_eq!(
            (
                counters.get_count("roll over")?,
                counters.get_count("fetch ball")?
            ),
            (2, 1)
        );
        Ok(())
    }
    EITHER_WAY.into_iter().try_for_each(|sealing| {
        flow::<SingleThreadedRunner>(sealing, "single")?;
        flow::<MultiThreadedRunner>(sealing, "multi")
    })
}

#[test]
fn both_write_one_application_at_the_same_time_while_a_follower_of_each_counts() -> Result<()> {
    EITHER_WAY.into_iter().try_for_each(write_at_the_same_time)
}

fn write_at_the_same_time(sealing: Sealing) -> Result<()> {
    let shared = Shared::new(sealing);
    let (Some(mut writer), Some(mut follower)) = (shared.python(), shared.python()) else {
        return Ok(());
    };
    let runner: MultiThreadedRunner = shared.rust()?;
    let (school, counters) = (runner.get::<DogSchool>()?, runner.get::<Counters>()?);
    school.register_dog("Billy")?;
    writer.ask(json!(["open"]));
    follower.ask(json!(["start", "multi", "OtherCounters"]));

    let each = 60;
    let request = json!(["add_tricks", "Billy", "sit", each]);
    writer.begin(&request);
    (0..each).try_for_each(|_| tests::teach(&school, "Billy"))?;
    writer.answer(&request);
    // None of Python's runners pulls before a save of its own.
    follower.ask(json!(["add_tricks", "Billy", "sit", 1]));

    let all = 2 * each + 1;
    let billy: Dog = school.get_dog("Billy")?;
    assert_eq!((billy.version(), billy.tricks.len() as u64), (all + 1, all));
    runner.wait_until_idle(PATIENCE)?;
    assert_eq!(counters.get_count("sit")?, all);
    follower.ask(json!(["wait_for_position", all + 1]));
    assert_eq!(follower.count("sit"), all);
    let log = school.notification_log().select(1, usize::MAX)?;
    let positions: Vec<u64> = log.iter().map(|notification| notification.id).collect();
    assert_eq!(positions, (1..=all + 1).collect::<Vec<_>>());
    Ok(())
}
