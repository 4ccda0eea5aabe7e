//! What is remembered of a device between calls, for all who ask it: which dialect
//! it speaks, what its clock means, and which logins it has refused.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use hyper::Method;
use jiff::{SignedDuration, Timestamp};
use tokio::sync::{Mutex as AsyncMutex, Semaphore};
use tokio::time::Instant;

use super::Config;
use super::clock::Clock;
use super::error::{Error, Result};
use super::login::Login;
use super::settings::{Settings, TimeMode};
use crate::config::Secret;

/// So many refused logins are remembered; more than that nobody has in use.
const REFUSALS: usize = 16;

/// One device, by its address. Whoever waits for it gets his turn in the order in
/// which he came.
#[derive(Debug)]
pub(super) struct Shared {
    /// Questions: one at a time.
    pub(super) questions: Semaphore,
    pub(super) downloads: Arc<Semaphore>,
    /// Held during a login that is not proved, so that a wrong password is sent
    /// once and not by each who waits.
    pub(super) login: AsyncMutex<Owned>,
    memory: Mutex<Memory>,
}

/// The login of one user.
#[derive(Debug, Default)]
pub(super) struct Owned {
    owner: Option<Who>,
    login: Login,
}

impl Owned {
    /// The login as this user's: another's is forgotten.
    pub(super) fn of(&mut self, who: &Who) -> &mut Login {
        if self.owner.as_ref() != Some(who) {
            self.owner = Some(who.clone());
            self.login = Login::default();
        }
        &mut self.login
    }
}

/// Somebody who logs in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Who {
    pub(super) user: String,
    pub(super) password: Secret,
}

impl Who {
    pub(super) fn new(settings: &Settings) -> Self {
        Self {
            user: settings.user.clone(),
            password: settings.password.clone(),
        }
    }
}

/// What is found out once.
#[derive(Debug, Default)]
pub(super) struct Memory {
    /// The dialect of searches that it took, by its place in the list.
    pub(super) dialect: Option<usize>,
    /// The method of downloads that it took.
    pub(super) method: Option<Method>,
    clock: Option<(TimeMode, Clock, Instant)>,
    refused: Vec<Refused>,
    locked: Option<Until>,
}

#[derive(Debug)]
struct Refused {
    who: Who,
    left: Option<u32>,
    until: Until,
}

/// A moment: by the clock that cannot be set, and as it is told.
#[derive(Debug, Clone, Copy)]
struct Until {
    instant: Instant,
    told: Timestamp,
}

impl Until {
    fn after(duration: Duration) -> Self {
        let now = Timestamp::now();
        let later = SignedDuration::try_from(duration).unwrap_or(SignedDuration::MAX);
        Self {
            instant: Instant::now() + duration,
            told: now.saturating_add(later).unwrap_or(now),
        }
    }

    fn is_over(self) -> bool {
        Instant::now() >= self.instant
    }
}

impl Shared {
    pub(super) fn new(config: &Config) -> Self {
        Self {
            questions: Semaphore::new(1),
            downloads: Arc::new(Semaphore::new(config.downloads.max(1))),
            login: AsyncMutex::default(),
            memory: Mutex::default(),
        }
    }

    pub(super) fn memory(&self) -> MutexGuard<'_, Memory> {
        self.memory.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Memory {
    /// An error where a request by `who` would only bring a lock nearer.
    pub(super) fn admit(&mut self, device: &str, who: &Who) -> Result<()> {
        self.locked.take_if(|until| until.is_over());
        if let Some(until) = self.locked {
            return Err(Error::Locked {
                device: device.to_owned(),
                until: until.told,
            });
        }
        self.refused.retain(|refused| !refused.until.is_over());
        let refused = self.refused.iter().find(|refused| refused.who == *who);
        match refused {
            Some(refused) => Err(Error::Password {
                device: device.to_owned(),
                user: who.user.clone(),
                left: refused.left,
                until: refused.until.told,
            }),
            None => Ok(()),
        }
    }

    /// This login is not to be tried again for a while.
    pub(super) fn refuse(&mut self, who: &Who, left: Option<u32>, lasts: Duration) {
        self.refused.retain(|refused| refused.who != *who);
        if self.refused.len() >= REFUSALS {
            self.refused.remove(0);
        }
        self.refused.push(Refused {
            who: who.clone(),
            left,
            until: Until::after(lasts),
        });
    }

    /// No login is to be tried for a while.
    pub(super) fn lock(&mut self, lasts: Duration) {
        self.locked = Some(Until::after(lasts));
    }

    /// What its times mean under this setting, if that was found out lately.
    pub(super) fn clock(&self, mode: &TimeMode) -> Option<Clock> {
        let (of, clock, until) = self.clock.as_ref()?;
        (of == mode && Instant::now() < *until).then(|| clock.clone())
    }

    pub(super) fn keep_clock(&mut self, mode: &TimeMode, clock: &Clock, lasts: Duration) {
        self.clock = Some((mode.clone(), clock.clone(), Instant::now() + lasts));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn who(password: &str) -> Who {
        Who {
            user: "admin".to_owned(),
            password: Secret::new(password),
        }
    }

    #[test]
    fn a_refused_login_rests_and_others_do_not() {
        let mut memory = Memory::default();
        memory.refuse(&who("wrong"), Some(4), Duration::from_secs(1800));
        let error = memory.admit("nvr", &who("wrong")).unwrap_err();
        assert!(error.to_string().contains("4 tries are left"), "{error}");
        assert!(!format!("{error:?}").contains("\"wrong\""));
        assert!(error.retry_after().unwrap() > Duration::from_secs(1700));
        assert!(memory.admit("nvr", &who("right")).is_ok());
        memory.refuse(&who("wrong"), None, Duration::ZERO);
        assert!(
            memory.admit("nvr", &who("wrong")).is_ok(),
            "its time is over"
        );
    }

    #[test]
    fn a_lock_holds_for_all_until_it_ends() {
        let mut memory = Memory::default();
        memory.lock(Duration::from_secs(60));
        let error = memory.admit("nvr", &who("right")).unwrap_err();
        assert!(matches!(error, Error::Locked { .. }), "{error}");
        memory.lock(Duration::ZERO);
        assert!(memory.admit("nvr", &who("right")).is_ok());
    }
}
