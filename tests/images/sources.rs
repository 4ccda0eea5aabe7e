//! Where images come from, and where they may not.

use std::net::Ipv4Addr;
use std::sync::Arc;
use std::time::Duration;

use flatbed::client::callback::{ImageJob, Status};
use flatbed::fetch;
use flatbed::store::{self, Store};
use flatbed::workload::image::{Failure, SourceChoice, Sources};
use tokio::io::AsyncWriteExt;
use tokio::runtime::Runtime;

use super::house::House;
use super::photos::photo;
use crate::fetch::peer::{Names, Peer, found, redirect};
use crate::support::wait_until;

const CHUNKED: &[u8] = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n";

fn runtime() -> Runtime {
    Runtime::new().expect("threads")
}

#[test]
fn an_image_outside_the_bucket_is_fetched_by_its_address() {
    let house = House::new();
    let runtime = runtime();
    let small = photo("64x48");
    let public = runtime.block_on(Peer::start(move |_| found(&small)));
    let url = format!("http://{}", public.address);
    // The bucket's public address is allowed wherever it leads.
    let worker = house.worker_with(&[("R2_PUBLIC_URL", &url)]);
    let id = house.order_from(1, &format!("{url}/raw/77-xyz.png?v=1"));
    house.wait_for(&id, "COMPLETED");
    let job = house.backend.job(&id);
    assert_eq!(
        job["outputImageURL"],
        format!("{url}/optimized/77-xyz-optimized.webp")
    );
    // What is not in the bucket any more may still be there.
    let key = "raw/gone.jpg";
    let id = house.backend.order(2, key, &format!("{url}/{key}"));
    house.push(&id);
    house.wait_for(&id, "COMPLETED");
    assert_eq!(public.requests().len(), 2);
    worker.stop();

    let worker = house.worker_with(&[("R2_PUBLIC_URL", &url), ("IMAGE_SOURCE", "url")]);
    let id = house.record(3, b"not this one");
    house
        .backend
        .set(&id, "sourceImageURL", &format!("{url}/raw/3-abc.jpg"));
    house.push(&id);
    house.wait_for(&id, "COMPLETED");
    worker.stop();
}

#[test]
fn addresses_within_are_not_asked_however_they_are_written() {
    let house = House::new();
    let runtime = runtime();
    let inside = runtime.block_on(Peer::start(|_| found(b"secret")));
    let port = inside.address.port();
    let outside = Peer::at(Ipv4Addr::new(127, 0, 0, 2), 0, move |path| match path {
        "/address" => redirect(&format!("http://127.0.0.1:{port}/")),
        "/mapped" => redirect(&format!("http://[::ffff:127.0.0.1]:{port}/")),
        "/number" => redirect(&format!("http://2130706433:{port}/")),
        "/file" => redirect("file:///etc/passwd"),
        _ => redirect("http://169.254.169.254/latest/meta-data/"),
    });
    let outside = runtime.block_on(outside).expect("an address").address;
    let worker = house.worker_with(&[("FETCH_ALLOW_HOSTS", "127.0.0.2")]);
    let mut urls: Vec<String> = [
        "127.0.0.1",
        "127.1",
        "2130706433",
        "0x7f000001",
        "0177.0.0.1",
        "[::1]",
        "[::ffff:127.0.0.1]",
        "[64:ff9b::7f00:1]",
        "localhost",
        "user:pass@127.0.0.1",
    ]
    .iter()
    .map(|host| format!("http://{host}:{port}/a.jpg"))
    .collect();
    urls.extend(
        [
            "http://169.254.169.254/latest/meta-data/",
            "file:///etc/passwd",
            "ftp://a/b",
            "raw/a.jpg",
        ]
        .map(str::to_owned),
    );
    urls.extend(
        ["address", "mapped", "number", "file", "metadata"]
            .map(|path| format!("http://{outside}/{path}")),
    );
    let ids: Vec<_> = (1..)
        .zip(&urls)
        .map(|(number, url)| house.order_from(number, url))
        .collect();
    for (id, url) in ids.iter().zip(&urls) {
        house.wait_for(id, "FAILED");
        let message = &house.backend.job(id)["errorMsg"];
        assert_eq!(
            message, "Failed to process image: its address is not allowed",
            "{url}"
        );
        assert_eq!(house.backend.statuses(id), ["PROCESSING", "FAILED"]);
    }
    assert!(inside.requests().is_empty());
    worker.stop();
}

/// The bucket's public address is allowed, and not all that its host has.
#[test]
fn the_public_address_opens_no_other_port() {
    let house = House::new();
    let runtime = runtime();
    let inside = runtime.block_on(Peer::start(|_| found(b"secret")));
    let target = inside.address;
    let public = runtime.block_on(Peer::start(move |_| redirect(&format!("http://{target}/"))));
    let url = format!("http://{}", public.address);
    let worker = house.worker_with(&[("R2_PUBLIC_URL", &url)]);
    let other = house.order_from(1, &format!("http://{target}/a.jpg"));
    let redirected = house.order_from(2, &format!("{url}/a.jpg"));
    house.wait_for(&other, "FAILED");
    house.wait_for(&redirected, "FAILED");
    assert!(inside.requests().is_empty());
    worker.stop();
}

/// With a resolver of the test, which no other process can have.
#[tokio::test]
async fn a_name_that_changes_its_address_gains_nothing() {
    let outside = Peer::at(Ipv4Addr::new(127, 0, 0, 2), 0, |_| found(b"a photo"));
    let outside = outside.await.unwrap();
    let port = outside.address.port();
    let inside = Peer::at(Ipv4Addr::LOCALHOST, port, |_| found(b"secret"));
    let inside = inside.await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    let names = Names::default().know("rebind.test", &[&["127.0.0.2"], &["127.0.0.1"]]);
    let config = fetch::Config {
        allow: vec!["127.0.0.2".parse().unwrap()],
        ..fetch::Config::default()
    };
    let sources = Sources::with_resolver(
        Store::open(&store::Config::folder(folder.path())).unwrap(),
        "https://pub-xxx.r2.dev".parse().unwrap(),
        SourceChoice::Url,
        1000,
        &config,
        Arc::new(names),
    )
    .unwrap();
    let job = ImageJob {
        status: Status::Pending,
        source_image_url: Some(format!("http://rebind.test:{port}/a.jpg")),
        source_image_key: None,
    };
    assert_eq!(sources.get(&job).await.unwrap(), b"a photo");
    let error = sources.get(&job).await.unwrap_err();
    assert!(matches!(error, Failure::Forbidden(_)), "{error}");
    assert!(inside.requests().is_empty());
}

#[test]
fn bodies_without_end_and_servers_without_haste_hold_nobody_up() {
    let house = House::new();
    let runtime = runtime();
    let peer = Peer::with(Ipv4Addr::LOCALHOST, 0, |mut socket, path| async move {
        if path == "/told" {
            let length = 10_u64 << 30;
            let head = format!("HTTP/1.1 200 OK\r\ncontent-length: {length}\r\n\r\n");
            let _ = socket.write_all(head.as_bytes()).await;
        } else {
            let _ = socket.write_all(CHUNKED).await;
        }
        let piece = vec![7; 1000];
        // Ten gigabytes of it, or a drop now and then.
        let mut sent: u64 = 0;
        while sent < 10 << 30 {
            if path == "/slow" {
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
            let lost = match path.as_str() {
                "/told" => socket.write_all(&piece).await.is_err(),
                _ => {
                    socket.write_all(b"3e8\r\n").await.is_err()
                        || socket.write_all(&piece).await.is_err()
                        || socket.write_all(b"\r\n").await.is_err()
                }
            };
            if lost {
                return;
            }
            sent += 1000;
        }
    });
    let peer = runtime.block_on(peer).expect("an address");
    let url = format!("http://{}", peer.address);
    let worker = house.worker_with(&[
        ("R2_PUBLIC_URL", &url),
        ("FETCH_TIMEOUT_SECONDS", "2"),
        ("IMAGE_MAX_ATTEMPTS", "1"),
        ("IMAGE_MAX_BYTES", "1MB"),
        ("IMAGE_CONCURRENCY", "4"),
    ]);
    let told = house.order_from(1, &format!("{url}/told"));
    let endless = house.order_from(2, &format!("{url}/endless"));
    let slow = house.order_from(3, &format!("{url}/slow"));
    let good = house.order(4, &photo("64x48"));
    house.wait_for(&good, "COMPLETED");
    for (id, expected) in [
        (&told, "it is too large"),
        (&endless, "it is too large"),
        (&slow, "it could not be downloaded"),
    ] {
        house.wait_for(id, "FAILED");
        let expected = format!("Failed to process image: {expected}");
        assert_eq!(house.backend.job(id)["errorMsg"], expected);
    }
    wait_until("nothing to be left", || house.left() == 0);
    worker.stop();
}
