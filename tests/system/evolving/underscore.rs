//! Events that were stored with an underscore in a key: the name of a parameter must not have one,
//! and the key is kept, or renamed by an upcaster.

use es_system::EventQuery;
use es_system::prelude::*;
use tests::evolving::DogSchool;

/// The key as it is stored, which only a struct of the user's own can have.
mod kept {
    use super::*;

    #[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
    pub struct Walk {
        #[serde(rename = "_place")]
        pub place: String,
    }

    #[aggregate(topic = "evolving:Walker")]
    pub struct Walker {
        pub places: Vec<String>,
    }

    #[aggregate]
    impl Walker {
        #[event(Begun)]
        pub fn begin() -> Self {
            Self { places: Vec::new() }
        }
        #[event(Walked, payload = Walk)]
        pub fn walk(&mut self, place: &str) {
            self.places.push(place.to_owned());
        }
    }
}

mod renamed {
    use super::*;

    #[aggregate(topic = "evolving:Walker")]
    pub struct Walker {
        pub places: Vec<String>,
    }

    #[aggregate]
    impl Walker {
        #[event(Begun)]
        pub fn begin() -> Self {
            Self { places: Vec::new() }
        }
        #[event(Walked, version = 2, upcast(1 => without_underscore))]
        pub fn walk(&mut self, place: &str) {
            self.places.push(place.to_owned());
        }
    }

    fn without_underscore(state: &mut impl StoredState) -> Result<(), FieldError> {
        state.rename("_place", "place").map(drop)
    }
}

#[test]
fn a_key_with_an_underscore_is_kept_by_a_struct_and_renamed_by_an_upcaster() -> Result<()> {
    let dir = tempfile::tempdir().expect("a temporary folder");
    let env = Env::new()
        .with("PERSISTENCE_MODULE", "sqlite")
        .with("SQLITE_DBNAME", dir.path().join("walks").to_string_lossy());
    let school = DogSchool::new(env.clone())?;
    let mut walker = kept::Walker::begin();
    walker.walk("park");
    school.save(&mut walker)?;
    let id = walker.id();
    let stored = school.recorder()?.select_events(id, &EventQuery::all());
    let stored = stored.expect("stored").remove(1).state;
    let stored = String::from_utf8_lossy(&stored);
    assert!(stored.ends_with(r#""_place":"park"}"#), "{stored}");
    let found: kept::Walker = school.repository().get(id)?;
    assert_eq!(found.places, ["park"]);

    let school = DogSchool::new(env)?;
    let mut found: renamed::Walker = school.repository().get(id)?;
    found.walk("beach");
    school.save(&mut found)?;
    let found: renamed::Walker = school.repository().get(id)?;
    assert_eq!(found.places, ["park", "beach"]);
    let _ = renamed::Walker::begin;
    Ok(())
}
