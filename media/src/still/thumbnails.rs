//! Pictures at chosen times, by several workers.

use std::io::Write;
use std::num::NonZeroUsize;
use std::path::Path;
use std::thread;

use crossbeam_channel::bounded;

use crate::cut::Position;
use crate::time::Timestamp;
use crate::{Context, Error, Input, Result};

use super::batch::Batch;
use super::grab::Grabber;
use super::maker::{Made, Wanted, work};
use super::options::{Kind, Moments, Options, Place};
use super::report::{Picture, Report};
use super::style::Style;

/// The most pictures of one run.
const MOST: usize = 100_000;

/// Writes pictures of `input` to `place`: all of them, or on an error none.
pub fn thumbnails(
    input: Input,
    options: &Options,
    place: Place,
    context: &Context,
) -> Result<Report> {
    let (batch, report) = gather(input, options, place, context)?;
    batch.keep()?;
    Ok(report)
}

/// Writes pictures into a folder, as `thumbnail-N`, counted from `first` on; they
/// have no names yet.
pub(crate) fn into_batch(
    input: Input,
    options: &Options,
    folder: &Path,
    first: usize,
    context: &Context,
) -> Result<(Batch, Report)> {
    let place = Place::folder(folder, "thumbnail").counting_from(first);
    gather(input, options, place, context)
}

fn gather(
    mut input: Input,
    options: &Options,
    place: Place,
    context: &Context,
) -> Result<(Batch, Report)> {
    let count = options.moments.count();
    let name = input.name().to_owned();
    if count == 0 {
        return Err(Error::unsupported(
            name,
            "no picture is asked for: give a time",
        ));
    }
    if count > MOST {
        return Err(Error::limit(
            name,
            format!("{count} pictures; the limit is {MOST}"),
        ));
    }
    if count > 1 && !matches!(place.0, Kind::Folder(..)) {
        return Err(Error::unsupported(
            name,
            format!("{count} pictures for one file; name a folder"),
        ));
    }
    let crew = Crew::gather(&mut input, count, context)?;
    run(crew, options, place, context)
}

/// Writes the frames shown at `times`, in their order, as pictures in `style`.
/// Times that lie densely are taken in one pass.
pub fn frames(
    input: Input,
    times: Vec<Position>,
    style: Style,
    place: Place,
    context: &Context,
) -> Result<Report> {
    let options = Options {
        moments: Moments::At(times),
        style,
        ..Options::default()
    };
    thumbnails(input, &options, place, context)
}

/// The first worker's recording, and how the others come to theirs.
pub(super) struct Crew {
    pub(super) first: Grabber,
    /// The inputs of the other workers.
    pub(super) others: Vec<Input>,
    /// What each of them may use.
    pub(super) context: Context,
}

impl Crew {
    /// Workers for so many pieces of work, at most one for each thread. A
    /// stream that can be read only once has one worker.
    pub(super) fn gather(input: &mut Input, work: usize, context: &Context) -> Result<Self> {
        let most = context.threads().min(work).max(1);
        let others: Vec<Input> = (1..most).map_while(|_| input.again()).collect();
        let workers = others.len() + 1;
        let threads = NonZeroUsize::new(context.threads() / workers).unwrap_or(NonZeroUsize::MIN);
        let context = context.clone().with_threads(threads);
        Ok(Self {
            first: Grabber::open(input, &context)?,
            others,
            context,
        })
    }
}

fn run(
    mut crew: Crew,
    options: &Options,
    place: Place,
    context: &Context,
) -> Result<(Batch, Report)> {
    let asked = resolve(&mut crew.first, &options.moments)?;
    let mut wanted: Vec<Wanted> = asked
        .iter()
        .enumerate()
        .map(|(number, &time)| Wanted {
            number,
            tick: crew.first.tick(time),
        })
        .collect();
    wanted.sort_by_key(|wanted| wanted.tick);
    let share = wanted.len().div_ceil(crew.others.len() + 1);
    let mut shares = wanted.chunks(share);
    let (sender, made) = bounded::<Result<Made>>(4);
    thread::scope(|scope| {
        let mine = shares.next().unwrap_or_default();
        let first = crew.first;
        let to = sender.clone();
        scope.spawn(move || work(Ok(first), mine, options, &to));
        for (share, mut input) in shares.zip(crew.others) {
            let (to, context) = (sender.clone(), &crew.context);
            scope.spawn(move || work(Grabber::open(&mut input, context), share, options, &to));
        }
        drop(sender);
        // Ends early on an error; the workers then find nobody to hand on to.
        collect(made.into_iter(), &asked, options, place, context)
    })
}

/// Writes what the workers make.
fn collect(
    made: impl Iterator<Item = Result<Made>>,
    asked: &[Timestamp],
    options: &Options,
    mut place: Place,
    context: &Context,
) -> Result<(Batch, Report)> {
    let mut batch = Batch::new();
    let mut report = Report::default();
    let mut pictures: Vec<Option<Picture>> = vec![None; asked.len()];
    let total = asked.iter().max().copied().unwrap_or_default();
    let mut black = Vec::new();
    for (done, made) in made.enumerate() {
        let made = made?;
        context.check()?;
        let path = place.name(made.number, options.style.format);
        match &mut place.0 {
            Kind::File(_) => batch.add(path.clone(), &made.bytes)?,
            Kind::Folder(folder, ..) => {
                if done == 0 {
                    batch.folder(folder)?;
                }
                batch.add(path.clone(), &made.bytes)?;
            }
            Kind::Live(name, stream) => stream
                .write_all(&made.bytes)
                .and_then(|()| stream.flush())
                .map_err(|source| Error::io(name.as_str(), source))?,
        }
        let asked_time = asked.get(made.number).copied().unwrap_or_default();
        if made.black {
            black.push(asked_time);
        }
        if let Some(picture) = pictures.get_mut(made.number) {
            *picture = Some(Picture {
                name: path.display().to_string(),
                asked: asked_time,
                time: made.time,
                width: made.width.unsigned_abs(),
                height: made.height.unsigned_abs(),
                bytes: made.bytes.len() as u64,
            });
        }
        context.report(part(total, done + 1, asked.len()), Some(total));
    }
    context.check()?;
    black.sort_unstable();
    report.notes.extend(
        black
            .iter()
            .map(|time| format!("all is black from {time} on")),
    );
    report.pictures.extend(pictures.into_iter().flatten());
    if report.pictures.len() < asked.len() {
        // A worker has ended without a word, which only a panic can do.
        return Err(Error::Cancelled);
    }
    Ok((batch, report))
}

/// `done` of `all` parts of a time.
pub(super) fn part(total: Timestamp, done: usize, all: usize) -> Timestamp {
    let (done, all) = (done as u128, (all as u128).max(1));
    let micros = u128::try_from(total.as_micros()).unwrap_or(0);
    Timestamp::from_micros(i64::try_from(micros * done / all).unwrap_or(i64::MAX))
}

/// The times of the pictures, in their order.
fn resolve(grabber: &mut Grabber, moments: &Moments) -> Result<Vec<Timestamp>> {
    let needs_end = match moments {
        Moments::Spread(_) => true,
        Moments::At(positions) => positions
            .iter()
            .any(|position| matches!(position, Position::Percent(_))),
    };
    let (first, end) = if needs_end {
        let context = grabber.context.clone();
        let end = grabber.source.end(&context)?;
        (grabber.time(grabber.source.first), grabber.time(end))
    } else {
        (Timestamp::ZERO, Timestamp::ZERO)
    };
    #[allow(clippy::cast_precision_loss, clippy::cast_possible_truncation)]
    // exact far beyond any recording's length
    let at = |part: f64| {
        let length = (end - first).as_micros() as f64;
        first + Timestamp::from_micros((length * part).round() as i64)
    };
    match moments {
        Moments::Spread(count) => Ok((1..=*count)
            .map(|number| at(f64::from(number) / (f64::from(*count) + 1.0)))
            .collect()),
        Moments::At(positions) => positions
            .iter()
            .map(|position| match *position {
                Position::Time(time) => Ok(time),
                Position::Percent(percent) => Ok(at(percent / 100.0)),
                Position::Clock(_) => Err(Error::unsupported(
                    grabber.source.name(),
                    "a single recording has no clock: give times from its beginning",
                )),
            })
            .collect(),
    }
}
