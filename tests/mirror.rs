//! A follower whose log lists the events that it has processed.

use es_system::prelude::*;

use crate::domain::{Dog, DogTrickAdded};

/// The copy of one event of the school.
#[aggregate]
pub struct Copy {
    /// The position of the event in the school's log.
    pub position: u64,
}

#[aggregate]
impl Copy {
    /// Copies the event at `position`.
    #[event(Made)]
    pub fn make(position: u64) -> Self {
        Self { position }
    }
}

/// Copies each trick of the school into its own log.
#[process_application]
pub struct Mirror;

#[process_application]
impl Mirror {
    #[policy(Dog::TrickAdded)]
    fn copy(
        &self,
        event: &DomainEvent<DogTrickAdded>,
        processing_event: &mut ProcessingEvent,
    ) -> Result<()> {
        on_policy(event.notification_id);
        processing_event.collect_events(&mut Copy::make(event.notification_id));
        Ok(())
    }

    /// Returns the positions of the processed events, in the order of processing.
    ///
    /// # Errors
    /// Fails if the log cannot be read.
    pub fn processed(&self) -> Result<Vec<u64>> {
        let copies = self.notification_log().select(1, usize::MAX)?;
        copies
            .iter()
            .map(|copy| Ok(self.repository().get::<Copy>(&copy.originator_id)?.position))
            .collect()
    }
}

type Hook = Box<dyn Fn(u64)>;

thread_local! {
    static HOOK: std::cell::RefCell<Option<Hook>> = const { std::cell::RefCell::new(None) };
}

static EVERYWHERE: std::sync::OnceLock<fn(u64)> = std::sync::OnceLock::new();

/// Has each policy on this thread call `hook` first, with the position of its event.
pub fn hook_on_this_thread(hook: impl Fn(u64) + 'static) {
    HOOK.set(Some(Box::new(hook)));
}

/// Has each policy of this process call `hook` first, with the position of its event.
pub fn hook_everywhere(hook: fn(u64)) {
    let _ = EVERYWHERE.set(hook);
}

/// Calls the hooks of this process and thread, as each policy of these followers does first.
pub(crate) fn on_policy(position: u64) {
    if let Some(hook) = EVERYWHERE.get() {
        hook(position);
    }
    HOOK.with_borrow(|hook| hook.iter().for_each(|hook| hook(position)));
}
