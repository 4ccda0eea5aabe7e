//! How much is taken on at once: requests, bytes of images that wait in memory, engine
//! threads, uploads on their way into the store. A flood waits outside.

use std::future::Future;
use std::sync::Arc;
use std::thread::available_parallelism;
use std::time::Duration;

use axum::body::Bytes;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;

use crate::config::Variables;
use crate::http::failure::Failure;

/// Room is given in blocks of so many bytes.
const BLOCK: usize = 16 << 10;

/// Uploads that go into the store at once: into a bucket each takes 32 MiB.
const STORED_AT_ONCE: usize = 4;

/// How long one waits for its turn before it is sent away.
const PATIENCE: Duration = Duration::from_secs(10);

/// What is taken on at once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Config {
    /// `IMAGE_API_REQUESTS`: requests that are being answered.
    pub requests: u32,
    /// `IMAGE_API_MEMORY`: bytes of their images, before and after the engine.
    pub memory: u64,
    /// `IMAGE_API_SMALL_BYTES`: no image with more is made at once.
    pub small_bytes: u64,
    /// `IMAGE_API_SMALL_PIXELS`: nor one with more, all pictures counted.
    pub small_pixels: u64,
    /// `IMAGE_API_SECONDS`: what takes longer becomes a job.
    pub at_once: Duration,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            requests: 64,
            memory: 128 << 20,
            small_bytes: 10 << 20,
            small_pixels: 25_000_000,
            at_once: Duration::from_secs(10),
        }
    }
}

impl Config {
    /// As the variables say.
    pub fn read(variables: &mut Variables) -> Self {
        let default = Self::default();
        Self {
            requests: variables.number("IMAGE_API_REQUESTS", default.requests, 1..=100_000),
            memory: variables.bytes("IMAGE_API_MEMORY", default.memory),
            small_bytes: variables.bytes("IMAGE_API_SMALL_BYTES", default.small_bytes),
            small_pixels: variables.number(
                "IMAGE_API_SMALL_PIXELS",
                default.small_pixels,
                0..=1_000_000_000,
            ),
            at_once: variables.seconds("IMAGE_API_SECONDS", default.at_once, 1..=600),
        }
    }
}

/// Where requests are taken. Clones are the same desk.
#[derive(Debug, Clone)]
pub struct Desk {
    config: Arc<Config>,
    inside: Arc<Semaphore>,
    memory: Arc<Semaphore>,
    engine: Arc<Semaphore>,
    storing: Arc<Semaphore>,
}

impl Desk {
    /// An empty one.
    pub fn new(config: Config) -> Self {
        let inside = usize::try_from(config.requests).unwrap_or(usize::MAX);
        let memory = usize::try_from(config.memory).unwrap_or(usize::MAX);
        let blocks = (memory / BLOCK).clamp(1, Semaphore::MAX_PERMITS);
        let cores = available_parallelism().map_or(1, usize::from);
        Self {
            config: Arc::new(config),
            inside: Arc::new(Semaphore::new(inside.min(Semaphore::MAX_PERMITS))),
            memory: Arc::new(Semaphore::new(blocks)),
            engine: Arc::new(Semaphore::new(cores)),
            storing: Arc::new(Semaphore::new(STORED_AT_ONCE)),
        }
    }

    pub(super) fn config(&self) -> &Config {
        &self.config
    }

    /// A place for a request, or that there is none.
    pub(super) fn enter(&self) -> Result<OwnedSemaphorePermit, Failure> {
        let place = Arc::clone(&self.inside).try_acquire_owned();
        place.map_err(|_| {
            let requests = self.config.requests;
            Failure::busy(format!(
                "{requests} images are asked for already (IMAGE_API_REQUESTS); try again"
            ))
        })
    }

    /// Ready once no request is left inside.
    pub async fn empty(&self) {
        let all = self.config.requests;
        // Nobody closes it.
        let _ = Arc::clone(&self.inside).acquire_many_owned(all).await;
    }

    /// Its turn at the engine.
    pub(super) async fn engine(&self) -> Option<OwnedSemaphorePermit> {
        Arc::clone(&self.engine).acquire_owned().await.ok()
    }

    /// Its turn to store an upload.
    pub(super) async fn storing(&self) -> Result<OwnedSemaphorePermit, Failure> {
        let turn = Arc::clone(&self.storing).acquire_owned();
        in_time(turn, "too many large images are on their way; try again").await
    }

    /// Nothing yet, with room to come.
    pub(super) fn held(&self) -> Held {
        Held {
            bytes: Vec::new(),
            room: Room {
                memory: Arc::clone(&self.memory),
                blocks: 0,
                permit: None,
            },
            most: usize::try_from(self.config.small_bytes).unwrap_or(usize::MAX),
        }
    }
}

async fn in_time<E>(
    turn: impl Future<Output = Result<OwnedSemaphorePermit, E>>,
    busy: &str,
) -> Result<OwnedSemaphorePermit, Failure> {
    match timeout(PATIENCE, turn).await {
        Ok(Ok(permit)) => Ok(permit),
        _ => Err(Failure::busy(busy)),
    }
}

/// Room in memory, until it is dropped.
#[derive(Debug)]
pub(super) struct Room {
    memory: Arc<Semaphore>,
    blocks: u32,
    permit: Option<OwnedSemaphorePermit>,
}

impl Room {
    /// Makes it as large as `bytes`, if there is so much.
    fn grow(&mut self, bytes: usize) -> bool {
        let missing = blocks(bytes).saturating_sub(self.blocks);
        match Arc::clone(&self.memory).try_acquire_many_owned(missing) {
            Ok(permit) => self.take(permit, missing),
            Err(_) => return false,
        }
        true
    }

    /// The same, with some patience. More than there is at all is given when all is
    /// free: one large result must not fail for ever.
    pub(super) async fn grown(mut self, bytes: usize, desk: &Desk) -> Result<Self, Failure> {
        let all = u64::try_from(BLOCK).map_or(1, |block| desk.config.memory / block);
        let all = u32::try_from(all.max(1)).unwrap_or(u32::MAX);
        let wanted = blocks(bytes).min(all);
        let missing = wanted.saturating_sub(self.blocks);
        let more = Arc::clone(&self.memory).acquire_many_owned(missing);
        let permit = in_time(more, "there is no room for the result; try again").await?;
        self.take(permit, missing);
        Ok(self)
    }

    fn take(&mut self, permit: OwnedSemaphorePermit, blocks: u32) {
        self.blocks += blocks;
        match &mut self.permit {
            Some(own) => own.merge(permit),
            None => self.permit = Some(permit),
        }
    }
}

fn blocks(bytes: usize) -> u32 {
    u32::try_from(bytes.div_ceil(BLOCK)).unwrap_or(u32::MAX)
}

/// An image that comes, in memory as far as there is room.
#[derive(Debug)]
pub(super) struct Held {
    bytes: Vec<u8>,
    room: Room,
    most: usize,
}

impl Held {
    /// Appends `chunk`; `false`, and nothing is, where there is no room for it or the
    /// image is no small one any more.
    pub(super) fn push(&mut self, chunk: &[u8]) -> bool {
        let length = self.bytes.len() + chunk.len();
        if length > self.most {
            return false;
        }
        if length > self.bytes.capacity() {
            let doubled = (self.bytes.capacity() * 2).clamp(BLOCK, self.most.max(BLOCK));
            let capacity = doubled.max(length).div_ceil(BLOCK) * BLOCK;
            if !self.room.grow(capacity) {
                return false;
            }
            self.bytes.reserve_exact(capacity - self.bytes.len());
        }
        self.bytes.extend_from_slice(chunk);
        true
    }

    pub(super) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// To be shared with the engine; the room is given back when both are dropped.
    pub(super) fn shared(self) -> (Arc<[u8]>, Room) {
        (self.bytes.into(), self.room)
    }
}

/// For a store, without a copy.
pub(super) fn body(image: Arc<[u8]>) -> Bytes {
    Bytes::from_owner(image)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn desk(memory: u64, small_bytes: u64) -> Desk {
        Desk::new(Config {
            requests: 2,
            memory,
            small_bytes,
            ..Config::default()
        })
    }

    #[test]
    fn no_more_is_held_than_there_is_room_for() {
        let desk = desk(4 * BLOCK as u64, 3 * BLOCK as u64);
        let mut one = desk.held();
        assert!(one.push(&[1; BLOCK]));
        assert!(one.push(&[2; 1]), "it grows to two blocks");
        let mut other = desk.held();
        assert!(other.push(&vec![3; BLOCK + 1]));
        assert!(!other.push(&[3; BLOCK]), "there is no third");
        assert_eq!(other.bytes().len(), BLOCK + 1, "nothing of it");
        drop(one);
        assert!(other.push(&[3; BLOCK]));
        assert!(!other.push(&[3; BLOCK]), "no small image any more");
        let (_, room) = other.shared();
        assert!(!desk.held().push(&vec![4; 2 * BLOCK]));
        drop(room);
        assert!(desk.held().push(&vec![4; 2 * BLOCK]));
    }

    #[test]
    fn who_finds_no_place_is_told_when_to_come_again() {
        let desk = desk(1, 1);
        let places = [desk.enter().unwrap(), desk.enter().unwrap()];
        let refused = desk.enter().unwrap_err();
        assert!(refused.is_busy(), "{refused:?}");
        drop(places);
        assert!(desk.enter().is_ok());
    }
}
