//! Events whose fields are in a struct of the user's.

use es_system::prelude::*;
use tests::evolving::DogSchool;
use tests::places;

use super::{record, text, with};

/// A move to some place.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Moved {
    to: String,
    #[serde(rename = "over", default, skip_serializing_if = "Vec::is_empty")]
    stops: Vec<String>,
    number: u128,
    by: Uuid,
}

#[aggregate(topic = "fleet:Truck")]
#[derive(Debug, PartialEq)]
struct Truck {
    at: String,
    moves: Vec<(Vec<String>, u128, Uuid)>,
    since: Timestamp,
}

#[aggregate(vis = pub(crate))]
impl Truck {
    #[event(Built, payload = Moved)]
    fn build(to: &str, stops: &[String], number: u128, by: Uuid, timestamp: Timestamp) -> Self {
        Self {
            at: to.to_owned(),
            moves: vec![(stops.to_vec(), number, by)],
            since: timestamp,
        }
    }

    #[event(Moved, payload = Moved, version = 2, upcast(1 => add_number))]
    fn move_to(
        &mut self,
        to: &str,
        stops: &[String],
        number: u128,
        by: Uuid,
        timestamp: Timestamp,
    ) {
        self.at = to.to_owned();
        self.moves.push((stops.to_vec(), number, by));
        self.since = timestamp;
    }
}

fn add_number(state: &mut impl StoredState) -> Result<(), FieldError> {
    state.insert("number", &0)
}

#[aggregate(topic = "fleet:Ship")]
#[derive(Debug, PartialEq)]
struct Ship {
    at: String,
}

#[aggregate(vis = pub(crate))]
impl Ship {
    #[event(Launched)]
    fn launch() -> Self {
        Self { at: String::new() }
    }

    #[event(Sailed, payload = Moved)]
    fn sail(&mut self, by: Uuid, to: String, number: u128, stops: Vec<String>) {
        self.at = format!("{to} {number} {by} {}", stops.len());
    }
}

/// Handles the events of both aggregates in one function.
#[process_application]
struct Counters;

#[process_application]
impl Counters {
    #[policy(Truck::Moved)]
    fn truck(&self, event: &DomainEvent<TruckMoved>, to: &mut ProcessingEvent) -> Result<()> {
        self.log(event, to)
    }

    #[policy(Ship::Sailed)]
    fn ship(&self, event: &DomainEvent<ShipSailed>, to: &mut ProcessingEvent) -> Result<()> {
        self.log(event, to)
    }

    fn log(&self, moved: &Moved, processing_event: &mut ProcessingEvent) -> Result<()> {
        let mut log = Ship::launch();
        log.sail(moved.by, moved.to.clone(), moved.number, Vec::new());
        processing_event.collect_events(&mut log);
        Ok(())
    }
}

#[test]
fn one_struct_serves_several_events_of_several_aggregates() -> Result<()> {
    for place in places() {
        let system = System::new(pipes![[DogSchool, Counters]])?;
        let mut runner = MultiThreadedRunner::new(&system, place.env.clone())?;
        runner.start()?;
        let school = runner.get::<DogSchool>()?;
        let mut truck = Truck::build("Oslo", &[], 1, Uuid::nil());
        truck.move_to("Bergen", &["Voss".to_owned()], u128::MAX, Uuid::max());
        let mut ship = Ship::launch();
        ship.sail(Uuid::nil(), "Kiel".to_owned(), 2, Vec::new());
        school.save(&mut truck)?;
        school.save(&mut ship)?;

        let loaded: Truck = school.repository().get(truck.id())?;
        assert_eq!(loaded, truck, "{}", place.name);
        let times = (loaded.since, loaded.modified_on());
        assert_eq!(times.0, times.1, "{}", place.name);
        assert_eq!(school.repository().get::<Ship>(ship.id())?, ship);
        runner.wait_until_idle(tests::PATIENCE)?;
        let log = runner.get::<Counters>()?.notification_log().select(1, 10)?;
        let sailed = |position: usize| {
            let event = runner.get::<Counters>()?.decode::<Ship>(&log[position])?;
            let ShipEvent::Sailed(ShipSailed(moved)) = event.payload else {
                panic!("it sailed")
            };
            Ok::<_, Error>((moved.to, moved.number))
        };
        assert_eq!(sailed(1)?, ("Bergen".to_owned(), u128::MAX));
        assert_eq!(sailed(3)?, ("Kiel".to_owned(), 2));
    }
    Ok(())
}

#[test]
fn the_struct_is_stored_as_serde_says_and_upcast_like_any_other() -> Result<()> {
    let school = DogSchool::new(Env::new())?;
    let mut truck = Truck::build("Oslo", &[], 1, Uuid::nil());
    truck.move_to("Bergen", &["Voss".to_owned()], 2, Uuid::nil());
    school.save(&mut truck)?;
    let mut rows: Vec<_> = school.notification_log().select(1, 9)?;
    let states: Vec<_> = rows
        .iter()
        .map(|row| text(&row.event).into_owned())
        .collect();
    let by = r#""by":{"_type_":"uuid_hex","_data_":"00000000000000000000000000000000"}"#;
    let built = format!(r#","originator_topic":"fleet:Truck","to":"Oslo","number":1,{by}}}"#);
    assert!(states[0].ends_with(&built), "{}", states[0]);
    let moved = format!(r#","to":"Bergen","over":["Voss"],"number":2,{by},"class_version":2}}"#);
    assert!(states[1].ends_with(&moved), "{}", states[1]);

    // The row is as it was before the field had a number.
    let id = AggregateId::from(Uuid::from_u128(7));
    rows[1].event = with(&rows[1].event, r#""number":2,"#, "");
    rows[1].event = with(&rows[1].event, r#","class_version":2"#, "");
    let older = rows.into_iter().map(|row| {
        let mut event = row.event;
        event.originator_id = id.clone();
        event
    });
    record(&school, older.collect());
    let truck: Truck = school.repository().get(&id)?;
    assert_eq!(truck.moves[1], (vec!["Voss".to_owned()], 0, Uuid::nil()));
    Ok(())
}

#[test]
fn a_stored_event_that_is_none_of_the_struct_names_what_is_wrong() -> Result<()> {
    let school = DogSchool::new(Env::new())?;
    let mut truck = Truck::build("Oslo", &[], 1, Uuid::nil());
    school.save(&mut truck)?;
    let row = school.notification_log().select(1, 1)?.remove(0).event;
    for (number, (from, to, problem)) in (2_u128..).zip([
        (r#""to":"Oslo","#, "", "missing field `to`"),
        (r#""to":"Oslo""#, r#""to":5"#, "expected a string"),
        (
            r#""to":"Oslo""#,
            r#""to":"Oslo","via":1"#,
            "found an unknown key",
        ),
    ]) {
        let mut row = with(&row, from, to);
        row.originator_id = Uuid::from_u128(number).into();
        let id = row.originator_id.clone();
        record(&school, vec![row]);
        let error = school.repository().get::<Truck>(&id);
        let error = error.expect_err("it is damaged").to_string();
        let about =
            format!("event `fleet:Truck.Built` of aggregate {id} at version 1: field `payload`: ");
        assert!(error.contains(&about) && error.contains(problem), "{error}");
        assert!(!error.contains("Oslo"), "{error}");
    }
    Ok(())
}

/// An event without named fields.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Nothing;

#[aggregate]
#[derive(Debug)]
struct Empty;

#[aggregate(vis = pub(crate))]
impl Empty {
    #[event(Made, payload = Nothing)]
    fn make() -> Self {
        Self
    }
}

#[test]
fn a_struct_without_named_fields_is_refused_when_it_is_saved() -> Result<()> {
    let school = DogSchool::new(Env::new())?;
    let error = school
        .save(&mut Empty::make())
        .expect_err("it has no fields");
    assert_eq!(error.kind(), ErrorKind::BadData);
    assert!(
        error
            .to_string()
            .contains("field `payload`: it must be stored as an object of named fields"),
        "{error}"
    );
    Ok(())
}
