//! A WAV file of 16-bit samples, one channel: RIFF/WAVE with a `fmt ` and a
//! `data` chunk (IBM and Microsoft, Multimedia Programming Interface 1.0).

use std::fs::File;
use std::io::{self, BufWriter, Seek, SeekFrom, Write};

use crate::output::{Named, PartialFile, WriteSeek};
use crate::{Error, Result};

use super::options::{Kind, SoundOutput};

/// Bytes in front of the samples.
pub(super) const HEADER: u32 = 44;

/// Bytes of a sample.
pub(super) const SAMPLE: u16 = 2;

/// A WAV file that is being written.
pub(super) struct Wav {
    name: String,
    stream: BufWriter<Box<dyn WriteSeek>>,
    file: Option<PartialFile>,
    rate: u32,
    /// Of samples, so far.
    bytes: u32,
    block: Vec<u8>,
}

impl Wav {
    pub(super) fn create(output: SoundOutput, rate: u32) -> Result<Self> {
        let name = output.name;
        let io = |source| Error::io(&name, source);
        let (stream, file): (Box<dyn WriteSeek>, _) = match output.kind {
            Kind::Path(path) => {
                let file = PartialFile::written(&path, &[]).map_err(io)?;
                let stream = File::options().write(true).open(file.place()).map_err(io)?;
                (Box::new(stream), Some(file))
            }
            Kind::Seekable(stream) => (stream, None),
        };
        let mut wav = Self {
            stream: BufWriter::with_capacity(1 << 16, stream),
            name,
            file,
            rate,
            bytes: 0,
            block: Vec::new(),
        };
        wav.header()
            .map_err(|source| Error::io(&wav.name, source))?;
        Ok(wav)
    }

    fn header(&mut self) -> io::Result<()> {
        let channels = 1u16;
        let frame = channels * SAMPLE;
        let mut format = Vec::new();
        format.extend(1u16.to_le_bytes()); // PCM
        format.extend(channels.to_le_bytes());
        format.extend(self.rate.to_le_bytes());
        format.extend((self.rate * u32::from(frame)).to_le_bytes());
        format.extend(frame.to_le_bytes());
        format.extend((8 * SAMPLE).to_le_bytes());
        self.stream.write_all(&header(&format, self.bytes))
    }

    /// Appends samples from -1 to 1; what is louder is clipped.
    pub(super) fn write(&mut self, samples: &[f32]) -> Result<()> {
        self.block.clear();
        for sample in samples {
            #[allow(clippy::cast_possible_truncation)] // `as` saturates, as it should
            let level = (sample * 32768.0).round() as i16;
            self.block.extend_from_slice(&level.to_le_bytes());
        }
        let more = u32::try_from(self.block.len()).ok();
        self.bytes = more
            .and_then(|more| self.bytes.checked_add(more))
            .filter(|bytes| *bytes < u32::MAX - HEADER)
            .ok_or_else(|| Error::limit(&self.name, "more sound than the 4 GiB of a WAV file"))?;
        self.stream
            .write_all(&self.block)
            .map_err(|source| Error::io(&self.name, source))
    }

    /// Writes how long it is and everything that is still held back. A file has
    /// no name yet: [`Written::name`] gives it one.
    pub(super) fn finish(mut self) -> Result<Written> {
        let mut end = || {
            self.stream.seek(SeekFrom::Start(0))?;
            self.header()?;
            self.stream.flush()
        };
        end().map_err(|source| Error::io(&self.name, source))?;
        Ok(Written {
            bytes: u64::from(HEADER) + u64::from(self.bytes),
            name: self.name,
            file: self.file,
        })
    }
}

/// What is in front of so many bytes of samples, whose 16 bytes of `format` are
/// those of the chunk `fmt `.
pub(super) fn header(format: &[u8], bytes: u32) -> Vec<u8> {
    let mut header = Vec::new();
    header.extend_from_slice(b"RIFF");
    header.extend((HEADER - 8 + bytes).to_le_bytes());
    header.extend_from_slice(b"WAVEfmt ");
    header.extend(16u32.to_le_bytes());
    header.extend_from_slice(format);
    header.extend_from_slice(b"data");
    header.extend(bytes.to_le_bytes());
    header
}

/// A WAV file that is whole.
pub(super) struct Written {
    pub(super) bytes: u64,
    name: String,
    file: Option<PartialFile>,
}

impl Written {
    /// Gives a file its name, unless the other results get none.
    pub(super) fn name(self) -> Result<Option<Named>> {
        let named = self.file.map(PartialFile::name).transpose();
        named.map_err(|source| Error::io(&self.name, source))
    }
}
