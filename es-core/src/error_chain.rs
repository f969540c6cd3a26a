//! An error and its causes in one line.

use std::error::Error;
use std::fmt;

/// Shows an error with all its causes in one line, outermost first: `{error}: {cause}: {cause}`.
///
/// A cause that repeats the message in front of it is left out: some messages contain the text of
/// their cause, and some causes end with the text of their error.
///
/// ```
/// use es_core::error_chain;
///
/// let cause = std::io::Error::other("the disk is full");
/// assert_eq!(error_chain(&cause).to_string(), "the disk is full");
/// ```
pub fn error_chain<'a>(error: &'a (dyn Error + 'static)) -> impl fmt::Display + 'a {
    Chain(error)
}

struct Chain<'a>(&'a (dyn Error + 'static));

impl fmt::Display for Chain<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = self.0.to_string();
        let mut last = text.clone();
        let mut cause = self.0.source();
        while let Some(error) = cause {
            let more = error.to_string();
            if !text.contains(&more) && !more.ends_with(&last) {
                text.push_str(": ");
                text.push_str(&more);
                last = more;
            }
            cause = error.source();
        }
        f.write_str(&text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, thiserror::Error)]
    #[error("{text}")]
    struct Layer {
        text: &'static str,
        source: Option<Box<Layer>>,
    }

    fn layers(texts: &[&'static str]) -> Layer {
        let (text, rest) = texts.split_first().expect("at least one text");
        let source = (!rest.is_empty()).then(|| Box::new(layers(rest)));
        Layer { text, source }
    }

    #[test]
    fn every_cause_is_shown_once() {
        let error = layers(&["the order was refused", "no stock", "the table is locked"]);
        let shown = error_chain(&error).to_string();
        assert_eq!(
            shown,
            "the order was refused: no stock: the table is locked"
        );
    }

    #[test]
    fn a_cause_that_the_message_has_already_is_not_repeated() {
        let error = layers(&["the order was refused: no stock", "no stock", "no stock"]);
        let shown = error_chain(&error).to_string();
        assert_eq!(shown, "the order was refused: no stock");
        let error = layers(&["refused", "no stock", "code 7: no stock"]);
        assert_eq!(error_chain(&error).to_string(), "refused: no stock");
    }
}
