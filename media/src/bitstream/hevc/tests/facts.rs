//! What the parsers read is what the `ffmpeg` program reads and writes.

use super::ffmpeg::{EIGHT_BIT, FULL_RANGE, Samples, TEN_BIT, generate, run};
use super::stream::{Stream, keyframes};
use crate::bitstream::hevc::access_unit::Leading;
use crate::bitstream::hevc::slice::{SliceHeader, SliceType};
use crate::bitstream::hevc::{Hvcc, NalType};

/// The values of the field `name` in the order of the stream.
fn traced(trace: &str, name: &str) -> Vec<i64> {
    trace
        .lines()
        .filter(|line| line.contains(&format!(" {name} ")))
        .map(|line| {
            line.rsplit(' ')
                .next()
                .expect("value")
                .parse()
                .expect("number")
        })
        .collect()
}

/// Reads every slice and compares type, order count and QP with the tracer's.
fn agrees_with_tracer(samples: Samples, x265: &str) -> Stream {
    let data = generate(40, samples, x265);
    let args = [
        "-v",
        "info",
        "-f",
        "hevc",
        "-i",
        "-",
        "-c",
        "copy",
        "-bsf:v",
        "trace_headers",
    ];
    let (_, trace) = run(&[&args[..], &["-f", "null", "-"]].concat(), &data);
    let stream = Stream::parse(&data);
    let mut types = Vec::new();
    let mut counts = Vec::new();
    let mut deltas = Vec::new();
    for packet in &stream.packets {
        for unit in packet.units() {
            let Ok(header) = SliceHeader::parse(unit, &stream.sets) else {
                continue;
            };
            let Some(slice) = header.slice else { continue };
            let init = stream.sets.pps(header.start.pps_id).expect("PPS").init_qp;
            types.push(match slice.slice_type {
                SliceType::B => 0,
                SliceType::P => 1,
                SliceType::I => 2,
            });
            if !header.start.header.kind.is_idr() {
                counts.push(i64::from(slice.poc_lsb));
            }
            deltas.push(i64::from(slice.qp.expect("QP") - init));
        }
    }
    assert_eq!(types, traced(&trace, "slice_type"), "{x265}");
    assert_eq!(counts, traced(&trace, "slice_pic_order_cnt_lsb"), "{x265}");
    assert_eq!(deltas, traced(&trace, "slice_qp_delta"), "{x265}");
    assert!(types.len() >= 40);
    let shown = traced(&trace, "sps_max_num_reorder_pics[0]")
        .first()
        .copied();
    let sps = stream.sets.sps(0).expect("SPS");
    assert_eq!(
        shown,
        Some(i64::from(sps.ordering.layers[0].max_num_reorder))
    );
    stream
}

#[test]
fn slices_of_a_b_pyramid_are_read_to_the_qp() {
    let stream = agrees_with_tracer(
        EIGHT_BIT,
        "keyint=20:min-keyint=20:scenecut=0:open-gop=1:bframes=6:b-pyramid=1:ref=5:weightb=1",
    );
    assert_eq!(keyframes(&stream), [NalType::IDR_N_LP, NalType::CRA]);
    let leading = stream
        .packets
        .iter()
        .filter(|packet| packet.facts.leading == Some(Leading::Rasl));
    assert!(leading.count() >= 2);
    assert!(stream.packets.iter().any(|packet| packet.facts.disposable));
    assert!(
        stream
            .packets
            .iter()
            .all(|packet| packet.facts.qp.is_some())
    );
}

#[test]
fn slices_with_other_tools_are_read_to_the_qp() {
    let sets = "slices=2:ctu=16:no-sao=1:no-temporal-mvp=1:no-weightp=1:bframes=3:amp=1:rect=1";
    let stream = agrees_with_tracer(TEN_BIT, sets);
    assert!(stream.packets.iter().all(|packet| packet.facts.slices == 2));
    agrees_with_tracer(
        FULL_RANGE,
        "temporal-layers=1:scaling-list=default:tskip=1:cu-lossless=1",
    );
}

#[test]
fn leading_pictures_that_need_nothing_before_are_radl() {
    let radl = "radl=2:open-gop=0:keyint=20:min-keyint=20:scenecut=0:bframes=4:b-adapt=0";
    let stream = agrees_with_tracer(EIGHT_BIT, radl);
    assert_eq!(keyframes(&stream), [NalType::IDR_N_LP, NalType::IDR_W_RADL]);
    let leading: Vec<_> = stream
        .packets
        .iter()
        .filter_map(|packet| packet.facts.leading)
        .collect();
    assert_eq!(leading, [Leading::Radl; 2]);
}

#[test]
fn only_the_highest_sub_layer_is_disposable() {
    let stream = agrees_with_tracer(EIGHT_BIT, "temporal-layers=1:bframes=4:b-adapt=0");
    assert_eq!(stream.sets.sps(0).map(|sps| sps.max_sub_layers), Some(2));
    for packet in &stream.packets {
        assert!(!packet.facts.disposable || packet.facts.temporal_id == 1);
    }
    assert!(stream.packets.iter().any(|packet| packet.facts.disposable));
}

#[test]
fn the_qp_is_the_one_that_was_asked_for() {
    for qp in [18, 37] {
        let params = format!("qp={qp}:ipratio=1:pbratio=1:bframes=4");
        let stream = Stream::parse(&generate(20, EIGHT_BIT, &params));
        assert!(
            stream
                .packets
                .iter()
                .all(|packet| packet.facts.qp == Some(qp))
        );
    }
}

#[test]
fn ffmpegs_hvcc_is_read_and_written_byte_for_byte() {
    for (samples, profile) in [(EIGHT_BIT, 1), (TEN_BIT, 2)] {
        let stream = generate(3, samples, "bframes=2");
        let args = [
            "-v", "error", "-f", "hevc", "-i", "-", "-c", "copy", "-tag:v", "hvc1",
        ];
        let mp4 = ["-movflags", "frag_keyframe+empty_moov", "-f", "mp4", "-"];
        let (mp4, _) = run(&[&args[..], &mp4].concat(), &stream);
        let at = memchr::memmem::find(&mp4, b"hvcC").expect("hvcC");
        let size = u32::from_be_bytes(mp4[at - 4..at].try_into().expect("size")) as usize;
        let record = &mp4[at + 4..at - 4 + size];

        let theirs = Hvcc::parse(record).expect("parse");
        assert_eq!(theirs.to_bytes().as_deref(), Ok(record));
        assert_eq!(theirs.profile.profile_idc, profile);
        let ours = Hvcc::from_annex_b(&stream, true).expect("build");
        assert_eq!(ours.sets(), theirs.sets());
        let sets = |hvcc: &Hvcc| {
            let sets = |kind: NalType| kind.is_parameter_set();
            hvcc.arrays
                .iter()
                .filter(|array| sets(array.kind))
                .cloned()
                .collect::<Vec<_>>()
        };
        assert_eq!(sets(&ours), sets(&theirs));
        let summary = Hvcc {
            arrays: theirs.arrays.clone(),
            // FFmpeg reads these two behind the HRD and the PPS.
            min_spatial_segmentation: theirs.min_spatial_segmentation,
            parallelism: theirs.parallelism,
            ..ours
        };
        assert_eq!(summary, theirs);
    }
}
