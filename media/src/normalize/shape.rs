//! Pictures as the proxy has them: upright, of square pixels, not larger than
//! asked for, with two even sides.

use crate::av::filter::{Entry, Filtered, Graph};
use crate::av::frame::Frame;
use crate::time::TimeBase;
use crate::{Context, Result};

/// What the container says of how pictures are to be seen.
#[derive(Debug, Clone, Copy)]
pub(super) struct Look {
    /// Clockwise, in degrees.
    pub(super) rotation: i32,
    /// A pixel's width to its height.
    pub(super) aspect: Option<(i32, i32)>,
    /// Whether frames hold two fields.
    pub(super) interlaced: bool,
}

/// Shapes frames: all become equally large, as the first one did.
pub(super) struct Shaper {
    look: Look,
    short_side: u32,
    frame: TimeBase,
    name: String,
    /// In pixels, once there was a frame.
    pub(super) size: Option<(i32, i32)>,
    graph: Option<Graph>,
}

impl Shaper {
    /// For frames that are shown for `frame` each.
    pub(super) fn new(look: Look, short_side: u32, frame: TimeBase, name: &str) -> Self {
        Self {
            look,
            short_side,
            frame,
            name: name.to_owned(),
            size: None,
            graph: None,
        }
    }

    /// Shapes a frame, or with `None` tells that there are no more; hands on
    /// what is ready.
    pub(super) fn push(
        &mut self,
        frame: Option<Frame>,
        context: &Context,
        each: &mut dyn FnMut(Frame) -> Result<()>,
    ) -> Result<()> {
        let fits = match (&self.graph, &frame) {
            (Some(graph), Some(frame)) => graph.accepts(0, frame),
            (graph, None) => graph.is_some(),
            (None, Some(_)) => false,
        };
        if !fits {
            // Frames of another kind need a graph of their own.
            if let Some(mut graph) = self.graph.take() {
                graph.send(0, None)?;
                self.take(&mut graph, each)?;
            }
            let Some(frame) = &frame else {
                return Ok(());
            };
            self.graph = Some(self.open(frame, context)?);
        }
        let Some(mut graph) = self.graph.take() else {
            return Ok(());
        };
        graph.send(0, frame)?;
        self.take(&mut graph, each)?;
        self.graph = Some(graph);
        Ok(())
    }

    fn take(&self, graph: &mut Graph, each: &mut dyn FnMut(Frame) -> Result<()>) -> Result<()> {
        let clock = graph.pictures(0)?.time_base;
        while let Filtered::Frame(mut frame) = graph.receive(0)? {
            let place = frame.pts().map(|pts| clock.convert(pts, self.frame));
            frame.set_pts(place);
            each(frame)?;
        }
        Ok(())
    }

    fn open(&mut self, frame: &Frame, context: &Context) -> Result<Graph> {
        let coded = (frame.width(), frame.height());
        let aspect = self.look.aspect.or(frame.aspect()).unwrap_or((1, 1));
        let turn = turn(self.look.rotation);
        let size = *self
            .size
            .get_or_insert_with(|| size(coded, aspect, turn, self.short_side));
        // Scaled before it is turned: fewer pixels to move.
        let (width, height) = turn.seen(size);
        let fields = if self.look.interlaced || frame.is_interlaced() {
            "yadif=deint=interlaced,"
        } else {
            ""
        };
        let description = format!(
            "[in]{fields}scale={width}:{height}:flags=bicubic:out_range=tv,format=yuv420p\
             {},setsar=1[out]",
            turn.filter()
        );
        let entry = Entry {
            label: "in",
            like: frame,
            time_base: self.frame,
            frame: Some(self.frame),
        };
        Graph::new(&description, &[entry], &["out"], &self.name, context)
    }
}

/// By how much pictures are turned to be seen upright.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Turn {
    None,
    Right,
    Half,
    Left,
}

fn turn(clockwise: i32) -> Turn {
    match (clockwise.rem_euclid(360) + 45) / 90 {
        1 => Turn::Right,
        2 => Turn::Half,
        3 => Turn::Left,
        _ => Turn::None,
    }
}

impl Turn {
    fn filter(self) -> &'static str {
        match self {
            Self::None => "",
            Self::Right => ",transpose=clock",
            Self::Half => ",hflip,vflip",
            Self::Left => ",transpose=cclock",
        }
    }

    /// Width and height after the turn, or before it.
    fn seen<T>(self, (width, height): (T, T)) -> (T, T) {
        match self {
            Self::None | Self::Half => (width, height),
            Self::Right | Self::Left => (height, width),
        }
    }
}

/// The proxy's size: with square pixels and upright, at most `short` pixels on
/// the shorter side and 16/9 of it on the longer, never larger than the source
/// is seen, even, and at least two.
fn size(coded: (i32, i32), aspect: (i32, i32), turn: Turn, short: u32) -> (i32, i32) {
    let pixel = f64::from(aspect.0.max(1)) / f64::from(aspect.1.max(1));
    let (width, height) = turn.seen((f64::from(coded.0) * pixel, f64::from(coded.1)));
    let (shorter, longer) = (width.min(height), width.max(height));
    let short = f64::from(short);
    let scale = (short / shorter).min(short * 16.0 / 9.0 / longer).min(1.0);
    let even = |side: f64| {
        // To the nearest even number, but never above the source's own size.
        let whole = (side * scale / 2.0).round().min((side / 2.0).floor()) * 2.0;
        #[allow(clippy::cast_possible_truncation)] // at most 7680
        let whole = whole.clamp(2.0, 7680.0) as i32;
        whole
    };
    (even(width), even(height))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_proxy_is_720p_and_never_enlarged() {
        let of = |width, height| size((width, height), (1, 1), Turn::None, 720);
        assert_eq!(of(1920, 1080), (1280, 720));
        assert_eq!(of(3840, 2160), (1280, 720));
        assert_eq!(of(1280, 720), (1280, 720));
        assert_eq!(of(640, 480), (640, 480));
        assert_eq!(of(1080, 1920), (720, 1280));
        assert_eq!(of(1920, 800), (1280, 534));
        assert_eq!(of(641, 361), (640, 360));
        assert_eq!(of(1, 1), (2, 2));
        assert_eq!(of(1440, 1080), (960, 720));
    }

    #[test]
    fn pixels_become_square_and_pictures_upright() {
        assert_eq!(size((720, 576), (16, 11), Turn::None, 720), (1046, 576));
        assert_eq!(size((1440, 1080), (4, 3), Turn::None, 720), (1280, 720));
        assert_eq!(size((1920, 1080), (1, 1), Turn::Right, 720), (720, 1280));
        assert_eq!(turn(-90), Turn::Left);
        assert_eq!(turn(180), Turn::Half);
    }
}
