//! Going to another place of an input.

use std::ffi::c_int;

use super::Demuxer;
use crate::av::code::check;
use crate::av::ffi;
use crate::{Context, Error, Result};

impl Demuxer {
    /// Goes to a keyframe of `stream` at or before `time` (in its ticks), by the
    /// container's index or by bisection.
    pub(crate) fn seek(&mut self, stream: usize, time: i64, context: &Context) -> Result<()> {
        let index = c_int::try_from(stream).unwrap_or(-1);
        let flags = ffi::AVSEEK_FLAG_BACKWARD;
        // SAFETY: an open context; a wrong index is an error code.
        let sought = unsafe { ffi::av_seek_frame(self.as_mut_ptr(), index, time, flags) };
        check(sought)
            .map(drop)
            .map_err(|code| self.broken(code, "seeking", context))
    }

    /// Goes to a keyframe of `stream` at or behind `time` (in its ticks).
    pub(crate) fn seek_behind(
        &mut self,
        stream: usize,
        time: i64,
        context: &Context,
    ) -> Result<()> {
        let index = c_int::try_from(stream).unwrap_or(-1);
        // SAFETY: an open context; a wrong index is an error code.
        let sought = unsafe { ffi::av_seek_frame(self.as_mut_ptr(), index, time, 0) };
        check(sought)
            .map(drop)
            .map_err(|code| self.broken(code, "seeking", context))
    }

    /// The time of the last keyframe at or before `time` in the index, where
    /// there is one.
    pub(crate) fn key_before(&self, stream: usize, time: i64) -> Option<i64> {
        if stream >= self.get().nb_streams as usize {
            return None;
        }
        // SAFETY: `stream` is below `nb_streams`; returns an entry of the
        // stream's index, which is only read here, or null.
        unsafe {
            let stream = *self.get().streams.add(stream);
            let flags = ffi::AVSEEK_FLAG_BACKWARD as c_int;
            let entry = ffi::avformat_index_get_entry_from_timestamp(stream, time, flags);
            entry.as_ref().map(|entry| entry.timestamp)
        }
    }

    /// Goes to a byte, for containers that can be entered anywhere.
    pub(crate) fn seek_to_byte(&mut self, position: i64, context: &Context) -> Result<()> {
        // Others keep an account of where they are, and would lose their way.
        if !matches!(self.format(), "mpegts" | "mpeg") {
            return Err(Error::unsupported(
                &self.name,
                "it is entered by time alone",
            ));
        }
        // SAFETY: an open context.
        let sought =
            unsafe { ffi::av_seek_frame(self.as_mut_ptr(), -1, position, ffi::AVSEEK_FLAG_BYTE) };
        check(sought)
            .map(drop)
            .map_err(|code| self.broken(code, "seeking", context))
    }
}
