//! The worker as it runs at a site: from rows in Postgres to objects in the bucket
//! and back to rows.

use serde_json::json;

use super::bench::{KEY, encrypted};
use super::camera::{Reel, downloads_meet, hour, hours_ago};
use super::site::{Item, Site};
use crate::exports::Server;
use crate::support::nvr::{Fault, Length, Profile};
use crate::support::{Folder, Run, wait_until};

/// The most memory that a worker may take, in bytes.
const MEMORY: u64 = 150 << 20;

/// The times of ten clips in a minute of footage, some across its files, in
/// milliseconds.
const TIMES: [(i64, i64); 10] = [
    (0, 3_000),
    (1_020, 2_980),
    (5_300, 9_100),
    (11_000, 11_400),
    (13_300, 27_700),
    (19_980, 20_020),
    (21_000, 24_500),
    (30_010, 44_990),
    (38_000, 42_000),
    (50_700, 59_900),
];

fn ten(site: &Site, camera: i64, reel: &Reel) -> Vec<Item> {
    let item = |&(start, end): &(i64, i64)| site.item(camera, reel, start..end);
    TIMES.iter().map(item).collect()
}

#[test]
fn twenty_items_of_two_cameras_through_all_their_faults() {
    let site = Site::new();
    let first = Reel::new(hours_ago(3), 0, &[20, 20, 20]);
    // Five seconds of the second one are missing.
    let second = Reel::new(hours_ago(4), 5000, &[20, 20, -5, 15]);
    let profile = Profile {
        length: Length::Closes,
        nonce_uses: 7,
        page: 1,
        ..Profile::jakarta()
    };
    let one = site.camera(1, Profile::default(), &first);
    let two = site.camera(2, profile, &second);
    let busy = Fault::Busy {
        status: 403,
        told: true,
    };
    one.fail("search", [Fault::Stale, busy.clone()]);
    downloads_meet(
        &one,
        [
            Fault::Truncate(300_000),
            busy.clone(),
            Fault::Stale,
            Fault::Empty,
            Fault::Empty,
        ],
    );
    downloads_meet(
        &two,
        [busy, Fault::Truncate(400_000), Fault::Truncate(300_000)],
    );
    let items = [
        (ten(&site, 1, &first), &first),
        (ten(&site, 2, &second), &second),
    ];

    let worker = site.worker(&[]);
    site.wait_for_all(&[&worker]);
    for (items, reel) in &items {
        for item in items {
            let missing = reel.first == 5000;
            let gap = reel.numbers(reel.at(40_000), reel.at(45_000));
            let expected: Vec<u32> = reel
                .numbers(item.start, item.end)
                .filter(|number| !(missing && gap.contains(number)))
                .collect();
            assert_eq!(site.status(item)[0], "CLIP_GENERATED", "{}", worker.log());
            assert_eq!(site.shown(item), expected, "{item:?}");
            let row = site.clip(
                item,
                "bucket, object_key, url, round(coverage::numeric * 1000), duration_ms, size_bytes",
            );
            let key = format!("clips/{}/{}.mp4", item.start.strftime("%Y/%m/%d"), item.id);
            assert_eq!((row[0].as_str(), row[1].as_str()), ("clips", &*key));
            assert_eq!(row[2], format!("{}/clips/{key}", site.s3.url()));
            let asked = reel.numbers(item.start, item.end).len();
            // In thousandths; the gap is told to a frame.
            let coverage: usize = row[3].parse().unwrap();
            let part = expected.len() * 1000 / asked;
            assert!(coverage.abs_diff(part) < 10, "{item:?}: {coverage} {part}");
            assert_eq!(row[4], (expected.len() * 40).to_string());
            let bytes = site.object(item).metadata().unwrap().len();
            assert_eq!(row[5], bytes.to_string());
        }
    }
    assert_eq!((one.faults_left(), two.faults_left()), (0, 0));
    assert_eq!((one.most_downloads(), two.most_downloads()), (1, 1));
    assert_eq!(site.temporary_files(), Vec::<std::path::PathBuf>::new());
    let peak = memory(worker.id());
    eprintln!("{} MiB at most", peak >> 20);
    assert!(peak <= MEMORY, "{} MiB", peak >> 20);
    let log = worker.log();
    assert!(!log.contains("Kamera-2026"), "{log}");
    worker.stop();
}

#[test]
fn an_hour_s_file_takes_no_memory() {
    let site = Site::new();
    let start = hours_ago(3);
    let one = Reel {
        start,
        first: 0,
        files: vec![hour(start).1],
    };
    let two = one.clone();
    let _nvrs = [1, 2].map(|id| site.camera(id, Profile::default(), &one));
    // The second clip takes more than a part of an upload.
    let items = [
        site.item(1, &one, 600_000..630_000),
        site.item(2, &two, 600_000..720_000),
    ];
    let worker = site.worker(&[("EXACT_CUT", "false")]);
    site.wait_for_all(&[&worker]);
    for item in &items {
        assert_eq!(site.status(item)[0], "CLIP_GENERATED", "{}", worker.log());
        let asked = usize::try_from(item.end.duration_since(item.start).as_secs() * 25).unwrap();
        assert!(site.shown(item).len() >= asked);
    }
    let peak = memory(worker.id());
    eprintln!("{} MiB at most", peak >> 20);
    assert!(peak <= MEMORY, "{} MiB", peak >> 20);
    worker.stop();
}

#[test]
fn items_are_triggered_over_http() {
    let site = Site::new();
    let reel = Reel::new(hours_ago(3), 0, &[20]);
    let nvr = site.camera(1, Profile::default(), &reel);
    let item = site.item(1, &reel, 3_000..5_000);
    let other = site.item(1, &reel, 6_000..8_000);
    let token = ("API_TOKEN", "hunter2");
    let worker = site.worker(&[("AUTO_BATCH_ENABLED", "false"), token]);
    let body = json!({"packing_item_id": item.id});
    worker.post("/trigger", &body).refused(401, &["API_TOKEN"]);
    let health = worker.get("/health").json();
    assert_eq!(health["status"], "healthy", "{health}");
    assert_eq!(
        (&health["auto_batch"], &health["queue_size"]),
        (&json!(false), &json!(0))
    );
    for name in ["bucket", "clips", "packing_items"] {
        assert_eq!(health["dependencies"][name]["status"], "ok", "{health}");
    }

    let worker = worker.with_token("hunter2");
    let text = json!({"packing_item_id": item.id.to_string()});
    let answer = worker.post("/trigger", &text);
    assert_eq!(answer.code, 202, "{answer:?}");
    let accepted = json!({
        "status": "accepted", "packing_item_id": item.id, "message": "Job queued for processing",
    });
    assert_eq!(answer.json(), accepted);
    wait_until("the clip", || site.status(&item)[0] == "CLIP_GENERATED");
    assert_eq!(site.shown(&item), (75..125).collect::<Vec<u32>>());
    assert_eq!(site.status(&other)[0], "READY_FOR_BATCH");
    for id in [item.id, 999_999] {
        let answer = worker.post("/trigger", &json!({"packing_item_id": id}));
        assert_eq!(answer.code, 404, "{answer:?}");
        let expected = json!({"status": "error", "message": "Packing item not found or not ready"});
        assert_eq!(answer.json(), expected);
    }
    for wrong in [json!({}), json!({"packing_item_id": "seven"}), json!([])] {
        worker.post("/trigger", &wrong).refused(400, &["the body"]);
    }
    let metrics = worker.get("/metrics").text;
    for line in [
        "flatbed_jobs_total{status=\"completed\",workload=\"cctv\"} 1",
        "flatbed_clips_total{coverage=\"full\"} 1",
        "flatbed_queue_jobs{state=\"waiting\",workload=\"cctv\"} 1",
    ] {
        assert!(metrics.contains(line), "{line}: {metrics}");
    }
    assert_eq!(nvr.downloads_now(), 0);
    worker.stop();
}

#[test]
fn a_wrong_password_is_on_the_row_and_locks_nobody_out() {
    let site = Site::new();
    let reel = Reel::new(hours_ago(3), 0, &[20]);
    let nvr = site.camera_with(1, Profile::default(), &reel, "hunter2");
    let items = ten(&site, 1, &reel);
    let items = &items[..4];
    let worker = site.worker(&[]);
    let tried = || {
        items
            .iter()
            .all(|item| site.status(item)[1].contains("refuses user"))
    };
    wait_until("all to be tried", tried);
    assert_eq!(nvr.wrong(), 1);
    for item in items {
        assert_eq!(site.status(item)[0], "READY_FOR_BATCH");
    }
    assert!(!worker.log().contains("hunter2"), "{}", worker.log());
    worker.stop();
}

#[test]
fn a_killed_worker_s_item_is_another_s() {
    let site = Site::new();
    let reel = Reel::new(hours_ago(3), 0, &[20, 20, 20]);
    let nvr = site.camera(1, Profile::default(), &reel);
    downloads_meet(&nvr, [Fault::Stall(300_000)]);
    let items = ten(&site, 1, &reel);
    let killed = site.worker(&[("CCTV_CONCURRENCY", "1")]);
    wait_until("a download that stands still", || nvr.downloads_now() == 1);
    let second = site.worker(&[("CCTV_CONCURRENCY", "1")]);
    killed.kill();
    site.wait_for_all(&[&second]);
    for item in &items {
        assert_eq!(site.status(item)[0], "CLIP_GENERATED", "{}", second.log());
        let expected: Vec<u32> = reel.numbers(item.start, item.end).collect();
        assert_eq!(site.shown(item), expected, "{item:?}");
    }
    second.stop();
    assert_eq!(site.temporary_files(), Vec::<std::path::PathBuf>::new());
}

#[test]
fn two_workers_share_the_items_and_a_stopped_one_gives_its_own_back() {
    let site = Site::new();
    let reel = Reel::new(hours_ago(3), 0, &[20, 20, 20]);
    let nvr = site.camera(1, Profile::default(), &reel);
    downloads_meet(&nvr, [Fault::Stall(300_000)]);
    let items = ten(&site, 1, &reel);
    let stopped = site.worker(&[("CCTV_CONCURRENCY", "1"), ("SHUTDOWN_GRACE_SECONDS", "0")]);
    wait_until("a download that stands still", || nvr.downloads_now() == 1);
    stopped.stop();
    assert_eq!(site.statuses().get("READY_FOR_BATCH"), Some(&10));
    wait_until("the recorder to be let go", || nvr.downloads_now() == 0);
    let workers = [site.worker(&[]), site.worker(&[])];
    site.wait_for_all(&[&workers[0], &workers[1]]);
    let rows = site.database.sql_now(
        "SELECT count(*), count(DISTINCT object_key), max(attempts)
         FROM mini_clips JOIN packing_items ON packing_items.id = packing_item_id",
    );
    assert_eq!(rows[0][..2], ["10", "10"]);
    for item in &items {
        let expected: Vec<u32> = reel.numbers(item.start, item.end).collect();
        assert_eq!(site.shown(item), expected, "{item:?}");
    }
    for worker in workers {
        worker.stop();
    }
    assert_eq!(site.temporary_files(), Vec::<std::path::PathBuf>::new());
}

#[test]
fn what_clips_need_is_named() {
    let folder = Folder::empty();
    let run = |variables: &[(&str, &str)], command: &str| {
        let mut program = folder.command(command);
        program.env_clear().envs(variables.iter().copied());
        Run::of(command, &mut program)
    };
    let named = ("FLATBED_WORKLOADS", "cctv");
    for (variables, missing) in [
        (vec![named], "CAMERA_ENCRYPTION_KEY: must be set"),
        (
            vec![named, ("CAMERA_ENCRYPTION_KEY", KEY)],
            "GCS_BUCKET: must be set",
        ),
        (
            vec![named, ("CAMERA_ENCRYPTION_KEY", "hunter2")],
            "CAMERA_ENCRYPTION_KEY: key 1 of 1: a Fernet key is 32 bytes",
        ),
        (
            vec![
                named,
                ("CAMERA_ENCRYPTION_KEY", KEY),
                ("GCS_BUCKET", "clips"),
            ],
            "GCS_SECRET_KEY: must be set",
        ),
    ] {
        let run = run(&variables, "serve");
        assert_ne!(run.code, Some(0));
        assert!(run.stderr.contains(missing), "{}", run.stderr);
        assert!(!run.stderr.contains("hunter2"), "{}", run.stderr);
    }
    let server = Server::start(&folder, &[]);
    assert!(
        server
            .log()
            .contains("cctv: off, CAMERA_ENCRYPTION_KEY is not set")
    );
    server.stop();

    let site = Site::new();
    let doctor = site.run("doctor");
    doctor.succeeded();
    for line in [
        "the tables are there",
        "gs://clips: written, read and deleted",
    ] {
        assert!(doctor.text().contains(line), "{}", doctor.text());
    }
    assert!(
        doctor.text().contains("0 with passwords"),
        "{}",
        doctor.text()
    );
    let config = site.run("config");
    assert!(config.text().contains("CAMERA_ENCRYPTION_KEY"));
    assert!(!config.text().contains(KEY));
}

#[test]
fn doctor_looks_at_cameras_and_asks_recorders_if_told_to() {
    let site = Site::new();
    let reel = Reel::new(hours_ago(1), 0, &[20]);
    let one = site.camera(1, Profile::default(), &reel);
    let two = site.camera(2, Profile::default(), &reel);
    let doctor = site.run("doctor");
    doctor.succeeded();
    let line = "2 with passwords that can be decrypted";
    assert!(doctor.text().contains(line), "{}", doctor.text());
    assert!(one.seen().is_empty() && two.seen().is_empty());

    let other = fernet::Fernet::new(&fernet::Fernet::generate_key()).unwrap();
    let foreign = other.encrypt(b"Kamera-2026");
    let (good, wrong) = (encrypted("Kamera-2026"), encrypted("hunter2"));
    let port = i32::from(two.address().port());
    for (id, host, port, password) in [
        (3, "127.0.0.1", port, &foreign),
        (4, "http://nvr/", port, &good),
        (5, "127.0.0.1", port, &wrong),
        (6, "127.0.0.1", port, &wrong),
        (7, "127.0.0.1", 99_999, &good),
    ] {
        site.database.sql_now(&format!(
            "INSERT INTO cameras (id, host, port, username, password_encrypted)
             VALUES ({id}, '{host}', {port}, 'admin', '{password}')"
        ));
    }
    let doctor = site.run("doctor --cameras");
    let text = doctor.text();
    assert_eq!(doctor.code, Some(5), "{text}");
    for line in [
        "ok     cameras   camera 1 (Meja 1): DS-7616NXI-K2 V4.84.100 at 127.0.0.1:",
        "Digest, times are utc, 1 recordings on track 101 in 24 hours",
        "ok     cameras   camera 2 (Meja 2): ",
        "WRONG  cameras   camera 3: none of the 1 keys",
        "its host must be a name",
        "it refuses user 'admin' or the password",
        "WRONG  cameras   camera 6: not asked, ",
        "WRONG  cameras   camera 7: its row cannot be read: ",
    ] {
        assert!(text.contains(line), "{line}: {text}");
    }
    assert!(!text.contains("hunter2"), "{text}");
    assert_eq!((one.wrong(), two.wrong()), (0, 1));
}

/// `VmHWM` of a process, in bytes.
fn memory(process: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).expect("Linux");
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kilobytes = line.and_then(|line| line.trim().strip_suffix(" kB"));
    let kilobytes: u64 = kilobytes.expect("kB").trim().parse().expect("a number");
    kilobytes << 10
}
