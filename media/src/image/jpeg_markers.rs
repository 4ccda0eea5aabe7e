//! The markers of a JPEG file (ITU-T T.81, annex B): its size, its metadata,
//! and how much work it is, without decoding anything.

use crate::{Error, Result};

/// What the markers tell.
#[derive(Debug, Default)]
pub(super) struct Markers<'a> {
    pub(super) width: u32,
    pub(super) height: u32,
    /// TIFF-like, from its byte order on.
    pub(super) exif: Option<&'a [u8]>,
    pub(super) icc: Option<Vec<u8>>,
    /// Adobe's marker: CMYK is written upside down then.
    pub(super) adobe: bool,
    pub(super) scans: u32,
    /// Whether there is an end: without it the file was cut short.
    pub(super) ended: bool,
}

/// A profile's chunk: its number, counted from 1, and its bytes.
type Chunk<'a> = (u8, &'a [u8]);

const EXIF: &[u8] = b"Exif\0\0";
const ICC: &[u8] = b"ICC_PROFILE\0";

impl<'a> Markers<'a> {
    /// Of a file that begins with SOI.
    pub(super) fn read(bytes: &'a [u8], name: &str) -> Result<Self> {
        let mut markers = Self::default();
        let mut chunks: Vec<Chunk<'a>> = Vec::new();
        let mut at = 2;
        while let Some((marker, behind)) = next_marker(bytes, at) {
            at = behind;
            match marker {
                0xd9 => {
                    markers.ended = true;
                    break;
                }
                // SOI again, RST, TEM: they stand alone.
                0x01 | 0xd0..=0xd8 => continue,
                _ => {}
            }
            let Some(segment) = segment(bytes, at) else {
                break;
            };
            at += 2 + segment.len();
            match marker {
                0xc0..=0xc3 | 0xc5..=0xc7 | 0xc9..=0xcb | 0xcd..=0xcf => {
                    if let [_, h1, h0, w1, w0, ..] = segment {
                        markers.height = u32::from(u16::from_be_bytes([*h1, *h0]));
                        markers.width = u32::from(u16::from_be_bytes([*w1, *w0]));
                    }
                }
                0xda => markers.scans += 1,
                0xe1 if markers.exif.is_none() => markers.exif = segment.strip_prefix(EXIF),
                0xe2 => {
                    if let Some([number, _, chunk @ ..]) = segment.strip_prefix(ICC) {
                        chunks.push((*number, chunk));
                    }
                }
                0xee => markers.adobe |= segment.starts_with(b"Adobe"),
                _ => {}
            }
        }
        if markers.width == 0 || markers.height == 0 {
            return Err(Error::malformed(name, "a JPEG file without a picture"));
        }
        chunks.sort_by_key(|(number, _)| *number);
        if !chunks.is_empty() {
            markers.icc = Some(
                chunks
                    .iter()
                    .flat_map(|(_, chunk)| *chunk)
                    .copied()
                    .collect(),
            );
        }
        Ok(markers)
    }
}

/// The next marker at or behind `at`, and where its segment begins. What lies
/// between is skipped: coded data, in which 0xff is followed by 0 or is no
/// marker but a restart, and filling.
fn next_marker(bytes: &[u8], mut at: usize) -> Option<(u8, usize)> {
    loop {
        let rest = bytes.get(at..)?;
        let mark = memchr::memchr(0xff, rest)?;
        at += mark + 1;
        match *bytes.get(at)? {
            0 | 0xd0..=0xd7 => at += 1,
            0xff => {}
            marker => return Some((marker, at + 1)),
        }
    }
}

/// The bytes of the segment whose length is at `at`.
fn segment(bytes: &[u8], at: usize) -> Option<&[u8]> {
    let length = bytes.get(at..at + 2)?;
    let length = usize::from(u16::from_be_bytes(length.try_into().ok()?));
    bytes.get(at + 2..at + length.max(2))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn metadata_in_pieces() {
        let mut file = vec![0xff, 0xd8];
        let mut put = |marker: u8, content: &[u8]| {
            file.extend([0xff, marker]);
            file.extend(
                u16::try_from(content.len() + 2)
                    .expect("short")
                    .to_be_bytes(),
            );
            file.extend(content);
        };
        put(0xe1, b"Exif\0\0II*\0");
        put(0xe2, b"ICC_PROFILE\0\x02\x02two");
        put(0xe2, b"ICC_PROFILE\0\x01\x02one ");
        put(0xee, b"Adobe\0d");
        put(0xc2, &[8, 0, 3, 0, 5, 3]);
        put(0xda, &[0]);
        file.extend([1, 0xff, 0, 2, 0xff, 0xd0, 3, 0xff, 0xff, 0xd9, 0xff, 0xda]);
        let markers = Markers::read(&file, "a").expect("markers");
        assert_eq!((markers.width, markers.height), (5, 3));
        assert_eq!(markers.exif, Some(&b"II*\0"[..]));
        assert_eq!(markers.icc.as_deref(), Some(&b"one two"[..]));
        assert!(markers.adobe && markers.ended);
        assert_eq!(markers.scans, 1);
        for cut in 2..file.len() {
            let _ = Markers::read(&file[..cut], "a");
        }
    }
}
