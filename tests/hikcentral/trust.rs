//! Certificates: one of its own that is pinned, others', any.

use flatbed::client::hikcentral::{Config, HikCentral, Kind, Trust};
use flatbed::config::Variables;

use super::fixture::config;
use crate::support::hikcentral::{Authority, Certificate, HikCentralServer, Profile};

/// As an operator sets it.
fn trusting(server: &HikCentralServer, more: &[(&str, &str)]) -> HikCentral {
    let (url, profile) = (server.url(), server.profile());
    let own = [
        ("HIKCENTRAL_URL", url.as_str()),
        ("HIKCENTRAL_APP_KEY", &profile.key),
        ("HIKCENTRAL_APP_SECRET", &profile.secret),
        ("HIKCENTRAL_MAX_RETRIES", "0"),
    ];
    let mut variables = Variables::of(own.into_iter().chain(more.iter().copied()));
    let read = Config::read(&mut variables).expect("settings");
    variables.finish().expect("right settings");
    HikCentral::new(read).expect("a client")
}

fn tls() -> HikCentralServer {
    HikCentralServer::start(Profile {
        tls: true,
        ..Profile::default()
    })
}

/// It is signed by itself, and has another name in it than is called.
#[tokio::test]
async fn its_own_certificate_is_pinned() {
    let stranger = Certificate::its_own();
    for file in [stranger.file(), stranger.der_file()] {
        let server = tls();
        let own = server.certificate();
        let client = trusting(&server, &[("HIKCENTRAL_CA_FILE", own.to_str().unwrap())]);
        client.version().await.unwrap();
        // And no other.
        let stranger = trusting(&server, &[("HIKCENTRAL_CA_FILE", file.to_str().unwrap())]);
        let error = stranger.version().await.unwrap_err();
        assert_eq!(error.kind(), Kind::Certificate, "{error}");
        assert!(error.to_string().contains("HIKCENTRAL_CA_FILE"), "{error}");
        assert!(error.is_about_all_jobs() && !error.passes());
        assert_eq!(server.requests(), 1, "nothing was sent");
    }
}

#[tokio::test]
async fn the_form_that_windows_exports_is_read() {
    let certificate = Certificate::its_own();
    let der = certificate.der_file();
    let server = HikCentralServer::showing(Profile::default(), certificate);
    let client = trusting(&server, &[("HIKCENTRAL_CA_FILE", der.to_str().unwrap())]);
    client.version().await.unwrap();
}

#[tokio::test]
async fn an_authority_of_the_site_signs_for_the_address() {
    let authority = Authority::new();
    let file = authority.file();
    let more = [("HIKCENTRAL_CA_FILE", file.to_str().unwrap())];
    let right = HikCentralServer::showing(Profile::default(), authority.signs("127.0.0.1"));
    trusting(&right, &more).version().await.unwrap();
    let wrong = HikCentralServer::showing(Profile::default(), authority.signs("127.0.0.2"));
    let error = trusting(&wrong, &more).version().await.unwrap_err();
    assert_eq!(error.kind(), Kind::Certificate, "{error}");
    assert_eq!(wrong.requests(), 0);
}

#[tokio::test]
async fn without_a_file_the_system_decides() {
    let server = tls();
    let error = trusting(&server, &[]).version().await.unwrap_err();
    assert_eq!(error.kind(), Kind::Certificate, "{error}");
    assert_eq!(server.requests(), 0);
}

#[tokio::test]
async fn any_is_taken_only_if_that_is_said() {
    let server = tls();
    let client = trusting(&server, &[("HIKCENTRAL_INSECURE_TLS", "true")]);
    client.version().await.unwrap();
    assert_eq!(client.config().trust, Trust::Anyone);
    let caution = client.config().caution().unwrap();
    assert!(caution.contains("HIKCENTRAL_INSECURE_TLS"), "{caution}");
    let careful = Config {
        trust: Trust::System,
        ..config(&server)
    };
    assert_eq!(careful.caution(), None);
}

#[test]
fn a_file_that_is_none_is_told_at_the_start() {
    let folder = tempfile::tempdir().unwrap();
    for (name, content) in [
        ("empty", &b""[..]),
        ("text", b"hello"),
        ("der", b"0\x03abc"),
    ] {
        let file = folder.path().join(name);
        std::fs::write(&file, content).unwrap();
        let mut variables = Variables::of([
            ("HIKCENTRAL_URL", "https://hcp"),
            ("HIKCENTRAL_APP_KEY", "1"),
            ("HIKCENTRAL_APP_SECRET", "2"),
            ("HIKCENTRAL_CA_FILE", file.to_str().unwrap()),
        ]);
        Config::read(&mut variables);
        let error = variables.finish().unwrap_err().to_string();
        assert!(
            error.contains("HIKCENTRAL_CA_FILE") && error.contains(name),
            "{error}"
        );
    }
}
