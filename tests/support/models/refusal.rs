//! Errors, in OpenAI's words as users have reported them.

use serde_json::{Value, json};

use super::profile::Shape;

/// A request that is refused.
#[derive(Debug, Clone)]
pub struct Refusal {
    pub status: u16,
    pub message: String,
    pub kind: &'static str,
    pub param: Option<&'static str>,
    pub code: Option<&'static str>,
    pub headers: Vec<(&'static str, String)>,
}

impl Refusal {
    pub fn invalid(message: impl Into<String>) -> Self {
        Self {
            status: 400,
            message: message.into(),
            kind: "invalid_request_error",
            param: None,
            code: None,
            headers: Vec::new(),
        }
    }

    pub fn about(self, param: &'static str) -> Self {
        Self {
            param: Some(param),
            ..self
        }
    }

    pub fn code(self, code: &'static str) -> Self {
        Self {
            code: Some(code),
            ..self
        }
    }

    pub fn status(self, status: u16) -> Self {
        Self { status, ..self }
    }

    pub fn kind(self, kind: &'static str) -> Self {
        Self { kind, ..self }
    }

    pub fn no_key() -> Self {
        Self::invalid(
            "You didn't provide an API key. You need to provide your API key in an Authorization \
             header using Bearer auth (i.e. Authorization: Bearer YOUR_KEY).",
        )
        .status(401)
    }

    /// The middle of a wrong key is starred.
    pub fn wrong_key(key: &str) -> Self {
        let ends = key.get(..8).zip(key.get(key.len().saturating_sub(4)..));
        let shown = match ends {
            Some((first, last)) if key.len() > 12 => {
                format!("{first}{}{last}", "*".repeat(key.len() - 12))
            }
            _ => "***".to_owned(),
        };
        Self::invalid(format!(
            "Incorrect API key provided: {shown}. You can find your API key at \
             https://platform.openai.com/account/api-keys."
        ))
        .status(401)
        .code("invalid_api_key")
    }

    pub fn no_model(model: &str) -> Self {
        Self::invalid(format!(
            "The model `{model}` does not exist or you do not have access to it."
        ))
        .status(404)
        .code("model_not_found")
    }

    pub fn quota() -> Self {
        Self::invalid(
            "You exceeded your current quota, please check your plan and billing details. For \
             more information on this error, read the docs: \
             https://platform.openai.com/docs/guides/error-codes/api-errors.",
        )
        .status(429)
        .kind("insufficient_quota")
        .code("insufficient_quota")
    }

    pub fn server_error() -> Self {
        Self::invalid(
            "The server had an error while processing your request. Sorry about that! You can \
             retry your request, or contact us through our help center at help.openai.com if the \
             error persists.",
        )
        .status(500)
        .kind("server_error")
    }

    pub fn overloaded() -> Self {
        Self::invalid("The engine is currently overloaded, please try again later")
            .status(503)
            .kind("server_error")
    }

    pub fn missing(param: &'static str) -> Self {
        Self::invalid(format!("Missing required parameter: '{param}'."))
            .about(param)
            .code("missing_required_parameter")
    }

    pub fn unknown(argument: &str) -> Self {
        Self::invalid(format!(
            "Unrecognized request argument supplied: {argument}"
        ))
    }

    pub fn body(&self, shape: Shape) -> Value {
        let message = &self.message;
        match shape {
            Shape::OpenAi => json!({"error": {
                "message": message, "type": self.kind, "param": self.param, "code": self.code,
            }}),
            Shape::Flat => json!({
                "object": "error", "message": message, "type": "BadRequestError", "param": null,
                "code": self.status,
            }),
            Shape::Text => json!({"error": message}),
            Shape::Detail => json!({"detail": [{"loc": ["body"], "msg": message}]}),
        }
    }
}
