//! What `flatbed doctor` finds of the cameras: whether their rows and passwords will do,
//! and if it is wanted, what their recorders say.

use std::collections::BTreeMap;

use futures_util::future::join_all;

use crate::client::hikvision::{Device, Examination, Hikvision, Track};
use crate::clip::Camera;
use crate::http::health::Answer;
use crate::workload::cctv::Config;
use crate::workload::cctv::camera::{called, recorder, track};

/// A camera whose recorder can be asked.
struct Asked {
    name: String,
    device: Device,
    track: Track,
}

/// Looks at all rows; with `ask`, their recorders are asked too. `cameras` are rows, or
/// why they cannot be read.
pub async fn examine(
    cameras: Vec<Result<Camera, String>>,
    config: &Config,
    hikvision: &Hikvision,
    ask: bool,
) -> Vec<Answer> {
    let mut answers = Vec::new();
    let mut devices: BTreeMap<String, Vec<Asked>> = BTreeMap::new();
    let mut good: usize = 0;
    for camera in cameras {
        let found = camera.and_then(|camera| {
            let device = recorder(&camera, hikvision, config).map_err(|error| error.to_string())?;
            Ok(Asked {
                name: called(&camera),
                track: track(&camera, config),
                device,
            })
        });
        match found {
            Ok(asked) => {
                good += 1;
                let those = devices.entry(asked.device.name().to_owned());
                those.or_default().push(asked);
            }
            Err(why) => answers.push(Err(why)),
        }
    }
    if ask {
        let all = join_all(devices.into_values().map(ask_device)).await;
        answers.extend(all.into_iter().flatten());
    } else if good > 0 || answers.is_empty() {
        answers.push(Ok(format!(
            "{good} with passwords that can be decrypted; `flatbed doctor --cameras` asks \
             {} recorders whether they take them",
            devices.len()
        )));
    }
    answers
}

/// Asks one recorder about all its cameras. After the first login that it refuses it is
/// asked no more, whatever passwords its other cameras have: a few wrong ones would lock
/// this host out.
async fn ask_device(cameras: Vec<Asked>) -> Vec<Answer> {
    let mut answers = Vec::new();
    let mut refused: Option<String> = None;
    for Asked {
        name,
        device,
        track,
    } in cameras
    {
        if let Some(first) = &refused {
            answers.push(Err(format!(
                "{name}: not asked, {} is to be mended for {first} first",
                device.name()
            )));
            continue;
        }
        let found = device.examine(track).await;
        if found.login.is_err() {
            refused = Some(name.clone());
        }
        answers.push(told(&name, &device, track, &found));
    }
    answers
}

fn told(name: &str, device: &Device, track: Track, found: &Examination) -> Answer {
    let wrong = |error: &dyn std::fmt::Display| format!("{name}: {error}");
    let login = found.login.as_ref().map_err(|error| wrong(error))?;
    let time = found.time.as_ref().map_err(|error| wrong(error))?;
    let recordings = found.recordings.as_ref().map_err(|error| wrong(error))?;
    let model = found.model.as_deref().unwrap_or("a device");
    let mut text = format!(
        "{name}: {model} at {}, {login}, times are {time}, {recordings} recordings on track \
         {track} in 24 hours",
        device.name()
    );
    for advice in found.advice() {
        text = format!("{text}; {advice}");
    }
    Ok(text)
}
