//! Animations: pictures, timing, loops, limits. Seen by the crate `image`, which
//! decodes WebP without libwebp, and by Debian's `webpinfo`.

use std::fs;
use std::process::Command;

use ::image::AnimationDecoder;
use ::image::codecs::webp::WebPDecoder;
use flatbed_media::image::{Coding, Options, to_bytes};
use flatbed_media::{Context, Error, Input, Limits};
use gif::{DisposalMethod, Encoder, Frame, Repeat};

use super::made::{convert, lossless, refused, sized};
use crate::io::Folder;

const PALETTE: &[u8] = &[255, 0, 0, 0, 255, 0, 0, 0, 255, 255, 255, 255];
const RED: [u8; 4] = [255, 0, 0, 255];
const GREEN: [u8; 4] = [0, 255, 0, 255];
const BLUE: [u8; 4] = [0, 0, 255, 255];
const NONE: [u8; 4] = [0; 4];

/// A frame of one colour: left, top, width, height, how it goes, hundredths of a
/// second.
type Part = (u16, u16, u16, u16, u8, DisposalMethod, u16);

fn gif(parts: &[Part], repeat: Option<Repeat>) -> Vec<u8> {
    let mut file = Vec::new();
    let mut encoder = Encoder::new(&mut file, 8, 8, PALETTE).expect("a GIF");
    if let Some(repeat) = repeat {
        encoder.set_repeat(repeat).expect("a loop");
    }
    for &(left, top, width, height, colour, dispose, delay) in parts {
        let frame = Frame {
            left,
            top,
            width,
            height,
            dispose,
            delay,
            buffer: vec![colour; usize::from(width) * usize::from(height)].into(),
            ..Frame::default()
        };
        encoder.write_frame(&frame).expect("a frame");
    }
    drop(encoder);
    file
}

/// The colours of three pixels of each picture that is shown, (0, 0), (3, 3) and
/// (7, 7), and for how many milliseconds.
fn shown(webp: &[u8]) -> Vec<([[u8; 4]; 3], u32)> {
    let mut decoder = WebPDecoder::new(std::io::Cursor::new(webp)).expect("a WebP");
    decoder
        .set_background_color(::image::Rgba([0; 4]))
        .expect("a colour");
    let frames = decoder.into_frames().map(|frame| {
        let frame = frame.expect("a frame");
        let (milliseconds, _) = frame.delay().numer_denom_ms();
        let picture = frame.into_buffer();
        let (width, height) = picture.dimensions();
        let at = |part: u32| {
            let pixel = picture
                .get_pixel(part * (width - 1) / 7, part * (height - 1) / 7)
                .0;
            // Blending is off by one at times.
            let pixel = pixel.map(|sample| if sample > 251 { 255 } else { sample });
            if pixel[3] == 0 { NONE } else { pixel }
        };
        ([at(0), at(3), at(7)], milliseconds)
    });
    frames.collect()
}

fn loops(webp: &[u8]) -> u32 {
    let folder = Folder::new();
    fs::write(folder.file("a.webp"), webp).expect("written");
    let output = Command::new("webpinfo")
        .arg(folder.file("a.webp"))
        .output()
        .expect("webpinfo starts (apt-get install webp)");
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(
        output.status.success() && text.contains("No error detected"),
        "{text}"
    );
    let mut words = text
        .lines()
        .filter_map(|line| line.trim().strip_prefix("Loop count"));
    words
        .next()
        .expect("a loop count")
        .trim_matches([' ', ':'])
        .parse()
        .expect("a number")
}

#[test]
fn pictures_go_as_gif_says() {
    use DisposalMethod::{Any, Background, Keep, Previous};
    let file = gif(
        &[
            (0, 0, 8, 8, 0, Keep, 10),
            (2, 2, 4, 4, 1, Background, 20),
            (6, 6, 2, 2, 2, Previous, 30),
            (0, 0, 1, 1, 1, Any, 40),
        ],
        Some(Repeat::Infinite),
    );
    let (webp, report) = convert(&file, &lossless()).expect("a WebP");
    assert_eq!((report.width, report.height, report.frames), (8, 8, 4));
    assert_eq!(
        shown(&webp),
        [
            ([RED, RED, RED], 100),
            ([RED, GREEN, RED], 200),
            // The green one's place is cleared, to nothing.
            ([RED, NONE, BLUE], 300),
            // The blue one never was.
            ([GREEN, NONE, RED], 400),
        ]
    );
}

#[test]
fn loops_and_timing_are_kept() {
    let parts = [
        (0, 0, 8, 8, 0, DisposalMethod::Keep, 7),
        (0, 0, 8, 8, 1, DisposalMethod::Keep, 0),
        (0, 0, 8, 8, 2, DisposalMethod::Keep, 150),
    ];
    for (repeat, plays) in [
        (None, 1),
        (Some(Repeat::Infinite), 0),
        (Some(Repeat::Finite(4)), 5),
    ] {
        let (webp, _) = convert(&gif(&parts, repeat), &lossless()).expect("a WebP");
        let times: Vec<u32> = shown(&webp).iter().map(|(_, time)| *time).collect();
        // What is shown for no time, browsers show for a tenth of a second.
        assert_eq!(times, [70, 100, 1500]);
        assert_eq!(loops(&webp), plays, "{repeat:?}");
        // And again from WebP, smaller.
        let (again, report) = convert(&webp, &sized("4x", lossless())).expect("a WebP");
        assert_eq!((report.width, report.frames), (4, 3));
        assert_eq!(loops(&again), plays, "{repeat:?}");
        let before: Vec<_> = shown(&webp);
        assert_eq!(shown(&again), before);
    }
}

#[test]
fn the_first_picture_alone() {
    let parts = [
        (0, 0, 8, 8, 2, DisposalMethod::Keep, 10),
        (0, 0, 8, 8, 1, DisposalMethod::Keep, 10),
    ];
    let options = Options {
        still: true,
        ..lossless()
    };
    let file = gif(&parts, Some(Repeat::Infinite));
    let (webp, report) = convert(&file, &options).expect("a WebP");
    assert_eq!(report.frames, 1);
    let seen = super::made::look(&webp);
    assert_eq!(seen.pixels[0], BLUE);
    // The same of an animated WebP.
    let (film, _) = convert(&file, &lossless()).expect("a WebP");
    let (webp, report) = convert(&film, &options).expect("a WebP");
    assert_eq!(report.frames, 1);
    assert_eq!(super::made::look(&webp).pixels[63], BLUE);
}

#[test]
fn a_film_fits_into_bytes() {
    let mut file = Vec::new();
    let mut encoder = Encoder::new(&mut file, 96, 64, &[]).expect("a GIF");
    for seed in 0..5 {
        let scene = super::scene::Scene::noisy(96, 64, 10 + seed * 8);
        let mut frame = Frame::from_rgb(96, 64, &scene.rgb());
        frame.delay = 10;
        encoder.write_frame(&frame).expect("a frame");
    }
    drop(encoder);
    let whole = convert(&file, &Options::default()).expect("a WebP").1;
    let most = whole.bytes_out * 6 / 10;
    let options = Options {
        max_bytes: Some(most),
        ..Options::default()
    };
    let (webp, report) = convert(&file, &options).expect("a WebP");
    assert!(webp.len() as u64 <= most && report.quality < Some(80));
    assert_eq!(shown(&webp).len(), 5);
    let like = Options {
        coding: Coding::Ssim(0.9),
        ..Options::default()
    };
    assert!(matches!(refused(&file, &like), Error::Unsupported { .. }));
}

#[test]
fn too_many_pictures_or_pixels_are_refused_at_once() {
    let parts = vec![(0, 0, 8, 8, 0, DisposalMethod::Keep, 10); 20];
    let file = gif(&parts, None);
    let mut limits = Limits::default();
    limits.image.max_frames = 19;
    let mut fewer = Limits::default();
    fewer.image.max_animation_pixels = 20 * 64 - 1;
    for limits in [limits, fewer] {
        let context = Context::new().with_limits(limits);
        let input = || Input::bytes("a.gif", file.clone());
        let error = to_bytes(input(), &Options::default(), &context).err();
        assert!(matches!(error, Some(Error::Limit { .. })), "{error:?}");
        let first = Options {
            still: true,
            ..Options::default()
        };
        to_bytes(input(), &first, &context).expect("the first picture");
    }
}
