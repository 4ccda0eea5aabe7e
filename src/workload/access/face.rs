//! The engine's part: any image becomes a small JPEG of a face, on threads and in memory
//! that are bounded.

use std::num::NonZeroUsize;
use std::sync::Arc;

use flatbed_media::image::{FaceOptions, Pool, PoolSize};
use flatbed_media::{Context, ImageLimits, Input, Limits};

use crate::config::Variables;
use crate::runner::{JobContext, engine};

/// Threads for faces: `HikCentral` is waited for more than they are.
const THREADS: NonZeroUsize = NonZeroUsize::MIN.saturating_add(1);

/// How faces are made, and what they may cost.
#[derive(Debug, Clone)]
pub struct FaceConfig {
    /// The most bytes of a photo: `ACCESS_PHOTO_MAX_BYTES`.
    pub most: u64,
    /// Its most pixels: `ACCESS_PHOTO_MAX_PIXELS`.
    pub max_pixels: u64,
    /// The bytes that decoded photos may take together: `ACCESS_PHOTO_MEMORY`.
    pub memory: u64,
    /// The longest side and the most bytes of what is sent: `ACCESS_FACE_SIDE`,
    /// `ACCESS_FACE_MAX_BYTES`.
    pub options: FaceOptions,
}

impl Default for FaceConfig {
    /// 10 MiB and 50 million pixels; 24 MiB together; what the engine has for faces.
    fn default() -> Self {
        Self {
            most: 10 << 20,
            max_pixels: 50_000_000,
            memory: 24 << 20,
            options: FaceOptions::default(),
        }
    }
}

impl FaceConfig {
    /// As the variables say.
    pub fn read(variables: &mut Variables) -> Self {
        let default = Self::default();
        let options = default.options;
        let pixels = 1..=1_000_000_000;
        Self {
            most: variables.bytes("ACCESS_PHOTO_MAX_BYTES", default.most),
            max_pixels: variables.number("ACCESS_PHOTO_MAX_PIXELS", default.max_pixels, pixels),
            memory: variables.bytes("ACCESS_PHOTO_MEMORY", default.memory),
            options: FaceOptions {
                longest: variables.number("ACCESS_FACE_SIDE", options.longest, 32..=2048),
                max_bytes: variables.bytes("ACCESS_FACE_MAX_BYTES", options.max_bytes),
                ..options
            },
        }
    }
}

/// Makes faces. Clones share the threads.
#[derive(Debug, Clone)]
pub struct Faces {
    pool: Arc<Pool>,
    options: FaceOptions,
    limits: Limits,
}

impl Faces {
    /// With threads for the engine.
    ///
    /// # Errors
    /// Where no threads can be started.
    pub async fn new(config: &FaceConfig) -> flatbed_media::Result<Self> {
        let size = PoolSize {
            threads: Some(THREADS),
            memory: config.memory,
        };
        // Its threads inherit the low priority of the one that starts them.
        let pool = engine::on_thread(move || Pool::new(size)).await?;
        let image = ImageLimits {
            max_bytes: config.most,
            max_pixels: config.max_pixels,
            ..ImageLimits::default()
        };
        Ok(Self {
            pool: Arc::new(pool),
            options: config.options,
            limits: Limits {
                image,
                ..Limits::default()
            },
        })
    }

    /// The photo as a JPEG for a face. Dropped, it asks the engine to stop.
    pub(super) async fn make(
        &self,
        photo: Vec<u8>,
        context: &JobContext,
    ) -> flatbed_media::Result<Vec<u8>> {
        let (pool, options, limits) = (Arc::clone(&self.pool), self.options, self.limits.clone());
        // A name of its own would be somebody's number, as a rule.
        let input = Input::bytes("photo", photo);
        let work = move |context: &Context| {
            let context = context.clone().with_limits(limits);
            pool.face_photo(input, &options, &context)
        };
        Ok(context.engine(work).await?.0)
    }
}
