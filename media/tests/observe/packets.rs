//! What the container says about each packet, through ffprobe.

use std::path::Path;

use serde_json::Value;

use super::tool;

/// One coded packet. Times are in ticks of the stream's time base.
#[derive(Clone, Debug, PartialEq)]
pub struct Packet {
    pub pts: Option<i64>,
    pub dts: Option<i64>,
    pub duration: Option<i64>,
    pub key: bool,
    /// Decoded but not shown: in front of or behind an edit.
    pub discard: bool,
    /// Byte position in the file, where the demuxer knows it.
    pub pos: Option<u64>,
    pub size: u64,
    /// Seconds in one tick.
    pub tick: f64,
}

/// The packets of the first video stream, in file order.
pub fn packets(path: &Path) -> Vec<Packet> {
    packets_of(path, "v:0")
}

/// The packets of the stream with ffmpeg's specifier `stream` (`a:0`).
pub fn packets_of(path: &Path, stream: &str) -> Vec<Packet> {
    let entries = "packet=pts,dts,duration,flags,pos,size:stream=time_base";
    let facts = tool::probe(path, &["-select_streams", stream, "-show_entries", entries]);
    let base = facts["streams"][0]["time_base"].as_str();
    let base = base.unwrap_or_else(|| panic!("{}: no stream {stream}", path.display()));
    let (numerator, denominator) = base.split_once('/').expect("a time base is a ratio");
    let number = |text: &str| text.parse::<f64>().expect("a number");
    let tick = number(numerator) / number(denominator);
    let packets = facts["packets"].as_array().map_or(&[][..], Vec::as_slice);
    packets.iter().map(|packet| read(packet, tick)).collect()
}

fn read(packet: &Value, tick: f64) -> Packet {
    let text = |name: &str| packet[name].as_str().and_then(|text| text.parse().ok());
    let flags = packet["flags"].as_str().unwrap_or_default();
    Packet {
        pts: packet["pts"].as_i64(),
        dts: packet["dts"].as_i64(),
        duration: packet["duration"].as_i64(),
        key: flags.contains('K'),
        discard: flags.contains('D'),
        pos: text("pos"),
        size: text("size").expect("a packet has a size"),
        tick,
    }
}

/// Checks that DTS rise strictly, that no two PTS are the same, and that DTS ≤ PTS.
///
/// # Panics
/// With the first packet that breaks a rule.
pub fn check_order(packets: &[Packet]) {
    let mut times = Vec::new();
    let mut last = None;
    for (index, packet) in packets.iter().enumerate() {
        let (Some(pts), Some(dts)) = (packet.pts, packet.dts) else {
            panic!("packet {index} lacks a time: {packet:?}")
        };
        assert!(last < Some(dts), "packet {index}: DTS {dts} after {last:?}");
        assert!(
            dts <= pts,
            "packet {index}: DTS {dts} is behind its PTS {pts}"
        );
        last = Some(dts);
        times.push(pts);
    }
    times.sort_unstable();
    let twice = times.windows(2).find(|pair| pair[0] == pair[1]);
    assert!(twice.is_none(), "PTS {twice:?} occurs twice");
}

/// Checks [`check_order`]'s rules and that frames follow each other by 1 / `fps` throughout:
/// exactly, or within a tick where the container's ticks do not divide the frame time. Where the
/// packets have durations, each must be one frame long, or the last frame is not shown.
///
/// # Panics
/// With the first frame that is out of step.
pub fn check_even(packets: &[Packet], fps: (u32, u32)) {
    check_order(packets);
    let Some(tick) = packets.first().map(|packet| packet.tick) else {
        panic!("no packets")
    };
    let frame = f64::from(fps.1) / f64::from(fps.0) / tick;
    let mut times: Vec<i64> = packets.iter().filter_map(|packet| packet.pts).collect();
    times.sort_unstable();
    for (index, &pts) in times.iter().enumerate() {
        let due = times[0] as f64 + index as f64 * frame;
        assert!(
            (pts as f64 - due).abs() <= 1.0,
            "frame {index}: PTS {pts}, due {due:.2}, tick {tick}"
        );
    }
    for (index, packet) in packets.iter().enumerate() {
        let off = packet
            .duration
            .map_or(0.0, |duration| (duration as f64 - frame).abs());
        assert!(
            off <= 1.0,
            "packet {index}: a frame is {frame:.2} ticks long: {packet:?}"
        );
    }
}
