//! A request, read as kindly as those clients need: whatever the method and the content type, a body is JSON, and what
//! it does not say may be in the query.

use std::net::IpAddr;

use axum::{
    RequestExt,
    body::to_bytes,
    extract::{Path, Query, Request},
};
use serde_json::{Map, Value};

use crate::{Error, ErrorKind, Result, http};

/// How large a body may be, in bytes.
const MAX_BODY: usize = 1 << 20;

/// A request, decoded.
pub struct Asked {
    /// Its method, in capitals.
    pub method: String,
    /// The address that it comes from.
    pub source: Option<IpAddr>,
    path: String,
    given: Map<String, Value>,
}

impl Asked {
    /// Reads a request.
    pub async fn of(mut request: Request) -> Result<Self> {
        let method = request.method().as_str().to_owned();
        let source = http::source(request.extensions());
        let path = request.extract_parts::<Path<String>>().await;
        let Path(path) =
            path.map_err(|e| Error::not_found(format!("The path names nothing: {}", e.body_text())))?;
        let query = Query::<Map<String, Value>>::try_from_uri(request.uri());
        let Query(mut given) =
            query.map_err(|e| Error::invalid(format!("The query is wrong: {}", e.body_text())))?;
        let body = to_bytes(request.into_body(), MAX_BODY).await.map_err(|e| {
            let message = format!("The body is broken off, or larger than {MAX_BODY} bytes.");
            Error::new(ErrorKind::TooLarge, message).caused_by(e)
        })?;
        if !body.trim_ascii().is_empty() {
            let body: Value = serde_json::from_slice(&body)
                .map_err(|e| Error::invalid(format!("The body is not JSON: {e}")).caused_by(e))?;
            match body {
                Value::Object(body) => given.extend(body),
                Value::Null => {}
                _ => return Err(Error::invalid("The body must be a JSON object.")),
            }
        }
        Ok(Self { method, source, path, given })
    }

    /// Whether it is this call.
    pub fn is(&self, method: &str, segments: &[&str]) -> bool {
        self.method == method && self.segments() == segments
    }

    /// The segments of the path below `/mist`.
    pub fn segments(&self) -> Vec<&str> {
        self.path.split('/').filter(|segment| !segment.is_empty()).collect()
    }

    /// The text of a parameter, without the space around it. Numbers count as text; null and nothing as absent.
    pub fn text(&self, name: &str) -> Option<String> {
        let text = match self.given.get(name)? {
            Value::String(text) => text.trim().to_owned(),
            Value::Number(number) => number.to_string(),
            _ => return None,
        };
        (!text.is_empty()).then_some(text)
    }

    /// The text of a parameter that has to be there.
    pub fn required(&self, name: &str) -> Result<String> {
        self.text(name).ok_or_else(|| Error::invalid(format!("The parameter {name} is missing.")))
    }

    /// Whether a parameter is given as true.
    pub fn is_true(&self, name: &str) -> bool {
        match self.given.get(name) {
            Some(Value::Bool(yes)) => *yes,
            Some(Value::String(text)) => ["true", "1"].contains(&text.trim().to_lowercase().as_str()),
            Some(Value::Number(number)) => number.as_i64() == Some(1),
            _ => false,
        }
    }

    /// The texts of a parameter that is a list; of a text that is none, that one.
    pub fn list(&self, name: &str) -> Vec<String> {
        match self.given.get(name) {
            Some(Value::Array(items)) => items
                .iter()
                .filter_map(Value::as_str)
                .map(str::trim)
                .filter(|s| !s.is_empty())
                .map(str::to_owned)
                .collect(),
            _ => self.text(name).into_iter().collect(),
        }
    }

    /// Everything that was given.
    pub fn given(&self) -> &Map<String, Value> {
        &self.given
    }
}

#[cfg(test)]
mod tests {
    use axum::{Router, body::Body, http::Request, routing::any};
    use tower::ServiceExt as _;

    use super::Asked;

    async fn asked(method: &str, target: &str, body: &str) -> String {
        let answer = async |request: axum::extract::Request| match Asked::of(request).await {
            Ok(asked) => format!("{} {:?} {:?}", asked.method, asked.segments(), asked.text("x")),
            Err(error) => error.to_string(),
        };
        let router = Router::new().route("/mist/{*path}", any(answer));
        let request =
            Request::builder().method(method).uri(target).body(Body::from(body.to_owned())).unwrap();
        let response = router.oneshot(request).await.unwrap();
        let body = axum::body::to_bytes(response.into_body(), 1 << 20).await.unwrap();
        String::from_utf8(body.to_vec()).unwrap()
    }

    #[tokio::test]
    async fn bodies_come_with_any_method_and_in_any_state() {
        for (method, target, body, read) in [
            ("GET", "/mist/backends", "", r#"GET ["backends"] None"#),
            ("GET", "/mist/a%20b/c/", r#"{"x": " y "}"#, r#"GET ["a b", "c"] Some("y")"#),
            ("DELETE", "/mist/a?x=1", "null", r#"DELETE ["a"] Some("1")"#),
            ("PUT", "/mist/a?x=1", r#"{"x": 22}"#, r#"PUT ["a"] Some("22")"#),
            ("POST", "/mist/a", r#"{"x": null}"#, r#"POST ["a"] None"#),
        ] {
            assert_eq!(asked(method, target, body).await, read);
        }
        for body in ["[]", "\"x\"", "7"] {
            assert_eq!(asked("POST", "/mist/a", body).await, "The body must be a JSON object.");
        }
        assert!(asked("POST", "/mist/a", "{").await.starts_with("The body is not JSON"));
    }
}
