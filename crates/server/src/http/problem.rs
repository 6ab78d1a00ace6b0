//! Errors on the wire: the one place where a kind becomes a status code. A failure of the server's own is logged
//! here, once, under the id that the reply shows.

use axum::{
    Json,
    http::{
        HeaderValue, StatusCode,
        header::{CONTENT_TYPE, RETRY_AFTER},
    },
    response::{IntoResponse, Response},
};
use roadstead_api::Problem;

use crate::{Error, ErrorKind};

/// An error as a response.
pub fn problem_response(error: &Error, request_id: Option<String>) -> Response {
    let (status, kind, title) = words(error.kind);
    if matches!(error.kind, ErrorKind::Backend(_)) {
        tracing::info!(request_id, error = error.chain(), "a backend did not do what was asked");
    } else if status.is_server_error() {
        tracing::error!(request_id, error = error.chain(), "a request failed");
    }
    let problem = Problem {
        kind: kind.to_owned(),
        title: title.to_owned(),
        status: status.as_u16(),
        detail: error.to_string(),
        request_id,
    };
    let mut response = (status, Json(problem)).into_response();
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(Problem::MEDIA_TYPE));
    if let Some(wait) = error.retry_after {
        let seconds = wait.as_secs() + u64::from(wait.subsec_nanos() > 0);
        response.headers_mut().insert(RETRY_AFTER, HeaderValue::from(seconds));
    }
    response
}

fn words(kind: ErrorKind) -> (StatusCode, &'static str, &'static str) {
    match kind {
        ErrorKind::Invalid => (StatusCode::BAD_REQUEST, "invalid", "The request is wrong"),
        ErrorKind::Unauthorized => {
            (StatusCode::UNAUTHORIZED, "unauthorized", "Credentials are missing or wrong")
        }
        ErrorKind::Forbidden => (StatusCode::FORBIDDEN, "forbidden", "That is not allowed"),
        ErrorKind::NotFound => (StatusCode::NOT_FOUND, "not_found", "There is no such thing"),
        ErrorKind::MethodNotAllowed => {
            (StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed", "The method does not fit the path")
        }
        ErrorKind::Conflict => (StatusCode::CONFLICT, "conflict", "Something stands against it"),
        ErrorKind::Running => (StatusCode::CONFLICT, "running", "It is being carried out"),
        ErrorKind::KeyReused => {
            (StatusCode::UNPROCESSABLE_ENTITY, "idempotency_key_reused", "The key stands for another request")
        }
        ErrorKind::TooLarge => (StatusCode::PAYLOAD_TOO_LARGE, "too_large", "The body is too large"),
        ErrorKind::Full => (StatusCode::INSUFFICIENT_STORAGE, "full", "There is no room left"),
        ErrorKind::TooMany => (StatusCode::TOO_MANY_REQUESTS, "too_many", "Too many tries"),
        ErrorKind::Unavailable => (StatusCode::SERVICE_UNAVAILABLE, "unavailable", "Not just now"),
        ErrorKind::Backend(kind) => backend_words(kind),
        ErrorKind::Internal => (StatusCode::INTERNAL_SERVER_ERROR, "internal", "The server failed"),
    }
}

/// What a backend did not do. Where somebody has to change something first it is 422, else a fault of the far side.
fn backend_words(kind: roadstead_providers::ErrorKind) -> (StatusCode, &'static str, &'static str) {
    use roadstead_providers::ErrorKind as Kind;
    const TO_BE_MENDED: StatusCode = StatusCode::UNPROCESSABLE_ENTITY;
    match kind {
        Kind::WrongCredentials => {
            (TO_BE_MENDED, "wrong_credentials", "The backend does not take the credentials")
        }
        Kind::MissingRights => (TO_BE_MENDED, "missing_rights", "The credentials do not allow it"),
        Kind::HostKeyChanged => (TO_BE_MENDED, "host_key_changed", "The host shows another key"),
        Kind::ForbiddenAddress => (TO_BE_MENDED, "forbidden_address", "The address is not talked to"),
        Kind::Unsupported => (TO_BE_MENDED, "unsupported", "The provider cannot do that"),
        Kind::RateLimited => {
            (StatusCode::SERVICE_UNAVAILABLE, "rate_limited", "The backend was asked too often")
        }
        Kind::Timeout => (StatusCode::GATEWAY_TIMEOUT, "timeout", "The backend took too long"),
        Kind::Unreachable => (StatusCode::BAD_GATEWAY, "unreachable", "The backend cannot be reached"),
        _ => (StatusCode::BAD_GATEWAY, "backend_failed", "The backend failed"),
    }
}
