//! More than can be done at once.

use super::ask::{Half, told, upload};
use crate::exports::{Server, memory};
use crate::images::photos::{made, photo};
use crate::support::{Folder, wait_until};

fn running(server: &Server, requests: usize) {
    wait_until("requests to be inside", || {
        let metrics = server.get("/metrics").text;
        metrics.contains(&format!("flatbed_image_requests_running {requests}\n"))
    });
}

#[test]
fn who_finds_no_place_is_told_when_to_come_again() {
    let folder = Folder::empty();
    let server = Server::start(&folder, &[("IMAGE_API_REQUESTS", "2")]);
    let photo = photo("64x48");
    let begin = || Half::begin(&server, &photo[..100], photo.len());
    let mut halves = [begin(), begin()];
    running(&server, 2);
    let (answer, _) = upload(&server, &photo, &[], &[]);
    answer.refused(503, &["IMAGE_API_REQUESTS", "try again"]);
    assert_eq!(answer.header("retry-after"), "1");
    for half in &mut halves {
        assert!(half.send(&photo[100..]));
        half.end();
    }
    for half in halves {
        let answer = half.answer();
        assert!(answer.starts_with("HTTP/1.1 200 OK"), "{answer:.100}");
    }
    // One that goes away gives its place back.
    drop([begin(), begin()]);
    running(&server, 0);
    let (answer, webp) = upload(&server, &photo, &[], &[]);
    assert_eq!(answer.code, 200, "{answer:?}");
    assert_eq!(told(&webp), "webp,64,48,yuv420p");
    let metrics = server.get("/metrics").text;
    assert!(metrics.contains("flatbed_image_requests_total{answer=\"busy\"} 1"));
    server.stop();
}

/// Slow callers fill the memory that there is for images; whoever comes then gets a job
/// by way of the store.
#[test]
fn slow_callers_take_no_more_memory_than_there_is() {
    const SLOW: usize = 40;
    let folder = Folder::empty();
    let variables = [("IMAGE_API_MEMORY", "8M"), ("SHUTDOWN_GRACE_SECONDS", "0")];
    let server = Server::start(&folder, &variables);
    let photo = photo("640x480");
    let (answer, _) = upload(&server, &photo, &[], &[]);
    assert_eq!(answer.code, 200, "{answer:?}");
    let before = memory(&server, "VmRSS");
    let part = [photo.as_slice(), &vec![0; 4 << 20]].concat();
    let mut halves = Vec::new();
    for number in 1..=SLOW {
        // Those behind the first are on their way into the store, and wait their turn.
        halves.push(Half::begin(&server, &part[..100], part.len() + 1));
        running(&server, number);
    }
    std::thread::scope(|scope| {
        for half in &mut halves {
            scope.spawn(|| half.send(&part[100..]));
        }
        let (answer, _) = upload(&server, &photo, &[], &[]);
        assert!([200, 202, 503].contains(&answer.code), "{}", answer.code);
        let growth = memory(&server, "VmHWM").saturating_sub(before);
        assert!(growth < 64 << 20, "{} MiB more than before", growth >> 20);
    });
    drop(halves);
    running(&server, 0);
    let (answer, _) = upload(&server, &photo, &[], &[]);
    assert_eq!(answer.code, 200, "{answer:?}");
    server.stop();
}

/// A hundred photos at once: each gets its answer, and the memory is bounded.
#[test]
fn a_hundred_at_once_are_answered_within_bounds() {
    let folder = Folder::empty();
    let variables = [("IMAGE_API_MEMORY", "8M"), ("IMAGE_MEMORY", "16M")];
    let server = Server::start(&folder, &variables);
    let photo = photo("1280x960");
    let before = memory(&server, "VmRSS");
    let codes: Vec<u16> = std::thread::scope(|scope| {
        let four_times = || {
            let ask = || {
                upload(&server, &photo, &["maxWidth=64", "effort=0"], &[])
                    .0
                    .code
            };
            [ask(), ask(), ask(), ask()]
        };
        let threads: Vec<_> = (0..25).map(|_| scope.spawn(four_times)).collect();
        let codes = threads
            .into_iter()
            .map(|thread| thread.join().expect("codes"));
        codes.flatten().collect()
    });
    let count = |code| codes.iter().filter(|other| **other == code).count();
    let (at_once, jobs) = (count(200), count(202));
    assert_eq!(at_once + jobs, 100, "{codes:?}");
    assert!(at_once > 0, "{codes:?}");
    let growth = memory(&server, "VmHWM").saturating_sub(before);
    eprintln!("{at_once} at once, {jobs} jobs, {} MiB more", growth >> 20);
    assert!(growth < 96 << 20, "{} MiB more than before", growth >> 20);
    wait_until("all jobs to be done", || {
        let metrics = server.get("/metrics").text;
        jobs == 0
            || metrics.contains(&format!(
                "flatbed_jobs_total{{status=\"completed\",workload=\"image_api\"}} {jobs}\n"
            ))
    });
    server.stop();
}

/// Who does not take the answer keeps its place, and for a while only.
#[test]
fn an_answer_that_is_not_taken_is_broken_off() {
    let folder = Folder::empty();
    let variables = [
        ("IMAGE_API_REQUESTS", "1"),
        ("IMAGE_API_SMALL_BYTES", "64M"),
    ];
    let server = Server::start(&folder, &variables);
    // More than the sockets between them hold.
    let noise = made(
        "-i testsrc2=size=3000x3000,noise=alls=100 -frames:v 1 -q:v 1",
        "noise.jpg",
    );
    let mut half = Half::begin(&server, &noise, noise.len());
    half.end();
    assert_eq!(half.first_bytes(), "HTTP/1.1 200 OK");
    let small = photo("32x32");
    let ask = || upload(&server, &small, &[], &[]).0;
    ask().refused(503, &["try again"]);
    // It reads nothing more, and does not go away.
    wait_until("its place to be free", || {
        std::thread::sleep(std::time::Duration::from_millis(500));
        ask().code == 200
    });
    let (promised, came) = half.rest();
    assert!(came < promised, "all {promised} bytes came");
    server.stop();
}
