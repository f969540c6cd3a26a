//! Several processes: this test binary starts itself again, with the database in its environment.

use std::process::{Child, Command, Stdio};

use es_store::{Env, ProcessRecorder, Role, StoreError, Tracking};

use super::{Database, database, open, recording};

const NUMBER: &str = "ES_TEST_NUMBER";
const KEYS: [&str; 5] = [
    "POSTGRES_DBNAME",
    "POSTGRES_HOST",
    "POSTGRES_PORT",
    "POSTGRES_USER",
    "POSTGRES_PASSWORD",
];

fn start(number: u64, database: &Database) -> Child {
    let env = database.env();
    Command::new(std::env::current_exe().expect("this binary"))
        .args([
            "--exact",
            "processes::the_work_of_another_process",
            "--ignored",
            "--nocapture",
        ])
        .env(NUMBER, number.to_string())
        .envs(KEYS.map(|key| (key, env.get(key).unwrap_or_default().to_owned())))
        .stdout(Stdio::null())
        .spawn()
        .expect("a process")
}

#[test]
#[ignore = "it is what the other processes do"]
fn the_work_of_another_process() {
    let Ok(number) = std::env::var(NUMBER) else {
        return;
    };
    let number: u64 = number.parse().expect("a number");
    let env = Env::from_process().with("PERSISTENCE_MODULE", "postgres");
    let follower = open("Counters", Role::Follower, &env);
    let upstream = format!("Up{number}");
    let recording =
        recording(u128::from(number) + 1, 1..=3).tracking(Tracking::new(&upstream, 0, 1));
    follower.record(&recording).expect("recorded");
}

/// `ES_TORTURE` sets the number of rounds.
#[test]
fn eight_processes_may_start_on_an_empty_database_at_the_same_moment() {
    let rounds = std::env::var("ES_TORTURE")
        .ok()
        .and_then(|rounds| rounds.parse().ok())
        .unwrap_or(2);
    for _ in 0..rounds {
        let Some(database) = database() else { return };
        let processes: Vec<_> = (0..8).map(|number| start(number, &database)).collect();
        for mut process in processes {
            assert!(process.wait().expect("its end").success());
        }
        let counters = open("Counters", Role::Follower, &database.env());
        assert_eq!(super::versions(&*counters).len(), 24);
        for number in 0..8 {
            assert_eq!(
                counters.tracked(&format!("Up{number}")).expect("read"),
                Some(1)
            );
        }
    }
}

#[test]
fn of_savers_with_recorders_of_their_own_exactly_one_wins_each_version() {
    let Some(database) = database() else { return };
    let savers: Vec<_> = (0..4)
        .map(|_| open("Dogs", Role::Leader, &database.env()))
        .collect();
    let won = std::thread::scope(|scope| {
        let save = |saver: &dyn ProcessRecorder| {
            (1..=50)
                .filter(|version| match saver.record(&recording(1, [*version])) {
                    Ok(_) => true,
                    Err(StoreError::Conflict(conflict)) => {
                        assert_eq!(conflict.version, *version);
                        false
                    }
                    Err(other) => panic!("{other}"),
                })
                .count()
        };
        let threads: Vec<_> = savers
            .iter()
            .map(|saver| scope.spawn(move || save(&**saver)))
            .collect();
        threads
            .into_iter()
            .map(|thread| thread.join().expect("a saver"))
            .sum::<usize>()
    });
    assert_eq!(won, 50);
    assert_eq!(super::versions(&*savers[0]), (1..=50).collect::<Vec<_>>());
}
