//! Why an open GOP cannot start a sequence.

use std::fmt;

use crate::bitstream::bits::SyntaxError;

/// Why an open GOP cannot start a sequence. The caller then encodes the pictures
/// up to the next IDR picture instead.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// The bitstream is broken, or has syntax that cannot be rewritten.
    Syntax(SyntaxError),
    /// The source counts pictures by POC type 1.
    PocType1,
    /// Field pictures.
    FieldPicture,
    /// Scalable or multiview layers.
    Layers,
    /// The first picture is not all I slices, or no reference.
    NotIntra,
    /// Long-term references, or memory management operation 5.
    Marking,
    /// A picture is missing, or the numbering has gaps.
    Gap,
    /// The picture order counts are too far apart for their width.
    PictureOrder,
    /// A slice refers only to pictures before the first one.
    RefersBefore,
    /// The order of a reference list depends on pictures before the open GOP.
    Ambiguous,
}

impl From<SyntaxError> for Refusal {
    fn from(error: SyntaxError) -> Self {
        Self::Syntax(error)
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Syntax(error) => return error.fmt(f),
            Self::PocType1 => "the stream uses POC type 1",
            Self::FieldPicture => "the stream has field pictures",
            Self::Layers => "the stream has scalable or multiview layers",
            Self::NotIntra => "the open GOP does not start with an I picture",
            Self::Marking => "the stream uses long-term references or resets its numbering",
            Self::Gap => "a picture is missing in the open GOP",
            Self::PictureOrder => "the picture order counts are too far apart",
            Self::RefersBefore => "a picture refers to what is before the open GOP",
            Self::Ambiguous => "the reference lists depend on pictures before the open GOP",
        })
    }
}

impl std::error::Error for Refusal {}
