//! The game and the hall of fame.

use std::cmp::Reverse;

use es_system::prelude::*;

#[aggregate]
pub struct Player {
    name: String,
    score: u64,
}

#[aggregate]
impl Player {
    #[id]
    fn id_of(name: &str) -> Uuid {
        Uuid::new_v5(&Uuid::NAMESPACE_URL, format!("/players/{name}").as_bytes())
    }

    #[event(Joined)]
    fn join(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            score: 0,
        }
    }

    /// The event has all that followers need, because they cannot ask for the player's name.
    #[event(ScoreUpdated)]
    fn update_score(&mut self, name: String, score: u64) {
        self.score = score;
    }

    fn win(&mut self, points: u64) {
        self.update_score(self.name.clone(), self.score.saturating_add(points));
    }
}

#[application]
pub struct Game;

impl Game {
    /// Adds points to the score of a player. The first points make the player join.
    pub fn win(&self, player: &str, points: u64) -> Result<()> {
        let found = self.repository().find(Player::id_of(player))?;
        let mut player = found.unwrap_or_else(|| Player::join(player));
        player.win(points);
        self.save(&mut player)?;
        Ok(())
    }
}

/// A place in the table.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct HighScore {
    pub player: String,
    pub score: u64,
}

#[aggregate]
#[derive(Clone)]
pub struct HighScoreTable {
    best: Vec<HighScore>,
}

#[aggregate]
impl HighScoreTable {
    const PLACES: usize = 3;

    #[id]
    fn only() -> Uuid {
        Uuid::new_v5(&Uuid::NAMESPACE_URL, b"/high-scores")
    }

    #[event(Opened)]
    fn open() -> Self {
        Self { best: Vec::new() }
    }

    #[event(Entered)]
    fn enter(&mut self, new: HighScore) {
        self.best.retain(|best| best.player != new.player);
        self.best.push(new);
        self.best.sort_by_key(|best| Reverse(best.score));
        self.best.truncate(HighScoreTable::PLACES);
    }

    /// Enters a score if it is high enough.
    fn consider(&mut self, player: &str, score: u64) {
        let better = self
            .best
            .iter()
            .filter(|best| best.player != player && best.score >= score);
        if better.count() < Self::PLACES {
            let player = player.to_owned();
            self.enter(HighScore { player, score });
        }
    }
}

#[process_application]
pub struct HallOfFame;

#[process_application]
impl HallOfFame {
    #[policy(Player::ScoreUpdated)]
    fn consider(
        &self,
        event: &DomainEvent<PlayerScoreUpdated>,
        processing_event: &mut ProcessingEvent,
    ) -> Result<()> {
        let found = self.repository().find(HighScoreTable::only())?;
        let mut table = found.unwrap_or_else(HighScoreTable::open);
        table.consider(&event.name, event.score);
        processing_event.collect_events(&mut table);
        Ok(())
    }

    /// Returns the three best, the best one first.
    pub fn best(&self) -> Result<Vec<HighScore>> {
        let table = self
            .repository()
            .find::<HighScoreTable>(HighScoreTable::only())?;
        Ok(table.map_or_else(Vec::new, |table| table.into_state().best))
    }
}
