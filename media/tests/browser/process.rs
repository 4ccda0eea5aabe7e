//! Starting a browser with a fresh profile, and ending it with all its children.

use std::fs;
use std::io::{ErrorKind, Read};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{self, Receiver, Sender};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use tempfile::TempDir;

use super::Event;

/// Debian's two browsers.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Browser {
    Chromium,
    Firefox,
}

impl Browser {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Chromium, Self::Firefox];

    /// The program and the Debian package of the same name.
    fn program(self) -> &'static str {
        match self {
            Self::Chromium => "chromium",
            Self::Firefox => "firefox-esr",
        }
    }
}

/// As root (in a container) there is no sandbox to be had; names other than the loopback address
/// do not resolve, so that nothing leaves the machine.
const CHROMIUM: [&str; 18] = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--no-default-browser-check",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-default-apps",
    "--disable-extensions",
    "--disable-sync",
    "--disable-breakpad",
    "--disable-crash-reporter",
    "--metrics-recording-only",
    "--password-store=basic",
    "--autoplay-policy=no-user-gesture-required",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
];

/// No updates, no telemetry, no first-run pages, a proxy that refuses everything but loopback;
/// videos start by themselves and a canvas is read without noise.
const FIREFOX: &str = r#"
user_pref("app.normandy.enabled", false);
user_pref("app.update.auto", false);
user_pref("app.update.enabled", false);
user_pref("browser.aboutwelcome.enabled", false);
user_pref("browser.newtabpage.enabled", false);
user_pref("browser.preonboarding.enabled", false);
user_pref("browser.safebrowsing.downloads.remote.enabled", false);
user_pref("browser.safebrowsing.malware.enabled", false);
user_pref("browser.safebrowsing.phishing.enabled", false);
user_pref("browser.shell.checkDefaultBrowser", false);
user_pref("browser.startup.homepage_override.mstone", "ignore");
user_pref("browser.startup.page", 0);
user_pref("datareporting.healthreport.uploadEnabled", false);
user_pref("datareporting.policy.dataSubmissionEnabled", false);
user_pref("extensions.getAddons.cache.enabled", false);
user_pref("extensions.systemAddon.update.enabled", false);
user_pref("extensions.update.enabled", false);
user_pref("media.autoplay.blocking_policy", 0);
user_pref("media.autoplay.default", 0);
user_pref("media.gmp-manager.updateEnabled", false);
user_pref("media.gmp-provider.enabled", false);
user_pref("network.captive-portal-service.enabled", false);
user_pref("network.connectivity-service.enabled", false);
user_pref("network.prefetch-next", false);
user_pref("network.proxy.http", "127.0.0.1");
user_pref("network.proxy.http_port", 9);
user_pref("network.proxy.share_proxy_settings", true);
user_pref("network.proxy.ssl", "127.0.0.1");
user_pref("network.proxy.ssl_port", 9);
user_pref("network.proxy.type", 1);
user_pref("privacy.fingerprintingProtection", false);
user_pref("privacy.resistFingerprinting", false);
user_pref("services.settings.server", "data:,");
user_pref("termsofuse.bypassNotification", true);
user_pref("toolkit.telemetry.enabled", false);
user_pref("toolkit.telemetry.reportingpolicy.firstRun", false);
"#;

/// How long killed processes may take to be gone.
const FAREWELL: Duration = Duration::from_secs(10);

/// A browser that runs until this is dropped.
pub struct Running {
    leader: Child,
    output: Arc<Mutex<Vec<u8>>>,
    gone: Receiver<()>,
    /// Removed after the browser has ended.
    _profile: TempDir,
}

/// Starts `browser` with the page at `address`. [`Event::Exit`] is sent when it has ended.
pub fn start(browser: Browser, address: &str, events: Sender<Event>) -> Running {
    let profile = tempfile::tempdir().expect("a folder for the profile");
    let mut command = Command::new(browser.program());
    match browser {
        Browser::Chromium => {
            command
                .args(CHROMIUM)
                .arg(path_option("--user-data-dir=", profile.path()));
        }
        Browser::Firefox => {
            fs::write(profile.path().join("user.js"), FIREFOX).expect("the profile is writable");
            command
                .args(["--headless", "--no-remote", "--profile"])
                .arg(profile.path());
        }
    }
    command.env("TMPDIR", profile.path());
    // Neither the user's settings nor a desktop: caches and crash dumps go with the profile.
    command
        .env("HOME", profile.path())
        .env_remove("DISPLAY")
        .env_remove("XDG_CONFIG_HOME");
    command
        .env_remove("XDG_CACHE_HOME")
        .env_remove("DBUS_SESSION_BUS_ADDRESS");
    command
        .arg(address)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped());
    let mut leader = command.process_group(0).spawn().unwrap_or_else(|error| {
        let program = browser.program();
        match error.kind() {
            ErrorKind::NotFound => panic!("{program} is missing: apt-get install -y {program}"),
            _ => panic!("{program} does not start: {error}"),
        }
    });
    let output = Arc::new(Mutex::new(Vec::new()));
    let mut pipe = leader.stderr.take().expect("piped");
    let (going, gone) = mpsc::channel();
    thread::spawn({
        let output = Arc::clone(&output);
        move || {
            let mut part = [0; 4096];
            // The end of the pipe: no process of the browser's holds it any longer.
            while let Ok(count @ 1..) = pipe.read(&mut part) {
                output
                    .lock()
                    .unwrap_or_else(PoisonError::into_inner)
                    .extend(&part[..count]);
            }
            events.send(Event::Exit).ok();
            going.send(()).ok();
        }
    });
    Running {
        leader,
        output,
        gone,
        _profile: profile,
    }
}

fn path_option(option: &str, path: &Path) -> std::ffi::OsString {
    let mut argument = std::ffi::OsString::from(option);
    argument.push(path);
    argument
}

impl Running {
    /// The end of what the browser said on its standard error.
    pub fn output(&self) -> String {
        let output = self.output.lock().unwrap_or_else(PoisonError::into_inner);
        String::from_utf8_lossy(&output[output.len().saturating_sub(4096)..]).into_owned()
    }
}

impl Drop for Running {
    /// Ends the process group: the leader is not reaped before, so its number is still its own.
    fn drop(&mut self) {
        let kill = format!("kill -s KILL -- -{}", self.leader.id());
        Command::new("sh")
            .args(["-c", &kill])
            .stderr(Stdio::null())
            .status()
            .ok();
        self.leader.kill().ok();
        self.leader.wait().ok();
        // Its children may still be dying; the profile is removed after they have let go of it.
        self.gone.recv_timeout(FAREWELL).ok();
    }
}
