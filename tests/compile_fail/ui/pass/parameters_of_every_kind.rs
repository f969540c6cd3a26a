//! What can be a parameter of an event.

#![allow(clippy::unused_unit, reason = "it is written so on purpose")]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use es_system::prelude::*;

/// It is neither `Clone` in a useful way, nor comparable, nor printable.
#[derive(Clone, Serialize, Deserialize)]
pub struct Opaque(u8);

#[aggregate]
#[derive(Debug)]
pub struct Parcel {
    log: Vec<String>,
}

#[aggregate]
impl Parcel {
    #[id]
    pub fn make_id(owner: &str, number: u32, tag: String, r#type: &String) -> String {
        format!("{owner}-{number}-{tag}-{type}", r#type = r#type)
    }

    #[event(Packed)]
    pub fn pack(tag: &str, owner: String, number: u32, r#type: String, note: Option<&str>) -> Self {
        let note = note.unwrap_or("no note");
        Self {
            log: vec![format!(
                "{tag} {owner} {number} {type} {note}",
                r#type = r#type
            )],
        }
    }

    #[event(Moved)]
    pub fn move_to(&mut self, path: &Path, stops: &[String], at: (f64, f64), mut rest: Vec<u8>) {
        rest.sort_unstable();
        self.log
            .push(format!("{} {stops:?} {at:?} {rest:?}", path.display()));
    }

    #[event(Labelled)]
    pub fn label(&mut self, labels: &BTreeMap<String, u8>, event: u8, self_: bool, f: [u8; 2]) {
        self.log.push(format!("{labels:?} {event} {self_} {f:?}"));
    }

    #[event(Hidden)]
    pub fn hide(&mut self, opaque: Opaque, unused: &str, r#match: Option<u8>) {
        self.log.push(format!("{} {:?}", opaque.0, r#match));
    }

    #[event(Renamed)]
    pub fn r#move(&mut self, id: AggregateIdText, timestamp: Timestamp) -> () {
        if timestamp < Timestamp::MIN {
            return;
        }
        self.log.push(id);
    }
}

type AggregateIdText = String;

/// The names that generated code could use itself are the user's.
#[aggregate]
struct Named {
    all: Vec<String>,
}

#[aggregate]
impl Named {
    #[id]
    fn make_id(id: Uuid) -> Uuid {
        id
    }

    #[event(Made)]
    #[allow(clippy::too_many_arguments)]
    fn make(id: Uuid, event: &str, fields: &str, topic: &str, payload: &str, state: u8) -> Self {
        let all = [
            &id.to_string(),
            event,
            fields,
            topic,
            payload,
            &state.to_string(),
        ];
        Self {
            all: all.map(str::to_owned).to_vec(),
        }
    }
}

#[test]
fn main() {
    let named = Named::make(
        Uuid::NAMESPACE_URL,
        "event",
        "fields",
        "topic",
        "payload",
        1,
    );
    assert_eq!(*named.id(), Uuid::NAMESPACE_URL);
    assert_eq!(named.all[1..5], ["event", "fields", "topic", "payload"]);

    let mut parcel = Parcel::pack("x", "me".into(), 7, "box".into(), Some("fragile"));
    assert_eq!(*parcel.id(), "me-7-x-box");
    assert_eq!(parcel.log, ["x me 7 box fragile"]);
    parcel.move_to(Path::new("/a"), &["b".into()], (1.0, 2.0), vec![2, 1]);
    parcel.label(&BTreeMap::new(), 1, true, [1, 2]);
    parcel.hide(Opaque(1), "unused", None);
    parcel.r#move("new".into());
    let moved = ParcelMoved {
        path: PathBuf::from("/a"),
        stops: vec!["b".into()],
        at: (1.0, 2.0),
        rest: vec![2, 1],
    };
    assert_eq!(parcel.version(), 5);
    let ParcelEvent::Moved(recorded) = &parcel.pending_events()[1].payload else {
        panic!("moved")
    };
    assert_eq!(*recorded, moved);
}
