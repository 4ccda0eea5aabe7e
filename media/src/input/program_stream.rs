//! The front of an MPEG program stream as video recorders write it.
//!
//! Hikvision recorders put a 40-byte `IMKH` header before the first pack, some
//! of them inside an envelope of 64 bytes or so. libavformat takes the stream
//! types 0x90 (G.711 A-law) and 0x91 (mu-law) of the program stream map for
//! what they are only behind that header; without it they become MP2 at rate 0
//! (FFmpeg 5.1, `libavformat/mpeg.c`). So an envelope is passed over, and a
//! header is put in front where the map names such a stream.

use std::io::{self, Read, Seek, SeekFrom};

use memchr::memmem;

/// How much of the start is looked at, in bytes.
pub(super) const SNIFFED: u64 = 16 * 1024;

const HEADER: usize = 40;
const PACK: [u8; 4] = [0, 0, 1, 0xba];
const MAP: [u8; 4] = [0, 0, 1, 0xbc];

/// What a demuxer must see instead of the stream's own front.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Front {
    /// The stream as it is.
    AsIs,
    /// The stream from this byte on.
    Skip(u64),
    /// An `IMKH` header, then the stream from this byte on.
    Header(u64),
}

impl Front {
    /// Reads the start of `stream`, wherever it stands.
    pub(super) fn sniff(stream: &mut impl Read) -> io::Result<Self> {
        let mut head = Vec::new();
        stream.take(SNIFFED).read_to_end(&mut head)?;
        Ok(Self::of(&head))
    }

    /// What the first bytes say.
    pub(super) fn of(head: &[u8]) -> Self {
        if head.starts_with(b"IMKH") {
            return Self::AsIs;
        }
        let start = if head.starts_with(&PACK) {
            0
        } else {
            // An envelope: the header's mark within its first bytes, then a pack.
            let early = &head[..head.len().min(128)];
            if memmem::find(early, b"IMKH").is_none() {
                return Self::AsIs;
            }
            match memmem::find(head, &PACK) {
                Some(start) => start,
                None => return Self::AsIs,
            }
        };
        match (maps_g711(&head[start..]), start) {
            (true, start) => Self::Header(start as u64),
            (false, 0) => Self::AsIs,
            (false, start) => Self::Skip(start as u64),
        }
    }

    /// The bytes that come before the stream, and how many of its own fall away.
    fn parts(self) -> (&'static [u8], u64) {
        static IMKH: [u8; HEADER] = {
            let mut header = [0; HEADER];
            let mark = *b"IMKH";
            let mut at = 0;
            while at < mark.len() {
                header[at] = mark[at];
                at += 1;
            }
            header
        };
        match self {
            Self::AsIs => (&[], 0),
            Self::Skip(skip) => (&[], skip),
            Self::Header(skip) => (&IMKH, skip),
        }
    }

    /// The start of a stream with this front in place of its own.
    pub(super) fn apply(self, head: Vec<u8>) -> Vec<u8> {
        let (front, skip) = self.parts();
        if front.is_empty() && skip == 0 {
            return head;
        }
        let rest = usize::try_from(skip).ok().and_then(|skip| head.get(skip..));
        [front, rest.unwrap_or_default()].concat()
    }
}

/// Whether a program stream map (ISO/IEC 13818-1, section 2.5.4) names G.711.
fn maps_g711(head: &[u8]) -> bool {
    memmem::find_iter(head, &MAP).any(|at| {
        map_types(&head[at..])
            .is_some_and(|types| types.iter().any(|&kind| kind == 0x90 || kind == 0x91))
    })
}

/// The stream types of the map that starts `data`.
fn map_types(data: &[u8]) -> Option<Vec<u8>> {
    let word = |at: usize| -> Option<usize> {
        Some(usize::from(*data.get(at)?) << 8 | usize::from(*data.get(at + 1)?))
    };
    let end = 6 + word(4)?;
    let info = word(8)?;
    let mut at = 10 + info + 2;
    let mut types = Vec::new();
    // Four bytes of CRC end the map.
    while at + 4 <= end.saturating_sub(4) {
        types.push(*data.get(at)?);
        at += 4 + word(at + 2)?;
    }
    Some(types)
}

/// A stream behind another front.
pub(super) struct WithFront<S> {
    stream: S,
    front: &'static [u8],
    /// Bytes of the stream that are passed over.
    skip: u64,
    position: u64,
}

impl<S: Read + Seek> WithFront<S> {
    /// `stream` stands at its start.
    pub(super) fn new(stream: S, front: Front) -> Self {
        let (front, skip) = front.parts();
        Self {
            stream,
            front,
            skip,
            position: 0,
        }
    }
}

impl<S: Read + Seek> Read for WithFront<S> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let front = self.front.len() as u64;
        let read = if self.position < front {
            let at = usize::try_from(self.position).unwrap_or(0);
            Read::read(&mut &self.front[at..], buffer)?
        } else {
            if self.position == front {
                self.stream.seek(SeekFrom::Start(self.skip))?;
            }
            self.stream.read(buffer)?
        };
        self.position += read as u64;
        Ok(read)
    }
}

impl<S: Read + Seek> Seek for WithFront<S> {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let front = self.front.len() as u64;
        let target = match to {
            SeekFrom::Start(at) => Some(at),
            SeekFrom::Current(by) => self.position.checked_add_signed(by),
            SeekFrom::End(by) => {
                let end = self.stream.seek(SeekFrom::End(0))?;
                (end.saturating_sub(self.skip) + front).checked_add_signed(by)
            }
        };
        let target = target.ok_or(io::ErrorKind::InvalidInput)?;
        if target >= front {
            self.stream
                .seek(SeekFrom::Start(target - front + self.skip))?;
        }
        self.position = target;
        Ok(target)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Cursor;

    /// A pack header, then a map with one video and one audio stream.
    fn stream(audio: u8) -> Vec<u8> {
        let mut data = PACK.to_vec();
        data.extend([0x44; 10]);
        data.extend(MAP);
        data.extend([0, 18, 0xe0, 0xff, 0, 0, 0, 8]);
        data.extend([0x1b, 0xe0, 0, 0, audio, 0xc0, 0, 0]);
        data.extend([0; 4]);
        data.extend([0xab; 100]);
        data
    }

    #[test]
    fn a_header_is_put_in_front_where_the_map_names_g711() {
        assert_eq!(Front::of(&stream(0x90)), Front::Header(0));
        assert_eq!(Front::of(&stream(0x91)), Front::Header(0));
        assert_eq!(Front::of(&stream(0x0f)), Front::AsIs);
        assert_eq!(Front::of(b"\0\0\0\x18ftypmp42"), Front::AsIs);
        assert_eq!(Front::of(&[]), Front::AsIs);
    }

    #[test]
    fn an_envelope_is_passed_over() {
        let mut data = vec![7; 24];
        data.extend(b"IMKH");
        data.extend([0; 36]);
        data.extend(stream(0x0f));
        assert_eq!(Front::of(&data), Front::Skip(64));
    }

    #[test]
    fn reading_and_seeking_agree_across_the_front() {
        let inner = stream(0x90);
        let mut whole = WithFront::new(Cursor::new(inner.clone()), Front::Header(0));
        let mut all = Vec::new();
        whole.read_to_end(&mut all).expect("read");
        assert_eq!(&all[..4], b"IMKH");
        assert_eq!(&all[HEADER..], &inner[..]);
        for at in [0, 3, 39, 40, 41, 60] {
            whole.seek(SeekFrom::Start(at)).expect("seek");
            let mut some = Vec::new();
            Read::by_ref(&mut whole)
                .take(50)
                .read_to_end(&mut some)
                .expect("read");
            let at = usize::try_from(at).expect("small");
            assert_eq!(some, all[at..at + 50]);
        }
        let end = whole.seek(SeekFrom::End(0)).expect("seek");
        assert_eq!(end, all.len() as u64);
    }
}
