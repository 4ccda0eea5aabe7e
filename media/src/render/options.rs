//! What a render may be told beside its operations.

use std::fmt;
use std::sync::Arc;

use crate::{Container, Input, Result};

type Images = dyn Fn(&str) -> Result<Input> + Send + Sync;

/// How operations are to be understood. Cheap to clone.
#[derive(Clone, Default)]
#[non_exhaustive]
pub struct Options {
    /// The container of the output's place, which no operation may contradict; an
    /// operation's or the input's where not given.
    pub container: Option<Container>,
    images: Option<Arc<Images>>,
}

impl Options {
    /// Writes this container.
    #[must_use]
    pub fn with_container(mut self, container: Container) -> Self {
        self.container = Some(container);
        self
    }

    /// Finds a watermark's image by its name. Without it, the name is a path.
    #[must_use]
    pub fn with_images(
        mut self,
        find: impl Fn(&str) -> Result<Input> + Send + Sync + 'static,
    ) -> Self {
        self.images = Some(Arc::new(find));
        self
    }

    pub(super) fn image(&self, name: &str) -> Result<Input> {
        match &self.images {
            Some(find) => find(name),
            None => Ok(Input::path(name)),
        }
    }
}

impl fmt::Debug for Options {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Options")
            .field("container", &self.container)
            .finish_non_exhaustive()
    }
}
