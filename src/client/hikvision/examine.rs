//! What an operator wants to know of a device before anything depends on it: is it
//! there, does it let us in, what do its times mean, what does it record.

use jiff::{SignedDuration, Timestamp};

use super::clock::{Clock, Span};
use super::detect::Told;
use super::error::{Error, Result};
use super::exchange::Ask;
use super::login::Scheme;
use super::settings::TimeMode;
use super::wall::Wall;
use super::xml::Element;
use super::{Device, Track};

/// What was found out of a device. Each part that could not be is an error of its
/// own, which names the remedy.
#[derive(Debug)]
pub struct Examination {
    /// How it lets us in.
    pub login: Result<Scheme>,
    /// What it says that it is: model and firmware.
    pub model: Result<String>,
    /// By how many seconds its clock is fast; slow where negative.
    pub clock_ahead: Result<i64>,
    /// Its wall clock's offset from UTC, in seconds.
    pub offset: Result<i32>,
    /// What its times mean: `utc` or `local`.
    pub time: Result<&'static str>,
    /// What can be searched.
    pub tracks: Result<Vec<Channel>>,
    /// What was recorded of the track in the last 24 hours.
    pub recordings: Result<usize>,
}

/// A stream that a device records.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Channel {
    /// Its number in searches.
    pub track: Track,
    /// What people call it.
    pub name: Option<String>,
}

impl Examination {
    fn failed(error: &Error) -> Self {
        Self {
            login: Err(error.clone()),
            model: Err(error.clone()),
            clock_ahead: Err(error.clone()),
            offset: Err(error.clone()),
            time: Err(error.clone()),
            tracks: Err(error.clone()),
            recordings: Err(error.clone()),
        }
    }

    /// Whether clips can be had from it.
    pub fn is_well(&self) -> bool {
        self.login.is_ok() && self.time.is_ok() && self.recordings.is_ok()
    }

    /// What an operator should see to although things work.
    pub fn advice(&self) -> Vec<String> {
        let mut advice = Vec::new();
        if let Ok(Scheme::Basic) = self.login {
            advice
                .push("it wants the password in the clear: use https, or allow Digest".to_owned());
        }
        if let Ok(ahead) = self.clock_ahead
            && ahead.abs() > 2
        {
            let seconds = ahead.unsigned_abs();
            let way = if ahead > 0 { "ahead" } else { "behind" };
            advice.push(format!(
                "its clock is {seconds} s {way}, and so are its clips: give it a time server (NTP)"
            ));
        }
        if let Ok(0) = self.recordings {
            advice.push("it has recorded nothing of this track in 24 hours".to_owned());
        }
        advice
    }
}

impl Device {
    /// Looks at a device with a handful of questions; downloads nothing. Where it
    /// cannot be reached or refuses the login it is asked nothing more.
    pub async fn examine(&self, track: Track) -> Examination {
        let model = self.model().await;
        if let Err(error) = &model
            && error.is_of_all()
        {
            return Examination::failed(error);
        }
        let login = self.scheme().await;
        let wall = self.wall().await;
        let time = match &wall {
            Ok(wall) => self.reckoning(track, wall).await,
            Err(error) => Err(error.clone()),
        };
        Examination {
            login,
            model,
            clock_ahead: wall.as_ref().map(|wall| wall.ahead).map_err(Clone::clone),
            offset: wall
                .as_ref()
                .map(|wall| wall.offset.seconds())
                .map_err(Clone::clone),
            time,
            tracks: self.channels().await,
            recordings: self.lately(track).await,
        }
    }

    /// The tracks that it has, by its list of streams.
    pub async fn channels(&self) -> Result<Vec<Channel>> {
        let root = self
            .document("/ISAPI/Streaming/channels", "list its streams")
            .await?;
        // Recorders alone have these names; cameras do not know the question.
        let inputs = "/ISAPI/ContentMgmt/InputProxy/channels";
        let inputs = self
            .document(inputs, "list its cameras")
            .await
            .unwrap_or_default();
        let names: Vec<(u32, &str)> = inputs
            .all("InputProxyChannel")
            .filter_map(|input| {
                let number = input.text_at(&["id"])?.parse().ok()?;
                Some((number, input.text_at(&["name"])?))
            })
            .collect();
        let mut channels: Vec<Channel> = root
            .all("StreamingChannel")
            .filter_map(|stream| {
                let track = Track(stream.text_at(&["id"])?.parse().ok()?);
                let input = names.iter().find(|(number, _)| *number == track.0 / 100);
                let name = input.map(|(_, name)| *name);
                let name = name.or_else(|| stream.text_at(&["channelName"]));
                Some(Channel {
                    track,
                    name: name.map(str::to_owned),
                })
            })
            .collect();
        channels.sort_by_key(|channel| channel.track);
        Ok(channels)
    }

    async fn model(&self) -> Result<String> {
        let root = self
            .document("/ISAPI/System/deviceInfo", "tell what it is")
            .await?;
        let parts = ["model", "firmwareVersion"].map(|name| root.text_of(name).unwrap_or_default());
        let printable: String = parts
            .join(" ")
            .chars()
            .filter(|c| !c.is_control())
            .collect();
        Ok(printable.trim().chars().take(100).collect())
    }

    async fn scheme(&self) -> Result<Scheme> {
        let mut login = self.shared.login.lock().await;
        let known = login.of(&self.who).scheme();
        drop(login);
        if let Some(scheme) = known {
            return Ok(scheme);
        }
        // It was never asked, or never answered.
        self.document("/ISAPI/System/status", "log in").await?;
        let mut login = self.shared.login.lock().await;
        Ok(login.of(&self.who).scheme().unwrap_or(Scheme::Open))
    }

    async fn reckoning(&self, track: Track, wall: &Wall) -> Result<&'static str> {
        match self.settings.time {
            TimeMode::Utc => return Ok("utc"),
            TimeMode::Local | TimeMode::Zone(_) => return Ok("local"),
            TimeMode::Auto => {}
        }
        match self.detect(track, wall).await? {
            Some(Told::Utc) => Ok("utc"),
            Some(Told::Local) => Ok("local"),
            None => {
                let now = Timestamp::now();
                let clock = self.clock(track, Span::new(now, now)).await?;
                Ok(if clock == Clock::Utc { "utc" } else { "local" })
            }
        }
    }

    async fn lately(&self, track: Track) -> Result<usize> {
        let now = Timestamp::now();
        let day = SignedDuration::from_hours(24);
        let start = now.saturating_sub(day).unwrap_or(now);
        Ok(self.recordings(track, Span::new(start, now)).await?.len())
    }

    async fn document(&self, path: &'static str, what: &'static str) -> Result<Element> {
        let answer = self.ask_for(&Ask::get(path, what)).await?;
        Element::parse(&answer).map_err(|reason| Error::garbled(&self.name, reason))
    }
}
