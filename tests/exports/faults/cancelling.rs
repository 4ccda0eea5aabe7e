//! Fault 14: a cancel that races the end (`exports/cloud.rs` has one from another
//! host).

use std::fs;
use std::time::Duration;

use serde_json::json;

use crate::exports::Server;
use crate::support::{Folder, wait_until};

/// Whoever wins, all that is told of it agrees.
#[test]
fn a_cancel_that_races_the_end_is_done_or_not_done() {
    const RACES: u64 = 60;

    let folder = Folder::with(&["recording.mp4"]);
    let server = Server::start(&folder, &[]);
    let video = server.video(&folder.path("recording.mp4"));
    let operations = json!([{"type": "trim", "options": {"end": 2, "mode": "copy"}}]);
    let (mut completed, mut cancelled) = (0, 0);
    for race in 0..RACES {
        let export = server.export(&video, &operations);
        // From at once to after its end, on this machine.
        std::thread::sleep(Duration::from_millis(race * 3));
        let answer = server.delete(&format!("/api/exports/{export}"));
        let mut end = String::new();
        wait_until("its end", || {
            end = server
                .get(&format!("/api/exports/{export}"))
                .field("status");
            end == "completed" || end == "cancelled"
        });
        match (answer.code, end.as_str()) {
            (200, "cancelled") | (202, _) | (409, "completed") => {}
            (code, end) => panic!("{code} and then {end}: {answer:?}"),
        }
        let files = folder.path(&format!("flatbed-data/store/exports/{export}"));
        let number = || fs::read_dir(&files).map_or(0, Iterator::count);
        let download = server.get(&format!("/api/exports/{export}/download"));
        if end == "completed" {
            completed += 1;
            assert_eq!((download.code, number()), (200, 1));
        } else {
            cancelled += 1;
            download.refused(409, &["cancelled"]);
            wait_until("what it left to be removed", || number() == 0);
        }
    }
    eprintln!("{completed} were completed, {cancelled} cancelled");
    let stats = server.get("/api/exports/queue/stats").json();
    assert_eq!(
        (&stats["completed"], &stats["active"], &stats["failed"]),
        (&json!(completed), &json!(0), &json!(0)),
        "{stats}"
    );
    assert_eq!(completed + cancelled, RACES);
}
