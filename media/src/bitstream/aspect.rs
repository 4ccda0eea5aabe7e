//! Shapes of samples, which H.264 and HEVC number alike.

/// Width to height, from `aspect_ratio_idc` 1 on (H.264, table E-1; H.265,
/// table E.1).
const RATIOS: [(u16, u16); 16] = [
    (1, 1),
    (12, 11),
    (10, 11),
    (16, 11),
    (40, 33),
    (24, 11),
    (20, 11),
    (32, 11),
    (80, 33),
    (18, 11),
    (15, 11),
    (64, 33),
    (160, 99),
    (4, 3),
    (3, 2),
    (2, 1),
];

/// `EXTENDED_SAR`: the ratio itself follows.
pub(super) const EXTENDED: u32 = 255;

/// What `aspect_ratio_idc` stands for; none where it is unspecified.
pub(super) fn ratio(idc: u32) -> Option<(u16, u16)> {
    let row = usize::try_from(idc).ok()?.checked_sub(1)?;
    RATIOS.get(row).copied()
}
