//! `AVPacket`: one coded frame.

use std::ops::Range;
use std::ptr::NonNull;

use super::code::{Code, check};
use super::{ffi, from_ticks, ticks};
use crate::time::TimeBase;

/// A packet that owns its data, or shares it by reference count.
#[derive(Debug)]
pub(crate) struct Packet(NonNull<ffi::AVPacket>);

// SAFETY: a packet is plain memory and reference-counted buffers whose counts
// are atomic; nothing in it belongs to a thread.
unsafe impl Send for Packet {}

impl Packet {
    /// An empty packet.
    pub(crate) fn new() -> Self {
        // SAFETY: allocates, or returns null.
        let packet = unsafe { ffi::av_packet_alloc() };
        match NonNull::new(packet) {
            Some(packet) => Self(packet),
            // As Vec does: there is no memory for even a hundred bytes.
            None => std::alloc::handle_alloc_error(std::alloc::Layout::new::<ffi::AVPacket>()),
        }
    }

    /// Replaces the data; the times and flags stay.
    pub(crate) fn set_data(&mut self, data: &[u8]) -> Result<(), Code> {
        let size = i32::try_from(data.len()).map_err(|_| Code::INVALID)?;
        let mut fresh = Self::new();
        // SAFETY: `fresh` is a valid packet; on success it owns `size` bytes.
        check(unsafe { ffi::av_new_packet(fresh.as_mut_ptr(), size) })?;
        // SAFETY: the packet was just given `size` writable bytes, which
        // nothing else refers to.
        unsafe {
            std::ptr::copy_nonoverlapping(data.as_ptr(), (*fresh.as_ptr()).data, data.len());
        }
        // SAFETY: both are valid packets; copies times, flags and side data.
        check(unsafe { ffi::av_packet_copy_props(fresh.as_mut_ptr(), self.as_ptr()) })?;
        *self = fresh;
        Ok(())
    }

    /// Appends to the data.
    pub(crate) fn append(&mut self, data: &[u8]) -> Result<(), Code> {
        let before = self.data().len();
        let more = i32::try_from(data.len()).map_err(|_| Code::INVALID)?;
        // SAFETY: a valid packet; on success it has `more` bytes more, and is
        // the only one to refer to them.
        check(unsafe { ffi::av_grow_packet(self.as_mut_ptr(), more) })?;
        // SAFETY: the packet was just given room for `data` behind what it held.
        unsafe {
            std::ptr::copy_nonoverlapping(data.as_ptr(), self.get().data.add(before), data.len());
        }
        Ok(())
    }

    /// Lets `edit` change the data where it lies and say which part of it
    /// remains. Does nothing, and answers `false`, where the data is shared or
    /// `edit` gives up.
    pub(crate) fn edit(&mut self, edit: impl FnOnce(&mut [u8]) -> Option<Range<usize>>) -> bool {
        let packet = self.get_mut();
        let Ok(size) = usize::try_from(packet.size) else {
            return false;
        };
        if packet.data.is_null() || packet.buf.is_null() {
            return false;
        }
        // SAFETY: the buffer is not null, and so it is valid.
        if unsafe { ffi::av_buffer_is_writable(packet.buf) } == 0 {
            return false;
        }
        // SAFETY: `data` points to `size` bytes inside a buffer that this
        // packet alone refers to.
        let data = unsafe { std::slice::from_raw_parts_mut(packet.data, size) };
        let Some(kept) = edit(data).filter(|kept| kept.start <= kept.end && kept.end <= size)
        else {
            return false;
        };
        // What lies behind the kept part serves as its padding.
        data[kept.end..].fill(0);
        // SAFETY: `start` lies inside the data.
        packet.data = unsafe { packet.data.add(kept.start) };
        // It is no more than `size`, which came from an i32.
        packet.size = i32::try_from(kept.end - kept.start).unwrap_or(0);
        true
    }

    /// Keeps a part of the data; as much of it as there is.
    pub(crate) fn keep(&mut self, part: Range<usize>) -> Result<(), Code> {
        let data = self.data();
        let to = part.end.min(data.len());
        let kept = data[part.start.min(to)..to].to_vec();
        self.set_data(&kept)
    }

    /// The coded data.
    pub(crate) fn data(&self) -> &[u8] {
        let packet = self.get();
        match usize::try_from(packet.size) {
            // SAFETY: `data` points to `size` bytes that live as long as the
            // packet does and that nothing writes to while it is borrowed.
            Ok(size) if !packet.data.is_null() && size > 0 => unsafe {
                std::slice::from_raw_parts(packet.data, size)
            },
            _ => &[],
        }
    }

    /// Another packet with the same data, shared.
    pub(crate) fn share(&self) -> Result<Self, Code> {
        let mut copy = Self::new();
        // SAFETY: both are valid; `copy` is empty.
        check(unsafe { ffi::av_packet_ref(copy.as_mut_ptr(), self.as_ptr()) })?;
        Ok(copy)
    }

    pub(crate) fn pts(&self) -> Option<i64> {
        ticks(self.get().pts)
    }

    pub(crate) fn dts(&self) -> Option<i64> {
        ticks(self.get().dts)
    }

    pub(crate) fn duration(&self) -> i64 {
        self.get().duration
    }

    pub(crate) fn set_pts(&mut self, pts: Option<i64>) {
        self.get_mut().pts = from_ticks(pts);
    }

    pub(crate) fn set_dts(&mut self, dts: Option<i64>) {
        self.get_mut().dts = from_ticks(dts);
    }

    pub(crate) fn set_duration(&mut self, duration: i64) {
        self.get_mut().duration = duration;
    }

    pub(crate) fn is_key(&self) -> bool {
        self.get().flags & ffi::AV_PKT_FLAG_KEY != 0
    }

    pub(crate) fn set_key(&mut self, key: bool) {
        let flags = &mut self.get_mut().flags;
        *flags = if key {
            *flags | ffi::AV_PKT_FLAG_KEY
        } else {
            *flags & !ffi::AV_PKT_FLAG_KEY
        };
    }

    /// Whether the container's edit list hides it.
    pub(crate) fn is_discarded(&self) -> bool {
        self.get().flags & ffi::AV_PKT_FLAG_DISCARD != 0
    }

    /// Forgets flags and side data that belong to the source's container.
    pub(crate) fn strip(&mut self) {
        let key = self.is_key();
        // SAFETY: a valid packet; frees its side data.
        unsafe { ffi::av_packet_free_side_data(self.as_mut_ptr()) };
        let packet = self.get_mut();
        packet.flags = if key { ffi::AV_PKT_FLAG_KEY } else { 0 };
        packet.pos = -1;
    }

    pub(crate) fn stream(&self) -> usize {
        usize::try_from(self.get().stream_index).unwrap_or(usize::MAX)
    }

    pub(crate) fn set_stream(&mut self, index: usize) {
        self.get_mut().stream_index = i32::try_from(index).unwrap_or(i32::MAX);
    }

    /// Moves the times from one time base to another.
    pub(crate) fn rescale(&mut self, from: TimeBase, to: TimeBase) {
        if from == to {
            return;
        }
        let packet = self.get_mut();
        packet.pts = from_ticks(ticks(packet.pts).map(|value| from.convert(value, to)));
        packet.dts = from_ticks(ticks(packet.dts).map(|value| from.convert(value, to)));
        packet.duration = from.convert(packet.duration, to);
    }

    pub(crate) fn as_ptr(&self) -> *const ffi::AVPacket {
        self.0.as_ptr()
    }

    pub(crate) fn as_mut_ptr(&mut self) -> *mut ffi::AVPacket {
        self.0.as_ptr()
    }

    fn get(&self) -> &ffi::AVPacket {
        // SAFETY: allocated by `new`, freed by `drop` alone.
        unsafe { self.0.as_ref() }
    }

    fn get_mut(&mut self) -> &mut ffi::AVPacket {
        // SAFETY: allocated by `new`, freed by `drop` alone; borrowed mutably.
        unsafe { self.0.as_mut() }
    }
}

impl Drop for Packet {
    fn drop(&mut self) {
        let mut packet = self.0.as_ptr();
        // SAFETY: the one owner frees it once.
        unsafe { ffi::av_packet_free(&raw mut packet) };
    }
}
