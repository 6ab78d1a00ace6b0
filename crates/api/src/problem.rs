//! Errors as they cross the wire: RFC 9457 problem details, `application/problem+json`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What went wrong with a request.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Problem {
    /// A stable word for programs, such as `not_found` or `conflict`.
    #[serde(rename = "type")]
    pub kind: String,
    /// The same for people, in few words.
    pub title: String,
    /// The HTTP status code.
    pub status: u16,
    /// What happened in this case, and what to do about it.
    pub detail: String,
    /// The id under which the server's log has this request.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request_id: Option<String>,
}

impl Problem {
    /// The media type of a problem.
    pub const MEDIA_TYPE: &'static str = "application/problem+json";
}

impl std::fmt::Display for Problem {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.detail)
    }
}

impl std::error::Error for Problem {}
