//! The packets of all tracks, in the order in which they lie in the file.

use std::collections::VecDeque;

use crate::av::mux::{Closed, Muxer, Track};
use crate::av::packet::Packet;
use crate::output::Output;
use crate::time::{TimeBase, Timestamp};
use crate::{Container, Context, Error, Result};

use super::index_size::{IndexSize, check_room};

/// How far one track may run ahead of another that has nothing to write, in
/// microseconds: beyond it the other is taken to be silent.
const PATIENCE: i64 = 10_000_000;

/// An output that is being written.
pub(crate) struct Sink {
    muxer: Muxer,
    name: String,
    /// Whether the container has sample tables.
    iso: bool,
    tracks: Vec<Queue>,
    index: IndexSize,
    total: Option<Timestamp>,
    last_report: i64,
}

/// What becomes of a track's last packet where it goes on behind the end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Tail {
    /// It stays.
    Whole,
    /// Its duration says that it ends there.
    Shorten,
    /// It ends there: a sample has that many bytes.
    Cut(usize),
}

/// A track's packets that wait for those of other tracks.
struct Queue {
    clock: TimeBase,
    packets: VecDeque<Packet>,
    last_dts: Option<i64>,
    /// The least that decoding times lie apart: a tick of every container.
    step: i64,
    /// The last packet waits, so that its duration can still change.
    holds_last: bool,
}

impl Queue {
    fn time(&self, packet: Option<&Packet>) -> Option<i64> {
        let dts = packet?.dts().unwrap_or(0);
        Some(self.clock.timestamp(dts).as_micros())
    }

    fn is_ready(&self) -> bool {
        self.packets.len() > usize::from(self.holds_last)
    }
}

impl Sink {
    /// Opens `output` and writes the header. `room` is what the index of an MP4
    /// will take, where that can be told.
    pub(crate) fn begin(
        output: Output,
        tracks: &[Track<'_>],
        room: Option<u64>,
        total: Option<Timestamp>,
        context: &Context,
    ) -> Result<Self> {
        let name = output.name().to_owned();
        let container: Container = output.container();
        let mut muxer = Muxer::open(output.into_target()?, container, &name, context)?;
        if let Some(room) = room.filter(|_| muxer.has_index()) {
            check_room(room, &name)?;
        }
        let mut index = IndexSize::default();
        let mut queues = Vec::new();
        for (number, track) in tracks.iter().enumerate() {
            muxer.add(track)?;
            index.add_track(track.parameters.extradata().len());
            queues.push(Queue {
                clock: track.time_base,
                packets: VecDeque::new(),
                last_dts: None,
                step: TimeBase::per_second(90_000)
                    .convert(1, track.time_base)
                    .max(1),
                holds_last: number > 0,
            });
        }
        let video = tracks.first().map(|track| track.time_base);
        let timescale = video.filter(|base| base.num() == 1).map(TimeBase::den);
        muxer.write_header(room, timescale)?;
        Ok(Self {
            muxer,
            name,
            iso: container.is_iso(),
            tracks: queues,
            index,
            total,
            last_report: i64::MIN,
        })
    }

    /// The time of a track's tick.
    pub(crate) fn time_of(&self, track: usize, tick: i64) -> Timestamp {
        let clock = self.tracks.get(track).map(|queue| queue.clock);
        clock.map_or(Timestamp::ZERO, |clock| clock.timestamp(tick))
    }

    /// Takes a packet of a track; its times are in the track's ticks from the
    /// output's zero.
    pub(crate) fn push(
        &mut self,
        track: usize,
        mut packet: Packet,
        context: &Context,
    ) -> Result<()> {
        let queue = &mut self.tracks[track];
        let dts = packet.dts().or(packet.pts()).unwrap_or(0);
        // Joined segments may differ in how early they decode.
        let dts = queue
            .last_dts
            .map_or(dts, |last| dts.max(last + queue.step));
        // A sample's duration has 32 bits (ISO/IEC 14496-12, section 8.6.1), and
        // libavformat takes 31.
        if self.iso
            && queue
                .last_dts
                .is_some_and(|last| dts - last > i64::from(i32::MAX))
        {
            let gap = queue.clock.timestamp(dts - queue.last_dts.unwrap_or(dts));
            return Err(Error::unsupported(
                &self.name,
                format!("a gap of {gap} is more than MP4 can hold; close gaps, or write MKV"),
            ));
        }
        queue.last_dts = Some(dts);
        packet.set_dts(Some(dts));
        if packet.pts().is_none_or(|pts| pts < dts) {
            packet.set_pts(Some(dts));
        }
        packet.set_stream(track);
        queue.packets.push_back(packet);
        if track == 0 {
            self.report(dts, context);
        }
        self.drain(context)
    }

    /// Takes back the packets of a track that begin at `end` or later. Tells
    /// where the track then ends.
    pub(crate) fn end_at(&mut self, track: usize, end: i64, tail: Tail) -> Result<Option<i64>> {
        let queue = &mut self.tracks[track];
        while let Some(last) = queue.packets.back()
            && last.pts().is_some_and(|pts| pts >= end)
        {
            queue.packets.pop_back();
            queue.last_dts = queue
                .packets
                .back()
                .and_then(Packet::dts)
                .or(queue.last_dts);
        }
        let Some(last) = queue.packets.back_mut() else {
            return Ok(None);
        };
        let Some(pts) = last.pts() else {
            return Ok(None);
        };
        if pts + last.duration() > end {
            match tail {
                Tail::Whole => {}
                Tail::Shorten => last.set_duration(end - pts),
                Tail::Cut(bytes) => {
                    let samples = usize::try_from(end - pts).unwrap_or(0);
                    last.keep(0..samples.saturating_mul(bytes))
                        .map_err(|code| code.failed(&self.name, "cutting the sound"))?;
                    last.set_duration(end - pts);
                }
            }
        }
        Ok(Some(pts + last.duration()))
    }

    /// Writes what is left. A file has no name yet.
    pub(crate) fn close(mut self, context: &Context) -> Result<Closed> {
        while self.write_earliest(|queue| !queue.packets.is_empty())? {
            context.check()?;
        }
        self.muxer.close(self.index.bound())
    }

    /// Writes all that no later packet can precede.
    fn drain(&mut self, context: &Context) -> Result<()> {
        loop {
            context.check()?;
            let waiting = self.tracks.iter().any(|queue| !queue.is_ready());
            if waiting && !self.is_impatient() {
                return Ok(());
            }
            if !self.write_earliest(Queue::is_ready)? {
                return Ok(());
            }
        }
    }

    fn is_impatient(&self) -> bool {
        let span = |queue: &Queue| {
            let first = queue.time(queue.packets.front())?;
            Some(queue.time(queue.packets.back())? - first)
        };
        self.tracks
            .iter()
            .filter_map(span)
            .any(|span| span > PATIENCE)
    }

    fn write_earliest(&mut self, ready: impl Fn(&Queue) -> bool) -> Result<bool> {
        let earliest = (0..self.tracks.len())
            .filter(|&track| ready(&self.tracks[track]))
            .min_by_key(|&track| {
                let queue = &self.tracks[track];
                queue.time(queue.packets.front())
            });
        let Some(track) = earliest else {
            return Ok(false);
        };
        let Some(mut packet) = self.tracks[track].packets.pop_front() else {
            return Ok(false);
        };
        self.index.count(track, &packet);
        self.muxer.write(&mut packet)?;
        Ok(true)
    }

    fn report(&mut self, dts: i64, context: &Context) {
        let done = self.tracks[0].clock.timestamp(dts).as_micros();
        // A few reports a second of output are enough for any bar.
        if done >= self.last_report.saturating_add(200_000) {
            self.last_report = done;
            context.report(Timestamp::from_micros(done.max(0)), self.total);
        }
    }
}
