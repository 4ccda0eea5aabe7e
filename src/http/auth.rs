//! Who may ask: whoever knows `API_TOKEN`.

use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::http::header::{AUTHORIZATION, WWW_AUTHENTICATE};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use subtle::ConstantTimeEq;

use super::failure::Failure;
use crate::config::Secret;

/// Lets through what bears the token; everything where there is none.
pub async fn guard(State(token): State<Option<Secret>>, request: Request, next: Next) -> Response {
    let allowed = token.is_none_or(|token| bears(&request, &token));
    if allowed {
        return next.run(request).await;
    }
    let failure = Failure::new(
        StatusCode::UNAUTHORIZED,
        "this needs the header `Authorization: Bearer` with the API_TOKEN",
    );
    ([(WWW_AUTHENTICATE, "Bearer")], failure).into_response()
}

/// In constant time, so that no answer's delay tells how much of a guess is right.
fn bears(request: &Request, token: &Secret) -> bool {
    let Some(value) = request.headers().get(AUTHORIZATION) else {
        return false;
    };
    let value = value.as_bytes();
    let Some((scheme, given)) = value.split_at_checked("Bearer ".len()) else {
        return false;
    };
    scheme.eq_ignore_ascii_case(b"Bearer ") && bool::from(given.ct_eq(token.expose().as_bytes()))
}

#[cfg(test)]
mod tests {
    use axum::body::Body;

    use super::*;
    use crate::config::Variables;

    #[test]
    fn only_the_whole_token_opens() {
        let token = Variables::of([("API_TOKEN", "hunter2")]).secret("API_TOKEN");
        let token = token.unwrap();
        let bears = |value: Option<&str>| {
            let mut request = Request::new(Body::empty());
            if let Some(value) = value {
                let value = value.parse().unwrap();
                request.headers_mut().insert(AUTHORIZATION, value);
            }
            super::bears(&request, &token)
        };
        assert!(bears(Some("Bearer hunter2")));
        assert!(bears(Some("bearer hunter2")));
        for wrong in [
            "",
            "hunter2",
            "Bearer ",
            "Bearer hunter",
            "Bearer hunter22",
            "Basic hunter2",
        ] {
            assert!(!bears(Some(wrong)), "{wrong}");
        }
        assert!(!bears(None));
    }
}
