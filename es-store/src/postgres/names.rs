//! The names of an application's tables.

use es_core::IdType;

use crate::error::StoreError;
use crate::sql::names::{AsideNames, quoted};

/// The maximum length of a name, in bytes. PostgreSQL cuts off the rest, which could make two names
/// equal.
const LONGEST: usize = 63;

/// The names of an application's tables and other objects, and the column type of its ids.
#[derive(Debug, Clone)]
pub(super) struct Names {
    pub(super) schema: String,
    pub(super) events: String,
    pub(super) index: String,
    pub(super) snapshots: String,
    pub(super) tracking: String,
    pub(super) meta: String,
    pub(super) upstream: String,
    pub(super) policies: String,
    pub(super) failures: String,
    pub(super) operations: String,
    /// The further indexes of these two tables.
    pub(super) waiting_index: String,
    pub(super) standing_index: String,
    pub(super) stopped_index: String,
    pub(super) began_index: String,
    /// The name of the functions that append events, which differ in their parameters. Programs of
    /// several releases share a database, so functions with another body get a new number, and
    /// those of older programs stay where they are.
    pub(super) append: String,
    /// The composite type that Python needs.
    pub(super) stored_event: String,
    /// `uuid` or `text`.
    pub(super) id: &'static str,
}

impl Names {
    pub(super) fn new(
        application: &str,
        schema: &str,
        id_type: IdType,
    ) -> Result<Self, StoreError> {
        let name = |suffix: &str| {
            let name = format!("{}_{suffix}", application.to_lowercase());
            check(&name, application).map(|()| name)
        };
        // A suffix that is longer than those of the first release must not refuse an application.
        let later = |suffix: &str| cut(format!("{}_{suffix}", application.to_lowercase()));
        check(schema, application)?;
        let id = match id_type {
            IdType::Uuid => "uuid",
            IdType::Text => "text",
        };
        let events = name("events")?;
        Ok(Self {
            schema: schema.to_owned(),
            index: cut(format!("{events}_notification_id_idx")),
            events,
            snapshots: name("snapshots")?,
            tracking: name("tracking")?,
            meta: name("meta")?,
            upstream: name("upstream")?,
            policies: name("policies")?,
            failures: name("failures")?,
            operations: later("operations"),
            waiting_index: later("waiting_idx"),
            standing_index: later("standing_idx"),
            stopped_index: later("stopped_idx"),
            began_index: later("began_idx"),
            append: name("append_v3")?,
            stored_event: format!("stored_event_{id}"),
            id,
        })
    }

    /// Returns the names of the tables of what is set aside.
    pub(super) fn aside(&self) -> AsideNames {
        AsideNames {
            failures: self.path(&self.failures),
            operations: self.path(&self.operations),
            meta: self.path(&self.meta),
        }
    }

    /// Returns a name as a statement contains it: quoted, with its schema.
    pub(super) fn path(&self, name: &str) -> String {
        format!("{}.{}", quoted(&self.schema), quoted(name))
    }
}

fn check(name: &str, application: &str) -> Result<(), StoreError> {
    let problem = match name.len() {
        _ if name.contains('\0') => "has a zero byte".to_owned(),
        0..=LONGEST => return Ok(()),
        length => format!("has {length} bytes, and PostgreSQL keeps {LONGEST}"),
    };
    Err(StoreError::Configuration(format!(
        "the application `{application}` needs the name `{name}`, which {problem}"
    )))
}

/// Cuts a name, as PostgreSQL does with that of the index for Python, which does not check the
/// length.
fn cut(mut name: String) -> String {
    let mut length = name.len().min(LONGEST);
    while !name.is_char_boundary(length) {
        length -= 1;
    }
    name.truncate(length);
    name
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(application: &str) -> Result<Names, StoreError> {
        Names::new(application, "public", IdType::Uuid)
    }

    #[test]
    fn names_are_in_lower_case_and_quoted() {
        let names = names("Dog\"School").expect("names");
        assert_eq!(
            names.path(&names.events),
            "\"public\".\"dog\"\"school_events\""
        );
        assert_eq!(names.index, "dog\"school_events_notification_id_idx");
    }

    #[test]
    fn a_name_of_64_bytes_is_refused() {
        assert!(names(&"a".repeat(53)).is_ok());
        let refused = names(&"a".repeat(54)).expect_err("too long").to_string();
        assert!(
            refused.contains("has 64 bytes, and PostgreSQL keeps 63"),
            "{refused}"
        );
        // The length is counted in bytes.
        assert!(names(&"é".repeat(27)).is_err());
    }

    #[test]
    fn the_names_of_the_longest_application_differ() {
        let names = names(&"a".repeat(53)).expect("names");
        let all = [
            &names.events,
            &names.index,
            &names.snapshots,
            &names.tracking,
            &names.meta,
            &names.upstream,
            &names.policies,
            &names.failures,
            &names.operations,
            &names.waiting_index,
            &names.standing_index,
            &names.stopped_index,
            &names.began_index,
        ];
        assert!(all.iter().all(|name| name.len() <= LONGEST));
        let different: std::collections::HashSet<_> = all.iter().collect();
        assert_eq!(different.len(), all.len());
    }

    #[test]
    fn the_name_of_the_index_is_cut_between_characters() {
        let names = names(&format!("a{}", "é".repeat(20))).expect("names");
        assert!(names.index.len() <= 63 && names.index.starts_with(&names.events));
    }
}
