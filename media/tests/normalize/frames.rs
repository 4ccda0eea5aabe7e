//! A frame for each scene, or for so many of them: the right one, and no other.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Arc, Mutex};

use flatbed_media::normalize::{self, FrameOptions, FrameOutput, Options, Outputs, Report};
use flatbed_media::scene::{self, Detector, MinLength, Weights};
use flatbed_media::still::Format;
use flatbed_media::{Context, Input, Timestamp};

use crate::fixture::Source;
use crate::observe;
use crate::scene::{Film, H264};
use crate::still::seen::{Seen, all_seen, seen_by};

/// A run whose frames are files, and nothing else is made.
pub struct Taken {
    pub report: Report,
    pub folder: tempfile::TempDir,
}

impl Taken {
    fn pictures(&self) -> Vec<Seen> {
        let frames = self.report.frames.as_deref().expect("frames");
        let paths: Vec<PathBuf> = frames
            .iter()
            .map(|frame| frame.name.clone().into())
            .collect();
        let files = fs::read_dir(self.folder.path().join("frames")).expect("list");
        assert_eq!(files.count(), paths.len());
        let pictures = all_seen(&paths);
        for ((frame, path), picture) in frames.iter().zip(&paths).zip(&pictures) {
            let size = (frame.width as usize, frame.height as usize);
            assert_eq!(picture.size(), size);
            assert_eq!(frame.bytes, fs::metadata(path).expect("a file").len());
        }
        pictures
    }

    fn scenes(&self) -> &[scene::Scene] {
        &self.report.scenes.as_ref().expect("scenes").scenes
    }

    fn places(&self) -> Vec<usize> {
        let frames = self.report.frames.iter().flatten();
        frames.map(|frame| frame.scene).collect()
    }

    fn times(&self) -> Vec<f64> {
        let frames = self.report.frames.iter().flatten();
        frames.map(|frame| frame.time.as_secs_f64()).collect()
    }

    /// Each frame is of its scene, and near its middle.
    fn check_middles(&self) {
        let longest = Timestamp::from_micros(40_000);
        for frame in self.report.frames.iter().flatten() {
            let scene = self.scenes()[frame.scene];
            assert!(scene.span.start <= frame.time, "{frame:?} {scene:?}");
            assert!(frame.time < scene.span.end, "{frame:?} {scene:?}");
            let off = frame.time.as_micros().abs_diff(scene.middle().as_micros());
            let length = scene.span.duration().as_micros() / 6 + longest.as_micros();
            assert!(off <= length.unsigned_abs(), "{frame:?} {scene:?}");
        }
    }
}

fn take(path: &Path, options: &Options) -> Taken {
    let folder = tempfile::tempdir().expect("a folder");
    let temporary = tempfile::tempdir().expect("a folder");
    let outputs = Outputs {
        frames: Some(FrameOutput::folder(folder.path().join("frames"))),
        ..Outputs::default()
    };
    let context = Context::new().with_temp_dir(temporary.path());
    let report = normalize::normalize(Input::path(path), outputs, options, &context);
    let left = fs::read_dir(temporary.path()).expect("list").count();
    assert_eq!(left, 0, "nothing stays in the folder for temporary files");
    Taken {
        report: report.expect("normalised"),
        folder,
    }
}

/// Every frame is a scene.
fn each_frame(most: usize) -> Options {
    Options {
        scenes: Some(scene::Options {
            detector: Detector::Content { threshold: 0.0 },
            min_length: MinLength::Time(Timestamp::ZERO),
            weights: Weights::default(),
        }),
        frames: FrameOptions {
            most,
            ..FrameOptions::default()
        },
        ..Options::default()
    }
}

fn by(detector: Detector) -> Options {
    Options {
        scenes: Some(scene::Options {
            detector,
            ..scene::Options::default()
        }),
        ..Options::default()
    }
}

#[test]
fn it_is_the_frame_of_its_time() {
    let times: Vec<u64> = (0..8).chain(33..41).map(|at| at * 40_000).collect();
    for source in [
        Source::new().frames(16),
        Source::new().frames(16).container("ts").offset(100.0),
        Source::new().times(&times).container("mkv"),
        Source::new().times(&times),
    ] {
        let fixture = source.build();
        let taken = take(&fixture.path, &each_frame(1000));
        let numbers: Vec<_> = taken.pictures().iter().map(Seen::number).collect();
        assert_eq!(numbers, (0..16).collect::<Vec<_>>(), "{source:?}");
        for (time, number) in taken.times().into_iter().zip(numbers) {
            let due = fixture.time_of(number) - fixture.time_of(0);
            assert!((time - due).abs() < 0.0011, "{source:?}: {time} for {due}");
        }
    }
}

#[test]
fn of_many_scenes_the_first_the_last_and_some_between() {
    let fixture = Source::new().frames(100).build();
    for most in [1, 10] {
        let taken = take(&fixture.path, &each_frame(most));
        let chosen = scene::choose(100, most);
        assert_eq!(taken.places(), chosen);
        let numbers: Vec<_> = taken.pictures().iter().map(Seen::number).collect();
        let due: Vec<_> = chosen.iter().map(|&place| place as u32).collect();
        assert_eq!(numbers, due);
    }
}

#[test]
fn scenes_have_one_each_from_their_middle() {
    let film = Film::new().scene(1, 40).scene(2, 90);
    let film = film.scene(3, 20).scene(5, 200);
    let clip = film.h264();
    for detector in [Detector::ADAPTIVE, Detector::CONTENT] {
        let options = by(detector);
        let taken = take(&clip.path, &options);
        let alone = options.scenes.as_ref().expect("options");
        let alone = scene::detect(Input::path(&clip.path), alone, &Context::new());
        assert_eq!(taken.report.scenes, alone.ok());
        assert_eq!(taken.places(), [0, 1, 2, 3]);
        taken.check_middles();
        let pictures = taken.pictures();
        for (place, time) in taken.times().into_iter().enumerate() {
            let theirs = of_ffmpeg(&clip.path, time);
            for (other, picture) in pictures.iter().enumerate() {
                let alike = observe::ssim(&picture.luma(), &theirs.luma());
                assert_eq!(alike > 0.93, place == other, "{place} {other}: {alike}");
            }
        }
    }
}

/// The frame that ffmpeg shows at a time.
fn of_ffmpeg(path: &Path, time: f64) -> Seen {
    let select = format!("select=gte(t\\,{:.6})", time - 0.001);
    seen_by(&[], path, &["-vf", &select])
}

#[test]
fn a_cut_that_is_known_late_divides_the_frames_all_the_same() {
    // Light goes on and off: the content detector takes such runs for one cut,
    // and knows when they are over.
    let mut film = Film::new().size(48, 32).scene(1, 30);
    for seed in 2..10 {
        film = film.flash(seed, 1 + seed as usize % 3).scene(seed, 3);
        film = film.scene(seed + 1, seed as usize * 4 % 50);
    }
    let clip = film.encode("25", H264, "mp4");
    let lengths = [0, 5, 40].map(MinLength::Frames);
    for detector in [Detector::ADAPTIVE, Detector::CONTENT] {
        for window in [1, 2, 16] {
            let detector = match detector {
                Detector::Adaptive {
                    threshold,
                    min_content,
                    ..
                } => Detector::Adaptive {
                    threshold,
                    window,
                    min_content,
                },
                _ if window > 1 => continue,
                content => content,
            };
            for min_length in lengths {
                let mut options = by(detector);
                options.scenes.as_mut().expect("options").min_length = min_length;
                options.frames.most = 1000;
                let taken = take(&clip.path, &options);
                let all: Vec<_> = (0..taken.scenes().len()).collect();
                assert_eq!(taken.places(), all, "{detector:?} {min_length:?}");
                for frame in taken.report.frames.iter().flatten() {
                    let span = taken.scenes()[frame.scene].span;
                    assert!(
                        (span.start..span.end).contains(&frame.time),
                        "{detector:?} {min_length:?}: {frame:?} {span:?}"
                    );
                }
            }
        }
    }
}

#[test]
fn a_window_that_only_frames_cannot_have() {
    let clip = Film::new().scene(1, 60).scene(2, 60).scene(3, 60).h264();
    let found = |window: usize| {
        let options = by(Detector::Adaptive {
            threshold: 3.0,
            window,
            min_content: 15.0,
        });
        let none = Outputs::default();
        let input = Input::path(&clip.path);
        let report = normalize::normalize(input, none, &options, &Context::new());
        let scenes = report.expect("normalised").scenes.expect("scenes");
        let wanted = options.scenes.as_ref().expect("options");
        let alone = scene::detect(Input::path(&clip.path), wanted, &Context::new());
        assert_eq!(scenes.scenes, alone.expect("scenes").scenes, "{window}");
        scenes.scenes.len()
    };
    assert_eq!(found(17), 3);
    assert_eq!(found(40), 3);
    // More neighbours than there are frames: nothing can stand out among them.
    assert_eq!(found(usize::MAX), 1);
    let options = by(Detector::Adaptive {
        threshold: 3.0,
        window: 17,
        min_content: 15.0,
    });
    let folder = tempfile::tempdir().expect("a folder");
    let outputs = Outputs {
        frames: Some(FrameOutput::folder(folder.path().join("frames"))),
        ..Outputs::default()
    };
    let input = Input::path(&clip.path);
    let error = normalize::normalize(input, outputs, &options, &Context::new());
    let error = error.expect_err("refused").to_string();
    assert!(error.contains("at most 16 neighbours"), "{error}");
    assert!(!folder.path().join("frames").exists());
}

#[test]
fn black_beginnings_are_passed_over() {
    // Black beyond the middle, and then light comes.
    let film = Film::new().scene(1, 100);
    let arguments = format!("-vf fade=in:60:30 {H264}");
    let clip = film.encode("25", &arguments, "mp4");
    let mut options = by(Detector::ADAPTIVE);
    options.scenes.as_mut().expect("options").weights = Weights::BRIGHTNESS;
    let taken = take(&clip.path, &options);
    assert_eq!(taken.places(), [0]);
    assert!(taken.times()[0] > 60.0 / 25.0, "{:?}", taken.times());
    assert!(!taken.report.frames.as_ref().expect("frames")[0].blank);
    let bright = taken.pictures()[0].luma().pixels;
    let share = bright.iter().filter(|&&light| light > 25).count();
    assert!(share * 5 > bright.len(), "{share} of {}", bright.len());

    // A video that is black has a black frame, and says so.
    let clip = film.encode("25", &format!("-vf fade=in:100:1 {H264}"), "mp4");
    let taken = take(&clip.path, &options);
    assert!(taken.report.frames.as_ref().expect("frames")[0].blank);
    taken.check_middles();
}

#[test]
fn one_colour_is_passed_over_too() {
    let film = Film::new().scene(1, 100);
    let white = "-vf fade=in:80:10:color=white";
    let clip = film.encode("25", &format!("{white} {H264}"), "mp4");
    let mut options = by(Detector::Content { threshold: 200.0 });
    let taken = take(&clip.path, &options);
    assert!(taken.times()[0] > 80.0 / 25.0, "{:?}", taken.times());
    options.frames.most = 1;
    assert_eq!(take(&clip.path, &options).places(), [0]);
}

#[test]
fn frames_are_upright_of_square_pixels_and_no_larger_than_asked() {
    let folder = tempfile::tempdir().expect("a folder");
    let turned = folder.path().join("turned.mp4");
    let source = Source::new().size(640, 360).frames(10).build();
    let status = Command::new("ffmpeg")
        .args(["-nostdin", "-v", "error", "-i"])
        .arg(&source.path)
        .args(["-c", "copy", "-metadata:s:v", "rotate=90"])
        .arg(&turned)
        .status();
    assert!(status.expect("ffmpeg starts").success());
    let mut options = Options::default();
    let mut sizes = Vec::new();
    for longest in [1280, 320] {
        options.frames.longest = longest;
        for format in [Format::Jpeg, Format::WebP, Format::Png] {
            options.frames.format = format;
            let taken = take(&turned, &options);
            let picture = taken.pictures().remove(0);
            sizes.push(picture.size());
            let scale = format!("scale={}:{}", picture.width, picture.height);
            let time = taken.times()[0];
            let select = format!("select=gte(t\\,{:.6}),{scale}", time - 0.001);
            let theirs = seen_by(&[], &turned, &["-vf", &select]);
            let alike = observe::ssim(&picture.luma(), &theirs.luma());
            assert!(alike > 0.95, "{longest} {format}: {alike}");
        }
    }
    assert_eq!(sizes, [[(360, 640); 3], [(180, 320); 3]].concat());
    let wide = Source::new().frames(10).args("-aspect 16:9").build();
    assert_eq!(take(&wide.path, &options).pictures()[0].size(), (320, 180));
}

#[test]
fn they_are_the_same_beside_proxy_and_sound() {
    let film = Film::new().scene(1, 40).scene(2, 40).scene(3, 30);
    let clip = film.h264();
    let alone = take(&clip.path, &by(Detector::ADAPTIVE));
    let folder = tempfile::tempdir().expect("a folder");
    let outputs = Outputs {
        frames: Some(FrameOutput::folder(folder.path().join("frames"))),
        ..super::outputs(folder.path())
    };
    let input = Input::path(&clip.path);
    let report = normalize::normalize(input, outputs, &Options::default(), &Context::new());
    let report = report.expect("normalised");
    assert!(report.proxy.is_some());
    assert_eq!(report.scenes, alone.report.scenes);
    let bytes = |frames: &Option<Vec<normalize::SceneFrame>>| -> Vec<_> {
        let frames = frames.iter().flatten();
        frames
            .map(|frame| {
                (
                    frame.scene,
                    frame.time,
                    fs::read(&frame.name).expect("a file"),
                )
            })
            .collect()
    };
    assert_eq!(bytes(&report.frames), bytes(&alone.report.frames));
}

#[test]
fn a_sink_gets_them_one_by_one() {
    let fixture = Source::new().frames(30).build();
    let files = take(&fixture.path, &each_frame(5));
    let got = Arc::new(Mutex::new(Vec::new()));
    let to = Arc::clone(&got);
    let outputs = Outputs {
        frames: Some(FrameOutput::sink(move |frame, bytes| {
            assert_eq!(frame.bytes, bytes.len() as u64);
            to.lock().expect("a lock").push((frame.clone(), bytes));
            Ok(())
        })),
        ..Outputs::default()
    };
    let input = Input::path(&fixture.path);
    let report = normalize::normalize(input, outputs, &each_frame(5), &Context::new());
    let told = report.expect("normalised").frames.expect("frames");
    let got = got.lock().expect("a lock");
    assert_eq!(got.len(), 5);
    let names: Vec<_> = told.iter().map(|frame| frame.name.as_str()).collect();
    assert_eq!(names[0], "frame-1.jpg");
    assert_eq!(names[4], "frame-5.jpg");
    let paths: Vec<PathBuf> = files
        .report
        .frames
        .iter()
        .flatten()
        .map(|frame| frame.name.as_str().into())
        .collect();
    for (((frame, bytes), told), path) in got.iter().zip(&told).zip(paths) {
        assert_eq!(frame, told);
        assert_eq!(bytes, &fs::read(path).expect("a file"));
    }
}

/// The memory in use and the most that ever was, in KiB (proc(5)).
fn memory() -> (u64, u64) {
    let status = fs::read_to_string("/proc/self/status").expect("proc");
    let line = |name: &str| -> u64 {
        let line = status.lines().find_map(|line| line.strip_prefix(name));
        let number = line.expect("a line").split_whitespace().next();
        number.expect("a number").parse().expect("a number")
    };
    (line("VmRSS:"), line("VmHWM:"))
}

#[test]
fn thousands_of_scenes_cost_disk_and_not_memory() {
    let folder = tempfile::tempdir().expect("a folder");
    let noise = folder.path().join("noise.avi");
    let status = Command::new("ffmpeg")
        .args(["-nostdin", "-v", "error", "-f", "lavfi", "-i"])
        .arg("color=gray:s=64x48:r=25:d=120,noise=alls=100:allf=t")
        .args(["-c:v", "mjpeg", "-q:v", "4", "-pix_fmt", "yuvj420p"])
        .arg(&noise)
        .status();
    assert!(status.expect("ffmpeg starts").success());
    let mut options = each_frame(50);
    options.frames.format = Format::Png;
    // What a first run sets up does not count.
    take(&Source::new().frames(10).build().path, &options);
    let (in_use, _) = memory();
    let taken = take(&noise, &options);
    let (_, most) = memory();
    assert_eq!(taken.scenes().len(), 3000);
    assert_eq!(taken.places(), scene::choose(3000, 50));
    let frames = taken.report.frames.iter().flatten();
    let mean = frames.map(|frame| frame.bytes).sum::<u64>() / 50;
    // All pictures together are several times what may be held.
    let all = 3000 * mean / 1024;
    assert!(all > 20 << 10, "{all} KiB");
    let most = most - in_use;
    assert!(most < 12 << 10, "{most} KiB for {all} KiB of pictures");
}
