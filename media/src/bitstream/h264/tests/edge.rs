//! Encoded edges under the source's SPS, for every kind of source that x264 makes.

use super::support::{
    Coding, Splice, access_units, decode, encode_again, idr_positions, sets, source,
};
use crate::bitstream::bits::{BitReader, BitWriter};
use crate::bitstream::h264::unsuitable::Unsuitable;
use crate::bitstream::h264::{AccessUnit, EdgeRewriter, ParameterSets, unit};
use crate::bitstream::nal::{annex_b, escape, unescape};

/// Cuts a source of four GOPs in its first and in its last one, and requires
/// every frame: the copied ones as they were, the encoded ones as encoded.
fn splice(coding: Coding, edge: Coding) {
    splice_gops(12, coding, edge);
}

fn splice_gops(gop: usize, coding: Coding, edge: Coding) {
    let params = format!("keyint={gop}:min-keyint={gop}:scenecut=0:{}", coding.params);
    let coding = Coding {
        params: &params,
        ..coding
    };
    splice_stream(gop, &source(4 * gop, coding), edge);
}

fn splice_stream(gop: usize, stream: &[u8], edge: Coding) {
    let pictures = access_units(stream);
    let idr = idr_positions(&pictures);
    assert!([0, gop, 2 * gop, 3 * gop].iter().all(|at| idr.contains(at)));
    let (start, end) = (5, 4 * gop - 4);

    let edge_params = format!("bframes=0:ref=1:scenecut=0:{}", edge.params);
    let edge = Coding {
        params: &edge_params,
        ..edge
    };
    let head = encode_again(stream, start, gop, edge);
    let tail = encode_again(stream, 3 * gop, end, edge);

    let sets_of_source = sets(stream);
    let id = sets_of_source.free_pps_id().expect("a free id");
    let mut out = Splice::default();
    for nal in sets_of_source.sps_units().chain(sets_of_source.pps_units()) {
        out.unit(nal);
    }
    let mut rewriter =
        EdgeRewriter::new(&sets_of_source, 0, &sets(&head), id).expect("a suitable encoder");
    out.unit(rewriter.pps());

    let first = |at: usize| {
        let found = AccessUnit::inspect(pictures[at].iter().copied(), &sets_of_source);
        found.first.expect("a slice")
    };
    let bottom_first = first(0).delta_poc_bottom < 0;
    rewriter.begin(None, first(gop).idr_pic_id, bottom_first);
    for picture in access_units(&head) {
        out.sample(&rewriter.rewrite(picture).expect("a rewritten picture"));
    }
    out.copy(&pictures[gop..3 * gop]);
    let last_idr = idr.into_iter().rfind(|&at| at < 3 * gop);
    let last_idr = last_idr.expect("an IDR picture");
    rewriter.begin(first(last_idr).idr_pic_id, None, bottom_first);
    for picture in access_units(&tail) {
        out.sample(&rewriter.rewrite(picture).expect("a rewritten picture"));
    }

    let got = decode(&out.0);
    let mut wanted = decode(&head);
    wanted.extend_from_slice(&decode(stream)[gop..3 * gop]);
    wanted.extend(decode(&tail));
    assert_eq!(wanted.len(), end - start);
    assert_eq!(got, wanted);
}

fn coding<'a>(pixels: &'a str, profile: &'a str, params: &'a str) -> Coding<'a> {
    Coding {
        pixels,
        profile,
        params,
    }
}

fn yuv420<'a>(profile: &'a str, params: &'a str) -> Coding<'a> {
    coding("yuv420p", profile, params)
}

#[test]
fn baseline() {
    splice(yuv420("baseline", ""), yuv420("baseline", ""));
}

#[test]
fn main_cabac_with_b_pyramid() {
    splice(
        yuv420("main", "bframes=3:b-pyramid=normal:ref=4:b-adapt=0"),
        yuv420("main", ""),
    );
}

#[test]
fn main_cavlc() {
    splice(
        yuv420("main", "cabac=0:bframes=2:ref=2:weightp=2"),
        yuv420("main", "cabac=0"),
    );
}

#[test]
fn high_with_rate_control_and_delimiters() {
    splice(
        yuv420(
            "high",
            "8x8dct=1:bframes=3:ref=3:weightp=2:aud=1:nal-hrd=vbr:vbv-maxrate=500:vbv-bufsize=500",
        ),
        yuv420("high", "8x8dct=1:weightp=2:aud=1"),
    );
}

#[test]
fn high_cavlc_with_slices() {
    splice(
        yuv420("high", "cabac=0:8x8dct=1:slices=4:bframes=2"),
        yuv420("high", "cabac=0:8x8dct=1:slices=4"),
    );
}

#[test]
fn one_reference_without_b_frames_is_poc_type_2() {
    splice(
        yuv420("high", "bframes=0:ref=1:slices=4"),
        yuv420("high", ""),
    );
}

#[test]
fn interlaced_macroblock_pairs() {
    splice(
        yuv420("high", "tff=1:bframes=2:ref=2"),
        yuv420("high", "tff=1"),
    );
}

#[test]
fn interlaced_bottom_field_first() {
    splice(
        yuv420("main", "bff=1:bframes=2:cabac=0"),
        yuv420("main", "bff=1:cabac=0"),
    );
}

#[test]
fn frames_in_a_sequence_that_may_have_fields() {
    splice(
        yuv420("high", "fake-interlaced=1:bframes=2"),
        yuv420("high", "fake-interlaced=1"),
    );
}

#[test]
fn chroma_422() {
    splice(
        coding("yuv422p", "high422", "bframes=2"),
        coding("yuv422p", "high422", ""),
    );
}

#[test]
fn chroma_444() {
    splice(
        coding("yuv444p", "high444", "bframes=2:weightp=2"),
        coding("yuv444p", "high444", ""),
    );
}

#[test]
fn ten_bits() {
    splice(
        coding("yuv420p10le", "high10", "bframes=2"),
        coding("yuv420p10le", "high10", ""),
    );
}

#[test]
fn grey() {
    splice(
        coding("gray", "high", "bframes=2"),
        coding("gray", "high", ""),
    );
}

#[test]
fn edges_longer_than_the_frame_numbers() {
    // x264 numbers in four bits here: 35 frames wrap twice.
    splice_gops(
        40,
        yuv420("high", "bframes=3:ref=4"),
        yuv420("high", "weightp=2"),
    );
}

/// A stream with x264's `cqm=jvt`, whose PPS has the default scaling lists, with
/// an SPS that has them too: it decodes the same.
fn with_matrix_in_sps(stream: &[u8], lists: u32) -> Vec<u8> {
    let mut out = Splice::default();
    for nal in annex_b(stream) {
        if unit::kind(nal) != unit::SPS {
            out.unit(nal);
            continue;
        }
        let rbsp = unescape(nal);
        let mut reader = BitReader::new(&rbsp);
        reader.skip(32).expect("profile and level");
        reader.ue().expect("the id");
        if reader.ue().expect("the chroma format") == 3 {
            reader.skip(1).expect("separate planes");
        }
        for _ in 0..2 {
            reader.ue().expect("a bit depth");
        }
        reader.skip(1).expect("lossless bypass");
        let at = reader.position();
        assert_eq!(reader.flag(), Ok(false), "x264 puts no lists into its SPS");
        let mut writer = BitWriter::new();
        writer.copy(&rbsp, 0, at);
        writer.flag(true);
        writer.bits(0, lists); // not present: the default lists (fall-back rule A)
        writer.copy(&rbsp, at + 1, rbsp.len() * 8);
        out.unit(&escape(&writer.into_bytes()));
    }
    out.0
}

fn splice_with_matrix_in_sps(coding: Coding, edge: Coding) {
    let params = format!("keyint=12:min-keyint=12:scenecut=0:{}", coding.params);
    let coding = Coding {
        params: &params,
        ..coding
    };
    let lists = if coding.pixels == "yuv444p" { 12 } else { 8 };
    let stream = with_matrix_in_sps(&source(48, coding), lists);
    splice_stream(12, &stream, edge);
}

#[test]
fn scaling_matrices_of_the_source_do_not_reach_the_edges() {
    splice_with_matrix_in_sps(yuv420("high", "cqm=jvt:bframes=2"), yuv420("high", ""));
}

#[test]
fn scaling_matrices_without_the_8x8_transform() {
    splice_with_matrix_in_sps(
        yuv420("high", "cqm=jvt:8x8dct=0"),
        yuv420("high", "8x8dct=0"),
    );
}

#[test]
fn scaling_matrices_of_444() {
    splice_with_matrix_in_sps(
        coding("yuv444p", "high444", "cqm=jvt:bframes=2"),
        coding("yuv444p", "high444", ""),
    );
}

#[test]
fn scaling_matrices_in_the_encoders_pps() {
    splice(
        yuv420("high", "cqm=jvt:bframes=2"),
        yuv420("high", "cqm=jvt"),
    );
}

#[test]
fn what_does_not_fit_is_named() {
    let parameters = |params| sets(&source(1, yuv420("high", params)));
    let high = parameters("bframes=3:ref=3");
    let reason = |source: &ParameterSets, encoder: &ParameterSets| {
        EdgeRewriter::new(source, 0, encoder, 7).err()
    };
    let cases = [
        ("cabac=0", Some(Unsuitable::Entropy)),
        ("tff=1", Some(Unsuitable::Interlacing)),
        ("fake-interlaced=1", Some(Unsuitable::Interlacing)),
        ("bframes=0:ref=6", Some(Unsuitable::References)),
        ("bframes=0:ref=1", None),
    ];
    for (params, wanted) in cases {
        assert_eq!(reason(&high, &parameters(params)), wanted, "{params}");
    }
    let main = sets(&source(1, yuv420("main", "")));
    assert_eq!(reason(&main, &high), Some(Unsuitable::Transform8x8));
    let ten_bits = sets(&source(1, coding("yuv420p10le", "high10", "")));
    assert_eq!(reason(&ten_bits, &high), Some(Unsuitable::BitDepth));
    let wide = sets(&source(1, coding("yuv422p", "high422", "")));
    assert_eq!(reason(&wide, &high), Some(Unsuitable::ChromaFormat));
    let taken = EdgeRewriter::new(&high, 0, &high, 0).err();
    assert_eq!(taken, Some(Unsuitable::IdsTaken));
    let mut rewriter = EdgeRewriter::new(&high, 0, &high, 7).expect("itself");
    let later: &[u8] = &[0x41, 0x9a];
    assert!(rewriter.rewrite([later]).is_err());
}

#[test]
fn intra_only() {
    splice(
        coding("yuv420p10le", "high10", "keyint=1:bframes=0"),
        coding("yuv420p10le", "high10", "keyint=1"),
    );
}
