//! Where downloads do not go, whatever names and redirects say.

use std::net::Ipv4Addr;

use flatbed::fetch::{Config, Error, Fetcher, Request};
use reqwest::header::{AUTHORIZATION, HeaderValue};

use super::peer::{Names, Peer, fetcher, found, redirect};

fn forbidden(result: Result<impl Sized, Error>) -> String {
    match result.map(drop) {
        Err(Error::Forbidden { url, reason }) => format!("{url}: {reason}"),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn private_addresses_are_not_asked_however_they_are_written() {
    let peer = Peer::start(|_| found(b"secret")).await;
    let port = peer.address.port();
    let fetcher = Fetcher::new(Config::default()).unwrap();
    for host in [
        "127.0.0.1",
        "127.1",
        "2130706433",
        "0x7f000001",
        "0x7f.1",
        "0177.0.0.1",
        "0",
        "127.0.0.1.",
        "%31%32%37.0.0.1",
        "１２７.0.0.1",
        "[::1]",
        "[::ffff:127.0.0.1]",
        "[::ffff:7f00:1]",
        "[64:ff9b::7f00:1]",
        "169.254.169.254",
        "100.100.100.200",
        "[fd00:ec2::254]",
        "localhost",
        "LOCALHOST",
    ] {
        let url = format!("http://{host}:{port}/");
        let told = forbidden(fetcher.get(&Request::new(url, 100)).await);
        assert!(told.contains("FETCH_ALLOW_HOSTS"), "{host}: {told}");
    }
    assert!(peer.requests().is_empty());
}

#[tokio::test]
async fn only_the_web_is_fetched_and_without_passwords() {
    let peer = Peer::start(|_| found(b"secret")).await;
    let address = peer.address;
    let (fetcher, _) = fetcher(&["127.0.0.1"], Names::default());
    for url in [
        "file:///etc/passwd".to_owned(),
        "ftp://127.0.0.1/".to_owned(),
        "data:text/plain,x".to_owned(),
        "/etc/passwd".to_owned(),
        String::new(),
        format!("http://user:hunter2@{address}/"),
        format!("http://hunter2@{address}/?hunter2"),
    ] {
        let told = forbidden(fetcher.get(&Request::new(url.clone(), 100)).await);
        assert!(!told.contains("hunter2"), "{told}");
    }
    assert!(peer.requests().is_empty());
}

#[tokio::test]
async fn a_name_that_leads_inside_is_not_followed_there() {
    let peer = Peer::start(|_| found(b"secret")).await;
    let port = peer.address.port();
    let names = Names::default()
        .know("evil.test", &[&["127.0.0.1"]])
        .know("mapped.test", &[&["::ffff:127.0.0.1", "10.0.0.1"]])
        .know("nat64.test", &[&["64:ff9b::7f00:1"]])
        .know("empty.test", &[&[]]);
    let (fetcher, _) = fetcher(&[], names);
    for name in ["evil.test", "mapped.test", "nat64.test"] {
        let url = format!("http://{name}:{port}/a?token=hunter2");
        let told = forbidden(fetcher.get(&Request::new(url, 100)).await);
        assert!(told.contains(name) && !told.contains("hunter2"), "{told}");
    }
    for name in ["empty.test", "unknown.test"] {
        let url = format!("http://{name}:{port}/");
        let error = fetcher.get(&Request::new(url, 100)).await.unwrap_err();
        assert!(matches!(error, Error::Away { .. }), "{error}");
    }
    assert!(peer.requests().is_empty());
}

/// The address that was looked at is the one connected to, each time anew.
#[tokio::test]
async fn a_name_that_gets_another_address_gains_nothing() {
    let outside = Peer::at(Ipv4Addr::new(127, 0, 0, 2), 0, |_| found(b"a photo"));
    let outside = outside.await.unwrap();
    let port = outside.address.port();
    let inside = Peer::at(Ipv4Addr::LOCALHOST, port, |_| found(b"secret"));
    let inside = inside.await.unwrap();
    let names = Names::default().know("rebind.test", &[&["127.0.0.2"], &["127.0.0.1"]]);
    let (fetcher, names) = fetcher(&["127.0.0.2"], names);
    let request = Request::new(format!("http://rebind.test:{port}/"), 100);
    let photo = fetcher.get(&request).await.unwrap();
    assert_eq!(photo.bytes().await.unwrap(), b"a photo");
    assert_eq!(
        names.asked().len(),
        1,
        "asked between looking and connecting"
    );
    forbidden(fetcher.get(&request).await);
    assert_eq!(outside.requests().len(), 1);
    assert!(inside.requests().is_empty());
}

#[tokio::test]
async fn redirects_are_looked_at_like_addresses() {
    let inside = Peer::at(Ipv4Addr::LOCALHOST, 0, |_| found(b"secret"));
    let inside = inside.await.unwrap();
    let port = inside.address.port();
    let outside = Peer::at(Ipv4Addr::new(127, 0, 0, 2), 0, move |path| match path {
        "/address" => redirect(&format!("http://127.0.0.1:{port}/")),
        "/number" => redirect(&format!("http://2130706433:{port}/")),
        "/name" => redirect(&format!("//evil.test:{port}/")),
        "/file" => redirect("file:///etc/passwd"),
        "/password" => redirect("http://user:hunter2@127.0.0.2/"),
        "/metadata" => redirect("http://169.254.169.254/latest/meta-data/"),
        _ => redirect("/address"),
    });
    let outside = outside.await.unwrap().address;
    let names = Names::default().know("evil.test", &[&["127.0.0.1"]]);
    let (fetcher, _) = fetcher(&["127.0.0.2"], names);
    for path in [
        "address", "number", "name", "file", "password", "metadata", "twice",
    ] {
        let url = format!("http://{outside}/{path}");
        let told = forbidden(fetcher.get(&Request::new(url, 100)).await);
        assert!(!told.contains("hunter2"), "{told}");
    }
    assert!(inside.requests().is_empty());
}

#[tokio::test]
async fn allowed_hosts_may_be_private_and_others_can_be_shut_out() {
    let peer = Peer::start(|_| found(b"a photo")).await;
    let port = peer.address.port();
    let names = || {
        Names::default()
            .know("files.internal", &[&["127.0.0.1"]])
            .know("other.internal", &[&["127.0.0.1"]])
    };
    let (by_name, _) = fetcher(&["files.internal"], names());
    let request = |host: &str| Request::new(format!("http://{host}:{port}/"), 100);
    let photo = by_name.get(&request("files.internal")).await.unwrap();
    assert_eq!(photo.length, Some(7));
    assert_eq!(photo.media_type.as_deref(), Some("image/jpeg"));
    assert_eq!(photo.bytes().await.unwrap(), b"a photo");
    forbidden(by_name.get(&request("other.internal")).await);
    // The name is allowed, the address behind it is not.
    forbidden(by_name.get(&request("127.0.0.1")).await);

    let config = Config {
        allow: vec!["127.0.0.0/8".parse().unwrap()],
        only: vec!["files.internal".parse().unwrap()],
        ..Config::default()
    };
    let only = Fetcher::with_resolver(config, std::sync::Arc::new(names())).unwrap();
    only.get(&request("files.internal")).await.unwrap();
    for host in ["other.internal", "127.0.0.1"] {
        let told = forbidden(only.get(&request(host)).await);
        assert!(told.contains("FETCH_ONLY_HOSTS"), "{told}");
    }
}

#[tokio::test]
async fn what_authorizes_stays_with_the_first_origin() {
    let other = Peer::start(|_| found(b"a photo")).await;
    let target = other.address;
    let first = Peer::start(move |path| match path {
        "/here" => redirect("/there"),
        _ => redirect(&format!("http://{target}/")),
    })
    .await;
    let (fetcher, _) = fetcher(&["127.0.0.1"], Names::default());
    let mut request = Request::new(format!("http://{}/here", first.address), 100);
    let token = HeaderValue::from_static("Bearer hunter2");
    request.headers.insert(AUTHORIZATION, token);
    let photo = fetcher.get(&request).await.unwrap();
    assert_eq!(photo.bytes().await.unwrap(), b"a photo");
    let has_token = |request: &String| request.contains("hunter2");
    assert_eq!(first.requests().len(), 2);
    assert!(first.requests().iter().all(has_token));
    assert_eq!(other.requests().len(), 1);
    assert!(!other.requests().iter().any(has_token));
    assert!(!other.requests()[0].to_ascii_lowercase().contains("referer"));
}
