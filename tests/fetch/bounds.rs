//! Sizes, times, and answers that are no download.

use std::io::Read;
use std::net::Ipv4Addr;
use std::time::Duration;

use flatbed::fetch::{Config, Error, Fetcher, Request};
use tokio::io::AsyncWriteExt;
use tokio::sync::Semaphore;
use tokio::task::spawn_blocking;

use super::peer::{Names, Peer, fetcher, found, redirect, status};

const CHUNKED: &[u8] = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n";

#[tokio::test]
async fn a_body_ends_where_it_is_too_large() {
    // One says how much it is, the other goes on for ever.
    let peer = Peer::with(Ipv4Addr::LOCALHOST, 0, |mut socket, path| async move {
        if path == "/told" {
            let _ = socket.write_all(&found(&[7; 1001])).await;
            return;
        }
        let mut sent = socket.write_all(CHUNKED).await;
        while sent.is_ok() {
            sent = socket.write_all(b"3e8\r\n").await;
            let _ = socket.write_all(&[7; 1000]).await;
            let _ = socket.write_all(b"\r\n").await;
        }
    });
    let address = peer.await.unwrap().address;
    let (fetcher, _) = fetcher(&["127.0.0.1"], Names::default());
    let request = |path, most| Request::new(format!("http://{address}/{path}"), most);
    let told = fetcher.get(&request("told", 1000)).await.unwrap_err();
    assert!(matches!(told, Error::TooLarge { most: 1000, .. }), "{told}");
    let exact = fetcher.get(&request("told", 1001)).await.unwrap();
    assert_eq!(exact.bytes().await.unwrap().len(), 1001);

    let endless = fetcher.get(&request("endless", 10_000)).await.unwrap();
    let error = endless.bytes().await.unwrap_err();
    assert!(
        matches!(error, Error::TooLarge { most: 10_000, .. }),
        "{error}"
    );
    let mut reader = fetcher
        .get(&request("endless", 10_000))
        .await
        .unwrap()
        .into_reader();
    let (count, error) = spawn_blocking(move || {
        let mut all = Vec::new();
        let error = reader.read_to_end(&mut all).unwrap_err();
        (all.len(), error)
    })
    .await
    .unwrap();
    assert!(count <= 10_000);
    assert_eq!(error.kind(), std::io::ErrorKind::FileTooLarge);
}

#[tokio::test]
async fn silence_ends_a_download() {
    let peer = Peer::with(Ipv4Addr::LOCALHOST, 0, |mut socket, path| async move {
        if path == "/body" {
            let _ = socket.write_all(&found(b"half of it")[..90]).await;
        }
        // Says nothing more, and hangs up with the test.
        let _ = Semaphore::new(0).acquire().await;
    });
    let address = peer.await.unwrap().address;
    let (fetcher, _) = fetcher(&["127.0.0.1"], Names::default());
    let request = Request::new(format!("http://{address}/head"), 100);
    let error = fetcher.get(&request).await.unwrap_err();
    assert!(matches!(&error, Error::Away { .. }), "{error}");
    let request = Request::new(format!("http://{address}/body"), 100);
    let body = fetcher.get(&request).await.unwrap().bytes().await;
    let error = body.unwrap_err();
    assert!(matches!(&error, Error::Away { .. }), "{error}");
}

/// A drop now and then keeps no download alive.
#[tokio::test]
async fn a_trickle_ends_by_the_time_for_all() {
    let peer = Peer::with(Ipv4Addr::LOCALHOST, 0, |mut socket, _| async move {
        let mut sent = socket.write_all(CHUNKED).await;
        while sent.is_ok() {
            tokio::time::sleep(Duration::from_millis(10)).await;
            sent = socket.write_all(b"1\r\nx\r\n").await;
        }
    });
    let address = peer.await.unwrap().address;
    let config = Config {
        allow: vec!["127.0.0.1".parse().unwrap()],
        total: Duration::from_secs(1),
        ..Config::default()
    };
    let fetcher = Fetcher::new(config).unwrap();
    let request = Request::new(format!("http://{address}/"), u64::MAX);
    let error = fetcher
        .get(&request)
        .await
        .unwrap()
        .bytes()
        .await
        .unwrap_err();
    assert!(error.to_string().contains("too long in all"), "{error}");
}

#[tokio::test]
async fn a_transfer_that_breaks_off_is_no_end() {
    let peer = Peer::start(|path| match path {
        "/length" => {
            let mut answer = found(&[7; 1000]);
            answer.truncate(600);
            answer
        }
        _ => [CHUNKED, b"3e8\r\n", &[7; 500]].concat(),
    })
    .await;
    let (fetcher, _) = fetcher(&["127.0.0.1"], Names::default());
    for path in ["length", "chunked"] {
        let request = Request::new(format!("http://{}/{path}", peer.address), 10_000);
        let mut reader = fetcher.get(&request).await.unwrap().into_reader();
        let read = spawn_blocking(move || reader.read_to_end(&mut Vec::new()));
        assert!(read.await.unwrap().is_err(), "{path}");
    }
}

#[tokio::test]
async fn what_is_no_download_is_told_apart() {
    let peer = Peer::start(|path| match path.split('?').next().unwrap_or(path) {
        "/loop" => redirect("/loop"),
        "/nowhere" => status("302 Found", ""),
        "/gzip" => status("200 OK", "content-encoding: gzip\r\n"),
        path => status(&path[1..4], ""),
    })
    .await;
    let (fetcher, _) = fetcher(&["127.0.0.1"], Names::default());
    for (path, passes) in [
        ("loop", false),
        ("nowhere", false),
        ("gzip", false),
        ("204", false),
        ("206", false),
        ("304", false),
        ("401", false),
        ("403", false),
        ("404", false),
        ("410", false),
        ("429", true),
        ("500", true),
        ("503", true),
    ] {
        let request = Request::new(format!("http://{}/{path}?token=x", peer.address), 100);
        let error = fetcher.get(&request).await.unwrap_err();
        let away = matches!(error, Error::Away { .. });
        assert_eq!(away, passes, "{path}: {error}");
        assert!(!error.to_string().contains("token"), "{error}");
    }
    let loops = |request: &String| request.contains("/loop");
    let count = peer.requests().into_iter().filter(loops).count();
    assert_eq!(count, 6, "the first, and five redirects");
}

#[tokio::test]
async fn a_reader_gives_what_was_sent() {
    let body: Vec<u8> = (0..3_000_000_u32).map(|n| (n % 251) as u8).collect();
    let sent = body.clone();
    let peer = Peer::start(move |_| found(&sent)).await;
    let (fetcher, _) = fetcher(&["127.0.0.1"], Names::default());
    let request = Request::new(format!("http://{}/", peer.address), 3_000_000);
    let mut reader = fetcher.get(&request).await.unwrap().into_reader();
    let got = spawn_blocking(move || {
        let mut all = Vec::new();
        reader.read_to_end(&mut all).unwrap();
        assert_eq!(reader.read(&mut [0; 1]).unwrap(), 0);
        all
    });
    assert!(got.await.unwrap() == body);
}
