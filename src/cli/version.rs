//! `flatbed version`: what this program is made of.

use flatbed_media::ffmpeg_version;
use serde::Serialize;

use super::failure::Failure;
use super::stdio;

const EXAMPLES: &str = "\
Examples:
  flatbed version
  flatbed version --json | jq -r .ffmpeg.version";

/// Tell the version, the source's revision, and which FFmpeg is linked
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Arguments {
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

#[derive(Serialize)]
struct Program {
    version: &'static str,
    revision: &'static str,
    license: &'static str,
    ffmpeg: Ffmpeg,
}

#[derive(Serialize)]
struct Ffmpeg {
    version: &'static str,
    linkage: &'static str,
    license: &'static str,
    configuration: &'static str,
}

pub(super) fn run(arguments: &Arguments) -> Result<(), Failure> {
    let ffmpeg = ffmpeg_version();
    let program = Program {
        version: env!("CARGO_PKG_VERSION"),
        revision: env!("FLATBED_GIT_REVISION"),
        license: env!("CARGO_PKG_LICENSE"),
        ffmpeg: Ffmpeg {
            version: ffmpeg.version,
            linkage: env!("FLATBED_FFMPEG_LINKAGE"),
            license: ffmpeg.license,
            configuration: ffmpeg.configuration,
        },
    };
    if arguments.json {
        return stdio::print_json(&program);
    }
    stdio::print(&program.text())
}

impl Program {
    fn text(&self) -> String {
        let ffmpeg = &self.ffmpeg;
        format!(
            "flatbed {} ({})\n\
             FFmpeg {}, {}\n\
             licence: {} for the source, {} for this program with the FFmpeg in it\n\
             FFmpeg's configuration: {}\n",
            self.version,
            self.revision,
            ffmpeg.version,
            match ffmpeg.linkage {
                "static" => "linked statically",
                _ => "the system's shared libraries",
            },
            self.license,
            ffmpeg.license,
            ffmpeg.configuration,
        )
    }
}
