//! A certificate that the recorder signs itself, as they do.

use std::path::Path;
use std::process::Command;
use std::sync::Arc;

use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::PrivateKeyDer;

pub fn acceptor() -> TlsAcceptor {
    let folder = tempfile::tempdir().expect("a folder");
    let (key, certificate) = (folder.path().join("key"), folder.path().join("certificate"));
    let curve = "genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -outform DER -out";
    openssl(curve, &key, &[]);
    let sign = "req -x509 -days 2 -subj /CN=recorder -keyform DER -outform DER -out";
    openssl(sign, &certificate, &["-key".as_ref(), &key]);
    let read = |path| std::fs::read(path).expect("openssl wrote it");
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .expect("TLS 1.2 and 1.3")
        .with_no_client_auth()
        .with_single_cert(
            vec![read(&certificate).into()],
            PrivateKeyDer::try_from(read(&key)).expect("a key"),
        )
        .expect("a key that fits");
    TlsAcceptor::from(Arc::new(config))
}

fn openssl(arguments: &str, output: &Path, more: &[&Path]) {
    let output = Command::new("openssl")
        .args(arguments.split_whitespace())
        .arg(output)
        .args(more)
        .output()
        .expect("openssl starts (apt-get install openssl)");
    let complaints = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "openssl {arguments}: {complaints}");
}
