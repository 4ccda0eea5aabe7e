//! What a picture can be: the profiles of H.264 and HEVC, all-intra codecs, and codecs that can
//! only be encoded anew.

use super::original::Original;
use crate::fixture::Source;

/// A cut with both ends inside GOPs of 12 frames: copied in the middle.
fn check_spliced(source: &Source, container: &str) {
    let original = Original::of(&source.clone().frames(60));
    let clip = original.cut(7..41, container);
    let encoded = clip.check();
    // The start's GOP up to frame 12, and at the end the reordered frames of one.
    assert!(
        encoded < 14,
        "{source:?}: {encoded} frames encoded: {:?}",
        clip.report.notes
    );
    assert!(
        clip.report.notes.is_empty(),
        "{source:?}: {:?}",
        clip.report.notes
    );
}

fn h264(more: &str) -> Source {
    Source::new().params(&format!("keyint=12:min-keyint=12:scenecut=0:{more}"))
}

fn hevc(more: &str) -> Source {
    let params = format!("keyint=12:min-keyint=12:scenecut=0:open-gop=0:{more}");
    Source::new().codec("libx265").params(&params)
}

#[test]
fn h264_profiles() {
    for params in [
        "bframes=0:cabac=0:8x8dct=0:weightp=0",
        "bframes=0:cabac=1:8x8dct=0:ref=4",
        "bframes=3:b-pyramid=none",
        "bframes=7:b-pyramid=normal:b-adapt=0:ref=6",
        "bframes=7:b-pyramid=strict:b-adapt=0",
        "bframes=2:slices=4:aud=1",
        "bframes=2:intra-refresh=0:cqm=jvt",
        "bframes=2:nal-hrd=vbr:vbv-maxrate=2000:vbv-bufsize=2000",
        "bframes=0:force-cfr=1:level=51:ref=2",
    ] {
        check_spliced(&h264(params), "mp4");
    }
}

#[test]
fn h264_sample_formats() {
    for pixels in ["yuv420p10le", "yuv422p", "yuv422p10le", "yuv444p"] {
        check_spliced(&h264("bframes=2").pixels(pixels), "mp4");
    }
}

#[test]
fn h264_full_range_and_colours_stay() {
    check_spliced(&h264("bframes=2").full_range(), "mp4");
    let colours = "bframes=2:colorprim=bt709:transfer=bt709:colormatrix=bt709";
    check_spliced(&h264(colours), "mp4");
    check_spliced(&h264(colours).container("ts"), "mkv");
}

#[test]
fn h264_interlaced_stays_interlaced() {
    for params in ["bframes=2:tff=1", "bframes=0:tff=1:cabac=0"] {
        check_spliced(&h264(params).interlaced(), "mp4");
    }
    let bottom_first = h264("bframes=2:bff=1")
        .interlaced()
        .args("-vf setfield=bff");
    check_spliced(&bottom_first, "mp4");
    check_spliced(&h264("bframes=2:tff=1").interlaced().container("ts"), "mkv");
}

#[test]
fn h264_odd_sizes_are_cropped_alike() {
    check_spliced(&h264("bframes=2").size(322, 242), "mp4");
}

#[test]
fn hevc_profiles() {
    for params in [
        "bframes=0",
        "bframes=4:b-pyramid=1:b-adapt=0:ref=5",
        "bframes=2:slices=2:aud=1",
        "bframes=2:repeat-headers=1:hrd=1:vbv-maxrate=2000:vbv-bufsize=2000",
        "bframes=2:ctu=16:no-sao=1:no-weightp=1",
        "bframes=2:colorprim=bt709:transfer=bt709:colormatrix=bt709",
    ] {
        check_spliced(&hevc(params), "mp4");
    }
}

#[test]
fn hevc_sample_formats() {
    check_spliced(&hevc("bframes=2").pixels("yuv420p10le"), "mp4");
    check_spliced(&hevc("bframes=2").pixels("yuv422p10le"), "mkv");
    check_spliced(&hevc("bframes=2").full_range(), "mp4");
    check_spliced(&hevc("bframes=2").size(322, 242), "mp4");
}

#[test]
fn codecs_without_prediction_are_copied_exactly() {
    let mjpeg = Source::new().codec("mjpeg").pixels("yuvj420p");
    let prores = Source::new()
        .codec("prores_ks")
        .pixels("yuv422p10le")
        .container("mov");
    for (source, containers) in [
        (mjpeg.clone(), &["mp4", "mov", "mkv"][..]),
        (mjpeg.clone().container("avi"), &["mov", "mkv"]),
        (prores, &["mov", "mkv"]),
    ] {
        let original = Original::of(&source.frames(50));
        for container in containers {
            for range in [7..41, 20..21, 0..50] {
                assert_eq!(original.cut(range, container).check(), 0);
            }
        }
    }
    let h264 = Source::new().params("keyint=1").frames(50);
    assert_eq!(Original::of(&h264).cut(7..41, "mp4").check(), 0);
}

#[test]
fn other_codecs_are_encoded_and_the_report_says_so() {
    let kinds = [
        Source::new().codec("mpeg4").args("-g 12 -bf 2"),
        Source::new().codec("mpeg4").container("avi").args("-g 12"),
        Source::new()
            .codec("mpeg2video")
            .container("ts")
            .args("-g 12 -bf 2"),
        Source::new()
            .codec("mpeg2video")
            .container("mpg")
            .args("-g 12 -bf 2"),
        Source::new()
            .codec("libvpx-vp9")
            .container("mkv")
            .args("-g 12 -deadline realtime -cpu-used 8"),
        Source::new()
            .codec("libsvtav1")
            .container("mkv")
            .args("-g 12 -preset 12"),
    ];
    for source in kinds {
        let original = Original::despite(&source.frames(50), &[""]);
        for (range, container) in [(7..41, "mp4"), (20..50, "mkv")] {
            let length = range.len() as u64;
            let clip = original.cut(range, container);
            clip.check_frames();
            clip.check_times();
            clip.check_copied_and_encoded();
            clip.check_report();
            assert_eq!(clip.report.frames_encoded, length);
            let said = clip
                .report
                .notes
                .iter()
                .any(|note| note.contains("encoded whole"));
            assert!(said, "{:?}", clip.report.notes);
        }
    }
}
