use super::*;

fn tls(host: &str, env: &Env) -> Result<Tls, String> {
    let mut config = Config::new();
    config.host(host);
    Tls::of(&config, env).map_err(|error| error.to_string())
}

fn mode(mode: &str) -> Env {
    Env::new().with(MODE, mode)
}

#[test]
fn an_unknown_mode_is_refused_with_the_ones_that_there_are() {
    for unknown in ["allow", "yes"] {
        assert_eq!(
            tls("localhost", &mode(unknown)).expect_err("refused"),
            format!(
                "POSTGRES_SSLMODE is `{unknown}`, which is not disable, prefer, require, verify-ca, verify-full"
            )
        );
    }
}

#[test]
fn a_unix_socket_is_never_encrypted() {
    for env in [Env::new(), mode("prefer"), mode("disable")] {
        assert!(matches!(tls("/run", &env), Ok(Tls::Off)));
    }
}

#[test]
fn disable_is_off_and_reads_no_certificate() {
    let env = mode("Disable").with("POSTGRES_SSLROOTCERT", "/nowhere");
    assert!(matches!(tls("localhost", &env), Ok(Tls::Off)));
}

#[cfg(not(feature = "tls"))]
#[test]
fn a_mode_that_needs_the_feature_names_it_where_it_is_not_built_in() {
    for needs in ["require", "verify-ca", "verify-full"] {
        for host in ["localhost", "/run"] {
            assert_eq!(
                tls(host, &mode(needs)).expect_err("refused"),
                format!(
                    "POSTGRES_SSLMODE is `{needs}`, which is not there without the cargo feature `tls`"
                )
            );
        }
    }
    assert!(matches!(tls("localhost", &mode("prefer")), Ok(Tls::Off)));
}

#[cfg(feature = "tls")]
mod with_the_feature {
    use super::*;

    #[test]
    fn unset_tls_is_preferred_and_the_stricter_modes_require_it() {
        for (env, expected) in [
            (Env::new(), SslMode::Prefer),
            (mode("require"), SslMode::Require),
        ] {
            assert!(
                matches!(tls("localhost", &env), Ok(Tls::On(mode, _)) if mode == expected),
                "{env:?}"
            );
        }
        assert!(matches!(tls("/run", &mode("require")), Ok(Tls::Off)));
    }

    #[test]
    fn a_file_that_is_missing_or_holds_no_certificate_is_an_error_that_names_its_key() {
        let folder = tempfile::tempdir().expect("a folder");
        let write = |name: &str, text: &str| {
            let path = folder.path().join(name);
            std::fs::write(&path, text).expect("a file");
            path.display().to_string()
        };
        let pem =
            |text| format!("-----BEGIN CERTIFICATE-----\n{text}\n-----END CERTIFICATE-----\n");
        for (path, problem) in [
            ("/nowhere".to_owned(), "No such file"),
            (folder.path().display().to_string(), "Is a directory"),
            (write("other", "a secret"), "it has none"),
            (
                write("cut", "-----BEGIN CERTIFICATE-----\na secret"),
                "it is damaged",
            ),
            (write("no_base64", &pem("a !secret")), "it is damaged"),
            (write("no_certificate", &pem("c2VjcmV0")), "it is damaged"),
        ] {
            let env = mode("require").with("POSTGRES_SSLROOTCERT", &path);
            let said = tls("localhost", &env).expect_err("refused");
            let start = format!("POSTGRES_SSLROOTCERT is `{path}`, which is not a file with");
            assert!(said.starts_with(&start) && said.contains(problem), "{said}");
            assert!(!said.contains("secret"), "{said}");
        }
    }

    #[test]
    fn a_certificate_of_ones_own_needs_its_key_and_a_key_its_certificate() {
        for (set, unset) in [
            ("POSTGRES_SSLCERT", "POSTGRES_SSLKEY"),
            ("POSTGRES_SSLKEY", "POSTGRES_SSLCERT"),
        ] {
            let env = mode("require").with(set, "/nowhere");
            assert_eq!(
                tls("localhost", &env).expect_err("refused"),
                format!("{set} is set, but not {unset}")
            );
        }
    }
}
