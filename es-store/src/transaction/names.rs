//! How tables are called.

/// How the library's own tables are called in statements, and the schema of the user's.
#[derive(Debug)]
pub(crate) struct TableNames {
    pub(crate) tracking: String,
    pub(crate) upstream: String,
    pub(crate) meta: String,
    /// Quoted, where there are schemas.
    pub(crate) schema: Option<String>,
    /// Names that are taken, and the longest that there may be, in bytes.
    pub(crate) taken: Vec<String>,
    pub(crate) longest: usize,
}

/// Which tables [`Transaction::table`] names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stage {
    /// Those that are queried.
    Live,
    /// Those that a rebuild makes beside them. The number is one that no other tables have.
    Rebuild(u64),
}

impl Stage {
    /// How a table is called in the database.
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tables_of_a_rebuild_stand_beside_those_that_are_queried() {
        assert_eq!(Stage::Live.physical("tricks"), "tricks");
        assert_eq!(Stage::Rebuild(2).physical("tricks"), "tricks__2");
    }
}
