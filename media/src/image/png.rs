//! What the chunks of a PNG tell in front of the picture (PNG, third edition):
//! looked at before the decoder, which inflates what it meets.

use std::io::{self, Read};

use flate2::bufread::ZlibDecoder;

use super::colour::Code;
use super::decode::check_pixels;
use super::watch::Watch;
use crate::{Error, Result};

/// The largest profile: for RGB, tables of 33 steps in 16 bits are a quarter of
/// a MiB each.
const MOST_PROFILE: u64 = 4 << 20;

/// Checks the size and what is to be inflated; tells how the colours are coded
/// (`cICP`), where the file does. It counts before a profile.
///
/// `gAMA` and `cHRM` are not followed: libvips does not either, and files are
/// common that have a wrong one.
pub(super) fn look(bytes: &[u8], watch: &Watch<'_>) -> Result<Option<Code>> {
    let side = |at: usize| {
        let bytes = bytes.get(at..at + 4)?.try_into().ok()?;
        Some(u32::from_be_bytes(bytes))
    };
    match (side(16), side(20)) {
        (Some(width), Some(height)) => check_pixels((width, height), watch)?,
        _ => return Err(Error::malformed(watch.name(), "a PNG file cut short")),
    }
    let mut code = None;
    for (name, content) in chunks(bytes) {
        match (name, content) {
            (b"IDAT", _) => break,
            (b"iCCP", content) if is_large(content) => {
                return Err(Error::limit(
                    watch.name(),
                    format!("a colour profile of more than {} MiB", MOST_PROFILE >> 20),
                ));
            }
            (b"cICP", [primaries, transfer, ..]) => {
                code = Some(Code {
                    primaries: *primaries,
                    transfer: *transfer,
                });
            }
            _ => {}
        }
    }
    Ok(code)
}

/// The chunks of the file: name and content.
fn chunks(bytes: &[u8]) -> impl Iterator<Item = (&[u8], &[u8])> {
    let mut rest = bytes.get(8..).unwrap_or_default();
    std::iter::from_fn(move || {
        let (length, behind) = rest.split_first_chunk::<4>()?;
        let length = usize::try_from(u32::from_be_bytes(*length)).ok()?;
        let (name, behind) = behind.split_at_checked(4)?;
        let (content, behind) = behind.split_at_checked(length)?;
        // Behind it the checksum.
        rest = behind.get(4..).unwrap_or_default();
        Some((name, content))
    })
}

/// Whether the profile is larger than it may be. Where it does not inflate, the
/// decoder leaves it out.
fn is_large(content: &[u8]) -> bool {
    let Some(end) = content.iter().take(80).position(|&byte| byte == 0) else {
        return false;
    };
    // The name's NUL, and one byte for the method.
    let deflated = content.get(end + 2..).unwrap_or_default();
    let mut profile = ZlibDecoder::new(deflated).take(MOST_PROFILE + 1);
    io::copy(&mut profile, &mut io::sink()).is_ok_and(|length| length > MOST_PROFILE)
}
