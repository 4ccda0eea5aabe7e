//! The end of the way: packets of all tracks into one file.

use std::collections::VecDeque;

use crossbeam_channel::Receiver;

use super::{Done, Job, Message, Opening};
use crate::av::mux::Track;
use crate::av::packet::Packet;
use crate::av::parameters::Parameters;
use crate::cut::index_size::{Expected, room};
use crate::cut::sink::Sink;
use crate::time::{TimeBase, Timestamp};
use crate::{Context, Error, Output, Result};

/// What is known of a track of sound.
pub(super) struct Described {
    pub(super) parameters: Parameters,
    pub(super) clock: TimeBase,
    pub(super) language: Option<String>,
    /// Samples of a packet, about.
    pub(super) packet: i64,
}

/// Writes a result.
pub(super) struct Writer {
    /// Taken when the header is known.
    output: Option<Output>,
    name: String,
    sound: Vec<Described>,
    total: Option<Timestamp>,
    reserve: bool,
    sink: Option<Sink>,
    /// Packets of sound that came before the pictures' header.
    early: VecDeque<(usize, Packet)>,
    sound_bytes: u64,
}

impl Writer {
    pub(super) fn new(output: Output, sound: Vec<Described>, job: &Job<'_>) -> Self {
        Self {
            output: Some(output),
            name: job.name.to_owned(),
            sound,
            total: job.work.total,
            reserve: job.reserve,
            sink: None,
            early: VecDeque::new(),
            sound_bytes: 0,
        }
    }

    /// Takes all that comes.
    pub(super) fn take(&mut self, messages: &Receiver<Message>, context: &Context) -> Result<()> {
        for message in messages {
            context.check()?;
            match message {
                Message::Opened(opening) => self.begin(Some(&opening), context)?,
                Message::Packet(track, packet) if self.sink.is_none() => {
                    self.early.push_back((track, packet));
                }
                Message::Packet(track, packet) => self.push(track, packet, context)?,
            }
        }
        Ok(())
    }

    /// Opens the output.
    pub(super) fn begin(&mut self, pictures: Option<&Opening>, context: &Context) -> Result<()> {
        let Some(output) = self.output.take() else {
            return Ok(());
        };
        let mut tracks = Vec::new();
        let mut expected = Vec::new();
        let seconds = self.total.map(|total| total.as_secs_f64() + 1.0);
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // small and positive
        let count = |each: f64| seconds.map_or(0, |all| (all / each * 1.05).max(0.0) as u64);
        if let Some(opening) = pictures {
            expected.push(Expected {
                samples: count(opening.frame.timestamp(1).as_secs_f64().max(1e-4)),
                reorders: true,
            });
            tracks.push(Track {
                parameters: &opening.parameters,
                time_base: opening.clock,
                frame_rate: Some(opening.frame),
                rotation: 0,
                language: None,
            });
        }
        for sound in &self.sound {
            let packet = sound.clock.timestamp(sound.packet).as_secs_f64().max(1e-3);
            expected.push(Expected {
                samples: count(packet),
                reorders: false,
            });
            tracks.push(Track {
                parameters: &sound.parameters,
                time_base: sound.clock,
                frame_rate: None,
                rotation: 0,
                language: sound.language.as_deref(),
            });
        }
        let headers = tracks
            .iter()
            .map(|track| track.parameters.extradata().len())
            .sum();
        let known = self.reserve && seconds.is_some();
        let room = known.then(|| room(&expected, headers));
        self.sink = Some(Sink::begin(output, &tracks, room, self.total, context)?);
        for (track, packet) in std::mem::take(&mut self.early) {
            self.push(track, packet, context)?;
        }
        Ok(())
    }

    pub(super) fn push(&mut self, track: usize, packet: Packet, context: &Context) -> Result<()> {
        let Some(sink) = &mut self.sink else {
            return Ok(());
        };
        if track > 0 {
            self.sound_bytes += packet.data().len() as u64;
        }
        let most = Timestamp::from(context.limits().max_duration);
        if sink.time_of(track, packet.pts().unwrap_or(0)) > most {
            return Err(Error::limit(
                &self.name,
                format!("the result is longer than the limit of {most}"),
            ));
        }
        sink.push(track, packet, context)
    }

    pub(super) fn finish(self, done: &mut Done, context: &Context) -> Result<()> {
        let Some(sink) = self.sink else {
            return Err(Error::malformed(
                &self.name,
                "no frame is shown in the part that is asked for",
            ));
        };
        done.sound_bytes = self.sound_bytes;
        done.written = Some(sink.close(context)?);
        Ok(())
    }
}
