//! Transcripts, with and without times; what is not sent.

use std::time::Duration;

use flatbed::client::models::{Config, Data, Kind, MOST_BYTES, Sound};

use super::fixture::{TONES, client_of, config, models, sound};
use crate::support::models::{ModelServer, Profile, wav};

#[tokio::test]
async fn words_have_their_times() {
    let (server, client) = models();
    let told = client.transcribe(&sound(), Some("id")).await.unwrap();
    assert_eq!(told.text, "A tone of 440 hertz. A tone of 880 hertz.");
    assert_eq!(told.language.as_deref(), Some("indonesian"));
    assert!(told.timed);
    let spans: Vec<_> = told
        .segments
        .iter()
        .map(|own| (own.start.as_millis(), own.end.as_millis(), &*own.text))
        .collect();
    assert_eq!(
        spans,
        [
            (500, 1500, "A tone of 440 hertz."),
            (2500, 3250, "A tone of 880 hertz.")
        ]
    );
    let seen = &server.seen()[0];
    assert_eq!(seen.fields["model"], "whisper-1");
    assert_eq!(seen.fields["response_format"], "verbose_json");
    assert_eq!(seen.fields["timestamp_granularities[]"], "segment");
    assert_eq!(seen.fields["language"], "id");
    let file = seen.file.as_ref().unwrap();
    assert_eq!((&*file.name, &*file.media_type), ("talk.wav", "audio/wav"));
    assert_eq!(file.bytes, wav(4000, &TONES));
    // Its length is told before, as some servers want it.
    assert!(seen.headers.contains_key("content-length"));
}

/// Only the stretch is sent, with a head of its own, and again as a whole after a
/// connection that broke.
#[tokio::test]
async fn a_stretch_of_a_file_is_streamed() {
    let (server, client) = models();
    let whole = wav(60_000, &TONES);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("sound.wav");
    std::fs::write(&path, &whole).unwrap();
    let mut short = wav(4000, &[]);
    short.truncate(44);
    let stretch = Sound {
        name: "chunk.wav".to_owned(),
        length: Duration::from_secs(4),
        data: Data::Stretch {
            head: short.into(),
            path: path.clone(),
            start: 44,
            length: 4 * 32_000,
        },
    };
    server.fail("transcriptions", [crate::support::models::Fault::Cut]);
    let told = client.transcribe(&stretch, None).await.unwrap();
    assert_eq!(told.segments.len(), 2);
    assert_eq!(told.segments[1].end, Duration::from_millis(3250));
    let seen = server.seen();
    assert_eq!(seen.len(), 2);
    for seen in seen {
        assert_eq!(seen.file.unwrap().bytes, wav(4000, &TONES));
    }
    std::fs::write(&path, &whole[..1000]).unwrap();
    let error = client.transcribe(&stretch, None).await.unwrap_err();
    assert_eq!(error.kind(), Kind::Unfit, "{error}");
    std::fs::remove_file(&path).unwrap();
    let error = client.transcribe(&stretch, None).await.unwrap_err();
    assert_eq!(error.kind(), Kind::Unfit, "{error}");
    assert_eq!(server.seen().len(), 0);
}

/// Models that give no times are asked for none; of others it is learned once.
#[tokio::test]
async fn a_model_without_times_gives_one_segment() {
    let server = ModelServer::start(Profile::default());
    let config = Config {
        transcription: "gpt-4o-transcribe".to_owned(),
        ..config(&server)
    };
    let client = client_of(config);
    let told = client.transcribe(&sound(), None).await.unwrap();
    assert!(!told.timed);
    assert_eq!(told.segments.len(), 1);
    assert_eq!(told.segments[0].end, Duration::from_secs(4));
    assert_eq!(told.segments[0].text, told.text);
    let seen = server.seen();
    assert_eq!(seen.len(), 1);
    assert_eq!(seen[0].fields["response_format"], "json");
    assert!(!seen[0].fields.contains_key("timestamp_granularities[]"));
}

#[tokio::test]
async fn a_model_is_learned_to_give_no_times() {
    let profile = Profile {
        models: vec![("gpt-like", "transcriptions")],
        ..Profile::default()
    };
    let server = ModelServer::start(profile);
    let config = Config {
        transcription: "gpt-like".to_owned(),
        ..config(&server)
    };
    let client = client_of(config);
    for _ in 0..2 {
        assert!(!client.transcribe(&sound(), None).await.unwrap().timed);
    }
    let statuses: Vec<u16> = server.seen().iter().map(|seen| seen.status).collect();
    assert_eq!(statuses, [400, 200, 200]);
}

#[tokio::test]
async fn silence_says_nothing() {
    let (_server, client) = models();
    let silence = Sound {
        data: Data::Bytes(wav(4000, &[]).into()),
        ..sound()
    };
    let told = client.transcribe(&silence, None).await.unwrap();
    assert_eq!((told.text.as_str(), told.segments.len()), ("", 0));
}

#[tokio::test]
async fn what_no_model_takes_is_not_sent() {
    let (server, client) = models();
    let long = Sound {
        data: Data::Stretch {
            head: bytes::Bytes::new(),
            path: "/nowhere".into(),
            start: 0,
            length: MOST_BYTES + 1,
        },
        ..sound()
    };
    let error = client.transcribe(&long, None).await.unwrap_err();
    assert_eq!(error.kind(), Kind::TooLarge, "{error}");
    assert!(
        error.to_string().contains(&MOST_BYTES.to_string()),
        "{error}"
    );
    for name in ["talk.aac", "talk", ""] {
        let odd = Sound {
            name: name.to_owned(),
            ..sound()
        };
        let error = client.transcribe(&odd, None).await.unwrap_err();
        assert_eq!(error.kind(), Kind::Unfit, "{error}");
    }
    assert_eq!(server.requests(), 0);
}

/// The largest that we send is none that the server refuses.
#[tokio::test]
async fn the_limit_leaves_room_for_the_form() {
    let (server, client) = models();
    let bytes = vec![0; usize::try_from(MOST_BYTES).unwrap()];
    let largest = Sound {
        name: "talk.mp3".to_owned(),
        length: Duration::from_secs(3600),
        data: Data::Bytes(bytes.into()),
    };
    client.transcribe(&largest, Some("de")).await.unwrap();
    assert_eq!(server.seen()[0].status, 200);
}

#[tokio::test]
async fn what_the_model_cannot_hear_is_refused_once() {
    let (server, client) = models();
    let noise = Sound {
        data: Data::Bytes(b"RIFF....WAVEnonsense".as_slice().into()),
        ..sound()
    };
    let error = client.transcribe(&noise, None).await.unwrap_err();
    assert_eq!((error.kind(), error.status()), (Kind::Refused, Some(400)));
    assert!(!error.passes() && !error.is_about_all_jobs());
    let short = Sound {
        data: Data::Bytes(wav(50, &[]).into()),
        ..sound()
    };
    let error = client.transcribe(&short, None).await.unwrap_err();
    assert!(error.to_string().contains("audio_too_short"), "{error}");
    assert_eq!(server.seen().len(), 2);
}
