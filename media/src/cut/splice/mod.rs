//! What each codec needs so that copied and encoded frames are one stream.

mod h264;
mod hevc;

use crate::Context;
use crate::av::encode::Encoder;
use crate::av::frame::Frame;
use crate::av::packet::Packet;
use crate::av::parameters::{CodecId, Parameters};
use crate::bitstream::bits::SyntaxError;
use crate::bitstream::nal;
use crate::output::Container;
use crate::time::TimeBase;

use super::gop::{Coded, Entry};

/// A codec whose streams can be spliced.
pub(super) enum Splicer {
    H264(Box<h264::H264>),
    Hevc(Box<hevc::Hevc>),
    /// Every frame stands alone: nothing is ever encoded.
    Intra,
    /// Copied as the container has it: no frame can be encoded beside it.
    Plain(Plain),
}

/// What a packet is to a splice.
#[derive(Debug, Clone, Copy)]
pub(super) struct Facts {
    pub(super) entry: Entry,
    pub(super) disposable: bool,
}

/// What becomes of a frame that is copied.
#[derive(Debug)]
pub(super) enum Copied {
    AsIs,
    Changed(Vec<u8>),
    /// It is shown before the copied part begins, and stands there encoded.
    Left,
}

/// Why a stream, or a part of it, cannot be spliced; in words that follow
/// "because".
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Refused(pub(super) String);

impl Refused {
    pub(super) fn because(reason: impl std::fmt::Display) -> Self {
        Self(reason.to_string())
    }
}

/// A finding in a packet that stops copying.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Trouble {
    /// The parameters are not those that the output began with.
    Parameters,
    /// The packet holds more than one picture.
    Several,
    /// The packet's syntax is broken.
    Broken(String),
}

impl From<SyntaxError> for Trouble {
    fn from(error: SyntaxError) -> Self {
        Self::Broken(error.to_string())
    }
}

/// The units of a packet in the output's form.
fn units(data: &[u8]) -> impl Iterator<Item = &[u8]> {
    nal::prefixed(data, 4).flatten()
}

type Result<T, E = Refused> = std::result::Result<T, E>;

impl Splicer {
    /// A splicer for a stream like this, or why there is none.
    pub(super) fn new(parameters: &Parameters, container: Container) -> Result<Self> {
        match parameters.codec() {
            CodecId::AV_CODEC_ID_H264 => {
                h264::H264::new(parameters, container).map(|splicer| Self::H264(Box::new(splicer)))
            }
            CodecId::AV_CODEC_ID_HEVC => {
                hevc::Hevc::new(parameters, container).map(|splicer| Self::Hevc(Box::new(splicer)))
            }
            _ if parameters.is_intra_only() => Ok(Self::Intra),
            _ => Err(Refused(format!(
                "{} cannot be spliced",
                parameters.codec_name()
            ))),
        }
    }

    /// A splicer that copies any stream, and cannot take encoded frames.
    pub(super) fn plain(parameters: &Parameters) -> Self {
        Self::Plain(Plain {
            codec: parameters.codec_name(),
            header: parameters.extradata().to_vec(),
        })
    }

    /// Whether two segments' pictures are alike, as far as their containers
    /// tell.
    pub(super) fn same_picture(&self, first: &Parameters, other: &Parameters) -> bool {
        let size = |parameters: &Parameters| (parameters.width(), parameters.height());
        // A transport stream that was not probed tells no size; the packets'
        // own parameter sets will.
        let same_size = other.width() == 0 || size(first) == size(other);
        let same_format = first.format() == other.format();
        same_size && (same_format || !matches!(self, Self::Intra))
    }

    /// Goes on to a segment with these parameters; fails where they cannot
    /// follow the first segment's.
    pub(super) fn segment(&mut self, parameters: &Parameters) -> Result<(), Trouble> {
        match self {
            Self::H264(splicer) => splicer.segment(parameters.extradata()),
            Self::Hevc(splicer) => splicer.segment(parameters.extradata()),
            Self::Intra => Ok(()),
            Self::Plain(plain) => plain.segment(parameters),
        }
    }

    /// Brings a packet into the output's form, and says what it is.
    pub(super) fn take(&mut self, packet: &mut Packet) -> Result<Facts, Trouble> {
        match self {
            Self::H264(splicer) => splicer.take(packet),
            Self::Hevc(splicer) => splicer.take(packet),
            Self::Intra => Ok(Facts {
                entry: Entry::Closed,
                disposable: false,
            }),
            Self::Plain(_) => Ok(Facts {
                entry: if packet.is_key() {
                    Entry::Closed
                } else {
                    Entry::None
                },
                disposable: false,
            }),
        }
    }

    /// No parameter sets that are not known yet may come from here on.
    pub(super) fn seal(&mut self) {
        match self {
            Self::H264(splicer) => splicer.seal(),
            Self::Hevc(splicer) => splicer.seal(),
            Self::Intra | Self::Plain(_) => {}
        }
    }

    /// How many frames are decoded before the first is shown.
    pub(super) fn reorder_frames(&self) -> u32 {
        match self {
            Self::H264(splicer) => splicer.reorder_frames(),
            Self::Hevc(splicer) => splicer.reorder_frames(),
            // What is only copied has presentation times, or needs none.
            Self::Intra | Self::Plain(_) => 0,
        }
    }

    /// The pixel format of the stream's pictures, where they are spliced.
    pub(super) fn format(&self) -> Option<i32> {
        match self {
            Self::H264(splicer) => splicer.format(),
            Self::Hevc(splicer) => splicer.format(),
            Self::Intra | Self::Plain(_) => None,
        }
    }

    /// The codec's header for packets in the output's form: for the output,
    /// or, without the sets of encoded edges, for a decoder.
    pub(super) fn extradata(&self, with_edges: bool) -> Result<Option<Vec<u8>>> {
        match self {
            Self::H264(splicer) => splicer.extradata(with_edges).map(Some),
            Self::Hevc(splicer) => splicer.extradata(with_edges).map(Some),
            Self::Intra | Self::Plain(_) => Ok(None),
        }
    }

    /// The tag that the output's sample entry gets.
    pub(super) fn tag(&self, container: Container) -> Option<&'static [u8; 4]> {
        match (self, container.is_iso()) {
            (Self::H264(_), true) => Some(b"avc1"),
            (Self::Hevc(_), true) => Some(b"hvc1"),
            _ => None,
        }
    }

    /// Gets ready to take encoded edges. Fails where they cannot stand beside
    /// copied frames.
    pub(super) fn prepare_edges(
        &mut self,
        like: &Parameters,
        frame: TimeBase,
        context: &Context,
    ) -> Result<()> {
        match self {
            Self::H264(splicer) => splicer.prepare_edges(like, frame, context),
            Self::Hevc(splicer) => splicer.prepare_edges(like, frame, context),
            Self::Intra => Ok(()),
            Self::Plain(plain) => Err(plain.refused()),
        }
    }

    /// An encoder for an edge.
    pub(super) fn begin_edge(&mut self, edge: &Edge<'_>, context: &Context) -> Result<Encoder> {
        match self {
            Self::H264(splicer) => splicer.begin_edge(edge, context),
            Self::Hevc(splicer) => splicer.begin_edge(edge, context),
            Self::Intra => Err(Refused("every frame stands alone".into())),
            Self::Plain(plain) => Err(plain.refused()),
        }
    }

    /// An encoded packet in the output's form.
    pub(super) fn encoded(&mut self, packet: &Packet) -> Result<Vec<u8>> {
        match self {
            Self::H264(splicer) => splicer.encoded(packet),
            Self::Hevc(splicer) => splicer.encoded(packet),
            Self::Intra => Err(Refused("every frame stands alone".into())),
            Self::Plain(plain) => Err(plain.refused()),
        }
    }

    /// What to write for the frames of a GOP, or of its beginning, which are
    /// all there in decoding order. `fresh` says that what was written before
    /// is not the GOP before.
    pub(super) fn copy(&mut self, frames: &[Coded], fresh: bool) -> Result<Vec<Copied>> {
        match self {
            Self::H264(splicer) => splicer.copy(frames, fresh),
            Self::Hevc(splicer) => splicer.copy(frames, fresh),
            Self::Intra | Self::Plain(_) => Ok(frames.iter().map(|_| Copied::AsIs).collect()),
        }
    }
}

/// A stream that is only copied.
pub(super) struct Plain {
    codec: &'static str,
    header: Vec<u8>,
}

impl Plain {
    fn refused(&self) -> Refused {
        Refused(format!("{} cannot be spliced", self.codec))
    }

    fn segment(&self, parameters: &Parameters) -> Result<(), Trouble> {
        if parameters.extradata() == self.header {
            Ok(())
        } else {
            Err(Trouble::Parameters)
        }
    }
}

/// An edge that is about to be encoded.
pub(super) struct Edge<'a> {
    pub(super) like: &'a Parameters,
    pub(super) first: &'a Frame,
    pub(super) frame: TimeBase,
    /// Frames of the source that the edge stands for.
    pub(super) source: &'a [&'a Coded],
    /// The copied entry point that follows.
    pub(super) after: Option<&'a Coded>,
}

/// How much finer than the source's the edges are quantised. An edge is a
/// second generation: at the source's own quantiser it would show.
const FINER: i32 = 6;

/// The coarsest quantiser for an edge, however coarse the source's: beyond it an
/// edge no longer looks like what it was made from (SSIM below 0.98). In a small
/// picture a block covers more of what is seen: at 320x240, 21 gave 0.977; at
/// 1920x1080, 30 gives 0.993, for a fifth less of the encoder's time.
fn coarsest(like: &Parameters) -> i32 {
    let pixels = i64::from(like.width()) * i64::from(like.height());
    if pixels < 1280 * 720 { 19 } else { 30 }
}

/// The quantiser for an edge, from those of the source's frames.
fn edge_qp(source: impl Iterator<Item = f64>, like: &Parameters) -> i32 {
    let (mut sum, mut count) = (0.0, 0.0);
    for qp in source {
        sum += qp;
        count += 1.0;
    }
    // A common quantiser where the source tells none.
    let mean = if count > 0.0 { sum / count } else { 26.0 };
    #[allow(clippy::cast_possible_truncation)] // a mean of values from -48 to 51
    let qp = mean.round() as i32;
    (qp - FINER).clamp(4, coarsest(like))
}
