//! Compares the fields of a snapshot with those that its state writes today.
//!
//! A field that the snapshot lacks is read as an absent `Option` or a default, where the events
//! give it another value. So the state that was read is written again, and the names are compared,
//! at every depth. The entries of maps are data: they were read, so they are written again as they
//! were. A field that its type leaves out when it is empty cannot be told from one that the
//! snapshot lacks.

use std::collections::BTreeMap;

use es_core::{Aggregate, FieldError, FieldWriter, StoredField};

use crate::error::MapperProblem;
use crate::transcoder::{JsonReader, JsonWriter, is_transcoding, write_value};

/// The key of a state that has no fields.
pub(super) const WHOLE: &str = "_state";

/// Fails unless `stored`, from which `state` was read, has the fields that `state` writes. Keys
/// that are `reserved` are not compared.
pub(super) fn compare<A: Aggregate>(
    stored: &JsonReader<'_>,
    state: &A::State,
    reserved: &[&str],
) -> Result<(), MapperProblem> {
    let mut again = Again(JsonWriter::new());
    if let Some(written) = A::__put_state(state, &mut again) {
        written?;
    }
    let written = again.0.finish();
    let written = JsonReader::new(&written).map_err(MapperProblem::Damaged)?;
    difference(stored, &written, reserved).map_or(Ok(()), |it| Err(MapperProblem::OtherFields(it)))
}

/// Describes the first difference. It names only fields that the state writes, since any other key
/// is a stored value.
fn difference(
    stored: &JsonReader<'_>,
    written: &JsonReader<'_>,
    reserved: &[&str],
) -> Option<String> {
    for (name, value) in written.iter() {
        let Ok(before) = stored.written(name) else {
            return Some(format!("`{name}` is missing"));
        };
        if !has_same_names(before.get(), value.get()) {
            return Some(format!("those inside of `{name}` differ"));
        }
    }
    let is_gone = |name: &str| !reserved.contains(&name) && !written.has(name);
    let mut stored = stored.iter();
    stored
        .any(|(name, _)| is_gone(name))
        .then(|| "there is one that the state does not have".to_owned())
}

fn has_same_names(stored: &str, written: &str) -> bool {
    stored == written || Names::of(stored) == Names::of(written)
}

/// The names in a value. The order of elements does not count, because it differs between two
/// copies of a set.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
enum Names {
    /// A value without names, a transcoding included.
    None,
    Object(BTreeMap<String, Self>),
    Array(Vec<Self>),
}

impl Names {
    fn of(json: &str) -> Self {
        if let Ok(object) = JsonReader::new(json.as_bytes()) {
            if is_transcoding(&object) {
                return Self::None;
            }
            let fields = object.iter();
            let fields = fields.map(|(name, value)| (name.to_owned(), Self::of(value.get())));
            return Self::Object(fields.collect());
        }
        let Ok(elements) = serde_json::from_str::<Vec<&serde_json::value::RawValue>>(json) else {
            return Self::None;
        };
        let elements = elements.into_iter();
        let mut elements: Vec<_> = elements.map(|element| Self::of(element.get())).collect();
        elements.sort();
        Self::Array(elements)
    }
}

/// Writes the fields of a state as a snapshot has them, without reading them back.
struct Again(JsonWriter);

impl FieldWriter for Again {
    fn put<T: StoredField>(&mut self, key: &'static str, value: &T) -> Result<(), FieldError> {
        let written = write_value(key, value)?;
        self.0.put_written(key, written.get().as_bytes())
    }

    fn put_all<T: StoredField>(&mut self, state: &T) -> Result<(), FieldError> {
        let written = write_value(WHOLE, state)?;
        match JsonReader::new(written.get().as_bytes()) {
            Ok(fields) => self.0.put_each(&fields, &[]),
            Err(_) => self.0.put_written(WHOLE, written.get().as_bytes()),
        }
    }
}
