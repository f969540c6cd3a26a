//! The names of tables.

/// The names of the library's own tables in statements, and the rules for names of the user's
/// tables.
#[derive(Debug)]
pub(crate) struct TableNames {
    pub(crate) tracking: String,
    pub(crate) upstream: String,
    pub(crate) policies: String,
    pub(crate) meta: String,
    /// The tables of what is set aside; `None` if they are missing.
    pub(crate) aside: Option<AsideNames>,
    /// The schema of the user's tables, quoted; `None` where there are no schemas.
    pub(crate) schema: Option<String>,
    /// The names of the library's own tables.
    pub(crate) taken: Vec<String>,
    /// The maximal length of the name of a user's table, in bytes.
    pub(crate) longest: usize,
}

/// The names of the tables of what is set aside, as statements contain them.
#[derive(Debug, Clone)]
pub(crate) struct AsideNames {
    pub(crate) failures: String,
    pub(crate) operations: String,
    /// The table of settings. One of its rows is locked in front of an operation.
    pub(crate) meta: String,
}

/// The set of tables that [`Transaction::table`](crate::Transaction::table) names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stage {
    /// The tables that are queried.
    Live,
    /// The new tables of the rebuild with this number. Each rebuild has another number.
    Rebuild(u64),
}

impl Stage {
    /// Returns the name of a table in the database.
    pub(crate) fn physical(self, name: &str) -> String {
        match self {
            Self::Live => name.to_owned(),
            Self::Rebuild(number) => format!("{name}__{number}"),
        }
    }
}

impl TableNames {
    /// Returns a quoted name with its schema.
    pub(crate) fn path(&self, name: &str) -> String {
        match &self.schema {
            Some(schema) => format!("{schema}.{}", quoted(name)),
            None => quoted(name),
        }
    }
}

/// Returns a quoted name.
pub(crate) fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// Returns a quoted text.
pub(crate) fn literal(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tables_of_a_rebuild_stand_beside_those_that_are_queried() {
        assert_eq!(Stage::Live.physical("tricks"), "tricks");
        assert_eq!(Stage::Rebuild(2).physical("tricks"), "tricks__2");
    }
}
