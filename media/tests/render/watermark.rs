//! `watermark`: where it stands, how much shows through, and when.

use std::path::{Path, PathBuf};

use serde_json::json;

use super::workshop::{lumas, make, operation, run};
use crate::observe::Luma;

/// A grey video of 160x120 and a white image of 20x10.
fn material(folder: &Path) -> (PathBuf, PathBuf) {
    let video = "-f lavfi -i color=0x808080:s=160x120:r=25:d=1 -c:v libx264 -qp 0";
    let image = "-f lavfi -i color=white:s=20x10:d=1 -frames:v 1";
    (
        make(folder, "grey.mp4", video),
        make(folder, "white.png", image),
    )
}

/// The first and last column and row that are brighter than grey.
fn bright(luma: &Luma) -> Option<[usize; 4]> {
    let bright = |x: usize, y: usize| luma.pixels[y * luma.width + x] > 170;
    let columns: Vec<_> = (0..luma.width)
        .filter(|&x| (0..luma.height).any(|y| bright(x, y)))
        .collect();
    let rows: Vec<_> = (0..luma.height)
        .filter(|&y| (0..luma.width).any(|x| bright(x, y)))
        .collect();
    Some([
        *columns.first()?,
        *columns.last()?,
        *rows.first()?,
        *rows.last()?,
    ])
}

fn marked(video: &Path, options: serde_json::Value) -> Vec<Luma> {
    let list = json!([
        operation("watermark", options),
        operation("compress", json!({"crf": 1, "preset": "ultrafast"})),
    ]);
    lumas(&run(video, &list.to_string()).video())
}

#[test]
fn it_stands_where_it_is_put() {
    let folder = tempfile::tempdir().expect("a folder");
    let (video, image) = material(folder.path());
    for (position, margin, place) in [
        (json!("top-left"), 4, [4, 23, 4, 13]),
        (json!("top"), 4, [70, 89, 4, 13]),
        (json!("top-right"), 4, [136, 155, 4, 13]),
        (json!("left"), 4, [4, 23, 54, 63]),
        (json!("center"), 4, [70, 89, 54, 63]),
        (json!("right"), 0, [140, 159, 54, 63]),
        (json!("bottom-left"), 4, [4, 23, 106, 115]),
        (json!("bottom"), 4, [70, 89, 106, 115]),
        (json!("bottom-right"), 4, [136, 155, 106, 115]),
        (json!({"x": 30, "y": 40}), 4, [30, 49, 40, 49]),
        (json!({"x": -6, "y": -8}), 4, [134, 153, 102, 111]),
    ] {
        let frames = marked(
            &video,
            json!({"image": image, "position": position, "margin": margin}),
        );
        let seen = bright(&frames[12]).expect("a watermark");
        // Chroma's grid and the encoder move an edge by a pixel at most.
        for (seen, place) in seen.iter().zip(place) {
            assert!(seen.abs_diff(place) <= 1, "{position}: {seen} for {place}");
        }
    }
}

#[test]
fn its_opacity_mixes() {
    let folder = tempfile::tempdir().expect("a folder");
    let (video, image) = material(folder.path());
    let at = |opacity: f64| {
        let options = json!({"image": image, "position": "center", "opacity": opacity});
        let frame = &marked(&video, options)[5];
        i32::from(frame.pixels[60 * frame.width + 80])
    };
    let (none, half, full) = (at(0.0), at(0.5), at(1.0));
    assert!((none - 126).abs() <= 3, "{none}");
    assert!((full - 235).abs() <= 3, "{full}");
    assert!((half - i32::midpoint(none, full)).abs() <= 3, "{half}");
}

#[test]
fn it_is_there_from_its_start_up_to_its_end() {
    let folder = tempfile::tempdir().expect("a folder");
    let (video, image) = material(folder.path());
    let there = |frames: &[Luma]| -> Vec<usize> {
        let numbered = frames.iter().enumerate();
        let there = numbered.filter(|(_, frame)| bright(frame).is_some());
        there.map(|(number, _)| number).collect()
    };
    let frames = marked(&video, json!({"image": image, "start": 0.2, "end": 0.6}));
    assert_eq!(there(&frames), (5..15).collect::<Vec<_>>());
    // Behind a trim its times count from the trim's start.
    let list = json!([
        operation("trim", json!({"start": 0.4})),
        operation(
            "watermark",
            json!({"image": image, "start": 0.2, "end": "100%"})
        ),
    ]);
    let frames = lumas(&run(&video, &list.to_string()).video());
    assert_eq!(there(&frames), (5..15).collect::<Vec<_>>());
    // Before one it moves with the pictures.
    let list = json!([
        operation("watermark", json!({"image": image, "start": 0.6})),
        operation("trim", json!({"start": 0.4})),
    ]);
    let frames = lumas(&run(&video, &list.to_string()).video());
    assert_eq!(there(&frames), (5..15).collect::<Vec<_>>());
}

#[test]
fn its_scale_is_a_part_of_the_videos_width() {
    let folder = tempfile::tempdir().expect("a folder");
    let (video, image) = material(folder.path());
    let options = json!({"image": image, "scale": 0.5, "position": "top-left", "margin": 0});
    let [left, right, top, bottom] = bright(&marked(&video, options)[3]).expect("a watermark");
    assert!(left <= 1 && right.abs_diff(79) <= 1, "{left} {right}");
    assert!(top <= 1 && bottom.abs_diff(39) <= 1, "{top} {bottom}");
}

#[test]
fn jpeg_and_webp_and_what_is_transparent() {
    let folder = tempfile::tempdir().expect("a folder");
    let (video, _) = material(folder.path());
    let white = "-f lavfi -i color=white:s=20x10:d=1 -frames:v 1";
    for name in ["white.jpg", "white.webp"] {
        let image = make(folder.path(), name, white);
        let frames = marked(&video, json!({"image": image, "position": "center"}));
        assert!(bright(&frames[0]).is_some(), "{name}");
    }
    let half = make(
        folder.path(),
        "half.png",
        "-f lavfi -i color=white:s=20x10:d=1,format=rgba,geq=r=255:g=255:b=255:a='255*lt(X,10)' \
         -frames:v 1",
    );
    let frames = marked(
        &video,
        json!({"image": half, "position": {"x": 40, "y": 40}}),
    );
    let [left, right, ..] = bright(&frames[0]).expect("a watermark");
    assert!(
        left.abs_diff(40) <= 1 && right.abs_diff(49) <= 1,
        "{left} {right}"
    );
}

#[test]
fn it_goes_onto_every_kind_of_pixel() {
    let folder = tempfile::tempdir().expect("a folder");
    let (video, image) = material(folder.path());
    for format in [
        "yuv422p",
        "yuv444p",
        "yuv420p10le",
        "yuv422p10le",
        "yuv444p10le",
    ] {
        let list = json!([
            operation("watermark", json!({"image": image, "position": "center"})),
            operation("transcode", json!({"pixelFormat": format, "crf": 5})),
        ]);
        let frames = lumas(&run(&video, &list.to_string()).video());
        let seen = bright(&frames[9]).expect("a watermark");
        assert!(
            seen[0].abs_diff(70) <= 1 && seen[3].abs_diff(63) <= 1,
            "{format}: {seen:?}"
        );
    }
}
