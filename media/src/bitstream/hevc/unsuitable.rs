//! Why the pictures of an encoder cannot be spliced into a source.

use std::fmt;

use super::format::Format;
use super::unit::NalType;
use super::vui::Vui;
use crate::bitstream::bits::SyntaxError;

/// Why encoded pictures cannot go into the source's stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unsuitable {
    /// A set does not parse.
    Syntax(SyntaxError),
    /// The source has no sequence parameter set.
    NoSourceSps,
    /// The source changes its picture format on the way.
    SourceFormatsDiffer,
    /// The source codes fields as pictures.
    Fields,
    /// The encoder's picture format differs from the source's.
    Format {
        /// Of the source.
        source: Format,
        /// Of the encoder.
        encoder: Format,
    },
    /// The encoder's colours, range or sample aspect ratio differ from the
    /// source's.
    Display {
        /// Of the source.
        source: Vui,
        /// Of the encoder.
        encoder: Vui,
    },
    /// The encoder's sets do not belong together, or there are several of a type.
    EncoderSets,
    /// The encoder's slices use another PPS id than 0.
    EncoderPpsId(u8),
    /// The source uses all ids of this type; of PPS, those from 15 to 30.
    NoFreeId(NalType),
}

impl fmt::Display for Unsuitable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Syntax(error) => write!(f, "{error}"),
            Self::NoSourceSps => write!(f, "the source has no sequence parameter set"),
            Self::SourceFormatsDiffer => write!(f, "the source changes its picture format"),
            Self::Fields => write!(f, "the source codes fields as pictures"),
            Self::Format { source, encoder } => {
                write!(
                    f,
                    "the encoder's pictures ({encoder:?}) are not the source's ({source:?})"
                )
            }
            Self::Display { source, encoder } => {
                write!(
                    f,
                    "the encoder's display facts ({encoder:?}) are not the source's ({source:?})"
                )
            }
            Self::EncoderSets => write!(f, "the encoder's parameter sets are not one of each type"),
            Self::EncoderPpsId(id) => write!(f, "the encoder's PPS id is {id} instead of 0"),
            Self::NoFreeId(NalType(kind)) => {
                write!(
                    f,
                    "the source leaves no id to parameter sets of type {kind}"
                )
            }
        }
    }
}

impl std::error::Error for Unsuitable {}

impl From<SyntaxError> for Unsuitable {
    fn from(error: SyntaxError) -> Self {
        Self::Syntax(error)
    }
}
