//! A cut, made and then looked at from outside.

use std::fs;
use std::ops::Range;
use std::path::{Path, PathBuf};

use flatbed_media::cut::{self, Options, Report, Segment, Selection};
use flatbed_media::{Context, Error, Input, Output, Timestamp};
use serde_json::Value;
use tempfile::TempDir;

use crate::fixture::Source;
use crate::observe::{self, Luma, Movie, Packet, Shown, Sound, Track};

/// How like the source an encoded frame must look.
const SIMILAR: f64 = 0.98;
/// The same where all of a recording is encoded, which is not done as finely as an edge.
const SIMILAR_WHOLE: f64 = 0.97;
/// How far the sound may be off the picture where the container has edit lists or exact times.
const IN_STEP_MS: f64 = 5.0;

/// A recording and all that a player shows of it.
pub struct Original {
    pub path: PathBuf,
    pub frames: Vec<Shown>,
    lumas: Vec<Luma>,
    sound: Option<Sound>,
    facts: Value,
    /// Frames a second; `None` where they vary.
    fps: Option<(u32, u32)>,
}

impl Original {
    pub fn of(source: &Source) -> Self {
        Self::despite(source, &[])
    }

    /// A recording at which ffmpeg complains with one of `allowed`.
    pub fn despite(source: &Source, allowed: &[&str]) -> Self {
        let fixture = source.build();
        let fps = (!fixture.varies()).then(|| fixture.fps());
        Self::at(fixture.path, fps, allowed)
    }

    /// The file at `path`.
    pub fn at(path: PathBuf, fps: Option<(u32, u32)>, allowed: &[&str]) -> Self {
        let (frames, lumas) = watched(&path, allowed);
        let has_sound = !streams(&path, "a").is_empty();
        Self {
            sound: has_sound.then(|| Sound::of(&path, allowed)),
            facts: streams(&path, "v").swap_remove(0),
            frames,
            lumas,
            path,
            fps,
        }
    }

    /// When frame `number` is shown, as a person reads it from ffprobe: to six digits, from the
    /// file's own zero in MP4 and MOV, else from the first frame.
    pub fn time_of(&self, number: u32) -> Timestamp {
        let zero = if is_iso(&self.path) {
            0.0
        } else {
            self.frames[0].pts
        };
        let time = match self.frames.iter().find(|frame| frame.number == number) {
            Some(frame) => frame.pts,
            // Behind the last frame.
            None => self.frames[self.frames.len() - 1].pts + 0.01,
        };
        Timestamp::from_micros(((time - zero) * 1e6).round() as i64)
    }

    /// The same frames and sound in another file, of which ffmpeg does not know enough.
    pub fn seen_in(self, path: PathBuf) -> Self {
        Self { path, ..self }
    }

    /// As if it began with frame `number`: those before cannot be decoded.
    pub fn starting_at(mut self, number: u32) -> Self {
        let first = self.frames.iter().position(|frame| frame.number == number);
        let first = first.expect("the first frame is there");
        self.frames.drain(..first);
        self.lumas.drain(..first);
        self
    }

    pub fn packets(&self) -> Vec<Packet> {
        observe::packets(&self.path)
    }

    /// Cuts the frames `range` exactly.
    pub fn cut(&self, range: Range<u32>, container: &str) -> Clip<'_> {
        self.cut_with(range, container, Options::default())
    }

    /// The frames shown by a cut between two times in seconds.
    pub fn cut_between(&self, start: f64, end: f64, container: &str) -> Vec<u32> {
        let time = |seconds: f64| Timestamp::from_micros((seconds * 1e6).round() as i64);
        let selection = Selection::between(time(start), time(end));
        let (_folder, path, _) = self.run(
            container,
            &Options {
                selection,
                ..Options::default()
            },
        );
        observe::numbers(&observe::shown(&path))
    }

    pub fn cut_with(&self, range: Range<u32>, container: &str, options: Options) -> Clip<'_> {
        let (start, end) = (self.time_of(range.start), self.time_of(range.end));
        let options = Options {
            selection: Selection::between(start, end),
            ..options
        };
        let (folder, path, report) = self.run(container, &options);
        let (frames, lumas) = watched(&path, &[]);
        Clip {
            original: self,
            range,
            _folder: folder,
            packets: packets(&path),
            path,
            report,
            frames,
            lumas,
        }
    }

    fn run(&self, container: &str, options: &Options) -> (TempDir, PathBuf, Report) {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("clip").with_extension(container);
        let report = cut::cut(
            vec![Segment::new(Input::path(&self.path))],
            Output::path(&path).expect("a known extension"),
            options,
            &Context::new(),
        )
        .unwrap_or_else(|error| {
            panic!(
                "{:?} of {}: {error}",
                options.selection,
                self.path.display()
            )
        });
        (folder, path, report)
    }
}

/// A result.
pub struct Clip<'a> {
    original: &'a Original,
    range: Range<u32>,
    _folder: TempDir,
    pub path: PathBuf,
    pub report: Report,
    pub frames: Vec<Shown>,
    lumas: Vec<Luma>,
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

    /// The coded pictures of the clip, with start codes.
    pub fn samples(&self) -> Vec<Vec<u8>> {
        let mut stream = fs::read(&self.path).expect("the clip is there");
        let is_ts = has_extension(&self.path, "ts");
        if is_ts {
            stream = elementary(&stream);
            return vec![stream];
        }
        let sample = |packet: &Packet| {
            let at = packet.pos.expect("a position") as usize;
            start_codes(&stream[at..at + packet.size as usize])
        };
        self.packets.iter().map(sample).collect()
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
        let tolerance = if has_extension(&self.path, "ts") {
            self.audio_frame()
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
        let slack = self.audio_frame() / 1e3 + 0.005;
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

/// The error of a cut that must fail; nothing is left of it.
pub fn failed(path: &Path, start: f64, end: f64) -> Error {
    let time = |seconds: f64| Timestamp::from_micros((seconds * 1e6).round() as i64);
    let folder = tempfile::tempdir().expect("a temporary folder");
    let output = Output::path(folder.path().join("clip.mp4")).expect("a known extension");
    let options = Options {
        selection: Selection::between(time(start), time(end)),
        ..Options::default()
    };
    let segment = Segment::new(Input::path(path));
    let result = cut::cut(vec![segment], output, &options, &Context::new());
    let left = fs::read_dir(folder.path())
        .expect("the folder is there")
        .count();
    assert_eq!(left, 0, "something was left");
    result.expect_err("this cut cannot be made")
}

/// The units of a stream with start codes.
pub fn annex_b(stream: &[u8]) -> Vec<&[u8]> {
    let mut starts: Vec<usize> = stream
        .windows(3)
        .enumerate()
        .filter(|(_, bytes)| *bytes == [0, 0, 1])
        .map(|(at, _)| at)
        .collect();
    starts.push(stream.len());
    starts
        .windows(2)
        .map(|pair| &stream[pair[0] + 3..pair[1]])
        .collect()
}

/// Four-byte lengths become start codes.
fn start_codes(mut sample: &[u8]) -> Vec<u8> {
    let mut stream = Vec::new();
    while let [a, b, c, d, rest @ ..] = sample {
        let length = u32::from_be_bytes([*a, *b, *c, *d]) as usize;
        stream.extend([0, 0, 1]);
        stream.extend(&rest[..length]);
        sample = &rest[length..];
    }
    stream
}

/// The payload of the first PID that carries pictures (ISO/IEC 13818-1, 2.4.3).
fn elementary(stream: &[u8]) -> Vec<u8> {
    let mut found = Vec::new();
    for packet in stream.chunks_exact(188) {
        let pid = u16::from_be_bytes([packet[1] & 0x1F, packet[2]]);
        let skip = if packet[3] & 0x20 == 0 {
            4
        } else {
            5 + usize::from(packet[4])
        };
        if pid == 0x100 && packet[3] & 0x10 != 0 {
            found.extend(packet.get(skip..).unwrap_or_default());
        }
    }
    found
}

/// ffprobe's facts about the streams of a kind.
pub fn streams(path: &Path, kind: &str) -> Vec<Value> {
    let mut facts = observe::probe(path, &["-select_streams", kind, "-show_streams"]);
    match facts["streams"].take() {
        Value::Array(streams) => streams,
        _ => Vec::new(),
    }
}

/// The packets of the picture. Matroska has no DTS: libavformat makes them up but for the first
/// few, which are then made up here.
fn packets(path: &Path) -> Vec<Packet> {
    let mut packets = observe::packets(path);
    if has_extension(path, "mkv") {
        let count = packets.len();
        let known = packets
            .iter()
            .position(|packet| packet.dts.is_some())
            .unwrap_or(count);
        let earliest = packets.iter().filter_map(|packet| packet.pts).min();
        let after = packets
            .get(known)
            .and_then(|packet| packet.dts)
            .or(earliest.map(|pts| pts + 1));
        for (steps, packet) in (1..).zip(packets[..known].iter_mut().rev()) {
            packet.dts = after.map(|after| after - steps);
        }
    }
    packets
}

fn watched(path: &Path, allowed: &[&str]) -> (Vec<Shown>, Vec<Luma>) {
    let mut lumas = Vec::new();
    let frames = observe::watch(path, allowed, |index, reading, luma| {
        if allowed.is_empty() {
            reading.unwrap_or_else(|bad| panic!("{}: frame {index}: {bad:?}", path.display()));
        }
        lumas.push(luma.clone());
    });
    (frames, lumas)
}

fn is_iso(path: &Path) -> bool {
    has_extension(path, "mp4") || has_extension(path, "mov")
}

fn has_extension(path: &Path, extension: &str) -> bool {
    path.extension().is_some_and(|found| found == extension)
}
