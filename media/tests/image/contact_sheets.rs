//! Many pictures in one.

use flatbed_media::image::{ContactSheet, SheetOptions, contact_sheet};
use flatbed_media::{Context, Error, Input, Limits};

use crate::still::seen::{Seen, seen};

/// A picture of one colour, as a PNG file.
fn plain(size: (u32, u32), colour: [u8; 3]) -> Input {
    let picture = ::image::RgbImage::from_pixel(size.0, size.1, ::image::Rgb(colour));
    let mut file = std::io::Cursor::new(Vec::new());
    picture
        .write_to(&mut file, ::image::ImageFormat::Png)
        .expect("encoded");
    Input::bytes("plain", file.into_inner())
}

fn look(file: &[u8]) -> Seen {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("sheet.png");
    std::fs::write(&path, file).expect("written");
    seen(&path)
}

fn make(pictures: Vec<Input>, options: SheetOptions) -> (Seen, ContactSheet) {
    let (file, facts) = contact_sheet(pictures, &options, &Context::new()).expect("a sheet");
    let sheet = look(&file);
    assert_eq!(sheet.size(), (facts.width as usize, facts.height as usize));
    (sheet, facts)
}

fn colour(sheet: &Seen, (x, y): (usize, usize)) -> [u8; 3] {
    let [red, green, blue, alpha] = sheet.pixels[y * sheet.width + x];
    assert_eq!(alpha, 255);
    [red, green, blue]
}

const COLOURS: [[u8; 3]; 4] = [[250, 10, 20], [10, 240, 30], [30, 20, 230], [200, 200, 10]];

#[test]
fn pictures_lie_row_by_row() {
    let options = SheetOptions {
        columns: 3,
        width: 64,
        gap: 4,
    };
    let pictures = COLOURS.map(|colour| plain((320, 180), colour));
    let (sheet, facts) = make(pictures.into(), options);
    assert_eq!((facts.tiles, facts.tile), (4, (64, 36)));
    assert_eq!(sheet.size(), (3 * 68 + 4, 2 * 40 + 4));
    for (number, due) in COLOURS.into_iter().enumerate() {
        let (left, top) = (4 + number % 3 * 68, 4 + number / 3 * 40);
        for corner in [(0, 0), (63, 0), (0, 35), (63, 35), (30, 20)] {
            assert_eq!(colour(&sheet, (left + corner.0, top + corner.1)), due);
        }
        assert_eq!(colour(&sheet, (left - 1, top)), [0; 3]);
        assert_eq!(colour(&sheet, (left, top - 1)), [0; 3]);
    }
    // Where the row is not full, it is black.
    assert_eq!(colour(&sheet, (100, 60)), [0; 3]);
}

#[test]
fn one_of_another_shape_is_whole_and_in_the_middle() {
    let options = SheetOptions {
        columns: 5,
        width: 64,
        gap: 0,
    };
    let pictures = vec![plain((320, 160), COLOURS[0]), plain((90, 180), COLOURS[1])];
    let (sheet, _) = make(pictures, options);
    assert_eq!(sheet.size(), (128, 32));
    // 16 x 32 of it, at 64 + 24.
    for (x, due) in [
        (63, COLOURS[0]),
        (87, [0; 3]),
        (88, COLOURS[1]),
        (103, COLOURS[1]),
    ] {
        assert_eq!(colour(&sheet, (x, 16)), due, "{x}");
    }
    assert_eq!(colour(&sheet, (104, 16)), [0; 3]);
    // A first one that is very high does not make tiles so.
    let (sheet, facts) = make(vec![plain((10, 500), COLOURS[2])], options);
    assert_eq!(facts.tile, (64, 256));
    assert_eq!(colour(&sheet, (32, 200)), COLOURS[2]);
}

#[test]
fn what_cannot_be_made_is_refused() {
    let picture = || plain((32, 18), COLOURS[0]);
    let refused = |pictures: Vec<Input>, options: SheetOptions, context: &Context| {
        contact_sheet(pictures, &options, context).expect_err("refused")
    };
    let fine = SheetOptions::default();
    let error = refused(vec![], fine, &Context::new());
    assert!(matches!(error, Error::Unsupported { .. }), "{error}");
    for options in [
        SheetOptions { columns: 0, ..fine },
        SheetOptions { width: 8, ..fine },
        SheetOptions { gap: 1000, ..fine },
    ] {
        let error = refused(vec![picture()], options, &Context::new());
        assert!(matches!(error, Error::Unsupported { .. }), "{error}");
    }
    let broken = vec![
        picture(),
        Input::bytes("text", b"no picture at all".to_vec()),
    ];
    let error = refused(broken, fine, &Context::new());
    assert!(error.to_string().starts_with("text: "), "{error}");
    // Many pictures, few pixels allowed.
    let mut limits = Limits::default();
    limits.image.max_pixels = 1_000_000;
    let context = Context::new().with_limits(limits);
    let many = (0..100).map(|_| picture()).collect();
    let error = refused(many, fine, &context);
    assert!(matches!(error, Error::Limit { .. }), "{error}");
}
