//! What a packet of an unparsed transport stream begins with.

use crate::av::packet::Packet;
use crate::av::parameters::CodecId;
use crate::bitstream::{h264, hevc, nal};

/// Whether packets of this codec can be judged here.
pub(super) fn is_known(codec: CodecId) -> bool {
    matches!(codec, CodecId::AV_CODEC_ID_H264 | CodecId::AV_CODEC_ID_HEVC)
}

/// Whether the packet starts with a start code.
pub(super) fn begins_unit(packet: &Packet) -> bool {
    let data = packet.data();
    data.starts_with(&[0, 0, 1]) || data.starts_with(&[0, 0, 0, 1])
}

/// Whether decoding can begin with this packet: an IDR picture or a recovery
/// point of H.264, a random access point of HEVC.
pub(super) fn is_entry(codec: CodecId, packet: &Packet) -> bool {
    let mut units = nal::annex_b(packet.data());
    if codec == CodecId::AV_CODEC_ID_H264 {
        return units.any(|unit| match h264::unit::kind(unit) {
            h264::unit::IDR => true,
            h264::unit::SEI => h264::recovery_point(unit).is_some_and(|point| point.frames == 0),
            _ => false,
        });
    }
    units.any(|unit| hevc::NalHeader::parse(unit).is_ok_and(|header| header.kind.is_irap()))
}

/// Whether the packet holds one picture, from its beginning on.
pub(super) fn is_one_picture(codec: CodecId, packet: &Packet) -> bool {
    let mut pictures = 0;
    for unit in nal::annex_b(packet.data()) {
        // A slice at the picture's first block says so in its first bit.
        let begins = if codec == CodecId::AV_CODEC_ID_H264 {
            let slice = h264::unit::Header::of(unit).is_some_and(h264::unit::Header::is_slice);
            slice.then(|| unit.get(1).is_some_and(|byte| byte & 0x80 != 0))
        } else {
            let slice = hevc::NalHeader::parse(unit).is_ok_and(|header| header.kind.is_vcl());
            slice.then(|| hevc::begins_picture(unit))
        };
        match begins {
            Some(false) if pictures == 0 => return false,
            Some(true) => pictures += 1,
            _ => {}
        }
    }
    pictures == 1
}
