//! The names of tables.

/// The names of the library's own tables in statements, and the rules for the names of a user's.
#[derive(Debug)]
pub(crate) struct TableNames {
    pub(crate) tracking: String,
    pub(crate) upstream: String,
    pub(crate) meta: String,
    /// The schema of the user's tables, quoted; `None` where there are no schemas.
    pub(crate) schema: Option<String>,
    /// The names that the library uses itself.
    pub(crate) taken: Vec<String>,
    /// The length of the longest name that a user's table may have, in bytes.
    pub(crate) longest: usize,
}

/// The tables that [`Transaction::table`](crate::Transaction::table) names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stage {
    /// The tables that are queried.
    Live,
    /// The tables that a rebuild makes beside them. No other rebuild has this number.
    Rebuild(u64),
}

impl Stage {
    /// The name of a table in the database.
    pub(crate) fn physical(self, name: &str) -> String {
        match self {
            Self::Live => name.to_owned(),
            Self::Rebuild(number) => format!("{name}__{number}"),
        }
    }
}

impl TableNames {
    /// A name as it stands in a statement, with its schema.
    pub(crate) fn path(&self, name: &str) -> String {
        match &self.schema {
            Some(schema) => format!("{schema}.{}", quoted(name)),
            None => quoted(name),
        }
    }
}

/// A name as it stands in a statement.
pub(crate) fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// A text as it stands in a statement.
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
