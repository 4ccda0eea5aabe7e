//! Proxy, sound, scenes and frames, from one decode.

use std::path::{Path, PathBuf};

use flatbed_media::normalize::{self, FrameOptions, FrameOutput, Outputs, Report, SoundOutput};
use flatbed_media::{Output, Span, Timestamp, scene};

use super::source::Source;
use super::{Analyses, Failure};
use crate::archive::model::StepState;
use crate::archive::{Analysis, Frame, NewFrame, Scene, Step, Transcript};
use crate::runner::JobContext;
use crate::store;
use crate::store::scratch::Scratch;
use crate::telemetry::Stage;

/// The sound of a video, as recognisers take it: 16 kHz, mono, 16-bit WAV.
#[derive(Debug)]
pub(super) struct Sound {
    pub(super) file: PathBuf,
    pub(super) duration: Timestamp,
    pub(super) silences: Vec<Span>,
}

/// A folder for what is on its way.
pub(super) async fn scratch(temp_dir: &Path) -> Result<Scratch, Failure> {
    let temp_dir = temp_dir.to_owned();
    let made = tokio::task::spawn_blocking(move || Scratch::create(&temp_dir, 0)).await;
    match made {
        Ok(scratch) => Ok(scratch?),
        Err(_) => Err(store::Error::away("temporary folder", "this process is ending").into()),
    }
}

impl Analyses {
    /// Takes the three steps that need the pictures, where they are not done; and the
    /// sound, where somebody will listen to it.
    pub(super) async fn normalize(
        &self,
        source: &Source,
        known: &mut Analysis,
        folder: &Path,
        context: &JobContext,
    ) -> Result<Option<Sound>, Failure> {
        let look = !known.is_done(Step::Frames);
        let transcript = known.transcript.as_ref();
        let is_heard = transcript.is_some_and(Transcript::is_whole);
        let is_wanted = self.off(Step::Transcribe).is_none();
        let listen = is_wanted && !is_heard && !known.is_done(Step::Transcribe);
        if is_wanted && is_heard {
            // A process may have ended before it said so.
            known.set(Step::Transcribe, StepState::Done, None);
        }
        if !look && !listen {
            return Ok(None);
        }
        let input = context
            .stage(Stage::Fetch, source.open(&self.sources, folder, context))
            .await?;
        let proxy = look && self.config.proxy && self.archive.keeps_proxies();
        let proxy = proxy.then(|| folder.join("proxy.mp4"));
        let sound = listen.then(|| folder.join("sound.wav"));
        let outputs = Outputs {
            proxy: proxy.as_ref().map(Output::path).transpose()?,
            sound: sound.clone().map(SoundOutput::path),
            frames: look.then(|| FrameOutput::folder(folder.join("frames"))),
        };
        let options = normalize::Options {
            scenes: look.then(scene::Options::default),
            frames: FrameOptions {
                most: usize::try_from(self.config.most_frames.get()).unwrap_or(usize::MAX),
                longest: self.config.longest_side,
                ..FrameOptions::default()
            },
            ..normalize::Options::default()
        };
        let temporary = folder.to_owned();
        let engine = context.engine(move |engine| {
            let engine = engine.clone().with_temp_dir(temporary);
            normalize::normalize(input, outputs, &options, &engine)
        });
        let report = context.stage(Stage::Engine, engine).await?;
        if look {
            let keeping = self.keep(&report, proxy, known, context);
            context.stage(Stage::Store, keeping).await?;
        }
        Ok(match (report.sound, sound) {
            (Some(heard), Some(file)) => Some(Sound {
                file,
                duration: heard.duration,
                silences: heard.silences,
            }),
            (None, Some(_)) => {
                let nothing = Some("there is no sound".to_owned());
                known.set(Step::Transcribe, StepState::Done, nothing);
                None
            }
            _ => None,
        })
    }

    async fn keep(
        &self,
        report: &Report,
        proxy: Option<PathBuf>,
        known: &mut Analysis,
        context: &JobContext,
    ) -> Result<(), Failure> {
        let (scenes, frames) = (scenes(report), frames(report));
        let made = report.proxy.as_ref();
        context.lease_held().await;
        self.archive
            .keep_pictures(
                &known.writer(),
                &scenes,
                &frames,
                proxy.filter(|_| made.is_some()),
            )
            .await?;
        let frame_count = u64::try_from(frames.len()).unwrap_or(u64::MAX);
        context
            .metrics()
            .frames(0, made.map_or(frame_count, |proxy| proxy.frames));
        let end = scenes.last().map(|scene| scene.end);
        known.duration = end.or(report.sound.as_ref().map(|sound| sound.duration));
        if let Some(first) = frames.first() {
            (known.width, known.height) = (Some(first.frame.width), Some(first.frame.height));
        }
        if let Some(proxy) = made {
            (known.width, known.height) = (Some(proxy.width), Some(proxy.height));
        }
        let nothing = scenes
            .is_empty()
            .then(|| "there are no pictures".to_owned());
        for step in [Step::Normalize, Step::Scenes, Step::Frames] {
            known.set(step, StepState::Done, nothing.clone());
        }
        known.notes.clone_from(&report.notes);
        self.archive.begin(known).await?;
        // The archive says where they are now.
        if let Some(kept) = self.archive.load(known.video_id).await? {
            known.scenes = kept.scenes;
            known.frames = kept.frames;
            known.proxy = kept.proxy;
        }
        Ok(())
    }
}

fn scenes(report: &Report) -> Vec<Scene> {
    let scenes = report.scenes.iter().flat_map(|found| &found.scenes);
    let scenes = (0..).zip(scenes).map(|(index, scene)| Scene {
        index,
        start: scene.span.start,
        end: scene.span.end,
    });
    scenes.collect()
}

fn frames(report: &Report) -> Vec<NewFrame> {
    let frames = report.frames.iter().flatten();
    let frames = (0..).zip(frames).map(|(index, made)| NewFrame {
        frame: Frame {
            index,
            scene: u32::try_from(made.scene).unwrap_or(u32::MAX),
            at: made.time,
            width: made.width,
            height: made.height,
            bytes: made.bytes,
            key: None,
            caption: None,
            refusal: None,
        },
        file: made.name.clone().into(),
    });
    frames.collect()
}
