//! A snapshot whose fields are not those that the state writes today is passed over: a field that
//! it lacks would be loaded with another value than the events give it.

use std::collections::{BTreeMap, HashMap, HashSet};

use es_system::prelude::*;
use es_system::store::{Mapper, StoredEvent};
use proptest::prelude::*;
use serde_json::Value;
use tests::domain::DogSchool;
use tests::files;

use super::snapshots;

/// The state before and after it got a field that the events have always had.
mod before {
    use super::*;

    #[aggregate(topic = "Poll", snapshot_every = 2)]
    #[derive(Serialize, Deserialize)]
    pub struct Poll {
        pub votes: u32,
    }

    #[aggregate]
    impl Poll {
        #[event(Opened)]
        pub fn open() -> Self {
            Self { votes: 0 }
        }
        #[event(Voted)]
        pub fn vote(&mut self, weight: u32) {
            self.votes += weight;
        }
    }
}

#[aggregate(topic = "Poll")]
#[derive(Debug, PartialEq, Serialize, Deserialize)]
pub struct Poll {
    votes: u32,
    count: Option<u32>,
}

#[aggregate]
impl Poll {
    #[event(Opened)]
    pub fn open() -> Self {
        Self {
            votes: 0,
            count: None,
        }
    }
    #[event(Voted)]
    pub fn vote(&mut self, weight: u32) {
        self.votes += weight;
        self.count = Some(self.count.unwrap_or(10) + 1);
    }
}

#[test]
fn a_snapshot_from_before_a_field_is_passed_over() -> Result<()> {
    let dir = tempfile::tempdir().expect("a temporary folder");
    let school = DogSchool::new(files(dir.path()))?;
    let mut poll = before::Poll::open();
    poll.vote(3);
    school.save(&mut poll)?;
    assert_eq!(snapshots(&school, poll.id()).len(), 1);
    let other = DogSchool::new(files(dir.path()))?;
    let found: Poll = other.repository().get(poll.id())?;
    assert_eq!((found.votes, found.count), (3, Some(11)));

    let [snapshot] = &snapshots(&school, poll.id())[..] else {
        panic!("there is one snapshot");
    };
    let error = mapper().decode_snapshot::<Poll>(snapshot).expect("a state");
    let error = error.expect_err("it is passed over").to_string();
    assert!(error.contains("`count` is missing"), "{error}");
    Ok(())
}

/// The upcaster adds the field, so the keys are those of today.
#[test]
fn the_keys_are_compared_after_upcasting() -> Result<()> {
    #[aggregate(topic = "Poll", version = 2, upcast(1 => add_count))]
    #[derive(Serialize, Deserialize)]
    struct Upcast {
        votes: u32,
        count: Option<u32>,
    }

    fn add_count(state: &mut impl StoredState) -> Result<(), FieldError> {
        state.insert("count", &90)
    }

    #[aggregate]
    impl Upcast {
        #[event(Opened)]
        fn open() -> Self {
            Self {
                votes: 0,
                count: None,
            }
        }
    }

    let school = DogSchool::new(Env::new())?;
    let mut poll = before::Poll::open();
    poll.vote(3);
    school.save(&mut poll)?;
    let snapshot = snapshots(&school, poll.id()).remove(0);
    let _ = Upcast::open;
    let found = mapper().decode_snapshot::<Upcast>(&snapshot);
    let found = found.expect("a state").expect("it is used");
    assert_eq!((found.votes, found.count), (3, Some(90)));
    Ok(())
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Address {
    street: String,
    zip: Option<u32>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Item {
    Plain,
    Sized { width: u32, height: Option<u32> },
    At(Address),
    Pair(u8, Option<Address>),
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind")]
pub enum Tagged {
    Near { steps: Option<u32> },
    Far { miles: u32 },
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Flat {
    flat: Option<u8>,
    also_flat: Option<Address>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Thing {
    address: Option<Address>,
    items: Vec<Item>,
    tagged: Option<Tagged>,
    map: HashMap<String, Address>,
    numbers: HashMap<u8, Option<u32>>,
    set: HashSet<String>,
    ids: Vec<Uuid>,
    #[serde(default)]
    by_default: u8,
    #[serde(rename = "other")]
    renamed: Option<u8>,
    #[serde(alias = "former")]
    aliased: Option<u8>,
    #[serde(flatten)]
    flat: Flat,
}

#[aggregate]
#[derive(Debug, PartialEq, Serialize, Deserialize)]
pub struct Box {
    count: Option<u32>,
    thing: Thing,
    #[serde(skip)]
    cache: u8,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    tags: Vec<String>,
}

#[aggregate]
impl Box {
    #[event(Made)]
    fn make(count: Option<u32>, thing: &Thing, tags: &[String]) -> Self {
        Self {
            count,
            thing: thing.clone(),
            cache: 0,
            tags: tags.to_vec(),
        }
    }
}

/// A state without named fields.
#[aggregate]
#[derive(Debug, PartialEq, Serialize, Deserialize)]
pub struct Crate(Option<Address>, Item);

#[aggregate]
impl Crate {
    #[event(Made)]
    fn make(address: Option<Address>, item: Item) -> Self {
        Self(address, item)
    }
}

fn address() -> impl Strategy<Value = Address> + Clone {
    ("[a-c]{0,2}", any::<Option<u32>>()).prop_map(|(street, zip)| Address { street, zip })
}

fn item() -> impl Strategy<Value = Item> {
    prop_oneof![
        Just(Item::Plain),
        any::<(u32, Option<u32>)>().prop_map(|(width, height)| Item::Sized { width, height }),
        address().prop_map(Item::At),
        (any::<u8>(), prop::option::of(address())).prop_map(|(n, at)| Item::Pair(n, at)),
    ]
}

fn thing() -> impl Strategy<Value = Thing> {
    let tagged = prop_oneof![
        any::<Option<u32>>().prop_map(|steps| Tagged::Near { steps }),
        any::<u32>().prop_map(|miles| Tagged::Far { miles }),
    ];
    let flat = (any::<Option<u8>>(), prop::option::of(address()));
    let collections = (
        prop::collection::vec(item(), 0..4),
        prop::collection::hash_map("[a-e]{1,2}", address(), 0..4),
        prop::collection::hash_map(any::<u8>(), any::<Option<u32>>(), 0..4),
        prop::collection::hash_set("[a-e]{1,2}", 0..4),
        prop::collection::vec(any::<u128>().prop_map(Uuid::from_u128), 0..3),
    );
    let plain = any::<(u8, Option<u8>, Option<u8>)>();
    let optional = (prop::option::of(address()), prop::option::of(tagged));
    (optional, collections, plain, flat).prop_map(|(optional, collections, plain, flat)| Thing {
        address: optional.0,
        tagged: optional.1,
        items: collections.0,
        map: collections.1,
        numbers: collections.2,
        set: collections.3,
        ids: collections.4,
        by_default: plain.0,
        renamed: plain.1,
        aliased: plain.2,
        flat: Flat {
            flat: flat.0,
            also_flat: flat.1,
        },
    })
}

fn mapper() -> Mapper {
    Mapper::new(&Env::new()).expect("a mapper")
}

fn snapshot<A: Aggregate>(aggregate: &A) -> StoredEvent {
    let snapshot = mapper().encode_snapshot(aggregate, Timestamp::MIN);
    snapshot.expect("a state").expect("it can be stored")
}

/// Collects the places of the objects that stand for structs: not of maps, whose keys are data, nor
/// of transcodings.
fn structs(value: &Value, place: &str, found: &mut Vec<String>) {
    match value {
        Value::Array(elements) => {
            let elements = elements.iter().enumerate();
            elements.for_each(|(at, value)| structs(value, &format!("{place}/{at}"), found));
        }
        Value::Object(fields) if !fields.contains_key("_type_") => {
            if !["/map", "/numbers"].iter().any(|map| place.ends_with(map)) {
                found.push(place.to_owned());
            }
            let fields = fields.iter();
            fields.for_each(|(name, value)| structs(value, &format!("{place}/{name}"), found));
        }
        _ => {}
    }
}

/// Removes, renames or adds one field of one struct.
fn change(state: &mut Value, which: usize, how: u8) {
    let mut found = Vec::new();
    structs(state, "", &mut found);
    let fields = state.pointer_mut(&found[which % found.len()]);
    let fields = fields.and_then(Value::as_object_mut).expect("a struct");
    // A field that is not written where it is empty may be missing.
    let names = fields
        .keys()
        .filter(|name| *name != "tags" && !name.ends_with("_on"));
    let name = names.cycle().nth(which % 101).cloned();
    match (how % 3, name) {
        (0, Some(name)) => fields.remove(&name),
        (1, Some(name)) => {
            let value = fields.remove(&name).expect("there");
            fields.insert(format!("{name}_before"), value)
        }
        _ => fields.insert("gone_today".to_owned(), Value::Null),
    };
}

fn changed(snapshot: &StoredEvent, which: usize, how: u8) -> StoredEvent {
    let mut json: Value = serde_json::from_slice(&snapshot.state).expect("JSON");
    change(json.get_mut("state").expect("a state"), which, how);
    let mut changed = snapshot.clone();
    changed.state = serde_json::to_vec(&json).expect("JSON");
    changed
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(100))]

    #[test]
    fn a_snapshot_with_all_fields_is_used_and_with_others_it_is_not(
        count in any::<Option<u32>>(),
        thing in thing(),
        tags in prop::collection::vec("[a-c]", 0..3),
        changes in prop::collection::vec(any::<(usize, u8)>(), 1..5),
    ) {
        let made = Box::make(count, &thing, &tags);
        let good = snapshot(&made);
        let decode = |snapshot: &StoredEvent| {
            mapper().decode_snapshot::<Box>(snapshot).expect("a state")
        };
        let found = decode(&good).expect("it is used");
        prop_assert_eq!(found.state(), made.state());
        for (which, how) in changes {
            let other = changed(&good, which, how);
            let text = String::from_utf8_lossy(&other.state);
            prop_assert!(decode(&other).is_err(), "{}", text);
        }
    }

    #[test]
    fn a_state_without_names_has_fields_inside(
        address in prop::option::of(address()),
        item in item(),
        which in any::<usize>(),
        how in any::<u8>(),
    ) {
        let made = Crate::make(address, item);
        let good = snapshot(&made);
        let decode = |snapshot: &StoredEvent| {
            mapper().decode_snapshot::<Crate>(snapshot).expect("a state")
        };
        let found = decode(&good).expect("it is used");
        prop_assert_eq!(found.state(), made.state());
        let other = changed(&good, which, how);
        let text = String::from_utf8_lossy(&other.state);
        prop_assert!(decode(&other).is_err(), "{}", text);
    }
}

/// Entries of maps are data: a snapshot is used whatever they are, in whatever order.
#[test]
fn the_entries_of_maps_are_no_fields() {
    #[aggregate]
    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct Shelf {
        by_name: BTreeMap<String, u8>,
        #[serde(flatten)]
        rest: HashMap<String, Value>,
    }

    #[aggregate]
    impl Shelf {
        #[event(Built)]
        fn build() -> Self {
            Self {
                by_name: BTreeMap::new(),
                rest: HashMap::new(),
            }
        }
    }

    let empty = snapshot(&Shelf::build());
    let mut filled = empty.clone();
    let state = String::from_utf8_lossy(&empty.state);
    let state = state.replace(
        r#""by_name":{}"#,
        r#""z":[{"x":{}}],"by_name":{"b":2,"a":1},"y":null"#,
    );
    filled.state = state.into_bytes();
    for snapshot in [empty, filled] {
        let shelf = mapper().decode_snapshot::<Shelf>(&snapshot);
        shelf.expect("a state").expect("it is used");
    }
}
