//! Errors of a workload as outcomes: whose fault it was decides.

use std::fmt;
use std::time::Duration;

use flatbed_media::Error as Engine;

use crate::job::Outcome;

/// Says of the error it is put into (`.context(Fault::Input)`) whose fault it is.
/// Without one, and without an engine's error below, an error may pass and is
/// tried again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// The job's input: it will be no better next time.
    Input,
    /// A peer that is busy and said when to come back.
    Busy(Duration),
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Input => f.write_str("the job's input is at fault"),
            Self::Busy(after) => write!(f, "busy for {after:?}"),
        }
    }
}

impl std::error::Error for Fault {}

/// What becomes of a job that failed with `error`: rejected if its input was at
/// fault, else tried again. The reason is the whole chain in one line.
pub fn of(error: &anyhow::Error) -> Outcome {
    let reason = || one_line(error);
    if let Some(fault) = error.downcast_ref::<Fault>() {
        return match fault {
            Fault::Input => Outcome::Reject { reason: reason() },
            Fault::Busy(after) => Outcome::Retry {
                after: Some(*after),
                reason: reason(),
            },
        };
    }
    let engine = error
        .chain()
        .find_map(|cause| cause.downcast_ref::<Engine>());
    match engine {
        Some(Engine::Malformed { .. } | Engine::Unsupported { .. } | Engine::Limit { .. }) => {
            Outcome::Reject { reason: reason() }
        }
        Some(Engine::Cancelled) => Outcome::Cancelled,
        Some(_) | None => Outcome::Retry {
            after: None,
            reason: reason(),
        },
    }
}

fn one_line(error: &anyhow::Error) -> String {
    // As text, for a context hides the type of what it was made of.
    let fault = error.downcast_ref::<Fault>().map(ToString::to_string);
    let parts = error.chain().map(ToString::to_string);
    let parts: Vec<_> = parts.filter(|part| Some(part) != fault.as_ref()).collect();
    parts.join(": ").replace(['\n', '\r'], " ")
}

#[cfg(test)]
mod tests {
    use anyhow::{Context, anyhow};

    use super::*;

    #[test]
    fn the_input_s_fault_is_final_and_others_are_not() {
        let malformed = Err::<(), _>(Engine::malformed("a.mp4", "no moov"));
        let error = malformed.context("export 17").unwrap_err();
        assert_eq!(of(&error), Outcome::reject("export 17: a.mp4: no moov"));

        let error = anyhow!("no field\n\"videoId\"").context(Fault::Input);
        assert_eq!(of(&error), Outcome::reject("no field \"videoId\""));

        let after = Duration::from_secs(7);
        let error = anyhow!("429").context(Fault::Busy(after)).context("upload");
        let Outcome::Retry {
            after: Some(told), ..
        } = of(&error)
        else {
            panic!("{error:?}")
        };
        assert_eq!(told, after);

        assert_eq!(
            of(&anyhow!("connection reset")),
            Outcome::retry("connection reset")
        );
        assert_eq!(of(&anyhow!(Engine::Cancelled)), Outcome::Cancelled);
    }
}
