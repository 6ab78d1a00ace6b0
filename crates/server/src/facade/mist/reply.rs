//! What goes back: JSON, a file, or the word `OK`; and refusals as one line of plain text, which is what those clients show.

use axum::{
    Json,
    http::{
        HeaderValue, StatusCode,
        header::{CONTENT_DISPOSITION, CONTENT_TYPE, RETRY_AFTER, X_CONTENT_TYPE_OPTIONS},
    },
    response::{IntoResponse, Response},
};
use roadstead_providers::ErrorKind as ProviderErrorKind;
use serde_json::Value;

use crate::{Error, ErrorKind};

/// An answer.
pub enum Reply {
    /// It is done, and there is nothing to show.
    Done,
    /// This.
    Json(Value),
    /// A file to be kept under this name, which is plain letters, digits, dots and hyphens.
    File {
        /// Its name.
        name: String,
        /// What is in it.
        content: String,
    },
}

impl IntoResponse for Reply {
    fn into_response(self) -> Response {
        match self {
            Self::Done => "OK".into_response(),
            Self::Json(value) => Json(value).into_response(),
            Self::File { name, content } => {
                let disposition = format!("attachment; filename=\"{name}\"");
                let headers = [
                    (CONTENT_TYPE, "application/octet-stream"),
                    (CONTENT_DISPOSITION, disposition.as_str()),
                    (X_CONTENT_TYPE_OPTIONS, "nosniff"),
                ];
                (headers, content).into_response()
            }
        }
    }
}

/// An error as a response.
pub fn refusal(error: &Error) -> Response {
    let status = status(error.kind);
    if status == StatusCode::INTERNAL_SERVER_ERROR {
        tracing::error!(error = error.chain(), "a request failed");
    }
    let class = status.canonical_reason().unwrap_or("Error");
    let mut response = (status, format!("{class}: {error}")).into_response();
    if let Some(wait) = error.retry_after {
        response.headers_mut().insert(RETRY_AFTER, HeaderValue::from(wait.as_secs().max(1)));
    }
    response
}

fn status(kind: ErrorKind) -> StatusCode {
    match kind {
        ErrorKind::Invalid | ErrorKind::Backend(ProviderErrorKind::Unsupported) => StatusCode::BAD_REQUEST,
        ErrorKind::Unauthorized | ErrorKind::Backend(ProviderErrorKind::WrongCredentials) => {
            StatusCode::UNAUTHORIZED
        }
        ErrorKind::Forbidden | ErrorKind::Backend(ProviderErrorKind::MissingRights) => StatusCode::FORBIDDEN,
        ErrorKind::NotFound => StatusCode::NOT_FOUND,
        ErrorKind::MethodNotAllowed => StatusCode::METHOD_NOT_ALLOWED,
        ErrorKind::Conflict | ErrorKind::Running => StatusCode::CONFLICT,
        ErrorKind::KeyReused => StatusCode::UNPROCESSABLE_ENTITY,
        ErrorKind::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
        ErrorKind::Full => StatusCode::INSUFFICIENT_STORAGE,
        ErrorKind::TooMany => StatusCode::TOO_MANY_REQUESTS,
        ErrorKind::Unavailable | ErrorKind::Backend(_) => StatusCode::SERVICE_UNAVAILABLE,
        ErrorKind::Internal => StatusCode::INTERNAL_SERVER_ERROR,
    }
}
