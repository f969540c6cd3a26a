//! The owners of topics among the aggregate types that an application has used.

use std::any::{TypeId, type_name};
use std::collections::HashMap;
use std::sync::RwLock;

use es_core::Aggregate;
use es_store::sync;

/// The topics of the aggregate types that an application has used.
#[derive(Default)]
pub(crate) struct Topics {
    owners: RwLock<HashMap<&'static str, (TypeId, &'static str)>>,
}

impl Topics {
    /// Registers `A` as the owner of its topic. Fails if another type owns it.
    pub(crate) fn claim<A: Aggregate>(&self) -> Result<(), String> {
        let claimed = (TypeId::of::<A>(), type_name::<A>());
        let owners = sync::read(&self.owners);
        let known = owners.get(A::TOPIC).copied();
        drop(owners);
        let owner = known.unwrap_or_else(|| {
            let mut owners = sync::write(&self.owners);
            *owners.entry(A::TOPIC).or_insert(claimed)
        });
        if owner.0 == claimed.0 {
            return Ok(());
        }
        Err(format!(
            "`{}` and `{}` are both stored under the topic `{}`: give one of them another, \
             `#[aggregate(topic = \"…\")]`",
            owner.1,
            claimed.1,
            A::TOPIC
        ))
    }
}
