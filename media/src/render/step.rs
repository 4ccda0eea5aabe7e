//! The steps that pictures go through, and FFmpeg's words for them.

use super::operation::{Fit, FrameRate, Resolution, Size, Watermark};
use crate::av::canvas::{Canvas, Sampling};
use crate::av::scale::{format_name, format_number};
use crate::time::Timestamp;

/// One step. Times are on the source's timeline.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Step {
    /// Turned clockwise by so many degrees, as players would.
    Upright(i32),
    /// Two fields become one picture.
    Deinterlace,
    /// PQ or HLG become BT.709.
    Standard,
    /// The pixel format with this number.
    Format(i32),
    Resize(Resolution, Fit),
    /// An even size, where the pixel format needs one.
    Even,
    Rate(FrameRate),
    /// Only frames from the one time up to the other.
    Window(Timestamp, Timestamp),
    Mark(Box<Mark>),
}

/// A watermark and when it is there.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Mark {
    pub(super) watermark: Watermark,
    pub(super) from: Option<Timestamp>,
    pub(super) to: Option<Timestamp>,
}

/// zimg's bicubic with swscale's parameters, so that pictures are as sharp as
/// FFmpeg makes them; it takes a fifth of the time.
const BICUBIC: &str = "filter=bicubic:param_a=0:param_b=0.6";

impl Step {
    /// The filters of a step that needs no second input, for pictures like
    /// `canvas`, which becomes what they make of it; none where nothing is to be
    /// done.
    pub(super) fn filters(&self, canvas: &mut Canvas) -> Option<String> {
        match self {
            Self::Upright(degrees) => upright(*degrees, canvas),
            Self::Deinterlace => {
                canvas.interlaced = false;
                // Only frames that say they are.
                Some("bwdif=mode=send_frame:deint=interlaced".to_owned())
            }
            Self::Standard => {
                if !canvas.high_dynamic_range {
                    return None;
                }
                canvas.high_dynamic_range = false;
                canvas.full_range = false;
                canvas.matrix = 1;
                canvas.primaries = 1;
                canvas.format = format_number("yuv420p");
                Some(STANDARD.to_owned())
            }
            Self::Format(format) => {
                if canvas.format == *format {
                    return None;
                }
                canvas.format = *format;
                let name = format_name(*format);
                // What is tagged full range as plain yuv is brought to the
                // range that the format without a `j` stands for.
                canvas.full_range = name.starts_with("yuvj");
                Some(format!("format={name}"))
            }
            Self::Resize(resolution, fit) => resize(*resolution, *fit, canvas),
            Self::Even => even(canvas),
            Self::Rate(rate) => Some(format!("fps={rate}")),
            Self::Window(..) | Self::Mark(_) => None,
        }
    }

    /// The step in a few words.
    pub(super) fn describe(&self, canvas: &Canvas) -> Option<String> {
        let size = format!("{}x{}", canvas.width, canvas.height);
        Some(match self {
            Self::Upright(0) | Self::Format(_) => return None,
            Self::Upright(degrees) => format!("turn by {degrees} degrees"),
            Self::Deinterlace => "deinterlace".to_owned(),
            Self::Standard => "tone map to standard dynamic range".to_owned(),
            Self::Resize(_, Fit::Contain) => format!("scale to {size}"),
            Self::Resize(_, fit) => format!("scale to {size} ({fit:?})").to_lowercase(),
            Self::Even => format!("crop to {size}"),
            Self::Rate(rate) => format!("{rate} frames a second"),
            Self::Window(from, _) => format!("drop frames before {from}"),
            Self::Mark(mark) => format!("watermark {}", mark.watermark.image),
        })
    }
}

/// As the FFmpeg documentation has it: linear light, BT.709's primaries, the
/// curve of Hable's, and back.
const STANDARD: &str = "zscale=transfer=linear:npl=100,format=gbrpf32le,zscale=primaries=bt709,\
                        tonemap=tonemap=hable:desat=0,\
                        zscale=transfer=bt709:matrix=bt709:range=limited,format=yuv420p";

fn upright(degrees: i32, canvas: &mut Canvas) -> Option<String> {
    let filters = match degrees {
        90 => "transpose=clock",
        180 => "hflip,vflip",
        270 => "transpose=cclock",
        _ => return None,
    };
    if degrees != 180 {
        (canvas.width, canvas.height) = (canvas.height, canvas.width);
        canvas.aspect = (canvas.aspect.1, canvas.aspect.0);
    }
    Some(filters.to_owned())
}

/// The picture's size in square samples.
pub(super) fn displayed(canvas: &Canvas) -> (u32, u32) {
    let side = |length: i32| u32::try_from(length.max(1)).unwrap_or(1);
    let (num, den) = (f64::from(canvas.aspect.0), f64::from(canvas.aspect.1));
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // saturates
    let wide = (f64::from(canvas.width.max(1)) * num / den).round() as u32;
    (wide.max(1), side(canvas.height))
}

fn resize(resolution: Resolution, fit: Fit, canvas: &mut Canvas) -> Option<String> {
    let sampling = canvas.sampling();
    let (scaled, whole) = resolution.sizes(displayed(canvas), fit);
    let (scaled, whole) = (rounded(scaled, sampling), rounded(whole, sampling));
    let mut filters = Vec::new();
    if (canvas.width, canvas.height) != scaled {
        let (width, height) = scaled;
        filters.push(if has_zscale(canvas.format) {
            format!("zscale=w={width}:h={height}:{BICUBIC}")
        } else {
            format!("scale={width}:{height}:flags=bicubic")
        });
    }
    match fit {
        Fit::Cover if scaled != whole => filters.push(format!("crop={}:{}", whole.0, whole.1)),
        Fit::Pad if scaled != whole => {
            filters.push(format!("pad={}:{}:(ow-iw)/2:(oh-ih)/2", whole.0, whole.1));
        }
        _ => {}
    }
    if canvas.aspect != (1, 1) || !filters.is_empty() {
        filters.push("setsar=1".to_owned());
    }
    (canvas.width, canvas.height) = match fit {
        Fit::Contain => scaled,
        Fit::Cover | Fit::Stretch | Fit::Pad => whole,
    };
    canvas.aspect = (1, 1);
    (!filters.is_empty()).then(|| filters.join(","))
}

/// The nearest size whose pixels share their colours evenly.
fn rounded(size: Size, sampling: Sampling) -> (i32, i32) {
    let side = |length: u32, shift: u32| {
        let step = 1 << shift;
        let near = (length + step / 2) / step * step;
        i32::try_from(near.max(step)).unwrap_or(i32::MAX)
    };
    (
        side(size.width, sampling.chroma.0),
        side(size.height, sampling.chroma.1),
    )
}

fn even(canvas: &mut Canvas) -> Option<String> {
    let sampling = canvas.sampling();
    let whole = |length: i32, shift: u32| {
        let step = 1 << shift;
        if length < step {
            step
        } else {
            length / step * step
        }
    };
    let size = (
        whole(canvas.width, sampling.chroma.0),
        whole(canvas.height, sampling.chroma.1),
    );
    let before = (canvas.width, canvas.height);
    if size == before {
        return None;
    }
    (canvas.width, canvas.height) = size;
    Some(if size.0 > before.0 || size.1 > before.1 {
        format!("scale={}:{}", size.0, size.1)
    } else {
        format!("crop={}:{}:0:0", size.0, size.1)
    })
}

/// Whether zimg takes the pixel format.
fn has_zscale(format: i32) -> bool {
    let name = format_name(format);
    let planar = name.starts_with("yuv") || name.starts_with("gbr");
    planar && !name.starts_with("yuva") && !name.contains("be") && name != "yuyv422"
}

/// The filter that lays an image over pictures like `canvas`.
pub(super) fn overlay(mark: &Mark, image: (i32, i32), canvas: &Canvas, shift: Timestamp) -> String {
    let (x, y) = mark.watermark.position.corner(
        (image.0.into(), image.1.into()),
        (canvas.width.into(), canvas.height.into()),
        mark.watermark.margin,
    );
    let format = match Laid::on(canvas) {
        Laid::Yuv420 => "yuv420",
        Laid::Yuv420p10 => "yuv420p10",
        Laid::Yuv422 => "yuv422",
        Laid::Yuv422p10 => "yuv422p10",
        Laid::Yuv444 => "yuv444",
        Laid::Any => "auto",
    };
    // A frame's time counts as it is printed, to the microsecond.
    let seconds = |time: Timestamp| (time - shift).as_secs_f64() - 5e-7;
    let mut when = Vec::new();
    when.extend(mark.from.map(|from| format!("gte(t,{:.7})", seconds(from))));
    when.extend(mark.to.map(|to| format!("lt(t,{:.7})", seconds(to))));
    let enable = if when.is_empty() {
        String::new()
    } else {
        format!(":enable='{}'", when.join("*"))
    };
    format!("overlay=x={x}:y={y}:format={format}:eval=init:eof_action=repeat{enable}")
}

/// In which format an image is laid over pictures.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Laid {
    Yuv420,
    Yuv420p10,
    Yuv422,
    Yuv422p10,
    Yuv444,
    Any,
}

impl Laid {
    pub(super) fn on(canvas: &Canvas) -> Self {
        let sampling = canvas.sampling();
        match (sampling.depth, sampling.chroma, sampling.rgb) {
            (8, (1, 1), false) => Self::Yuv420,
            (10, (1, 1), false) => Self::Yuv420p10,
            (8, (1, 0), false) => Self::Yuv422,
            (10, (1, 0), false) => Self::Yuv422p10,
            (8, (0, 0), false) => Self::Yuv444,
            _ => Self::Any,
        }
    }

    /// The image's pixel format.
    pub(super) fn image(self) -> &'static str {
        match self {
            Self::Yuv420 => "yuva420p",
            Self::Yuv420p10 => "yuva420p10le",
            Self::Yuv422 => "yuva422p",
            Self::Yuv422p10 => "yuva422p10le",
            Self::Yuv444 => "yuva444p",
            Self::Any => "rgba",
        }
    }
}
