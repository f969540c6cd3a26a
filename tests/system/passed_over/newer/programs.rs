//! A shop and its followers, in an older and a newer program.

use es_system::ApplicationType;
use es_system::prelude::*;

/// A follower that keeps a line for each event.
pub trait Lines: ApplicationType {
    /// Returns the lines, in order.
    fn lines(&self) -> Result<Vec<String>>;
}

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

fn write(text: &str, processing_event: &mut ProcessingEvent) -> Result<()> {
    processing_event.collect_events(&mut Line::write(text));
    Ok(())
}

fn written(application: &es_system::Application) -> Result<Vec<String>> {
    let events = application.notification_log().select(1, 1000)?;
    let line = |event| match application.decode::<Line>(event)?.payload {
        LineEvent::Written(written) => Ok(written.text),
    };
    events.iter().map(line).collect()
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

macro_rules! lines {
    ($($application:ty),*) => {
        $(impl Lines for $application {
            fn lines(&self) -> Result<Vec<String>> {
                written(self)
            }
        })*
        impl Lines for TrickTable {
            fn lines(&self) -> Result<Vec<String>> {
                self.read(inserted)
            }
        }
    };
}

/// The program that knows one kind of event of parcels, and the first version of bills.
pub mod old {
    use super::*;

    #[aggregate(topic = "shop:Parcel")]
    pub struct Parcel {}

    #[aggregate]
    impl Parcel {
        #[event(Sent)]
        pub fn send(number: &str) -> Self {
            Self {}
        }
    }

    #[aggregate(topic = "shop:Bill")]
    pub struct Bill {}

    #[aggregate]
    impl Bill {
        #[event(Written)]
        pub fn write(number: &str) -> Self {
            Self {}
        }
    }

    #[application]
    pub struct North;

    #[application]
    pub struct South;

    fn line(event: &ParcelEvent) -> String {
        let ParcelEvent::Sent(sent) = event;
        format!("sent {}", sent.number)
    }

    #[process_application]
    pub struct Second;

    #[process_application]
    impl Second {
        #[policy(Parcel::*)]
        fn note(&self, event: &DomainEvent<ParcelEvent>, on: &mut ProcessingEvent) -> Result<()> {
            write(&line(event), on)
        }
    }

    #[process_application]
    pub struct Third;

    #[process_application]
    impl Third {
        #[policy(Parcel::*)]
        fn note(&self, event: &DomainEvent<ParcelEvent>, on: &mut ProcessingEvent) -> Result<()> {
            write(&line(event), on)
        }

        #[policy(_)]
        fn rest(&self, event: &UndecodedEvent, on: &mut ProcessingEvent) -> Result<()> {
            write(event.topic(), on)
        }
    }

    #[projection]
    pub struct TrickTable;

    #[projection]
    impl TrickTable {
        fn tables(tx: &mut Transaction<'_>) -> Result<()> {
            create(tx)
        }

        #[policy(Parcel::*)]
        fn note(&self, event: &DomainEvent<ParcelEvent>, tx: &mut Transaction<'_>) -> Result<()> {
            insert(&line(event), tx)
        }
    }

    #[process_application]
    pub struct Watcher;

    #[process_application]
    impl Watcher {
        #[policy(Parcel::Sent)]
        fn note(&self, event: &DomainEvent<ParcelSent>, on: &mut ProcessingEvent) -> Result<()> {
            write(&format!("sent {}", event.number), on)
        }
    }

    #[process_application(name = "Counters")]
    pub struct BillsByName;

    #[process_application]
    impl BillsByName {
        #[policy(Bill::Written)]
        fn note(&self, _: &DomainEvent<BillWritten>, _: &mut ProcessingEvent) -> Result<()> {
            Ok(())
        }
    }

    #[process_application(name = "Ping")]
    pub struct AllBills;

    #[process_application]
    impl AllBills {
        #[policy(Bill::*)]
        fn note(&self, _: &DomainEvent<BillEvent>, _: &mut ProcessingEvent) -> Result<()> {
            Ok(())
        }
    }

    #[process_application(name = "Pong")]
    pub struct UndecodedBills;

    #[process_application]
    impl UndecodedBills {
        #[policy(_)]
        fn note(&self, event: &UndecodedEvent, _: &mut ProcessingEvent) -> Result<()> {
            event.decode::<BillEvent>()?;
            Ok(())
        }
    }

    lines!(Second, Third, Watcher);
}

/// The program that knows one more kind of event of parcels, and the second version of bills.
pub mod new {
    use super::*;

    #[aggregate(topic = "shop:Parcel")]
    pub struct Parcel {}

    #[aggregate]
    impl Parcel {
        #[event(Sent)]
        pub fn send(number: &str) -> Self {
            Self {}
        }

        #[event(Returned)]
        pub fn give_back(&mut self, why: &str) {}
    }

    #[aggregate(topic = "shop:Bill")]
    pub struct Bill {}

    #[aggregate]
    impl Bill {
        #[event(Written, version = 2, upcast(1 => add_currency))]
        pub fn write(number: &str, currency: &str) -> Self {
            Self {}
        }
    }

    fn add_currency(state: &mut impl StoredState) -> Result<(), FieldError> {
        state.insert("currency", &"EUR")
    }

    #[application]
    pub struct North;

    #[application]
    pub struct South;

    fn line(event: &ParcelEvent) -> String {
        match event {
            ParcelEvent::Sent(sent) => format!("sent {}", sent.number),
            ParcelEvent::Returned(returned) => format!("returned {}", returned.why),
        }
    }

    #[process_application]
    pub struct Second;

    #[process_application]
    impl Second {
        #[policy(Parcel::*)]
        fn note(&self, event: &DomainEvent<ParcelEvent>, on: &mut ProcessingEvent) -> Result<()> {
            write(&line(event), on)
        }
    }

    #[process_application]
    pub struct Third;

    #[process_application]
    impl Third {
        #[policy(Parcel::*)]
        fn note(&self, event: &DomainEvent<ParcelEvent>, on: &mut ProcessingEvent) -> Result<()> {
            write(&line(event), on)
        }

        #[policy(_)]
        fn rest(&self, event: &UndecodedEvent, on: &mut ProcessingEvent) -> Result<()> {
            write(event.topic(), on)
        }
    }

    #[projection]
    pub struct TrickTable;

    #[projection]
    impl TrickTable {
        fn tables(tx: &mut Transaction<'_>) -> Result<()> {
            create(tx)
        }

        #[policy(Parcel::*)]
        fn note(&self, event: &DomainEvent<ParcelEvent>, tx: &mut Transaction<'_>) -> Result<()> {
            insert(&line(event), tx)
        }
    }

    lines!(Second, Third);
}
