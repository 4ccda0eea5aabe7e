//! What becomes of pictures and sound: `transcode`, `convert`, `compress`.

use super::super::super::coding::{self, Coding, Spend};
use super::super::super::operation::{
    AudioCodec, BitRate, Compress, Convert, Quality, Transcode, VideoCodec,
};
use super::super::super::step::Step;
use super::{Refused, Walk, Wish};
use crate::cut::carriage::carries_pictures;

impl Walk<'_> {
    /// The coding as it is by now, or the usual one for the source's codec.
    pub(super) fn coding(&self) -> Coding {
        match (&self.coding, &self.source) {
            (Some((coding, _)), _) => coding.clone(),
            (None, Some(source)) => Coding::usual(coding::successor(source.codec, self.container)),
            (None, None) => Coding::usual(VideoCodec::H264),
        }
    }

    pub(super) fn encode(&mut self, coding: Coding, why: impl Into<String>) {
        self.coding = Some((coding, why.into()));
    }

    pub(super) fn transcode(&mut self, asked: &Transcode) -> std::result::Result<(), Refused> {
        if asked.codec == Some(VideoCodec::Copy) && self.coding.is_some() {
            return Err(
                "codec copy: the pictures are encoded already by an operation before".into(),
            );
        }
        let sound = asked.audio_codec.is_some()
            || asked.audio_bitrate.is_some()
            || asked.audio_channels.is_some();
        let silent = Transcode {
            audio_codec: None,
            audio_bitrate: None,
            audio_channels: None,
            ..asked.clone()
        };
        let only_sound = sound && silent == Transcode::default();
        if asked.codec != Some(VideoCodec::Copy) && !only_sound {
            self.transcode_pictures(asked)?;
        }
        if sound {
            let bits = asked.audio_bitrate.map(BitRate::signed);
            let channels = asked
                .audio_channels
                .map(|most| i32::try_from(most).unwrap_or(i32::MAX));
            self.wish_sound(asked.audio_codec, bits, channels);
        }
        Ok(())
    }

    pub(super) fn transcode_pictures(
        &mut self,
        asked: &Transcode,
    ) -> std::result::Result<(), Refused> {
        if self.source.is_none() {
            self.note("there are no pictures to transcode, the sound alone is taken");
            return Ok(());
        }
        let mut coding = self.coding();
        let why = match asked.codec {
            Some(codec) => {
                check_codec(codec)?;
                if codec != coding.codec {
                    coding = Coding {
                        preset: coding.preset,
                        ..Coding::usual(codec)
                    };
                }
                "transcode asks for it"
            }
            None => "transcode asks for it",
        };
        coding.spend = match (asked.bitrate, asked.crf) {
            (Some(bits), _) => Spend::Average(bits.signed()),
            (None, Some(crf)) => Spend::Quality(crf),
            (None, None) => Spend::Usual,
        };
        coding.most = asked.max_bitrate.map(BitRate::signed);
        coding.preset = asked.preset.or(coding.preset);
        coding.keyframe_every = asked.keyframe_interval;
        coding.two_pass = asked.two_pass;
        if asked.two_pass && !coding.knows_passes() {
            coding.two_pass = false;
            self.note(format!("{} encodes in one pass", coding.encoder()));
        }
        if let Some(format) = &asked.pixel_format {
            let number = crate::av::scale::format_number(format.name());
            if let Some(reason) = coding.refuses(number) {
                return Err(reason);
            }
            self.pixel_format = Some(format.name().to_owned());
        }
        if let Some(resolution) = asked.resolution {
            self.steps.push(Step::Resize(resolution, asked.fit));
        }
        if let Some(fps) = asked.fps {
            self.settle_origin();
            self.paced.get_or_insert(self.origin);
            self.steps.push(Step::Rate(fps));
        }
        self.encode(coding, why);
        Ok(())
    }

    pub(super) fn wish_sound(
        &mut self,
        codec: Option<AudioCodec>,
        bits: Option<i64>,
        channels: Option<i32>,
    ) {
        if self.sound.is_empty() {
            if codec != Some(AudioCodec::None) {
                self.note("there is no sound");
            }
            return;
        }
        self.sound_wish = match codec {
            Some(AudioCodec::None) => Wish::None,
            Some(AudioCodec::Copy) => Wish::Copied,
            // The same codec and nothing more: it need not be encoded anew.
            Some(codec) if bits.is_none() && channels.is_none() && self.sounds_like(codec) => {
                Wish::AsItIs
            }
            codec => Wish::Encoded(codec, bits, channels),
        };
    }

    pub(super) fn sounds_like(&self, codec: AudioCodec) -> bool {
        matches!(self.sound_wish, Wish::AsItIs | Wish::Copied)
            && coding::sound_encoder(codec).is_some_and(|encoder| {
                let id = coding::sound_id(encoder);
                self.sound.iter().all(|&codec| codec == id)
            })
    }

    pub(super) fn convert(&mut self, asked: &Convert) -> std::result::Result<(), Refused> {
        if let Some(container) = asked.format {
            if self.fixed.is_some_and(|fixed| fixed != container) {
                return Err(format!("the output is {}, not {container}", self.container));
            }
            self.container = container;
            self.chosen = true;
        }
        if let Some(codec) = asked.video_codec
            && codec != VideoCodec::Copy
            && self.source.is_some()
            && self.chosen
            && !coding::takes(self.container, codec)
        {
            return Err(format!(
                "{} does not carry what {} makes; write mp4 or mkv",
                self.container,
                Coding::usual(codec).encoder()
            ));
        }
        match asked.video_codec {
            Some(VideoCodec::Copy) if self.coding.is_some() => {
                return Err("videoCodec copy: an operation before encodes the pictures".into());
            }
            None | Some(VideoCodec::Copy) => {}
            Some(codec) => {
                let now = match (&self.coding, &self.source) {
                    (Some((coding, _)), _) => Some(coding::id(coding.codec)),
                    (None, source) => source.as_ref().map(|source| source.codec),
                };
                if now.is_some() && now != Some(coding::id(codec)) {
                    check_codec(codec)?;
                    self.encode(Coding::usual(codec), "convert asks for another codec");
                }
            }
        }
        if asked.video_codec == Some(VideoCodec::Copy)
            && let Some(source) = &self.source
            && !carries_pictures(self.container, &source.parameters)
        {
            let codec = source.parameters.codec_name();
            return Err(format!(
                "videoCodec copy: {} does not carry {codec}",
                self.container
            ));
        }
        if asked.audio_codec.is_some() {
            self.wish_sound(asked.audio_codec, None, None);
        }
        Ok(())
    }

    pub(super) fn compress(&mut self, asked: &Compress) -> std::result::Result<(), Refused> {
        if self.source.is_none() {
            return Err(
                "there are no pictures to compress; transcode the sound with audioBitrate".into(),
            );
        }
        let mut coding = self.coding();
        coding.spend = match (
            asked.crf,
            asked.quality,
            asked.target_bytes,
            asked.target_ssim,
        ) {
            (Some(crf), ..) => Spend::Quality(crf),
            (_, Some(quality), ..) => Spend::Word(quality),
            (_, _, Some(bytes), _) => Spend::Bytes(bytes),
            (_, _, _, Some(ssim)) => Spend::Ssim(ssim),
            (None, None, None, None) => Spend::Word(Quality::Medium),
        };
        coding.most = asked.max_bitrate.map(BitRate::signed);
        coding.preset = asked.preset.or(coding.preset);
        coding.two_pass = false;
        self.encode(coding, "compress asks for fewer bits");
        Ok(())
    }
}

fn check_codec(codec: VideoCodec) -> std::result::Result<(), Refused> {
    if coding::is_there(codec) {
        return Ok(());
    }
    let name = Coding::usual(codec).encoder();
    Err(format!("the linked FFmpeg has no encoder {name}"))
}
