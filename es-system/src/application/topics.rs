//! The aggregate types of an application: those that own a topic, and those that may be saved.

use std::any::{TypeId, type_name};
use std::collections::HashMap;
use std::sync::{OnceLock, RwLock};

use es_core::Aggregate;
use es_store::sync;

/// The topics of the aggregate types that an application has used.
#[derive(Default)]
pub(crate) struct Topics {
    owners: RwLock<HashMap<&'static str, (TypeId, &'static str)>>,
    /// The only aggregates that may be saved; all, if it is not set.
    saved: OnceLock<Vec<&'static str>>,
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

    /// Lists the only aggregates that may be saved. A second list has no effect.
    pub(crate) fn save_only(&self, saved: Vec<&'static str>) {
        self.saved.get_or_init(|| saved);
    }

    /// Fails if the saved aggregates are listed and `A` is not among them.
    pub(crate) fn check_saved<A: Aggregate>(&self) -> Result<(), String> {
        let Some(saved) = self.saved.get() else {
            return Ok(());
        };
        if saved.contains(&A::TOPIC) {
            return Ok(());
        }
        let name = type_name::<A>().rsplit("::").next().unwrap_or_default();
        Err(format!(
            "the aggregate `{}` is not among those that are saved here, so nothing was recorded: save it in the \
             application that lists it, or add it to the list, `aggregates(.., {name})`",
            A::TOPIC
        ))
    }
}
