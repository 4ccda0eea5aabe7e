//! `AVDictionary`: options on their way in, metadata on its way out.

use std::ffi::{CStr, CString};
use std::ptr;

use super::{ffi, text};

/// An `AVDictionary`.
pub(super) struct Dictionary(*mut ffi::AVDictionary);

impl Dictionary {
    pub(super) fn new(pairs: &[(&str, &str)]) -> Self {
        let mut dictionary = Self(ptr::null_mut());
        for (key, value) in pairs {
            let (Ok(key), Ok(value)) = (CString::new(*key), CString::new(*value)) else {
                continue;
            };
            // SAFETY: copies both strings into the dictionary.
            unsafe { ffi::av_dict_set(&raw mut dictionary.0, key.as_ptr(), value.as_ptr(), 0) };
        }
        dictionary
    }

    pub(super) fn as_mut_ptr(&mut self) -> *mut *mut ffi::AVDictionary {
        &raw mut self.0
    }

    /// The first key that nothing took.
    pub(super) fn left_over(&self) -> Option<String> {
        // SAFETY: the dictionary is null or valid; an empty key with this flag
        // matches every entry.
        let entry = unsafe {
            ffi::av_dict_get(
                self.0,
                c"".as_ptr(),
                ptr::null(),
                ffi::AV_DICT_IGNORE_SUFFIX,
            )
        };
        // SAFETY: an entry's key is a C string.
        (!entry.is_null()).then(|| unsafe { text((*entry).key) }.to_owned())
    }
}

impl Drop for Dictionary {
    fn drop(&mut self) {
        // SAFETY: frees what is there, and null is fine.
        unsafe { ffi::av_dict_free(&raw mut self.0) };
    }
}

/// The value of a key, where it is there and not empty.
///
/// # Safety
/// `dictionary` is null or valid.
pub(super) unsafe fn tag(dictionary: *const ffi::AVDictionary, key: &CStr) -> Option<String> {
    // SAFETY: by the contract of this function.
    let entry = unsafe { ffi::av_dict_get(dictionary, key.as_ptr(), ptr::null(), 0) };
    if entry.is_null() {
        return None;
    }
    // SAFETY: an entry's value is a C string.
    Some(unsafe { text((*entry).value) }.to_owned()).filter(|value| !value.is_empty())
}
