//! Metrics: requests, tokens, sound, cost, retries.

use std::time::Duration;

use flatbed::client::models::{Config, Dollars, Models, Prices};
use flatbed::telemetry::Metrics;

use super::fixture::{config, picture, sound};
use crate::metrics::promtool;
use crate::support::models::{Fault, ModelServer, Profile};

#[tokio::test]
async fn calls_are_counted() {
    let server = ModelServer::start(Profile::default());
    let metrics = Metrics::new().unwrap();
    let config = Config {
        prices: Prices {
            audio_minute: Dollars(0.6),
            vision_input: Dollars(1000.0),
            vision_output: Dollars(2000.0),
            embedding: Dollars(500_000.0),
        },
        ..config(&server)
    };
    let client = Models::new(config, metrics.models()).unwrap();
    let headers = vec![("retry-after-ms", "20".to_owned())];
    server.fail(
        "embeddings",
        [Fault::RateLimited(headers), Fault::ServerError],
    );
    client.embed(&["four words are here"]).await.unwrap();
    server.fail("embeddings", [Fault::Quota]);
    client.embed(&["a"]).await.unwrap_err();
    client.transcribe(&sound(), None).await.unwrap();
    let caption = client.caption(&picture(1), None, None).await.unwrap();
    let text = metrics.render().unwrap();
    let value = |name: &str| -> f64 {
        let line = text.lines().find(|line| line.starts_with(name));
        let line = line.unwrap_or_else(|| panic!("no {name} in\n{text}"));
        line.rsplit(' ').next().unwrap().parse().unwrap()
    };
    let is = |name: &str, expected: f64| {
        let value = value(name);
        assert!(
            (value - expected).abs() < 1e-9,
            "{name}: {value}, not {expected}"
        );
    };
    is(
        r#"flatbed_model_requests_total{call="embed",outcome="ok"}"#,
        1.0,
    );
    is(
        r#"flatbed_model_requests_total{call="embed",outcome="rate_limited"}"#,
        1.0,
    );
    is(
        r#"flatbed_model_requests_total{call="embed",outcome="failing"}"#,
        1.0,
    );
    is(
        r#"flatbed_model_requests_total{call="embed",outcome="quota"}"#,
        1.0,
    );
    is(r#"flatbed_model_retries_total{call="embed"}"#, 2.0);
    is(
        r#"flatbed_model_tokens_total{call="embed",direction="in"}"#,
        5.0,
    );
    is(r#"flatbed_model_cost_dollars_total{call="embed"}"#, 2.5);
    is(
        r#"flatbed_model_request_duration_seconds_count{call="embed"}"#,
        4.0,
    );
    assert!(value(r#"flatbed_model_wait_seconds_total{call="embed"}"#) >= 0.02);
    is("flatbed_model_audio_seconds_total", 4.0);
    is(
        r#"flatbed_model_cost_dollars_total{call="transcribe"}"#,
        0.04,
    );
    let tokens = Duration::from_micros(1000 * caption.tokens.input + 2000 * caption.tokens.output);
    is(
        r#"flatbed_model_cost_dollars_total{call="caption"}"#,
        tokens.as_secs_f64(),
    );
    is(
        r#"flatbed_model_info{call="caption",model="gpt-4o-mini"}"#,
        1.0,
    );
    assert!(!text.contains(Profile::KEY));
    assert_eq!(promtool(&text), "", "of\n{text}");
}
