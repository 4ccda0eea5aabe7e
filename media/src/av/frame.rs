//! `AVFrame`: one decoded picture, or some samples of sound.

mod picture;

use std::ptr::NonNull;

pub(crate) use picture::Rect;

use super::code::{Code, check};
use super::{ffi, from_ticks, ticks};

/// A frame that owns its data, or shares it by reference count.
#[derive(Debug)]
pub(crate) struct Frame(NonNull<ffi::AVFrame>);

// SAFETY: a frame is plain memory and reference-counted buffers whose counts
// are atomic; nothing in it belongs to a thread.
unsafe impl Send for Frame {}

impl Frame {
    /// An empty frame.
    pub(crate) fn new() -> Self {
        // SAFETY: allocates, or returns null.
        match NonNull::new(unsafe { ffi::av_frame_alloc() }) {
            Some(frame) => Self(frame),
            None => std::alloc::handle_alloc_error(std::alloc::Layout::new::<ffi::AVFrame>()),
        }
    }

    /// A frame with room for a picture.
    pub(crate) fn picture(width: i32, height: i32, format: i32) -> Result<Self, Code> {
        let mut frame = Self::new();
        let inner = frame.get_mut();
        inner.width = width;
        inner.height = height;
        inner.format = format;
        // SAFETY: a valid frame with its size and format set.
        check(unsafe { ffi::av_frame_get_buffer(frame.as_mut_ptr(), 0) })?;
        Ok(frame)
    }

    pub(crate) fn pts(&self) -> Option<i64> {
        let frame = self.get();
        ticks(frame.pts).or(ticks(frame.best_effort_timestamp))
    }

    /// The time that its packet told, without a guess.
    pub(crate) fn told_pts(&self) -> Option<i64> {
        ticks(self.get().pts)
    }

    pub(crate) fn set_pts(&mut self, pts: Option<i64>) {
        self.get_mut().pts = from_ticks(pts);
    }

    pub(crate) fn width(&self) -> i32 {
        self.get().width
    }

    pub(crate) fn height(&self) -> i32 {
        self.get().height
    }

    /// The pixel or sample format's number.
    pub(crate) fn format(&self) -> i32 {
        self.get().format
    }

    /// How many samples of each channel.
    pub(crate) fn samples(&self) -> i32 {
        self.get().nb_samples
    }

    /// Forgets of what type the picture was in the source: an encoder chooses
    /// anew, or with `key` must begin with it.
    pub(crate) fn forget_coding(&mut self, key: bool) {
        self.get_mut().pict_type = if key {
            ffi::AVPictureType::AV_PICTURE_TYPE_I
        } else {
            ffi::AVPictureType::AV_PICTURE_TYPE_NONE
        };
    }

    /// Copies the picture's description (colour, aspect, times) from `other`.
    pub(crate) fn copy_description(&mut self, other: &Self) -> Result<(), Code> {
        // SAFETY: both are valid frames.
        check(unsafe { ffi::av_frame_copy_props(self.as_mut_ptr(), other.as_ptr()) })?;
        Ok(())
    }

    pub(crate) fn as_ptr(&self) -> *const ffi::AVFrame {
        self.0.as_ptr()
    }

    pub(crate) fn as_mut_ptr(&mut self) -> *mut ffi::AVFrame {
        self.0.as_ptr()
    }

    fn get(&self) -> &ffi::AVFrame {
        // SAFETY: allocated by `new`, freed by `drop` alone.
        unsafe { self.0.as_ref() }
    }

    fn get_mut(&mut self) -> &mut ffi::AVFrame {
        // SAFETY: allocated by `new`, freed by `drop` alone; borrowed mutably.
        unsafe { self.0.as_mut() }
    }
}

impl Drop for Frame {
    fn drop(&mut self) {
        let mut frame = self.0.as_ptr();
        // SAFETY: the one owner frees it once.
        unsafe { ffi::av_frame_free(&raw mut frame) };
    }
}
