//! Recordings as streams into the engine, one after the other: a download begins
//! when the engine opens its segment, and is dropped when the next one does.

use std::io::{self, Read};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use flatbed_media::{Cancel, Input};
use tokio::runtime::Handle;
use tokio_util::sync::CancellationToken;

use crate::client::hikvision::{Device, Error, Reader, Received, Recording};

/// The downloads of one clip. Clones are the same.
///
/// A reader on an engine's thread may outlive the call that it was for: they end when
/// [`Going`] is dropped.
#[derive(Debug, Clone)]
pub struct Downloads(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    device: Device,
    runtime: Handle,
    /// Ends who waits for his turn.
    stop: CancellationToken,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    /// Stops the download that goes on.
    current: Option<Cancel>,
    /// By the number of the recording.
    done: Vec<Fetched>,
    /// The first thing that went wrong.
    failure: Option<Error>,
}

/// How far a recording was fetched.
#[derive(Debug, Clone, Default)]
pub struct Fetched {
    received: Received,
    /// How long it was said to be, where that was said.
    pub told: Option<u64>,
    /// Whether it was read to its end.
    pub ended: bool,
}

impl Fetched {
    /// The bytes that came.
    pub fn bytes(&self) -> u64 {
        self.received.bytes()
    }
}

impl Downloads {
    /// From this device; none has begun yet.
    ///
    /// # Panics
    /// Outside a Tokio runtime.
    pub fn new(device: Device) -> Self {
        Self(Arc::new(Shared {
            device,
            runtime: Handle::current(),
            stop: CancellationToken::new(),
            state: Mutex::default(),
        }))
    }

    /// A recording as the engine's input. Nothing is asked for before it is read.
    pub fn input(&self, recording: &Recording) -> Input {
        let number = {
            let mut state = self.0.state();
            state.done.push(Fetched::default());
            state.done.len() - 1
        };
        let name = format!("the recording of {}", recording.start);
        Input::live(
            name,
            Lazy {
                downloads: self.clone(),
                number,
                recording: recording.clone(),
                reader: None,
            },
        )
    }

    /// Lets them go on for as long as the value lives.
    pub fn going(&self) -> Going {
        Going(Arc::clone(&self.0))
    }

    /// What went wrong first, if anything did.
    pub fn failure(&self) -> Option<Error> {
        self.0.state().failure.clone()
    }

    /// How far each recording was fetched, in the order of the inputs.
    pub fn fetched(&self) -> Vec<Fetched> {
        self.0.state().done.clone()
    }
}

/// Dropped, it ends all downloads of a clip, those that wait for their turn too.
#[derive(Debug)]
#[must_use = "they end when it is dropped"]
pub struct Going(Arc<Shared>);

impl Drop for Going {
    fn drop(&mut self) {
        self.0.stop.cancel();
        if let Some(current) = self.0.state().current.take() {
            current.cancel();
        }
    }
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Begins a download, once the one before is out of the way.
    fn begin(&self, number: usize, recording: &Recording) -> Result<Reader, Error> {
        let cancel = Cancel::new();
        // The device's one turn may still be held by a read that waits.
        if let Some(before) = self.state().current.replace(cancel.clone()) {
            before.cancel();
        }
        let begun = self.runtime.block_on(async {
            tokio::select! {
                begun = self.device.download(recording) => begun,
                () = self.stop.cancelled() => Err(Error::Cancelled {
                    device: recording.track.to_string(),
                }),
            }
        })?;
        let told = begun.length();
        let _runtime = self.runtime.enter();
        let reader = begun.into_reader(cancel);
        if let Some(fetched) = self.state().done.get_mut(number) {
            fetched.received = reader.received();
            fetched.told = told;
        }
        Ok(reader)
    }
}

/// A recording that is asked for when it is first read.
#[derive(Debug)]
struct Lazy {
    downloads: Downloads,
    number: usize,
    recording: Recording,
    reader: Option<Reader>,
}

impl Read for Lazy {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let shared = &self.downloads.0;
        let read = match &mut self.reader {
            Some(reader) => reader.read(buffer),
            None => match shared.begin(self.number, &self.recording) {
                Ok(reader) => self.reader.insert(reader).read(buffer),
                Err(error) => Err(error.into()),
            },
        };
        match &read {
            Ok(0) if !buffer.is_empty() => {
                if let Some(fetched) = shared.state().done.get_mut(self.number) {
                    fetched.ended = true;
                }
            }
            Ok(_) => {}
            Err(error) => {
                let own = error.get_ref().and_then(|error| error.downcast_ref());
                // Who was stopped because nothing more was wanted has not failed.
                if let Some(own) = own.filter(|own| !matches!(own, Error::Cancelled { .. })) {
                    let mut state = shared.state();
                    state.failure.get_or_insert_with(|| Error::clone(own));
                }
            }
        }
        read
    }
}
