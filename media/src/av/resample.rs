//! `SwrContext`: sound as planar floats of one rate and channel layout.

use std::ptr;

use super::code::{Code, check};
use super::ffi;
use super::frame::Frame;
use super::parameters::Parameters;

/// Converts sound to planar floats.
pub(crate) struct Resampler {
    context: *mut ffi::SwrContext,
    /// Rate, format and channels of the frames that the context was made for.
    source: (i32, i32, i32),
    rate: i32,
    layout: Layout,
}

// SAFETY: the context belongs to this value alone.
unsafe impl Send for Resampler {}

/// An owned `AVChannelLayout`.
struct Layout(ffi::AVChannelLayout);

impl Layout {
    fn new() -> Self {
        // SAFETY: all zeros is the empty layout.
        Self(unsafe { std::mem::zeroed() })
    }

    /// A copy of `other`, or the usual layout of as many channels.
    fn like(other: &ffi::AVChannelLayout) -> Result<Self, Code> {
        let mut layout = Self::new();
        // SAFETY: both are valid layouts.
        unsafe {
            if other.order == ffi::AVChannelOrder::AV_CHANNEL_ORDER_UNSPEC {
                ffi::av_channel_layout_default(&raw mut layout.0, other.nb_channels);
            } else {
                check(ffi::av_channel_layout_copy(&raw mut layout.0, other))?;
            }
        }
        Ok(layout)
    }
}

impl Drop for Layout {
    fn drop(&mut self) {
        // SAFETY: a valid layout, freed once.
        unsafe { ffi::av_channel_layout_uninit(&raw mut self.0) };
    }
}

impl Resampler {
    /// To `rate` Hz in the channel layout of `like`.
    pub(crate) fn new(rate: i32, like: &Parameters) -> Result<Self, Code> {
        Ok(Self {
            context: ptr::null_mut(),
            source: (0, 0, 0),
            rate,
            layout: Layout::like(&like.get().ch_layout)?,
        })
    }

    /// To `rate` Hz of one channel, in which all others are mixed.
    pub(crate) fn mono(rate: i32) -> Self {
        let mut layout = Layout::new();
        // SAFETY: a valid layout, which is overwritten.
        unsafe { ffi::av_channel_layout_default(&raw mut layout.0, 1) };
        Self {
            context: ptr::null_mut(),
            source: (0, 0, 0),
            rate,
            layout,
        }
    }

    /// Begins anew with the next frame; what is held back is lost.
    pub(crate) fn reset(&mut self) {
        // SAFETY: freed once, and null is fine; the pointer becomes null.
        unsafe { ffi::swr_free(&raw mut self.context) };
    }

    /// How many channels come out.
    pub(crate) fn channels(&self) -> usize {
        usize::try_from(self.layout.0.nb_channels).unwrap_or(0)
    }

    /// Appends the frame's sound to `out`, a vector for each channel; `None`
    /// drains what the filter holds back.
    pub(crate) fn convert(
        &mut self,
        frame: Option<&Frame>,
        out: &mut [Vec<f32>],
    ) -> Result<(), Code> {
        let (data, samples) = match frame {
            Some(frame) => {
                self.prepare(frame)?;
                // SAFETY: a valid frame's pointers.
                (unsafe { (*frame.as_ptr()).extended_data }, frame.samples())
            }
            None if self.context.is_null() => return Ok(()),
            None => (ptr::null_mut(), 0),
        };
        // SAFETY: an initialised context.
        let room = check(unsafe { ffi::swr_get_out_samples(self.context, samples) })?;
        let before = out.first().map_or(0, Vec::len);
        let most = usize::try_from(room).unwrap_or(0);
        for channel in out.iter_mut() {
            channel.resize(before + most, 0.0);
        }
        let mut planes: Vec<*mut u8> = out
            .iter_mut()
            .map(|channel| channel[before..].as_mut_ptr().cast())
            .collect();
        if planes.len() != self.channels() {
            return Err(Code::INVALID);
        }
        // SAFETY: a plane for each channel with room for `room` floats, and
        // the frame's own planes with `samples` samples each.
        let converted = unsafe {
            ffi::swr_convert(
                self.context,
                planes.as_mut_ptr(),
                room,
                data.cast(),
                samples,
            )
        };
        let converted = usize::try_from(check(converted)?).unwrap_or(0);
        for channel in out.iter_mut() {
            channel.truncate(before + converted);
        }
        Ok(())
    }

    /// A context for frames of this kind; another kind begins anew.
    fn prepare(&mut self, frame: &Frame) -> Result<(), Code> {
        // SAFETY: a valid frame.
        let (rate, layout) =
            unsafe { ((*frame.as_ptr()).sample_rate, &(*frame.as_ptr()).ch_layout) };
        let source = (rate, frame.format(), layout.nb_channels);
        if source == self.source && !self.context.is_null() {
            return Ok(());
        }
        let input = Layout::like(layout)?;
        // SAFETY: frees what is there; allocates and sets the options from
        // valid layouts.
        unsafe {
            ffi::swr_free(&raw mut self.context);
            check(ffi::swr_alloc_set_opts2(
                &raw mut self.context,
                &raw mut self.layout.0,
                ffi::AVSampleFormat::AV_SAMPLE_FMT_FLTP,
                self.rate,
                (&raw const input.0).cast_mut(),
                sample_format(frame.format()),
                rate,
                0,
                ptr::null_mut(),
            ))?;
            check(ffi::swr_init(self.context))?;
        }
        self.source = source;
        Ok(())
    }
}

impl Drop for Resampler {
    fn drop(&mut self) {
        // SAFETY: freed once, and null is fine.
        unsafe { ffi::swr_free(&raw mut self.context) };
    }
}

/// How many samples a second a frame of sound has, at least one.
pub(crate) fn rate_of(frame: &Frame) -> u32 {
    // SAFETY: a valid frame.
    let rate = unsafe { (*frame.as_ptr()).sample_rate };
    rate.max(1).unsigned_abs()
}

/// A sample format by its number.
fn sample_format(number: i32) -> ffi::AVSampleFormat {
    let known = -1..ffi::AVSampleFormat::AV_SAMPLE_FMT_NB as i32;
    if known.contains(&number) {
        // SAFETY: the enumeration has a variant for each number in that range.
        unsafe { std::mem::transmute::<i32, ffi::AVSampleFormat>(number) }
    } else {
        ffi::AVSampleFormat::AV_SAMPLE_FMT_NONE
    }
}

/// A frame of sound made of planar floats, for an encoder like `like`.
pub(crate) fn sound(planes: &[&[f32]], rate: i32, like: &Parameters) -> Result<Frame, Code> {
    let samples = planes.first().map_or(0, |plane| plane.len());
    let mut frame = Frame::new();
    let layout = Layout::like(&like.get().ch_layout)?;
    // SAFETY: a new frame with its description set before its buffer; the
    // layout is copied.
    unsafe {
        let fields = &mut *frame.as_mut_ptr();
        fields.nb_samples = i32::try_from(samples).map_err(|_| Code::INVALID)?;
        fields.format = ffi::AVSampleFormat::AV_SAMPLE_FMT_FLTP as i32;
        fields.sample_rate = rate;
        check(ffi::av_channel_layout_copy(
            &raw mut fields.ch_layout,
            &raw const layout.0,
        ))?;
        check(ffi::av_frame_get_buffer(frame.as_mut_ptr(), 0))?;
    }
    for (index, plane) in planes.iter().enumerate() {
        if plane.len() != samples {
            return Err(Code::INVALID);
        }
        // SAFETY: the frame has a plane for each of its layout's channels, and
        // `nb_samples` floats in each; the loop ends with the fewer.
        unsafe {
            if index >= usize::try_from((*frame.as_ptr()).ch_layout.nb_channels).unwrap_or(0) {
                break;
            }
            let target = *(*frame.as_ptr()).extended_data.add(index);
            ptr::copy_nonoverlapping(plane.as_ptr(), target.cast::<f32>(), samples);
        }
    }
    Ok(frame)
}

/// A frame of planar floats in another sample format, of the same rate and
/// layout.
pub(crate) fn in_format(frame: Frame, format: i32) -> Result<Frame, Code> {
    if frame.format() == format {
        return Ok(frame);
    }
    let mut converted = Frame::new();
    let mut context = ptr::null_mut();
    // SAFETY: the description is set before the buffer; both layouts are valid,
    // the context is made for both frames and freed here, and conversion alone
    // holds no samples back.
    unsafe {
        let from = &*frame.as_ptr();
        let fields = &mut *converted.as_mut_ptr();
        fields.nb_samples = from.nb_samples;
        fields.format = format;
        fields.sample_rate = from.sample_rate;
        check(ffi::av_channel_layout_copy(
            &raw mut fields.ch_layout,
            &raw const from.ch_layout,
        ))?;
        check(ffi::av_frame_get_buffer(converted.as_mut_ptr(), 0))?;
        check(ffi::swr_alloc_set_opts2(
            &raw mut context,
            (&raw const from.ch_layout).cast_mut(),
            sample_format(format),
            from.sample_rate,
            (&raw const from.ch_layout).cast_mut(),
            sample_format(from.format),
            from.sample_rate,
            0,
            ptr::null_mut(),
        ))?;
        let done = ffi::swr_init(context);
        let done = if done < 0 {
            done
        } else {
            ffi::swr_convert(
                context,
                (*converted.as_ptr()).extended_data,
                from.nb_samples,
                from.extended_data.cast(),
                from.nb_samples,
            )
        };
        ffi::swr_free(&raw mut context);
        check(done)?;
    }
    Ok(converted)
}
