//! The room for an index in front.

use std::ffi::c_int;

use super::Muxer;
use crate::Result;
use crate::av::code::{Code, check};
use crate::av::ffi;

impl Muxer {
    /// The room at the front is too small after all: it becomes a `free` box,
    /// and the index goes before it by a second pass, or, where the output
    /// cannot be read again, to the end.
    pub(super) fn give_up_reserve(&mut self) -> Result<()> {
        let Some(reserved) = self.reserved.take() else {
            return Ok(());
        };
        let failed = |code: Code| code.failed(&self.name, "making room for the index");
        let size = u32::try_from(reserved).map_err(|_| failed(Code::INVALID))?;
        let (pb, private) = (self.get().pb, self.get().priv_data);
        let end = self.position();
        // SAFETY: the open context's I/O, which is seekable where room was
        // reserved; `private` is an object with AVOptions.
        unsafe {
            if ffi::avio_seek(pb, self.front, 0) < 0 {
                return Err(failed(Code::INVALID));
            }
            ffi::avio_wb32(pb, size);
            ffi::avio_write(pb, b"free".as_ptr(), 4);
            ffi::avio_seek(pb, end, 0);
            if self.file.is_some() {
                check(ffi::av_opt_set(
                    private,
                    c"movflags".as_ptr(),
                    c"+faststart".as_ptr(),
                    0,
                ))
                .map_err(failed)?;
            }
            check(ffi::av_opt_set_int(private, c"moov_size".as_ptr(), 0, 0)).map_err(failed)?;
        }
        Ok(())
    }

    /// How many bytes lie before the next one.
    pub(super) fn position(&self) -> i64 {
        const CURRENT: c_int = 1;
        // SAFETY: the open context's I/O; seeks nowhere.
        unsafe { ffi::avio_seek(self.get().pb, 0, CURRENT) }
    }
}
