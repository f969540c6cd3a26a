//! Lines and sentences of comments.

use crate::sources::Source;

const COLUMNS: usize = 100;

/// The words that must not open a sentence.
const OPENINGS: [&str; 5] = ["Says", "Notes", "What", "Whether", "How"];

/// Returns the lines of comments that are too long.
pub(crate) fn long_lines(source: &Source) -> Vec<String> {
    let mut found = Vec::new();
    for (number, line) in (1..).zip(source.text.lines()) {
        let columns = line.chars().count();
        if columns > COLUMNS && comment(line).is_some_and(can_be_wrapped) {
            let file = &source.name;
            found.push(format!("{file}:{number}: the line has {columns} columns"));
        }
    }
    found
}

/// Returns the text of a line that is a comment.
fn comment(line: &str) -> Option<&str> {
    line.trim_start().strip_prefix("//")
}

/// Returns the text of a line that is a doc comment.
fn doc(line: &str) -> Option<&str> {
    let text = comment(line)?;
    text.strip_prefix(['/', '!']).map(str::trim)
}

fn can_be_wrapped(text: &str) -> bool {
    let text = text.trim_start_matches(['/', '!']).trim_start();
    !(text.starts_with('|') || text.contains("http://") || text.contains("https://"))
}

/// Returns the sentences of doc comments that open with one of [`OPENINGS`].
pub(crate) fn riddles(source: &Source) -> Vec<String> {
    let mut found = Vec::new();
    let mut reader = Reader::default();
    for (number, line) in (1..).zip(source.text.lines()) {
        for opening in reader.openings(doc(line)) {
            let file = &source.name;
            let text = line.trim_start();
            found.push(format!("{file}:{number}: `{opening}` in {text}"));
        }
    }
    found
}

/// The position in the docs of the next line.
#[derive(Default)]
struct Reader {
    /// True inside an example.
    in_code: bool,
    /// True if the line before has not ended its sentence.
    in_sentence: bool,
}

impl Reader {
    /// Returns the wrong words that open a sentence in the next line; `None` is a line without
    /// docs.
    fn openings<'a>(&mut self, line: Option<&'a str>) -> Vec<&'a str> {
        let Some(line) = line else {
            *self = Self::default();
            return Vec::new();
        };
        if line.starts_with("```") {
            self.in_code = !self.in_code;
            self.in_sentence = false;
            return Vec::new();
        }
        if self.in_code || line.is_empty() || line.starts_with(['#', '|']) {
            self.in_sentence = false;
            return Vec::new();
        }
        let item = ["- ", "* "].iter().find_map(|mark| line.strip_prefix(mark));
        let mut opens = !self.in_sentence || item.is_some();
        let mut found = Vec::new();
        for word in item.unwrap_or(line).split_whitespace() {
            let plain = word.trim_matches(|c: char| !c.is_alphanumeric());
            found.extend(OPENINGS.iter().find(|wrong| opens && plain == **wrong));
            let bare = word.trim_end_matches(['*', '_', ')', '"', '`']);
            opens = bare.ends_with(['.', '!', '?']);
        }
        self.in_sentence = !opens;
        found
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn source(text: &str) -> Source {
        Source {
            name: "a.rs".to_owned(),
            text: text.to_owned(),
            is_test: false,
        }
    }

    #[test]
    fn a_wrong_word_is_found_where_it_opens_a_sentence_and_nowhere_else() {
        for (text, count) in [
            ("/// Whether it is.", 1),
            ("    //! One. How it\n    //! is. What!", 2),
            ("/// - Notes it.", 1),
            ("/// It\n/// Says so.", 0),
            ("/// It says what it is, What and How.", 0),
            ("// What is no doc.", 0),
            ("/// # What there is", 0),
            ("/// ```\n/// // One. How\n/// ```", 0),
            ("/// It ends\nfn a() {}\n/// What it is", 1),
            ("/// (See there.) *What* it is", 1),
        ] {
            assert_eq!(riddles(&source(text)).len(), count, "{text}");
        }
    }

    #[test]
    fn a_long_line_is_found_unless_it_is_code_or_cannot_be_wrapped() {
        let long = "word ".repeat(20);
        for (start, count) in [
            ("/// ", 1),
            ("    // ", 1),
            ("//! | ", 0),
            ("/// <https://example.org> ", 0),
            ("let text = ", 0),
        ] {
            let text = format!("{start}{long}");
            assert_eq!(long_lines(&source(&text)).len(), count, "{text}");
        }
    }
}
