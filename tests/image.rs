//! `flatbed image`: many files, one line each, and what happens to bad ones.

use std::process::Command;

use serde_json::Value;

use crate::support::{Folder, Run, picture_size};

/// A folder with photos of these names, each 64 x 48.
fn photos(names: &[&str]) -> Folder {
    let folder = Folder::empty();
    for name in names {
        let status = Command::new("ffmpeg")
            .args("-nostdin -v error -f lavfi -i testsrc2=size=64x48 -frames:v 1".split(' '))
            .arg(folder.path(name))
            .status()
            .expect("ffmpeg starts (apt-get install ffmpeg)");
        assert!(status.success(), "{name}");
    }
    folder
}

fn lines(run: &Run) -> Vec<Value> {
    let line = |line| serde_json::from_str(line).expect("one JSON object in a line");
    run.text().lines().map(line).collect()
}

#[test]
fn one_photo() {
    let folder = photos(&["a.jpg"]);
    let told = folder.json("image a.jpg --max-width 32 -o a.webp");
    assert_eq!(picture_size(&folder.path("a.webp")), "webp,32,24");
    assert_eq!((&told["width"], &told["height"]), (&32.into(), &24.into()));
    assert_eq!(
        (&told["source"], &told["output"]),
        (&"a.jpg".into(), &"a.webp".into())
    );
    let size = |name| folder.content()[name];
    assert_eq!(told["bytes_in"], size("a.jpg"));
    assert_eq!(told["bytes_out"], size("a.webp"));
    assert!(told["elapsed_ms"].is_u64());
    let words = folder.flatbed("image a.jpg --lossless -f -o a.webp");
    words.succeeded();
    assert!(words.stderr.contains("a.webp: 64x48"), "{}", words.stderr);
    assert!(words.stdout.is_empty());
}

#[test]
fn many_into_a_folder_a_line_each() {
    let folder = photos(&["a.jpg", "b.png", "c.gif"]);
    let run = folder.flatbed("image a.jpg b.png c.gif --max-height 24 --json -o small");
    run.succeeded();
    let mut outputs: Vec<_> = lines(&run)
        .iter()
        .map(|line| line["output"].to_string())
        .collect();
    outputs.sort();
    assert_eq!(
        outputs,
        ["\"small/a.webp\"", "\"small/b.webp\"", "\"small/c.webp\""]
    );
    for name in ["a", "b", "c"] {
        let path = folder.path("small").join(format!("{name}.webp"));
        assert_eq!(picture_size(&path), "webp,32,24");
    }
}

#[test]
fn a_bad_one_stops_none() {
    let folder = photos(&["a.jpg", "c.jpg"]);
    folder.write("b.jpg", "no picture");
    let run = folder.flatbed("image a.jpg b.jpg none.jpg c.jpg --json -o small/");
    assert_eq!(run.code, Some(3), "{}", run.stderr);
    let told = lines(&run);
    assert_eq!(told.len(), 4);
    let failed: Vec<_> = told
        .iter()
        .filter(|line| line.get("error").is_some())
        .collect();
    assert_eq!(failed.len(), 2, "{told:?}");
    assert!(run.stderr.contains("2 of 4 failed"), "{}", run.stderr);
    assert!(
        run.stderr.contains("b.jpg: this is no image"),
        "{}",
        run.stderr
    );
    let made = std::fs::read_dir(folder.path("small")).expect("a folder");
    assert_eq!(made.count(), 2);
}

#[test]
fn through_pipes() {
    let folder = photos(&["a.jpg"]);
    let input = std::fs::File::open(folder.path("a.jpg")).expect("the photo");
    let mut command = folder.command("image - --max-width 16 -o -");
    let run = Run::of("image - -o -", command.stdin(input));
    run.succeeded();
    assert!(run.stdout.starts_with(b"RIFF"));
    folder.write("out.webp", &run.stdout);
    assert_eq!(picture_size(&folder.path("out.webp")), "webp,16,12");
    folder.refuses("image a.jpg --json -o -", 2, &["standard output"]);
}

#[test]
fn what_makes_no_sense_is_refused() {
    let folder = photos(&["a.jpg", "a.png"]);
    folder.write("there.webp", "precious");
    for (arguments, code, words) in [
        (
            "image a.jpg -o there.webp",
            2,
            &["there.webp", "--force"][..],
        ),
        ("image a.jpg -o a.jpg", 2, &["one of the inputs"]),
        ("image a.jpg a.png -o -", 2, &["one image"]),
        ("image a.jpg --fit cover -o b.webp", 2, &["--max-height"]),
        ("image a.jpg --max-bytes 1x -o b.webp", 2, &["1x"]),
        ("image a.jpg --ssim 1.5 -o b.webp", 2, &["1.5"]),
        ("image a.jpg --max-bytes 90 -o b.webp", 3, &["90 bytes"]),
        (
            "image a.jpg --max-pixels 100 -o b.webp",
            4,
            &["64x48", "100"],
        ),
        ("image none.jpg -o b.webp", 5, &["none.jpg"]),
    ] {
        folder.refuses(arguments, code, words);
    }
    let twice = folder.flatbed("image a.jpg a.png -o small");
    twice.failed(2, &["would both become"]);
}
