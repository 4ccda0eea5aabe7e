//! `flatbed queue`, beside a worker and without one.

use serde_json::json;

use super::Place;
use crate::support::made;

#[test]
fn the_queue_is_seen_and_mended_whatever_it_is() {
    for place in Place::all() {
        let which = format!("{:?}", place.variables);
        let file = place.folder.path("sound.m4a");
        std::fs::copy(made("sound.m4a"), &file).unwrap();
        let server = place.server(&[("VIDEO_WORKER_CONCURRENCY", "1")]);
        let sound = server.video(&file);
        let fails = json!([{"type": "thumbnail", "options": {"timestamps": [0]}}]);
        let works = json!([{"type": "trim", "options": {"end": 1}}]);
        let failed = server.export(&sound, &fails);
        server.wait_for(&failed, "failed");
        let done = server.export(&sound, &works);
        server.wait_for(&done, "completed");

        let stats = place.json("queue stats");
        assert_eq!(
            (&stats["failed"], &stats["completed"], &stats["waiting"]),
            (&json!(1), &json!(1), &json!(0)),
            "{which}"
        );
        assert!(place.text("queue stats").contains("failed     1\n"));
        let listed = place.json("queue list --state failed");
        assert_eq!(listed[0]["id"], failed, "{which}");
        assert_eq!(listed.as_array().unwrap().len(), 1);
        assert_eq!(place.json("queue list").as_array().unwrap().len(), 2);
        let line = place.text("queue list --state failed");
        for part in [&*failed, "failed", "1/3", "sound.m4a"] {
            assert!(line.contains(part), "{which}: no {part} in {line}");
        }
        let shown = place.json(&format!("queue show {done}"));
        assert_eq!(shown["state"], "completed", "{shown}");
        assert_eq!(shown["payload"]["videoId"], sound, "{shown}");
        assert_eq!(shown["result"]["files"][0]["kind"], "video", "{shown}");
        let text = place.text(&format!("queue show {failed}"));
        assert!(text.contains("attempts  1 of 3\n"), "{text}");

        // It fails again: the worker had it.
        let again = place.text(&format!("queue retry {failed}"));
        assert_eq!(again, format!("{failed}  waiting\n"));
        server.wait_for(&failed, "failed");
        server.stop();

        let all = place.text("queue retry --all-failed");
        assert_eq!(all, "1 failed jobs are waiting again\n", "{which}");
        assert_eq!(place.json("queue list --state waiting")[0]["id"], failed);
        assert_eq!(
            place.text(&format!("queue cancel {failed}")),
            format!("{failed}  cancelled\n")
        );
        assert_eq!(place.json("queue list --state cancelled")[0]["id"], failed);

        place
            .run(&format!("queue cancel {done}"))
            .failed(3, &[&done, "completed already"]);
        place
            .run(&format!("queue retry {done}"))
            .failed(3, &["completed", "only what failed"]);
        for order in ["show", "retry", "cancel"] {
            let run = place.run(&format!("queue {order} nobody"));
            run.failed(3, &["no job nobody"]);
        }
        // Some of several: what can be done is, and each failure is told.
        let run = place.run(&format!("queue retry nobody {failed}"));
        assert_eq!(run.code, Some(3), "{}", run.stderr);
        assert_eq!(run.text(), format!("{failed}  waiting\n"));
        assert!(run.stderr.contains("nobody") && run.stderr.contains("1 of 2 failed"));
    }
}

#[test]
fn orders_that_make_no_sense_are_refused() {
    let folder = crate::support::Folder::empty();
    for (arguments, word) in [
        ("queue", "Commands:"),
        ("queue list --state gone", "expected waiting"),
        ("queue retry", "<ID>"),
        ("queue retry a --all-failed", "cannot be used with"),
        ("queue show a/b", "letters"),
    ] {
        let run = folder.flatbed(arguments);
        assert_eq!(run.code, Some(2), "{arguments}: {}", run.stderr);
        assert!(run.stderr.contains(word), "{arguments}: {}", run.stderr);
    }
    assert!(folder.names().is_empty());
}
