//! Finds the first keyword of a statement.
//!
//! It shows whether the statement would begin or end a transaction. The check need not be complete:
//! it exists for a clear message. The guards of the database ([`Driver`](super::Driver)) catch all
//! other cases and fail the transaction.

/// Returns the keyword by which a statement would begin or end a transaction.
pub(super) fn transaction_keyword(sql: &str) -> Option<&'static str> {
    const WORDS: [&str; 7] = [
        "BEGIN", "START", "COMMIT", "END", "ROLLBACK", "ABORT", "PREPARE",
    ];
    // Comments nest in PostgreSQL but not in SQLite.
    [true, false].into_iter().find_map(|comments_nest| {
        let first = first_word(sql, comments_nest)?;
        WORDS
            .into_iter()
            .find(|word| word.eq_ignore_ascii_case(first))
    })
}

/// Returns the first word after everything that a database skips. SQLite also skips a byte order
/// mark, and PostgreSQL also ends a line comment at a carriage return.
fn first_word(sql: &str, comments_nest: bool) -> Option<&str> {
    let is_passed_over = |c: char| c.is_whitespace() || matches!(c, ';' | '\u{feff}');
    let mut rest = sql.trim_start_matches(is_passed_over);
    loop {
        let behind = if let Some(comment) = rest.strip_prefix("--") {
            &comment[comment.find(['\n', '\r'])?..]
        } else if let Some(comment) = rest.strip_prefix("/*") {
            behind_comment(comment, comments_nest)?
        } else {
            return rest.split(|c: char| !c.is_ascii_alphabetic()).next();
        };
        rest = behind.trim_start_matches(is_passed_over);
    }
}

/// Returns the text after a comment that was opened, or `None` if it has no end.
fn behind_comment(comment: &str, comments_nest: bool) -> Option<&str> {
    let (mut rest, mut depth) = (comment, 1);
    while depth > 0 {
        let end = rest.find("*/")?;
        let inner = rest[..=end].find("/*").filter(|_| comments_nest);
        rest = &rest[inner.unwrap_or(end) + 2..];
        depth = if inner.is_some() {
            depth + 1
        } else {
            depth - 1
        };
    }
    Some(rest)
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
            "/* /* nested */ */ COMMIT",
            "/* /* not nested */ COMMIT",
            "-- a comment\rCOMMIT",
            "\u{feff}COMMIT",
            "/*/ a comment */ COMMIT",
        ] {
            assert!(transaction_keyword(sql).is_some(), "{sql}");
        }
        for sql in [
            "INSERT INTO commits VALUES (1)",
            "SELECT 'COMMIT'",
            "",
            "-- COMMIT",
            "ENDING",
            "/* COMMIT",
            "/* /* */ SELECT 1 */",
            "/*/ COMMIT",
        ] {
            assert_eq!(transaction_keyword(sql), None, "{sql}");
        }
    }
}
