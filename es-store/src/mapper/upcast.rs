//! States of older versions, which are upcast before anything is made of them.

use std::panic::{AssertUnwindSafe, catch_unwind};

use es_core::__private::panic_message;
use es_core::{FieldError, FieldReader, StoredState};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::value::RawValue;

use crate::MapperProblem;
use crate::transcoder::{JsonReader, JsonWriter, read_value, write_value};

/// Under this key Python stores the version of a class, if it is above 1.
pub(super) const CLASS_VERSION: &str = "class_version";

/// Stores the version, where it is not the one that goes without saying.
pub(super) fn put_version(state: &mut JsonWriter, version: u64) -> Result<(), FieldError> {
    match version {
        0 | 1 => Ok(()),
        _ => state.put_reserved(CLASS_VERSION, &version),
    }
}

/// Reads fields as those of the version `current`. If an older one is stored, each upcaster from there on runs first;
/// `reserved` are the keys that are not for them.
pub(super) fn read_current<T>(
    mut fields: JsonReader<'_>,
    reserved: &'static [&'static str],
    current: u64,
    upcast: impl Fn(u64, &mut OldState) -> Result<(), FieldError>,
    read: impl FnOnce(JsonReader<'_>) -> T,
) -> Result<T, MapperProblem> {
    let found = found_version(&mut fields)?;
    if found == current {
        return Ok(read(fields));
    }
    if found > current {
        return Err(MapperProblem::NewerVersion {
            found,
            known: current,
        });
    }
    let mut state = OldState::new(&fields, reserved);
    (found..current).try_for_each(|from| step(from, &mut state, &upcast))?;
    let state = state.finish()?;
    JsonReader::new(&state)
        .map(read)
        .map_err(MapperProblem::Damaged)
}

fn found_version(fields: &mut JsonReader<'_>) -> Result<u64, FieldError> {
    if !fields.has(CLASS_VERSION) {
        return Ok(1);
    }
    match fields.take(CLASS_VERSION)? {
        0 => Err(FieldError::new(CLASS_VERSION, "versions begin at 1")),
        found => Ok(found),
    }
}

/// Runs one upcaster. If it panics, it is an error, not a panic.
fn step(
    from: u64,
    state: &mut OldState,
    upcast: impl Fn(u64, &mut OldState) -> Result<(), FieldError>,
) -> Result<(), MapperProblem> {
    match catch_unwind(AssertUnwindSafe(|| upcast(from, state))) {
        Ok(done) => done.map_err(|problem| MapperProblem::NotUpcast { from, problem }),
        Err(panic) => Err(MapperProblem::UpcastPanicked {
            from,
            message: panic_message(panic),
        }),
    }
}

/// The fields of a state while they are upcast.
pub(super) struct OldState {
    fields: Vec<(String, Box<RawValue>)>,
    reserved: &'static [&'static str],
}

impl OldState {
    fn new(stored: &JsonReader<'_>, reserved: &'static [&'static str]) -> Self {
        let fields = stored.iter().filter(|(name, _)| !reserved.contains(name));
        let mut state = Self {
            fields: Vec::new(),
            reserved,
        };
        // Of a key that is there twice the last one counts, as in Python.
        fields.for_each(|(name, value)| state.put(name, value.to_owned()));
        state
    }

    fn finish(self) -> Result<Vec<u8>, FieldError> {
        let mut state = JsonWriter::new();
        self.fields
            .iter()
            .try_for_each(|(name, value)| state.put_written(name, value.get().as_bytes()))?;
        Ok(state.finish())
    }

    fn put(&mut self, name: &str, value: Box<RawValue>) {
        match self.fields.iter_mut().find(|(other, _)| *other == name) {
            Some((_, place)) => *place = value,
            None => self.fields.push((name.to_owned(), value)),
        }
    }

    fn refuse_reserved(&self, name: &str) -> Result<(), FieldError> {
        match self.reserved.contains(&name) {
            true => Err(FieldError::new(name, "the name is reserved")),
            false => Ok(()),
        }
    }
}

impl StoredState for OldState {
    fn names(&self) -> impl Iterator<Item = &str> {
        self.fields.iter().map(|(name, _)| &**name)
    }

    fn get<T: DeserializeOwned>(&self, name: &str) -> Result<Option<T>, FieldError> {
        let found = self.fields.iter().find(|(other, _)| other == name);
        found
            .map(|(_, value)| read_value(name, value.get()))
            .transpose()
    }

    fn insert<T: Serialize + ?Sized>(&mut self, name: &str, value: &T) -> Result<(), FieldError> {
        self.refuse_reserved(name)?;
        let value = write_value(name, value)?;
        self.put(name, value);
        Ok(())
    }

    fn remove(&mut self, name: &str) -> bool {
        let before = self.fields.len();
        self.fields.retain(|(other, _)| other != name);
        self.fields.len() < before
    }

    fn rename(&mut self, from: &str, to: &str) -> Result<bool, FieldError> {
        self.refuse_reserved(to)?;
        if !self.fields.iter().any(|(name, _)| name == from) {
            return Ok(false);
        }
        if from != to {
            self.remove(to);
        }
        let renamed = self.fields.iter_mut().find(|(name, _)| name == from);
        renamed
            .into_iter()
            .for_each(|(name, _)| *name = to.to_owned());
        Ok(true)
    }
}

#[cfg(test)]
mod tests;
