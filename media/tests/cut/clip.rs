//! A result, looked at from outside.

use std::ops::Range;
use std::path::PathBuf;

use flatbed_media::Timestamp;
use flatbed_media::cut::Report;
use serde_json::Value;
use tempfile::TempDir;

use super::original::{Original, has_extension, is_iso, streams};
use crate::observe::{self, Luma, Movie, Packet, Shown, Sound, Track};

/// How like the source an encoded frame must look.
const SIMILAR: f64 = 0.98;
/// The same where all of a recording is encoded, which is not done as finely as an edge.
const SIMILAR_WHOLE: f64 = 0.97;
/// How far the sound may be off the picture where the container has edit lists or exact times.
const IN_STEP_MS: f64 = 5.0;

/// A result.
pub struct Clip<'a> {
    pub original: &'a Original,
    pub range: Range<u32>,
    /// Gone with the clip.
    #[allow(dead_code, reason = "it holds the clip, and goes with this value")]
    pub folder: TempDir,
    pub path: PathBuf,
    pub report: Report,
    pub frames: Vec<Shown>,
    pub lumas: Vec<Luma>,
    pub packets: Vec<Packet>,
}

impl Clip<'_> {
    /// All that holds for every exact cut; answers how many frames were encoded.
    pub fn check(&self) -> u64 {
        self.check_frames();
        self.check_times();
        self.check_copied_and_encoded();
        self.check_report();
        self.check_stream();
        if let Some(sound) = &self.original.sound {
            self.check_sound(sound);
        }
        self.report.frames_encoded
    }

    /// The frames of the range, no more and no fewer.
    pub fn check_frames(&self) {
        let kept = self.wanted().map(|(frame, _)| frame.number);
        assert_eq!(
            observe::numbers(&self.frames),
            kept.collect::<Vec<_>>(),
            "{}: {:?}",
            self.name(),
            self.report
        );
    }

    /// The source's frames in the range.
    fn wanted(&self) -> impl Iterator<Item = (&Shown, &Luma)> {
        let all = self.original.frames.iter().zip(&self.original.lumas);
        all.filter(|(frame, _)| self.range.contains(&frame.number))
    }

    /// Every frame at the same distance from the first as in the source; packets in order.
    pub fn check_times(&self) {
        let name = self.name();
        observe::check_order(&self.packets);
        if let Some(fps) = self.original.fps {
            observe::check_even(&self.in_source_ticks(), fps);
        }
        assert_eq!(
            self.packets.len(),
            self.frames.len(),
            "{name}: hidden packets"
        );
        // Matroska counts milliseconds, all others finely enough.
        let coarse = [&self.path, &self.original.path].map(|path| has_extension(path, "mkv"));
        let tolerance = if coarse.contains(&true) {
            0.0011
        } else {
            0.000_05
        };
        let first = self.wanted().next().expect("a frame").0.pts;
        for (frame, (source, _)) in self.frames.iter().zip(self.wanted()) {
            let (is, due) = (frame.pts - self.frames[0].pts, source.pts - first);
            let number = frame.number;
            assert!(
                (is - due).abs() <= tolerance,
                "{name}: frame {number} at {is}, due {due}"
            );
        }
        if is_iso(&self.path) {
            let pts = self.frames[0].pts;
            assert!(
                pts.abs() < 0.000_05,
                "{name}: the first frame is shown at {pts}"
            );
            let movie = Movie::open(&self.path);
            assert!(movie.fast_start(), "{name}: no fast start");
            self.check_sample_durations(movie.track("vide"));
        }
    }

    /// The packets; in milliseconds where the source counted no finer.
    fn in_source_ticks(&self) -> Vec<Packet> {
        let mut packets = self.packets.clone();
        if has_extension(&self.original.path, "mkv") {
            for packet in &mut packets {
                let scale = packet.tick * 1e3;
                let milliseconds = |ticks: i64| (ticks as f64 * scale).round() as i64;
                packet.pts = packet.pts.map(milliseconds);
                packet.dts = packet.dts.map(milliseconds);
                packet.duration = packet.duration.map(milliseconds);
                packet.tick = 1e-3;
            }
        }
        packets
    }

    /// Each sample lasts as long as a frame. ffprobe tells other durations where frames are
    /// reordered.
    fn check_sample_durations(&self, track: &Track) {
        let Some((rate, unit)) = self.original.fps else {
            return;
        };
        let frame = f64::from(track.timescale) * f64::from(unit) / f64::from(rate);
        // Matroska's milliseconds come to a millisecond more or less.
        let coarse = has_extension(&self.original.path, "mkv");
        let tolerance = if coarse {
            f64::from(track.timescale) / 999.0
        } else {
            1.0
        };
        let even = track
            .stts
            .iter()
            .all(|run| (f64::from(run.1) - frame).abs() <= tolerance);
        assert!(
            even,
            "{}: frames of {frame} ticks: {:?}",
            self.name(),
            track.stts
        );
    }

    /// As many frames as the report says are bit for bit the source's; the others look like it.
    pub fn check_copied_and_encoded(&self) {
        let name = self.name();
        let mut identical = 0;
        let pairs = self.frames.iter().zip(&self.lumas).zip(self.wanted());
        for ((frame, luma), (source, source_luma)) in pairs {
            if frame.md5 == source.md5 {
                identical += 1;
                continue;
            }
            let ssim = observe::ssim(source_luma, luma);
            let least = if self.report.frames_copied > 0 {
                SIMILAR
            } else {
                SIMILAR_WHOLE
            };
            assert!(
                ssim >= least,
                "{name}: frame {} has an SSIM of {ssim}",
                frame.number
            );
        }
        assert_eq!(
            identical, self.report.frames_copied,
            "{name}: {:?}",
            self.report
        );
    }

    pub fn check_report(&self) {
        let (name, report) = (self.name(), &self.report);
        let shown = self.frames.len() as u64;
        assert_eq!(report.frames, shown, "{name}: {report:?}");
        assert_eq!(
            report.frames_copied + report.frames_encoded,
            shown,
            "{name}: {report:?}"
        );
        let bytes = self.path.metadata().expect("the clip is there").len();
        assert_eq!(report.bytes, bytes, "{name}: {report:?}");
        let near = |a: Timestamp, b: Timestamp| (a.as_micros() - b.as_micros()).abs() < 2_000;
        let start = self.original.time_of(self.range.start);
        assert!(
            near(report.start, start),
            "{name}: starts at {start}: {report:?}"
        );
        assert!(
            near(report.duration, report.end - report.start),
            "{name}: {report:?}"
        );
        if let Some((rate, unit)) = self.original.fps {
            let length = u64::from(unit) * 1_000_000 * shown / u64::from(rate);
            let length = Timestamp::from_micros(length as i64);
            assert!(
                near(report.duration, length),
                "{name}: {length} long: {report:?}"
            );
        }
    }

    /// Decoders and displays are told the same as by the source.
    pub fn check_stream(&self) {
        let facts = streams(&self.path, "v").swap_remove(0);
        let names = [
            "codec_name",
            "profile",
            "level",
            "pix_fmt",
            "width",
            "height",
            "color_range",
            "color_space",
            "color_transfer",
            "color_primaries",
            "chroma_location",
            "field_order",
            "has_b_frames",
            "r_frame_rate",
        ];
        // From milliseconds ffprobe guesses, and from a few frames it guesses wrong.
        let is_coarse =
            has_extension(&self.original.path, "mkv") || has_extension(&self.path, "mkv");
        let told = |value: &Value| !value.is_null() && value != "unknown";
        for name in names {
            let (before, after) = (&self.original.facts[name], &facts[name]);
            let varies = name == "r_frame_rate" && (self.original.fps.is_none() || is_coarse);
            if told(before) && told(after) && !varies {
                assert_eq!(before, after, "{}: {name}", self.name());
            }
        }
    }

    /// The sound is in step at the first frame, in the middle and at the end; it is whole, and
    /// as long as the picture.
    fn check_sound(&self, source: &Sound) {
        let name = self.name();
        // One frame may be shorter than any packet of sound.
        if self.report.duration < Timestamp::from_micros(100_000) {
            return;
        }
        let sound = Sound::of(&self.path, &[]);
        let packet_ms = self.audio_frame();
        let tolerance = if has_extension(&self.path, "ts") {
            packet_ms
        } else {
            IN_STEP_MS
        };
        let originals: Vec<_> = self.wanted().map(|(frame, _)| frame).collect();
        let end = self.frames[self.frames.len() - 1].pts - 0.3;
        let last = self
            .frames
            .iter()
            .rposition(|frame| frame.pts <= end)
            .unwrap_or(0);
        let is_long_enough = self.report.duration > Timestamp::from_micros(350_000);
        for index in [0, last / 2, last].into_iter().filter(|_| is_long_enough) {
            let (frame, original) = (&self.frames[index], originals[index]);
            let lag = observe::lag(source, original.pts, &sound, frame.pts, 0.3);
            let good = lag.ms.abs() <= tolerance && lag.peak > 0.8;
            assert!(good, "{name}: at frame {}: {lag:?}", frame.number);
        }
        assert_eq!(sound.holes, [], "{name}");
        let slack = packet_ms / 1e3 + 0.005;
        let picture = report_span(&self.frames, self.report.duration);
        let late = sound.start - picture.0;
        assert!(
            late.abs() <= slack,
            "{name}: the sound starts {late} s late"
        );
        let long = sound.end() - picture.1;
        assert!(
            long.abs() <= slack,
            "{name}: the sound is {long} s too long"
        );
    }

    /// The length of a frame of sound, in milliseconds.
    fn audio_frame(&self) -> f64 {
        let packets = observe::packets_of(&self.path, "a:0");
        let durations = packets.iter().filter_map(|packet| packet.duration);
        durations.max().unwrap_or(0) as f64 * packets[0].tick * 1e3
    }

    fn name(&self) -> String {
        format!(
            "{:?} of {} as {}",
            self.range,
            self.original.path.display(),
            self.path.display()
        )
    }
}

fn report_span(frames: &[Shown], duration: Timestamp) -> (f64, f64) {
    (frames[0].pts, frames[0].pts + duration.as_secs_f64())
}
