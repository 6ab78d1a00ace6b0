//! Errors on the wire: the one place where a kind becomes a status code. A failure of the server's own is logged
//! here, once, under the id that the reply shows.

use axum::{
    Json,
    http::{HeaderValue, StatusCode, header::CONTENT_TYPE},
    response::{IntoResponse, Response},
};
use roadstead_api::Problem;

use crate::{Error, ErrorKind};

/// An error as a response.
pub fn problem_response(error: &Error, request_id: Option<String>) -> Response {
    let (status, kind, title) = words(error.kind);
    if status.is_server_error() {
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
        ErrorKind::TooLarge => (StatusCode::PAYLOAD_TOO_LARGE, "too_large", "The body is too large"),
        ErrorKind::Full => (StatusCode::INSUFFICIENT_STORAGE, "full", "There is no room left"),
        ErrorKind::TooMany => (StatusCode::TOO_MANY_REQUESTS, "too_many", "Too many tries"),
        ErrorKind::Unavailable => (StatusCode::SERVICE_UNAVAILABLE, "unavailable", "Not just now"),
        ErrorKind::Internal => (StatusCode::INTERNAL_SERVER_ERROR, "internal", "The server failed"),
    }
}
