//! The ends that a graph's description leaves open, by their labels.

use super::ffi;

/// A filter and one of its inputs or outputs.
pub(super) type Pad = (*mut ffi::AVFilterContext, u32);

/// The ends that a description leaves open.
pub(super) struct Ends {
    pub(super) inputs: *mut ffi::AVFilterInOut,
    pub(super) outputs: *mut ffi::AVFilterInOut,
}

impl Ends {
    pub(super) fn input(&self, label: &str) -> Option<Pad> {
        // SAFETY: the list is valid as long as `self`.
        unsafe { labelled(self.inputs, label) }
    }

    pub(super) fn output(&self, label: &str) -> Option<Pad> {
        // SAFETY: the list is valid as long as `self`.
        unsafe { labelled(self.outputs, label) }
    }
}

/// The open end with this label.
///
/// # Safety
/// `list` is null or a valid list.
unsafe fn labelled(mut list: *const ffi::AVFilterInOut, label: &str) -> Option<Pad> {
    // SAFETY: by the contract of this function; names are C strings or null.
    unsafe {
        while let Some(end) = list.as_ref() {
            if super::super::text(end.name) == label {
                return Some((end.filter_ctx, u32::try_from(end.pad_idx).ok()?));
            }
            list = end.next;
        }
    }
    None
}

impl Drop for Ends {
    fn drop(&mut self) {
        // SAFETY: lists of avfilter_graph_parse2, freed once; null is fine.
        unsafe {
            ffi::avfilter_inout_free(&raw mut self.inputs);
            ffi::avfilter_inout_free(&raw mut self.outputs);
        }
    }
}
