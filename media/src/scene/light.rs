//! What there is to be seen in a frame: whether it can stand for its scene.

use super::colour::Colours;

/// How much of a picture must be alike to be all of it, and how dark black is:
/// the defaults of ffmpeg's `blackdetect` filter, as in
/// [`still::Options::skip_black`](crate::still::Options::skip_black).
const PART: f64 = 0.98;
const DARK: usize = 25; // a tenth of 255

/// How far apart the brightness and the saturation of one colour may lie, with
/// what encoders add to it.
const BRIGHTNESS: usize = 16;
const SATURATION: usize = 32;

/// Every so many pixels one is looked at: seven thousand of a picture in 16:9.
const STEP: usize = 5;

/// What there is to be seen, the least first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub(crate) enum Seen {
    /// Nothing: at least 98 % is darker than a tenth of white.
    #[default]
    Black,
    /// One colour on at least 98 %.
    Blank,
    /// Something.
    Picture,
}

impl Seen {
    /// In a picture made small.
    pub(super) fn of(colours: &Colours) -> Self {
        let brightness = Levels::of(&colours.brightness);
        if brightness.within(0, DARK + 1) {
            return Self::Black;
        }
        let is_one = brightness.are_within(BRIGHTNESS)
            && Levels::of(&colours.saturation).are_within(SATURATION);
        if is_one { Self::Blank } else { Self::Picture }
    }
}

/// How many pixels have each level.
struct Levels {
    counts: [u32; 256],
    all: u32,
}

impl Levels {
    fn of(plane: &[u8]) -> Self {
        let mut counts = [0; 256];
        let mut all = 0;
        for &level in plane.iter().step_by(STEP) {
            counts[usize::from(level)] += 1;
            all += 1;
        }
        Self { counts, all }
    }

    /// Whether nearly all are among the `width` levels from `from` on.
    fn within(&self, from: usize, width: usize) -> bool {
        let levels = self.counts.iter().skip(from).take(width);
        f64::from(levels.sum::<u32>()) >= PART * f64::from(self.all)
    }

    /// Whether nearly all are among any `width` levels.
    fn are_within(&self, width: usize) -> bool {
        (0..=256 - width).any(|from| self.within(from, width))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn byte(value: usize) -> u8 {
        u8::try_from(value).expect("a byte")
    }

    fn seen(brightness: impl Fn(usize) -> u8, saturation: impl Fn(usize) -> u8) -> Seen {
        let plane = |of: &dyn Fn(usize) -> u8| (0..256 * 144).map(of).collect();
        Seen::of(&Colours {
            hue: vec![0; 256 * 144],
            saturation: plane(&saturation),
            brightness: plane(&brightness),
        })
    }

    #[test]
    fn what_is_dark_is_black_whatever_its_colour() {
        assert_eq!(seen(|at| byte(at % 25), |at| byte(at % 256)), Seen::Black);
        assert_eq!(seen(|at| byte(at % 50), |_| 0), Seen::Picture);
        // A title of one per cent on black, and one of five.
        let title = |part: usize| move |at: usize| if at % 1000 < part { 235 } else { 16 };
        assert_eq!(seen(title(10), |_| 0), Seen::Black);
        assert_eq!(seen(title(50), |_| 0), Seen::Picture);
    }

    #[test]
    fn one_colour_is_blank() {
        assert_eq!(seen(|at| 200 + byte(at % 12), |_| 90), Seen::Blank);
        assert_eq!(seen(|_| 255, |_| 0), Seen::Blank);
        assert_eq!(seen(|_| 200, |at| byte(at % 90)), Seen::Picture);
        assert_eq!(seen(|at| byte(at / 256), |_| 90), Seen::Picture);
    }

    #[test]
    fn more_is_more() {
        assert!(Seen::Black < Seen::Blank && Seen::Blank < Seen::Picture);
        assert_eq!(Seen::of(&Colours::default()), Seen::Black);
    }
}
