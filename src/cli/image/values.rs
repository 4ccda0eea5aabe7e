//! What the options of `flatbed image` take.

/// Pixels of a side.
pub(super) fn side() -> clap::builder::RangedI64ValueParser<u32> {
    clap::value_parser!(u32).range(1..=65500)
}

/// Bytes: `200000`, `200k`, `1M`, in thousands.
pub(super) fn bytes(text: &str) -> Result<u64, String> {
    let wrong = || format!("{text:?} is no number of bytes: write 200000, 200k or 1M");
    let (digits, times) = match text.as_bytes().last() {
        Some(b'k' | b'K') => (text.get(..text.len() - 1), 1000),
        Some(b'm' | b'M') => (text.get(..text.len() - 1), 1_000_000),
        _ => (Some(text), 1),
    };
    let number: u64 = digits
        .and_then(|digits| digits.parse().ok())
        .ok_or_else(wrong)?;
    number
        .checked_mul(times)
        .filter(|bytes| *bytes > 0)
        .ok_or_else(wrong)
}

/// An SSIM: between 0 and 1.
pub(super) fn likeness(text: &str) -> Result<f64, String> {
    text.parse()
        .ok()
        .filter(|ssim| *ssim > 0.0 && *ssim < 1.0)
        .ok_or_else(|| format!("{text:?} is no SSIM: write a number between 0 and 1, as 0.98"))
}
