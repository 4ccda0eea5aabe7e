//! `flatbed image`: photos and animations to WebP.

mod values;

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use clap::{ValueEnum, ValueHint};
use flatbed_media::image::{Coding, Fit, Job, Keep, Options, Pool, PoolSize, Report, Size};
use flatbed_media::{Context, Error, Limits};
use indicatif::HumanBytes;
use serde::Serialize;

use super::failure::{Failure, eprint_line, one_line};
use super::overwriting::Overwriting;
use super::progress::Counter;
use super::running::Running;
use super::segments;
use super::stdio::{self, MediaStdout, STDOUT};
use values::{bytes, likeness, side};

const EXAMPLES: &str = "\
Examples:
  flatbed image photo.jpg --max-width 1280 -o photo.webp
  flatbed image uploads/*.jpg --max-width 720 --quality 80 -o small
  flatbed image photo.jpg --max-width 1920 --max-bytes 200k -o photo.webp
  flatbed image dance.gif -o dance.webp
  flatbed image - --max-width 320 -o - <photo.jpg >photo.webp";

/// Turn photos and animations into small WebP files
///
/// Reads JPEG, PNG, GIF, WebP, BMP and TIFF, whatever the names say. The
/// pictures come out upright and in sRGB, without metadata. One that fails does
/// not stop the others.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Arguments {
    /// The images; - is standard input
    #[arg(value_name = "FILE", required = true, value_hint = ValueHint::FilePath)]
    files: Vec<PathBuf>,

    /// The file to write, or for more than one image a folder; - is standard output
    #[arg(short, long, value_name = "OUT", value_hint = ValueHint::AnyPath)]
    output: PathBuf,

    /// The largest width, in pixels
    #[arg(long, value_name = "W", value_parser = side())]
    max_width: Option<u32>,

    /// The largest height, in pixels
    #[arg(long, value_name = "H", value_parser = side())]
    max_height: Option<u32>,

    /// What happens where an image has another shape than W x H
    #[arg(long, value_name = "HOW", default_value = "inside")]
    fit: FitArg,

    /// Let small images grow to W x H
    #[arg(long)]
    enlarge: bool,

    /// From 1 (small) to 100 (good)
    #[arg(long, value_name = "Q", default_value = "80")]
    #[arg(value_parser = clap::value_parser!(u8).range(1..=100))]
    quality: u8,

    /// Keep every pixel as it is
    #[arg(long, conflicts_with_all = ["quality", "ssim"])]
    lossless: bool,

    /// The quality that makes it this like the original, as 0.98
    #[arg(long, value_name = "X", value_parser = likeness, conflicts_with = "quality")]
    ssim: Option<f64>,

    /// Lower the quality until it fits into so many bytes, as 200000, 200k or 1M
    #[arg(long, value_name = "N", value_parser = bytes)]
    max_bytes: Option<u64>,

    /// From 0 (fast) to 6 (small)
    #[arg(long, value_name = "E", default_value = "4")]
    #[arg(value_parser = clap::value_parser!(u8).range(0..=6))]
    effort: u8,

    /// Of animations, take the first picture only
    #[arg(long)]
    still: bool,

    /// Resize in linear light: fine bright detail keeps its brightness
    #[arg(long)]
    linear_light: bool,

    /// Keep the colour profile, or EXIF, or both
    #[arg(long, value_name = "WHAT", value_delimiter = ',')]
    keep: Vec<KeepArg>,

    /// The most pixels of one image
    #[arg(long, value_name = "N", default_value = "50000000")]
    max_pixels: u64,

    /// The most memory for the pixels of all images in flight, as 256M
    #[arg(long, value_name = "N", value_parser = bytes, default_value = "256M")]
    memory: u64,

    #[command(flatten)]
    overwriting: Overwriting,

    #[command(flatten)]
    running: Running,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum FitArg {
    /// All of it is shown, as large as fits
    Inside,
    /// The size is filled, what stands over is cut off
    Cover,
    /// The size is filled, the shape is not kept
    Exact,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum KeepArg {
    /// The colours as they are, with their profile
    Icc,
    /// What EXIF tells, but for the orientation
    Exif,
}

/// What was done with an image, for programs.
#[derive(Debug, Serialize)]
struct Told<'a> {
    source: String,
    output: String,
    width: u32,
    height: u32,
    bytes_in: u64,
    bytes_out: u64,
    frames: u64,
    quality: Option<u8>,
    elapsed_ms: u64,
    notes: &'a [String],
}

/// That an image failed, for programs.
#[derive(Debug, Serialize)]
struct Refused {
    source: String,
    error: String,
}

pub(super) fn run(arguments: &Arguments) -> Result<(), Failure> {
    let options = arguments.options()?;
    let pool = Pool::new(PoolSize {
        threads: arguments.running.threads(),
        memory: arguments.memory,
    })?;
    let context = arguments.running.plain()?;
    let mut limits = Limits::default();
    limits.image.max_pixels = arguments.max_pixels;
    let context = context.with_limits(limits);
    if arguments.output.as_os_str() == "-" {
        return arguments.to_stdout(&pool, &options, &context);
    }
    let outputs = arguments.outputs()?;
    let mut jobs = Vec::with_capacity(outputs.len());
    for (file, output) in arguments.files.iter().zip(&outputs) {
        jobs.push(Job {
            input: segments::open(file)?,
            output: output.clone(),
        });
    }
    arguments.to_files(&pool, jobs, &outputs, &options, &context)
}

impl Arguments {
    fn options(&self) -> Result<Options, Failure> {
        let size = Size::new(self.max_width, self.max_height);
        let both = self.max_width.is_some() && self.max_height.is_some();
        if self.fit != FitArg::Inside && !both {
            return Err(Failure::usage(
                "--fit cover and exact need --max-width and --max-height",
            ));
        }
        Ok(Options {
            size,
            fit: match self.fit {
                FitArg::Inside => Fit::Contain,
                FitArg::Cover => Fit::Cover,
                FitArg::Exact => Fit::Stretch,
            },
            enlarge: self.enlarge,
            linear_light: self.linear_light,
            coding: match self.ssim {
                _ if self.lossless => Coding::Lossless,
                Some(ssim) => Coding::Ssim(ssim),
                None => Coding::Quality(self.quality),
            },
            effort: self.effort,
            max_bytes: self.max_bytes,
            still: self.still,
            keep: Keep {
                icc: self.keep.contains(&KeepArg::Icc),
                exif: self.keep.contains(&KeepArg::Exif),
            },
        })
    }

    /// The file that each image becomes, none of which somebody may miss.
    fn outputs(&self) -> Result<Vec<PathBuf>, Failure> {
        let stdin = |path: &&PathBuf| segments::is_stdin(path);
        if self.files.iter().filter(stdin).count() > 1 {
            return Err(Failure::usage("standard input (-) can be read only once"));
        }
        let outputs = match self.files.as_slice() {
            [_] if !is_folder(&self.output) => vec![self.output.clone()],
            files => {
                self.make_folder()?;
                files.iter().map(|file| self.in_folder(file)).collect()
            }
        };
        let mut seen = HashMap::new();
        for (file, output) in self.files.iter().zip(&outputs) {
            if let Some(other) = seen.insert(output, file) {
                return Err(Failure::usage(format!(
                    "{} and {} would both become {}",
                    other.display(),
                    file.display(),
                    output.display()
                )));
            }
            self.overwriting.check(output, &self.files)?;
        }
        Ok(outputs)
    }

    fn in_folder(&self, file: &Path) -> PathBuf {
        let stem = if segments::is_stdin(file) {
            "image".as_ref()
        } else {
            file.file_stem().unwrap_or("image".as_ref())
        };
        let mut name = stem.to_owned();
        name.push(".webp");
        self.output.join(name)
    }

    fn make_folder(&self) -> Result<(), Failure> {
        let folder = &self.output;
        match std::fs::create_dir(folder) {
            Err(_) if folder.is_dir() => Ok(()),
            Err(error) => Err(Failure::io(folder.display().to_string(), error)),
            Ok(()) => Ok(()),
        }
    }

    fn to_stdout(&self, pool: &Pool, options: &Options, context: &Context) -> Result<(), Failure> {
        use std::io::Write as _;

        let [file] = self.files.as_slice() else {
            return Err(Failure::usage(
                "standard output takes one image: name a folder",
            ));
        };
        self.running.check_stdout()?;
        let (mut stdout, _) = MediaStdout::open()?;
        let input = segments::open(file)?;
        let (bytes, report) = pool.to_bytes(input, options, context)?;
        stdout
            .write_all(&bytes)
            .map_err(|error| Failure::io(STDOUT, error))?;
        let told = told(file, STDOUT, &report);
        self.running.tell(&told, || text(&told))
    }

    fn to_files(
        &self,
        pool: &Pool,
        jobs: Vec<Job>,
        outputs: &[PathBuf],
        options: &Options,
        context: &Context,
    ) -> Result<(), Failure> {
        let counter = Counter::start(jobs.len(), self.running.is_quiet() || jobs.len() == 1);
        let one = jobs.len() == 1;
        let first: Mutex<Option<(usize, Failure)>> = Mutex::new(None);
        let failed = AtomicU64::new(0);
        let keep_first = |place: usize, failure: Failure| {
            failed.fetch_add(1, Ordering::Relaxed);
            let mut first = first
                .lock()
                .unwrap_or_else(std::sync::PoisonError::into_inner);
            // The first by the command line's order, so that runs do not differ.
            if first.as_ref().is_none_or(|(other, _)| place < *other) {
                *first = Some((place, failure));
            }
        };
        pool.to_files(jobs, options, context, |place, made| {
            let (Some(file), Some(output)) = (self.files.get(place), outputs.get(place)) else {
                return;
            };
            let name = output.display().to_string();
            match made {
                Ok(report) => {
                    let told = told(file, &name, &report);
                    let line = counter.aside(|| self.running.tell_line(&told, || text(&told)));
                    if let Err(failure) = line {
                        keep_first(place, failure);
                    }
                }
                Err(Error::Cancelled) => keep_first(place, Error::Cancelled.into()),
                Err(error) => {
                    if !one {
                        let message = error.to_string();
                        counter.aside(|| eprint_line(&message));
                        if self.running.wants_json() {
                            let refused = Refused {
                                source: file.display().to_string(),
                                error: message,
                            };
                            // The work goes on, whether or not anybody reads.
                            let _ = counter.aside(|| stdio::print_json_line(&refused));
                        }
                    }
                    keep_first(place, error.into());
                }
            }
            counter.step();
        });
        drop(counter);
        let failed = failed.into_inner();
        let first = first
            .into_inner()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        match first {
            None => Ok(()),
            Some((_, failure)) if one || context.cancel().is_cancelled() => Err(failure),
            Some((_, failure)) => Err(failure.of_many(failed, self.files.len())),
        }
    }
}

/// Whether OUT names a folder, or is one, where one image would go to a file.
fn is_folder(output: &Path) -> bool {
    let slash = output.as_os_str().as_encoded_bytes().ends_with(b"/");
    slash || output.is_dir() || output.extension().is_none() && !output.exists()
}

fn told<'a>(file: &Path, output: &str, report: &'a Report) -> Told<'a> {
    Told {
        source: file.display().to_string(),
        output: output.to_owned(),
        width: report.width,
        height: report.height,
        bytes_in: report.bytes_in,
        bytes_out: report.bytes_out,
        frames: report.frames,
        quality: report.quality,
        elapsed_ms: u64::try_from(report.elapsed.as_millis()).unwrap_or(u64::MAX),
        notes: &report.notes,
    }
}

fn text(told: &Told<'_>) -> String {
    let mut text = format!(
        "{}: {}x{}, {} (from {})\n",
        one_line(&told.output),
        told.width,
        told.height,
        HumanBytes(told.bytes_out),
        HumanBytes(told.bytes_in),
    );
    for note in told.notes {
        text.push_str("note: ");
        text.push_str(&one_line(note));
        text.push('\n');
    }
    text
}
