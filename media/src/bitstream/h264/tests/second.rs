//! Edges under an SPS of their own.

use super::support::{Coding, Splice, access_units, decode, encode_again, sets, source};
use crate::bitstream::h264::unsuitable::Unsuitable;
use crate::bitstream::h264::{AvcConfig, Sps, second_sets, slices_only};
use crate::bitstream::nal::annex_b;

#[test]
fn both_pairs_of_sets_in_front() {
    let coding = Coding {
        pixels: "yuv420p",
        profile: "high",
        params: "keyint=12:min-keyint=12:scenecut=0:bframes=3:ref=4:aud=1",
    };
    let stream = source(36, coding);
    let source_sets = sets(&stream);
    let id = source_sets.free_id().expect("a free id");
    let params = format!("bframes=0:ref=1:sps-id={id}");
    let edge = Coding {
        params: &params,
        ..coding
    };
    let head = encode_again(&stream, 4, 12, edge);
    let second = second_sets(&source_sets, 0, &sets(&head)).expect("second sets");
    let reorder = source_sets.sps(0).map(Sps::reorder_frames);
    assert_eq!(
        Sps::parse(&second.sps).map(|sps| sps.reorder_frames()).ok(),
        reorder
    );
    assert_eq!(
        second_sets(&source_sets, 0, &source_sets),
        Err(Unsuitable::IdsTaken)
    );

    let mut config = AvcConfig::from_extradata(&stream).expect("a configuration");
    config.sps.push(second.sps);
    config.pps.extend(second.pps);
    let record = config.build().expect("a record");
    assert_eq!(AvcConfig::parse(&record).as_ref(), Ok(&config));
    assert_eq!(AvcConfig::from_extradata(&record).as_ref(), Ok(&config));

    let mut out = Splice::default();
    for nal in config.sps.iter().chain(&config.pps) {
        out.unit(nal);
    }
    for picture in access_units(&head) {
        out.sample(&slices_only(picture));
    }
    out.copy(&access_units(&stream)[12..]);
    let mut wanted = decode(&head);
    wanted.extend_from_slice(&decode(&stream)[12..]);
    assert_eq!(decode(&out.0), wanted);
    assert!(annex_b(&out.0).count() > 32);
}
