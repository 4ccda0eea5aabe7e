//! What is refused at the door, with the field's name.

use std::net::Ipv4Addr;

use serde_json::json;
use tokio::runtime::Runtime;

use super::ask::{Half, ask, post, upload};
use crate::exports::Server;
use crate::fetch::peer::{Peer, found, redirect, status};
use crate::images::photos::photo;
use crate::support::Folder;

#[test]
fn what_is_wrong_with_a_request_is_named() {
    let folder = Folder::empty();
    let server = Server::start(&folder, &[]);
    let photo = photo("64x48");
    for (field, words) in [
        ("quality=101", &["quality", "1 to 100", "101"][..]),
        ("quality=good", &["quality", "\"good\""]),
        ("maxWidth=0", &["maxWidth", "1 to 65500"]),
        ("effort=7", &["effort", "0 to 6"]),
        ("fit=cover", &["fit", "maxHeight"]),
        ("width=9", &["width", "unknown", "maxWidth"]),
        ("keep=xmp", &["keep", "icc"]),
        ("async=maybe", &["async", "true or false"]),
        ("url=https://example.com/a.jpg", &["url", "not both"]),
    ] {
        upload(&server, &photo, &[field], &[]).0.refused(400, words);
    }
    upload(&server, &photo, &["quality=9", "quality=10"], &[])
        .0
        .refused(400, &["quality", "twice"]);
    upload(&server, &photo, &["file=again"], &[])
        .0
        .refused(400, &["file", "one at a time"]);
    ask(&server, &["-F", "quality=9"])
        .0
        .refused(400, &["`file`", "`url`"]);
    for (body, words) in [
        (json!({}), &["`file`", "`url`"][..]),
        (json!({"url": 7}), &["url"]),
        (json!({"url": "photo.jpg"}), &["url", "no address"]),
        (
            json!({"url": "https://example.com/a.jpg", "quality": "80"}),
            &["quality"],
        ),
        (
            json!({"url": "https://example.com/a.jpg", "q": 80}),
            &["q: unknown"],
        ),
        (json!(["url"]), &["the body"]),
    ] {
        post(&server, &body).0.refused(400, words);
    }
    post(&server, &json!({"url": "x".repeat(20_000)}))
        .0
        .refused(413, &[]);
    let raw = [
        "-H",
        "Content-Type: image/jpeg",
        "--data-binary",
        "@/dev/null",
    ];
    ask(&server, &raw).0.refused(415, &["`file`"]);
    ask(&server, &["-X", "PUT"]).0.refused(405, &["PUT"]);
    for path in ["/api/images/none", "/api/images/none/download"] {
        server.get(path).refused(404, &["none"]);
    }
    server.delete("/api/images/none").refused(404, &["none"]);
    server.stop();
}

#[test]
fn what_is_no_sound_image_is_refused_at_once_and_leaves_nothing() {
    let folder = Folder::empty();
    let variables = [("IMAGE_MAX_BYTES", "100k"), ("IMAGE_MAX_PIXELS", "307199")];
    let server = Server::start(&folder, &variables);
    let good = photo("64x48");
    let refuse = |image: &[u8], code, words: &[&str]| {
        for fields in [&[][..], &["async=true"]] {
            upload(&server, image, fields, &[]).0.refused(code, words);
        }
    };
    refuse(b"", 400, &["file", "empty"]);
    refuse(b"GIF", 422, &["photo.jpg", "no image"]);
    refuse(
        b"no image at all, and many words more",
        422,
        &["photo.jpg", "no image"],
    );
    refuse(
        b"\0\0\0\x20ftypavif and much behind it.....",
        422,
        &["AVIF"],
    );
    refuse(&photo("640x480"), 422, &["640x480", "307199"]);
    refuse(
        &[&good[..], &vec![0; 200 << 10]].concat(),
        413,
        &["file", "IMAGE_MAX_BYTES"],
    );
    // The pixels are only looked at where they are wanted at once.
    let (answer, _) = upload(&server, &good[..good.len() / 2], &[], &[]);
    answer.refused(422, &["cut short"]);
    assert!(!folder.path("flatbed-data/store/image-jobs").exists());
    let unfinished = folder.path("flatbed-data/store/.flatbed/unfinished");
    assert_eq!(std::fs::read_dir(unfinished).map_or(0, Iterator::count), 0);
    server.stop();
}

#[test]
fn the_token_guards_it() {
    let folder = Folder::empty();
    let server = Server::start(&folder, &[("API_TOKEN", "hunter2")]);
    upload(&server, &photo("64x48"), &[], &[])
        .0
        .refused(401, &["API_TOKEN"]);
    server.get("/api/images/x").refused(401, &[]);
    server.delete("/api/images/x").refused(401, &[]);
    let server = server.with_token("hunter2");
    let (answer, _) = upload(&server, &photo("64x48"), &[], &[]);
    assert_eq!(answer.code, 200, "{answer:?}");
    server.stop();
}

/// As of image jobs, at once and as jobs.
#[test]
fn addresses_within_are_not_asked_however_they_are_written() {
    let runtime = Runtime::new().expect("threads");
    let inside = runtime.block_on(Peer::start(|_| found(b"secret")));
    let port = inside.address.port();
    let outside = Peer::at(Ipv4Addr::new(127, 0, 0, 2), 0, move |path| match path {
        "/address" => redirect(&format!("http://127.0.0.1:{port}/")),
        "/mapped" => redirect(&format!("http://[::ffff:127.0.0.1]:{port}/")),
        "/file" => redirect("file:///etc/passwd"),
        "/absent" => status("404 Not Found", ""),
        "/broken" => status("500 Internal Server Error", ""),
        _ => redirect("http://169.254.169.254/latest/meta-data/"),
    });
    let outside = runtime.block_on(outside).expect("an address").address;
    let folder = Folder::empty();
    let server = Server::start(&folder, &[("FETCH_ALLOW_HOSTS", "127.0.0.2")]);
    for host in [
        "127.0.0.1",
        "2130706433",
        "0x7f000001",
        "[::1]",
        "[::ffff:127.0.0.1]",
        "[64:ff9b::7f00:1]",
        "user:pass@127.0.0.1",
    ] {
        for asked in [false, true] {
            let body = json!({"url": format!("http://{host}:{port}/a.jpg"), "async": asked});
            post(&server, &body).0.refused(400, &["url", "not allowed"]);
        }
    }
    for url in ["file:///etc/passwd", "ftp://a/b", "http://169.254.169.254/"] {
        post(&server, &json!({"url": url}))
            .0
            .refused(400, &["url", "not allowed"]);
    }
    for path in ["address", "mapped", "file", "metadata"] {
        let body = json!({"url": format!("http://{outside}/{path}")});
        post(&server, &body).0.refused(400, &["url", "not allowed"]);
    }
    let at = |path: &str| json!({"url": format!("http://{outside}/{path}")});
    post(&server, &at("absent")).0.refused(422, &["url", "404"]);
    post(&server, &at("broken")).0.refused(502, &["url", "500"]);
    post(&server, &json!({"url": "http://localhost:1/a.jpg"}))
        .0
        .refused(400, &["url", "not allowed"]);

    // A name's address is looked up by the job.
    let body = json!({"url": format!("http://localhost:{port}/a.jpg"), "async": true});
    let (answer, _) = post(&server, &body);
    let id = super::ask::taken(&server, &answer);
    let failed = super::ask::wait_for(&server, &id, "failed");
    assert_eq!(failed["attempts"], 1, "{failed}");
    assert!(inside.requests().is_empty());
    server.stop();
}

/// The parser of forms holds what is no field.
#[test]
fn a_form_without_fields_is_not_held() {
    let folder = Folder::empty();
    let server = Server::start(&folder, &[]);
    for path in ["/api/images", "/api/videos"] {
        for begin in [
            &b"no boundary"[..],
            b"--b\r\nx-long: ",
            b"--b\r\ncontent-disposition: form-data; name=\"file\"; filename=\"",
        ] {
            let mut half = Half::chunked_to(&server, path);
            let (mut sent, piece) = (0, vec![b'a'; 1 << 20]);
            assert!(half.chunk(begin));
            while sent < 1 << 30 && half.chunk(&piece) {
                sent += piece.len();
            }
            assert!(sent < 100 << 20, "{path}: {sent} bytes were taken");
        }
    }
    let most = crate::exports::memory(&server, "VmHWM");
    assert!(most < 200 << 20, "{} MiB", most >> 20);
    server.stop();
}

/// What never ends is broken off, and neither memory nor the store has it.
#[test]
fn a_body_of_ten_gigabytes_is_not_taken() {
    const TEN_GIGABYTES: usize = 10 << 30;
    let folder = Folder::empty();
    let server = Server::start(&folder, &[]);
    // It says how much it will be.
    let half = Half::begin(&server, b"", TEN_GIGABYTES);
    let answer = half.answer();
    assert!(answer.starts_with("HTTP/1.1 413"), "{answer}");

    // It does not.
    let photo = photo("64x48");
    let begun = crate::exports::memory(&server, "VmRSS");
    let mut half = Half::chunked(&server);
    let (mut sent, piece) = (0, vec![0; 1 << 20]);
    assert!(half.chunk(&photo));
    while sent < TEN_GIGABYTES && half.chunk(&piece) {
        sent += piece.len();
    }
    assert!(sent < 200 << 20, "{sent} bytes were taken");
    let growth = crate::exports::memory(&server, "VmHWM").saturating_sub(begun);
    assert!(growth < 64 << 20, "{} MiB more than before", growth >> 20);
    let metrics = server.get("/metrics").text;
    assert!(
        metrics.contains("flatbed_image_requests_total{answer=\"refused\"} 2"),
        "{metrics}"
    );
    assert!(!folder.path("flatbed-data/store/image-jobs").exists());
    server.stop();
}
