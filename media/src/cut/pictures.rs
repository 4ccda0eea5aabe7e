//! How the pictures of the output are made: spliced, or encoded whole.

use std::collections::VecDeque;

use crate::av::packet::Packet;
use crate::av::parameters::Parameters;
use crate::time::TimeBase;
use crate::{Container, Context, Error, Result};

use super::carriage::carries_pictures;
use super::encode::Encode;
use super::options::{Mode, OnMismatch, Options};
use super::report::Report;
use super::source::Source;
use super::splice::{Refused, Splicer};
use super::video::{Splice, Window};

/// The pictures.
pub(super) enum Pictures {
    Spliced(Box<Splice>),
    Encoded(Box<Encode>),
}

impl Pictures {
    /// Splices where that is asked for and possible. `partial` says that frames
    /// may have to be encoded beside copied ones.
    pub(super) fn choose(
        source: &Source,
        container: Container,
        options: &Options,
        partial: bool,
        (clock, frame): (TimeBase, TimeBase),
        context: &Context,
        report: &mut Report,
    ) -> Result<Self> {
        let name = source.name();
        let like = source
            .parameters()
            .try_clone()
            .map_err(|code| code.failed(name, "setting up"))?;
        let encoded = |like| Self::Encoded(Box::new(Encode::new(like, frame, clock)));
        if options.mode == Mode::Reencode {
            return Ok(encoded(like));
        }
        let edges =
            options.mode == Mode::Exact && partial || options.on_mismatch == OnMismatch::Reencode;
        let splicer = if carries_pictures(container, &like) {
            Splicer::new(&like, container)
        } else {
            let codec = like.codec_name();
            let reason = format!("{codec} does not go into {container}");
            if options.mode == Mode::Copy {
                return Err(Error::unsupported(
                    name,
                    format!("{reason}; write MKV, or use another mode than copy"),
                ));
            }
            report.note(format!("{name}: the video is encoded whole, {reason}"));
            return Ok(encoded(like));
        };
        let splicer = match splicer {
            Err(_) if !edges => Ok(Splicer::plain(&like)),
            result => result,
        };
        let refused = match splicer {
            Ok(splicer) => {
                let like = like
                    .try_clone()
                    .map_err(|code| code.failed(name, "setting up"))?;
                let mut splice = Splice::new(splicer, options.mode, like, frame, clock)?;
                let packets = || source.packets(source.video);
                let ready = if edges {
                    splice
                        .learn(packets())
                        .and_then(|()| splice.check_times(packets()))
                        .and_then(|()| splice.prepare_edges(context))
                } else {
                    Ok(())
                };
                match ready {
                    Ok(()) => return Ok(Self::Spliced(Box::new(splice))),
                    Err(refused) => refused,
                }
            }
            Err(refused) => refused,
        };
        let Refused(reason) = refused;
        report.note(format!("{name}: the video is encoded whole, {reason}"));
        Ok(encoded(like))
    }

    pub(super) fn begin(
        &mut self,
        source: &Source,
        window: Window,
        reencode: bool,
        context: &Context,
        report: &mut Report,
    ) -> Result<()> {
        let (name, parameters) = (source.name(), source.parameters());
        match self {
            Self::Spliced(splice) => splice.begin(name, parameters, window, reencode, report),
            Self::Encoded(encode) => encode.begin(name, parameters, window, context),
        }
    }

    /// Reading begins inside the segment: what comes before the first keyframe
    /// is not missed.
    pub(super) fn enter_midway(&mut self) {
        if let Self::Spliced(splice) = self {
            splice.enter_midway();
        }
    }

    pub(super) fn push(
        &mut self,
        packet: Packet,
        context: &Context,
        report: &mut Report,
    ) -> Result<()> {
        match self {
            Self::Spliced(splice) => splice.push(packet, context, report),
            Self::Encoded(encode) => encode.push(&packet, context, report),
        }
    }

    /// Whether no further frame of the segment is wanted.
    pub(super) fn is_done(&self) -> bool {
        match self {
            Self::Spliced(splice) => splice.is_done(),
            Self::Encoded(encode) => encode.is_done(),
        }
    }

    pub(super) fn finish_segment(&mut self, context: &Context, report: &mut Report) -> Result<()> {
        match self {
            Self::Spliced(splice) => splice.finish(context, report),
            Self::Encoded(encode) => encode.finish_segment(context, report),
        }
    }

    pub(super) fn finish(&mut self) -> Result<()> {
        match self {
            Self::Spliced(_) => Ok(()),
            Self::Encoded(encode) => encode.finish(),
        }
    }

    /// Whether frames came whose order only a decoder can tell.
    pub(super) fn lacks_times(&self) -> bool {
        match self {
            Self::Spliced(splice) => splice.lacks_times,
            Self::Encoded(_) => false,
        }
    }

    /// What the muxer is told, once the first picture is ready.
    pub(super) fn parameters(&self, container: Container) -> Result<Parameters> {
        match self {
            Self::Spliced(splice) => splice.parameters(container),
            Self::Encoded(encode) => encode
                .parameters(container)?
                .ok_or_else(|| Error::malformed("video", "no picture was encoded")),
        }
    }

    /// The output's header is written.
    pub(super) fn seal(&mut self) {
        if let Self::Spliced(splice) = self {
            splice.seal();
        }
    }

    pub(super) fn ready(&self) -> &VecDeque<Packet> {
        match self {
            Self::Spliced(splice) => &splice.ready,
            Self::Encoded(encode) => &encode.ready,
        }
    }

    pub(super) fn ready_mut(&mut self) -> &mut VecDeque<Packet> {
        match self {
            Self::Spliced(splice) => &mut splice.ready,
            Self::Encoded(encode) => &mut encode.ready,
        }
    }

    /// When the last frame has been shown, in ticks of the output.
    pub(super) fn shown_to(&self) -> i64 {
        match self {
            Self::Spliced(splice) => splice.shown_to,
            Self::Encoded(encode) => encode.shown_to,
        }
    }
}
