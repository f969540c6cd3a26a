//! Encrypted connections to PostgreSQL, with servers that support TLS and servers that do not.
//!
//! Without PostgreSQL these tests are skipped, with a message.

#[path = "tls/certificates.rs"]
mod certificates;

use std::path::Path;
use std::sync::{Arc, OnceLock};

use es_store::testing::postgres::{Cluster, Database, ServerCertificate, cluster_on_tcp};
use es_store::{
    Env, NotificationQuery, ProcessRecorder, Recording, Role, Signal, StoreError, StoredEvent,
};
use uuid::Uuid;

use self::certificates::{Authority, Signed};

/// A server whose certificate is valid for `localhost` and not for 127.0.0.1.
struct Server {
    authority: Authority,
    cluster: Cluster,
}

impl Server {
    fn start() -> Option<Self> {
        let authority = Authority::new();
        let signed = authority.sign("localhost");
        Self::start_with(authority, &signed)
    }

    fn start_with(authority: Authority, signed: &Signed) -> Option<Self> {
        let read = |path: &Path| std::fs::read_to_string(path).expect("a file");
        let certificate = ServerCertificate {
            certificate: read(&signed.certificate),
            key: read(&signed.key),
            clients: read(&authority.root()),
        };
        let cluster = cluster_on_tcp(Some(&certificate))?;
        Some(Self { authority, cluster })
    }
}

/// The server that these tests share.
fn server() -> Option<&'static Server> {
    static SHARED: OnceLock<Option<Server>> = OnceLock::new();
    SHARED.get_or_init(Server::start).as_ref()
}

fn env(database: &Database, host: &str, mode: &str) -> Env {
    database
        .env()
        .with("POSTGRES_HOST", host)
        .with("POSTGRES_SSLMODE", mode)
}

fn with_file(env: Env, key: &str, path: &Path) -> Env {
    env.with(key, path.display().to_string())
}

fn open(env: &Env) -> Arc<dyn ProcessRecorder> {
    es_store::open("Dogs", Role::Leader, env).expect("a database")
}

/// Returns the message of a refusal, which must not contain the password.
fn refused(env: &Env) -> String {
    let refused = es_store::open("Dogs", Role::Leader, env)
        .err()
        .expect("refused");
    let said = format!("{refused} {refused:?}");
    let password = env.get("POSTGRES_PASSWORD").expect("a password");
    assert!(!said.contains(password), "{said}");
    let is_configuration = matches!(refused, StoreError::Configuration(_) | StoreError::Env(_));
    assert!(is_configuration, "{said}");
    refused.to_string()
}

fn record(recorder: &dyn ProcessRecorder, version: u64) {
    let event = StoredEvent::new(
        Uuid::from_u128(1),
        version,
        "test:Thing.Happened",
        b"{}".to_vec(),
    );
    recorder
        .record(&Recording::new(vec![event]))
        .expect("recorded");
}

fn count(recorder: &dyn ProcessRecorder) -> usize {
    let all = recorder.select_notifications(&NotificationQuery::all());
    all.expect("the log can be read").len()
}

/// Returns the number of the application's connections, and the number of encrypted ones.
fn connections(database: &Database) -> (i64, i64) {
    let count = "SELECT count(*), count(*) FILTER (WHERE ssl) FROM pg_stat_ssl JOIN pg_stat_activity USING (pid) \
                 WHERE application_name = 'Dogs' AND datname = current_database()";
    let row = database.connect().query_one(count, &[]).expect("a count");
    (row.get(0), row.get(1))
}

fn cut(database: &Database) -> i64 {
    let cut = "SELECT count(pg_terminate_backend(pid, 5000)) FROM pg_stat_activity \
               WHERE application_name = 'Dogs' AND datname = current_database()";
    let row = database.connect().query_one(cut, &[]).expect("cut");
    row.get(0)
}

#[test]
fn every_connection_is_encrypted_where_that_is_required_also_after_it_was_lost() {
    let Some(server) = server() else { return };
    let database = server.cluster.database();
    let dogs = open(&env(&database, "localhost", "require"));
    let signal = Signal::new();
    let _listening = dogs.listen(&signal).expect("listening");
    for version in 1..=3 {
        record(&*dogs, version);
        assert_eq!(count(&*dogs) as u64, version);
        let all = "one that writes, one that reads, and one that listens";
        assert_eq!(connections(&database), (3, 3), "{all}");
        let seen = signal.rings();
        assert_eq!(cut(&database), 3, "{all}");
        // The signal is rung once the connection listens again.
        assert_ne!(
            signal.wait(seen, std::time::Duration::from_secs(30)),
            seen,
            "rings"
        );
    }
}

#[test]
fn unset_a_server_that_has_tls_is_spoken_to_in_it() {
    let Some(server) = server() else { return };
    let database = server.cluster.database();
    let unset = database.env().with("POSTGRES_HOST", "localhost");
    let _dogs = open(&unset);
    assert_eq!(connections(&database), (1, 1));
}

#[test]
fn a_unix_socket_is_not_encrypted_even_where_that_is_required() {
    let Some(server) = server() else { return };
    let database = server.cluster.database();
    let _dogs = open(&database.env().with("POSTGRES_SSLMODE", "verify-full"));
    assert_eq!(connections(&database), (1, 0));
}

#[test]
fn disable_is_in_the_clear() {
    let Some(server) = server() else { return };
    let database = server.cluster.database();
    let _dogs = open(&env(&database, "localhost", "disable"));
    assert_eq!(connections(&database), (1, 0));
}

#[test]
fn a_certificate_that_the_authority_signed_for_the_host_is_accepted() {
    let Some(server) = server() else { return };
    let database = server.cluster.database();
    for mode in ["require", "verify-ca", "verify-full"] {
        let env = env(&database, "localhost", mode);
        let dogs = open(&with_file(
            env,
            "POSTGRES_SSLROOTCERT",
            &server.authority.root(),
        ));
        assert_eq!(connections(&database), (1, 1), "{mode}");
        drop(dogs);
        cut(&database);
    }
}

/// This is the simplest way to set up a server. The certificate is both an authority's and the
/// server's own, which is unusual elsewhere.
#[test]
fn a_certificate_that_the_server_signed_itself_is_trusted_by_those_who_have_it() {
    let authority = Authority::new();
    let signed = authority.own();
    let Some(server) = Server::start_with(authority, &signed) else {
        return;
    };
    let database = server.cluster.database();
    let trusting = |mode, root: &Path| {
        let env = env(&database, "localhost", mode);
        with_file(env, "POSTGRES_SSLROOTCERT", root)
    };
    let said = refused(&trusting("verify-ca", &Authority::new().root()));
    assert!(said.contains("POSTGRES_SSLROOTCERT"), "{said}");
    let said = refused(&trusting("verify-full", &signed.certificate));
    assert!(said.contains("not valid for name \"localhost\""), "{said}");
    let _dogs = open(&trusting("verify-ca", &signed.certificate));
    assert_eq!(connections(&database), (1, 1));
}

#[test]
fn a_certificate_of_another_authority_is_refused() {
    let Some(server) = server() else { return };
    let database = server.cluster.database();
    let other = Authority::new();
    // As in libpq, naming authorities has them checked in every mode that requires TLS.
    for mode in ["require", "verify-ca", "verify-full"] {
        let env = env(&database, "localhost", mode);
        let said = refused(&with_file(env, "POSTGRES_SSLROOTCERT", &other.root()));
        assert!(said.contains("(POSTGRES_SSLROOTCERT, "), "{said}");
    }
    assert_eq!(connections(&database), (0, 0));
    let preferred = env(&database, "localhost", "prefer");
    let _dogs = open(&with_file(preferred, "POSTGRES_SSLROOTCERT", &other.root()));
    let better = "encryption without verification is better than none";
    assert_eq!(connections(&database), (1, 1), "{better}");
}

#[test]
fn a_certificate_of_an_authority_that_the_machine_does_not_know_is_refused() {
    let Some(server) = server() else { return };
    let database = server.cluster.database();
    for mode in ["verify-ca", "verify-full"] {
        let said = refused(&env(&database, "localhost", mode));
        assert!(said.contains("POSTGRES_SSLROOTCERT"), "{said}");
    }
}

#[test]
fn a_certificate_for_another_host_is_refused_by_verify_full_alone() {
    let Some(server) = server() else { return };
    let database = server.cluster.database();
    let env = |mode| {
        with_file(
            env(&database, "127.0.0.1", mode),
            "POSTGRES_SSLROOTCERT",
            &server.authority.root(),
        )
    };
    let said = refused(&env("verify-full"));
    assert!(said.contains(r#"not valid for name "127.0.0.1""#), "{said}");
    assert!(
        said.ends_with("(POSTGRES_HOST, POSTGRES_SSLMODE)"),
        "{said}"
    );
    let _dogs = open(&env("verify-ca"));
    assert_eq!(connections(&database), (1, 1));
}

#[test]
fn a_host_whose_name_no_certificate_can_have_is_refused_where_tls_is_required() {
    let Some(server) = server() else { return };
    let database = server.cluster.database();
    let said = refused(&env(&database, "127.1", "require"));
    assert!(said.ends_with("(POSTGRES_HOST)"), "{said}");
}

#[test]
fn a_wrong_password_is_named_as_without_tls() {
    let Some(server) = server() else { return };
    let database = server.cluster.database();
    let env = env(&database, "localhost", "require").with("POSTGRES_PASSWORD", "wrong");
    assert!(refused(&env).ends_with("(POSTGRES_USER, POSTGRES_PASSWORD)"));
}

#[test]
fn a_certificate_of_ones_own_is_presented_to_the_server() {
    let Some(server) = server() else { return };
    let database = server.cluster.database();
    let mine = server.authority.sign("rex");
    let env = env(&database, "localhost", "require");
    let env = with_file(env, "POSTGRES_SSLCERT", &mine.certificate);
    let other = server.authority.sign("other");
    let said = refused(&with_file(env.clone(), "POSTGRES_SSLKEY", &other.key));
    assert!(said.starts_with("POSTGRES_SSLKEY is `…`"), "{said}");
    let _dogs = open(&with_file(env, "POSTGRES_SSLKEY", &mine.key));
    let name = "SELECT client_dn FROM pg_stat_ssl JOIN pg_stat_activity USING (pid) \
                WHERE application_name = 'Dogs' AND datname = current_database()";
    let row = database.connect().query_one(name, &[]).expect("a name");
    assert_eq!(row.get::<_, &str>(0), "/CN=rex");
}

#[test]
fn a_certificate_of_ones_own_that_the_server_does_not_accept_is_refused() {
    let Some(server) = server() else { return };
    let database = server.cluster.database();
    let stranger = Authority::new();
    let mine = stranger.sign("rex");
    let env = env(&database, "localhost", "require");
    let env = with_file(env, "POSTGRES_SSLCERT", &mine.certificate);
    let said = refused(&with_file(env, "POSTGRES_SSLKEY", &mine.key));
    assert!(
        said.ends_with("(POSTGRES_SSLCERT, POSTGRES_SSLMODE)"),
        "{said}"
    );
}

#[test]
fn a_server_without_tls_is_refused_where_it_is_required_and_used_where_it_is_preferred() {
    let Some(cluster) = cluster_on_tcp(None) else {
        return;
    };
    let database = cluster.database();
    let said = refused(&env(&database, "localhost", "require"));
    assert!(
        said.ends_with("server does not support TLS (POSTGRES_SSLMODE)"),
        "{said}"
    );
    let _dogs = open(&env(&database, "localhost", "prefer"));
    assert_eq!(connections(&database), (1, 0));
}

/// The server offers TLS in its settings, but the rules of `pg_hba.conf` refuse those who use it.
#[test]
fn a_server_that_will_not_have_tls_is_used_without_where_it_is_only_preferred() {
    let Some(server) = Server::start() else {
        return;
    };
    let database = server.cluster.database();
    allow_only(&server.cluster, &database, "hostnossl");
    let said = refused(&env(&database, "localhost", "require"));
    assert!(said.contains("POSTGRES_SSLMODE"), "{said}");
    let _dogs = open(&env(&database, "localhost", "prefer"));
    assert_eq!(connections(&database), (1, 0));
}

#[test]
fn a_server_that_insists_on_tls_names_the_key_to_one_that_has_it_disabled() {
    let Some(server) = Server::start() else {
        return;
    };
    let database = server.cluster.database();
    allow_only(&server.cluster, &database, "hostssl");
    let said = refused(&env(&database, "localhost", "disable"));
    assert!(said.contains("POSTGRES_SSLMODE"), "{said}");
    let _dogs = open(&env(&database, "localhost", "prefer"));
    assert_eq!(connections(&database), (1, 1));
}

/// Accepts only one kind of connections by TCP, in the terms of `pg_hba.conf`.
fn allow_only(cluster: &Cluster, database: &Database, kind: &str) {
    let mut server = database.connect();
    let file: String = server
        .query_one("SHOW hba_file", &[])
        .expect("a path")
        .get(0);
    server
        .batch_execute(&format!(
            "COPY (VALUES ('local all all scram-sha-256'), ('{kind} all all all scram-sha-256')) TO '{file}'"
        ))
        .expect("rules");
    drop(server);
    cluster.stop();
    cluster.resume();
}
