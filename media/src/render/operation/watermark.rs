//! The options of `watermark`.

use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::Moment;

/// A picture over the picture.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[non_exhaustive]
pub struct Watermark {
    /// A PNG, JPEG or WebP: a path on the command line, over HTTP a store's key
    /// or an uploaded id.
    #[cfg_attr(feature = "schema", schemars(length(min = 1)))]
    pub image: String,
    /// Where it stands.
    #[serde(default)]
    pub position: Place,
    /// From the edges, in pixels.
    #[serde(default = "default_margin")]
    pub margin: u32,
    /// 0 is not there, 1 as the image itself.
    #[serde(default = "one")]
    #[cfg_attr(feature = "schema", schemars(range(min = 0, max = 1)))]
    pub opacity: f64,
    /// Its width as a part of the video's, 0 to 1; as it is where not given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schemars(range(min = 0, max = 1)))]
    pub scale: Option<f64>,
    /// From this time on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub start: Option<Moment>,
    /// Up to and without this time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub end: Option<Moment>,
}

fn default_margin() -> u32 {
    10
}

fn one() -> f64 {
    1.0
}

impl Watermark {
    /// The image in the bottom right corner, 10 pixels from the edges.
    pub fn new(image: impl Into<String>) -> Self {
        Self {
            image: image.into(),
            position: Place::default(),
            margin: default_margin(),
            opacity: 1.0,
            scale: None,
            start: None,
            end: None,
        }
    }

    pub(super) fn validate(&self) -> Result<(), String> {
        if self.image.is_empty() {
            return Err("image is empty".into());
        }
        if !(0.0..=1.0).contains(&self.opacity) {
            return Err(format!("opacity {} is not from 0 to 1", self.opacity));
        }
        if let Some(scale) = self.scale
            && !(scale > 0.0 && scale <= 1.0)
        {
            return Err(format!("scale {scale} is not above 0 and up to 1"));
        }
        match (self.start, self.end) {
            (Some(Moment::Time(start)), Some(Moment::Time(end))) if end <= start => {
                Err("its end is not behind its start".into())
            }
            (Some(Moment::Percent(start)), Some(Moment::Percent(end))) if end <= start => {
                Err("its end is not behind its start".into())
            }
            _ => Ok(()),
        }
    }
}

/// Where a watermark stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(
    untagged,
    expecting = "expected a position: top-left, top, top-right, left, center, right, \
                               bottom-left, bottom, bottom-right, or {\"x\": …, \"y\": …}"
)]
pub enum Place {
    /// One of nine places.
    Corner(Corner),
    /// The image's left upper corner, in pixels of the video; negative ones
    /// count from the right and the bottom.
    At(Point),
}

impl Default for Place {
    fn default() -> Self {
        Self::Corner(Corner::BottomRight)
    }
}

impl FromStr for Place {
    type Err = String;

    /// One of the nine names, or `x,y`.
    fn from_str(text: &str) -> Result<Self, String> {
        if let Some((x, y)) = text.split_once(',') {
            let number = |text: &str| {
                text.trim()
                    .parse()
                    .map_err(|_| format!("{text:?} is not a number of pixels"))
            };
            return Ok(Self::At(Point {
                x: number(x)?,
                y: number(y)?,
            }));
        }
        text.parse().map(Self::Corner)
    }
}

/// A point in pixels.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Point {
    /// To the right.
    pub x: i32,
    /// Downwards.
    pub y: i32,
}

/// The nine places.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
#[allow(missing_docs)] // what they say
pub enum Corner {
    TopLeft,
    #[serde(alias = "top-center")]
    Top,
    TopRight,
    #[serde(alias = "center-left")]
    Left,
    #[serde(alias = "centre", alias = "middle")]
    Center,
    #[serde(alias = "center-right")]
    Right,
    BottomLeft,
    #[serde(alias = "bottom-center")]
    Bottom,
    BottomRight,
}

impl Place {
    /// The left upper corner of an image of a size on a picture of a size.
    pub(crate) fn corner(self, image: (i64, i64), picture: (i64, i64), margin: u32) -> (i64, i64) {
        let margin = i64::from(margin);
        let near = margin;
        let middle = |image: i64, picture: i64| (picture - image) / 2;
        let far = |image: i64, picture: i64| picture - image - margin;
        let (image_x, image_y) = image;
        let (width, height) = picture;
        let place = match self {
            Self::At(point) => {
                let from = |at: i32, image: i64, whole: i64| match i64::from(at) {
                    at @ 0.. => at,
                    at => whole - image + at,
                };
                return (
                    from(point.x, image_x, width),
                    from(point.y, image_y, height),
                );
            }
            Self::Corner(place) => place,
        };
        let x = match place {
            Corner::TopLeft | Corner::Left | Corner::BottomLeft => near,
            Corner::Top | Corner::Center | Corner::Bottom => middle(image_x, width),
            Corner::TopRight | Corner::Right | Corner::BottomRight => far(image_x, width),
        };
        let y = match place {
            Corner::TopLeft | Corner::Top | Corner::TopRight => near,
            Corner::Left | Corner::Center | Corner::Right => middle(image_y, height),
            Corner::BottomLeft | Corner::Bottom | Corner::BottomRight => far(image_y, height),
        };
        (x, y)
    }
}
