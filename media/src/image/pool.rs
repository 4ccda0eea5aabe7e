//! Many images, some at a time: bounded by threads, and by memory.

use std::num::NonZeroUsize;
use std::path::PathBuf;

use rayon::iter::{IndexedParallelIterator, IntoParallelIterator, ParallelIterator};

use super::budget::Budget;
use super::convert::{within, write};
use super::face::{self, FaceOptions};
use super::options::Options;
use super::report::Report;
use crate::{Context, Error, Input, Result};

/// Bytes of pixels in flight, unless told otherwise.
const MEMORY: u64 = 256 << 20;

/// Threads that make images, and the memory they share.
#[derive(Debug)]
pub struct Pool {
    threads: rayon::ThreadPool,
    budget: Budget,
}

/// How large a pool is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PoolSize {
    /// Images that are worked on at one time; `None` is one for each core.
    pub threads: Option<NonZeroUsize>,
    /// The bytes that their decoded pixels may take together. An image that
    /// needs more than all of it is worked on alone.
    pub memory: u64,
}

impl Default for PoolSize {
    fn default() -> Self {
        Self {
            threads: None,
            memory: MEMORY,
        }
    }
}

/// One of many images.
#[derive(Debug)]
pub struct Job {
    /// Where it comes from.
    pub input: Input,
    /// The file it becomes.
    pub output: PathBuf,
}

impl Pool {
    /// A pool of this size.
    ///
    /// # Errors
    /// [`Error::Io`] where no threads can be started.
    pub fn new(size: PoolSize) -> Result<Self> {
        let threads = rayon::ThreadPoolBuilder::new()
            .num_threads(size.threads.map_or(0, NonZeroUsize::get))
            .thread_name(|number| format!("image-{number}"))
            .build()
            .map_err(|error| Error::io("threads for images", std::io::Error::other(error)))?;
        Ok(Self {
            threads,
            budget: Budget::new(size.memory),
        })
    }

    /// One image, as [`to_bytes`](super::to_bytes), on a thread of the pool; the
    /// caller waits.
    ///
    /// # Errors
    /// As there.
    pub fn to_bytes(
        &self,
        input: Input,
        options: &Options,
        context: &Context,
    ) -> Result<(Vec<u8>, Report)> {
        self.threads
            .install(|| within(input, options, context, Some(&self.budget)))
    }

    /// A photo of a face, as [`face_photo`](super::face_photo), on a thread of the pool;
    /// the caller waits.
    ///
    /// # Errors
    /// As there.
    pub fn face_photo(
        &self,
        input: Input,
        options: &FaceOptions,
        context: &Context,
    ) -> Result<(Vec<u8>, Report)> {
        self.threads
            .install(|| face::within(input, options, context, Some(&self.budget)))
    }

    /// All of them. Calls `done` for each, with its place in `jobs`, from any
    /// thread and in any order; what fails does not stop the others. After a
    /// cancel none is begun, and each that was not done is told as cancelled.
    pub fn to_files(
        &self,
        jobs: Vec<Job>,
        options: &Options,
        context: &Context,
        done: impl Fn(usize, Result<Report>) + Sync,
    ) {
        let jobs: Vec<_> = jobs.into_iter().enumerate().collect();
        self.threads.install(|| {
            jobs.into_par_iter()
                .with_max_len(1)
                .for_each(|(place, job)| {
                    let made = context
                        .check()
                        .and_then(|()| within(job.input, options, context, Some(&self.budget)))
                        .and_then(|(bytes, report)| write(&job.output, &bytes).map(|()| report));
                    done(place, made);
                });
        });
    }
}
