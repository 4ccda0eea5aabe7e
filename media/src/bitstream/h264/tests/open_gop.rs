//! Open GOPs made to start a sequence.

use super::support::{Coding, Splice, access_units, decode, idr_positions, pack, sets, source};
use crate::bitstream::h264::refusal::Refusal;
use crate::bitstream::h264::{OpenGopRewriter, Rewritten, recovery_point};

const GOP: usize = 12;

/// What is left of a stream from its recovery point number `which` on, up to the
/// end or the next IDR picture.
struct Opened {
    splice: Splice,
    leading: usize,
    refused: Option<Refusal>,
}

/// Where the recovery points are.
fn recovery_positions(pictures: &[Vec<&[u8]>]) -> Vec<usize> {
    (0..pictures.len())
        .filter(|&at| pictures[at].iter().any(|nal| recovery_point(nal).is_some()))
        .collect()
}

fn open(stream: &[u8], which: usize) -> Opened {
    let pictures = access_units(stream);
    let sets = sets(stream);
    let start = recovery_positions(&pictures)[which];
    let mut rewriter = OpenGopRewriter::new(sets.clone(), 7);
    let mut opened = Opened {
        splice: Splice::default(),
        leading: 0,
        refused: None,
    };
    for nal in sets.sps_units().chain(sets.pps_units()) {
        opened.splice.unit(nal);
    }
    for (at, picture) in pictures.iter().enumerate().skip(start) {
        match rewriter.rewrite(&pack(picture)) {
            Ok(Rewritten::Picture(sample)) => opened.splice.sample(&sample),
            Ok(Rewritten::Leading) => opened.leading += 1,
            Ok(Rewritten::Idr) => {
                opened.splice.copy(&pictures[at..]);
                break;
            }
            Err(refusal) => {
                opened.refused = Some(refusal);
                break;
            }
        }
    }
    opened
}

/// Every recovery point of a stream must give the same pictures as the source,
/// from its I picture on in output order.
fn opens(frames: usize, profile: &str, params: &str) {
    opens_gops(GOP, frames, profile, params);
}

fn opens_gops(gop: usize, frames: usize, profile: &str, params: &str) {
    let params = format!("open-gop=1:keyint={gop}:min-keyint={gop}:scenecut=0:{params}");
    let coding = Coding {
        pixels: "yuv420p",
        profile,
        params: &params,
    };
    let stream = source(frames, coding);
    let wanted = decode(&stream);
    assert_eq!(wanted.len(), frames);
    let pictures = access_units(&stream);
    assert_eq!(idr_positions(&pictures), [0]);
    let points = recovery_positions(&pictures).len();
    assert!(points >= 2);
    let mut led = false;
    for which in 0..points {
        let opened = open(&stream, which);
        assert_eq!(opened.refused, None, "point {which}");
        let got = decode(&opened.splice.0);
        let pictures = access_units(&opened.splice.0).len();
        assert_eq!(got.len(), pictures);
        assert_eq!(got[..], wanted[frames - pictures..], "point {which}");
        led |= opened.leading > 0;
    }
    assert!(led, "no point had leading pictures");
}

#[test]
fn b_pyramid_cabac() {
    opens(48, "high", "bframes=3:b-pyramid=normal:ref=4:b-adapt=0");
}

#[test]
fn no_pyramid_one_reference() {
    opens(40, "main", "bframes=2:b-pyramid=none:ref=1:b-adapt=0");
}

#[test]
fn strict_pyramid_cavlc_with_slices() {
    opens(
        40,
        "main",
        "cabac=0:slices=3:bframes=3:b-pyramid=strict:ref=3:b-adapt=0",
    );
}

#[test]
fn weighted_prediction_and_temporal_direct() {
    opens(
        40,
        "high",
        "bframes=4:weightp=2:direct=temporal:ref=5:b-adapt=0",
    );
}

#[test]
fn interlaced() {
    opens(40, "high", "tff=1:bframes=3:ref=3:b-adapt=0");
}

#[test]
fn frame_numbers_and_picture_order_wrap() {
    opens_gops(40, 130, "high", "bframes=1:ref=1:b-adapt=0");
}

#[test]
fn from_the_next_idr_on_all_is_copied() {
    let coding = Coding {
        pixels: "yuv420p",
        profile: "high",
        params: "open-gop=1:keyint=12:min-keyint=12:scenecut=0:bframes=3:ref=3:b-adapt=0",
    };
    let once = source(20, coding);
    let twice = [once.as_slice(), &once].concat();
    let opened = open(&twice, 0);
    assert_eq!(opened.refused, None);
    let pictures = access_units(&opened.splice.0);
    let idr = idr_positions(&pictures);
    assert_eq!((idr.len(), idr[0], pictures.len() - idr[1]), (2, 0, 20));
    let wanted = decode(&twice);
    assert_eq!(
        decode(&opened.splice.0)[..],
        wanted[wanted.len() - pictures.len()..]
    );
}

#[test]
fn what_cannot_start_a_sequence_is_refused() {
    let coding = Coding {
        pixels: "yuv420p",
        profile: "main",
        params: "keyint=250:scenecut=0:bframes=2:b-adapt=0",
    };
    let stream = source(12, coding);
    let pictures = access_units(&stream);
    let rewrite = |at: usize| OpenGopRewriter::new(sets(&stream), 1).rewrite(&pack(&pictures[at]));
    assert_eq!(rewrite(0), Ok(Rewritten::Idr));
    assert_eq!(rewrite(1), Err(Refusal::NotIntra));
    assert_eq!(rewrite(2), Err(Refusal::NotIntra));
    let broken = OpenGopRewriter::new(sets(&stream), 1).rewrite(&[0, 0, 9]);
    assert!(matches!(broken, Err(Refusal::Syntax(_))));
}

#[test]
fn a_missing_picture_is_noticed() {
    let coding = Coding {
        pixels: "yuv420p",
        profile: "main",
        params: "open-gop=1:keyint=12:min-keyint=12:scenecut=0:bframes=2:b-pyramid=none:b-adapt=0",
    };
    let stream = source(24, coding);
    let pictures = access_units(&stream);
    let start = recovery_positions(&pictures)[0];
    let mut rewriter = OpenGopRewriter::new(sets(&stream), 1);
    let first = rewriter.rewrite(&pack(&pictures[start]));
    assert!(matches!(first, Ok(Rewritten::Picture(_))));
    // Behind the I picture and its two leading ones come P, B, B, P.
    let second_p = rewriter.rewrite(&pack(&pictures[start + 6]));
    assert_eq!(second_p, Err(Refusal::Gap));
}
