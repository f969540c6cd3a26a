//! The remedies of the server's codes.
//!
//! The class of a code, its first two characters, decides, except for a few single codes. These are
//! the codes of the library's own statements. A trigger or a constraint of the user's own, which
//! runs in them, refuses the content of an event.

use crate::error::Remedy;
use crate::error::Remedy::{Nothing, OtherConfiguration, OtherContent, RetryLater, RetryNow};

/// The classes.
const CLASSES: [(&str, Remedy); 45] = [
    // Success, warnings, no data, and an incomplete statement are no errors of a whole statement.
    ("00", Nothing),
    ("01", Nothing),
    ("02", Nothing),
    ("03", Nothing),
    // Connections.
    ("08", RetryLater),
    // A trigger failed.
    ("09", OtherContent),
    // A table of another kind. A prepared statement that became invalid is prepared again first.
    ("0A", OtherConfiguration),
    ("0B", Nothing),
    ("0F", Nothing),
    // Grantors and roles.
    ("0L", OtherConfiguration),
    ("0P", OtherConfiguration),
    // Raised by the code of a trigger, as are 20, 21, 27, 2D, 2F, 34, 38, 39, 3B and P0.
    ("0Z", OtherContent),
    ("10", OtherContent),
    ("20", OtherContent),
    ("21", OtherContent),
    // Values and constraints.
    ("22", OtherContent),
    ("23", OtherContent),
    // A cursor of a trigger.
    ("24", OtherContent),
    // The state of the transaction, which ends with it.
    ("25", RetryNow),
    // A prepared statement that a pooler or `DEALLOCATE` has taken away.
    ("26", RetryNow),
    ("27", OtherContent),
    // Passwords, roles, databases, schemas, privileges, tables and columns.
    ("28", OtherConfiguration),
    ("2B", OtherConfiguration),
    ("2D", OtherContent),
    ("2F", OtherContent),
    ("34", OtherContent),
    ("38", OtherContent),
    ("39", OtherContent),
    ("3B", OtherContent),
    ("3D", OtherConfiguration),
    ("3F", OtherConfiguration),
    // Serialization failures and deadlocks.
    ("40", RetryNow),
    ("42", OtherConfiguration),
    // The check option of a view.
    ("44", OtherContent),
    // Memory, disk and connections.
    ("53", RetryLater),
    // Limits of the server: a value is too long for an index, for example.
    ("54", OtherContent),
    ("55", OtherConfiguration),
    // An operator intervened.
    ("57", RetryLater),
    // The system of the server.
    ("58", RetryLater),
    // A snapshot that is too old.
    ("72", RetryNow),
    ("F0", OtherConfiguration),
    // A foreign server.
    ("HV", RetryLater),
    ("P0", OtherContent),
    // Bugs, and races that have no code of their own.
    ("XX", RetryLater),
    // The functions that append events: a position was moved meanwhile.
    ("ES", RetryNow),
];

/// The codes whose remedy is not that of their class.
const CODES: [(&str, Remedy); 16] = [
    // A sequence has no value left.
    ("2200H", OtherConfiguration),
    // A server that is read-only, be it by its configuration or as a standby.
    ("25006", OtherConfiguration),
    // The timeouts of an idle transaction and of a transaction.
    ("25P03", RetryLater),
    ("25P04", RetryLater),
    // A deferred constraint was violated at the commit.
    ("40002", OtherContent),
    // The outcome of a statement is unknown.
    ("40003", RetryLater),
    // A limit in the server's configuration.
    ("53400", OtherConfiguration),
    // An object is in use, or locked.
    ("55006", RetryLater),
    ("55P03", RetryLater),
    // The database was dropped.
    ("57P04", OtherConfiguration),
    // A file of the server is missing, is there already, or has a name that is too long.
    ("58P01", Nothing),
    ("58P02", Nothing),
    ("58P03", Nothing),
    // A trigger of the user's own has kept an event back.
    ("ES002", OtherContent),
    // Damaged data and indexes.
    ("XX001", Nothing),
    ("XX002", Nothing),
];

/// Returns the remedy of a code. A class that is not in the table belongs to nobody: a trigger of
/// the user's own has raised it.
pub(super) fn remedy(code: &str) -> Remedy {
    let class = code.get(..2).unwrap_or_default();
    let find = |table: &[(&str, Remedy)], wanted: &str| {
        let found = table.iter().find(|(of, _)| *of == wanted);
        found.map(|(_, remedy)| *remedy)
    };
    find(&CODES, code)
        .or_else(|| find(&CLASSES, class))
        .unwrap_or(OtherContent)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The remedy for each class and each single code, apart from the tables above.
    const EXPECTED: [(&str, &[&str]); 5] = [
        ("again now", &["25", "26", "40", "72", "ES"]),
        (
            "again later",
            &[
                "08", "53", "57", "58", "HV", "XX", "25P03", "25P04", "40003", "55006", "55P03",
            ],
        ),
        (
            "other content",
            &[
                "09", "0Z", "10", "20", "21", "22", "23", "24", "27", "2D", "2F", "34", "38", "39",
                "3B", "44", "54", "P0", "40002", "ES002",
            ],
        ),
        (
            "other configuration",
            &[
                "0A", "0L", "0P", "28", "2B", "3D", "3F", "42", "55", "F0", "2200H", "25006",
                "53400", "57P04",
            ],
        ),
        (
            "nothing",
            &[
                "00", "01", "02", "03", "0B", "0F", "58P01", "58P02", "58P03", "XX001", "XX002",
            ],
        ),
    ];

    fn words(remedy: Remedy) -> &'static str {
        match remedy {
            RetryNow => "again now",
            RetryLater => "again later",
            OtherContent => "other content",
            OtherConfiguration => "other configuration",
            Nothing => "nothing",
        }
    }

    fn expected(key: &str) -> Option<&'static str> {
        let of = |(_, keys): &&(&str, &[&str])| keys.contains(&key);
        EXPECTED.iter().find(of).map(|(words, _)| *words)
    }

    #[test]
    fn each_class_and_each_single_code_has_what_mends_it() {
        for (key, _) in CLASSES.iter().chain(&CODES) {
            let code = format!("{key:0<5}");
            assert_eq!(expected(key), Some(words(remedy(&code))), "{key}");
        }
        let named: usize = EXPECTED.iter().map(|(_, keys)| keys.len()).sum();
        assert_eq!(named, CLASSES.len() + CODES.len());
        for (code, remedy) in CODES {
            let class = CLASSES.iter().find(|(class, _)| code.starts_with(class));
            assert_ne!(class.expect("its class").1, remedy, "{code} is its class's");
        }
    }

    /// Returns the codes that the installed servers list.
    fn of_the_servers() -> Vec<String> {
        let folders = std::fs::read_dir("/usr/share/postgresql")
            .into_iter()
            .flatten();
        let lists = folders.filter_map(|folder| {
            std::fs::read_to_string(folder.ok()?.path().join("errcodes.txt")).ok()
        });
        let mut codes = Vec::new();
        for list in lists {
            let code = |line: &str| line.split_whitespace().next().map(str::to_owned);
            let lines = list.lines().filter(|line| line.contains("ERRCODE_"));
            codes.extend(lines.filter_map(code).filter(|code| code.len() == 5));
        }
        codes
    }

    #[test]
    fn each_code_that_a_server_lists_is_in_the_table_by_its_class() {
        for code in of_the_servers() {
            let is_there = CLASSES.iter().any(|(class, _)| code.starts_with(class));
            assert!(is_there, "{code} has no class in the table");
        }
    }

    #[test]
    fn a_code_of_nobody_is_that_of_a_trigger() {
        for code in ["U0123", "", "é"] {
            assert_eq!(remedy(code), OtherContent, "{code}");
        }
        assert_eq!(remedy("54000"), OtherContent);
        assert_eq!(remedy("40P01"), RetryNow);
        assert_eq!(remedy("42P01"), OtherConfiguration);
    }
}
