//! The rules for the tables of every SQL database.

use std::collections::HashMap;

use super::label::Label;
use crate::error::StoreError;
use crate::format::Format;

/// The version of the library's own tables.
const TABLES_FORMAT: &str = "1";

/// The name of a row of tracking. Without it, the Python library takes the table for one of an old
/// version and creates it anew.
pub(crate) const MIGRATION_MARK: &str = "__migration__";

/// The end of the error that refuses to write to a tracking table of old versions of the Python
/// library.
pub(crate) const ROW_PER_POSITION: &str = "has a row for each position, as old versions of the Python library made it, and is not \
     written: start Python 9.5 on it once, which migrates it";

/// The error that refuses to set events aside in a store without positions.
pub(crate) const FOLLOWS_NONE: &str =
    "the store was opened for an application that follows no other, so nothing can be set aside";

/// Returns the rows that the table of settings must have.
pub(crate) fn meta_rows(application: &str) -> [(&'static str, &str); 2] {
    [("format", TABLES_FORMAT), ("application", application)]
}

/// Returns the keys of [`meta_rows`] that are missing.
pub(crate) fn missing_meta(meta: &HashMap<String, String>) -> impl Iterator<Item = &'static str> {
    let keys = ["format", "application"].into_iter();
    keys.filter(|key| !meta.contains_key(*key))
}

/// Refuses a table of events or snapshots that cannot be read.
pub(crate) fn check_columns(
    label: &Label,
    table: &str,
    has: impl Fn(&str) -> bool,
) -> Result<(), StoreError> {
    match Format::of_columns(has) {
        Ok(Format::V9_5) => Ok(()),
        Err(error) => Err(label.misconfigured(format!("the table `{table}` {error}"))),
    }
}

/// Refuses tables of a later program, or of another application. `what` names the tables, and
/// `remedy` what the other application needs instead.
pub(crate) fn check_meta(
    label: &Label,
    meta: &HashMap<String, String>,
    application: &str,
    what: &str,
    remedy: &str,
) -> Result<(), StoreError> {
    if let Some(format) = meta.get("format").filter(|format| *format != TABLES_FORMAT) {
        let problem =
            format!("its tables have format {format}, and this program knows {TABLES_FORMAT}");
        return Err(label.misconfigured(problem));
    }
    match meta.get("application") {
        Some(owner) if owner != application => Err(label.misconfigured(format!(
            "{what} belongs to the application `{owner}`; `{application}` needs {remedy}"
        ))),
        _ => Ok(()),
    }
}
