//! The frame shown at each time, in every codec and container.

use super::studio::{check_numbers, check_numbers_from};
use crate::fixture::{Recorder, Source};

/// Beginning, end, both sides of keyframes, out of order, twice the same.
const NUMBERS: [u32; 11] = [99, 0, 1, 24, 25, 26, 49, 50, 62, 62, 3];

fn h264(params: &str) -> Source {
    Source::new().params(&format!("keyint=25:min-keyint=25:scenecut=0:{params}"))
}

#[test]
fn h264_with_and_without_reordered_frames() {
    for params in [
        "bframes=0",
        "bframes=3:b-pyramid=none",
        "bframes=7:b-pyramid=normal:b-adapt=0:ref=4",
        "bframes=3:open-gop=1",
    ] {
        check_numbers(&h264(params), &NUMBERS);
    }
}

#[test]
fn h264_in_every_container() {
    for container in ["mov", "mkv", "ts"] {
        check_numbers(&h264("bframes=3").container(container), &NUMBERS);
        check_numbers(&h264("bframes=3:open-gop=1").container(container), &NUMBERS);
    }
    check_numbers(&h264("bframes=0").container("avi"), &NUMBERS);
}

#[test]
fn a_single_group_of_pictures_is_enough() {
    let long = Source::new().params("keyint=infinite:scenecut=0:bframes=3");
    check_numbers(&long, &NUMBERS);
    check_numbers(&long.container("ts"), &NUMBERS);
}

#[test]
fn hevc() {
    for more in ["open-gop=0:bframes=4", "open-gop=1:bframes=4:b-pyramid=1"] {
        let params = format!("keyint=25:min-keyint=25:scenecut=0:{more}");
        let source = Source::new().codec("libx265").params(&params);
        check_numbers(&source, &NUMBERS);
        check_numbers(&source.container("ts"), &NUMBERS);
    }
}

#[test]
fn vp8_and_vp9() {
    for codec in ["libvpx", "libvpx-vp9"] {
        let source = Source::new()
            .codec(codec)
            .container("webm")
            .args("-b:v 1M -deadline realtime -cpu-used 8 -g 25 -auto-alt-ref 1 -lag-in-frames 8");
        check_numbers(&source, &NUMBERS);
    }
}

#[test]
fn av1() {
    let source = Source::new()
        .codec("libsvtav1")
        .container("mkv")
        .args("-preset 12 -g 25 -crf 40");
    check_numbers(&source, &NUMBERS);
}

#[test]
fn mpeg_2_and_4() {
    let mpeg2 = Source::new().codec("mpeg2video").args("-g 12 -bf 2");
    check_numbers(&mpeg2.clone().container("mpg"), &NUMBERS);
    check_numbers(&mpeg2.container("ts"), &NUMBERS);
    let mpeg4 = Source::new().codec("mpeg4").args("-g 25");
    check_numbers(&mpeg4.clone().container("avi"), &NUMBERS);
    check_numbers(&mpeg4.arg("-bf").arg("2"), &NUMBERS);
}

#[test]
fn codecs_of_still_pictures() {
    let mjpeg = Source::new().codec("mjpeg").pixels("yuvj420p");
    check_numbers(&mjpeg.container("avi"), &NUMBERS);
    let prores = Source::new().codec("prores_ks").pixels("yuv422p10le");
    check_numbers(&prores.container("mov"), &NUMBERS);
}

#[test]
fn recorders_program_streams() {
    check_numbers(&h264("bframes=0").recorder(Recorder::default()), &NUMBERS);
    let sound = h264("bframes=0").audio("pcm_alaw");
    check_numbers(&sound.recorder(Recorder::default()), &NUMBERS);
}

#[test]
fn a_start_time_is_honoured() {
    for container in ["ts", "mkv"] {
        let source = h264("bframes=3").container(container).audio("aac");
        check_numbers(&source.offset(3600.0), &NUMBERS);
    }
    // The clock of a transport stream wraps after 2.7 s.
    check_numbers(
        &h264("bframes=3").container("ts").offset(95_441.0),
        &NUMBERS,
    );
    // MP4 has a timeline of its own, on which the picture begins later.
    check_numbers_from(&h264("bframes=3").offset(5.0), &NUMBERS, 5.0);
}

#[test]
fn frames_that_come_at_odd_times() {
    let mut times = vec![0u64];
    for step in [40, 40, 200, 33, 7, 1000, 40, 15, 80, 500].repeat(5) {
        times.push(times.last().expect("a time") + step * 1000);
    }
    let numbers = [49, 0, 2, 3, 4, 5, 6, 11, 17, 25, 26, 40];
    for container in ["mp4", "mkv"] {
        // The edit list of this MP4 hides the last frame.
        let source = h264("bframes=2").times(&times).container(container);
        check_numbers(&source, &numbers);
    }
}

#[test]
fn a_recording_that_begins_within_a_group() {
    // Nobody can decode the first 25 frames.
    let source = h264("bframes=0").container("ts").drop_packets(5);
    let fixture = source.build();
    let taken = super::studio::pictures(
        &fixture,
        &[0.0, 0.5],
        flatbed_media::still::Style::default(),
    );
    assert_eq!(taken.numbers(), [25, 37]);
}
