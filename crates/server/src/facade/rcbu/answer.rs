//! What the service answers: JSON, bare text, or a status alone; and faults.

use axum::{
    Json,
    http::StatusCode,
    response::{IntoResponse, Response},
};
use serde_json::{Value, json};

use crate::{Error, http::problem_response};

/// An answer that is no fault.
#[derive(Debug)]
pub enum Answer {
    /// 200 with JSON.
    Json(Value),
    /// 200 with a text as it is.
    Text(String),
    /// 200 with nothing.
    Empty,
    /// 204.
    NoContent,
}

impl Answer {
    /// The answer as a response.
    pub fn into_response(self) -> Response {
        match self {
            Self::Json(value) => Json(value).into_response(),
            Self::Text(text) => text.into_response(),
            Self::Empty => StatusCode::OK.into_response(),
            Self::NoContent => StatusCode::NO_CONTENT.into_response(),
        }
    }
}

/// An error as the service's clients expect it: they look at the status code alone.
pub fn fault(error: &Error) -> Response {
    // One place knows which status a kind becomes, and logs failures of our own.
    let status = problem_response(error, None).status();
    (status, Json(body(status, &error.message))).into_response()
}

fn body(status: StatusCode, message: &str) -> Value {
    json!({ "fault": { "code": status.as_u16(), "message": message } })
}
