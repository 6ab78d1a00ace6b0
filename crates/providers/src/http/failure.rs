//! Tells failures apart: by status, by what the far side says, by what the connection did.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use reqwest::{StatusCode, header::HeaderMap};
use serde_json::Value;

use super::{date, redact::Redactor, tls};
use crate::error::{Error, ErrorKind};

/// A clock that is wrong by more than this is worth a word: signatures and tokens depend on it.
const MAX_CLOCK_SKEW: SignedDuration = SignedDuration::from_mins(4);

/// What a driver says of its far side.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Service {
    /// Its name in messages.
    pub(crate) name: &'static str,
    /// Reads the body of a refusal. [`Service::json`] does for most.
    pub(crate) complaint: fn(StatusCode, &[u8]) -> Complaint,
}

/// What the far side says of a refusal.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Complaint {
    /// Its words.
    pub(crate) message: Option<String>,
    /// What kind of failure it is, where its code tells more than the status.
    pub(crate) kind: Option<ErrorKind>,
}

impl Service {
    /// A service that words its refusals in JSON, in one of the usual places.
    pub(crate) const fn json(name: &'static str) -> Self {
        Self { name, complaint: json_complaint }
    }
}

/// Looks for words where most services put them: `message`, `error.message`, `errors[0].reason` and the like, or, as
/// OpenStack does, in the only object that there is.
fn json_complaint(_: StatusCode, body: &[u8]) -> Complaint {
    let message = serde_json::from_slice::<Value>(body).ok().and_then(|body| words(&body, 0));
    Complaint { message, kind: None }
}

fn words(value: &Value, depth: u8) -> Option<String> {
    const PLACES: [&str; 7] =
        ["message", "error", "errors", "reason", "detail", "error_description", "title"];
    match value {
        Value::String(text) if !text.trim().is_empty() => Some(text.clone()),
        Value::Object(members) if depth < 4 => {
            let named = PLACES.iter().find_map(|place| words(members.get(*place)?, depth + 1));
            let only =
                || members.values().find(|member| member.is_object()).and_then(|m| words(m, depth + 1));
            named.or_else(only)
        }
        Value::Array(items) if depth < 4 => items.iter().find_map(|item| words(item, depth + 1)),
        _ => None,
    }
}

/// A call that failed, and whether the same may succeed if it is made again.
#[derive(Debug)]
pub(super) struct Failure {
    pub(super) error: Error,
    pub(super) may_help: bool,
    /// The time by the far side's clock, if it told.
    pub(super) told: Option<Timestamp>,
}

impl Failure {
    /// A failure that will be the same the next time.
    pub(super) fn lasting(error: Error) -> Self {
        Self { error, may_help: false, told: None }
    }

    /// What became of a call that was not answered at all, or not to the end.
    pub(super) fn of_transport(service: &Service, call: &str, error: reqwest::Error) -> Self {
        if let Some(refusal) = tls::beneath(&error, |cause| cause.downcast_ref::<Error>()) {
            // The guard's own words, and what made it say so.
            let again = Error::new(refusal.kind(), format!("cannot reach {}: {refusal}", service.name));
            return Self::lasting(again);
        }
        if let Some(why) = tls::distrust(&error) {
            let message = format!("{} cannot be trusted: {why}", service.name);
            return Self::lasting(Error::new(ErrorKind::Untrusted, message).caused_by(error.without_url()));
        }
        let (kind, what, may_help) = if error.is_timeout() {
            (ErrorKind::Timeout, "took too long to answer", false)
        } else if error.is_connect() {
            (ErrorKind::Unreachable, "cannot be reached for", false)
        } else {
            (ErrorKind::Unreachable, "broke the connection off during", true)
        };
        let message = format!("{} {what} {call}", service.name);
        Self { error: Error::new(kind, message).caused_by(error.without_url()), may_help, told: None }
    }

    /// What became of a call that was answered with a refusal.
    pub(super) fn of_status(answer: Refusal<'_>, redactor: &Redactor) -> Self {
        let Refusal { service, call, status, headers, body } = answer;
        let complaint = (service.complaint)(status, body);
        let (by_status, may_help) = kind_of(status);
        let kind = complaint.kind.unwrap_or(by_status);
        let mut message = format!("{} answered {} to {call}", service.name, status.as_u16());
        if let Some(words) =
            complaint.message.as_deref().map(|words| redactor.clean(words)).filter(|w| !w.is_empty())
        {
            message = format!("{message}: {words}");
        }
        if matches!(kind, ErrorKind::WrongCredentials | ErrorKind::MissingRights)
            && let Some(skew) = clock_skew(headers, Timestamp::now())
        {
            message = format!("{message} (the clock of this server is {skew} the far side's; set it right)");
        }
        let error = match kind {
            ErrorKind::RateLimited => Error::rate_limited(message, asked_wait(headers)),
            kind => Error::new(kind, message),
        };
        // A code that tells what is wrong tells, too, that it stays wrong.
        let may_help = if complaint.kind.is_some() { kind == ErrorKind::RateLimited } else { may_help };
        Self { error, may_help, told: far_time(headers) }
    }
}

/// An answer that is no success.
pub(super) struct Refusal<'a> {
    pub(super) service: &'a Service,
    pub(super) call: &'a str,
    pub(super) status: StatusCode,
    pub(super) headers: &'a HeaderMap,
    pub(super) body: &'a [u8],
}

/// The kind of failure that a status stands for, and whether another try may help.
fn kind_of(status: StatusCode) -> (ErrorKind, bool) {
    match status.as_u16() {
        400 | 413 | 414 | 422 | 431 => (ErrorKind::Invalid, false),
        401 => (ErrorKind::WrongCredentials, false),
        402 | 403 | 451 => (ErrorKind::MissingRights, false),
        404 | 410 => (ErrorKind::NotFound, false),
        405 | 501 => (ErrorKind::Unsupported, false),
        409 | 412 | 423 => (ErrorKind::Conflict, false),
        408 => (ErrorKind::Timeout, true),
        429 => (ErrorKind::RateLimited, true),
        502..=504 => (ErrorKind::Unreachable, true),
        500..=599 => (ErrorKind::Failed, true),
        300..=399 => (ErrorKind::Malformed, false),
        _ => (ErrorKind::Failed, false),
    }
}

fn asked_wait(headers: &HeaderMap) -> Option<Duration> {
    let text = headers.get("retry-after")?.to_str().ok()?;
    date::retry_after(text, Timestamp::now())
}

/// What time it is at the far side.
fn far_time(headers: &HeaderMap) -> Option<Timestamp> {
    date::http_date(headers.get("date")?.to_str().ok()?)
}

/// How far this server's clock is from the far side's, as `12 minutes behind`, where that is too far.
fn clock_skew(headers: &HeaderMap, now: Timestamp) -> Option<String> {
    let ahead = now.duration_since(far_time(headers)?);
    if ahead.abs() <= MAX_CLOCK_SKEW {
        return None;
    }
    let word = if ahead.is_negative() { "behind" } else { "ahead of" };
    Some(format!("{} minutes {word}", ahead.abs().as_mins()))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::{any, proptest};
    use reqwest::{StatusCode, header::HeaderMap};

    use super::{Failure, Refusal, Service, clock_skew, json_complaint};
    use crate::{
        ErrorKind,
        http::{date::http_date, redact::Redactor},
    };

    fn said(body: &str) -> Option<String> {
        json_complaint(StatusCode::BAD_REQUEST, body.as_bytes()).message
    }

    #[test]
    fn words_are_found_where_services_put_them() {
        for body in [
            r#"{"id": "unauthorized", "message": "no"}"#,
            r#"{"error": {"code": 401, "message": "no"}}"#,
            r#"{"errors": [{"field": "label", "reason": "no"}]}"#,
            r#"{"itemNotFound": {"code": 404, "message": "no"}}"#,
            r#"{"error": "no", "code": "SoftLayer_Exception"}"#,
            r#"["no"]"#,
        ] {
            assert_eq!(said(body).as_deref(), Some("no"), "{body}");
        }
        for body in ["", "<html>", "{}", "[[[[[[\"deep\"]]]]]]", "7"] {
            assert_eq!(said(body), None, "{body}");
        }
    }

    #[test]
    fn a_wrong_clock_is_told_where_it_matters() {
        let mut headers = HeaderMap::new();
        headers.insert("date", "Sun, 06 Nov 1994 08:49:37 GMT".parse().unwrap());
        let now = http_date("Sun, 06 Nov 1994 08:40:00 GMT").unwrap();
        assert_eq!(clock_skew(&headers, now).as_deref(), Some("9 minutes behind"));
        let now = http_date("Sun, 06 Nov 1994 08:51:00 GMT").unwrap();
        assert_eq!(clock_skew(&headers, now), None);
        let service = Service::json("Cloud");
        let refusal = |status| Refusal {
            service: &service,
            call: "GET /v2",
            status: StatusCode::from_u16(status).unwrap(),
            headers: &headers,
            body: br#"{"message": "hunter2 is wrong"}"#,
        };
        let redactor = Redactor::default();
        redactor.hide("hunter2");
        let failure = Failure::of_status(refusal(401), &redactor);
        assert_eq!(failure.error.kind(), ErrorKind::WrongCredentials);
        let text = failure.error.to_string();
        assert!(text.starts_with("Cloud answered 401 to GET /v2: [secret] is wrong (the clock"), "{text}");
        let text = Failure::of_status(refusal(404), &redactor).error.to_string();
        assert_eq!(text, "Cloud answered 404 to GET /v2: [secret] is wrong");
    }

    proptest! {
        #[test]
        fn no_body_makes_it_panic(body in any::<Vec<u8>>()) {
            let _ = json_complaint(StatusCode::BAD_REQUEST, &body);
        }
    }
}
