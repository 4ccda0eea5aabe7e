//! Codes and their words, as the guide has them.

/// Why something is not done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    pub code: &'static str,
    pub words: String,
}

impl Refusal {
    pub fn new(code: &'static str, words: impl Into<String>) -> Self {
        Self {
            code,
            words: words.into(),
        }
    }

    pub fn bad(words: impl Into<String>) -> Self {
        Self::new("2", words)
    }

    pub fn missing(words: impl Into<String>) -> Self {
        Self::new("128", words)
    }
}

/// What it says to a code.
pub fn words(code: &str) -> &'static str {
    match code {
        "0" => "Success",
        "2" => "Incorrect request parameter.",
        "6" => "Server is busy.",
        "8" => "This product version is not supported.",
        "17" => "No permission for OpenAPI access.",
        "64" => "User authentication failed.",
        "128" => "The requested resource does not exist.",
        "131" => "The requested resource already exists.",
        "132" => "The maximum number of resources reached.",
        "0x02401001" => "The partner of AppKey does not exist.",
        "0x02401003" => "Invalid signature.",
        "0x02401007" => "No permission. Contact the administrator.",
        "0x02401009" => "Maximum API calling attempts reached.",
        _ => "Unknown error.",
    }
}
