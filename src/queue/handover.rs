//! A claim on its way to whoever asked for it.

/// A claim that was made for a future. If nobody takes it, because the future was
/// dropped meanwhile, it is put back: a job that was claimed is never forgotten.
pub(in crate::queue) struct OnItsWay<C, F: FnOnce(C)>(Option<(C, F)>);

impl<C, F: FnOnce(C)> OnItsWay<C, F> {
    /// `put_back` must not wait.
    pub(in crate::queue) fn new(claim: C, put_back: F) -> Self {
        Self(Some((claim, put_back)))
    }

    /// The claim, for the one who asked for it; there is always one.
    pub(in crate::queue) fn arrived(mut self) -> Option<C> {
        self.0.take().map(|(claim, _)| claim)
    }
}

impl<C, F: FnOnce(C)> Drop for OnItsWay<C, F> {
    fn drop(&mut self) {
        if let Some((claim, put_back)) = self.0.take() {
            put_back(claim);
        }
    }
}
