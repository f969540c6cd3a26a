//! Upcasts states of older versions before they are decoded.

use std::panic::{AssertUnwindSafe, catch_unwind};

use es_core::__private::panic_message;
use es_core::{FieldError, FieldReader, StoredState};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::value::RawValue;

use crate::error::MapperProblem;
use crate::format::Format;
use crate::transcoder::{JsonReader, JsonWriter, read_value, write_value};

/// Stores the version of a class, unless it is the first version.
pub(super) fn put_version(
    format: Format,
    state: &mut JsonWriter,
    version: u64,
) -> Result<(), FieldError> {
    match version {
        0 | 1 => Ok(()),
        _ => state.put_reserved(format.class_version_key(), &version),
    }
}

/// The upcast from the stored version of a class to the current one.
#[derive(Debug, Clone, Copy)]
pub(super) struct Steps {
    pub(super) format: Format,
    /// The keys that upcasters do not see.
    pub(super) reserved: &'static [&'static str],
    /// The current version.
    pub(super) current: u64,
}

impl Steps {
    /// Reads fields as those of the current version. If an older version is stored, its upcaster
    /// and all later ones run first.
    pub(super) fn read<T>(
        self,
        mut fields: JsonReader<'_>,
        upcast: impl Fn(u64, &mut OldState) -> Result<(), FieldError>,
        read: impl FnOnce(JsonReader<'_>) -> T,
    ) -> Result<T, MapperProblem> {
        let found = self.found_version(&mut fields)?;
        if found == self.current {
            return Ok(read(fields));
        }
        if found > self.current {
            return Err(MapperProblem::NewerVersion {
                found,
                known: self.current,
            });
        }
        let mut state = OldState::new(&fields, self.reserved);
        (found..self.current).try_for_each(|from| step(from, &mut state, &upcast))?;
        let state = state.finish()?;
        JsonReader::new(&state)
            .map(read)
            .map_err(MapperProblem::Damaged)
    }

    fn found_version(self, fields: &mut JsonReader<'_>) -> Result<u64, FieldError> {
        let key = self.format.class_version_key();
        if !fields.has(key) {
            return Ok(1);
        }
        match fields.take(key)? {
            0 => Err(FieldError::new(key, "versions begin at 1")),
            found => Ok(found),
        }
    }
}

/// Runs one upcaster. A panic becomes an error.
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

/// The fields of a state while it is upcast.
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
        // If a key occurs twice, the last one counts, as in Python.
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
        if self.reserved.contains(&name) {
            return Err(FieldError::new(name, "the name is reserved"));
        }
        Ok(())
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
