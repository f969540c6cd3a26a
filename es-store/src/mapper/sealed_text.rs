//! Texts that are stored beside events, such as the error of a policy, which may quote what an
//! event contains.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::Mapper;

/// The mark in front of a text that is encrypted.
const SEALED: &str = "sealed:";

/// The text in place of one that cannot be encrypted.
const LOST: &str = "(this text could not be encrypted, and was not stored)";

impl Mapper {
    /// Returns the form in which a text is stored: with a cipher, it is encrypted as a state is, in
    /// base64 behind `sealed:`. Without one, it is the text itself.
    ///
    /// If it cannot be encrypted, another text that tells this is stored, and never the text
    /// itself.
    ///
    /// ```
    /// use es_store::{Env, Mapper};
    ///
    /// let mapper = Mapper::new(&Env::new())?;
    /// assert_eq!(mapper.seal_text("no stock"), "no stock");
    ///
    /// let key = es_store::create_key(32)?;
    /// let env = Env::new().with("CIPHER_TOPIC", "aes").with("CIPHER_KEY", key);
    /// let mapper = Mapper::new(&env)?;
    /// let sealed = mapper.seal_text("no stock");
    /// assert!(sealed.starts_with("sealed:"));
    /// assert_eq!(mapper.open_text(&sealed), "no stock");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn seal_text(&self, text: &str) -> String {
        match &self.cipher {
            None => text.to_owned(),
            Some(cipher) => match cipher.encrypt(text.as_bytes()) {
                Ok(sealed) => format!("{SEALED}{}", STANDARD.encode(sealed)),
                Err(_) => LOST.to_owned(),
            },
        }
    }

    /// Returns the text that [`seal_text`](Self::seal_text) has stored. One that cannot be opened,
    /// because its key is missing or it was changed, is returned as it is stored.
    pub fn open_text(&self, stored: &str) -> String {
        self.opened(stored).unwrap_or_else(|| stored.to_owned())
    }

    fn opened(&self, stored: &str) -> Option<String> {
        let sealed = STANDARD.decode(stored.strip_prefix(SEALED)?).ok()?;
        let text = self.cipher.as_ref()?.decrypt(&sealed).ok()?;
        String::from_utf8(text).ok()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::env::Env;

    fn mapper(env: &Env) -> Mapper {
        Mapper::new(env).expect("a mapper")
    }

    fn with_key(key: &str) -> Env {
        Env::new()
            .with("CIPHER_TOPIC", "aes")
            .with("CIPHER_KEY", key)
    }

    const KEY: &str = "AAECAwQFBgcICQoLDA0ODw==";
    const OTHER: &str = "AAAAAAAAAAAAAAAAAAAAAA==";

    proptest! {
        #[test]
        fn any_text_comes_back_with_its_key_and_with_no_other(text in "(sealed:)?\\PC{0,60}") {
            let sealing = mapper(&with_key(KEY));
            let sealed = sealing.seal_text(&text);
            prop_assert!(sealed.is_ascii());
            prop_assert!(text.len() < 8 || !sealed[SEALED.len()..].contains(&text));
            prop_assert_eq!(sealing.open_text(&sealed), text.clone());
            let rotated = mapper(&with_key(OTHER).with("CIPHER_KEYS_OLD", KEY));
            prop_assert_eq!(rotated.open_text(&sealed), text);
            for none in [with_key(OTHER), Env::new()] {
                prop_assert_eq!(mapper(&none).open_text(&sealed), sealed.clone());
            }
        }
    }

    #[test]
    fn a_text_that_was_stored_before_there_was_a_cipher_is_shown() {
        let mapper = mapper(&with_key(KEY));
        for stored in [
            "",
            "no stock",
            "sealed:",
            "sealed:no base64!",
            "sealed:AAAA",
        ] {
            assert_eq!(mapper.open_text(stored), stored);
        }
    }

    #[test]
    fn a_text_that_was_changed_is_shown_as_it_is() {
        let mapper = mapper(&with_key(KEY));
        let sealed = mapper.seal_text("no stock");
        let changed = sealed.replace(&sealed[9..11], "++");
        assert_eq!(mapper.open_text(&changed), changed);
    }
}
