//! The format of stored data, as a value that the mapper and the tables share.
//!
//! It is the Python library's format. A second format would be a second variant: each method here
//! then has another arm, and the compiler shows all code that depends on it.

/// The format of the events in a database.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Format {
    /// The format of the Python library `eventsourcing` 9.5.
    V9_5,
}

/// The reason why the events of a database cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum FormatError {
    #[error("has the columns of the Python library's release 10, which this release does not read")]
    Release10,
    #[error("has no column `{0}`")]
    LacksColumn(&'static str),
}

impl Format {
    /// The format of everything that is written.
    pub(crate) const CURRENT: Self = Self::V9_5;

    /// Returns the columns of events and of snapshots. The tables may have others, which are not
    /// read.
    pub(crate) fn event_columns(self) -> [&'static str; 4] {
        match self {
            Self::V9_5 => ["originator_id", "originator_version", "topic", "state"],
        }
    }

    /// Returns the column of a position, in databases where positions have a column of their own.
    #[cfg(feature = "postgres")]
    pub(crate) fn position_column(self) -> &'static str {
        match self {
            Self::V9_5 => "notification_id",
        }
    }

    /// Returns the format of a table of events or snapshots that has these columns.
    pub(crate) fn of_columns(has: impl Fn(&str) -> bool) -> Result<Self, FormatError> {
        const ADDED_IN_10: [&str; 3] = ["event_id", "metadata", "context_name"];
        // The user of a table of 9.5 may have added some of them for another purpose.
        if ADDED_IN_10.iter().all(|column| has(column)) {
            return Err(FormatError::Release10);
        }
        let format = Self::V9_5;
        match format
            .event_columns()
            .into_iter()
            .find(|column| !has(column))
        {
            Some(column) => Err(FormatError::LacksColumn(column)),
            None => Ok(format),
        }
    }

    /// Returns the topic of all snapshots, which is the name of Python's class for them.
    pub(crate) fn snapshot_topic(self) -> &'static str {
        match self {
            Self::V9_5 => "eventsourcing.domain:Snapshot",
        }
    }

    /// Returns the key of the time in the state of an event. It is the first key.
    pub(crate) fn timestamp_key(self) -> &'static str {
        match self {
            Self::V9_5 => "timestamp",
        }
    }

    /// Returns the key of the aggregate's topic in the state of the event that creates it.
    pub(crate) fn originator_topic_key(self) -> &'static str {
        match self {
            Self::V9_5 => "originator_topic",
        }
    }

    /// Returns the key of the version of a class, which is stored if the version is above 1.
    pub(crate) fn class_version_key(self) -> &'static str {
        match self {
            Self::V9_5 => "class_version",
        }
    }

    /// Returns the keys in the state of an event that are not fields, or that Python stores
    /// elsewhere.
    pub(crate) fn reserved_event_keys(self) -> &'static [&'static str] {
        match self {
            Self::V9_5 => &[
                "timestamp",
                "originator_topic",
                "class_version",
                "originator_id",
                "originator_version",
            ],
        }
    }

    /// Returns the keys beside the fields of an aggregate in a snapshot, and those that Python
    /// stores in the same place of its object.
    pub(crate) fn reserved_snapshot_keys(self) -> &'static [&'static str] {
        match self {
            Self::V9_5 => &[
                "_created_on",
                "_modified_on",
                "class_version",
                "_id",
                "_version",
                "_pending_events",
            ],
        }
    }

    /// Returns the keys of the times at which the aggregate in a snapshot was created and last
    /// changed.
    pub(crate) fn snapshot_time_keys(self) -> [&'static str; 2] {
        match self {
            Self::V9_5 => ["_created_on", "_modified_on"],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(columns: &[&str]) -> Result<Format, FormatError> {
        Format::of_columns(|column| columns.contains(&column))
    }

    #[test]
    fn release_10_is_refused_by_name_and_a_missing_column_by_its_own() {
        let columns = ["originator_id", "originator_version", "topic", "state"];
        assert_eq!(of(&columns), Ok(Format::V9_5));
        assert_eq!(of(&columns[..3]), Err(FormatError::LacksColumn("state")));
        let added = [&columns[..], &["event_id", "metadata"]].concat();
        assert_eq!(of(&added), Ok(Format::V9_5), "columns of the user's own");
        let later = [&columns[..], &["event_id", "metadata", "context_name"]].concat();
        assert_eq!(of(&later), Err(FormatError::Release10));
    }
}
