//! Every slice of real streams survives being read and written.

use super::support::{Coding, access_units, sets, source};
use crate::bitstream::h264::slice::{SliceHeader, SliceType, Structure};
use crate::bitstream::h264::{AccessUnit, ParameterSets, SlicePeek, recovery_point, unit};
use crate::bitstream::nal::{annex_b, unescape};

fn survives(pixels: &str, profile: &str, params: &str) {
    let coding = Coding {
        pixels,
        profile,
        params,
    };
    let stream = source(20, coding);
    let sets = sets(&stream);
    let mut slices = 0;
    for nal in annex_b(&stream) {
        let Ok(peek) = SlicePeek::parse(nal) else {
            continue;
        };
        let slice = SliceHeader::parse(nal, &sets).expect("a header");
        assert_eq!((slice.first_mb, slice.pps_id), (peek.first_mb, peek.pps_id));
        assert_eq!(slice.slice_type, peek.slice_type);
        let (sps, pps) = sets.active(slice.pps_id).expect("sets");
        let again = slice.write(&unescape(nal), sps, pps).expect("a slice");
        assert_eq!(again, nal);
        slices += 1;
    }
    assert!(slices >= 20);
}

#[test]
fn cabac_with_weights_and_reordering() {
    survives("yuv420p", "high", "bframes=3:ref=4:weightp=2:b-adapt=0");
}

#[test]
fn cavlc_in_slices() {
    survives(
        "yuv420p",
        "baseline",
        "slices=4:ref=3:weightp=0:deblock=1,-1",
    );
}

#[test]
fn interlaced_without_deblocking() {
    survives("yuv420p", "main", "tff=1:ref=2:bframes=2:no-deblock=1");
}

#[test]
fn colour_of_444_with_weights() {
    survives("yuv444p", "high444", "ref=3:weightp=2");
}

#[test]
fn access_units_tell_what_they_are() {
    let coding = Coding {
        pixels: "yuv420p",
        profile: "high",
        params: "qp=20:ipratio=1:pbratio=1:aq-mode=0:slices=2:aud=1:bframes=2:b-adapt=0:\
                 b-pyramid=none:keyint=10:min-keyint=10:open-gop=1:scenecut=0:weightp=0",
    };
    let stream = source(20, coding);
    let sets = sets(&stream);
    let found: Vec<_> = access_units(&stream)
        .into_iter()
        .map(|units| AccessUnit::inspect(units, &sets))
        .collect();
    assert_eq!(found.len(), 20);
    assert!(found.iter().all(|unit| unit.mean_qp() == Some(20.0)));
    let idr_pic_id = |at: usize| found[at].first.and_then(|first| first.idr_pic_id);
    assert_eq!((idr_pic_id(0), idr_pic_id(1)), (Some(0), None));
    let points: Vec<_> = annex_b(&stream).filter_map(recovery_point).collect();
    assert_eq!(points.len(), 1);
    assert_eq!(points[0].frames, 0);
    let unknown = AccessUnit::inspect([&[0x65u8, 0x88][..]], &ParameterSets::new());
    assert_eq!((unknown.first, unknown.mean_qp()), (None, None));
}

#[test]
fn the_fields_of_an_idr_slice() {
    let coding = Coding {
        pixels: "yuv420p",
        profile: "high",
        params: "qp=30:ipratio=1",
    };
    let stream = source(1, coding);
    let sets = sets(&stream);
    let nal = annex_b(&stream).find(|nal| unit::kind(nal) == unit::IDR);
    let slice = SliceHeader::parse(nal.expect("an IDR slice"), &sets).expect("a header");
    assert!(slice.is_idr() && slice.is_reference());
    assert_eq!(
        (slice.slice_type, slice.structure),
        (SliceType::I, Structure::Frame)
    );
    assert_eq!((slice.frame_num, slice.poc_lsb), (0, 0));
    assert_eq!(slice.qp, 30);
    assert!(slice.pred_weights.is_empty() && slice.data_at > 16);
}
