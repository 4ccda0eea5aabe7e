//! A cut made of encoded and copied packets, and the look at each of its frames.

use super::ffmpeg::{Samples, decode, encode_edge, generate};
use super::stream::{Packet, Stream};
use crate::bitstream::hevc::{EdgeRewriter, Hvcc, NalType, resume_copy};
use crate::bitstream::nal::{annex_b, prefixed, push_prefixed};

/// A source with its pictures as decoded whole.
pub(super) struct Source {
    pub(super) samples: Samples,
    pub(super) stream: Stream,
    frames: Vec<Vec<u8>>,
}

impl Source {
    pub(super) fn new(samples: Samples, x265: &str) -> Self {
        let data = generate(60, samples, x265);
        let frames = decode(&data, samples);
        assert_eq!(frames.len(), 60);
        Self {
            samples,
            stream: Stream::parse(&data),
            frames,
        }
    }
}

/// A cut's stream, and for each of its frames whether it was copied.
pub(super) struct Cut {
    pub(super) stream: Vec<u8>,
    pub(super) copied: Vec<bool>,
    /// Where the first copied packet begins.
    pub(super) seam: usize,
}

/// The pictures `start..end` of the source: encoded up to the first random
/// access point, copied to the last point in decoding order at which all shown
/// pictures are complete, encoded from there.
fn cut(source: &Source, start: usize, end: usize, edge_params: &str) -> Cut {
    let (first, first_shown) = seam(&source.stream.packets, start);
    let bla = source.stream.packets[first]
        .facts
        .irap
        .is_some_and(NalType::is_cra);
    let mut copied: Vec<&Packet> = Vec::new();
    let mut complete = 0;
    let mut leads = bla;
    for packet in &source.stream.packets[first..] {
        leads &= packet.shown == first_shown || packet.facts.leading.is_some();
        if leads && packet.facts.leading.is_some() {
            continue;
        }
        copied.push(packet);
        let last = copied
            .iter()
            .map(|packet| packet.shown)
            .max()
            .expect("packet");
        if last < end && last + 1 - first_shown == copied.len() {
            complete = copied.len();
        }
    }
    copied.truncate(complete);
    let tail = first_shown + complete;

    let mut spliced = Vec::new();
    encode(source, start..first_shown, edge_params, &mut spliced);
    let seam = spliced.len();
    for (index, packet) in copied.iter().enumerate() {
        if index == 0 {
            spliced.extend(resume_copy(&source.stream.sets, packet.units()).expect("resume"));
        } else {
            packet
                .units()
                .for_each(|unit| push_prefixed(&mut spliced, unit));
        }
    }
    encode(source, tail..end, edge_params, &mut spliced);
    Cut {
        stream: spliced,
        copied: (start..end)
            .map(|shown| (first_shown..tail).contains(&shown))
            .collect(),
        seam,
    }
}

/// The first random access point from which on everything shown lies behind
/// `start`, and the first picture shown from it. An IDR's leading pictures can
/// be copied, a CRA's cannot.
fn seam(packets: &[Packet], start: usize) -> (usize, usize) {
    let candidates = packets.iter().enumerate().filter_map(|(index, packet)| {
        let irap = packet.facts.irap?;
        let leading = packets[index + 1..]
            .iter()
            .take_while(|packet| packet.facts.leading.is_some() && irap.is_idr())
            .map(|packet| packet.shown);
        let first_shown = leading.min().unwrap_or(packet.shown);
        (first_shown >= start).then_some((index, first_shown))
    });
    candidates.min().expect("a seam")
}

/// Encodes pictures of the source and appends them under ids of their own.
fn encode(source: &Source, shown: std::ops::Range<usize>, params: &str, out: &mut Vec<u8>) {
    if shown.is_empty() {
        return;
    }
    let count = shown.len();
    let encoded = encode_edge(&source.frames[shown].concat(), source.samples, params);
    let rewriter = EdgeRewriter::new(&source.stream.sets, annex_b(&encoded)).expect("suitable");
    let encoded = Stream::parse(&encoded);
    assert_eq!(encoded.packets.len(), count);

    let mut hvcc =
        Hvcc::from_units(source.stream.sets.units().map(|(_, unit)| unit), true).expect("hvcC");
    for (_, unit) in rewriter.sets() {
        hvcc.push(unit, true).expect("push");
    }
    let both = Hvcc::parse(&hvcc.to_bytes().expect("write"))
        .expect("parse")
        .sets()
        .expect("sets");
    assert!(both.active(0).is_some() && both.active(15).is_some());

    for packet in &encoded.packets {
        if packet.facts.irap.is_some() {
            out.extend(rewriter.in_band());
        }
        out.extend(rewriter.rewrite(packet.units()).expect("rewrite"));
    }
}

/// Length prefixes to start codes.
pub(super) fn start_codes(data: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    for unit in prefixed(data, 4) {
        out.extend_from_slice(&[0, 0, 0, 1]);
        out.extend_from_slice(unit.expect("unit"));
    }
    out
}

/// Cuts, decodes without a warning, and looks at every frame.
pub(super) fn exact(source: &Source, start: usize, end: usize, edge_params: &str) -> Cut {
    let cut = cut(source, start, end, edge_params);
    let stream = start_codes(&cut.stream);
    if let Ok(folder) = std::env::var("FLATBED_KEEP_SPLICES") {
        keep(&folder, &stream, source, &cut, start);
    }
    let frames = decode(&stream, source.samples);
    assert_eq!(frames.len(), end - start, "frames shown");
    for (index, (frame, &copied)) in frames.iter().zip(&cut.copied).enumerate() {
        let shown = start + index;
        if copied {
            assert!(
                *frame == source.frames[shown],
                "copied frame {shown} differs"
            );
            continue;
        }
        let near = shown.saturating_sub(3)..(shown + 4).min(source.frames.len());
        let best = near.min_by_key(|&other| difference(frame, &source.frames[other]));
        assert_eq!(best, Some(shown), "encoded frame {shown} is another one");
        assert!(difference(frame, &source.frames[shown]) < 2 * frame.len() as u64);
    }
    cut
}

fn difference(a: &[u8], b: &[u8]) -> u64 {
    a.iter()
        .zip(b)
        .map(|(&a, &b)| u64::from(a.abs_diff(b)))
        .sum()
}

/// For other decoders, by hand: the stream, and what it should decode to where
/// frames were copied.
fn keep(folder: &str, stream: &[u8], source: &Source, cut: &Cut, start: usize) {
    let name = std::thread::current()
        .name()
        .unwrap_or("splice")
        .replace("::", "-");
    let base = format!("{folder}/{name}-{start}");
    std::fs::write(format!("{base}.hevc"), stream).expect("write");
    let range = start..start + cut.copied.len();
    std::fs::write(format!("{base}.yuv"), source.frames[range].concat()).expect("write");
    let map: String = cut
        .copied
        .iter()
        .map(|&copied| if copied { 'c' } else { 'e' })
        .collect();
    std::fs::write(format!("{base}.map"), map).expect("write");
}
