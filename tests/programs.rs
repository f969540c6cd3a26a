//! The programs of a school that is deployed again and again: the same follower with other
//! policies.

use es_system::ApplicationType;
use es_system::prelude::*;

use crate::mirror::on_policy;

/// A follower that keeps a line for each event that one of its policies was given: the name of the
/// policy and the position.
pub trait Lines: ApplicationType {
    /// Returns the lines, in order.
    fn lines(&self) -> Result<Vec<String>>;
}

#[aggregate]
pub struct Dog {}

#[aggregate]
impl Dog {
    #[event(Registered)]
    pub fn register() -> Self {
        Self {}
    }

    #[event(Renamed)]
    pub fn rename(&mut self, name: &str) {}

    #[event(Sold)]
    pub fn sell(&mut self) {}
}

#[application]
pub struct North;

#[application]
pub struct South;

/// A line that a process application keeps.
#[aggregate]
pub struct Line;

#[aggregate]
impl Line {
    #[event(Written)]
    pub fn write(text: &str) -> Self {
        Self
    }
}

fn line<E>(policy: &str, event: &DomainEvent<E>) -> String {
    on_policy(event.notification_id);
    format!("{policy} {}", event.notification_id)
}

fn collect(line: &str, on: &mut ProcessingEvent) -> Result<()> {
    on.collect_events(&mut Line::write(line));
    Ok(())
}

fn written(application: &es_system::Application) -> Result<Vec<String>> {
    let events = application.notification_log().select(1, 100_000)?;
    let text = |event| match application.decode::<Line>(event)?.payload {
        LineEvent::Written(written) => Ok(written.text),
    };
    events.iter().map(text).collect()
}

fn create(tx: &mut Transaction<'_>) -> Result<()> {
    let lines = tx.table("lines");
    let columns = "number BIGINT PRIMARY KEY, line TEXT";
    tx.execute(&format!("CREATE TABLE {lines} ({columns})"), &[])?;
    Ok(())
}

fn insert(text: &str, tx: &mut Transaction<'_>) -> Result<()> {
    let lines = tx.table("lines");
    let next = format!("SELECT COALESCE(MAX(number), 0) + 1 AS next FROM {lines}");
    let next: i64 = tx.query(&next, &[])?[0].get("next")?;
    let insert = format!("INSERT INTO {lines} (number, line) VALUES ($1, $2)");
    tx.execute(&insert, &[&next, &text])?;
    Ok(())
}

fn inserted(tx: &mut Transaction<'_>) -> Result<Vec<String>> {
    let lines = tx.table("lines");
    let rows = tx.query(&format!("SELECT line FROM {lines} ORDER BY number"), &[])?;
    rows.iter().map(|row| Ok(row.get("line")?)).collect()
}

/// Declares a process application `Second` with a policy for each event in the list.
macro_rules! process_application {
    ($program:ident, [$($args:tt)*], $($policy:ident: $payload:ty => ($($follows:tt)*)),+) => {
        pub mod $program {
            use super::*;

            #[process_application(name = "Second")]
            pub struct Second;

            #[process_application($($args)*)]
            impl Second {
                $(
                    #[policy($($follows)*)]
                    fn $policy(&self, event: &DomainEvent<$payload>, on: &mut ProcessingEvent) -> Result<()> {
                        collect(&line(stringify!($policy), event), on)
                    }
                )+
            }

            impl Lines for Second {
                fn lines(&self) -> Result<Vec<String>> {
                    written(self)
                }
            }
        }
    };
}

/// Declares a projection `TrickTable` with a policy for each event in the list.
macro_rules! projection {
    ($program:ident, [$($args:tt)*], $($policy:ident: $payload:ty => ($($follows:tt)*)),+) => {
        pub mod $program {
            use super::*;

            #[projection(name = "TrickTable")]
            pub struct Table;

            #[projection($($args)*)]
            impl Table {
                fn tables(tx: &mut Transaction<'_>) -> Result<()> {
                    create(tx)
                }

                $(
                    #[policy($($follows)*)]
                    fn $policy(&self, event: &DomainEvent<$payload>, tx: &mut Transaction<'_>) -> Result<()> {
                        insert(&line(stringify!($policy), event), tx)
                    }
                )+
            }

            impl Lines for Table {
                fn lines(&self) -> Result<Vec<String>> {
                    self.read(inserted)
                }
            }
        }
    };
}

process_application!(old, [],
    registered: DogRegistered => (Dog::Registered));
process_application!(asks, [],
    registered: DogRegistered => (Dog::Registered),
    renamed: DogRenamed => (Dog::Renamed));
process_application!(now, [],
    registered: DogRegistered => (Dog::Registered),
    renamed: DogRenamed => (Dog::Renamed, added = now));
process_application!(replays, [],
    registered: DogRegistered => (Dog::Registered),
    renamed: DogRenamed => (Dog::Renamed, added = replay));
process_application!(without, [retired(Dog::Renamed)],
    registered: DogRegistered => (Dog::Registered));
process_application!(wider, [],
    dog: DogEvent => (Dog::*, added = replay));
process_application!(several, [],
    registered: DogRegistered => (Dog::Registered),
    renamed: DogRenamed => (Dog::Renamed, added = replay),
    sold: DogSold => (Dog::Sold, added = replay));

projection!(old_table, [],
    registered: DogRegistered => (Dog::Registered));
projection!(asks_table, [],
    registered: DogRegistered => (Dog::Registered),
    renamed: DogRenamed => (Dog::Renamed));
projection!(now_table, [],
    registered: DogRegistered => (Dog::Registered),
    renamed: DogRenamed => (Dog::Renamed, added = now));
projection!(without_table, [retired(Dog::Renamed)],
    registered: DogRegistered => (Dog::Registered));

projection!(wider_table, [],
    dog: DogEvent => (Dog::*));

/// A projection whose policy for a new name fails. It has the policies of `asks_table`.
pub mod failing_table {
    use super::*;

    #[projection(name = "TrickTable")]
    pub struct Table;

    #[projection]
    impl Table {
        fn tables(tx: &mut Transaction<'_>) -> Result<()> {
            create(tx)
        }

        #[policy(Dog::Registered)]
        fn registered(
            &self,
            event: &DomainEvent<DogRegistered>,
            tx: &mut Transaction<'_>,
        ) -> Result<()> {
            insert(&line("registered", event), tx)
        }

        #[policy(Dog::Renamed)]
        fn renamed(
            &self,
            _: &DomainEvent<DogRenamed>,
            _: &mut Transaction<'_>,
        ) -> Result<(), String> {
            Err("not yet".to_owned())
        }
    }
}

/// An older projection, which cannot handle the events of a table that is not its own.
pub mod stale_table {
    use super::*;

    #[projection(name = "TrickTable")]
    pub struct Table;

    #[projection]
    impl Table {
        fn tables(tx: &mut Transaction<'_>) -> Result<()> {
            create(tx)
        }

        #[policy(Dog::Registered)]
        fn registered(
            &self,
            event: &DomainEvent<DogRegistered>,
            tx: &mut Transaction<'_>,
        ) -> Result<(), String> {
            let text = line("registered", event);
            let found = inserted(tx).map_err(|error| error.to_string())?;
            if found.iter().any(|line| line.starts_with("renamed")) {
                return Err("this is the table of another program".to_owned());
            }
            insert(&text, tx).map_err(|error| error.to_string())
        }
    }

    impl Lines for Table {
        fn lines(&self) -> Result<Vec<String>> {
            self.read(inserted)
        }
    }
}

/// The program in which the type of the aggregate has another name, and the stored one is the same.
pub mod hounds {
    use super::*;

    #[aggregate(topic = "Dog")]
    pub struct Hound {}

    #[aggregate]
    impl Hound {
        #[event(Registered)]
        pub fn register() -> Self {
            Self {}
        }

        #[event(Renamed)]
        pub fn call(&mut self, name: &str) {}
    }

    #[process_application(name = "Second")]
    pub struct Second;

    #[process_application]
    impl Second {
        #[policy(Hound::Registered)]
        fn registered(
            &self,
            event: &DomainEvent<HoundRegistered>,
            on: &mut ProcessingEvent,
        ) -> Result<()> {
            collect(&line("registered", event), on)
        }

        #[policy(Hound::Renamed, added = replay)]
        fn renamed(
            &self,
            event: &DomainEvent<HoundRenamed>,
            on: &mut ProcessingEvent,
        ) -> Result<()> {
            collect(&line("renamed", event), on)
        }
    }
}
