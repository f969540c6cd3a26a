//! The remedies of SQLite's result codes.
//!
//! The primary code, the lowest byte, decides, except for a few extended codes. These are the codes
//! of the library's own statements. A trigger or a constraint of the user's own, which runs in
//! them, refuses the content of an event.

use std::os::raw::c_int;

use rusqlite::ffi::*;

use crate::error::Remedy;
use crate::error::Remedy::{Nothing, OtherConfiguration, OtherContent, RetryLater, RetryNow};

/// The primary codes.
const PRIMARY: [(c_int, Remedy); 31] = [
    // The results that are no errors.
    (SQLITE_OK, Nothing),
    (SQLITE_NOTICE, Nothing),
    (SQLITE_WARNING, Nothing),
    (SQLITE_ROW, Nothing),
    (SQLITE_DONE, Nothing),
    // A table or a column is missing, or is of another form.
    (SQLITE_ERROR, OtherConfiguration),
    // Bugs.
    (SQLITE_INTERNAL, Nothing),
    (SQLITE_NOTFOUND, Nothing),
    (SQLITE_EMPTY, Nothing),
    (SQLITE_MISUSE, Nothing),
    (SQLITE_FORMAT, Nothing),
    (SQLITE_RANGE, Nothing),
    // Interrupted, or overtaken by a change of the schema.
    (SQLITE_ABORT, RetryNow),
    (SQLITE_INTERRUPT, RetryNow),
    (SQLITE_SCHEMA, RetryNow),
    // Locks, memory and the disk.
    (SQLITE_BUSY, RetryLater),
    (SQLITE_LOCKED, RetryLater),
    (SQLITE_PROTOCOL, RetryLater),
    (SQLITE_NOMEM, RetryLater),
    (SQLITE_IOERR, RetryLater),
    (SQLITE_FULL, RetryLater),
    // Values, constraints and triggers.
    (SQLITE_TOOBIG, OtherContent),
    (SQLITE_CONSTRAINT, OtherContent),
    (SQLITE_MISMATCH, OtherContent),
    // The path, the file, its owner, and its file system.
    (SQLITE_PERM, OtherConfiguration),
    (SQLITE_READONLY, OtherConfiguration),
    (SQLITE_CANTOPEN, OtherConfiguration),
    (SQLITE_NOLFS, OtherConfiguration),
    (SQLITE_AUTH, OtherConfiguration),
    (SQLITE_NOTADB, OtherConfiguration),
    (SQLITE_CORRUPT, Nothing),
];

/// The extended codes whose remedy is not that of their primary code.
const EXTENDED: [(c_int, Remedy); 5] = [
    (SQLITE_ERROR_RETRY, RetryNow),
    (SQLITE_ERROR_SNAPSHOT, RetryNow),
    // A file system that refuses access, and one that has found its own data damaged.
    (SQLITE_IOERR_AUTH, OtherConfiguration),
    (SQLITE_IOERR_DATA, Nothing),
    (SQLITE_IOERR_CORRUPTFS, Nothing),
];

/// Returns the remedy of an extended code.
pub(super) fn remedy(code: c_int) -> Remedy {
    let find = |table: &[(c_int, Remedy)], wanted: c_int| {
        let found = table.iter().find(|(of, _)| *of == wanted);
        found.map(|(_, remedy)| *remedy)
    };
    find(&EXTENDED, code)
        .or_else(|| find(&PRIMARY, code & 0xff))
        .unwrap_or(RetryLater)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The remedy for each primary code, and each extended one that differs.
    const EXPECTED: [(Remedy, &[c_int]); 5] = [
        (
            RetryNow,
            &[
                SQLITE_ABORT,
                SQLITE_INTERRUPT,
                SQLITE_SCHEMA,
                SQLITE_ABORT_ROLLBACK,
                SQLITE_ERROR_RETRY,
                SQLITE_ERROR_SNAPSHOT,
            ],
        ),
        (
            RetryLater,
            &[
                SQLITE_BUSY,
                SQLITE_BUSY_RECOVERY,
                SQLITE_BUSY_SNAPSHOT,
                SQLITE_BUSY_TIMEOUT,
                SQLITE_LOCKED,
                SQLITE_LOCKED_SHAREDCACHE,
                SQLITE_PROTOCOL,
                SQLITE_NOMEM,
                SQLITE_FULL,
                SQLITE_IOERR,
                SQLITE_IOERR_FSYNC,
                SQLITE_IOERR_WRITE,
                SQLITE_IOERR_READ,
                SQLITE_IOERR_SHORT_READ,
                SQLITE_IOERR_NOMEM,
            ],
        ),
        (
            OtherContent,
            &[
                SQLITE_TOOBIG,
                SQLITE_MISMATCH,
                SQLITE_CONSTRAINT,
                SQLITE_CONSTRAINT_CHECK,
                SQLITE_CONSTRAINT_TRIGGER,
                SQLITE_CONSTRAINT_NOTNULL,
                SQLITE_CONSTRAINT_FOREIGNKEY,
                SQLITE_CONSTRAINT_DATATYPE,
            ],
        ),
        (
            OtherConfiguration,
            &[
                SQLITE_ERROR,
                SQLITE_PERM,
                SQLITE_AUTH,
                SQLITE_NOLFS,
                SQLITE_NOTADB,
                SQLITE_READONLY,
                SQLITE_READONLY_DBMOVED,
                SQLITE_READONLY_DIRECTORY,
                SQLITE_CANTOPEN,
                SQLITE_CANTOPEN_ISDIR,
                SQLITE_IOERR_AUTH,
            ],
        ),
        (
            Nothing,
            &[
                SQLITE_OK,
                SQLITE_NOTICE,
                SQLITE_WARNING,
                SQLITE_ROW,
                SQLITE_DONE,
                SQLITE_INTERNAL,
                SQLITE_NOTFOUND,
                SQLITE_EMPTY,
                SQLITE_MISUSE,
                SQLITE_FORMAT,
                SQLITE_RANGE,
                SQLITE_CORRUPT,
                SQLITE_CORRUPT_INDEX,
                SQLITE_IOERR_DATA,
                SQLITE_IOERR_CORRUPTFS,
            ],
        ),
    ];

    #[test]
    fn each_code_has_what_mends_it() {
        for (expected, codes) in EXPECTED {
            for code in codes {
                assert_eq!(remedy(*code), expected, "{code}");
            }
        }
        let is_named = |wanted: &c_int| EXPECTED.iter().any(|(_, codes)| codes.contains(wanted));
        for (code, remedy) in PRIMARY.iter().chain(&EXTENDED) {
            assert!(is_named(code), "{code}");
            let of_primary = PRIMARY.iter().find(|(primary, _)| *primary == code & 0xff);
            let (primary, of_primary) = of_primary.expect("its primary code");
            assert!(
                code == primary || remedy != of_primary,
                "{code} is as its primary code"
            );
        }
    }

    #[test]
    fn each_primary_code_that_sqlite_knows_is_in_the_table() {
        const UNKNOWN: c_int = 0xfe;
        for code in 0..=0xff {
            let is_known = code_to_str(code) != code_to_str(UNKNOWN);
            // SQLite has no text for the codes that it does not use any more.
            let is_used = is_known || [SQLITE_EMPTY, SQLITE_FORMAT, SQLITE_NOLFS].contains(&code);
            let is_there = PRIMARY.iter().any(|(primary, _)| *primary == code);
            assert!(is_there || !is_used, "{code}: {}", code_to_str(code));
        }
    }
}
