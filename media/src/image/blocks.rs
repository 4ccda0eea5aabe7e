//! The outer structure of animations: how many pictures there are, and how
//! often they are shown, told before any of them is decoded.

/// What an animation is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Film {
    pub(super) frames: u64,
    /// How often all of it is shown; 0 is without end.
    pub(super) plays: u16,
}

/// Of a GIF (`GIF89a`, and Netscape's application extension).
pub(super) fn gif(bytes: &[u8]) -> Film {
    let mut film = Film {
        frames: 0,
        plays: 1,
    };
    // A break is the end, or where the file is broken; the decoder will tell.
    let _ = gif_blocks(bytes, &mut film);
    film
}

fn gif_blocks(bytes: &[u8], film: &mut Film) -> Option<()> {
    let table = |flags: u8| {
        if flags & 0x80 == 0 {
            return 0;
        }
        3 << ((flags & 7) + 1)
    };
    let mut at = 13 + table(*bytes.get(10)?);
    loop {
        match *bytes.get(at)? {
            0x2c => {
                film.frames += 1;
                // The image's descriptor, its table, the size of its codes.
                at += 10 + table(*bytes.get(at + 9)?) + 1;
                at = behind_blocks(bytes, at)?;
            }
            0x21 => {
                let label = *bytes.get(at + 1)?;
                let extension = bytes.get(at + 2..)?;
                if label == 0xff
                    && let Some([3, 1, low, high, ..]) = extension.strip_prefix(b"\x0bNETSCAPE2.0")
                {
                    // So often *again*.
                    film.plays = match u16::from_le_bytes([*low, *high]) {
                        0 => 0,
                        again => again.saturating_add(1),
                    };
                }
                at = behind_blocks(bytes, at + 2)?;
            }
            _ => return None,
        }
    }
}

/// The place behind a list of blocks, each led by its length, which one of no
/// length ends.
fn behind_blocks(bytes: &[u8], mut at: usize) -> Option<usize> {
    loop {
        let length = usize::from(*bytes.get(at)?);
        at += 1 + length;
        if length == 0 {
            return Some(at);
        }
    }
}

/// The chunks of a WebP file behind its header (RFC 9649): name and content.
pub(super) fn chunks(bytes: &[u8]) -> impl Iterator<Item = (&[u8], &[u8])> {
    let mut rest = bytes.get(12..).unwrap_or_default();
    std::iter::from_fn(move || {
        let (name, behind) = rest.split_at_checked(4)?;
        let (length, behind) = behind.split_first_chunk::<4>()?;
        let length = usize::try_from(u32::from_le_bytes(*length)).ok()?;
        let content = behind.get(..length)?;
        rest = behind.get(length.next_multiple_of(2)..).unwrap_or_default();
        Some((name, content))
    })
}

/// Of a WebP.
pub(super) fn webp(bytes: &[u8]) -> Film {
    let mut film = Film {
        frames: 0,
        plays: 1,
    };
    for (name, content) in chunks(bytes) {
        match (name, content) {
            (b"ANIM", [_, _, _, _, low, high, ..]) => {
                film.plays = u16::from_le_bytes([*low, *high]);
            }
            (b"ANMF", _) => film.frames += 1,
            _ => {}
        }
    }
    film
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_gif_is_walked_through() {
        let mut gif_file = b"GIF89a\x01\0\x01\0\x80\0\0aaabbb".to_vec();
        let frame = b"\x21\xf9\x04\0\x05\0\0\0\x2c\0\0\0\0\x01\0\x01\0\0\x02\x02\x4c\x01\0";
        gif_file.extend(b"\x21\xff\x0bNETSCAPE2.0\x03\x01\x02\0\0");
        gif_file.extend(frame);
        gif_file.extend(frame);
        let film = Film {
            frames: 2,
            plays: 3,
        };
        assert_eq!(gif(&gif_file), film);
        for cut in 0..gif_file.len() {
            assert!(gif(&gif_file[..cut]).frames <= 2);
        }
    }

    #[test]
    fn chunks_are_padded() {
        let file = b"RIFF\0\0\0\0WEBPabcd\x01\0\0\0x\0efgh\x02\0\0\0yzijkl\xff\0\0\0";
        let seen: Vec<_> = chunks(file).collect();
        assert_eq!(seen, [(&b"abcd"[..], &b"x"[..]), (b"efgh", b"yz")]);
    }
}
