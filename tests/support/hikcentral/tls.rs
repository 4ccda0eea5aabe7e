//! Certificates: its own, as servers sign them themselves, and others'.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

use tempfile::TempDir;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};

/// A certificate and its key.
pub struct Certificate {
    folder: TempDir,
}

/// Who signs those of others.
pub struct Authority(Certificate);

impl Certificate {
    /// As the installer makes it: signed by itself, without the address in it.
    pub fn its_own() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        openssl(
            folder.path(),
            "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 \
             -subj /CN=hikcentral -keyout key.pem -out certificate.pem",
        );
        Self { folder }
    }

    /// PEM.
    pub fn file(&self) -> PathBuf {
        self.folder.path().join("certificate.pem")
    }

    /// The same in DER, as Windows exports it.
    pub fn der_file(&self) -> PathBuf {
        openssl(
            self.folder.path(),
            "x509 -in certificate.pem -outform DER -out certificate.cer",
        );
        self.folder.path().join("certificate.cer")
    }

    pub fn acceptor(&self) -> TlsAcceptor {
        let certificates = CertificateDer::pem_file_iter(self.file()).expect("openssl wrote it");
        let certificates = certificates.collect::<Result<_, _>>().expect("PEM");
        let key = PrivateKeyDer::from_pem_file(self.folder.path().join("key.pem"));
        let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .expect("TLS 1.2 and 1.3")
            .with_no_client_auth()
            .with_single_cert(certificates, key.expect("openssl wrote it"))
            .expect("a key that fits");
        TlsAcceptor::from(Arc::new(config))
    }
}

impl Authority {
    pub fn new() -> Self {
        Self(Certificate::its_own())
    }

    pub fn file(&self) -> PathBuf {
        self.0.file()
    }

    /// A certificate for one address.
    pub fn signs(&self, address: &str) -> Certificate {
        let folder = self.0.folder.path();
        std::fs::write(
            folder.join("extensions"),
            format!("subjectAltName=IP:{address}\nbasicConstraints=CA:FALSE\n"),
        )
        .expect("a file");
        openssl(
            folder,
            "req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=site \
             -keyout site.key -out site.csr",
        );
        openssl(
            folder,
            "x509 -req -in site.csr -CA certificate.pem -CAkey key.pem -CAcreateserial -days 2 \
             -extfile extensions -out site.pem",
        );
        let own = tempfile::tempdir().expect("a folder");
        for (from, to) in [("site.pem", "certificate.pem"), ("site.key", "key.pem")] {
            std::fs::copy(folder.join(from), own.path().join(to)).expect("openssl wrote it");
        }
        Certificate { folder: own }
    }
}

fn openssl(folder: &Path, arguments: &str) {
    let output = Command::new("openssl")
        .args(arguments.split_whitespace())
        .current_dir(folder)
        .output()
        .expect("openssl starts (apt-get install openssl)");
    let complaints = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "openssl {arguments}: {complaints}");
}
