//! What a picture is to be: its size, how it fits into it, format, quality.

use std::fmt;
use std::path::Path;
use std::str::FromStr;

/// What a picture is to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Style {
    /// How large; `None` is as large as the recording shows it.
    pub size: Option<Size>,
    /// What happens where the recording has another shape than `size`.
    pub fit: Fit,
    /// How it is coded.
    pub format: Format,
    /// From 1 (small) to 100 (good), on the scale of libjpeg and libwebp; PNG
    /// is lossless and has none.
    pub quality: u8,
}

impl Default for Style {
    /// A JPEG of quality 80, as large as the recording.
    fn default() -> Self {
        Self {
            size: None,
            fit: Fit::default(),
            format: Format::default(),
            quality: 80,
        }
    }
}

/// A text that is none of the words expected.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{text:?} is not {expected}")]
pub struct UnknownWord {
    text: String,
    expected: &'static str,
}

/// A box in pixels; a side that is left open follows from the recording's shape.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Size {
    width: Option<u32>,
    height: Option<u32>,
}

/// The longest side that is made, in pixels: JPEG holds no more.
const LONGEST: u32 = 65500;

impl Size {
    /// A box of `width` x `height` pixels, 1 to 65500 each, of which one may be
    /// left open.
    pub fn new(width: Option<u32>, height: Option<u32>) -> Option<Self> {
        let side = |side: Option<u32>| side.is_none_or(|side| (1..=LONGEST).contains(&side));
        let any = width.is_some() || height.is_some();
        (any && side(width) && side(height)).then_some(Self { width, height })
    }

    /// The box's width, where it has one.
    pub fn width(self) -> Option<u32> {
        self.width
    }

    /// The box's height, where it has one.
    pub fn height(self) -> Option<u32> {
        self.height
    }
}

impl FromStr for Size {
    type Err = UnknownWord;

    /// `320x240`, `320x` or `x240`; an open side may also be written `?`.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let fail = || UnknownWord {
            text: text.to_owned(),
            expected: "a size: write 320x240, 320x or x240, at most 65500 a side",
        };
        let side = |side: &str| match side.trim() {
            "" | "?" => Ok(None),
            digits if digits.bytes().all(|byte| byte.is_ascii_digit()) => {
                digits.parse().map(Some).map_err(|_| fail())
            }
            _ => Err(fail()),
        };
        let (width, height) = text.split_once(['x', 'X']).ok_or_else(fail)?;
        Self::new(side(width)?, side(height)?).ok_or_else(fail)
    }
}

impl fmt::Display for Size {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(width) = self.width {
            write!(f, "{width}")?;
        }
        f.write_str("x")?;
        if let Some(height) = self.height {
            write!(f, "{height}")?;
        }
        Ok(())
    }
}

/// What happens where the recording has another shape than the size asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Fit {
    /// All of it is shown, as large as fits; one side comes out smaller than
    /// asked for, and there are no bars.
    #[default]
    Contain,
    /// The size is filled, and what stands over on two sides is cut off.
    Cover,
    /// The size is filled, and the shape not kept.
    Stretch,
}

impl FromStr for Fit {
    type Err = UnknownWord;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "contain" => Ok(Self::Contain),
            "cover" => Ok(Self::Cover),
            "stretch" => Ok(Self::Stretch),
            _ => Err(UnknownWord {
                text: text.to_owned(),
                expected: "a fit: contain, cover or stretch",
            }),
        }
    }
}

/// How a picture is coded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Format {
    /// JPEG (JFIF): 4:2:0, baseline. What is transparent becomes black.
    #[default]
    Jpeg,
    /// PNG: 8 bits, transparent where the recording is.
    Png,
    /// WebP: lossy, transparent where the recording is.
    WebP,
}

impl Format {
    /// The format that a file name's extension stands for.
    pub fn of_path(path: &Path) -> Option<Self> {
        path.extension()?.to_str()?.parse().ok()
    }

    /// The extension of its files.
    pub fn extension(self) -> &'static str {
        match self {
            Self::Jpeg => "jpg",
            Self::Png => "png",
            Self::WebP => "webp",
        }
    }
}

impl FromStr for Format {
    type Err = UnknownWord;

    /// `jpeg` (or `jpg`), `png` or `webp`.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text.to_ascii_lowercase().as_str() {
            "jpeg" | "jpg" => Ok(Self::Jpeg),
            "png" => Ok(Self::Png),
            "webp" => Ok(Self::WebP),
            _ => Err(UnknownWord {
                text: text.to_owned(),
                expected: "a picture's format: jpeg, png or webp",
            }),
        }
    }
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Jpeg => "jpeg",
            Self::Png => "png",
            Self::WebP => "webp",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_read_with_one_side_open() {
        let size = |text: &str| text.parse::<Size>().ok();
        assert_eq!(size("320x240"), Size::new(Some(320), Some(240)));
        assert_eq!(size("320x"), Size::new(Some(320), None));
        assert_eq!(size("320x?"), Size::new(Some(320), None));
        assert_eq!(size("x240"), Size::new(None, Some(240)));
        for wrong in [
            "", "x", "320", "0x0", "320x0", "-1x2", "+1x2", "1x2x3", "65501x", "axb",
        ] {
            assert_eq!(size(wrong), None, "{wrong}");
        }
        for text in ["320x240", "320x", "x240"] {
            assert_eq!(
                size(text).map(|size| size.to_string()).as_deref(),
                Some(text)
            );
        }
    }

    #[test]
    fn a_name_tells_its_format() {
        assert_eq!(Format::of_path(Path::new("a/b.JPG")), Some(Format::Jpeg));
        assert_eq!(Format::of_path(Path::new("b.webp")), Some(Format::WebP));
        assert_eq!(Format::of_path(Path::new("b")), None);
        for format in [Format::Jpeg, Format::Png, Format::WebP] {
            assert_eq!(format.to_string().parse(), Ok(format));
            assert_eq!(format.extension().parse(), Ok(format));
        }
    }
}
