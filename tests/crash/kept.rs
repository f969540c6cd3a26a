//! Several processes of one follower, which keep the same aggregates in memory, while commands
//! change them in other processes.

use es_system::prelude::*;
use tests::domain::{Dog, DogEvent, DogSchool};
use tests::library::Library;
use tests::{PATIENCE, places, settings, shared, torture};

use crate::kills::{Killed, in_dir};

/// Returns the positions of the tricks that begin with a name.
fn positions(school: &DogSchool, name: &str) -> Result<Vec<String>> {
    let mut positions = Vec::new();
    for notification in school.notification_log().select(1, usize::MAX)? {
        if let DogEvent::TrickAdded(event) = school.decode::<Dog>(&notification)?.payload
            && event.trick.starts_with(name)
        {
            positions.push(notification.id.to_string());
        }
    }
    Ok(positions)
}

#[test]
fn four_processes_of_one_follower_are_exact_while_commands_change_its_aggregates() -> Result<()> {
    let count = 40 * torture();
    for place in places() {
        if !matches!(place.name, "sqlite file" | "postgres") {
            continue;
        }
        let dir = shared(&place);
        let env = settings(dir.path());
        let school = DogSchool::new(env.clone())?;
        school.register_dog("Common")?;
        let library = || Killed::start(&["library", in_dir(dir.path())]);
        let mut libraries: Vec<_> = (0..4).map(|_| library()).collect();
        let names = ["red", "blue"];
        let count = count.to_string();
        let librarian = |name| Killed::start(&["librarian", in_dir(dir.path()), name, &count]);
        let mut librarians = names.map(librarian);
        for librarian in &mut librarians {
            assert!(librarian.wait().success(), "{}", place.name);
        }
        let mut runner =
            MultiThreadedRunner::new(&System::new(pipes![[DogSchool, Library]])?, env)?;
        runner.start()?;
        runner.wait_until_idle(PATIENCE)?;
        for library in &mut libraries {
            assert!(library.is_running(), "{}: none has stopped", place.name);
            library.kill();
        }
        let library = runner.get::<Library>()?;
        for name in names {
            let lines = library.lines(name)?.into_iter();
            let (by_policies, by_commands): (Vec<_>, Vec<_>) =
                lines.partition(|line| line.parse::<u64>().is_ok());
            assert_eq!(by_policies, positions(&school, name)?, "{}", place.name);
            for name in names.iter().filter(|_| name == "red") {
                let own = by_commands.iter().filter(|line| line.starts_with(name));
                let expected = (1..=40 * torture()).map(|number| format!("{name} {number}"));
                assert!(own.eq(&expected.collect::<Vec<_>>()), "{by_commands:?}");
            }
        }
        runner.stop()?;
    }
    Ok(())
}
