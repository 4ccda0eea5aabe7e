//! JSON Schema of the operations: of values that are more than one JSON type, and
//! of what goes together.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde_json::{Value, json};

use super::{BitRate, FrameRate, Moment, PixelFormat, Resolution};

/// A type that reads itself from a text or a number.
macro_rules! written {
    ($($kind:ty, $name:literal, $schema:tt;)+) => {$(
        impl JsonSchema for $kind {
            fn schema_name() -> Cow<'static, str> {
                $name.into()
            }

            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                json_schema!($schema)
            }
        }
    )+};
}

written! {
    BitRate, "BitRate", {
        "description": "Bits a second, 1000 at least: a number, or a text as 1000k or 2.5M.",
        "examples": ["1000k", "2.5M", 1_000_000],
        "oneOf": [
            {"type": "string", "pattern": r"^\s*[0-9.]+[kKmMgG]?\s*$"},
            {"type": "number", "minimum": 1e3, "maximum": 1e12},
        ],
    };
    FrameRate, "FrameRate", {
        "description": "Frames a second, 0.01 to 1000: a number, or a text as 30000/1001. 23.976, \
                        29.97 and 59.94 are NTSC's.",
        "examples": [25, 29.97, "30000/1001"],
        "oneOf": [
            {"type": "string", "pattern": r"^\s*[0-9.]+(/[0-9]+)?\s*$"},
            {"type": "number", "minimum": 0.01, "maximum": 1000},
        ],
    };
    Moment, "Moment", {
        "description": "A time on the timeline or a distance on it: seconds, a text as 00:01:02.5, \
                        90s or 250ms, or a part of the whole, as 50%.",
        "examples": [12.5, "00:01:02.500", "250ms", "50%"],
        "oneOf": [
            {"type": "string", "pattern": "^\\s*[0-9][0-9.:]*\\s*(%|ms|s|m|h)?\\s*$"},
            {"type": "number", "minimum": 0, "maximum": 366 * 86_400},
        ],
    };
    PixelFormat, "PixelFormat", {
        "description": "FFmpeg's name of a pixel format.",
        "examples": ["yuv420p", "yuv422p10le"],
        "type": "string",
    };
    Resolution, "Resolution", {
        "description": "Width and height in pixels, 1 to 16384; the one that is left out follows \
                        from the picture's shape.",
        "examples": ["1920x1080", "x720", "1280x"],
        "type": "string",
        "pattern": r"^\s*([0-9]+[xX]([0-9]+|\?|-[12])?|(\?|-[12])?[xX][0-9]+)\s*$",
    };
    Container, "Container", {
        "description": "A container.",
        "type": "string",
        "enum": CONTAINERS.map(crate::Container::extension),
    };
}

const CONTAINERS: [crate::Container; 6] = [
    crate::Container::Mp4,
    crate::Container::Mov,
    crate::Container::Avi,
    crate::Container::Mkv,
    crate::Container::WebM,
    crate::Container::Ts,
];

/// Stands for [`crate::Container`], which a field writes by its name.
pub(super) struct Container;

/// Options may be left out where no option must be given.
pub(super) fn operation(schema: &mut Schema) {
    for variant in list(schema, "oneOf") {
        let optional = ["transcode", "convert", "compress", "thumbnail"];
        let kind = variant.pointer("/properties/type/const");
        if kind
            .and_then(Value::as_str)
            .is_some_and(|kind| optional.contains(&kind))
        {
            variant["required"] = json!(["type"]);
        }
        variant["additionalProperties"] = json!(false);
    }
}

pub(super) fn transcode(schema: &mut Schema) {
    not_both(schema, &["bitrate", "crf"]);
}

pub(super) fn compress(schema: &mut Schema) {
    not_both(schema, &["crf", "quality", "targetBytes", "targetSsim"]);
}

pub(super) fn trim(schema: &mut Schema) {
    not_both(schema, &["end", "duration"]);
    let any = ["start", "end", "duration"].map(|name| json!({"required": [name]}));
    schema.insert("anyOf".to_owned(), json!(any));
}

/// Its pictures have no bars.
pub(super) fn thumbnail(schema: &mut Schema) {
    not_both(schema, &["timestamps", "count"]);
    list(schema, "allOf").push(json!({"properties": {"fit": {"not": {"const": "pad"}}}}));
}

/// At most one of these fields.
fn not_both(schema: &mut Schema, fields: &[&str]) {
    for (index, one) in fields.iter().enumerate() {
        for other in fields.iter().skip(index + 1) {
            list(schema, "allOf").push(json!({"not": {"required": [one, other]}}));
        }
    }
}

/// The array at `name`; a new one where there is none.
fn list<'a>(schema: &'a mut Schema, name: &str) -> &'a mut Vec<Value> {
    let value = schema
        .ensure_object()
        .entry(name)
        .or_insert_with(|| json!([]));
    if !value.is_array() {
        *value = json!([]);
    }
    match value {
        Value::Array(list) => list,
        _ => unreachable!("it was made an array"),
    }
}
