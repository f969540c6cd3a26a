use std::sync::Arc;

use es_system::prelude::*;
use es_system::{ApplicationType, FollowerStatus, Projection, RebuildProgress};

pub struct Mine;

impl Runner for Mine {
    fn new(_: &System, _: Env) -> Result<Self> {
        Ok(Mine)
    }
    fn start(&mut self) -> Result<()> {
        Ok(())
    }
    fn get<A: ApplicationType>(&self) -> Result<Arc<A>> {
        todo!()
    }
    fn wait_until_idle(&self, _: Duration) -> Result<()> {
        Ok(())
    }
    fn watch_for_errors(&self, _: Duration) -> Result<()> {
        Ok(())
    }
    fn status(&self) -> Vec<FollowerStatus> {
        Vec::new()
    }
    fn stop_within(&mut self, _: Duration) -> Result<()> {
        Ok(())
    }
    fn rebuild<A: Projection>(&self, _: impl FnMut(&RebuildProgress)) -> Result<()> {
        Ok(())
    }
    fn discard_rebuild<A: Projection>(&self) -> Result<bool> {
        Ok(false)
    }
}

fn main() {}
