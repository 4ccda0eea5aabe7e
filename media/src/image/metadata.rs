//! A WebP file with metadata (RFC 9649, section 2.7): its chunks in another
//! frame.

use super::blocks::chunks;

const ICC: u8 = 1 << 5;
const ALPHA: u8 = 1 << 4;
const EXIF: u8 = 1 << 3;

/// The WebP `file` of `size`, with a profile and EXIF.
pub(super) fn with_metadata(
    file: &[u8],
    size: (u32, u32),
    icc: Option<&[u8]>,
    exif: Option<&[u8]>,
) -> Vec<u8> {
    let mut flags = 0;
    if icc.is_some() {
        flags |= ICC;
    }
    if exif.is_some() {
        flags |= EXIF;
    }
    for (name, content) in chunks(file) {
        flags |= match (name, content) {
            (b"VP8X", [there, ..]) => *there,
            (b"ALPH", _) => ALPHA,
            // One bit of the lossless header, behind twice 14 for the size.
            (b"VP8L", [_, _, _, _, last, ..]) if last & 0x10 != 0 => ALPHA,
            _ => 0,
        };
    }
    let mut body = b"WEBP".to_vec();
    let side = |side: u32| side.saturating_sub(1).to_le_bytes();
    let [w0, w1, w2, _] = side(size.0);
    let [h0, h1, h2, _] = side(size.1);
    put(
        &mut body,
        b"VP8X",
        &[flags, 0, 0, 0, w0, w1, w2, h0, h1, h2],
    );
    if let Some(icc) = icc {
        put(&mut body, b"ICCP", icc);
    }
    for (name, content) in chunks(file).filter(|(name, _)| name != b"VP8X") {
        put(&mut body, name, content);
    }
    if let Some(exif) = exif {
        put(&mut body, b"EXIF", exif);
    }
    let mut whole = b"RIFF".to_vec();
    whole.extend(length(&body));
    whole.append(&mut body);
    whole
}

fn put(body: &mut Vec<u8>, name: &[u8], content: &[u8]) {
    body.extend(name);
    body.extend(length(content));
    body.extend(content);
    if content.len() % 2 == 1 {
        body.push(0);
    }
}

fn length(bytes: &[u8]) -> [u8; 4] {
    u32::try_from(bytes.len()).unwrap_or(u32::MAX).to_le_bytes()
}
