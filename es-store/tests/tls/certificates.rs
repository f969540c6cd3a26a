//! Authorities and their certificates, made by the program `openssl`, which PostgreSQL's own
//! packages install.

use std::path::PathBuf;
use std::process::{Command, Stdio};

use tempfile::TempDir;

/// An authority that signs certificates.
pub(super) struct Authority {
    folder: TempDir,
}

/// A certificate and its private key.
pub(super) struct Signed {
    pub(super) certificate: PathBuf,
    pub(super) key: PathBuf,
}

impl Authority {
    pub(super) fn new() -> Self {
        // The folder is in the build's, because that of a shared authority is never removed.
        let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).expect("a folder");
        let authority = Self { folder };
        authority.write("ca.cnf", "[req]\ndistinguished_name = dn\nx509_extensions = ca\n[dn]\n[ca]\nbasicConstraints = critical, CA:TRUE\n");
        authority.openssl(
            "req -x509 -newkey rsa:2048 -nodes -days 2 -config ca.cnf -subj /CN=authority -keyout ca.key -out ca.crt",
        );
        authority
    }

    /// Returns the authority's own certificate.
    pub(super) fn root(&self) -> PathBuf {
        self.own().certificate
    }

    /// Returns the authority's own self-signed certificate, with its key.
    pub(super) fn own(&self) -> Signed {
        Signed {
            certificate: self.path("ca.crt"),
            key: self.path("ca.key"),
        }
    }

    /// Signs a certificate for the host `name`.
    pub(super) fn sign(&self, name: &str) -> Signed {
        self.write(
            "name.cnf",
            &format!("subjectAltName = DNS:{name}\nbasicConstraints = CA:FALSE\n"),
        );
        self.openssl(&format!(
            "req -newkey rsa:2048 -nodes -config ca.cnf -subj /CN={name} -keyout {name}.key -out {name}.csr"
        ));
        self.openssl(&format!(
            "x509 -req -in {name}.csr -CA ca.crt -CAkey ca.key -CAcreateserial -days 2 -extfile name.cnf -out {name}.crt"
        ));
        Signed {
            certificate: self.path(&format!("{name}.crt")),
            key: self.path(&format!("{name}.key")),
        }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn write(&self, name: &str, text: &str) {
        std::fs::write(self.path(name), text).expect("a file");
    }

    fn openssl(&self, arguments: &str) {
        let output = Command::new("openssl")
            .args(arguments.split(' '))
            .current_dir(self.folder.path())
            .stdin(Stdio::null())
            .output()
            .expect("the program `openssl` is needed to make certificates for tests");
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "openssl {arguments}: {said}");
    }
}
