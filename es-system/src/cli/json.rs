//! Values of events and states in a report.

use serde_json::value::RawValue;

use super::failure::Failure;

/// Returns JSON that the library has written, as a part of a report.
pub(super) fn raw(json: String) -> Result<Box<RawValue>, Failure> {
    RawValue::from_string(json)
        .map_err(|error| Failure::Failed(format!("a stored value is no JSON: {error}")))
}
