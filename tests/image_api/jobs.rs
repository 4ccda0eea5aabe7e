//! What is not small becomes a job: made, fetched, cancelled, done again after a crash.

use std::fs;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};
use tokio::runtime::Runtime;
use tokio::task::block_in_place;

use super::ask::{fetched, post, taken, told, upload, wait_for};
use crate::exports::Server;
use crate::fetch::peer::{Peer, found};
use crate::images::photos::photo;
use crate::support::{Folder, wait_until};

/// The names of what is in the store of jobs.
fn stored(folder: &Folder) -> Vec<String> {
    let mut names = Vec::new();
    let jobs = fs::read_dir(folder.path("flatbed-data/store/image-jobs"));
    for job in jobs.into_iter().flatten().flatten() {
        for file in fs::read_dir(job.path()).into_iter().flatten().flatten() {
            names.push(file.file_name().into_string().expect("a name"));
        }
    }
    names
}

type Pairs<'a> = &'a [(&'a str, &'a str)];
type Texts<'a> = &'a [&'a str];

#[test]
fn many_bytes_or_pixels_or_the_caller_s_wish_make_a_job() {
    let folder = Folder::empty();
    let photo = photo("640x480");
    let limits: [(Pairs<'_>, Texts<'_>, Texts<'_>); 5] = [
        (&[("IMAGE_API_SMALL_BYTES", "5000")], &[], &[]),
        (&[("IMAGE_API_SMALL_PIXELS", "307199")], &[], &[]),
        // No room in memory is no reason to send anybody away.
        (&[("IMAGE_API_MEMORY", "1")], &[], &[]),
        (&[], &["async=true"], &[]),
        (&[], &[], &["Prefer: wait=5, Respond-Async"]),
    ];
    for (variables, fields, headers) in limits {
        let server = Server::start(&folder, variables);
        let fields = [&["maxWidth=64", "quality=50"], fields].concat();
        let (answer, _) = upload(&server, &photo, &fields, headers);
        let id = taken(&server, &answer);
        let status = wait_for(&server, &id, "completed");
        assert_eq!(status["image"]["width"], 64, "{status}");
        assert_eq!(status["image"]["height"], 48, "{status}");
        assert_eq!(status["jobStatus"]["progress"], 100, "{status}");
        assert_eq!(status["attempts"], 1, "{status}");
        let webp = fetched(&server, &id);
        assert_eq!(status["image"]["bytes"], webp.len());
        assert_eq!(told(&webp), "webp,64,48,yuv420p");
        server.stop();
    }
    // What was uploaded is gone, what was made is there.
    assert_eq!(stored(&folder), ["image.webp"; 5]);

    // What fits is small: the limits are the header's pixels, and the bytes that came.
    let server = Server::start(
        &folder,
        &[
            ("IMAGE_API_SMALL_BYTES", &photo.len().to_string()),
            ("IMAGE_API_SMALL_PIXELS", "307200"),
        ],
    );
    let (answer, _) = upload(&server, &photo, &[], &[]);
    assert_eq!(answer.code, 200, "{answer:?}");
    server.stop();
}

#[test]
fn the_operator_sees_them() {
    let folder = Folder::empty();
    let server = Server::start(&folder, &[]);
    let (answer, _) = upload(&server, &photo("64x48"), &["async=true"], &[]);
    let id = taken(&server, &answer);
    wait_for(&server, &id, "completed");
    let metrics = server.get("/metrics").text;
    for line in [
        "flatbed_jobs_total{status=\"completed\",workload=\"image_api\"} 1",
        "flatbed_image_requests_total{answer=\"job\"} 1",
    ] {
        assert!(metrics.contains(line), "no {line} in\n{metrics}");
    }
    let listed = folder.json("queue --of image-api list");
    assert_eq!(listed[0]["id"], id.as_str(), "{listed}");
    let health = server.get("/health").json();
    let dependencies = &health["dependencies"];
    assert_eq!(dependencies["image_processor"]["status"], "ok", "{health}");
    server.stop();

    // By itself it has its own queue, store and links.
    let server = Server::start(&folder, &[("FLATBED_WORKLOADS", "image-api")]);
    assert_eq!(fetched(&server, &id).len(), fetched(&server, &id).len());
    server.get("/api/videos").refused(404, &[]);
    assert_eq!(
        server.get("/health").json()["dependencies"]["storage"]["status"],
        "ok"
    );
    server.stop();
    let server = Server::start(&folder, &[("FLATBED_WORKLOADS", "exports")]);
    server.get(&format!("/api/images/{id}")).refused(404, &[]);
    server.stop();
}

/// A peer whose answers wait: a word says that a request has come, another lets it go.
fn slow(runtime: &Runtime, image: Vec<u8>) -> (Peer, Receiver<()>, Sender<()>) {
    let (came, coming) = channel();
    let (go_on, waits) = channel::<()>();
    let waits = Arc::new(Mutex::new(waits));
    let peer = runtime.block_on(Peer::start(move |_| {
        came.send(()).expect("the test waits");
        let _ = block_in_place(|| waits.lock().expect("no panic").recv());
        found(&image)
    }));
    (peer, coming, go_on)
}

#[test]
fn what_is_slow_becomes_a_job() {
    let runtime = Runtime::new().expect("threads");
    let (peer, coming, go_on) = slow(&runtime, photo("64x48"));
    let folder = Folder::empty();
    let variables = [
        ("FETCH_ALLOW_HOSTS", "127.0.0.1"),
        ("IMAGE_API_SECONDS", "1"),
    ];
    let server = Server::start(&folder, &variables);
    let (answer, _) = post(
        &server,
        &json!({"url": format!("http://{}/a.jpg", peer.address)}),
    );
    let id = taken(&server, &answer);
    coming.recv().expect("the request");
    // The job asks again; both may go on.
    coming.recv().expect("the job");
    drop(go_on);
    let status = wait_for(&server, &id, "completed");
    assert!(!status.to_string().contains("127.0.0.1"), "{status}");
    assert_eq!(told(&fetched(&server, &id)), "webp,64,48,yuv420p");
    server.stop();
}

#[test]
fn a_cancelled_job_leaves_nothing() {
    let runtime = Runtime::new().expect("threads");
    let (peer, coming, go_on) = slow(&runtime, photo("64x48"));
    let folder = Folder::empty();
    let variables = [
        ("FETCH_ALLOW_HOSTS", "127.0.0.1"),
        ("IMAGE_API_CONCURRENCY", "1"),
    ];
    let server = Server::start(&folder, &variables);
    let url = format!("http://{}/a.jpg", peer.address);
    let (answer, _) = post(&server, &json!({"url": url, "async": true}));
    let active = taken(&server, &answer);
    coming.recv().expect("the job");
    let (answer, _) = upload(&server, &photo("64x48"), &["async=true"], &[]);
    let waiting = taken(&server, &answer);
    assert_eq!(stored(&folder), ["source"]);
    let path = |id: &str| format!("/api/images/{id}");
    server
        .get(&format!("{}/download", path(&waiting)))
        .refused(409, &[&waiting, "waiting"]);

    let answer = server.delete(&path(&waiting));
    assert_eq!(answer.code, 200, "{answer:?}");
    assert_eq!(answer.json()["status"], "cancelled");
    assert!(stored(&folder).is_empty());
    assert_eq!(server.delete(&path(&waiting)).code, 200, "once more");

    let answer = server.delete(&path(&active));
    assert_eq!(answer.code, 202, "{answer:?}");
    wait_for(&server, &active, "cancelled");
    drop(go_on);
    assert!(stored(&folder).is_empty());

    let (answer, _) = upload(&server, &photo("64x48"), &["async=true"], &[]);
    let done = taken(&server, &answer);
    wait_for(&server, &done, "completed");
    server.delete(&path(&done)).refused(409, &["completed"]);
    server.stop();
}

#[test]
fn a_worker_that_was_killed_is_no_loss() {
    let runtime = Runtime::new().expect("threads");
    let (peer, coming, go_on) = slow(&runtime, photo("64x48"));
    let folder = Folder::empty();
    let variables = [
        ("FETCH_ALLOW_HOSTS", "127.0.0.1"),
        ("EXPORT_LEASE_SECONDS", "1"),
        ("IMAGE_API_CONCURRENCY", "1"),
    ];
    let server = Server::start(&folder, &variables);
    let url = format!("http://{}/a.jpg", peer.address);
    let (answer, _) = post(&server, &json!({"url": url, "async": true}));
    let active = taken(&server, &answer);
    coming.recv().expect("the job");
    let (answer, _) = upload(&server, &photo("96x64"), &["async=true"], &[]);
    let waiting = taken(&server, &answer);
    server.kill();
    drop(go_on);

    let server = Server::start(&folder, &variables);
    assert_eq!(wait_for(&server, &active, "completed")["attempts"], 2);
    assert_eq!(wait_for(&server, &waiting, "completed")["attempts"], 1);
    assert_eq!(told(&fetched(&server, &active)), "webp,64,48,yuv420p");
    assert_eq!(told(&fetched(&server, &waiting)), "webp,96,64,yuv420p");
    server.stop();
}

#[test]
fn what_only_the_decoder_finds_fails_the_job_and_leaves_nothing() {
    let folder = Folder::empty();
    let server = Server::start(&folder, &[("IMAGE_API_SMALL_BYTES", "1000")]);
    let photo = photo("640x480");
    let (answer, _) = upload(&server, &photo[..photo.len() / 2], &[], &[]);
    let id = taken(&server, &answer);
    let status = wait_for(&server, &id, "failed");
    let error = status["error"].as_str().expect("a reason");
    assert!(
        error.contains("photo.jpg") && error.contains("cut short"),
        "{error}"
    );
    assert!(status.get("image").is_none(), "{status}");
    wait_until("it to be tidied", || stored(&folder).is_empty());
    server
        .get(&format!("/api/images/{id}/download"))
        .refused(409, &["failed"]);
    server.stop();
}

#[test]
fn the_same_key_gives_the_same_job() {
    let folder = Folder::empty();
    let server = Server::start(&folder, &[("IMAGE_API_SMALL_BYTES", "5000")]);
    let (large, small) = (photo("640x480"), photo("32x32"));
    assert!(large.len() > 5000 && small.len() < 5000);
    for image in [&large, &small] {
        let ask = |image: &[u8], width: &str, key: &str| {
            let key = format!("Idempotency-Key: {key} {}", image.len());
            upload(&server, image, &[width, "async=true"], &[&key]).0
        };
        let first = taken(&server, &ask(image, "maxWidth=20", "order"));
        assert_eq!(taken(&server, &ask(image, "maxWidth=20", "order")), first);
        assert_ne!(taken(&server, &ask(image, "maxWidth=20", "other")), first);
        ask(image, "maxWidth=21", "order").refused(422, &["Idempotency-Key"]);
        wait_for(&server, &first, "completed");
        let again = ask(image, "maxWidth=20", "order");
        assert_eq!(again.json()["status"], Value::from("completed"));
        let key = format!("Idempotency-Key: order {}", image.len());
        let changed = [image.as_slice(), b"x"].concat();
        let (answer, _) = upload(&server, &changed, &["maxWidth=20", "async=true"], &[&key]);
        answer.refused(422, &["Idempotency-Key"]);
        assert_eq!(
            told(&fetched(&server, &first)).split(',').nth(1),
            Some("20")
        );
    }
    wait_until("all to be done", || stored(&folder) == ["image.webp"; 4]);
    server.stop();
}
