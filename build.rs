//! Bakes facts about this build into the binary, for `flatbed version`:
//!
//! - `FLATBED_GIT_REVISION`: twelve digits of the commit, `-dirty` behind them
//!   if the sources differ from it, `unknown` outside a repository. Set it in
//!   the environment to say it for a build that has no repository at hand.
//! - `FLATBED_FFMPEG_VERSION`: the FFmpeg whose headers were compiled against.
//! - `FLATBED_FFMPEG_LINKAGE`: `static` for the one of vendor/ffmpeg, else `system`.
//!
//! Configuration and licence are asked of libav itself at run time. A libav
//! that is too old is refused here, with the line that mends it, before the
//! bindings fail with pages of errors.

use std::path::Path;
use std::process::{Command, exit};

/// libavcodec of FFmpeg 5.1, the first with the channel layouts that the engine
/// uses.
const OLDEST_LIBAVCODEC: (u32, u32) = (59, 37);

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    let libavcodec = pkg_config::Config::new()
        .cargo_metadata(false) // ffmpeg-sys-next does the linking
        .probe("libavcodec")
        .unwrap_or_else(|_| refuse("no libavcodec found"));
    if release(&libavcodec.version) < OLDEST_LIBAVCODEC {
        refuse(&format!("libavcodec {} is too old", libavcodec.version));
    }
    let version = libavcodec
        .include_paths
        .iter()
        .find_map(|include| ffmpeg_version(include))
        .unwrap_or_else(|| format!("libavcodec {}", libavcodec.version));
    set("FLATBED_FFMPEG_VERSION", &version);

    // Only the .pc files that vendor/ffmpeg/build writes have this variable.
    let linkage = match pkg_config::get_variable("libavcodec", "linkage").as_deref() {
        Ok("static") => "static",
        _ => "system",
    };
    set("FLATBED_FFMPEG_LINKAGE", linkage);
    set("FLATBED_GIT_REVISION", &git_revision());
}

fn set(name: &str, value: &str) {
    println!("cargo::rustc-env={name}={value}");
}

fn refuse(why: &str) -> ! {
    println!(
        "cargo::error={why}: Flatbed needs FFmpeg 5.1 or newer. Run `. scripts/env` for the \
         static one, or `scripts/setup --system` for the system's libraries"
    );
    // The line above fails the build; a bad exit status would bury it.
    exit(0);
}

/// Major and minor number.
fn release(version: &str) -> (u32, u32) {
    let mut numbers = version.split('.').map(|part| part.parse().unwrap_or(0));
    (numbers.next().unwrap_or(0), numbers.next().unwrap_or(0))
}

/// `#define FFMPEG_VERSION "5.1.9"` of the installed headers.
fn ffmpeg_version(include: &Path) -> Option<String> {
    let header = std::fs::read_to_string(include.join("libavutil/ffversion.h")).ok()?;
    let line = header
        .lines()
        .find(|line| line.contains("FFMPEG_VERSION \""))?;
    line.split('"').nth(1).map(str::to_owned)
}

fn git_revision() -> String {
    println!("cargo::rerun-if-env-changed=FLATBED_GIT_REVISION");
    if let Ok(given) = std::env::var("FLATBED_GIT_REVISION") {
        return given;
    }
    let Some(commit) = own_commit() else {
        return "unknown".to_owned();
    };
    // A commit or checkout moves these; an edit touches the sources. The index
    // is not among them: any `git status` rewrites it.
    let branch = git(&["symbolic-ref", "--quiet", "HEAD"]).unwrap_or_default();
    for name in ["HEAD", "logs/HEAD", &branch] {
        // Cargo takes a file that is missing for one that has changed.
        if let Some(path) =
            git(&["rev-parse", "--git-path", name]).filter(|p| Path::new(p).is_file())
        {
            println!("cargo::rerun-if-changed={path}");
        }
    }
    let sources = ["Cargo.toml", "Cargo.lock", "src", "media"];
    for path in sources {
        println!("cargo::rerun-if-changed={path}");
    }
    let status = ["--no-optional-locks", "status", "--porcelain", "--"];
    match git(&[&status[..], &sources[..]].concat()) {
        Some(changes) if changes.is_empty() => commit,
        _ => commit + "-dirty",
    }
}

/// The commit, if the repository is Flatbed's own and not one around it.
fn own_commit() -> Option<String> {
    let prefix = git(&["rev-parse", "--show-prefix"])?;
    if !prefix.is_empty() {
        return None;
    }
    git(&["rev-parse", "--short=12", "HEAD"])
}

fn git(arguments: &[&str]) -> Option<String> {
    let output = Command::new("git").args(arguments).output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    output.status.success().then(|| text.trim_end().to_owned())
}
