//! Two passes: the first learns what the frames take, the second spends the bits
//! accordingly.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

use super::carry::Carrier;
use super::coding::Coding;
use super::operation::VideoCodec;
use super::run::{Done, Passing, run};
use crate::av::encode::Pass;
use crate::{Context, Error, Output, Result};

/// Numbers the folders of this process.
static COUNT: AtomicU32 = AtomicU32::new(0);

/// What two passes share.
pub(super) struct Passes {
    /// Where the encoder keeps what it learned; it removes itself.
    _folder: Option<Folder>,
    file: String,
    statistics: Option<std::ffi::CString>,
    /// Frames a second on average.
    average: Option<f64>,
}

struct Folder(PathBuf);

impl Folder {
    /// A new one. A process that was killed may have left one of the same name:
    /// in a container all have the same few numbers.
    fn new(parent: &Path) -> Result<Self> {
        loop {
            let number = COUNT.fetch_add(1, Ordering::Relaxed);
            let name = format!("flatbed-{}-{number}", std::process::id());
            let path = parent.join(name);
            match fs::create_dir(&path) {
                Ok(()) => return Ok(Self(path)),
                Err(source) if source.kind() == ErrorKind::AlreadyExists => {}
                Err(source) => return Err(Error::io(path.display().to_string(), source)),
            }
        }
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // Nothing can be done about a failure here.
        let _ = fs::remove_dir_all(&self.0);
    }
}

impl Passes {
    pub(super) fn new(coding: &Coding, context: &Context) -> Result<Self> {
        let own_file = matches!(coding.codec, VideoCodec::H264 | VideoCodec::Hevc);
        if !own_file {
            return Ok(Self {
                _folder: None,
                file: String::new(),
                statistics: None,
                average: None,
            });
        }
        let folder = Folder::new(&context.temp_dir())?;
        let file = folder.0.join("statistics").display().to_string();
        Ok(Self {
            _folder: Some(folder),
            file,
            statistics: None,
            average: None,
        })
    }

    /// Both passes; they are `(first, of)` the whole work's.
    pub(super) fn both(
        mut self,
        carrier: &mut Carrier<'_>,
        coding: &Coding,
        output: Output,
        (first, of): (u32, u32),
        context: &Context,
    ) -> Result<Done> {
        self.learn(carrier, coding, (first, of), context)?;
        self.write(carrier, coding, output, (first + 1, of), true, context)
    }

    /// The first pass.
    pub(super) fn learn(
        &mut self,
        carrier: &mut Carrier<'_>,
        coding: &Coding,
        pass: (u32, u32),
        context: &Context,
    ) -> Result<Done> {
        if !carrier.reopens() {
            return Err(Error::unsupported(
                &carrier.name,
                "two passes need a file, and this is a stream that is read once",
            ));
        }
        let context = &context.doing(carrier.plan.work.operation, pass);
        let opened = carrier.open(context)?;
        let mut job = carrier.job(Some(coding), None);
        job.shoots = false;
        job.pass = Some(Passing {
            pass: Pass::First,
            file: &self.file,
            average: None,
        });
        let mut done = run(job, opened, context)?;
        self.statistics = done.statistics.take();
        let seconds = done.duration.as_secs_f64();
        #[allow(clippy::cast_precision_loss)] // frames
        let frames = done.frames_encoded as f64;
        self.average = (seconds > 0.0).then(|| frames / seconds);
        carrier.report.frames_decoded += done.frames_decoded;
        carrier.report.passes += 1;
        Ok(done)
    }

    /// The second pass.
    pub(super) fn write(
        &self,
        carrier: &mut Carrier<'_>,
        coding: &Coding,
        output: Output,
        pass: (u32, u32),
        reserve: bool,
        context: &Context,
    ) -> Result<Done> {
        let context = &context.doing(carrier.plan.work.operation, pass);
        let opened = carrier.open(context)?;
        let mut job = carrier.job(Some(coding), Some(output));
        job.reserve = reserve;
        job.pass = Some(Passing {
            pass: Pass::Second(self.statistics.as_deref()),
            file: &self.file,
            average: self.average,
        });
        run(job, opened, context)
    }
}
