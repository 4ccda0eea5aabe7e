//! What a list of operations must be, and which images it names.

use flatbed_media::render::Operation;
use serde_json::Value;

/// More operations than anybody needs: a bound on what one request can ask for.
const MOST: usize = 32;

/// The operations in `json`. The error names the operation and the field.
pub fn check(json: &Value) -> Result<Vec<Operation>, String> {
    let Value::Array(list) = json else {
        return Err("operations: expected an array of {\"type\", \"options\"}".to_owned());
    };
    if list.is_empty() || list.len() > MOST {
        return Err(format!(
            "operations: expected 1 to {MOST} of them, not {}",
            list.len()
        ));
    }
    Operation::list(&json.to_string()).map_err(|error| error.to_string())
}

/// The images that watermarks name: ids of uploads, or keys.
pub fn images(operations: &[Operation]) -> impl Iterator<Item = &str> {
    operations.iter().filter_map(|operation| match operation {
        Operation::Watermark(watermark) => Some(watermark.image.as_str()),
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_is_wrong_is_named() {
        for (list, expected) in [
            (json!({}), "expected an array"),
            (json!([]), "1 to 32"),
            (json!([{"type": "explode"}]), "operation 1"),
            (
                json!([{"type": "trim", "options": {"start": 1}},
                       {"type": "transcode", "options": {"bitrat": "1M"}}]),
                "operation 2: transcode: unknown field `bitrat`",
            ),
        ] {
            let error = check(&list).unwrap_err();
            assert!(
                error.starts_with("operations: ") && error.contains(expected),
                "{error}"
            );
        }
        let list = json!([{"type": "watermark", "options": {"image": "logo.png"}}]);
        let operations = check(&list).unwrap();
        assert_eq!(images(&operations).collect::<Vec<_>>(), ["logo.png"]);
    }
}
