//! The first keyword of a statement.
//!
//! It tells whether the statement would begin or end a transaction. It need not be airtight: it
//! gives a clear message for a mistake, and what slips past it is found by the database
//! ([`Driver`](super::Driver)'s guards) and fails the transaction.

/// The keyword by which a statement would begin or end a transaction, if it would.
pub(super) fn transaction_keyword(sql: &str) -> Option<&'static str> {
    const WORDS: [&str; 7] = [
        "BEGIN", "START", "COMMIT", "END", "ROLLBACK", "ABORT", "PREPARE",
    ];
    let mut rest = sql.trim_start_matches(|c: char| c.is_whitespace() || c == ';');
    loop {
        let after = match rest {
            _ if rest.starts_with("--") => rest.split_once('\n').map(|(_, after)| after),
            _ if rest.starts_with("/*") => rest.split_once("*/").map(|(_, after)| after),
            _ => break,
        };
        rest = after?.trim_start_matches(|c: char| c.is_whitespace() || c == ';');
    }
    let first = rest.split(|c: char| !c.is_ascii_alphabetic()).next()?;
    WORDS
        .into_iter()
        .find(|word| word.eq_ignore_ascii_case(first))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_statement_that_begins_or_ends_a_transaction_is_known_by_its_first_word() {
        for sql in [
            "COMMIT",
            " commit;",
            "-- all\n/* done */ Rollback",
            "end",
            "; START TRANSACTION",
        ] {
            assert!(transaction_keyword(sql).is_some(), "{sql}");
        }
        for sql in [
            "INSERT INTO commits VALUES (1)",
            "SELECT 'COMMIT'",
            "",
            "-- COMMIT",
            "ENDING",
        ] {
            assert_eq!(transaction_keyword(sql), None, "{sql}");
        }
    }
}
