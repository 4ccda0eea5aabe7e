//! What a file is, for people: a few lines on the file, a table of its streams.

use std::fmt::Write as _;

use flatbed_media::probe::{MediaInfo, StreamInfo, StreamKind};
use indicatif::HumanBytes;

use super::failure::one_line;
use super::probe::kind;

pub(super) fn of(name: &str, info: &MediaInfo) -> String {
    let mut text = format!("{}\n", one_line(name));
    let mut fact = |label: &str, value: Option<String>| {
        if let Some(value) = value {
            // Writing to a String does not fail.
            let _ = writeln!(text, "  {label:<9} {value}");
        }
    };
    fact("format", Some(info.format.clone()));
    fact("duration", info.duration.map(|time| time.to_string()));
    fact("start", info.start.map(|time| time.to_string()));
    fact(
        "size",
        info.bytes
            .map(|bytes| format!("{bytes} bytes ({})", HumanBytes(bytes))),
    );
    fact("bit rate", info.bit_rate.map(bits_a_second));

    let rows: Vec<_> = info.streams.iter().map(row).collect();
    text.push('\n');
    table(&mut text, &rows);
    text
}

const COLUMNS: usize = 5;

fn row(stream: &StreamInfo) -> [String; COLUMNS] {
    let codec = match &stream.profile {
        Some(profile) => format!("{} ({profile})", stream.codec),
        None => stream.codec.clone(),
    };
    [
        stream.index.to_string(),
        kind(&stream.kind).to_owned(),
        codec,
        stream
            .duration
            .map(|time| time.to_string())
            .unwrap_or_default(),
        details(stream).join(", "),
    ]
}

fn details(stream: &StreamInfo) -> Vec<String> {
    let mut details = Vec::new();
    match &stream.kind {
        StreamKind::Video {
            width,
            height,
            pixel_format,
            frame_rate,
            rotation,
            interlaced,
            ..
        } => {
            details.push(format!("{width}x{height}"));
            if !pixel_format.is_empty() {
                details.push(pixel_format.clone());
            }
            if let Some((num, den)) = frame_rate {
                let rate = f64::from(*num) / f64::from(*den);
                details.push(format!("{} fps", (rate * 1000.0).round() / 1000.0));
            }
            if *rotation != 0 {
                details.push(format!("turned by {rotation}°"));
            }
            if *interlaced {
                details.push("interlaced".to_owned());
            }
        }
        StreamKind::Audio {
            sample_rate,
            channels,
        } => {
            details.push(format!("{sample_rate} Hz"));
            details.push(match channels {
                1 => "mono".to_owned(),
                2 => "stereo".to_owned(),
                more => format!("{more} channels"),
            });
        }
        _ => {}
    }
    details.extend(stream.bit_rate.map(bits_a_second));
    details.extend(stream.language.clone().filter(|language| language != "und"));
    details
}

/// The rows with their columns in line; a column that is empty in all of them
/// is left out.
fn table(text: &mut String, rows: &[[String; COLUMNS]]) {
    let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max();
    let widths: [usize; COLUMNS] = std::array::from_fn(|column| width(column).unwrap_or(0));
    for row in rows {
        let mut line = String::new();
        for (cell, width) in row.iter().zip(widths).filter(|&(_, width)| width > 0) {
            let _ = write!(line, "  {:<width$}", one_line(cell));
        }
        text.push_str(line.trim_end());
        text.push('\n');
    }
}

#[allow(clippy::cast_precision_loss)] // for people
fn bits_a_second(rate: i64) -> String {
    match rate {
        1_000_000.. => format!("{:.2} Mb/s", rate as f64 / 1e6),
        _ => format!("{} kb/s", rate / 1000),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_in_line_and_empty_ones_are_left_out() {
        let row = |cells: [&str; COLUMNS]| cells.map(str::to_owned);
        let mut text = String::new();
        table(
            &mut text,
            &[
                row(["0", "video", "h264 (High)", "", "320x240"]),
                row(["1", "audio", "aac", "", ""]),
            ],
        );
        assert_eq!(text, "  0  video  h264 (High)  320x240\n  1  audio  aac\n");
    }

    #[test]
    fn rates_are_rounded_for_people() {
        assert_eq!(bits_a_second(4_254_000), "4.25 Mb/s");
        assert_eq!(bits_a_second(128_500), "128 kb/s");
    }
}
