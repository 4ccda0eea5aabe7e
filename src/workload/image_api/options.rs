//! What is asked of an image, as a request has it: the options of `flatbed image`.

use std::ops::RangeInclusive;

use flatbed_media::image::{Coding, Fit, Keep, Options, Size};
use serde_json::{Map, Value};

/// Fields by their names, as JSON or a form brought them.
pub type Fields = Map<String, Value>;

/// All that are known.
const KNOWN: [&str; 12] = [
    "maxWidth",
    "maxHeight",
    "fit",
    "enlarge",
    "quality",
    "lossless",
    "ssim",
    "maxBytes",
    "effort",
    "still",
    "keep",
    "linearLight",
];

/// The options in `fields`. The error names the field.
pub fn check(fields: &Fields) -> Result<Options, String> {
    if let Some(unknown) = fields.keys().find(|name| !KNOWN.contains(&name.as_str())) {
        let known = KNOWN.join(", ");
        return Err(format!("{unknown:.40}: unknown field; there are {known}"));
    }
    let default = Options::default();
    let side = 1..=65_500;
    let width = whole(fields, "maxWidth", side.clone())?;
    let height = whole(fields, "maxHeight", side)?;
    let fit = fit(fields)?;
    if fit != Fit::Contain && (width.is_none() || height.is_none()) {
        return Err("fit: cover and exact need maxWidth and maxHeight".to_owned());
    }
    Ok(Options {
        size: Size::new(width, height),
        fit,
        enlarge: switch(fields, "enlarge")?,
        linear_light: switch(fields, "linearLight")?,
        coding: coding(fields)?,
        effort: whole(fields, "effort", 0..=6)?.unwrap_or(default.effort),
        max_bytes: whole(fields, "maxBytes", 1..=u64::from(u32::MAX))?,
        still: switch(fields, "still")?,
        keep: keep(fields)?,
    })
}

fn coding(fields: &Fields) -> Result<Coding, String> {
    let quality = whole::<u8>(fields, "quality", 1..=100)?;
    let lossless = switch(fields, "lossless")?;
    let ssim = match given(fields, "ssim") {
        None => None,
        Some(value) => {
            let ssim = value.as_f64().filter(|ssim| *ssim > 0.0 && *ssim < 1.0);
            let expected = || wrong("ssim", "a number between 0 and 1, as 0.98", value);
            Some(ssim.ok_or_else(expected)?)
        }
    };
    match (quality, lossless, ssim) {
        (None, true, None) => Ok(Coding::Lossless),
        (None, false, Some(ssim)) => Ok(Coding::Ssim(ssim)),
        (Some(quality), false, None) => Ok(Coding::Quality(quality)),
        (None, false, None) => Ok(Coding::default()),
        (Some(_), _, _) => Err("quality: give it without lossless and ssim".to_owned()),
        (None, true, Some(_)) => Err("ssim: give it without lossless".to_owned()),
    }
}

fn fit(fields: &Fields) -> Result<Fit, String> {
    let Some(value) = given(fields, "fit") else {
        return Ok(Fit::Contain);
    };
    match value.as_str() {
        Some("inside") => Ok(Fit::Contain),
        Some("cover") => Ok(Fit::Cover),
        Some("exact") => Ok(Fit::Stretch),
        _ => Err(wrong("fit", "inside, cover or exact", value)),
    }
}

/// A list, or a text with commas between.
fn keep(fields: &Fields) -> Result<Keep, String> {
    let mut keep = Keep::default();
    let Some(value) = given(fields, "keep") else {
        return Ok(keep);
    };
    let words: Option<Vec<&str>> = match value {
        Value::Array(words) => words.iter().map(Value::as_str).collect(),
        Value::String(words) => Some(words.split(',').map(str::trim).collect()),
        _ => None,
    };
    for word in words.unwrap_or(vec![""]) {
        match word {
            "icc" => keep.icc = true,
            "exif" => keep.exif = true,
            _ => return Err(wrong("keep", "icc, exif or both", value)),
        }
    }
    Ok(keep)
}

fn whole<T: TryFrom<u64>>(
    fields: &Fields,
    name: &str,
    range: RangeInclusive<u64>,
) -> Result<Option<T>, String> {
    let Some(value) = given(fields, name) else {
        return Ok(None);
    };
    let number = value.as_u64().filter(|number| range.contains(number));
    let number = number.and_then(|number| T::try_from(number).ok());
    if number.is_some() {
        return Ok(number);
    }
    let (least, most) = range.into_inner();
    let expected = format!("a whole number from {least} to {most}");
    Err(wrong(name, &expected, value))
}

/// `true` or `false`; `false` where it is not given.
pub fn switch(fields: &Fields, name: &str) -> Result<bool, String> {
    match given(fields, name) {
        None => Ok(false),
        Some(Value::Bool(on)) => Ok(*on),
        Some(value) => Err(wrong(name, "true or false", value)),
    }
}

/// What is null is not given.
fn given<'a>(fields: &'a Fields, name: &str) -> Option<&'a Value> {
    fields.get(name).filter(|value| !value.is_null())
}

fn wrong(name: &str, expected: &str, value: &Value) -> String {
    let value: String = value.to_string().chars().take(80).collect();
    format!("{name}: expected {expected}, not {value}")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn read(fields: &Value) -> Result<Options, String> {
        check(fields.as_object().expect("an object"))
    }

    #[test]
    fn each_option_of_the_command_line_is_there() {
        assert_eq!(read(&json!({})), Ok(Options::default()));
        assert_eq!(read(&json!({"quality": null})), Ok(Options::default()));
        let options = read(&json!({
            "maxWidth": 720, "maxHeight": 480, "fit": "cover", "enlarge": true, "quality": 55,
            "maxBytes": 20_000, "effort": 0, "still": true, "keep": ["icc"], "linearLight": true,
        }));
        let expected = Options {
            size: Size::new(Some(720), Some(480)),
            fit: Fit::Cover,
            enlarge: true,
            linear_light: true,
            coding: Coding::Quality(55),
            effort: 0,
            max_bytes: Some(20_000),
            still: true,
            keep: Keep {
                icc: true,
                exif: false,
            },
        };
        assert_eq!(options, Ok(expected));
        let coding = |fields| read(&fields).map(|options| options.coding);
        assert_eq!(coding(json!({"lossless": true})), Ok(Coding::Lossless));
        assert_eq!(coding(json!({"ssim": 0.98})), Ok(Coding::Ssim(0.98)));
        let both = read(&json!({"keep": "icc, exif"})).map(|options| options.keep);
        assert_eq!(both.map(|keep| keep.icc && keep.exif), Ok(true));
    }

    #[test]
    fn what_is_wrong_is_named() {
        for (fields, name, expected) in [
            (json!({"maxWidth": 0}), "maxWidth", "1 to 65500"),
            (json!({"maxHeight": "x"}), "maxHeight", "not \"x\""),
            (json!({"quality": 101}), "quality", "1 to 100, not 101"),
            (json!({"quality": 80.5}), "quality", "whole number"),
            (json!({"effort": -1}), "effort", "0 to 6"),
            (json!({"maxBytes": 0}), "maxBytes", "1 to"),
            (json!({"ssim": 1}), "ssim", "between 0 and 1"),
            (json!({"fit": "crop"}), "fit", "cover"),
            (json!({"fit": "cover", "maxWidth": 9}), "fit", "maxHeight"),
            (json!({"keep": ["xmp"]}), "keep", "icc"),
            (json!({"keep": 1}), "keep", "icc"),
            (json!({"still": "yes"}), "still", "true or false"),
            (
                json!({"quality": 9, "lossless": true}),
                "quality",
                "lossless",
            ),
            (json!({"ssim": 0.9, "lossless": true}), "ssim", "lossless"),
            (json!({"width": 9}), "width", "maxWidth"),
        ] {
            let error = read(&fields).unwrap_err();
            assert!(
                error.starts_with(&format!("{name}: ")) && error.contains(expected),
                "{fields}: {error}"
            );
        }
    }
}
