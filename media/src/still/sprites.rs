//! Sprite sheets: small pictures of the whole recording, many to a file, and
//! the list by which a player finds them.

use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use crossbeam_channel::{Sender, bounded};

use crate::av::frame::Frame;
use crate::context::Progress;
use crate::time::{TimeBase, Timestamp};
use crate::{Context, Error, Input, Result};

use super::batch::Batch;
use super::grab::Grabber;
use super::layout::Layout;
use super::options::SpriteOptions;
use super::picture::{check_size, encode};
use super::report::{Sheet, SpriteReport};
use super::shape::Shaper;
use super::sheet::{self, Grid};
use super::style::{Fit, Format, Size, Style};
use super::thumbnails::{Crew, part};
use super::turn::Turn;
use super::webvtt::{self, Cue};

/// The most pictures in all sheets.
const MOST: i64 = 100_000;

/// Writes `sprite-1.jpg` and so on, and `sprites.vtt`, to `folder`, which is
/// made if it is not there: all files, or on an error none.
///
/// The tile for a stretch of time shows the keyframe nearest to its beginning,
/// or, where keyframes are further apart than tiles, the frame shown then.
/// Cues run from 0 to the end of the video.
pub fn sprites(
    mut input: Input,
    options: &SpriteOptions,
    folder: impl AsRef<Path>,
    context: &Context,
) -> Result<SpriteReport> {
    check(options, input.name())?;
    let mut crew = Crew::gather(&mut input, usize::MAX, context)?;
    let plan = Plan::new(&mut crew.first, options)?;
    let sheets = plan.count.div_ceil(plan.grid.tiles());
    crew.others.truncate(sheets.saturating_sub(1));
    let next = AtomicUsize::new(0);
    let (sender, made) = bounded::<Result<Made>>(2);
    thread::scope(|scope| {
        let (plan, next, first) = (&plan, &next, crew.first);
        let to = sender.clone();
        scope.spawn(move || work(Ok(first), plan, next, &to));
        for mut input in crew.others {
            let (to, context) = (sender.clone(), &crew.context);
            scope.spawn(move || work(Grabber::open(&mut input, context), plan, next, &to));
        }
        drop(sender);
        collect(made.into_iter(), plan, folder.as_ref(), context)
    })
}

fn check(options: &SpriteOptions, name: &str) -> Result<()> {
    let refuse = |reason: String| Err(Error::unsupported(name, reason));
    if options.every.as_micros() < 1000 {
        return refuse(format!(
            "a picture every {}; 1 ms is the least",
            options.every
        ));
    }
    let sides = 1..=100;
    if !sides.contains(&options.columns) || !sides.contains(&options.rows) {
        let (columns, rows) = (options.columns, options.rows);
        return refuse(format!(
            "{columns}x{rows} tiles; 1x1 to 100x100 can be made"
        ));
    }
    if options.format == Format::Png {
        return refuse("sprite sheets are JPEG or WebP, not PNG".to_owned());
    }
    if !(2..=65500).contains(&options.width) {
        return refuse(format!(
            "tiles {} pixels wide; 2 to 65500 can be made",
            options.width
        ));
    }
    Ok(())
}

/// What is made, and where its parts lie.
struct Plan {
    grid: Grid,
    style: Style,
    /// How many tiles.
    count: usize,
    every: Timestamp,
    /// When the recording begins and ends on its timeline.
    first: Timestamp,
    end: Timestamp,
}

impl Plan {
    fn new(grabber: &mut Grabber, options: &SpriteOptions) -> Result<Self> {
        let context = grabber.context.clone();
        let end = grabber.source.end(&context)?;
        let (first, end) = (grabber.time(grabber.source.first), grabber.time(end));
        let every = options.every;
        let count = (end.as_micros().max(1) - 1) / every.as_micros() + 1;
        let name = grabber.source.name();
        if count > MOST {
            return Err(Error::limit(
                name,
                format!("{count} pictures, one every {every}; the limit is {MOST}"),
            ));
        }
        let (width, height) = tile(grabber, options.width);
        let side = |count: u32| usize::try_from(count).unwrap_or(1);
        let grid = Grid {
            columns: side(options.columns),
            rows: side(options.rows),
            width: side(width),
            height: side(height),
        };
        let count = usize::try_from(count).unwrap_or(1);
        check_size(
            pixels(grid.size(count)),
            options.format,
            context.limits().max_pixels,
            name,
        )?;
        Ok(Self {
            grid,
            style: Style {
                size: Size::new(Some(width), Some(height)),
                fit: Fit::Stretch,
                format: options.format,
                quality: options.quality,
            },
            count,
            every,
            first,
            end,
        })
    }

    /// When a tile begins.
    fn start(&self, tile: usize) -> Timestamp {
        self.every.times(tile)
    }

    /// The number of tiles in a sheet.
    fn tiles(&self, sheet: usize) -> usize {
        let full = self.grid.tiles();
        self.count.saturating_sub(sheet * full).min(full)
    }

    fn name(&self, sheet: usize) -> String {
        format!("sprite-{}.{}", sheet + 1, self.style.format.extension())
    }
}

/// A tile's size: even, as chroma is halved.
fn tile(grabber: &Grabber, width: u32) -> (u32, u32) {
    let stream = grabber.source.stream(grabber.source.video);
    let coded = (stream.parameters.width(), stream.parameters.height());
    let turn = Turn::by(stream.rotation);
    let aspect = stream.aspect.unwrap_or((1, 1));
    let width = width.next_multiple_of(2);
    let size = Size::new(Some(width), None);
    let layout = Layout::new(coded, aspect, turn, size, Fit::Contain);
    let (_, height) = turn.swapped(layout.scaled);
    (width, height.unsigned_abs().next_multiple_of(2))
}

fn pixels((width, height): (usize, usize)) -> (i32, i32) {
    let side = |side: usize| i32::try_from(side).unwrap_or(i32::MAX);
    (side(width), side(height))
}

/// A sheet that was made.
struct Made {
    sheet: usize,
    size: (i32, i32),
    bytes: Vec<u8>,
    keyframes: u64,
}

/// Makes sheets until all are taken.
fn work(grabber: Result<Grabber>, plan: &Plan, next: &AtomicUsize, to: &Sender<Result<Made>>) {
    let done = grabber.and_then(|mut grabber| {
        let stream = grabber.source.stream(grabber.source.video);
        let name = grabber.source.name().to_owned();
        let mut shaper = Shaper::new(plan.style, stream, &name, &grabber.context);
        loop {
            let sheet = next.fetch_add(1, Ordering::Relaxed);
            if plan.tiles(sheet) == 0 {
                return Ok(());
            }
            let made = make(&mut grabber, &mut shaper, plan, sheet, &name)?;
            // Where nobody listens, another worker has failed.
            to.send(Ok(made)).map_err(|_| Error::Cancelled)?;
        }
    });
    if let Err(error) = done {
        let _ = to.send(Err(error));
    }
}

fn make(
    grabber: &mut Grabber,
    shaper: &mut Shaper,
    plan: &Plan,
    sheet: usize,
    name: &str,
) -> Result<Made> {
    let size = pixels(plan.grid.size(plan.tiles(sheet)));
    let mut canvas = sheet::black(size, plan.style.format)
        .map_err(|code| code.failed(name, "making a sheet"))?;
    let mut paste = |tile: usize, frame: &Frame| {
        let picture = shaper.shape(frame)?;
        let (_, left, top) = plan.grid.place(tile);
        sheet::paste(&mut canvas, &picture, (left, top))
            .map_err(|code| code.failed(name, "making a sheet"))
    };
    let micros = plan.every.as_micros() / 2;
    let reach = TimeBase::MICROS.convert(micros, grabber.source.clock());
    let begin = sheet * plan.grid.tiles();
    let tiles = begin..begin + plan.tiles(sheet);
    let mut keyframes = 0;
    // Where keyframes are too far apart for the tiles: exact ones, together.
    let mut others = Vec::new();
    for tile in tiles {
        let tick = grabber.tick(plan.start(tile).max(plan.first));
        match grabber.keyframe_near(tick, reach)? {
            Some((frame, _)) => {
                keyframes += 1;
                paste(tile, &frame)?;
            }
            None => others.push((tile, tick)),
        }
    }
    let ticks: Vec<i64> = others.iter().map(|&(_, tick)| tick).collect();
    grabber.exact(&ticks, &mut |index, frame, _| match others.get(index) {
        Some(&(tile, _)) => paste(tile, frame),
        None => Ok(()),
    })?;
    Ok(Made {
        sheet,
        size,
        bytes: encode(canvas, plan.style, name)?,
        keyframes,
    })
}

/// Writes what the workers make, and the list.
fn collect(
    made: impl Iterator<Item = Result<Made>>,
    plan: &Plan,
    folder: &Path,
    context: &Context,
) -> Result<SpriteReport> {
    let mut batch = Batch::new();
    let count = plan.count.div_ceil(plan.grid.tiles());
    let mut sheets: Vec<Option<Sheet>> = vec![None; count];
    let mut keyframes = 0;
    for (done, made) in made.enumerate() {
        let made = made?;
        context.check()?;
        if done == 0 {
            batch.folder(folder)?;
        }
        let path = folder.join(plan.name(made.sheet));
        batch.add(path.clone(), &made.bytes)?;
        keyframes += made.keyframes;
        if let Some(sheet) = sheets.get_mut(made.sheet) {
            *sheet = Some(Sheet {
                name: path.display().to_string(),
                width: made.size.0.unsigned_abs(),
                height: made.size.1.unsigned_abs(),
                bytes: made.bytes.len() as u64,
            });
        }
        context.report(Progress {
            done: part(plan.end, done + 1, count),
            total: Some(plan.end),
        });
    }
    context.check()?;
    let cues: Vec<Cue> = (0..plan.count).map(|tile| cue(plan, tile)).collect();
    let list = folder.join("sprites.vtt");
    batch.add(list.clone(), webvtt::text(&cues).as_bytes())?;
    batch.keep()?;
    let side = |side: usize| u32::try_from(side).unwrap_or(u32::MAX);
    Ok(SpriteReport {
        list: list.display().to_string(),
        sheets: sheets.into_iter().flatten().collect(),
        tiles: plan.count as u64,
        tile_width: side(plan.grid.width),
        tile_height: side(plan.grid.height),
        keyframes,
        duration: plan.end,
    })
}

fn cue(plan: &Plan, tile: usize) -> Cue {
    let (sheet, left, top) = plan.grid.place(tile);
    let last = tile + 1 == plan.count;
    Cue {
        start: plan.start(tile),
        end: if last { plan.end } else { plan.start(tile + 1) },
        sheet: plan.name(sheet),
        part: (left, top, plan.grid.width, plan.grid.height),
    }
}
