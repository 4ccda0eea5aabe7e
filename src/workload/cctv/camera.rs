//! A camera's row as a recorder that can be asked.

use super::config::Config;
use super::failure::Failure;
use crate::client::hikvision::{Device, Hikvision, Settings, Track};
use crate::clip::Camera;

/// What messages call a camera.
pub fn called(camera: &Camera) -> String {
    match camera.name.as_deref().map(str::trim) {
        Some(name) if !name.is_empty() => format!("camera {} ({name})", camera.id),
        _ => format!("camera {}", camera.id),
    }
}

/// The track that shows what it films.
pub fn track(camera: &Camera, config: &Config) -> Track {
    camera.track_id.map_or(config.track, Track)
}

/// Its recorder. The password is decrypted here and nowhere else. Fails with a
/// [`Failure::Camera`] that names the column.
pub fn recorder(
    camera: &Camera,
    hikvision: &Hikvision,
    config: &Config,
) -> Result<Device, Failure> {
    let wrong = |reason: String| Failure::Camera(format!("{}: {reason}", called(camera)));
    let text = |text: &Option<String>| text.as_deref().unwrap_or_default().trim().to_owned();
    let scheme = text(&camera.scheme);
    let scheme = if scheme.is_empty() { "http" } else { &scheme };
    let scheme = scheme
        .parse()
        .map_err(|error| wrong(format!("scheme: {error}")))?;
    let time = text(&camera.time_mode)
        .parse()
        .map_err(|error| wrong(format!("time_mode: {error}")))?;
    let password = config
        .keys
        .decrypt(&camera.password_encrypted)
        .map_err(|error| wrong(error.to_string()))?;
    let settings = Settings {
        scheme,
        port: camera.port,
        time,
        any_certificate: config.any_certificate,
        ..Settings::new(camera.host.trim(), camera.username.clone(), password)
    };
    let device = hikvision.device(settings);
    device.map_err(|error| wrong(error.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::client::hikvision;
    use crate::workload::cctv::passwords::Keys;

    const TOKEN: &str = "gAAAAAAdwJ6wAAECAwQFBgcICQoLDA0ODy021cpGVWKZ_eEwCGM4BLLF_5CV9dOPmrhuVUPgJobwOz7JcbmrR64jVmpU4IwqDA==";

    fn config() -> Config {
        let key = "cw_0x689RpI-jtRR7oE8h_eQsKImvJapLeSbXpwF4e4=";
        Config::new(Keys::parse(key).unwrap())
    }

    fn camera() -> Camera {
        Camera {
            id: 3,
            name: Some("Meja 3".to_owned()),
            host: "10.0.0.9".to_owned(),
            port: None,
            scheme: None,
            username: "clips".to_owned(),
            password_encrypted: TOKEN.to_owned(),
            track_id: None,
            time_mode: None,
        }
    }

    #[test]
    fn the_least_of_a_row_will_do() {
        let client = Hikvision::new(hikvision::Config::default()).unwrap();
        let mut camera = camera();
        recorder(&camera, &client, &config()).unwrap();
        assert_eq!(track(&camera, &config()), Track(101));
        camera.track_id = Some(302);
        assert_eq!(track(&camera, &config()), Track(302));
    }

    #[test]
    fn a_camera_s_faults_name_it_and_no_password() {
        let client = Hikvision::new(hikvision::Config::default()).unwrap();
        let changed = |change: fn(&mut Camera)| {
            let mut camera = camera();
            change(&mut camera);
            camera
        };
        for (camera, words) in [
            (
                changed(|camera| camera.scheme = Some("ftp".to_owned())),
                "scheme: expected http",
            ),
            (
                changed(|camera| camera.time_mode = Some("mars".to_owned())),
                "time_mode",
            ),
            (
                changed(|camera| camera.password_encrypted = "hunter2".to_owned()),
                "no Fernet token",
            ),
            (
                changed(|camera| camera.host = "http://10.0.0.9/".to_owned()),
                "its host must be a name",
            ),
            (changed(|camera| camera.host.clear()), "its host must be"),
            (changed(|camera| camera.username.clear()), "no user name"),
        ] {
            match recorder(&camera, &client, &config()) {
                Err(Failure::Camera(reason)) => {
                    assert!(reason.starts_with("camera 3 (Meja 3): "), "{reason}");
                    assert!(reason.contains(words), "{reason}");
                    assert!(!reason.contains("hunter2"), "{reason}");
                }
                other => panic!("{other:?}"),
            }
        }
    }
}
