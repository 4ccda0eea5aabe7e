//! How pictures are encoded: which encoder, with which of its options.

use std::fmt::Write as _;

use super::operation::{AudioCodec, Preset, Quality, VideoCodec};
use crate::Container;
use crate::av::canvas::{Canvas, Sampling};
use crate::av::encode::{Rate, has_encoder, pixel_formats};
use crate::av::parameters::CodecId;
use crate::av::scale::{format_name, format_number};
use crate::cut::sound;

/// How pictures are encoded.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Coding {
    pub(super) codec: VideoCodec,
    pub(super) spend: Spend,
    pub(super) most: Option<i64>,
    pub(super) preset: Option<Preset>,
    pub(super) keyframe_every: Option<u32>,
    pub(super) two_pass: bool,
}

/// What the bits follow from.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Spend {
    /// The encoder's own usual quality.
    Usual,
    /// In the codec's own scale.
    Quality(f32),
    Word(Quality),
    /// In bits a second.
    Average(i64),
    /// The whole file's size.
    Bytes(u64),
    /// How like the original.
    Ssim(f64),
}

impl Coding {
    pub(super) fn usual(codec: VideoCodec) -> Self {
        Self {
            codec,
            spend: Spend::Usual,
            most: None,
            preset: None,
            keyframe_every: None,
            two_pass: false,
        }
    }

    /// FFmpeg's name of the encoder.
    pub(super) fn encoder(&self) -> &'static str {
        encoder(self.codec)
    }

    /// The quality in the codec's own scale, unless bits are counted.
    pub(super) fn quality(&self) -> Option<f32> {
        let of = |low, medium, high| (low, medium, high);
        // At which viewers of one clip see about the same.
        let (low, medium, high) = match self.codec {
            VideoCodec::H264 | VideoCodec::Copy => of(30.0, 26.0, 20.0),
            VideoCodec::Hevc => of(32.0, 28.0, 22.0),
            VideoCodec::Vp9 | VideoCodec::Vp8 => of(42.0, 35.0, 28.0),
            VideoCodec::Av1 => of(46.0, 38.0, 30.0),
            VideoCodec::Mpeg4 => of(10.0, 6.0, 3.0),
        };
        match self.spend {
            Spend::Usual => Some(match self.codec {
                // What the encoders' own programs take.
                VideoCodec::H264 | VideoCodec::Copy => 23.0,
                VideoCodec::Hevc => 28.0,
                VideoCodec::Vp9 => 31.0,
                VideoCodec::Vp8 => 20.0,
                VideoCodec::Av1 => 35.0,
                VideoCodec::Mpeg4 => 4.0,
            }),
            Spend::Quality(quality) => Some(quality),
            Spend::Word(Quality::Low) => Some(low),
            Spend::Word(Quality::Medium) => Some(medium),
            Spend::Word(Quality::High) => Some(high),
            Spend::Average(_) | Spend::Bytes(_) | Spend::Ssim(_) => None,
        }
    }

    /// The same at a quality, in place of what the bits followed from.
    pub(super) fn at_quality(&self, quality: f32) -> Self {
        Self {
            spend: Spend::Quality(quality),
            ..self.clone()
        }
    }

    /// The same at an average rate, in bits a second.
    pub(super) fn at_rate(&self, bits: i64, two_pass: bool) -> Self {
        Self {
            spend: Spend::Average(bits),
            two_pass,
            ..self.clone()
        }
    }

    /// Whether it can go over the frames twice.
    pub(super) fn knows_passes(&self) -> bool {
        matches!(
            self.codec,
            VideoCodec::H264 | VideoCodec::Hevc | VideoCodec::Vp9 | VideoCodec::Vp8
        )
    }

    /// The best and the worst quality of its scale that are of any use.
    pub(super) fn qualities(&self) -> (i32, i32) {
        match self.codec {
            VideoCodec::H264 | VideoCodec::Hevc | VideoCodec::Copy => (8, 48),
            VideoCodec::Vp9 | VideoCodec::Vp8 | VideoCodec::Av1 => (8, 60),
            VideoCodec::Mpeg4 => (1, 31),
        }
    }

    /// The average rate that is asked for, in bits a second.
    pub(super) fn average(&self) -> Option<i64> {
        match self.spend {
            Spend::Average(bits) => Some(bits),
            _ => None,
        }
    }

    /// Whether the encoder spends bits by the number of frames, and takes no
    /// notice of their times; libvpx does so in the second of two passes only.
    pub(super) fn counts_frames(&self, second_pass: bool) -> bool {
        match self.codec {
            VideoCodec::Hevc | VideoCodec::Av1 => true,
            VideoCodec::Vp9 | VideoCodec::Vp8 => second_pass,
            VideoCodec::H264 | VideoCodec::Mpeg4 | VideoCodec::Copy => false,
        }
    }

    /// How many bits there are. An encoder that counts frames gets `stretch` times
    /// the average: so much longer is the result than it can know.
    pub(super) fn rate(&self, stretch: f64) -> Rate {
        #[allow(clippy::cast_precision_loss, clippy::cast_possible_truncation)] // bits a second
        let stretched = |bits: i64| {
            let most = self.most.filter(|_| stretch > 1.0).unwrap_or(i64::MAX);
            ((bits as f64 * stretch) as i64).clamp(1, most.max(bits))
        };
        let average = match self.spend {
            Spend::Average(bits) if (stretch - 1.0).abs() > f64::EPSILON => Some(stretched(bits)),
            Spend::Average(bits) => Some(bits),
            // libvpx keeps to a quality only where no rate is given.
            _ if self.codec == VideoCodec::Vp9 => Some(0),
            // VP8 knows no quality without a rate: one that does not bind.
            _ if self.codec == VideoCodec::Vp8 => Some(50_000_000),
            // libavcodec's own 200 kb/s would bind x264 and SVT-AV1.
            _ => Some(0),
        };
        #[allow(clippy::cast_possible_truncation)] // at most 63
        let quantiser = (self.codec == VideoCodec::Mpeg4)
            .then(|| {
                self.quality()
                    .map(|quality| quality.round().max(1.0) as i32)
            })
            .flatten();
        Rate {
            average,
            most: self.most,
            buffer: None,
            quantiser,
            keyframe_every: self
                .keyframe_every
                .map(|every| i32::try_from(every).unwrap_or(i32::MAX)),
        }
    }

    /// The encoder's own options. `statistics` is the file of two passes, with
    /// the number of this one.
    pub(super) fn options(
        &self,
        container: Container,
        statistics: Option<(&str, u8)>,
    ) -> Vec<(&'static str, String)> {
        let mut options = Vec::new();
        let quality = self.quality().map(|quality| quality.to_string());
        let preset = self.preset;
        match self.codec {
            VideoCodec::H264 | VideoCodec::Copy => {
                options.extend(preset.map(|preset| ("preset", preset.name().to_owned())));
                options.extend(quality.map(|quality| ("crf", quality)));
                options.extend(statistics.map(|(file, _)| ("stats", file.to_owned())));
                if container == Container::Avi {
                    options.push(("bf", "0".to_owned()));
                }
            }
            VideoCodec::Hevc => {
                options.extend(preset.map(|preset| ("preset", preset.name().to_owned())));
                options.extend(quality.map(|quality| ("crf", quality)));
                let mut own = "log-level=none".to_owned();
                if let Some((file, pass)) = statistics {
                    // A colon ends an option of x265's.
                    let file = file.replace(':', "\\:");
                    let _ = write!(own, ":pass={pass}:stats={file}");
                }
                options.push(("x265-params", own));
            }
            VideoCodec::Vp9 | VideoCodec::Vp8 => {
                options.extend(quality.map(|quality| ("crf", quality)));
                let speed = preset.unwrap_or(Preset::Fast).libvpx();
                // In real time it makes one pass.
                let hurries = speed >= 5 && !self.two_pass;
                let deadline = if hurries { "realtime" } else { "good" };
                options.push(("deadline", deadline.to_owned()));
                let speed = if hurries { speed } else { speed.min(5) };
                options.push(("cpu-used", speed.to_string()));
                if self.codec == VideoCodec::Vp9 {
                    options.push(("row-mt", "1".to_owned()));
                }
            }
            VideoCodec::Av1 => {
                options.extend(quality.map(|quality| ("crf", quality)));
                let speed = preset.unwrap_or(Preset::Veryfast).svt_av1();
                options.push(("preset", speed.to_string()));
            }
            VideoCodec::Mpeg4 => {}
        }
        options
    }

    /// The pixel format to encode for pictures like `canvas`.
    pub(super) fn pixel_format(&self, canvas: &Canvas, wanted: Option<&str>) -> i32 {
        if let Some(wanted) = wanted {
            return format_number(wanted);
        }
        let sampling = canvas.sampling();
        let name = match self.codec {
            // What every player shows.
            VideoCodec::H264 if canvas.full_range && !sampling.rgb => "yuvj420p",
            VideoCodec::Hevc | VideoCodec::Vp9 | VideoCodec::Av1
                if sampling.depth > 8 && !sampling.rgb =>
            {
                "yuv420p10le"
            }
            _ => "yuv420p",
        };
        format_number(name)
    }

    /// Why a pixel format cannot be encoded, if so.
    pub(super) fn refuses(&self, format: i32) -> Option<String> {
        let formats = pixel_formats(self.encoder());
        if formats.is_empty() || formats.contains(&format) {
            return None;
        }
        let known: Vec<_> = formats.into_iter().map(format_name).collect();
        Some(format!(
            "{} does not take {}; it takes {}",
            self.encoder(),
            format_name(format),
            known.join(", ")
        ))
    }

    /// Whether the result has no room for more than 8 bits.
    pub(super) fn is_standard_range(format: i32) -> bool {
        Sampling::of(format).depth <= 8
    }
}

fn encoder(codec: VideoCodec) -> &'static str {
    match codec {
        VideoCodec::H264 | VideoCodec::Copy => "libx264",
        VideoCodec::Hevc => "libx265",
        VideoCodec::Vp9 => "libvpx-vp9",
        VideoCodec::Vp8 => "libvpx",
        VideoCodec::Av1 => "libsvtav1",
        VideoCodec::Mpeg4 => "mpeg4",
    }
}

/// Whether the linked FFmpeg encodes it.
pub(super) fn is_there(codec: VideoCodec) -> bool {
    has_encoder(encoder(codec))
}

/// The codec's id.
pub(super) fn id(codec: VideoCodec) -> CodecId {
    match codec {
        VideoCodec::H264 | VideoCodec::Copy => CodecId::AV_CODEC_ID_H264,
        VideoCodec::Hevc => CodecId::AV_CODEC_ID_HEVC,
        VideoCodec::Vp9 => CodecId::AV_CODEC_ID_VP9,
        VideoCodec::Vp8 => CodecId::AV_CODEC_ID_VP8,
        VideoCodec::Av1 => CodecId::AV_CODEC_ID_AV1,
        VideoCodec::Mpeg4 => CodecId::AV_CODEC_ID_MPEG4,
    }
}

/// The codec that pictures of this one are encoded in where nothing else is
/// asked: the same where it can be, else what the container's players know.
pub(super) fn successor(id: CodecId, container: Container) -> VideoCodec {
    let same = match id {
        CodecId::AV_CODEC_ID_H264 => Some(VideoCodec::H264),
        CodecId::AV_CODEC_ID_HEVC => Some(VideoCodec::Hevc),
        CodecId::AV_CODEC_ID_VP9 => Some(VideoCodec::Vp9),
        CodecId::AV_CODEC_ID_VP8 => Some(VideoCodec::Vp8),
        CodecId::AV_CODEC_ID_AV1 => Some(VideoCodec::Av1),
        CodecId::AV_CODEC_ID_MPEG4 if container == Container::Avi => Some(VideoCodec::Mpeg4),
        _ => None,
    };
    same.filter(|&codec| takes(container, codec) && is_there(codec))
        .unwrap_or(usual(container))
}

/// The codec of pictures that a container's players know.
fn usual(container: Container) -> VideoCodec {
    match container {
        Container::WebM => VideoCodec::Vp9,
        Container::Avi => VideoCodec::Mpeg4,
        _ => VideoCodec::H264,
    }
}

/// Whether pictures that are encoded in `codec` go into the container.
pub(super) fn takes(container: Container, codec: VideoCodec) -> bool {
    use VideoCodec as V;
    match container {
        Container::Mp4 => !matches!(codec, V::Vp8),
        Container::Mov => matches!(codec, V::H264 | V::Hevc | V::Mpeg4),
        Container::Mkv => true,
        Container::Ts => matches!(codec, V::H264 | V::Hevc | V::Mpeg4),
        Container::WebM => matches!(codec, V::Vp8 | V::Vp9 | V::Av1),
        Container::Avi => matches!(codec, V::H264 | V::Mpeg4),
    }
}

/// The sound codec's name as `AudioCodec` and FFmpeg's encoder.
pub(super) fn sound_encoder(codec: AudioCodec) -> Option<&'static str> {
    match codec {
        AudioCodec::Aac => Some("aac"),
        AudioCodec::Opus => Some("libopus"),
        AudioCodec::Mp3 => Some("libmp3lame"),
        AudioCodec::Ac3 => Some("ac3"),
        AudioCodec::Flac => Some("flac"),
        AudioCodec::Pcm => Some("pcm_s16le"),
        AudioCodec::Copy | AudioCodec::None => None,
    }
}

/// The sound codec of an encoder's name.
pub(super) fn sound_id(encoder: &str) -> CodecId {
    match encoder {
        "libopus" => CodecId::AV_CODEC_ID_OPUS,
        "libmp3lame" => CodecId::AV_CODEC_ID_MP3,
        "ac3" => CodecId::AV_CODEC_ID_AC3,
        "flac" => CodecId::AV_CODEC_ID_FLAC,
        "pcm_s16le" => CodecId::AV_CODEC_ID_PCM_S16LE,
        _ => CodecId::AV_CODEC_ID_AAC,
    }
}

/// Sound encoded as players of the container know it.
pub(super) fn usual_sound(container: Container) -> sound::Coding {
    sound::Coding::usual(container)
}
