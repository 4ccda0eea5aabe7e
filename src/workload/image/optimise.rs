//! The step that all images go through: anybody's file in, WebP out, on threads and
//! in memory that are bounded.

use std::sync::Arc;

use flatbed_media::image::{Options, Pool, PoolSize, Report};
use flatbed_media::{Context, ImageLimits, Input, Limits};

use crate::config::Variables;
use crate::runner::{JobContext, engine};

/// What images may cost.
#[derive(Debug, Clone, Default)]
pub struct Costs {
    /// What one may: `IMAGE_MAX_BYTES`, `IMAGE_MAX_PIXELS`.
    pub limits: ImageLimits,
    /// What all of them may: `IMAGE_MEMORY`.
    pub pool: PoolSize,
}

impl Costs {
    /// As the variables say.
    pub fn read(variables: &mut Variables) -> Self {
        let Self { limits, pool } = Self::default();
        let pixels = 1..=1_000_000_000;
        Self {
            limits: ImageLimits {
                max_bytes: variables.bytes("IMAGE_MAX_BYTES", limits.max_bytes),
                max_pixels: variables.number("IMAGE_MAX_PIXELS", limits.max_pixels, pixels),
                ..limits
            },
            pool: PoolSize {
                memory: variables.bytes("IMAGE_MEMORY", pool.memory),
                ..pool
            },
        }
    }

    /// As the engine takes them.
    pub fn engine_limits(&self) -> Limits {
        Limits {
            image: self.limits.clone(),
            ..Limits::default()
        }
    }
}

/// Makes WebP. Clones share the threads.
#[derive(Debug, Clone)]
pub struct Optimiser {
    pool: Arc<Pool>,
    limits: Limits,
}

impl Optimiser {
    /// With threads for the engine.
    ///
    /// # Errors
    /// Where no threads can be started.
    pub async fn new(costs: &Costs) -> flatbed_media::Result<Self> {
        let size = costs.pool;
        // Its threads inherit the low priority of the one that starts them.
        let pool = engine::on_thread(move || Pool::new(size)).await?;
        Ok(Self {
            pool: Arc::new(pool),
            limits: costs.engine_limits(),
        })
    }

    /// The image as a WebP file, and what came of it. Dropped, it asks the engine to
    /// stop.
    pub async fn make(
        &self,
        input: Input,
        options: Options,
        context: &JobContext,
    ) -> flatbed_media::Result<(Vec<u8>, Report)> {
        let pool = Arc::clone(&self.pool);
        let limits = self.limits.clone();
        let work = move |context: &Context| {
            let context = context.clone().with_limits(limits);
            pool.to_bytes(input, &options, &context)
        };
        context.engine(work).await
    }

    /// What the engine may take.
    pub fn limits(&self) -> &Limits {
        &self.limits
    }
}
