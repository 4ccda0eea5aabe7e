//! The NAL units of a clip's pictures.

use std::fs;

use super::clip::Clip;
use super::original::has_extension;
use crate::observe::Packet;

/// The coded pictures of the clip, with start codes.
pub fn samples(clip: &Clip<'_>) -> Vec<Vec<u8>> {
    let mut stream = fs::read(&clip.path).expect("the clip is there");
    let is_ts = has_extension(&clip.path, "ts");
    if is_ts {
        stream = elementary(&stream);
        return vec![stream];
    }
    let sample = |packet: &Packet| {
        let at = packet.pos.expect("a position") as usize;
        start_codes(&stream[at..at + packet.size as usize])
    };
    clip.packets.iter().map(sample).collect()
}

/// The units of a stream with start codes.
pub fn annex_b(stream: &[u8]) -> Vec<&[u8]> {
    let mut starts: Vec<usize> = stream
        .windows(3)
        .enumerate()
        .filter(|(_, bytes)| *bytes == [0, 0, 1])
        .map(|(at, _)| at)
        .collect();
    starts.push(stream.len());
    starts
        .windows(2)
        .map(|pair| &stream[pair[0] + 3..pair[1]])
        .collect()
}

/// Four-byte lengths become start codes.
fn start_codes(mut sample: &[u8]) -> Vec<u8> {
    let mut stream = Vec::new();
    while let [a, b, c, d, rest @ ..] = sample {
        let length = u32::from_be_bytes([*a, *b, *c, *d]) as usize;
        stream.extend([0, 0, 1]);
        stream.extend(&rest[..length]);
        sample = &rest[length..];
    }
    stream
}

/// The payload of the first PID that carries pictures (ISO/IEC 13818-1, 2.4.3).
fn elementary(stream: &[u8]) -> Vec<u8> {
    let mut found = Vec::new();
    for packet in stream.chunks_exact(188) {
        let pid = u16::from_be_bytes([packet[1] & 0x1F, packet[2]]);
        let skip = if packet[3] & 0x20 == 0 {
            4
        } else {
            5 + usize::from(packet[4])
        };
        if pid == 0x100 && packet[3] & 0x10 != 0 {
            found.extend(packet.get(skip..).unwrap_or_default());
        }
    }
    found
}
