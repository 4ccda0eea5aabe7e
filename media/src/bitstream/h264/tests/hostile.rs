//! Broken streams: every byte that may be wrong, is; nothing may panic.

use super::support::{Coding, access_units, pack, sets, source};
use crate::bitstream::h264::pps::Pps;
use crate::bitstream::h264::reorder::with_restriction;
use crate::bitstream::h264::slice::SliceHeader;
use crate::bitstream::h264::{
    AccessUnit, AvcConfig, EdgeRewriter, OpenGopRewriter, ParameterSets, SlicePeek, Sps,
    recovery_point, second_sets, slices_only,
};
use crate::bitstream::nal::{prefixed, unescape};

/// xorshift64*: the same bytes every time.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        let value = self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33;
        usize::try_from(value).unwrap_or(0) % sides.max(1)
    }

    /// Some bytes changed, and maybe the end cut off.
    fn spoil(&mut self, data: &[u8]) -> Vec<u8> {
        let mut data = data.to_vec();
        for _ in 0..=self.roll(4) {
            let at = self.roll(data.len().min(48));
            let value = [0, 0xff, 0x80, self.roll(256)][self.roll(4)];
            if let (Some(byte), Ok(value)) = (data.get_mut(at), u8::try_from(value)) {
                *byte = value;
            }
        }
        if self.roll(3) == 0 {
            data.truncate(self.roll(data.len()));
        }
        data
    }
}

fn hammer(params: &str, rounds: usize) {
    let coding = Coding {
        pixels: "yuv420p",
        profile: "high",
        params,
    };
    let stream = source(14, coding);
    let pictures = access_units(&stream);
    let good = sets(&stream);
    let record = AvcConfig::from_extradata(&stream).and_then(|config| config.build());
    let record = record.expect("a record");
    let mut dice = Dice(0x0f1a_7bed);
    for round in 0..rounds {
        let mut bad = good.clone();
        for nal in good.sps_units().chain(good.pps_units()) {
            let nal = dice.spoil(nal);
            let _ = bad.insert(&nal);
            let _ = Sps::parse(&nal).map(|sps| (sps.reorder_frames(), sps.dpb_frames()));
            let _ = with_restriction(&nal, 2, 4);
            if let Some(sps) = good.sps(0) {
                let _ = Pps::rewrite(&nal, sps, 3, 1, true);
                let _ = Pps::rewrite(&nal, sps, 3, 1, false);
            }
        }
        let _ = AvcConfig::from_extradata(&dice.spoil(&record)).map(|config| {
            let sets = config.sps.iter().chain(&config.pps);
            let _ = ParameterSets::from_units(sets.map(Vec::as_slice));
            config.build()
        });
        let _ = second_sets(&good, 0, &bad);
        rewrite_all(&pictures, &good, &bad, &mut dice, round);
    }
}

fn rewrite_all(
    pictures: &[Vec<&[u8]>],
    good: &ParameterSets,
    bad: &ParameterSets,
    dice: &mut Dice,
    round: usize,
) {
    let mut edge = EdgeRewriter::new(bad, 0, good, 9)
        .or_else(|_| EdgeRewriter::new(good, 0, bad, 9))
        .or_else(|_| EdgeRewriter::new(good, 0, good, 9));
    let sets = if round.is_multiple_of(2) { good } else { bad };
    let mut open = OpenGopRewriter::new(sets.clone(), 1);
    for picture in pictures {
        let spoilt: Vec<Vec<u8>> = picture
            .iter()
            .map(|nal| match dice.roll(3) {
                0 => dice.spoil(nal),
                _ => nal.to_vec(),
            })
            .collect();
        let units: Vec<&[u8]> = spoilt.iter().map(Vec::as_slice).collect();
        for nal in &units {
            let _ = SlicePeek::parse(nal);
            let _ = recovery_point(nal);
            if let (Ok(slice), Some((sps, pps))) =
                (SliceHeader::parse(nal, sets), good.sps(0).zip(good.pps(0)))
            {
                let _ = slice.write(&unescape(nal), sps, pps);
                let _ = slice.write(&[], sps, pps);
            }
        }
        let _ = AccessUnit::inspect(units.iter().copied(), sets).mean_qp();
        let sample = dice.spoil(&pack(&units));
        let _ = slices_only(prefixed(&sample, [1, 2, 4][round % 3]).flatten());
        if let Ok(edge) = &mut edge {
            let _ = edge.rewrite(units.iter().copied());
        }
        let _ = open.rewrite(&pack(&units));
    }
}

#[test]
fn cabac_with_everything() {
    hammer(
        "keyint=5:open-gop=1:bframes=3:ref=4:weightp=2:nal-hrd=vbr:vbv-maxrate=500:vbv-bufsize=500",
        400,
    );
}

#[test]
fn cavlc_interlaced() {
    hammer("keyint=5:cabac=0:tff=1:bframes=0:ref=1:cqm=jvt", 400);
}
