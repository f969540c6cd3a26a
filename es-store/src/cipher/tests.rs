//! States that Python encrypts, both ways; wrong keys; and keys that no message shows.

use proptest::prelude::*;

use super::*;
use crate::env::Env;
use crate::hex;

/// The bytes 0 to 31.
const KEY: &str = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
const STATE: &[u8] = br#"{"timestamp":1}"#;

fn env(key: &str) -> Env {
    Env::new()
        .with("CIPHER_TOPIC", "aes")
        .with("CIPHER_KEY", key)
}

fn cipher(env: &Env) -> Cipher {
    let cipher = Cipher::from_env(env).expect("a good environment");
    cipher.expect("a cipher")
}

fn refused(env: &Env) -> String {
    let error = Cipher::from_env(env).expect_err("refused");
    let shown = format!("{error} {error:?}");
    assert!(
        !shown.contains("hush") && !shown.contains("aHVzaA"),
        "{shown}"
    );
    error.to_string()
}

#[test]
fn a_state_is_encrypted_as_python_does_it() {
    let nonce: [u8; 12] = std::array::from_fn(|n| 100 + n as u8);
    let sealed = cipher(&env(KEY)).encrypt_with(nonce.into(), STATE);
    let python =
        "6465666768696a6b6c6d6e6f859cd0bf5c74e5a5a8028e285441ea373339aa0f148c25ea5f0f2fcae05417";
    assert_eq!(hex(&sealed.expect("encrypted")), python);
}

#[test]
fn a_state_comes_back_with_keys_of_every_size_and_every_topic() {
    for size in [16, 24, 32] {
        for topic in [
            "aes",
            "eventsourcing.cipher:AESCipher",
            "eventsourcing.cryptography:AESCipher",
        ] {
            let key = create_key(size).expect("a key");
            let cipher = cipher(&env(&key).with("CIPHER_TOPIC", topic));
            let sealed = cipher.encrypt(STATE).expect("encrypted");
            assert_eq!(sealed.len(), STATE.len() + 28);
            assert_eq!(cipher.decrypt(&sealed), Ok(STATE.to_vec()));
            assert_ne!(
                cipher.encrypt(STATE).expect("encrypted")[..12],
                sealed[..12],
                "a fresh nonce"
            );
        }
    }
}

#[test]
fn what_is_too_short_changed_or_of_another_key_is_refused() {
    let cipher = cipher(&env(KEY));
    let sealed = cipher.encrypt(STATE).expect("encrypted");
    for length in 0..28 {
        assert_eq!(
            cipher.decrypt(&sealed[..length]),
            Err(MapperProblem::TooShort)
        );
    }
    for byte in 0..sealed.len() {
        let mut changed = sealed.clone();
        changed[byte] ^= 1;
        assert_eq!(cipher.decrypt(&changed), Err(MapperProblem::NotDecrypted));
    }
    assert_eq!(
        cipher.decrypt(&sealed[..30]),
        Err(MapperProblem::NotDecrypted)
    );
    let other = self::cipher(&env(&create_key(16).expect("a key")));
    assert_eq!(other.decrypt(&sealed), Err(MapperProblem::NotDecrypted));
}

#[test]
fn old_keys_decrypt_and_do_not_encrypt() {
    let keys: Vec<String> = [16, 24, 32]
        .map(|size| create_key(size).expect("a key"))
        .into();
    let olds: Vec<_> = keys.iter().map(|key| cipher(&env(key))).collect();
    let new = cipher(&env(KEY).with("CIPHER_KEYS_OLD", keys.join(" , ")));
    for old in olds {
        let sealed = old.encrypt(STATE).expect("encrypted");
        assert_eq!(new.decrypt(&sealed), Ok(STATE.to_vec()));
        let sealed = new.encrypt(STATE).expect("encrypted");
        assert_eq!(old.decrypt(&sealed), Err(MapperProblem::NotDecrypted));
    }
}

#[test]
fn a_key_without_a_topic_and_a_topic_without_a_key_are_errors() {
    assert!(Cipher::from_env(&Env::new()).expect("none").is_none());
    assert!(
        Cipher::from_env(&env("").with("CIPHER_TOPIC", ""))
            .expect("none")
            .is_none()
    );
    let key = Env::new()
        .with("DOGS_CIPHER_KEY", KEY)
        .for_application("Dogs");
    assert_eq!(
        refused(&key),
        "DOGS_CIPHER_KEY is set, but DOGS_CIPHER_TOPIC or CIPHER_TOPIC is not: set both, or neither"
    );
    // The application's own empty topic counts too: otherwise its events would be stored in the
    // clear.
    let emptied = env(KEY)
        .with("DOGS_CIPHER_TOPIC", "")
        .for_application("Dogs");
    assert!(refused(&emptied).starts_with("CIPHER_KEY is set, but DOGS_CIPHER_TOPIC is not"));
    let topic = Env::new().with("CIPHER_TOPIC", "aes");
    assert_eq!(
        refused(&topic),
        "CIPHER_TOPIC is set, but CIPHER_KEY is not: set both, or neither"
    );
    let old = Env::new().with("CIPHER_KEYS_OLD", KEY);
    assert!(refused(&old).starts_with("CIPHER_KEYS_OLD is set, but CIPHER_TOPIC is not"));
}

#[test]
fn a_wrong_topic_key_or_old_key_is_named_and_no_key_is_shown() {
    let invalid = "CIPHER_KEY is `…`, which is not ";
    for (env, problem) in [
        (
            env(KEY).with("CIPHER_TOPIC", "rot13"),
            "CIPHER_TOPIC is `rot13`, which is not aes, eventsourcing.cipher:AESCipher or \
             eventsourcing.cryptography:AESCipher"
                .to_owned(),
        ),
        (env("hush!"), format!("{invalid}standard base64")),
        (
            env("hush"),
            format!("{invalid}16, 24 or 32 bytes in base64, but 3"),
        ),
        (
            env(KEY).with("CIPHER_KEYS_OLD", format!("{KEY},aHVzaA==")),
            "CIPHER_KEYS_OLD is `…`, which is not 16, 24 or 32 bytes in base64 at number 2, but 4"
                .to_owned(),
        ),
        (
            env(KEY).with("CIPHER_KEYS_OLD", format!("{KEY},")),
            "CIPHER_KEYS_OLD is `…`, which is not 16, 24 or 32 bytes in base64 at number 2, but 0"
                .to_owned(),
        ),
    ] {
        assert_eq!(refused(&env), problem);
    }
    let refused = create_key(20).expect_err("refused").to_string();
    assert_eq!(refused, "a key has 16, 24 or 32 bytes, and not 20");
}

#[test]
fn a_cipher_shows_no_key() {
    let cipher = cipher(&env(KEY).with("CIPHER_KEYS_OLD", KEY));
    assert_eq!(format!("{cipher:?}"), "Cipher { old_keys: 1, .. }");
}

proptest! {
    #[test]
    fn any_bytes_are_refused(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        prop_assert!(cipher(&env(KEY)).decrypt(&bytes).is_err());
    }
}
