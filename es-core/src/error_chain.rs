//! Errors, shown with their causes.

use std::error::Error;
use std::fmt;

/// An error, shown with all its causes. Made by [`error_chain`].
#[derive(Clone, Copy)]
pub struct ErrorChain<'a>(&'a dyn Error);

/// Shows an error with all its causes: `{error}: {cause}: {cause of the cause}`.
///
/// A cause that repeats the error before it is left out: some errors end with the text of their
/// cause, and some causes with the text of their error.
///
/// ```
/// use es_core::error_chain;
///
/// let error = std::io::Error::other("the disk is full");
/// assert_eq!(error_chain(&error).to_string(), "the disk is full");
/// ```
pub fn error_chain<'a>(error: &'a (dyn Error + 'static)) -> ErrorChain<'a> {
    ErrorChain(error)
}

impl fmt::Display for ErrorChain<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut before = self.0.to_string();
        f.write_str(&before)?;
        let mut source = self.0.source();
        while let Some(cause) = source {
            let text = cause.to_string();
            if !before.ends_with(&text) && !text.ends_with(&before) {
                write!(f, ": {text}")?;
                before = text;
            }
            source = cause.source();
        }
        Ok(())
    }
}

impl fmt::Debug for ErrorChain<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, thiserror::Error)]
    #[error("{text}")]
    struct Layer {
        text: &'static str,
        #[source]
        cause: Option<Box<Layer>>,
    }

    fn chain(texts: &[&'static str]) -> Option<Box<Layer>> {
        let (text, causes) = texts.split_first()?;
        let cause = chain(causes);
        Some(Box::new(Layer { text, cause }))
    }

    #[test]
    fn all_causes_are_shown_and_none_twice() {
        let shown =
            |texts: &[&'static str]| error_chain(&*chain(texts).expect("an error")).to_string();
        assert_eq!(
            shown(&["saving", "writing", "full"]),
            "saving: writing: full"
        );
        assert_eq!(shown(&["saving: full", "full"]), "saving: full");
        assert_eq!(shown(&["full", "code 13: full"]), "full");
        assert_eq!(shown(&["full", "full", "no room"]), "full: no room");
    }
}
