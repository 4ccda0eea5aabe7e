//! Whose a video is, where several jobs are about it.

use flatbed::archive::model::{Kind, Status};
use flatbed::archive::{Analysis, Archive, Error, Result, Seen, Writer};
use flatbed::job::JobId;
use uuid::Uuid;

use super::bench::{Bench, analysis, embedding, scenes, transcript, vector};
use super::on_every_archive;

on_every_archive!(
    a_video_is_the_job_s_that_began_last,
    what_was_forgotten_is_nobody_s,
    a_video_is_queued_until_its_job_begins,
    a_job_that_has_no_name_is_asked_for_too,
);

fn job(name: &str) -> JobId {
    name.parse().unwrap()
}

/// What `job` begins with.
fn begun(video: Uuid, job: &JobId) -> Analysis {
    Analysis {
        job_id: Some(job.clone()),
        ..analysis(video, "v1")
    }
}

async fn status(archive: &dyn Archive, video: Uuid) -> (Status, Option<JobId>) {
    let known = archive.load(video).await.unwrap().unwrap();
    (known.status, known.job_id)
}

/// All that can be written.
async fn write_all(bench: &Bench, writer: &Writer, text: &str) -> Vec<Result<()>> {
    let archive = &bench.archive;
    let frames = bench.frames(1, text);
    let seen = [Seen {
        frame: 0,
        caption: Ok(text.to_owned()),
    }];
    let all = [embedding(Kind::Speech, 0, text, vector(3, 1.0))];
    let report = Analysis {
        job_id: writer.job.clone(),
        error: Some(text.to_owned()),
        ..analysis(writer.video, "v1")
    };
    vec![
        archive
            .keep_pictures(writer, &scenes(1), &frames, None)
            .await,
        archive.keep_transcript(writer, &transcript(text)).await,
        archive.keep_seen(writer, &seen).await,
        archive.keep_embeddings(writer, "m", &all).await,
        archive.report(&report).await,
    ]
}

async fn a_video_is_the_job_s_that_began_last(bench: Bench) {
    let (archive, video) = (&*bench.archive, Uuid::now_v7());
    let (first, second) = (begun(video, &job("first")), begun(video, &job("second")));
    archive.begin(&first).await.unwrap();
    archive.begin(&second).await.unwrap();
    for written in write_all(&bench, &second.writer(), "second").await {
        written.unwrap();
    }
    let before = archive.load(video).await.unwrap();
    for refused in write_all(&bench, &first.writer(), "first").await {
        assert!(
            matches!(refused, Err(Error::Superseded(id)) if id == video),
            "{refused:?}"
        );
    }
    assert_eq!(archive.load(video).await.unwrap(), before);
    let known = before.unwrap();
    assert_eq!(known.job_id, Some(job("second")));
    assert_eq!(known.frames[0].caption.as_deref(), Some("second"));
    let vectors = archive.embeddings(video, "m").await.unwrap();
    assert_eq!(vectors[0].passage.text, "second");
    // The picture is that of the second too.
    let picture = archive.picture(video, 0).await.unwrap().unwrap();
    assert_eq!(
        picture,
        std::fs::read(&bench.frames(1, "second")[0].file).unwrap()
    );
}

async fn what_was_forgotten_is_nobody_s(bench: Bench) {
    let (archive, video) = (&*bench.archive, Uuid::now_v7());
    let begun = begun(video, &job("first"));
    archive.begin(&begun).await.unwrap();
    archive.forget(video).await.unwrap();
    for refused in write_all(&bench, &begun.writer(), "late").await {
        assert!(matches!(refused, Err(Error::Superseded(_))), "{refused:?}");
    }
    assert_eq!(archive.load(video).await.unwrap(), None);
}

async fn a_video_is_queued_until_its_job_begins(bench: Bench) {
    let (archive, video) = (&*bench.archive, Uuid::now_v7());
    let of = |name: &str| Writer {
        video,
        job: Some(job(name)),
    };
    archive.ask(&of("a"), Some("https://host/a")).await.unwrap();
    assert_eq!(
        status(archive, video).await,
        (Status::Queued, Some(job("a")))
    );
    // It is at work, whoever asks.
    archive.begin(&begun(video, &job("a"))).await.unwrap();
    for name in ["a", "b"] {
        archive.ask(&of(name), None).await.unwrap();
        assert_eq!(
            status(archive, video).await,
            (Status::Processing, Some(job("a")))
        );
    }
    // It has ended, and comes again.
    let done = Analysis {
        status: Status::Completed,
        ..begun(video, &job("a"))
    };
    archive.report(&done).await.unwrap();
    archive.ask(&of("a"), None).await.unwrap();
    assert_eq!(
        status(archive, video).await,
        (Status::Completed, Some(job("a")))
    );
    archive.ask(&of("b"), None).await.unwrap();
    let known = archive.load(video).await.unwrap().unwrap();
    assert_eq!(
        (known.status, known.job_id),
        (Status::Queued, Some(job("b")))
    );
    assert_eq!(known.source_url, done.source_url, "what is known stays");
}

async fn a_job_that_has_no_name_is_asked_for_too(bench: Bench) {
    let (archive, video) = (&*bench.archive, Uuid::now_v7());
    let asked = Writer { video, job: None };
    archive.ask(&asked, None).await.unwrap();
    assert_eq!(status(archive, video).await, (Status::Queued, None));
    let done = Analysis {
        status: Status::Completed,
        ..begun(video, &job("a"))
    };
    archive.begin(&done).await.unwrap();
    archive.ask(&asked, None).await.unwrap();
    assert_eq!(status(archive, video).await, (Status::Queued, None));
}
