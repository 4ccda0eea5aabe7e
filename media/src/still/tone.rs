//! High dynamic range (PQ, HLG) on a standard screen.

use crate::av::code::Code;
use crate::av::convert::{Converter, Target};
use crate::av::filter::Graph;
use crate::av::frame::Frame;
use crate::av::scale::format_number;
use crate::{Context, Result};

/// Maps pictures one at a time.
pub(super) struct ToneMap {
    converter: Converter,
    context: Context,
}

impl ToneMap {
    pub(super) fn new(context: &Context) -> Self {
        Self {
            converter: Converter::new(),
            context: context.clone(),
        }
    }

    /// `frame` as RGB of 8 bits, scaled and mapped to what a standard screen
    /// shows; as it is where the linked FFmpeg cannot map it.
    ///
    /// It is scaled first, as RGB, so that the costly part, in linear light and
    /// floats, is done for the picture's few pixels, whose number may be odd.
    pub(super) fn apply(&mut self, frame: &Frame, size: (i32, i32), name: &str) -> Result<Frame> {
        let failed = |code: Code| code.failed(name, "mapping the picture's light");
        let target = Target {
            width: size.0,
            height: size.1,
            format: format_number("gbrp10le"),
            full_range: true,
        };
        let mut scaled = self.converter.convert(frame, target).map_err(failed)?;
        scaled.set_pts(Some(0));
        let transfer = if frame.is_hybrid_log_gamma() {
            "arib-std-b67"
        } else {
            "smpte2084"
        };
        // Hable's curve keeps highlights; colours are not bleached. 100 nits
        // is the white of a standard screen.
        let chain = format!(
            "setparams=range=pc:color_primaries=bt2020:color_trc={transfer}:colorspace=gbr,\
             zscale=t=linear:npl=100,format=gbrpf32le,zscale=p=bt709,tonemap=hable:desat=0,\
             zscale=t=bt709,format=gbrp"
        );
        let plain = scaled.share().map_err(failed)?;
        match Graph::once(&chain, scaled, name, &self.context) {
            Ok(mapped) => Ok(mapped),
            Err(error) => {
                self.context.check()?;
                tracing::debug!(%error, "no tone map");
                Ok(plain)
            }
        }
    }
}
