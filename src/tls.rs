//! Whose certificates a client of ours takes.

use std::path::Path;
use std::sync::Arc;

use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, ring, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{
    CertificateError, ClientConfig, DigitallySignedStruct, Error, RootCertStore, SignatureScheme,
};

/// The largest file of certificates that is read. A system has 250 KiB of them.
const MOST_BYTES: u64 = 4 << 20;

/// Whom to believe that he is the server.
#[derive(Debug)]
pub(crate) enum Trust {
    /// Whoever answers: what is sent is encrypted, and that is all.
    Anyone,
    /// Who has a certificate of one of these authorities, whatever name is in it.
    Authority(RootCertStore),
    /// Who has a certificate of one of these authorities for the name that was called.
    Name(RootCertStore),
    /// Who has one of these very certificates, whatever name and dates are in it, or one
    /// that they have signed for the name that was called.
    Pinned(Vec<CertificateDer<'static>>),
}

/// How to connect with that trust.
pub(crate) fn client(trust: Trust) -> Result<ClientConfig, Error> {
    let provider = Arc::new(ring::default_provider());
    let config = ClientConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()?;
    let mut verifier = Lenient {
        provider,
        authority: None,
        any_name: false,
        pinned: Vec::new(),
        anyone: false,
    };
    match trust {
        Trust::Name(roots) => {
            return Ok(config.with_root_certificates(roots).with_no_client_auth());
        }
        Trust::Anyone => verifier.anyone = true,
        Trust::Authority(roots) => {
            verifier.any_name = true;
            verifier.authority = Some(verifier.signed_by(roots)?);
        }
        Trust::Pinned(certificates) => {
            let mut roots = RootCertStore::empty();
            roots.add_parsable_certificates(certificates.iter().cloned());
            if !roots.is_empty() {
                verifier.authority = Some(verifier.signed_by(roots)?);
            }
            verifier.pinned = certificates;
        }
    }
    Ok(config
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(verifier))
        .with_no_client_auth())
}

/// The authorities in a file, or those that the system trusts, which may be none.
pub(crate) fn roots(file: Option<&Path>) -> Result<RootCertStore, String> {
    let Some(file) = file else {
        return Ok(system());
    };
    let mut roots = RootCertStore::empty();
    for certificate in certificates(file)? {
        let added = roots.add(certificate);
        added.map_err(|error| error.to_string())?;
    }
    Ok(roots)
}

/// The authorities that the system trusts.
pub(crate) fn system() -> RootCertStore {
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    roots
}

/// The certificates in a file, at least one: PEM, or a single one in DER, as Windows
/// exports them.
pub(crate) fn certificates(file: &Path) -> Result<Vec<CertificateDer<'static>>, String> {
    let length = std::fs::metadata(file).map_err(|error| error.to_string())?;
    if length.len() > MOST_BYTES {
        return Err("it is too large for a file of certificates".to_owned());
    }
    let bytes = std::fs::read(file).map_err(|error| error.to_string())?;
    let certificates = if bytes.starts_with(&[0x30]) {
        vec![CertificateDer::from(bytes)]
    } else {
        let all: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&bytes).collect();
        all.map_err(|error| error.to_string())?
    };
    let Some(first) = certificates.first() else {
        return Err("there is no certificate in it".to_owned());
    };
    let known = RootCertStore::empty().add(first.clone());
    known.map_err(|error| error.to_string())?;
    Ok(certificates)
}

/// Less strict than a browser.
#[derive(Debug)]
struct Lenient {
    provider: Arc<CryptoProvider>,
    /// Who must have signed.
    authority: Option<Arc<WebPkiServerVerifier>>,
    /// Whatever name that is for.
    any_name: bool,
    /// What needs no signature of others.
    pinned: Vec<CertificateDer<'static>>,
    /// Whether all of this does not matter.
    anyone: bool,
}

impl Lenient {
    fn signed_by(&self, roots: RootCertStore) -> Result<Arc<WebPkiServerVerifier>, Error> {
        let provider = Arc::clone(&self.provider);
        WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider)
            .build()
            .map_err(|error| Error::General(error.to_string()))
    }
}

impl ServerCertVerifier for Lenient {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        if self.anyone || self.pinned.iter().any(|own| own == end_entity) {
            return Ok(ServerCertVerified::assertion());
        }
        let Some(authority) = &self.authority else {
            return Err(CertificateError::UnknownIssuer.into());
        };
        let verified = authority.verify_server_cert(
            end_entity,
            intermediates,
            server_name,
            ocsp_response,
            now,
        );
        // The name is looked at last.
        match verified {
            Err(Error::InvalidCertificate(
                CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. },
            )) if self.any_name => Ok(ServerCertVerified::assertion()),
            verified => verified,
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let known = &self.provider.signature_verification_algorithms;
        verify_tls12_signature(message, certificate, signature, known)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let known = &self.provider.signature_verification_algorithms;
        verify_tls13_signature(message, certificate, signature, known)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider
            .signature_verification_algorithms
            .supported_schemes()
    }
}
