//! Files that want too much: what they cost before they are refused.

use std::fs;
use std::io::{Cursor, Write};
use std::process::Command;
use std::time::{Duration, Instant};

use ::image::ImageFormat;
use flatbed_media::image::{Options, to_bytes, to_file};
use flatbed_media::{Cancel, Context, Error, Input, Limits};

use super::files::{BASELINE, Jpeg, chunk, encoded, jpeg};
use super::made::{fine, refused};
use super::scene::Scene;
use crate::io::Folder;

fn png(width: u32, height: u32, chunks: &[Vec<u8>]) -> Vec<u8> {
    let mut header = width.to_be_bytes().to_vec();
    header.extend(height.to_be_bytes());
    header.extend([8, 2, 0, 0, 0]);
    let mut file = b"\x89PNG\r\n\x1a\n".to_vec();
    file.extend(chunk(b"IHDR", &header));
    file.extend(chunks.concat());
    file.extend(chunk(b"IEND", b""));
    file
}

/// So many zeros, deflated: a thousandth of it.
fn deflated(zeros: usize) -> Vec<u8> {
    let mut encoder = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::fast());
    let piece = vec![0; 1 << 16];
    for _ in 0..zeros >> 16 {
        encoder.write_all(&piece).expect("deflated");
    }
    encoder.finish().expect("deflated")
}

/// Each would take gigabytes, or minutes, if it were decoded.
fn bombs() -> Vec<(&'static str, Vec<u8>)> {
    let small = Scene::new(64, 64);
    let mut wide_jpeg = jpeg(&small, BASELINE);
    let frame = wide_jpeg
        .windows(2)
        .position(|word| word == [0xff, 0xc0])
        .expect("SOF0");
    wide_jpeg[frame + 5..frame + 9].copy_from_slice(&[0xff, 0xff, 0xff, 0xff]);

    let progressive = Jpeg {
        progressive: true,
        ..BASELINE
    };
    let whole = jpeg(&Scene::new(2000, 2000), progressive);
    let scan = whole
        .windows(2)
        .rposition(|word| word == [0xff, 0xda])
        .expect("SOS");
    let end = whole.len() - 2;
    let mut scans = whole[..end].to_vec();
    for _ in 0..2000 {
        scans.extend(&whole[scan..end.min(scan + 4096)]);
    }
    scans.extend([0xff, 0xd9]);

    let mut gif = b"GIF89a\xff\xff\xff\xff\x80\0\0aaabbb".to_vec();
    gif.extend(b"\x2c\0\0\0\0\xff\xff\xff\xff\0\x02\x02\x4c\x01\0;");
    let mut bmp = encoded(&small, ImageFormat::Bmp);
    bmp[18..26].copy_from_slice(&[0xff, 0xff, 0xff, 0x7f, 0xff, 0xff, 0, 0]);
    let webp = b"RIFF\x20\0\0\0WEBPVP8X\x0a\0\0\0\0\0\0\0\xff\xff\xff\xff\xff\xffVP8L\x05\0\0\0\x2f\xff\xff\xff\x0f\0".to_vec();
    // A profile and a text have the same head: a name, and how they are deflated.
    let large = [b"a\0\0".to_vec(), deflated(1 << 28)].concat();
    vec![
        ("a JPEG of 65535 x 65535", wide_jpeg),
        ("a JPEG of 2000 scans", scans),
        (
            "a PNG of 2^31 pixels a side",
            png(0x7fff_ffff, 0x7fff_ffff, &[]),
        ),
        (
            "a PNG of 40000 x 40000",
            png(40_000, 40_000, &[chunk(b"IDAT", &deflated(1 << 24))]),
        ),
        (
            "a profile of 256 MiB",
            png(
                8,
                8,
                &[chunk(b"iCCP", &large), chunk(b"IDAT", &deflated(1 << 16))],
            ),
        ),
        (
            "a text of 256 MiB",
            png(40_000, 40_000, &[chunk(b"zTXt", &large)]),
        ),
        ("a GIF of 65535 x 65535", gif),
        ("a BMP of 2^31 x 65535", bmp),
        ("a WebP of 2^24 pixels a side", webp),
        ("a TIFF of 2^32 a side", tiff(u32::MAX, u32::MAX)),
    ]
}

fn tiff(width: u32, height: u32) -> Vec<u8> {
    let mut file = b"II*\0\x08\0\0\0".to_vec();
    let entries: [(u16, u32); 8] = [
        (256, width),
        (257, height),
        (258, 8),
        (259, 1),
        (262, 1),
        (273, 8),
        (278, height),
        (279, u32::MAX),
    ];
    file.extend((entries.len() as u16).to_le_bytes());
    for (tag, value) in entries {
        file.extend(tag.to_le_bytes());
        file.extend(4_u16.to_le_bytes());
        file.extend(1_u32.to_le_bytes());
        file.extend(value.to_le_bytes());
    }
    file.extend([0; 4]);
    file
}

#[test]
fn bombs_are_refused() {
    for (name, file) in bombs() {
        let error = refused(&file, &fine());
        assert!(
            matches!(error, Error::Limit { .. } | Error::Malformed { .. }),
            "{name}: {error}"
        );
    }
}

/// The memory in use and the most that ever was, in KiB (proc(5)).
pub fn memory() -> (u64, u64) {
    let status = fs::read_to_string("/proc/self/status").expect("proc");
    let line = |name: &str| -> u64 {
        let line = status.lines().find_map(|line| line.strip_prefix(name));
        let number = line.expect("a line").split_whitespace().next();
        number.expect("a number").parse().expect("a number")
    };
    (line("VmRSS:"), line("VmHWM:"))
}

/// What is asked of a bomb. The time is that of a release build on a machine
/// with nothing else to do; here it only must not be another order of magnitude.
const MOST_KIB: u64 = 50 << 10;
const MOST_TIME: Duration = Duration::from_secs(5);

/// Weighs one bomb, in a process of its own: [`bombs_cost_little`] starts it.
#[test]
#[ignore = "started by another test"]
fn weigh() {
    let Some(path) = std::env::var_os("FLATBED_TEST_BOMB") else {
        return;
    };
    // What a first image sets up does not count.
    let _ = to_bytes(
        Input::bytes("a", jpeg(&Scene::new(8, 8), BASELINE)),
        &fine(),
        &Context::new(),
    );
    let (before, _) = memory();
    let begun = Instant::now();
    let result = to_bytes(Input::path(path), &fine(), &Context::new());
    let elapsed = begun.elapsed();
    let (_, most) = memory();
    println!(
        "weighed: {} {}",
        most.saturating_sub(before),
        elapsed.as_millis()
    );
    drop(result);
}

#[test]
fn bombs_cost_little() {
    let folder = Folder::new();
    for (name, file) in bombs() {
        let path = folder.file("bomb");
        fs::write(&path, &file).expect("written");
        let output = Command::new(std::env::current_exe().expect("this test"))
            .args([
                "image::hostile::weigh",
                "--exact",
                "--ignored",
                "--nocapture",
            ])
            .env("FLATBED_TEST_BOMB", &path)
            .output()
            .expect("this test starts");
        let text = String::from_utf8_lossy(&output.stdout);
        let weighed = text
            .split("weighed: ")
            .nth(1)
            .unwrap_or_else(|| panic!("{name}: {text}"));
        let numbers: Vec<u64> = weighed
            .split_whitespace()
            .take(2)
            .map(|number| number.parse().expect("a number"))
            .collect();
        let (kib, time) = (numbers[0], Duration::from_millis(numbers[1]));
        println!("{name}: {kib} KiB, {time:?}");
        assert!(kib < MOST_KIB, "{name}: {kib} KiB");
        assert!(time < MOST_TIME, "{name}: {time:?}");
    }
}

#[test]
fn limits_are_kept() {
    let file = jpeg(&Scene::new(64, 64), BASELINE);
    let folder = Folder::new();
    fs::write(folder.file("a.jpg"), &file).expect("written");
    let try_with = |change: &dyn Fn(&mut Limits)| {
        let mut limits = Limits::default();
        change(&mut limits);
        let context = Context::new().with_limits(limits);
        let live = Input::live("live", Cursor::new(file.clone()));
        let seekable = Input::seekable("seekable", Cursor::new(file.clone()));
        for input in [Input::path(folder.file("a.jpg")), live, seekable] {
            let result = to_file(input, &folder.file("a.webp"), &Options::default(), &context);
            assert!(matches!(result, Err(Error::Limit { .. })), "{result:?}");
        }
    };
    try_with(&|limits| limits.image.max_bytes = file.len() as u64 - 1);
    try_with(&|limits| limits.image.max_pixels = 64 * 64 - 1);
    try_with(&|limits| limits.image.max_time = Duration::ZERO);
    assert_eq!(folder.names(), ["a.jpg"]);
    let mut exact = Limits::default();
    exact.image.max_bytes = file.len() as u64;
    exact.image.max_pixels = 64 * 64;
    let context = Context::new().with_limits(exact);
    let input = Input::live("live", Cursor::new(file));
    to_file(input, &folder.file("a.webp"), &Options::default(), &context).expect("at the limit");
}

#[test]
fn cancelled_leaves_nothing() {
    let folder = Folder::new();
    let cancel = Cancel::new();
    cancel.cancel();
    let context = Context::new().with_cancel(cancel);
    let input = Input::bytes("a", jpeg(&Scene::new(64, 64), BASELINE));
    let result = to_file(input, &folder.file("a.webp"), &Options::default(), &context);
    assert!(matches!(result, Err(Error::Cancelled)), "{result:?}");
    assert!(folder.names().is_empty());
}

#[test]
fn time_ends_an_encode_on_its_way() {
    // Some seconds of work, and a tenth of one to do it in.
    let file = jpeg(&Scene::noisy(3000, 2000, 60), BASELINE);
    let mut limits = Limits::default();
    limits.image.max_time = Duration::from_millis(300);
    let context = Context::new().with_limits(limits);
    let options = Options {
        effort: 6,
        coding: flatbed_media::image::Coding::Lossless,
        ..Options::default()
    };
    let result = to_bytes(Input::bytes("a", file), &options, &context);
    assert!(matches!(result, Err(Error::Limit { .. })));
}
