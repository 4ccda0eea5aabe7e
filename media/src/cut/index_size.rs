//! How many bytes the index (`moov`) of an MP4 takes: known beforehand, it can
//! stand in front without a second pass over the file.
//!
//! Sizes of ISO/IEC 14496-12, section 8: the boxes' entries counted exactly,
//! as run lengths where they are, and the rest generously.

use crate::av::packet::Packet;
use crate::{Error, Result};

/// Boxes of the whole file, and of one track without its tables and its codec's
/// header.
const FILE: u64 = 1024;
const TRACK: u64 = 2048;
/// libavformat begins a chunk anew past this size.
const CHUNK: u64 = 1 << 19;

/// libavformat makes the index in one block of memory, whose size has 31 bits.
const LARGEST: u64 = i32::MAX as u64;

/// Counts the index's entries as packets are written.
#[derive(Debug, Default)]
pub(crate) struct IndexSize {
    tracks: Vec<Track>,
    last: Option<usize>,
}

#[derive(Debug, Default)]
struct Track {
    fixed: u64,
    samples: u64,
    keys: u64,
    /// Runs of one duration, and of one offset between decoding and showing.
    durations: u64,
    offsets: u64,
    chunks: u64,
    bytes: u64,
    last: Option<(i64, i64, i64)>,
}

impl Track {
    fn size(&self) -> u64 {
        let stsz = 4 * self.samples;
        let stss = 4 * self.keys;
        let runs = 8 * (self.durations + self.offsets + 2);
        let chunks = self.chunks + self.bytes / CHUNK + 1;
        // stsc with 12 bytes an entry, co64 with 8.
        self.fixed + stsz + stss + runs + 20 * chunks
    }
}

impl IndexSize {
    /// Adds a track whose codec has a header of so many bytes.
    pub(crate) fn add_track(&mut self, header: usize) {
        self.tracks.push(Track {
            fixed: TRACK + header as u64,
            ..Track::default()
        });
    }

    /// Counts a packet, in the order of the file.
    pub(crate) fn count(&mut self, track: usize, packet: &Packet) {
        let changes = self.last != Some(track);
        self.last = Some(track);
        let Some(track) = self.tracks.get_mut(track) else {
            return;
        };
        let dts = packet.dts().unwrap_or(0);
        let offset = packet.pts().unwrap_or(dts) - dts;
        let (step, same) = match track.last {
            Some((last, step, before)) => (dts - last, (dts - last == step, offset == before)),
            None => (0, (false, false)),
        };
        track.durations += u64::from(!same.0);
        track.offsets += u64::from(!same.1);
        track.last = Some((dts, step, offset));
        track.samples += 1;
        track.keys += u64::from(packet.is_key());
        track.bytes += packet.data().len() as u64;
        track.chunks += u64::from(changes);
    }

    /// The most bytes that the index of what was counted can take.
    pub(crate) fn bound(&self) -> u64 {
        FILE + self.tracks.iter().map(Track::size).sum::<u64>()
    }
}

/// What is known of a track before it is written.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Expected {
    pub(crate) samples: u64,
    /// Whether frames are reordered: then each may have an offset of its own.
    pub(crate) reorders: bool,
}

/// Room for the index of tracks like these. It is a guess: the tracks take
/// turns in the file about as often as the sparser one has packets.
pub(crate) fn room(tracks: &[Expected], headers: usize) -> u64 {
    let most = tracks.iter().map(|track| track.samples).max().unwrap_or(0);
    let others = tracks.iter().map(|track| track.samples).sum::<u64>() - most;
    let turns = 2 * others.min(most) + 1;
    let tables: u64 = tracks
        .iter()
        .map(|track| TRACK + track.samples * if track.reorders { 16 } else { 9 })
        .sum();
    let slack = 16 * 1024;
    FILE + headers as u64 + tables + turns * 20 + slack
}

/// Refuses the output called `name` if its index would be larger than can be
/// written: now, rather than when all its packets are written.
pub(crate) fn check_room(room: u64, name: &str) -> Result<()> {
    if room <= LARGEST {
        return Ok(());
    }
    let reason = format!(
        "is too long for an MP4 or MOV: its index would take {} MiB of at most {}; \
         write MKV or TS, or several files",
        room >> 20,
        LARGEST.next_power_of_two() >> 20
    );
    Err(Error::limit(name, reason))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_index_that_cannot_be_written_is_refused_by_name() {
        let samples = |hours: u64| Expected {
            samples: hours * 3600 * 50,
            reorders: true,
        };
        assert!(check_room(room(&[samples(700)], 0), "short.mp4").is_ok());
        let error = check_room(room(&[samples(800)], 0), "long.mp4").unwrap_err();
        assert!(matches!(&error, Error::Limit { input, .. } if input == "long.mp4"));
    }
}
