//! A recorder to try things with:
//! `nvr [--zone ZONE] [--port PORT] [--speed BYTES] FILE...`. It has recorded each
//! file on track 101, one after the other, the last of them until now, and track 201
//! has the same. `ffprobe` must know how long they are. It sends so many bytes a
//! second, and says of each download how many it has sent. It is for tests alone.

#[path = "../tests/support/nvr/mod.rs"]
#[allow(
    clippy::expect_used,
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "the tests', which panic on what they did not expect"
)]
mod nvr;

use std::error::Error;
use std::path::PathBuf;
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use nvr::{Content, Footage, Nvr, Profile, Sent};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let usage = "nvr [--zone ZONE] [--port PORT] [--speed BYTES] FILE...";
    let mut profile = Profile::default();
    let mut port = 0;
    let mut files: Vec<(PathBuf, i64)> = Vec::new();
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            // A wall clock there, under a false `Z`.
            "--zone" => {
                profile.zone = TimeZone::get(&arguments.next().ok_or(usage)?)?;
                let winter = profile.zone.to_offset("2026-01-01T00:00:00Z".parse()?);
                profile.winter = i8::try_from(winter.seconds() / 3600)?;
                profile.posix = "";
                profile.local = true;
            }
            "--port" => port = arguments.next().ok_or(usage)?.parse()?,
            "--speed" => profile.speed = Some(arguments.next().ok_or(usage)?.parse()?),
            file => {
                let file = std::fs::canonicalize(file)?;
                let seconds = seconds(&file)?;
                files.push((file, seconds));
            }
        }
    }
    if files.is_empty() {
        return Err(usage.into());
    }
    let whole: i64 = files.iter().map(|(_, seconds)| seconds).sum();
    let mut start = Timestamp::now() - SignedDuration::from_secs(whole);
    let mut footage = Vec::new();
    for (file, seconds) in files {
        for track in [101, 201] {
            let content = Content::File(file.clone());
            footage.push(Footage::new(track, start, seconds, content));
        }
        println!(
            "{start} to {}: {}",
            start + SignedDuration::from_secs(seconds),
            file.display()
        );
        start += SignedDuration::from_secs(seconds);
    }
    let nvr = Nvr::at(profile, footage, port).await?;
    let Profile { user, password, .. } = nvr.profile();
    println!("{} user {user} password {password}", nvr.url());
    tell(&nvr).await
}

/// Says of each download when it began and ended, and how many bytes were sent.
async fn tell(nvr: &Nvr) -> Result<(), Box<dyn Error>> {
    let mut going: Vec<(Timestamp, Arc<Sent>)> = Vec::new();
    loop {
        for seen in nvr.seen() {
            if seen.path.ends_with("/download") && seen.status == 200 {
                going.push((seen.at, seen.sent));
            }
        }
        going.retain(|(begun, sent)| {
            let ended = sent.has_ended();
            if ended {
                let (bytes, now) = (sent.bytes(), Timestamp::now());
                println!("download {begun} {now} {bytes}");
            }
            !ended
        });
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

fn seconds(file: &PathBuf) -> Result<i64, Box<dyn Error>> {
    let output = Command::new("ffprobe")
        .args(["-v", "error", "-show_entries", "format=duration"])
        .args(["-of", "default=nokey=1:noprint_wrappers=1"])
        .arg(file)
        .output()?;
    let text = String::from_utf8(output.stdout)?;
    let seconds: f64 = text
        .trim()
        .parse()
        .map_err(|_| format!("{}: no duration", file.display()))?;
    #[allow(clippy::cast_possible_truncation, reason = "a few hours")]
    Ok(seconds.round() as i64)
}
