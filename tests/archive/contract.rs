//! What every archive guarantees.

use std::time::Duration;

use flatbed::archive::model::{Kind, Status, StepState};
use flatbed::archive::{Analysis, Archive, Error, Query, Seen, Step, Usage};
use tokio::time::timeout;
use uuid::Uuid;

use super::bench::{
    Bench, analysis, embedding, picture, scenes, seconds, transcript, vector, writer,
};
use super::on_every_archive;

on_every_archive!(
    nothing_is_known_of_a_video_that_nobody_began,
    what_was_begun_is_there_again,
    scenes_and_frames_are_kept_and_replaced,
    a_call_that_is_repeated_changes_nothing,
    transcripts_are_kept_and_replaced,
    captions_are_set_where_somebody_looked,
    another_content_begins_anew,
    a_report_changes_what_it_tells_and_nothing_else,
    vectors_come_back_as_they_were,
    the_nearest_are_found_first,
    vectors_of_any_size_are_searched,
    what_is_forgotten_leaves_nothing,
    what_there_is_is_counted,
    a_call_that_is_dropped_leaves_all_or_nothing,
);

async fn load(archive: &dyn Archive, video: Uuid) -> Analysis {
    let mut analysis = archive.load(video).await.unwrap().unwrap();
    assert!(analysis.updated_at.take().unwrap().ends_with('Z'));
    analysis
}

async fn nothing_is_known_of_a_video_that_nobody_began(bench: Bench) {
    let (archive, video) = (&bench.archive, Uuid::now_v7());
    assert_eq!(archive.load(video).await.unwrap(), None);
    assert_eq!(archive.source(video).await.unwrap(), None);
    assert_eq!(archive.picture(video, 0).await.unwrap(), None);
    assert_eq!(archive.picture(video, u32::MAX).await.unwrap(), None);
    assert_eq!(archive.embeddings(video, "m").await.unwrap(), []);
    let query = Query {
        vector: vec![1.0, 0.0],
        model: "m".to_owned(),
        video: None,
        limit: 10,
    };
    assert_eq!(archive.search(&query).await.unwrap(), []);
    archive.forget(video).await.unwrap();
    assert_eq!(archive.usage().await.unwrap(), Usage::default());
    archive.check().await.unwrap();
    assert_eq!(archive.keeps_proxies(), bench.store.is_some());
}

async fn what_was_begun_is_there_again(bench: Bench) {
    let (archive, video) = (&bench.archive, Uuid::now_v7());
    let begun = analysis(video, "v1");
    for _ in 0..2 {
        archive.begin(&begun).await.unwrap();
        assert_eq!(load(&**archive, video).await, begun);
    }
    // For people: a producer has said nothing.
    assert_eq!(archive.source(video).await.unwrap(), None);
    let plain = Analysis {
        source_url: None,
        duration: None,
        width: None,
        height: None,
        steps: [].into(),
        notes: Vec::new(),
        ..analysis(Uuid::now_v7(), "v1")
    };
    archive.begin(&plain).await.unwrap();
    assert_eq!(load(&**archive, plain.video_id).await, plain);
}

async fn scenes_and_frames_are_kept_and_replaced(bench: Bench) {
    let (archive, video) = (&bench.archive, Uuid::now_v7());
    archive.begin(&analysis(video, "v1")).await.unwrap();
    let proxy = bench.file("proxy.mp4", b"a proxy");
    let proxy = archive.keeps_proxies().then_some(proxy);
    let frames = bench.frames(3, "first");
    archive
        .keep_pictures(&writer(video), &scenes(4), &frames, proxy)
        .await
        .unwrap();
    let loaded = load(&**archive, video).await;
    assert_eq!(loaded.scenes, scenes(4));
    for (frame, new) in loaded.frames.iter().zip(&frames) {
        let index = frame.index;
        let key = bench.store.is_some();
        let key = key.then(|| format!("analysis/{video}/frames/{:04}.jpg", index + 1));
        assert_eq!(frame.key.as_ref().map(ToString::to_string), key);
        let mut plain = frame.clone();
        plain.key = None;
        assert_eq!(plain, new.frame);
        let shown = archive.picture(video, index).await.unwrap().unwrap();
        assert_eq!(shown, picture("first", index));
    }
    assert_eq!(loaded.frames.len(), 3);
    assert_eq!(loaded.proxy.is_some(), archive.keeps_proxies());
    if let Some(key) = &loaded.proxy {
        assert_eq!(key.as_str(), format!("analysis/{video}/proxy.mp4"));
        let store = bench.store.as_ref().unwrap();
        assert_eq!(store.get(key).await.unwrap(), "a proxy");
    }

    let fewer = bench.frames(1, "second");
    archive
        .keep_pictures(&writer(video), &scenes(1), &fewer, None)
        .await
        .unwrap();
    let now = load(&**archive, video).await;
    assert_eq!((now.scenes, now.frames.len()), (scenes(1), 1));
    assert_eq!(now.proxy, loaded.proxy);
    let shown = archive.picture(video, 0).await.unwrap().unwrap();
    assert_eq!(shown, picture("second", 0));
    assert_eq!(archive.picture(video, 1).await.unwrap(), None);
    let pictures = bench.objects_of().await;
    let pictures = pictures.iter().filter(|key| key.contains("/frames/"));
    assert_eq!(pictures.count(), usize::from(bench.store.is_some()));
}

async fn a_call_that_is_repeated_changes_nothing(bench: Bench) {
    let (archive, video) = (&bench.archive, Uuid::now_v7());
    let frames = bench.frames(2, "same");
    let seen = [Seen {
        frame: 1,
        caption: Ok("a dog".to_owned()),
    }];
    let embeddings = [embedding(Kind::Speech, 0, "one", vector(3, 0.5))];
    let mut before: Option<(Analysis, Vec<String>)> = None;
    for _ in 0..3 {
        archive.begin(&analysis(video, "v1")).await.unwrap();
        archive
            .keep_pictures(&writer(video), &scenes(2), &frames, None)
            .await
            .unwrap();
        archive.keep_seen(&writer(video), &seen).await.unwrap();
        let words = transcript("first");
        archive
            .keep_transcript(&writer(video), &words)
            .await
            .unwrap();
        let writer = writer(video);
        let kept = archive.keep_embeddings(&writer, "m", &embeddings);
        kept.await.unwrap();
        let now = (load(&**archive, video).await, bench.objects_of().await);
        assert_eq!(before.get_or_insert_with(|| now.clone()), &now);
    }
}

async fn transcripts_are_kept_and_replaced(bench: Bench) {
    let (archive, video) = (&bench.archive, Uuid::now_v7());
    archive.begin(&analysis(video, "v1")).await.unwrap();
    for words in ["first", "again"] {
        let words = transcript(words);
        archive
            .keep_transcript(&writer(video), &words)
            .await
            .unwrap();
        let loaded = load(&**archive, video).await;
        assert_eq!(loaded.transcript, Some(words));
    }
    // Which Postgres cannot hold.
    let odd = transcript("a\0b");
    archive.keep_transcript(&writer(video), &odd).await.unwrap();
    let loaded = load(&**archive, video).await.transcript.unwrap();
    assert!(["a\0b", "a\u{fffd}b"].contains(&&*loaded.segments[0].text));
    assert_eq!(loaded.segments[1], odd.segments[1]);
    if bench.database.is_none() {
        let text = |name: &str| {
            format!("analysis/{video}/transcript.{name}")
                .parse()
                .unwrap()
        };
        let store = bench.store.as_ref().unwrap();
        let webvtt = store.get(&text("vtt")).await.unwrap();
        assert!(webvtt.starts_with(b"WEBVTT\n\n00:00:00.080 --> 00:00:01.500\na"));
        let srt = store.get(&text("srt")).await.unwrap();
        assert!(srt.starts_with(b"1\n00:00:00,080 --> "));
    }
}

async fn captions_are_set_where_somebody_looked(bench: Bench) {
    let (archive, video) = (&bench.archive, Uuid::now_v7());
    archive.begin(&analysis(video, "v1")).await.unwrap();
    let frames = bench.frames(3, "seen");
    archive
        .keep_pictures(&writer(video), &scenes(3), &frames, None)
        .await
        .unwrap();
    let seen = |frame, caption: Result<&str, &str>| Seen {
        frame,
        caption: caption.map(str::to_owned).map_err(str::to_owned),
    };
    archive
        .keep_seen(
            &writer(video),
            &[seen(0, Ok("a dog")), seen(2, Err("refused"))],
        )
        .await
        .unwrap();
    archive.keep_seen(&writer(video), &[]).await.unwrap();
    let frames = load(&**archive, video).await.frames;
    let said: Vec<_> = frames
        .iter()
        .map(|frame| (frame.caption.as_deref(), frame.refusal.as_deref()))
        .collect();
    assert_eq!(
        said,
        [(Some("a dog"), None), (None, None), (None, Some("refused"))]
    );
    archive
        .keep_seen(&writer(video), &[seen(2, Ok("a cat"))])
        .await
        .unwrap();
    let frames = load(&**archive, video).await.frames;
    assert_eq!(frames[2].caption.as_deref(), Some("a cat"));
    assert_eq!(frames[2].refusal, None);
    assert_eq!(frames[0].caption.as_deref(), Some("a dog"));
}

async fn another_content_begins_anew(bench: Bench) {
    let (archive, video) = (&bench.archive, Uuid::now_v7());
    archive.begin(&analysis(video, "v1")).await.unwrap();
    let proxy = bench.file("proxy.mp4", b"a proxy");
    let proxy = archive.keeps_proxies().then_some(proxy);
    let frames = bench.frames(2, "old");
    archive
        .keep_pictures(&writer(video), &scenes(2), &frames, proxy)
        .await
        .unwrap();
    archive
        .keep_transcript(&writer(video), &transcript("old"))
        .await
        .unwrap();
    let old = [embedding(Kind::Speech, 0, "old", vector(3, 1.0))];
    archive
        .keep_embeddings(&writer(video), "m", &old)
        .await
        .unwrap();

    let same = Analysis {
        notes: vec!["seen again".to_owned()],
        ..analysis(video, "v1")
    };
    archive.begin(&same).await.unwrap();
    let loaded = load(&**archive, video).await;
    assert_eq!((loaded.scenes.len(), loaded.frames.len()), (2, 2));
    assert_eq!(loaded.notes, ["seen again"]);
    assert!(loaded.transcript.is_some());
    assert_eq!(loaded.proxy.is_some(), archive.keeps_proxies());
    assert_eq!(archive.embeddings(video, "m").await.unwrap(), old);

    archive.begin(&analysis(video, "v2")).await.unwrap();
    assert_eq!(load(&**archive, video).await, analysis(video, "v2"));
    assert_eq!(archive.embeddings(video, "m").await.unwrap(), []);
    assert_eq!(archive.picture(video, 0).await.unwrap(), None);
    let mut query = query(3, 1.0);
    assert_eq!(archive.search(&query).await.unwrap(), []);
    query.video = Some(video);
    assert_eq!(archive.search(&query).await.unwrap(), []);
    let left = bench.objects_of().await;
    assert!(left.len() <= 1, "{left:?}");
}

async fn a_report_changes_what_it_tells_and_nothing_else(bench: Bench) {
    let (archive, video) = (&bench.archive, Uuid::now_v7());
    archive.begin(&analysis(video, "v1")).await.unwrap();
    archive
        .keep_transcript(&writer(video), &transcript("kept"))
        .await
        .unwrap();
    let frames = bench.frames(1, "kept");
    archive
        .keep_pictures(&writer(video), &scenes(1), &frames, None)
        .await
        .unwrap();
    let before = load(&**archive, video).await;
    let mut report = Analysis {
        status: Status::Failed,
        error: Some("the model is away\0".to_owned()),
        duration: None,
        source_version: None,
        ..analysis(video, "v1")
    };
    report.steps.get_mut(&Step::Transcribe).unwrap().state = StepState::Partial;
    archive.report(&report).await.unwrap();
    let now = load(&**archive, video).await;
    assert!(
        now.error
            .as_deref()
            .unwrap()
            .starts_with("the model is away")
    );
    let expected = Analysis {
        status: Status::Failed,
        error: now.error.clone(),
        steps: report.steps.clone(),
        ..before
    };
    assert_eq!(now, expected);

    // Nor does it bring back what was forgotten.
    let unknown = Analysis {
        video_id: Uuid::now_v7(),
        ..report
    };
    let told = archive.report(&unknown).await;
    assert!(matches!(told, Err(Error::Superseded(_))), "{told:?}");
    assert_eq!(archive.load(unknown.video_id).await.unwrap(), None);
}

async fn vectors_come_back_as_they_were(bench: Bench) {
    let (archive, video) = (&bench.archive, Uuid::now_v7());
    archive.begin(&analysis(video, "v1")).await.unwrap();
    let odd = vec![f32::MIN_POSITIVE, -0.1, 1e-7, 3.402_823e37];
    let all = [
        embedding(Kind::Frame, 0, "a dog", odd),
        embedding(Kind::Frame, 7, "a cat", vector(4, 0.25)),
        embedding(Kind::Speech, 0, "wörds", vector(4, 0.75)),
    ];
    archive
        .keep_embeddings(&writer(video), "m", &all)
        .await
        .unwrap();
    assert_eq!(archive.embeddings(video, "m").await.unwrap(), all);
    assert_eq!(archive.embeddings(video, "other").await.unwrap(), []);
    let other = [embedding(Kind::Speech, 3, "new", vector(8, 0.5))];
    archive
        .keep_embeddings(&writer(video), "other", &other)
        .await
        .unwrap();
    assert_eq!(archive.embeddings(video, "m").await.unwrap(), []);
    assert_eq!(archive.embeddings(video, "other").await.unwrap(), other);
    archive
        .keep_embeddings(&writer(video), "other", &[])
        .await
        .unwrap();
    assert_eq!(archive.embeddings(video, "other").await.unwrap(), []);
}

fn query(dimensions: usize, first: f32) -> Query {
    Query {
        vector: vector(dimensions, first),
        model: "m".to_owned(),
        video: None,
        limit: 10,
    }
}

async fn the_nearest_are_found_first(bench: Bench) {
    let archive = &bench.archive;
    let videos = [Uuid::now_v7(), Uuid::now_v7()];
    for (number, video) in (0_u8..).zip(videos) {
        archive.begin(&analysis(video, "v1")).await.unwrap();
        let all: Vec<_> = (0..100_u8)
            .map(|index| {
                let first = (f32::from(index) + f32::from(number) / 2.0) / 100.0;
                let text = format!("video {number}, {index}");
                embedding(Kind::Speech, u32::from(index), &text, vector(16, first))
            })
            .chain([embedding(Kind::Frame, 5, "nowhere", vec![0.0; 16])])
            .collect();
        archive
            .keep_embeddings(&writer(video), "m", &all)
            .await
            .unwrap();
    }
    let other = Uuid::now_v7();
    archive.begin(&analysis(other, "v1")).await.unwrap();
    for (model, dimensions) in [("another", 16), ("m", 17)] {
        let unlike = [embedding(
            Kind::Speech,
            0,
            "unlike",
            vector(dimensions, 1.0),
        )];
        archive
            .keep_embeddings(&writer(other), model, &unlike)
            .await
            .unwrap();
        let hits = archive.search(&query(16, 1.0)).await.unwrap();
        let texts: Vec<&str> = hits.iter().map(|hit| &*hit.passage.text).collect();
        assert_eq!(texts.len(), 10);
        assert_eq!(
            texts[..4],
            ["video 1, 99", "video 0, 99", "video 1, 98", "video 0, 98"]
        );
        for (hit, first) in hits.iter().zip([0.995, 0.99, 0.985, 0.98]) {
            assert!((hit.score - first).abs() < 1e-3, "{hit:?}");
        }
        assert_eq!(hits[1].video_id, videos[0]);
        assert_eq!(hits[1].passage.start, seconds(99.0));
    }
    let mut query = query(16, 1.0);
    query.video = Some(videos[0]);
    query.limit = 100;
    let hits = archive.search(&query).await.unwrap();
    assert_eq!(hits.len(), 100);
    assert!(hits.iter().all(|hit| hit.video_id == videos[0]));
    assert!(hits.is_sorted_by(|a, b| a.score >= b.score));
    query.limit = 0;
    assert_eq!(archive.search(&query).await.unwrap(), []);
}

/// pgvector has indexes for up to 2000 and, by halves, 4000 dimensions.
async fn vectors_of_any_size_are_searched(bench: Bench) {
    let (archive, video) = (&bench.archive, Uuid::now_v7());
    archive.begin(&analysis(video, "v1")).await.unwrap();
    for dimensions in [2, 1536, 3072, 4500] {
        let all: Vec<_> = (0..5_u8)
            .map(|index| {
                let first = f32::from(index) / 5.0;
                embedding(
                    Kind::Frame,
                    u32::from(index),
                    "x",
                    vector(dimensions, first),
                )
            })
            .collect();
        archive
            .keep_embeddings(&writer(video), "m", &all)
            .await
            .unwrap();
        let hits = archive.search(&query(dimensions, 0.4)).await.unwrap();
        let found: Vec<u32> = hits.iter().map(|hit| hit.passage.index).collect();
        assert_eq!((found.len(), found[0]), (5, 2), "{dimensions}");
        assert!((hits[0].score - 1.0).abs() < 1e-5, "{hits:?}");
    }
}

async fn what_is_forgotten_leaves_nothing(bench: Bench) {
    let archive = &bench.archive;
    let (video, other) = (Uuid::now_v7(), Uuid::now_v7());
    for video in [video, other] {
        archive.begin(&analysis(video, "v1")).await.unwrap();
        let proxy = bench.file("proxy.mp4", b"a proxy");
        let proxy = archive.keeps_proxies().then_some(proxy);
        let frames = bench.frames(2, "kept");
        archive
            .keep_pictures(&writer(video), &scenes(2), &frames, proxy)
            .await
            .unwrap();
        archive
            .keep_transcript(&writer(video), &transcript("kept"))
            .await
            .unwrap();
        let all = [embedding(Kind::Speech, 0, "kept", vector(3, 1.0))];
        archive
            .keep_embeddings(&writer(video), "m", &all)
            .await
            .unwrap();
    }
    for _ in 0..2 {
        archive.forget(video).await.unwrap();
    }
    assert_eq!(archive.load(video).await.unwrap(), None);
    assert_eq!(archive.picture(video, 0).await.unwrap(), None);
    assert_eq!(archive.embeddings(video, "m").await.unwrap(), []);
    let left = bench.objects_of().await;
    assert!(
        !left.iter().any(|key| key.contains(&video.to_string())),
        "{left:?}"
    );
    let hits = archive.search(&query(3, 1.0)).await.unwrap();
    assert_eq!(hits.len(), 1);
    assert_eq!(load(&**archive, other).await.frames.len(), 2);
}

async fn what_there_is_is_counted(bench: Bench) {
    let archive = &bench.archive;
    let mut expected = Usage::default();
    for count in 1..4_u32 {
        let video = Uuid::now_v7();
        archive.begin(&analysis(video, "v1")).await.unwrap();
        let frames = bench.frames(count, "counted");
        archive
            .keep_pictures(&writer(video), &scenes(2 * count), &frames, None)
            .await
            .unwrap();
        let all = [embedding(Kind::Speech, count, "one", vector(3, 1.0))];
        archive
            .keep_embeddings(&writer(video), "m", &all)
            .await
            .unwrap();
        archive
            .keep_transcript(&writer(video), &transcript("one"))
            .await
            .unwrap();
        expected.videos += 1;
        expected.frames += u64::from(count);
        expected.frame_bytes += frames.iter().map(|new| new.frame.bytes).sum::<u64>();
        expected.scenes += u64::from(2 * count);
        expected.transcripts += 1;
        expected.embeddings += 1;
        for _ in 0..2 {
            assert_eq!(archive.usage().await.unwrap(), expected);
        }
        archive
            .keep_embeddings(&writer(video), "m", &[])
            .await
            .unwrap();
        expected.embeddings -= 1;
        assert_eq!(archive.usage().await.unwrap(), expected);
    }
}

async fn a_call_that_is_dropped_leaves_all_or_nothing(bench: Bench) {
    let (archive, video) = (&bench.archive, Uuid::now_v7());
    archive.begin(&analysis(video, "v1")).await.unwrap();
    let mut count = 1;
    let frames = bench.frames(count, "kept");
    archive
        .keep_pictures(&writer(video), &scenes(count), &frames, None)
        .await
        .unwrap();
    for wait in [0, 1, 2, 4, 8, 16, 32] {
        let next = count + 1;
        let frames = bench.frames(next, "kept");
        let scenes = scenes(next);
        let writer = writer(video);
        let keeping = archive.keep_pictures(&writer, &scenes, &frames, None);
        let done = timeout(Duration::from_millis(wait), keeping).await;
        let now = load(&**archive, video).await;
        let found = (now.scenes.len(), now.frames.len());
        let whole = [(next, next), (count, count), (0, 0)];
        let whole = whole.map(|(scenes, frames)| (scenes as usize, frames as usize));
        assert!(whole.contains(&found), "{found:?} after {wait} ms");
        if done.is_ok() {
            assert_eq!(found, whole[0]);
        }
        count = next;
        let kept = archive.keep_pictures(&writer, &scenes, &frames, None);
        kept.await.unwrap();
        let now = load(&**archive, video).await;
        assert_eq!((now.scenes.len(), now.frames.len()), whole_of(count));
    }
}

fn whole_of(count: u32) -> (usize, usize) {
    (count as usize, count as usize)
}
