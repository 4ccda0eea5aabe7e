//! `AVFilterGraph`: pictures or sound through a chain of filters.

mod ends;

use std::ffi::CString;
use std::ptr::{self, NonNull};

use super::code::{Code, check};
use super::frame::Frame;
use super::{ffi, from_ticks, rational, time_base};
use crate::time::TimeBase;
use crate::{Context, Error, Result};
use ends::{Ends, Pad};

/// A configured graph, with its open ends.
pub(crate) struct Graph {
    raw: Raw,
    sources: Vec<Source>,
    sinks: Vec<*mut ffi::AVFilterContext>,
    name: String,
}

// SAFETY: the graph belongs to this value alone, and its contexts with it; its
// worker threads are joined when it is freed.
unsafe impl Send for Graph {}

struct Raw(NonNull<ffi::AVFilterGraph>);

impl Drop for Raw {
    fn drop(&mut self) {
        let mut graph = self.0.as_ptr();
        // SAFETY: allocated by avfilter_graph_alloc, freed once, with all the
        // filters in it.
        unsafe { ffi::avfilter_graph_free(&raw mut graph) };
    }
}

struct Source {
    context: *mut ffi::AVFilterContext,
    kind: Kind,
    /// When the last frame is shown, and how long a frame is.
    last: Option<i64>,
    length: i64,
}

/// What the frames at a source are; others would upset the filters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Kind {
    format: i32,
    /// Width and height, or rate and channels.
    size: (i32, i32),
}

/// An end where frames go in.
pub(crate) struct Entry<'a> {
    /// The label in the graph's description, without brackets.
    pub(crate) label: &'a str,
    /// A frame like those that will come.
    pub(crate) like: &'a Frame,
    /// Of the frames' times.
    pub(crate) time_base: TimeBase,
    /// The length of a frame, where all are equally long.
    pub(crate) frame: Option<TimeBase>,
}

/// What a sink gave.
#[derive(Debug)]
pub(crate) enum Filtered {
    Frame(Frame),
    /// It wants more at its sources.
    Starved,
    /// No more come.
    Ended,
}

/// What the pictures at a sink are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Pictures {
    pub(crate) width: i32,
    pub(crate) height: i32,
    pub(crate) format: i32,
    pub(crate) time_base: TimeBase,
    /// The length of a frame, where all are equally long.
    pub(crate) frame: Option<TimeBase>,
    /// The shape of a sample, where it is not square.
    pub(crate) aspect: (i32, i32),
}

impl Graph {
    /// The graph that `description` tells in FFmpeg's language, for the input
    /// `name`. Each entry's label must be an open input of it; the sinks, in
    /// the order in which they are received from, are the open outputs
    /// labelled `sinks`.
    pub(crate) fn new(
        description: &str,
        entries: &[Entry<'_>],
        sinks: &[&str],
        name: &str,
        context: &Context,
    ) -> Result<Self> {
        super::init();
        let failed = |code: Code| code.failed(name, "setting up filters");
        // SAFETY: allocates, or returns null.
        let raw = NonNull::new(unsafe { ffi::avfilter_graph_alloc() });
        let mut raw = Raw(raw.ok_or_else(|| failed(Code::NO_MEMORY))?);
        // SAFETY: just allocated, not shared.
        unsafe { raw.0.as_mut() }.nb_threads = i32::try_from(context.threads()).unwrap_or(1);
        let mut graph = Self {
            raw,
            sources: Vec::new(),
            sinks: Vec::new(),
            name: name.to_owned(),
        };
        let ends = graph.parse(description)?;
        for entry in entries {
            let source = graph.source(entry).map_err(failed)?;
            let end = ends
                .input(entry.label)
                .ok_or_else(|| failed(Code::INVALID))?;
            // SAFETY: both belong to the graph, and the pad is open.
            check(unsafe { ffi::avfilter_link(source.context, 0, end.0, end.1) })
                .map_err(failed)?;
            graph.sources.push(source);
        }
        for label in sinks {
            let end = ends.output(label).ok_or_else(|| failed(Code::INVALID))?;
            let sink = graph.sink(end).map_err(failed)?;
            // SAFETY: both belong to the graph, and the pad is open.
            check(unsafe { ffi::avfilter_link(end.0, end.1, sink, 0) }).map_err(failed)?;
            graph.sinks.push(sink);
        }
        drop(ends);
        // SAFETY: a graph whose ends are all linked; anything left open is an
        // error code.
        check(unsafe { ffi::avfilter_graph_config(graph.raw.0.as_ptr(), ptr::null_mut()) })
            .map_err(failed)?;
        Ok(graph)
    }

    /// Sends `first` alone through a chain without labels: `scale=64:48`.
    pub(crate) fn once(chain: &str, frame: Frame, name: &str, context: &Context) -> Result<Frame> {
        let description = format!("[in]{chain}[out]");
        let entry = Entry {
            label: "in",
            like: &frame,
            time_base: TimeBase::MICROS,
            frame: None,
        };
        let mut graph = Self::new(&description, &[entry], &["out"], name, context)?;
        graph.send(0, Some(frame))?;
        graph.send(0, None)?;
        match graph.receive(0)? {
            Filtered::Frame(frame) => Ok(frame),
            Filtered::Starved | Filtered::Ended => {
                Err(Error::malformed(name, "nothing came through the filters"))
            }
        }
    }

    fn parse(&mut self, description: &str) -> Result<Ends> {
        let text = CString::new(description).map_err(|_| {
            Error::unsupported(&self.name, "a filter's description with a NUL byte in it")
        })?;
        let mut ends = Ends {
            inputs: ptr::null_mut(),
            outputs: ptr::null_mut(),
        };
        // SAFETY: a graph and a C string; the lists are owned by `ends`.
        let parsed = unsafe {
            ffi::avfilter_graph_parse2(
                self.raw.0.as_ptr(),
                text.as_ptr(),
                &raw mut ends.inputs,
                &raw mut ends.outputs,
            )
        };
        check(parsed).map_err(|code| {
            tracing::debug!(description, "filters refused");
            code.failed(&self.name, "setting up filters")
        })?;
        Ok(ends)
    }

    fn filter(&mut self, kind: &str) -> std::result::Result<*mut ffi::AVFilterContext, Code> {
        let name = CString::new(kind).map_err(|_| Code::INVALID)?;
        // SAFETY: a C string; returns a static filter or null, which the next
        // call answers with null. The context belongs to the graph.
        let context = unsafe {
            ffi::avfilter_graph_alloc_filter(
                self.raw.0.as_ptr(),
                ffi::avfilter_get_by_name(name.as_ptr()),
                ptr::null(),
            )
        };
        if context.is_null() {
            return Err(Code::NO_MEMORY);
        }
        Ok(context)
    }

    fn source(&mut self, entry: &Entry<'_>) -> std::result::Result<Source, Code> {
        let kind = kind_of(entry.like);
        let is_sound = entry.like.samples() > 0;
        let context = self.filter(if is_sound { "abuffer" } else { "buffer" })?;
        // SAFETY: allocates, or returns null.
        let parameters = unsafe { ffi::av_buffersrc_parameters_alloc() };
        if parameters.is_null() {
            return Err(Code::NO_MEMORY);
        }
        // SAFETY: freshly allocated parameters, filled from a valid frame and
        // freed here; `context` is a buffer source that is not initialised yet.
        // The layout is borrowed for the call, which copies it.
        let set = unsafe {
            let fields = &mut *parameters;
            let like = &*entry.like.as_ptr();
            fields.format = kind.format;
            fields.time_base = rational(entry.time_base);
            if is_sound {
                fields.sample_rate = like.sample_rate;
                ptr::copy_nonoverlapping(&raw const like.ch_layout, &raw mut fields.ch_layout, 1);
            } else {
                fields.width = like.width;
                fields.height = like.height;
                fields.sample_aspect_ratio = like.sample_aspect_ratio;
                if let Some(frame) = entry.frame {
                    let length = rational(frame);
                    fields.frame_rate = ffi::AVRational {
                        num: length.den,
                        den: length.num,
                    };
                }
            }
            let set = ffi::av_buffersrc_parameters_set(context, parameters);
            ffi::av_free(parameters.cast());
            set
        };
        check(set)?;
        // SAFETY: a filter of the graph that is not initialised yet.
        check(unsafe { ffi::avfilter_init_str(context, ptr::null()) })?;
        let length = entry
            .frame
            .map_or(0, |frame| frame.convert(1, entry.time_base));
        Ok(Source {
            context,
            kind,
            last: None,
            length,
        })
    }

    fn sink(&mut self, end: Pad) -> std::result::Result<*mut ffi::AVFilterContext, Code> {
        // SAFETY: a filter of the graph with that many outputs.
        let medium = unsafe {
            ffi::avfilter_pad_get_type((*end.0).output_pads, i32::try_from(end.1).unwrap_or(0))
        };
        let is_sound = medium == ffi::AVMediaType::AVMEDIA_TYPE_AUDIO;
        let context = self.filter(if is_sound {
            "abuffersink"
        } else {
            "buffersink"
        })?;
        // SAFETY: a filter of the graph that is not initialised yet.
        check(unsafe { ffi::avfilter_init_str(context, ptr::null()) })?;
        Ok(context)
    }

    /// Whether the frame is like those that the source was made for: others
    /// must be converted first, or need a graph of their own.
    pub(crate) fn accepts(&self, source: usize, frame: &Frame) -> bool {
        self.sources
            .get(source)
            .is_some_and(|source| source.kind == kind_of(frame))
    }

    /// Feeds a frame, or with `None` says that no more come at this source.
    pub(crate) fn send(&mut self, source: usize, frame: Option<Frame>) -> Result<()> {
        let failed = |code: Code| code.failed(&self.name, "filtering");
        let Some(end) = self.sources.get_mut(source) else {
            return Err(failed(Code::INVALID));
        };
        let Some(mut frame) = frame else {
            // The last frame is shown as long as the others: without its end, a
            // change of rate would lose it.
            let behind = end.last.map(|last| last + end.length);
            // SAFETY: a source of a configured graph.
            let closed = unsafe { ffi::av_buffersrc_close(end.context, from_ticks(behind), 0) };
            return check(closed).map(drop).map_err(failed);
        };
        if end.kind != kind_of(&frame) {
            return Err(Error::unsupported(
                &self.name,
                "the size or format of the frames changes midway",
            ));
        }
        end.last = frame.pts();
        // SAFETY: a source of a configured graph; the frame's references are
        // moved into it, and what is left is dropped here.
        let added =
            unsafe { ffi::av_buffersrc_add_frame_flags(end.context, frame.as_mut_ptr(), 0) };
        check(added).map(drop).map_err(failed)
    }

    /// The next frame at a sink.
    pub(crate) fn receive(&mut self, sink: usize) -> Result<Filtered> {
        let Some(&context) = self.sinks.get(sink) else {
            return Err(Code::INVALID.failed(&self.name, "filtering"));
        };
        let mut frame = Frame::new();
        // SAFETY: a sink of a configured graph and an empty frame.
        let received = unsafe { ffi::av_buffersink_get_frame(context, frame.as_mut_ptr()) };
        match check(received) {
            Ok(_) => Ok(Filtered::Frame(frame)),
            Err(Code::AGAIN) => Ok(Filtered::Starved),
            Err(Code::EOF) => Ok(Filtered::Ended),
            Err(code) => Err(code.failed(&self.name, "filtering")),
        }
    }

    /// What the pictures at a sink are.
    pub(crate) fn pictures(&self, sink: usize) -> Result<Pictures> {
        let failed = || Code::INVALID.failed(&self.name, "filtering");
        let &context = self.sinks.get(sink).ok_or_else(failed)?;
        // SAFETY: a sink of a configured graph: each only reads its one link.
        let (size, format, base, rate, aspect) = unsafe {
            (
                (
                    ffi::av_buffersink_get_w(context),
                    ffi::av_buffersink_get_h(context),
                ),
                ffi::av_buffersink_get_format(context),
                ffi::av_buffersink_get_time_base(context),
                ffi::av_buffersink_get_frame_rate(context),
                ffi::av_buffersink_get_sample_aspect_ratio(context),
            )
        };
        Ok(Pictures {
            width: size.0,
            height: size.1,
            format,
            time_base: time_base(base).ok_or_else(failed)?,
            frame: TimeBase::new(rate.den, rate.num),
            aspect: (aspect.num, aspect.den),
        })
    }
}

fn kind_of(frame: &Frame) -> Kind {
    // SAFETY: a valid frame.
    let fields = unsafe { &*frame.as_ptr() };
    Kind {
        format: fields.format,
        size: if fields.nb_samples > 0 {
            (fields.sample_rate, fields.ch_layout.nb_channels)
        } else {
            (fields.width, fields.height)
        },
    }
}

#[cfg(test)]
mod tests;
