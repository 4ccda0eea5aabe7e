//! Hours of footage out of some seconds: a program stream over and over, whose clock
//! runs on, without a file of that size.

use std::ops::Range;

/// Ticks of an MPEG clock in a second.
const CLOCK: u64 = 90_000;

/// A program stream that is repeated.
#[derive(Debug)]
pub struct Loop {
    /// What comes once, in front.
    front: Vec<u8>,
    /// What is repeated.
    round: Vec<u8>,
    times: Vec<Time>,
    /// How long a round is.
    seconds: u64,
    rounds: u64,
}

/// A time in the stream, and where it stands.
#[derive(Debug)]
struct Time {
    at: usize,
    kind: Kind,
}

#[derive(Debug, Clone, Copy)]
enum Kind {
    /// Of a pack: 33 bits with markers, in six bytes.
    Pack,
    /// Of a frame: the same in five, behind four bits of prefix.
    Frame,
}

impl Loop {
    /// `stream`, which is so many seconds long, so many times.
    pub fn new(stream: &[u8], seconds: u64, rounds: u64) -> Self {
        let begin = stream.windows(4).position(|four| four == [0, 0, 1, 0xBA]);
        let (front, round) = stream.split_at(begin.expect("a pack"));
        let end = [0, 0, 1, 0xB9];
        let round = round.strip_suffix(&end).unwrap_or(round).to_vec();
        Self {
            front: front.to_vec(),
            times: times(&round),
            round,
            seconds,
            rounds,
        }
    }

    pub fn bytes(&self) -> u64 {
        self.front.len() as u64 + self.round.len() as u64 * self.rounds
    }

    /// How many bytes come before what was taken at `seconds`, about.
    pub fn before(&self, seconds: u64) -> u64 {
        let round = self.round.len() as u64;
        self.front.len() as u64 + round * seconds / self.seconds
    }

    /// Fills `piece` with what stands at `at`.
    pub fn read(&self, at: u64, piece: &mut [u8]) {
        let mut at = usize::try_from(at).expect("64 bits");
        let mut filled = 0;
        while filled < piece.len() {
            let rest = &mut piece[filled..];
            let count = if let Some(front) = self.front.get(at..).filter(|left| !left.is_empty()) {
                let count = front.len().min(rest.len());
                rest[..count].copy_from_slice(&front[..count]);
                count
            } else {
                let behind = at - self.front.len();
                let (round, from) = (behind / self.round.len(), behind % self.round.len());
                let count = (self.round.len() - from).min(rest.len());
                self.part(round as u64, from..from + count, &mut rest[..count]);
                count
            };
            filled += count;
            at += count;
        }
    }

    /// A part of a round, its times put on.
    fn part(&self, round: u64, range: Range<usize>, into: &mut [u8]) {
        into.copy_from_slice(&self.round[range.clone()]);
        let later = round * self.seconds * CLOCK;
        let from = self
            .times
            .partition_point(|time| time.at + 6 <= range.start);
        for time in self.times[from..]
            .iter()
            .take_while(|time| time.at < range.end)
        {
            let mut bytes = [0; 6];
            let length = time.kind.length();
            let source = &self.round[time.at..time.at + length];
            bytes[..length].copy_from_slice(source);
            time.kind.put_on(&mut bytes, later);
            for (offset, byte) in bytes[..length].iter().enumerate() {
                let at = time.at + offset;
                if range.contains(&at) {
                    into[at - range.start] = *byte;
                }
            }
        }
    }
}

impl Kind {
    fn length(self) -> usize {
        match self {
            Self::Pack => 6,
            Self::Frame => 5,
        }
    }

    /// Adds ticks (ISO/IEC 13818-1, 2.4.3.7 and 2.5.3.3).
    fn put_on(self, bytes: &mut [u8; 6], later: u64) {
        let whole = bytes
            .iter()
            .fold(0, |whole, &byte| whole << 8 | u64::from(byte));
        // Where the three parts of the clock begin, from the right.
        let [high, middle, low] = match self {
            Self::Pack => [43, 27, 11],
            Self::Frame => [41, 25, 9],
        };
        let part = |from: u32, bits: u32| whole >> from & ((1 << bits) - 1);
        let clock = part(high, 3) << 30 | part(middle, 15) << 15 | part(low, 15);
        let clock = (clock + later) & 0x1_FFFF_FFFF;
        let mask = 7 << high | 0x7FFF << middle | 0x7FFF << low;
        let moved =
            clock >> 30 << high | (clock >> 15 & 0x7FFF) << middle | (clock & 0x7FFF) << low;
        let whole = whole & !mask | moved;
        bytes.copy_from_slice(&whole.to_be_bytes()[2..]);
    }
}

/// The times in a program stream whose packs have no stuffing.
fn times(stream: &[u8]) -> Vec<Time> {
    let mut times = Vec::new();
    let mut at = 0;
    while let Some([0, 0, 1, id]) = stream.get(at..at + 4) {
        if *id == 0xBA {
            times.push(Time {
                at: at + 4,
                kind: Kind::Pack,
            });
            at += 14;
            continue;
        }
        if *id >= 0xC0 {
            let flags = stream[at + 7] >> 6;
            for number in 0..flags.count_ones() as usize {
                times.push(Time {
                    at: at + 9 + 5 * number,
                    kind: Kind::Frame,
                });
            }
        }
        at += 6 + usize::from(u16::from_be_bytes([stream[at + 4], stream[at + 5]]));
    }
    assert_eq!(at, stream.len(), "the stream is understood to its end");
    times
}
