//! SQS's JSON protocol: signed requests, answers and refusals.
//!
//! The same credentials, and the same renewal of them, as for buckets: those of
//! `object_store`, whose signature of version 4 serves any service.
//! <https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-making-api-requests-json.html>

use std::time::Duration;

use bytes::Bytes;
use object_store::aws::{AmazonS3Builder, AwsAuthorizer, AwsCredentialProvider};
use object_store::client::{HttpRequest, HttpRequestBody};
use reqwest::header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use serde_json::Value;
use tokio::time::timeout;
use url::Url;

use super::Options;
use crate::aws::sign_in;
use crate::queue::{Error, Result};

const CONNECT: Duration = Duration::from_secs(4);

/// No answer takes as long, beside the time that was asked to wait for messages.
const ANSWER: Duration = Duration::from_secs(8);

/// A message's body has 1 MiB at most, and JSON may write a byte as six; ten of
/// them come at once.
const LONGEST_ANSWER: usize = 64 << 20;

/// By which SQS asks to come again later.
const PASSING: [&str; 6] = [
    "RequestThrottled",
    "ThrottlingException",
    "Throttling",
    "ServiceUnavailable",
    "InternalFailure",
    "InternalError",
];

/// The service as this process sees it.
pub(super) struct Client {
    http: reqwest::Client,
    credentials: AwsCredentialProvider,
    region: String,
    endpoint: Url,
    /// The queue, for messages.
    name: String,
}

/// Why a call failed.
pub(super) enum Failure {
    /// SQS will not, and says so.
    Said {
        /// As `ReceiptHandleIsInvalid`.
        code: String,
        text: String,
    },
    /// Anything else, as the contract has it.
    Error(Error),
}

impl Client {
    pub(super) fn new(options: &Options) -> Result<Self> {
        // The first provider that is installed stays; all are ring here.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let queue = options.url.as_str();
        let refused = |reason: String| Error::Refused {
            queue: format!("sqs queue {queue}"),
            reason,
            source: None,
        };
        let address = options.endpoint.as_deref().unwrap_or(queue);
        let mut endpoint = Url::parse(address)
            .ok()
            .filter(|url| url.has_host() && matches!(url.scheme(), "http" | "https"))
            .ok_or_else(|| {
                refused(
                    "the address is not understood; it must be as \
                     https://sqs.us-east-1.amazonaws.com/123456789012/jobs"
                        .to_owned(),
                )
            })?;
        endpoint.set_path("/");
        endpoint.set_query(None);
        let http = reqwest::Client::builder()
            .connect_timeout(CONNECT)
            .redirect(reqwest::redirect::Policy::none())
            .build()
            .map_err(|error| refused(format!("no HTTP client: {error}")))?;
        let access = &options.access;
        let builder = AmazonS3Builder::new()
            // Of its bucket nothing is ever asked.
            .with_bucket_name("unused")
            .with_region(&access.region);
        let signed_in = sign_in(builder, access.keys.as_ref(), &access.identity)
            .build()
            .map_err(|error| refused(format!("no credentials: {error}")))?;
        Ok(Self {
            http,
            credentials: signed_in.credentials().clone(),
            region: access.region.clone(),
            endpoint,
            name: format!("sqs queue {queue}"),
        })
    }

    /// Calls `action`; `waits` is how long SQS was asked to wait for messages.
    pub(super) async fn call(
        &self,
        action: &str,
        body: &Value,
        waits: Duration,
    ) -> Result<Value, Failure> {
        let calling = async {
            let body = Bytes::from(body.to_string());
            let headers = self.signed(action, &body).await?;
            let sent = self.http.post(self.endpoint.clone());
            let answer = sent.headers(headers).body(body).send();
            let answer = answer.await.map_err(|error| self.broken(&error))?;
            self.read(answer).await
        };
        timeout(ANSWER + waits, calling)
            .await
            .unwrap_or_else(|_| Err(self.away("no answer in time").into()))
    }

    async fn signed(&self, action: &str, body: &Bytes) -> Result<HeaderMap, Failure> {
        let credentials = self.credentials.get_credential().await.map_err(|error| {
            let text = error.to_string();
            let line = text.lines().next().unwrap_or_default();
            self.away(&format!("no credentials: {line}"))
        })?;
        let unsigned = |()| Failure::from(self.away("the request cannot be signed"));
        let mut request = HttpRequest::new(HttpRequestBody::from(body.clone()));
        *request.method_mut() = reqwest::Method::POST;
        *request.uri_mut() = self.endpoint.as_str().parse().map_err(|_| unsigned(()))?;
        let target = HeaderValue::from_str(&format!("AmazonSQS.{action}"));
        let target = target.map_err(|_| unsigned(()))?;
        let json = HeaderValue::from_static("application/x-amz-json-1.0");
        let headers = request.headers_mut();
        headers.insert(HeaderName::from_static("x-amz-target"), target);
        headers.insert(CONTENT_TYPE, json);
        AwsAuthorizer::new(&credentials, "sqs", &self.region)
            .try_authorize(&mut request, None)
            .map_err(|_| unsigned(()))?;
        Ok(request.headers().clone())
    }

    async fn read(&self, mut answer: reqwest::Response) -> Result<Value, Failure> {
        let status = answer.status();
        let mut body = Vec::new();
        while let Some(chunk) = answer.chunk().await.map_err(|error| self.broken(&error))? {
            if body.len() + chunk.len() > LONGEST_ANSWER {
                return Err(self.away("its answer does not end").into());
            }
            body.extend_from_slice(&chunk);
        }
        let value: Value = serde_json::from_slice(&body).unwrap_or_default();
        if status.is_success() {
            return Ok(value);
        }
        let text = |name: &str| value.get(name).and_then(Value::as_str);
        let code = text("__type").unwrap_or_default();
        let code = code.rsplit('#').next().unwrap_or_default();
        if status.is_server_error() || code.is_empty() || PASSING.contains(&code) {
            return Err(self.away(&format!("it answers {status} {code}")).into());
        }
        let text = text("message").or(text("Message")).unwrap_or_default();
        Err(Failure::Said {
            code: code.to_owned(),
            text: text.lines().next().unwrap_or_default().to_owned(),
        })
    }

    /// What SQS said, as the contract has it.
    pub(super) fn error(&self, failure: Failure) -> Error {
        match failure {
            Failure::Error(error) => error,
            Failure::Said { code, text } => {
                let remedy = remedy(&code);
                self.refused(format!("{code}: {text}{remedy}"))
            }
        }
    }

    pub(super) fn refused(&self, reason: String) -> Error {
        Error::Refused {
            queue: self.name.clone(),
            reason,
            source: None,
        }
    }

    pub(super) fn away(&self, reason: &str) -> Error {
        Error::Away {
            queue: self.name.clone(),
            reason: reason.to_owned(),
            source: None,
        }
    }

    fn broken(&self, error: &reqwest::Error) -> Failure {
        let reason = if error.is_connect() {
            "no connection"
        } else if error.is_timeout() {
            "no answer in time"
        } else {
            "the connection broke"
        };
        self.away(reason).into()
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Error(error)
    }
}

fn remedy(code: &str) -> &'static str {
    match code {
        "QueueDoesNotExist" | "AWS.SimpleQueueService.NonExistentQueue" => {
            "; see AWS_SQS_QUEUE_URL and AWS_REGION"
        }
        "AccessDenied" | "AccessDeniedException" => {
            "; it needs sqs:ReceiveMessage, DeleteMessage, ChangeMessageVisibility, \
             GetQueueAttributes, GetQueueUrl and SendMessage"
        }
        "InvalidClientTokenId" | "SignatureDoesNotMatch" | "UnrecognizedClientException" => {
            "; see AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and this host's clock"
        }
        _ => "",
    }
}
