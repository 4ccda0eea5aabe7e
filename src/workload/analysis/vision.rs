//! Frames become text: a model says what is to be seen in each.

use std::pin::pin;

use futures_util::StreamExt;
use futures_util::stream;

use super::{Analyses, Failure};
use crate::archive::model::StepState;
use crate::archive::{Analysis, Frame, Seen, Step};
use crate::client::models::{Models, Outcome};
use crate::runner::JobContext;

/// Frames on their way at once; the models' client has a limit of its own.
const AT_ONCE: usize = 8;

impl Analyses {
    /// Has all frames described that are not yet.
    pub(super) async fn look(
        &self,
        known: &mut Analysis,
        context: &JobContext,
    ) -> Result<(), Failure> {
        let (Ok(models), None) = (&self.models, self.off(Step::Vision)) else {
            return Ok(());
        };
        let video = known.video_id;
        let left = known.frames.iter().filter(|frame| !frame.is_seen());
        let left: Vec<u32> = left.map(|frame| frame.index).collect();
        let asked = left.into_iter().map(|frame| async move {
            let caption = match self.archive.picture(video, frame).await {
                Ok(Some(picture)) => described(models, &picture).await,
                Ok(None) => Ok(Err("its picture is gone".to_owned())),
                Err(error) => Err(error.into()),
            };
            caption.map(|caption| Seen { frame, caption })
        });
        let mut asked = pin!(stream::iter(asked).buffer_unordered(AT_ONCE));
        let together = at_a_time(known.frames.len());
        let mut unkept = Vec::new();
        let mut failed = None;
        while let Some(seen) = asked.next().await {
            match seen {
                Ok(seen) => unkept.push(seen),
                Err(failure) => {
                    let failure: Failure = failure;
                    let stop = failure.is_about_all_calls();
                    failed.get_or_insert(failure);
                    if stop {
                        break;
                    }
                }
            }
            if unkept.len() >= together {
                self.keep_seen(&mut unkept, known, context).await?;
            }
        }
        self.keep_seen(&mut unkept, known, context).await?;
        let state = match (&failed, known.frames.iter().any(Frame::is_seen)) {
            (None, _) => StepState::Done,
            (Some(_), true) => StepState::Partial,
            (Some(_), false) => StepState::Failed,
        };
        known.set(
            Step::Vision,
            state,
            failed.as_ref().map(ToString::to_string),
        );
        failed.map_or(Ok(()), Err)
    }

    async fn keep_seen(
        &self,
        seen: &mut Vec<Seen>,
        known: &mut Analysis,
        context: &JobContext,
    ) -> Result<(), Failure> {
        if !seen.is_empty() {
            context.lease_held().await;
            self.archive.keep_seen(&known.writer(), seen).await?;
        }
        for seen in seen.drain(..) {
            known.see(seen);
        }
        Ok(())
    }
}

/// How many captions are kept together: a store writes all of them anew each time.
fn at_a_time(frames: usize) -> usize {
    (1 + frames / 64).min(32)
}

/// What is to be seen, or why the model will not say; asking again would not help.
async fn described(models: &Models, picture: &[u8]) -> Result<Result<String, String>, Failure> {
    let caption = models.caption(picture, None, None).await?;
    Ok(match caption.outcome {
        Outcome::Text(text) | Outcome::CutOff(text) if !text.trim().is_empty() => {
            Ok(text.trim().to_owned())
        }
        Outcome::Text(_) | Outcome::CutOff(_) => Err("the model said nothing".to_owned()),
        Outcome::Refused(why) => Err(format!("refused: {why}")),
        Outcome::Filtered => Err("the provider's filter".to_owned()),
    })
}
