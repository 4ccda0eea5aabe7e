//! Sound on its way to a model: a stretch of a file, or bytes.

use std::io;
use std::path::PathBuf;
use std::time::Duration;

use bytes::Bytes;
use futures_util::StreamExt;
use futures_util::stream::once;
use reqwest::Body;
use reqwest::multipart::{Form, Part};
use tokio::fs::File;
use tokio::io::{AsyncReadExt, AsyncSeekExt, SeekFrom};
use tokio_util::io::ReaderStream;

/// The longest sound that OpenAI takes, in bytes: 25 MiB for all that is sent, of which
/// a little is the form around it.
pub const MOST_BYTES: u64 = (25 << 20) - (16 << 10);

/// How much of a file is read at a time.
const PIECE: usize = 64 << 10;

/// A piece of sound.
#[derive(Debug, Clone)]
pub struct Sound {
    /// A name for it. Its extension tells the format: flac, mp3, mp4, mpeg, mpga, m4a,
    /// ogg, wav or webm.
    pub name: String,
    /// How long it lasts: what is billed where the server does not tell, and the bound
    /// of all times in the transcript.
    pub length: Duration,
    /// The file itself.
    pub data: Data,
}

/// Where a sound's bytes are.
#[derive(Debug, Clone)]
pub enum Data {
    /// Here.
    Bytes(Bytes),
    /// In a file, of which only some is sent; it is read while it is sent.
    Stretch {
        /// What is sent before it, as the head of a WAV.
        head: Bytes,
        /// The file.
        path: PathBuf,
        /// The first byte.
        start: u64,
        /// How many bytes.
        length: u64,
    },
}

impl Sound {
    /// How many bytes are sent.
    pub fn bytes(&self) -> u64 {
        match &self.data {
            Data::Bytes(bytes) => long(bytes.len()),
            Data::Stretch { head, length, .. } => long(head.len()).saturating_add(*length),
        }
    }

    /// The format's media type, by the name's extension; nothing where models take no
    /// such format.
    pub(super) fn media_type(&self) -> Option<&'static str> {
        let (_, extension) = self.name.rsplit_once('.')?;
        Some(match extension.to_ascii_lowercase().as_str() {
            "flac" => "audio/flac",
            "mp3" | "mpeg" | "mpga" => "audio/mpeg",
            "mp4" => "video/mp4",
            "m4a" => "audio/mp4",
            "ogg" | "oga" => "audio/ogg",
            "wav" => "audio/wav",
            "webm" => "audio/webm",
            _ => return None,
        })
    }

    /// A form with this file and these fields.
    pub(super) async fn form(&self, fields: &[(&'static str, String)]) -> io::Result<Form> {
        let part = Part::stream_with_length(self.body().await?, self.bytes());
        let media_type = self.media_type().unwrap_or("application/octet-stream");
        let part = part
            .file_name(self.name.clone())
            .mime_str(media_type)
            .map_err(io::Error::other)?;
        let fields = fields.iter();
        let form = fields.fold(Form::new(), |form, (name, value)| {
            form.text(*name, value.clone())
        });
        Ok(form.part("file", part))
    }

    async fn body(&self) -> io::Result<Body> {
        let (head, path, start, length) = match &self.data {
            Data::Bytes(bytes) => return Ok(bytes.clone().into()),
            Data::Stretch {
                head,
                path,
                start,
                length,
            } => (head.clone(), path, *start, *length),
        };
        let mut file = File::open(path).await?;
        let there = file.metadata().await?.len();
        if start.checked_add(length).is_none_or(|end| end > there) {
            let short = format!("it ends before {length} bytes from {start}");
            return Err(io::Error::new(io::ErrorKind::UnexpectedEof, short));
        }
        file.seek(SeekFrom::Start(start)).await?;
        let stretch = ReaderStream::with_capacity(file.take(length), PIECE);
        Ok(if head.is_empty() {
            Body::wrap_stream(stretch)
        } else {
            Body::wrap_stream(once(async { Ok(head) }).chain(stretch))
        })
    }
}

fn long(length: usize) -> u64 {
    u64::try_from(length).unwrap_or(u64::MAX)
}
