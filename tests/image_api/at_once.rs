//! Small images are answered with at once.

use serde_json::json;
use tokio::runtime::Runtime;

use super::ask::{post, told, upload};
use crate::exports::Server;
use crate::fetch::peer::{Peer, found};
use crate::images::photos::{frames, held, made, photo};
use crate::support::Folder;

#[test]
fn a_photo_comes_back_as_it_was_asked_for_and_leaves_nothing() {
    let folder = Folder::empty();
    let server = Server::start(&folder, &[]);
    let photo = photo("640x480");
    let (answer, webp) = upload(&server, &photo, &["maxWidth=320", "quality=60"], &[]);
    assert_eq!(answer.code, 200, "{answer:?}\n{}", server.log());
    assert_eq!(answer.header("content-type"), "image/webp");
    assert_eq!(answer.header("content-length"), webp.len().to_string());
    assert_eq!(answer.header("image-width"), "320");
    assert_eq!(answer.header("image-height"), "240");
    assert_eq!(answer.header("image-quality"), "60");
    assert_eq!(told(&webp), "webp,320,240,yuv420p");

    // Options before and behind the file, of each kind.
    let (answer, webp) = upload(
        &server,
        &photo,
        &[
            "maxWidth=100",
            "maxHeight=100",
            "fit=cover",
            "effort=0",
            "linearLight=true",
        ],
        &[],
    );
    assert_eq!(answer.code, 200, "{answer:?}");
    assert_eq!(told(&webp), "webp,100,100,yuv420p");
    let (_, webp) = upload(&server, &photo, &["maxBytes=4000"], &[]);
    assert!(webp.len() <= 4000 && !webp.is_empty(), "{}", webp.len());
    let (answer, webp) = upload(&server, &photo, &["lossless=true", "maxWidth=64"], &[]);
    assert_eq!(answer.header("image-quality"), "");
    assert_eq!(told(&webp), "webp,64,48,argb");

    assert!(!folder.path("flatbed-data/store/image-jobs").exists());
    let metrics = server.get("/metrics").text;
    for line in [
        "flatbed_image_requests_total{answer=\"image\"} 4",
        "flatbed_image_requests_running 0",
        "flatbed_stage_duration_seconds_count{stage=\"engine\",workload=\"image_api\"} 4",
        "flatbed_queue_jobs{state=\"waiting\",workload=\"image_api\"} 0",
    ] {
        assert!(metrics.contains(line), "no {line} in\n{metrics}");
    }
    assert_eq!(crate::metrics::promtool(&metrics), "");
    server.stop();
}

#[test]
fn it_is_upright_transparent_or_moves_as_it_did() {
    let folder = Folder::empty();
    let server = Server::start(&folder, &[]);
    let (_, webp) = upload(&server, &held(&photo("64x48"), 6), &[], &[]);
    assert_eq!(told(&webp), "webp,48,64,yuv420p");
    let clear = made(
        "-i color=red@0.5:size=32x32,format=rgba -frames:v 1",
        "clear.png",
    );
    let (_, webp) = upload(&server, &clear, &[], &[]);
    assert_eq!(told(&webp), "webp,32,32,yuva420p");
    let dance = made("-i testsrc2=size=32x32:rate=10:duration=0.5", "dance.gif");
    let (answer, webp) = upload(&server, &dance, &[], &[]);
    assert_eq!(answer.header("image-frames"), "5");
    // Pictures that are alike are one.
    assert!((2..=5).contains(&frames(&webp)), "{}", frames(&webp));
    let (answer, webp) = upload(&server, &dance, &["still=true"], &[]);
    assert_eq!((answer.header("image-frames"), frames(&webp)), ("1", 0));
    server.stop();
}

#[test]
fn what_is_at_an_address_is_fetched() {
    let runtime = Runtime::new().expect("threads");
    let small = photo("64x48");
    let peer = runtime.block_on(Peer::start(move |path| match path {
        "/photo.jpg?signature=1" => found(&small),
        _ => found(b"<html>it works</html> and more words"),
    }));
    let url = format!("http://{}/photo.jpg?signature=1", peer.address);
    let folder = Folder::empty();
    let server = Server::start(&folder, &[("FETCH_ALLOW_HOSTS", "127.0.0.1")]);
    let (answer, webp) = post(&server, &json!({"url": url, "maxWidth": 32}));
    assert_eq!(answer.code, 200, "{answer:?}");
    assert_eq!(told(&webp), "webp,32,24,yuv420p");
    let request = peer.requests().remove(0);
    assert!(
        !request.to_lowercase().contains("authorization"),
        "{request}"
    );

    let page = json!({"url": format!("http://{}/page", peer.address)});
    let (answer, _) = post(&server, &page);
    answer.refused(422, &["page", "no image"]);
    server.stop();
}

/// Who was let in gets the answer.
#[test]
fn one_that_ends_answers_what_it_has_begun() {
    let folder = Folder::empty();
    let server = Server::start(&folder, &[]);
    let photo = photo("64x48");
    let mut half = super::ask::Half::begin(&server, &photo[..100], photo.len());
    crate::support::wait_until("it to be inside", || {
        let metrics = server.get("/metrics").text;
        metrics.contains("flatbed_image_requests_running 1")
    });
    server.signal("TERM");
    server.said("stopping");
    assert!(half.send(&photo[100..]));
    half.end();
    let answer = half.answer();
    assert!(answer.starts_with("HTTP/1.1 200 OK"), "{answer:.200}");
    server.stop();
}
