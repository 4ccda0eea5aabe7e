//! The `ffmpeg` program as a filter from bytes to bytes.

use std::io::{Read, Write};
use std::process::{Command, Stdio};

/// Width and height of all test pictures.
pub(super) const SIZE: (usize, usize) = (160, 128);

/// How samples are stored: the encoder and decoder agree on it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Samples {
    pub(super) pix_fmt: &'static str,
    pub(super) bytes: usize,
    /// Options in front of the encoder's output.
    pub(super) options: &'static [&'static str],
}

pub(super) const EIGHT_BIT: Samples = Samples {
    pix_fmt: "yuv420p",
    bytes: 1,
    options: &[],
};
pub(super) const TEN_BIT: Samples = Samples {
    pix_fmt: "yuv420p10le",
    bytes: 2,
    options: &[],
};
pub(super) const FULL_RANGE: Samples = Samples {
    pix_fmt: "yuv420p",
    bytes: 1,
    options: &["-color_range", "pc"],
};

impl Samples {
    /// Of one picture.
    pub(super) fn frame_bytes(self) -> usize {
        SIZE.0 * SIZE.1 * 3 / 2 * self.bytes
    }
}

/// Runs `ffmpeg` with `input` on its standard input; its standard output and
/// what it said.
pub(super) fn run(args: &[&str], input: &[u8]) -> (Vec<u8>, String) {
    let mut child = Command::new("ffmpeg")
        .args(["-hide_banner", "-nostats"])
        .args(args)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("ffmpeg starts");
    let mut stdin = child.stdin.take().expect("stdin");
    let mut stderr = child.stderr.take().expect("stderr");
    let mut said = String::new();
    let output = std::thread::scope(|scope| {
        scope.spawn(move || stdin.write_all(input));
        scope.spawn(|| stderr.read_to_string(&mut said));
        let mut output = Vec::new();
        child
            .stdout
            .take()
            .expect("stdout")
            .read_to_end(&mut output)
            .expect("output");
        output
    });
    let status = child.wait().expect("ffmpeg ends");
    assert!(status.success(), "ffmpeg {args:?}: {said}");
    (output, said)
}

/// A byte stream of a moving test picture.
pub(super) fn generate(frames: usize, samples: Samples, x265: &str) -> Vec<u8> {
    let source = format!("testsrc2=size={}x{}:rate=25", SIZE.0, SIZE.1);
    let frames = frames.to_string();
    let input = [
        "-v",
        "warning",
        "-f",
        "lavfi",
        "-i",
        &source,
        "-frames:v",
        &frames,
    ];
    encoder(&input, samples, x265, &[])
}

/// Raw pictures as a byte stream, all of them shown in the order of coding.
pub(super) fn encode_edge(raw: &[u8], samples: Samples, x265: &str) -> Vec<u8> {
    let size = format!("{}x{}", SIZE.0, SIZE.1);
    let input = [
        "-v",
        "warning",
        "-f",
        "rawvideo",
        "-pix_fmt",
        samples.pix_fmt,
        "-s",
        &size,
    ];
    let range: &[&str] = if samples.options.is_empty() {
        &[]
    } else {
        &["-color_range", "pc"]
    };
    let input = [&input, range, &["-r", "25", "-i", "-"]].concat();
    let params = format!("bframes=0:ref=1:no-open-gop=1:keyint=250:qp=8:{x265}");
    encoder(&input, samples, &params, raw)
}

fn encoder(input: &[&str], samples: Samples, x265: &str, raw: &[u8]) -> Vec<u8> {
    let params = format!("log-level=error:pools=1:frame-threads=1:{x265}");
    let output = [
        "-pix_fmt",
        samples.pix_fmt,
        "-c:v",
        "libx265",
        "-preset",
        "fast",
        "-x265-params",
        &params,
    ];
    let args = [input, samples.options, &output, &["-f", "hevc", "-"]].concat();
    let (stream, said) = run(&args, raw);
    assert_eq!(said, "", "while encoding");
    stream
}

/// Every shown picture of a byte stream; any warning fails the test.
pub(super) fn decode(stream: &[u8], samples: Samples) -> Vec<Vec<u8>> {
    let (raw, said) = decode_loudly(stream, samples);
    assert_eq!(said, "", "while decoding");
    raw
}

/// Every shown picture of a byte stream, and what the decoder had to say.
pub(super) fn decode_loudly(stream: &[u8], samples: Samples) -> (Vec<Vec<u8>>, String) {
    let output = ["-fps_mode", "passthrough", "-f", "rawvideo", "-"];
    let args = [&["-v", "warning", "-f", "hevc", "-i", "-"][..], &output].concat();
    let (raw, said) = run(&args, stream);
    (
        raw.chunks(samples.frame_bytes())
            .map(<[u8]>::to_vec)
            .collect(),
        said,
    )
}
