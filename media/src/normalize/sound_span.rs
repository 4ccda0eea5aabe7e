//! A span of a WAV file as a WAV file of its own, read as it is asked for.

use std::fs::File;
use std::io::{self, BufReader, Read, Seek, SeekFrom};
use std::path::Path;

use crate::time::{Span, TimeBase};
use crate::{Error, Result};

use super::wav::{HEADER, header};

/// The most chunks in front of the samples: others are looked past.
const MOST_CHUNKS: usize = 100;

/// A span of the sound of a WAV file, itself as a WAV file: a header, then the
/// samples from the one nearest to the span's start to the one nearest to its
/// end. It holds no more of it than what is read at a time.
///
/// ```no_run
/// use flatbed_media::normalize::{Sound, SoundSpan, SpeechOptions, speech_spans};
/// # fn pieces(sound: &Sound) -> Result<(), Box<dyn std::error::Error>> {
/// for span in speech_spans(sound.duration, &sound.silences, &SpeechOptions::default())? {
///     let mut piece = SoundSpan::path("sound.wav", span)?;
///     let mut file = std::fs::File::create("piece.wav")?;
///     std::io::copy(&mut piece, &mut file)?;
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct SoundSpan<R> {
    stream: R,
    header: io::Cursor<Vec<u8>>,
    span: Span,
    /// Of samples, and those that were not read yet.
    bytes: u64,
    left: u64,
}

impl SoundSpan<BufReader<File>> {
    /// Of a file.
    ///
    /// # Errors
    /// As [`open`](SoundSpan::open).
    pub fn path(path: impl AsRef<Path>, span: Span) -> Result<Self> {
        let name = path.as_ref().display().to_string();
        let file = File::open(path).map_err(|source| Error::io(&name, source))?;
        Self::open(&name, BufReader::new(file), span)
    }
}

impl<R: Read + Seek> SoundSpan<R> {
    /// Of a stream, which is read from its beginning on.
    ///
    /// # Errors
    /// [`Malformed`](Error::Malformed) where it is no WAV file,
    /// [`Unsupported`](Error::Unsupported) where that has other samples than
    /// PCM, or the span has none.
    pub fn open(name: &str, mut stream: R, span: Span) -> Result<Self> {
        let broken = |source: io::Error| match source.kind() {
            io::ErrorKind::UnexpectedEof => Error::malformed(name, "not a whole WAV file"),
            _ => Error::io(name, source),
        };
        let found = Samples::find(&mut stream, name, broken)?;
        let clock = TimeBase::per_second(found.rate);
        let sample = |at| {
            let sample = TimeBase::MICROS.convert(at, clock);
            u64::try_from(sample).unwrap_or(0).min(found.count)
        };
        let (first, end) = (sample(span.start.as_micros()), sample(span.end.as_micros()));
        if end <= first {
            return Err(Error::unsupported(
                name,
                format!("no sound from {} to {}", span.start, span.end),
            ));
        }
        let bytes = (end - first) * found.size;
        let length = u32::try_from(bytes).ok();
        let Some(length) = length.filter(|length| *length < u32::MAX - HEADER) else {
            return Err(Error::limit(name, "more than the 4 GiB of a WAV file"));
        };
        let header = header(&found.format, length);
        stream
            .seek(SeekFrom::Start(found.at + first * found.size))
            .map_err(broken)?;
        let time = |sample| clock.timestamp(i64::try_from(sample).unwrap_or(i64::MAX));
        Ok(Self {
            stream,
            header: io::Cursor::new(header),
            span: Span {
                start: time(first),
                end: time(end),
            },
            bytes,
            left: bytes,
        })
    }

    /// Where its samples lie in the sound it is of: a time in it is so much
    /// later there.
    pub fn span(&self) -> Span {
        self.span
    }

    /// How many bytes there are to be read in all, with the header.
    pub fn size(&self) -> u64 {
        u64::from(HEADER) + self.bytes
    }
}

impl<R: Read> Read for SoundSpan<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let read = self.header.read(into)?;
        if read > 0 || into.is_empty() || self.left == 0 {
            return Ok(read);
        }
        let most = usize::try_from(self.left).unwrap_or(usize::MAX);
        let room = into.len().min(most);
        let read = self.stream.read(into.get_mut(..room).unwrap_or_default())?;
        if read == 0 {
            // It was there when the span was opened.
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        self.left -= read as u64;
        Ok(read)
    }
}

/// The samples of a WAV file.
struct Samples {
    /// Where they begin.
    at: u64,
    rate: u32,
    /// Bytes of a sample of all channels.
    size: u64,
    count: u64,
    /// The chunk that describes them.
    format: [u8; 16],
}

impl Samples {
    fn find(
        stream: &mut (impl Read + Seek),
        name: &str,
        broken: impl Fn(io::Error) -> Error,
    ) -> Result<Self> {
        let end = stream.seek(SeekFrom::End(0)).map_err(&broken)?;
        stream.rewind().map_err(&broken)?;
        let mut head = [0; 12];
        stream.read_exact(&mut head).map_err(&broken)?;
        if !head.starts_with(b"RIFF") || !head.ends_with(b"WAVE") {
            return Err(Error::malformed(name, "not a WAV file"));
        }
        let mut at = 12;
        let mut format = None;
        for _ in 0..MOST_CHUNKS {
            let mut head = [0; 8];
            stream.seek(SeekFrom::Start(at)).map_err(&broken)?;
            stream.read_exact(&mut head).map_err(&broken)?;
            let length = u64::from(u32::from_le_bytes(field(&head, 4)));
            at += 8;
            if head.starts_with(b"fmt ") && length >= 16 {
                let mut bytes = [0; 16];
                stream.read_exact(&mut bytes).map_err(&broken)?;
                format = Some(bytes);
            } else if let (true, Some(format)) = (head.starts_with(b"data"), format) {
                // A file that is cut short, or whose length was not known.
                let length = length.min(end.saturating_sub(at));
                return Self::of(format, at, length)
                    .ok_or_else(|| Error::unsupported(name, "its samples are not PCM"));
            }
            at += length + length % 2;
        }
        Err(Error::malformed(name, "a WAV file without samples"))
    }

    fn of(format: [u8; 16], at: u64, length: u64) -> Option<Self> {
        let coding = u16::from_le_bytes(field(&format, 0));
        let rate = u32::from_le_bytes(field(&format, 4));
        let size = u64::from(u16::from_le_bytes(field(&format, 12)));
        (coding == 1 && (1..=1_000_000).contains(&rate) && size > 0).then(|| Self {
            at,
            rate,
            size,
            count: length / size,
            format,
        })
    }
}

/// The bytes of a number at `at`.
fn field<const N: usize>(bytes: &[u8], at: usize) -> [u8; N] {
    let found = bytes.get(at..).and_then(|rest| rest.first_chunk());
    found.copied().unwrap_or([0; N])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::Timestamp;

    /// A WAV file at 16 kHz whose samples count up, with a chunk in front.
    fn counting(samples: u16) -> Vec<u8> {
        let mut file = b"RIFF\0\0\0\0WAVE".to_vec();
        file.extend(b"LIST\x03\0\0\0abc\0");
        file.extend(b"fmt \x10\0\0\0\x01\0\x01\0");
        file.extend(16_000u32.to_le_bytes());
        file.extend(32_000u32.to_le_bytes());
        file.extend(b"\x02\0\x10\0data");
        file.extend((2 * u32::from(samples)).to_le_bytes());
        file.extend((0..samples).flat_map(u16::to_le_bytes));
        file
    }

    fn micros(start: i64, end: i64) -> Span {
        Span {
            start: Timestamp::from_micros(start),
            end: Timestamp::from_micros(end),
        }
    }

    fn read(file: &[u8], span: Span) -> (Vec<u8>, Span) {
        let mut piece = SoundSpan::open("sound", io::Cursor::new(file), span).expect("a piece");
        let mut bytes = Vec::new();
        piece.read_to_end(&mut bytes).expect("read");
        assert_eq!(bytes.len() as u64, piece.size());
        (bytes, piece.span())
    }

    #[test]
    fn it_is_exact_to_the_sample() {
        let file = counting(1000);
        // Sample 16 to 32; the ends are a little off.
        let (bytes, span) = read(&file, micros(1_020, 1_990));
        let samples: Vec<_> = (16..32u16).flat_map(u16::to_le_bytes).collect();
        assert_eq!(bytes[44..], samples);
        assert_eq!(bytes[40..44], 32u32.to_le_bytes());
        assert_eq!(bytes[4..8], 68u32.to_le_bytes());
        assert_eq!(span, micros(1_000, 2_000));
        // It can be read in its turn.
        let (again, _) = read(&bytes, micros(0, 1_000_000));
        assert_eq!(again, bytes);
    }

    #[test]
    fn spans_side_by_side_leave_nothing_out() {
        let file = counting(997);
        for step in [1_313, 10_001, 62_312] {
            let mut all = Vec::new();
            let mut at = 0;
            while at < 62_312 {
                all.extend(read(&file, micros(at, at + step)).0.split_off(44));
                at += step;
            }
            let samples: Vec<_> = (0..997u16).flat_map(u16::to_le_bytes).collect();
            assert_eq!(all, samples, "{step}");
        }
    }

    #[test]
    fn what_is_none_is_refused() {
        let file = counting(100);
        let open = |file: &[u8], span| {
            SoundSpan::open("sound", io::Cursor::new(file.to_vec()), span).map(|_| ())
        };
        let second = micros(0, 1_000_000);
        for (name, broken) in [
            ("empty", &[][..]),
            ("text", b"not a WAV file, but long enough to be one"),
            ("short", &file[..40]),
        ] {
            let result = open(broken, second);
            assert!(
                matches!(result, Err(Error::Malformed { .. })),
                "{name}: {result:?}"
            );
        }
        let mut float = file.clone();
        float[32] = 3;
        let result = open(&float, second);
        assert!(
            matches!(result, Err(Error::Unsupported { .. })),
            "{result:?}"
        );
        let result = open(&file, micros(7_000, 9_000));
        assert!(
            matches!(result, Err(Error::Unsupported { .. })),
            "{result:?}"
        );
        // One that was cut short has what is left.
        assert_eq!(read(&file[..file.len() - 51], second).0.len(), 44 + 148);
    }
}
