//! Field pictures (PAFF). No encoder at hand makes them, so a progressive CAVLC
//! stream of fields gets slice headers that say so: its residuals are then
//! scanned in another order, and the picture looks odd, but it is a valid stream
//! with one right decoding.

use super::support::{
    Coding, Splice, access_units, decode, encode_again, pack, sets, source_of_size,
};
use crate::bitstream::bits::BitWriter;
use crate::bitstream::h264::ref_lists::Marking;
use crate::bitstream::h264::refusal::Refusal;
use crate::bitstream::h264::reorder::with_restriction;
use crate::bitstream::h264::slice::{SliceHeader, Structure};
use crate::bitstream::h264::unsuitable::Unsuitable;
use crate::bitstream::h264::{AccessUnit, EdgeRewriter, OpenGopRewriter, ParameterSets, unit};
use crate::bitstream::nal::{escape, unescape};

/// Frames in a GOP.
const GOP: usize = 12;

/// An SPS of Main profile for 160x128 with field pictures, POC type 0.
fn field_sps() -> Vec<u8> {
    let mut writer = BitWriter::new();
    for byte in [0x67, 77, 0, 30] {
        writer.bits(byte, 8);
    }
    for value in [0, 4, 0, 4, 2] {
        // id, log2_max_frame_num, poc_type, log2_max_poc_lsb, max_num_ref_frames
        writer.ue(value);
    }
    writer.flag(false); // gaps
    writer.ue(160 / 16 - 1);
    writer.ue(128 / 32 - 1);
    writer.flag(false); // frame_mbs_only
    writer.flag(false); // mbaff
    writer.flag(true); // direct_8x8_inference
    writer.bits(0, 2); // no cropping, no VUI
    writer.trailing();
    with_restriction(&escape(&writer.into_bytes()), 0, 2).expect("an SPS")
}

/// Two fields of a frame in each access unit.
fn field_stream() -> (ParameterSets, Vec<Vec<Vec<u8>>>) {
    let params = format!(
        "bframes=0:ref=1:cabac=0:weightp=0:scenecut=0:keyint={}",
        2 * GOP
    );
    let coding = Coding {
        pixels: "yuv420p",
        profile: "main",
        params: &params,
    };
    let stream = source_of_size("160x64", 6 * GOP, coding);
    let progressive = sets(&stream);
    let mut interlaced = ParameterSets::new();
    interlaced.insert(&field_sps()).expect("an SPS");
    for nal in progressive.pps_units() {
        interlaced.insert(nal).expect("a PPS");
    }
    let mut fields = Vec::new();
    for (at, picture) in access_units(&stream).iter().enumerate() {
        let in_gop = at % (2 * GOP);
        let nal = picture
            .iter()
            .find(|nal| SliceHeader::parse(nal, &progressive).is_ok());
        let rbsp = unescape(nal.expect("a slice"));
        let mut slice = SliceHeader::parse(&rbsp, &progressive).expect("a slice");
        assert_eq!(slice.is_idr(), in_gop == 0);
        slice.structure = if at % 2 == 0 {
            Structure::TopField
        } else {
            Structure::BottomField
        };
        slice.frame_num = u32::try_from(in_gop / 2).expect("small");
        slice.poc_lsb = u32::try_from(in_gop).expect("small");
        let (sps, pps) = interlaced.active(slice.pps_id).expect("sets");
        fields.push(slice.write(&rbsp, sps, pps).expect("a field"));
    }
    let frames = fields.chunks(2).map(<[_]>::to_vec).collect();
    (interlaced, frames)
}

fn join(sets: &ParameterSets, frames: &[Vec<Vec<u8>>]) -> Splice {
    let mut out = Splice::default();
    for nal in sets.sps_units().chain(sets.pps_units()) {
        out.unit(nal);
    }
    for nal in frames.iter().flatten() {
        out.unit(nal);
    }
    out
}

fn edge_coding(params: &str) -> Coding<'_> {
    Coding {
        pixels: "yuv420p",
        profile: "main",
        params,
    }
}

#[test]
fn edges_of_frames_beside_field_pictures() {
    let (sets_of_source, frames) = field_stream();
    let stream = join(&sets_of_source, &frames).0;
    let shown = decode(&stream);
    assert_eq!(shown.len(), 3 * GOP);

    let units = frames[GOP].iter().map(Vec::as_slice);
    let found = AccessUnit::inspect(units, &sets_of_source);
    let idr_pic_id = found.first.and_then(|first| first.idr_pic_id);
    assert!(idr_pic_id.is_some());

    let edge = edge_coding("bframes=0:ref=1:scenecut=0:cabac=0:fake-interlaced=1");
    let head = encode_again(&stream, 3, GOP, edge);
    let tail = encode_again(&stream, 2 * GOP, 2 * GOP + 5, edge);
    let id = sets_of_source.free_pps_id().expect("a free id");
    let mut rewriter =
        EdgeRewriter::new(&sets_of_source, 0, &sets(&head), id).expect("a suitable encoder");
    let mut out = join(&sets_of_source, &[]);
    out.unit(rewriter.pps());
    rewriter.begin(None, idr_pic_id, false);
    for picture in access_units(&head) {
        out.sample(&rewriter.rewrite(picture).expect("a picture"));
    }
    for nal in frames[GOP..2 * GOP].iter().flatten() {
        out.unit(nal);
    }
    rewriter.begin(idr_pic_id, None, false);
    for picture in access_units(&tail) {
        out.sample(&rewriter.rewrite(picture).expect("a picture"));
    }
    let wanted = [decode(&head), shown[GOP..2 * GOP].to_vec(), decode(&tail)];
    assert_eq!(decode(&out.0), wanted.concat());

    let progressive = encode_again(&stream, 0, 1, edge_coding("bframes=0:cabac=0"));
    let other = EdgeRewriter::new(&sets_of_source, 0, &sets(&progressive), id);
    assert_eq!(other.err(), Some(Unsuitable::Interlacing));
}

#[test]
fn open_gops_of_fields_are_refused() {
    let (sets, frames) = field_stream();
    let mut rewriter = OpenGopRewriter::new(sets.clone(), 1);
    let units: Vec<_> = frames[1].iter().map(Vec::as_slice).collect();
    assert_eq!(rewriter.rewrite(&pack(&units)), Err(Refusal::FieldPicture));
    let slice = SliceHeader::parse(&frames[0][0], &sets).expect("a slice");
    assert!(matches!(slice.marking, Marking::Idr { .. }));
    assert_eq!(unit::kind(&frames[0][0]), unit::IDR);
}
