//! Which frames a clip shows, and how much of what was asked for.

use flatbed::workload::cctv::Spool;

use super::bench::{Bench, millis, order};
use super::camera::{Reel, hour, hours_ago, recorder};
use crate::support::nvr::{Length, Profile};

#[tokio::test(flavor = "multi_thread")]
async fn a_clip_across_two_recordings_is_exact() {
    let bench = Bench::new(|_| {}).await;
    let reel = Reel::new(hours_ago(5), 1000, &[20, 20, 20]);
    for length in [Length::Told, Length::Chunked, Length::Closes] {
        let profile = Profile {
            length,
            ..Profile::default()
        };
        let nvr = recorder(profile, &reel).await;
        let order = order(7, &nvr, &reel, 13_300..27_700);
        let clip = bench.clip(&order).await;
        let (start, end) = (order.start_time.unwrap(), order.end_time.unwrap());
        let expected: Vec<u32> = reel.numbers(start, end).collect();
        assert_eq!(expected.len(), 360);
        assert_eq!(bench.shown(&clip), expected, "{length:?}");

        let made = &clip.made;
        let day = start.strftime("%Y/%m/%d");
        assert_eq!(made.object_key, format!("clips/{day}/7.mp4"));
        let url = format!("{}/clips/{}", bench.s3.url(), made.object_key);
        assert_eq!((made.bucket.as_str(), made.url.as_str()), ("clips", &*url));
        assert!((made.coverage - 1.0).abs() < f32::EPSILON, "{made:?}");
        assert_eq!(made.duration_ms, 14_400);
        assert_eq!(millis(made.start_time), millis(start) + 20);
        assert_eq!(millis(made.end_time), millis(end) + 20);
        let bytes = bench.file(&clip).metadata().unwrap().len();
        assert_eq!(made.size_bytes, i64::try_from(bytes).unwrap());
        assert_eq!(clip.gaps, []);

        // One after the other, and no more of the second than is needed.
        assert_eq!(nvr.most_downloads(), 1);
        let asked = nvr.seen().into_iter();
        let downloads: Vec<_> = asked
            .filter(|seen| seen.path.ends_with("download") && seen.status == 200)
            .collect();
        assert_eq!(downloads.len(), 2, "{downloads:?}");
        assert_eq!(nvr.wrong(), 0);
    }
    // The same item, the same place.
    assert_eq!(bench.objects().len(), 1);
    assert_eq!(bench.counted("flatbed_clips_total{coverage=\"full\"}"), 3);
    assert_eq!(bench.counted("flatbed_clips_spooled_total"), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn copied_clips_have_at_least_what_was_asked_for() {
    let bench = Bench::new(|config| config.exact = false).await;
    let reel = Reel::new(hours_ago(5), 0, &[20, 20]);
    let nvr = recorder(Profile::default(), &reel).await;
    for (item, asked) in [(1, 3_300..9_100), (2, 13_300..27_710), (3, 0..20_000)] {
        let order = order(item, &nvr, &reel, asked);
        let clip = bench.clip(&order).await;
        let (start, end) = (order.start_time.unwrap(), order.end_time.unwrap());
        let expected = reel.numbers(start, end);
        let shown = bench.shown(&clip);
        let (first, last) = (shown[0], shown[shown.len() - 1]);
        assert!(
            first <= expected.start && last + 1 >= expected.end,
            "{item}: {first} {last}"
        );
        // From the keyframe on, of which there is one in fifty frames.
        assert!(expected.start - first < 50, "{item}: {first}");
        let all: Vec<u32> = (first..=last).collect();
        assert_eq!(shown, all);
        assert!(clip.made.start_time <= start && clip.made.end_time >= end);
        assert!((clip.made.coverage - 1.0).abs() < f32::EPSILON);
    }
    assert_eq!(
        bench.counted("flatbed_frames_total{how=\"encoded\",workload=\"cctv\"}"),
        0
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_gap_is_told_and_not_filled() {
    let reel = Reel::new(hours_ago(5), 0, &[20, -5, 20]);
    for (exact, spool) in [
        (true, Spool::Stream),
        (false, Spool::Stream),
        (true, Spool::Disk),
    ] {
        let bench = Bench::new(|config| {
            config.exact = exact;
            config.spool = spool;
        })
        .await;
        let nvr = recorder(Profile::default(), &reel).await;
        let order = order(7, &nvr, &reel, 16_000..36_000);
        let clip = bench.clip(&order).await;
        let expected: Vec<u32> = (400..500).chain(625..900).collect();
        assert_eq!(bench.shown(&clip), expected);
        assert!((clip.made.coverage - 0.75).abs() < 1e-4, "{clip:?}");
        assert_eq!(clip.made.duration_ms, 15_000);
        let gap = (clip.gaps[0].start, clip.gaps[0].end);
        assert_eq!(gap, (reel.at(20_000), reel.at(25_000)));
        assert_eq!(clip.gaps.len(), 1);
        assert!(bench.counted("flatbed_clips_total{coverage=\"part\"}") > 0);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_lies_outside_the_footage_is_told() {
    let bench = Bench::new(|_| {}).await;
    let reel = Reel::new(hours_ago(5), 0, &[20]);
    let nvr = recorder(Profile::default(), &reel).await;
    let clip = bench.clip(&order(7, &nvr, &reel, -5_000..15_000)).await;
    assert_eq!(bench.shown(&clip), (0..375).collect::<Vec<u32>>());
    assert_eq!(clip.gaps[0].end, reel.start);
    assert!((clip.made.coverage - 0.75).abs() < 1e-4, "{clip:?}");
    let clip = bench.clip(&order(8, &nvr, &reel, 10_000..30_000)).await;
    assert_eq!(bench.shown(&clip), (250..500).collect::<Vec<u32>>());
    assert_eq!(clip.gaps[0].start, reel.at(20_000));
    assert!((clip.made.coverage - 0.5).abs() < 1e-4, "{clip:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_recorder_that_counts_by_its_wall_clock_gives_the_right_frames() {
    let bench = Bench::new(|_| {}).await;
    let reel = Reel::new(hours_ago(5), 0, &[20]);
    for profile in [Profile::jakarta(), Profile::berlin()] {
        let nvr = recorder(profile, &reel).await;
        let clip = bench.clip(&order(7, &nvr, &reel, 5_000..8_000)).await;
        assert_eq!(bench.shown(&clip), (125..200).collect::<Vec<u32>>());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn of_an_hour_no_more_is_fetched_than_is_needed() {
    let start = hours_ago(5);
    let (endless, footage) = hour(start);
    let reel = Reel {
        start,
        first: 0,
        files: vec![footage],
    };
    for exact in [true, false] {
        let bench = Bench::new(|config| config.exact = exact).await;
        let profile = Profile {
            speed: Some(40 << 20),
            ..Profile::default()
        };
        let nvr = recorder(profile, &reel).await;
        let clip = bench.clip(&order(7, &nvr, &reel, 301_000..331_000)).await;
        let shown = bench.shown(&clip);
        let expected = (7525..8275).map(|number| number % 500);
        if exact {
            assert_eq!(shown, expected.collect::<Vec<u32>>());
        }
        let asked = nvr.seen();
        let download = asked.iter().find(|seen| seen.sent.bytes() > 0).unwrap();
        let (sent, needed) = (download.sent.bytes(), endless.before(331));
        let second = endless.bytes() / 3600;
        let received = bench.counted("flatbed_bytes_total{direction=\"in\",workload=\"cctv\"}");
        let past = |bytes: u64| bytes.saturating_sub(needed) * 1000 / second;
        let (read, sent) = (past(received), past(sent));
        eprintln!("exact {exact}: {read} ms of footage past the end read, {sent} ms sent");
        assert!(read < 2000, "{received} bytes of {needed}");
        // What the recorder's own kernel has taken in comes on top.
        assert!(sent < 4000, "{sent} ms");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn by_way_of_the_disk_it_is_the_same_and_starts_fast() {
    let bench = Bench::new(|config| config.spool = Spool::Disk).await;
    let reel = Reel::new(hours_ago(5), 0, &[20, 20]);
    let nvr = recorder(Profile::default(), &reel).await;
    let clip = bench.clip(&order(7, &nvr, &reel, 13_300..27_700)).await;
    let expected: Vec<u32> = (333..693).collect();
    assert_eq!(bench.shown(&clip), expected);
    let bytes = std::fs::read(bench.file(&clip)).unwrap();
    let find = |name: &[u8]| bytes.windows(4).position(|four| four == name);
    assert!(find(b"moov") < find(b"mdat"));
    assert!(find(b"moof").is_none());
}
