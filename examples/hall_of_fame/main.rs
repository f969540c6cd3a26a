//! A game whose players have scores, and a hall of fame that follows it and keeps the three best.

mod domain;

use domain::{Game, HallOfFame};
use es_system::prelude::*;

const ROUNDS: [[(&str, u64); 3]; 3] = [
    [("Ann", 30), ("Bob", 20), ("Cleo", 10)],
    [("Dan", 25), ("Bob", 15), ("Ann", 1)],
    [("Cleo", 12), ("Dan", 9), ("Cleo", 20)],
];

fn main() -> Result<()> {
    let mut runner =
        MultiThreadedRunner::new(&System::new(pipes![[Game, HallOfFame]])?, Env::new())?;
    runner.start()?;
    let game = runner.get::<Game>()?;
    let hall = runner.get::<HallOfFame>()?;

    for (round, scores) in (1..).zip(ROUNDS) {
        for (player, points) in scores {
            game.win(player, points)?;
        }
        runner.wait_until_idle(Duration::from_secs(60))?;
        println!("after round {round}:");
        for (place, best) in (1..).zip(hall.best()?) {
            println!("  {place}. {} with {}", best.player, best.score);
        }
    }
    runner.stop()
}
