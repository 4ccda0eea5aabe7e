//! Which container carries which codec, so that players find it there.
//!
//! For MP4 these are the registered ones (<https://mp4ra.org>) that FFmpeg
//! writes, for MPEG-TS the stream types of ISO/IEC 13818-1 and ETSI TS 101 154,
//! for `QuickTime` what its own format names. Matroska takes all that it has a
//! codec id for; `WebM` what <https://www.webmproject.org/docs/container/> names,
//! and AVI what its old players know, in the order in which it is shown.

use crate::Container;
use crate::av::parameters::{CodecId, Parameters};

/// Whether pictures like these go into the container as they are.
pub(crate) fn carries_pictures(container: Container, pictures: &Parameters) -> bool {
    use CodecId as C;
    let codec = pictures.codec();
    match container {
        Container::Mp4 => matches!(
            codec,
            C::AV_CODEC_ID_H264
                | C::AV_CODEC_ID_HEVC
                | C::AV_CODEC_ID_AV1
                | C::AV_CODEC_ID_VP9
                | C::AV_CODEC_ID_MPEG4
                | C::AV_CODEC_ID_MPEG2VIDEO
                | C::AV_CODEC_ID_MPEG1VIDEO
                | C::AV_CODEC_ID_MJPEG
        ),
        Container::Mov => matches!(
            codec,
            C::AV_CODEC_ID_H264
                | C::AV_CODEC_ID_HEVC
                | C::AV_CODEC_ID_MPEG4
                | C::AV_CODEC_ID_MPEG2VIDEO
                | C::AV_CODEC_ID_MJPEG
                | C::AV_CODEC_ID_PRORES
                | C::AV_CODEC_ID_DNXHD
                | C::AV_CODEC_ID_PNG
        ),
        Container::Ts => matches!(
            codec,
            C::AV_CODEC_ID_H264
                | C::AV_CODEC_ID_HEVC
                | C::AV_CODEC_ID_MPEG4
                | C::AV_CODEC_ID_MPEG2VIDEO
                | C::AV_CODEC_ID_MPEG1VIDEO
        ),
        // Its raw video needs a colour space that FFmpeg does not write.
        Container::Mkv => codec != C::AV_CODEC_ID_RAWVIDEO,
        Container::WebM => matches!(
            codec,
            C::AV_CODEC_ID_VP8 | C::AV_CODEC_ID_VP9 | C::AV_CODEC_ID_AV1
        ),
        Container::Avi => match codec {
            // It has no times to show reordered frames by.
            C::AV_CODEC_ID_H264 | C::AV_CODEC_ID_MPEG4 => !pictures.reorders(),
            C::AV_CODEC_ID_MJPEG
            | C::AV_CODEC_ID_MSMPEG4V3
            | C::AV_CODEC_ID_MSMPEG4V2
            | C::AV_CODEC_ID_FFV1
            | C::AV_CODEC_ID_HUFFYUV => true,
            _ => false,
        },
    }
}

/// Whether sound like this goes into the container as it is.
pub(crate) fn carries_sound(container: Container, sound: &Parameters) -> bool {
    use CodecId as C;
    let codec = sound.codec();
    let common = matches!(
        codec,
        C::AV_CODEC_ID_AAC
            | C::AV_CODEC_ID_MP3
            | C::AV_CODEC_ID_MP2
            | C::AV_CODEC_ID_AC3
            | C::AV_CODEC_ID_EAC3
    );
    match container {
        Container::Mp4 => {
            common
                || matches!(
                    codec,
                    C::AV_CODEC_ID_OPUS | C::AV_CODEC_ID_FLAC | C::AV_CODEC_ID_ALAC
                )
        }
        Container::Ts => common || codec == C::AV_CODEC_ID_OPUS,
        Container::Mov => {
            common
                || matches!(
                    codec,
                    C::AV_CODEC_ID_ALAC
                        | C::AV_CODEC_ID_PCM_ALAW
                        | C::AV_CODEC_ID_PCM_MULAW
                        | C::AV_CODEC_ID_PCM_U8
                        | C::AV_CODEC_ID_PCM_S16LE
                        | C::AV_CODEC_ID_PCM_S16BE
                        | C::AV_CODEC_ID_PCM_S24LE
                        | C::AV_CODEC_ID_PCM_S24BE
                        | C::AV_CODEC_ID_PCM_S32LE
                        | C::AV_CODEC_ID_PCM_S32BE
                        | C::AV_CODEC_ID_PCM_F32LE
                        | C::AV_CODEC_ID_PCM_F32BE
                )
        }
        Container::Mkv => true,
        Container::WebM => matches!(codec, C::AV_CODEC_ID_OPUS | C::AV_CODEC_ID_VORBIS),
        Container::Avi => matches!(
            codec,
            C::AV_CODEC_ID_MP3
                | C::AV_CODEC_ID_MP2
                | C::AV_CODEC_ID_AC3
                | C::AV_CODEC_ID_PCM_S16LE
                | C::AV_CODEC_ID_PCM_U8
                | C::AV_CODEC_ID_PCM_ALAW
                | C::AV_CODEC_ID_PCM_MULAW
        ),
    }
}
