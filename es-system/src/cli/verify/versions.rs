//! The check that the versions of each aggregate follow each other, in bounded memory.

use std::collections::HashMap;

use es_core::AggregateId;
use es_store::EventQuery;

use crate::application::Application;
use crate::error::Result;

/// The maximum number of aggregates whose last versions are kept. The version of any other one is
/// read from the store.
const KEPT: usize = 100_000;

/// The last version of each aggregate that was seen lately.
pub(super) struct Versions<'a> {
    application: &'a Application,
    last: HashMap<AggregateId, u64>,
}

impl<'a> Versions<'a> {
    pub(super) fn new(application: &'a Application) -> Self {
        Self {
            application,
            last: HashMap::new(),
        }
    }

    /// Takes the next event of the log. Returns a problem if its version does not follow.
    pub(super) fn next(&mut self, id: &AggregateId, version: u64) -> Result<Option<String>> {
        let before = match self.last.get(id) {
            Some(last) => *last,
            None => self.recorded_before(id, version)?,
        };
        if self.last.len() >= KEPT {
            self.last.clear();
        }
        self.last.insert(id.clone(), version);
        if version == before + 1 {
            return Ok(None);
        }
        let problem = if before >= version {
            format!("version {version} of aggregate {id} comes behind version {before}")
        } else {
            format!(
                "version {version} of aggregate {id} does not follow: version {} is not there",
                version.saturating_sub(1)
            )
        };
        Ok(Some(problem))
    }

    /// Returns the highest version below `version`, or 0 if there is none.
    fn recorded_before(&self, id: &AggregateId, version: u64) -> Result<u64> {
        let Some(below) = version.checked_sub(1).filter(|below| *below > 0) else {
            return Ok(0);
        };
        let query = EventQuery::all().lte(below).desc().limit(1);
        let found = self.application.select_events(id, &query)?;
        Ok(found.first().map_or(0, |event| event.originator_version))
    }
}
