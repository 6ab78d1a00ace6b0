//! A call of the API: who calls, which operation, with what body.

use std::sync::Arc;

use axum::{
    body::to_bytes,
    extract::Request,
    http::{HeaderMap, Method, header::CONTENT_TYPE},
};
use serde_json::Value;

use super::identity;
use crate::{Error, ErrorKind, Result, app::App, http::source, ops::Context};

/// How large a body may be, in bytes.
const MAX_BODY: usize = 1 << 20;
/// What a form is called.
const FORM: &str = "application/x-www-form-urlencoded";
/// First parts of paths; whatever else stands there is a tenant.
const NOUNS: [&str; 9] =
    ["agent", "user", "backup-configuration", "backup", "restore", "activity", "system", "cleanup", "help"];

/// A call, authenticated.
#[derive(Debug)]
pub struct Call {
    /// Who calls.
    pub context: Context,
    /// The method.
    pub method: Method,
    /// The parts of the path, without version and tenant.
    pub parts: Vec<String>,
    /// The body; null where there is none.
    pub body: Value,
}

impl Call {
    /// Reads a call; `path` is what comes after the version.
    pub async fn of(app: Arc<App>, path: &str, request: Request) -> Result<Self> {
        let (head, body) = request.into_parts();
        let token =
            head.headers.get("x-auth-token").and_then(|value| value.to_str().ok()).unwrap_or_default();
        let user = identity::user_of(&app, token).await?;
        let context = Context::new(app, user, source(&head.extensions));
        let mut parts: Vec<String> =
            path.split('/').filter(|part| !part.is_empty()).map(str::to_owned).collect();
        if parts.first().is_some_and(|part| !is_noun(part))
            && parts.remove(0) != context.account().to_string()
        {
            return Err(Error::forbidden("The path names another tenant than the token."));
        }
        if let Some(bare) = parts.last().and_then(|part| part.strip_suffix(".json")).map(str::to_owned) {
            parts.pop();
            parts.push(bare);
        }
        let too_large =
            |e| Error::new(ErrorKind::TooLarge, "The body is too large, or broke off.").caused_by(e);
        let bytes = to_bytes(body, MAX_BODY).await.map_err(too_large)?;
        let body = if bytes.trim_ascii().is_empty() || head.method == Method::GET {
            Value::Null
        } else {
            read(&head.headers, &bytes)?
        };
        Ok(Self { context, method: head.method, parts, body })
    }
}

/// A body: JSON, which some clients call a form, or the form that the documentation shows.
fn read(headers: &HeaderMap, bytes: &[u8]) -> Result<Value> {
    let called = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let kind = called.split(';').next().unwrap_or_default().trim();
    match serde_json::from_slice(bytes) {
        Err(_) if kind.eq_ignore_ascii_case(FORM) => Ok(form(bytes)),
        read => read.map_err(|e| Error::invalid("The body must be JSON.").caused_by(e)),
    }
}

/// The fields of a form, all of them texts. Of one that comes twice the last holds.
fn form(bytes: &[u8]) -> Value {
    let fields = form_urlencoded::parse(bytes);
    Value::Object(fields.map(|(name, value)| (name.into_owned(), value.into())).collect())
}

fn is_noun(part: &str) -> bool {
    NOUNS.iter().any(|noun| part.strip_suffix(".json").unwrap_or(part) == *noun)
}
