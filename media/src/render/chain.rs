//! The chain that decoded pictures go through: graphs of filters, and between
//! them the places where thumbnails are taken.

use super::image;
use super::shots::Shots;
use super::step::{Mark, Step, overlay};
use crate::av::canvas::Canvas;
use crate::av::filter::{Entry, Filtered, Graph};
use crate::av::frame::Frame;
use crate::av::scale::{Scaler, format_name};
use crate::time::{TimeBase, Timestamp};
use crate::{Context, Result};

/// The chain of one run.
pub(super) struct Chain {
    links: Vec<Link>,
    clock: TimeBase,
    name: String,
}

enum Link {
    Filters(Box<Filters>),
    Window(Timestamp, Timestamp),
    Shots(Box<Shots>),
}

/// Steps in a row, as one graph.
struct Filters {
    steps: Vec<Step>,
    images: Images,
    /// What the timeline of the steps is behind the source's.
    shift: Timestamp,
    /// Of the frames that come in, and their length.
    clock: TimeBase,
    frame: Option<TimeBase>,
    graph: Option<Graph>,
    /// Brings frames that differ from the first one to its size and format.
    alike: Option<Scaler>,
    context: Context,
}

/// The images of watermarks, in the order of the marks.
pub(super) type Images = Vec<Frame>;

/// What the chain's end gives.
pub(super) type Take<'a> = &'a mut dyn FnMut(Frame, TimeBase) -> Result<()>;

impl Chain {
    /// A chain of `steps` for frames in `clock`, with `shots` before the step of
    /// their number.
    pub(super) fn new(
        steps: &[Step],
        mut shots: Vec<(usize, Shots)>,
        images: &[Frame],
        (clock, frame, shift): (TimeBase, TimeBase, Timestamp),
        name: &str,
        context: &Context,
    ) -> Self {
        let mut links = Vec::new();
        let mut row: Vec<Step> = Vec::new();
        let mut ticks = (clock, Some(frame));
        let mut marks = 0;
        let mut close = |row: &mut Vec<Step>, links: &mut Vec<Link>| {
            if row.is_empty() {
                return;
            }
            let steps = std::mem::take(row);
            let rate = steps.iter().rev().find_map(|step| match step {
                Step::Rate(rate) => Some(rate.frame()),
                _ => None,
            });
            let before = ticks;
            if let Some(rate) = rate {
                ticks = (rate, Some(rate));
            }
            let taken = marks;
            marks += steps
                .iter()
                .filter(|step| matches!(step, Step::Mark(_)))
                .count();
            links.push(Link::Filters(Box::new(Filters {
                steps,
                images: share(images.get(taken..).unwrap_or_default()),
                shift,
                clock: before.0,
                frame: before.1,
                graph: None,
                alike: None,
                context: context.clone(),
            })));
        };
        for place in 0..=steps.len() {
            while let Some(at) = shots.iter().position(|(at, _)| *at == place) {
                close(&mut row, &mut links);
                links.push(Link::Shots(Box::new(shots.remove(at).1)));
            }
            match steps.get(place) {
                Some(Step::Window(from, to)) => {
                    close(&mut row, &mut links);
                    links.push(Link::Window(*from, *to));
                }
                Some(step) => row.push(step.clone()),
                None => {}
            }
        }
        close(&mut row, &mut links);
        Self {
            links,
            clock,
            name: name.to_owned(),
        }
    }

    /// The ticks and the length of frames behind it, where it gives them another
    /// rate.
    pub(super) fn pace(&self) -> Option<(TimeBase, TimeBase)> {
        let steps = self.links.iter().rev().filter_map(|link| match link {
            Link::Filters(filters) => Some(filters.steps.iter().rev()),
            Link::Shots(_) | Link::Window(..) => None,
        });
        steps.flatten().find_map(|step| match step {
            Step::Rate(rate) => Some((rate.frame(), rate.frame())),
            _ => None,
        })
    }

    /// Takes a frame whose time is in the chain's clock, or with `None` ends.
    pub(super) fn push(&mut self, frame: Option<Frame>, take: Take<'_>) -> Result<()> {
        match frame {
            Some(frame) => push(&mut self.links, frame, self.clock, &self.name, take),
            None => end(&mut self.links, &self.name, take),
        }
    }

    /// The thumbnails' takers, once the chain has ended.
    pub(super) fn into_shots(self) -> Vec<Shots> {
        let shots = self.links.into_iter().filter_map(|link| match link {
            Link::Shots(shots) => Some(*shots),
            Link::Filters(_) | Link::Window(..) => None,
        });
        shots.collect()
    }
}

/// The same images, by reference.
pub(super) fn share(images: &[Frame]) -> Images {
    images
        .iter()
        .filter_map(|image| image.another().ok())
        .collect()
}

/// Sends a frame through all links.
fn push(
    links: &mut [Link],
    frame: Frame,
    clock: TimeBase,
    name: &str,
    take: Take<'_>,
) -> Result<()> {
    let Some((link, rest)) = links.split_first_mut() else {
        return take(frame, clock);
    };
    match link {
        Link::Window(from, to) => {
            let time = clock.timestamp(frame.pts().unwrap_or(0));
            if time < *from || time >= *to {
                return Ok(());
            }
            push(rest, frame, clock, name, take)
        }
        Link::Shots(shots) => {
            let time = clock.timestamp(frame.pts().unwrap_or(0));
            shots.look(&frame, time)?;
            push(rest, frame, clock, name, take)
        }
        Link::Filters(filters) => {
            filters.send(frame, name)?;
            filters.drain(rest, name, take)
        }
    }
}

/// Lets out what the links hold, one after another.
fn end(links: &mut [Link], name: &str, take: Take<'_>) -> Result<()> {
    let Some((link, rest)) = links.split_first_mut() else {
        return Ok(());
    };
    match link {
        Link::Window(..) => {}
        Link::Shots(shots) => shots.end()?,
        Link::Filters(filters) => {
            if let Some(graph) = &mut filters.graph {
                graph.send(0, None)?;
            }
            filters.drain(rest, name, take)?;
        }
    }
    end(rest, name, take)
}

impl Filters {
    fn send(&mut self, frame: Frame, name: &str) -> Result<()> {
        let mut frame = frame;
        if self.graph.is_none() {
            self.graph = Some(self.open(&frame, name)?);
            self.alike = Some(Scaler::new(frame.width(), frame.height(), frame.format()));
        }
        let (Some(graph), Some(alike)) = (&mut self.graph, &mut self.alike) else {
            return Ok(());
        };
        if !graph.accepts(0, &frame) {
            frame = alike
                .scale(frame)
                .map_err(|code| code.failed(name, "scaling"))?;
        }
        graph.send(0, Some(frame))
    }

    fn drain(&mut self, rest: &mut [Link], name: &str, take: Take<'_>) -> Result<()> {
        let Some(graph) = &mut self.graph else {
            return Ok(());
        };
        let clock = graph.pictures(0)?.time_base;
        while let Filtered::Frame(frame) = graph.receive(0)? {
            self.context.check()?;
            push(rest, frame, clock, name, take)?;
        }
        Ok(())
    }

    /// A graph for frames like the first.
    fn open(&self, first: &Frame, name: &str) -> Result<Graph> {
        let mut canvas = Canvas::of_frame(first);
        let mut text = "[in]null".to_owned();
        let mut images = Vec::new();
        for step in &self.steps {
            if let Step::Mark(mark) = step {
                text.push_str(&self.lay(mark, &canvas, &mut images)?);
                // What is laid over may bring a format of its own.
                text.push_str(",format=");
                text.push_str(format_name(canvas.format));
            } else if let Some(filters) = step.filters(&mut canvas) {
                text.push(',');
                text.push_str(&filters);
            }
        }
        text.push_str("[out]");
        tracing::debug!(filters = text, "pictures go through");
        let labels: Vec<String> = (0..images.len()).map(|at| format!("mark{at}")).collect();
        let mut entries = vec![Entry {
            label: "in",
            like: first,
            time_base: self.clock,
            frame: self.frame,
        }];
        for (label, image) in labels.iter().zip(&images) {
            entries.push(Entry {
                label,
                like: image,
                time_base: self.clock,
                frame: None,
            });
        }
        let mut graph = Graph::new(&text, &entries, &["out"], name, &self.context)?;
        drop(entries);
        for (number, mut image) in images.into_iter().enumerate() {
            // There before the first frame; the last one of a source stays.
            image.set_pts(first.pts());
            graph.send(number + 1, Some(image))?;
            graph.send(number + 1, None)?;
        }
        Ok(graph)
    }

    /// The graph's text that lays the next image over the picture.
    fn lay(&self, mark: &Mark, canvas: &Canvas, images: &mut Vec<Frame>) -> Result<String> {
        let number = images.len();
        let Some(image) = self.images.get(number) else {
            return Ok(String::new());
        };
        let image = image::ready(mark, image, canvas, &self.context)?;
        let overlay = overlay(mark, (image.width(), image.height()), canvas, self.shift);
        images.push(image);
        Ok(format!(
            "[under{number}];[under{number}][mark{number}]{overlay}"
        ))
    }
}
