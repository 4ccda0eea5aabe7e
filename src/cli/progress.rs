//! A bar on standard error, if that is a terminal.

use std::io::IsTerminal;

use flatbed_media::{Context, Progress};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// The bar; dropping it removes it from the screen.
pub(super) struct Bar(Option<ProgressBar>);

impl Bar {
    /// A bar that follows the call that is given the returned context.
    pub(super) fn attach(context: Context, quiet: bool) -> (Self, Context) {
        if quiet || !std::io::stderr().is_terminal() {
            return (Self(None), context);
        }
        let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr())
            .with_style(style("{spinner} {msg} in {elapsed}"));
        let shown = bar.clone();
        let context = context.with_progress(move |progress| show(&shown, progress));
        (Self(Some(bar)), context)
    }
}

impl Drop for Bar {
    fn drop(&mut self) {
        if let Some(bar) = &self.0 {
            bar.finish_and_clear();
        }
    }
}

/// A bar that counts things done; dropping it removes it from the screen.
pub(super) struct Counter(Option<ProgressBar>);

impl Counter {
    pub(super) fn start(things: usize, quiet: bool) -> Self {
        if quiet || !std::io::stderr().is_terminal() {
            return Self(None);
        }
        let things = u64::try_from(things).unwrap_or(u64::MAX);
        let bar = ProgressBar::with_draw_target(Some(things), ProgressDrawTarget::stderr())
            .with_style(style("{wide_bar} {pos} of {len}  {eta} left"));
        Self(Some(bar))
    }

    /// One more is done.
    pub(super) fn step(&self) {
        if let Some(bar) = &self.0 {
            bar.inc(1);
        }
    }

    /// Prints something while the bar is out of the way.
    pub(super) fn aside<T>(&self, print: impl FnOnce() -> T) -> T {
        match &self.0 {
            Some(bar) => bar.suspend(print),
            None => print(),
        }
    }
}

impl Drop for Counter {
    fn drop(&mut self) {
        if let Some(bar) = &self.0 {
            bar.finish_and_clear();
        }
    }
}

fn show(bar: &ProgressBar, progress: Progress) {
    let micros = |time: flatbed_media::Timestamp| u64::try_from(time.as_micros()).unwrap_or(0);
    match progress.total {
        Some(total) => {
            if bar.length().is_none() {
                bar.set_style(style("{wide_bar} {percent:>3} %  {msg}  {eta} left"));
            }
            bar.set_length(micros(total));
            bar.set_message(format!("{} of {}", progress.done, total));
        }
        None => bar.set_message(progress.done.to_string()),
    }
    bar.set_position(micros(progress.done));
}

fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar())
}

#[cfg(test)]
mod tests {
    use indicatif::ProgressStyle;

    #[test]
    fn the_templates_are_read() {
        for template in [
            "{spinner} {msg} in {elapsed}",
            "{wide_bar} {percent:>3} %  {msg}  {eta} left",
            "{wide_bar} {pos} of {len}  {eta} left",
        ] {
            ProgressStyle::with_template(template).expect("a template");
        }
    }
}
