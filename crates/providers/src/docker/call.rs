//! HTTP calls to the engine: one stream each, all of it bounded.
//!
//! What is asked for is `/v1.N/...` with N the engine's own version, or ours where that is older: engines forget old
//! versions, and are told once a driver's life which one to speak. An answer is read only up to a limit, and each piece
//! of it may take no longer than a call.

use http_body_util::{BodyExt, Full};
use hyper::{
    Method, Request, StatusCode,
    body::{Bytes, Incoming},
    client::conn::http1,
    header::{AUTHORIZATION, CONTENT_TYPE, HOST, HeaderValue, RETRY_AFTER},
    http::response::Parts,
    upgrade::{OnUpgrade, Upgraded},
};
use hyper_util::rt::TokioIo;
use serde::de::DeserializeOwned;
use serde_json::Value;
use tokio::{sync::OnceCell, task::JoinHandle};

use super::transport::{Transport, tls_error};
use crate::{
    driver::Timeouts,
    error::{Error, ErrorKind, Result},
    tcp::within,
};

/// How much of an answer in JSON is read.
const MAX_JSON_BYTES: usize = 64 * 1024 * 1024;
/// How much of a complaint is read.
const MAX_COMPLAINT_BYTES: usize = 16 * 1024;
/// The newest version of the API that this driver was written for, `1.N`.
const NEWEST_MINOR: u32 = 47;

/// Makes calls.
pub(super) struct Caller {
    transport: Transport,
    authorization: Option<HeaderValue>,
    timeouts: Timeouts,
    prefix: OnceCell<String>,
}

/// An answer whose body was not read yet.
pub(super) struct Reply {
    parts: Parts,
    body: Incoming,
    upgrade: OnUpgrade,
    what: String,
    timeouts: Timeouts,
    _connection: Connection,
}

/// The task that moves the bytes. It ends with the reply.
struct Connection(JoinHandle<()>);

impl Drop for Connection {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl Caller {
    /// A caller that comes by this transport.
    pub(super) fn new(transport: Transport, authorization: Option<HeaderValue>, timeouts: Timeouts) -> Self {
        Self { transport, authorization, timeouts, prefix: OnceCell::new() }
    }

    /// The way to the engine.
    pub(super) fn transport(&self) -> &Transport {
        &self.transport
    }

    /// What the engine knows under this path.
    pub(super) async fn get<T: DeserializeOwned>(&self, path: &str) -> Result<T> {
        self.call(Method::GET, path, None).await?.json().await
    }

    /// Tells the engine to do something.
    pub(super) async fn post(&self, path: &str, body: Option<&Value>) -> Result<Reply> {
        self.call(Method::POST, path, body).await
    }

    /// Makes a call. An answer that is no success is an error.
    pub(super) async fn call(&self, method: Method, path: &str, body: Option<&Value>) -> Result<Reply> {
        self.call_with(method, path, body, &[]).await
    }

    /// The same with headers of its own.
    pub(super) async fn call_with(
        &self,
        method: Method,
        path: &str,
        body: Option<&Value>,
        headers: &[(&'static str, HeaderValue)],
    ) -> Result<Reply> {
        let prefix = self.prefix.get_or_try_init(|| self.greet()).await?;
        self.send(method, &format!("{prefix}{path}"), body, headers).await?.checked().await
    }

    /// Asks which version the engine speaks, always anew.
    pub(super) async fn greet(&self) -> Result<String> {
        let reply = self.send(Method::GET, "/_ping", None, &[]).await?.checked().await?;
        let version = reply.parts.headers.get("api-version").and_then(|value| value.to_str().ok());
        version.and_then(prefix).ok_or_else(|| {
            let message = format!("{} answers, but not as an engine of containers", self.transport.name);
            Error::new(ErrorKind::Malformed, message)
        })
    }

    async fn send(
        &self,
        method: Method,
        path: &str,
        body: Option<&Value>,
        headers: &[(&'static str, HeaderValue)],
    ) -> Result<Reply> {
        let what = format!("{} does not answer", self.transport.name);
        let mut request = self.request(method, path, body, &what)?;
        for (name, value) in headers {
            request.headers_mut().insert(*name, value.clone());
        }
        let stream = self.transport.open().await?;
        within(self.timeouts.call, || what.clone(), async {
            let (mut sender, connection) =
                http1::handshake(TokioIo::new(stream)).await.map_err(|source| broken(&what, source))?;
            // What goes wrong on the connection shows in the answer.
            let connection = Connection(tokio::spawn(async move { drop(connection.with_upgrades().await) }));
            let mut reply = sender.send_request(request).await.map_err(|source| broken(&what, source))?;
            let upgrade = hyper::upgrade::on(&mut reply);
            let (parts, body) = reply.into_parts();
            Ok(Reply {
                parts,
                body,
                upgrade,
                what: what.clone(),
                timeouts: self.timeouts,
                _connection: connection,
            })
        })
        .await
    }

    fn request(
        &self,
        method: Method,
        path: &str,
        body: Option<&Value>,
        what: &str,
    ) -> Result<Request<Full<Bytes>>> {
        let host = self.transport.host().unwrap_or("localhost");
        let host = if host.contains(':') { format!("[{host}]") } else { host.to_owned() };
        let mut builder = Request::builder().method(method).uri(path).header(HOST, host);
        if let Some(authorization) = &self.authorization {
            builder = builder.header(AUTHORIZATION, authorization);
        }
        let bytes = match body {
            Some(json) => {
                builder = builder.header(CONTENT_TYPE, "application/json");
                Bytes::from(json.to_string())
            }
            None => Bytes::new(),
        };
        builder
            .body(Full::new(bytes))
            .map_err(|source| Error::new(ErrorKind::Invalid, what.to_owned()).caused_by(source))
    }
}

impl Reply {
    /// The whole answer, as JSON.
    pub(super) async fn json<T: DeserializeOwned>(self) -> Result<T> {
        let what = self.what.clone();
        let bytes = self.bytes(MAX_JSON_BYTES).await?;
        serde_json::from_slice(&bytes).map_err(|source| {
            let message = format!("{what} in a way that can be understood");
            Error::new(ErrorKind::Malformed, message).caused_by(source)
        })
    }

    /// The whole answer, or an error where it is longer than `most` bytes.
    pub(super) async fn bytes(mut self, most: usize) -> Result<Vec<u8>> {
        let mut bytes = Vec::new();
        while let Some(piece) = self.piece().await? {
            if bytes.len() + piece.len() > most {
                let message = format!("{} in fewer than {most} bytes", self.what);
                return Err(Error::new(ErrorKind::Malformed, message));
            }
            bytes.extend_from_slice(&piece);
        }
        Ok(bytes)
    }

    /// The next piece of the answer; none at its end.
    pub(super) async fn piece(&mut self) -> Result<Option<Bytes>> {
        let Self { body, what, timeouts, .. } = self;
        within(timeouts.call, || what.clone(), async {
            while let Some(frame) = body.frame().await {
                let frame = frame.map_err(|source| broken(what, source))?;
                if let Ok(data) = frame.into_data() {
                    return Ok(Some(data));
                }
            }
            Ok(None)
        })
        .await
    }

    /// The reply itself, if it says that all went well.
    /// What the engine answered.
    pub(super) fn status(&self) -> StatusCode {
        self.parts.status
    }

    /// The connection itself, where the engine gave it away.
    pub(super) async fn upgraded(self) -> Result<Upgraded> {
        let Self { upgrade, what, timeouts, .. } = self;
        let given = async { upgrade.await.map_err(|source| broken(&what, source)) };
        within(timeouts.call, || what.clone(), given).await
    }

    async fn checked(self) -> Result<Self> {
        if self.parts.status.is_success() || self.parts.status == StatusCode::SWITCHING_PROTOCOLS {
            return Ok(self);
        }
        let status = self.parts.status;
        let retry_after =
            self.parts.headers.get(RETRY_AFTER).and_then(|value| value.to_str().ok()?.parse().ok());
        let complaint = complaint(&self.bytes(MAX_COMPLAINT_BYTES).await.unwrap_or_default());
        let complaint = match complaint {
            // Who refuses a login often says no more than that.
            Some(words) if matches!(status, StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN) => {
                format!("the engine answered {}: {words}", status.as_u16())
            }
            Some(words) => words,
            None => format!("the engine answered {status}"),
        };
        Err(match status {
            StatusCode::UNAUTHORIZED => Error::new(ErrorKind::WrongCredentials, complaint),
            StatusCode::FORBIDDEN => Error::new(ErrorKind::MissingRights, complaint),
            StatusCode::NOT_FOUND => Error::new(ErrorKind::NotFound, complaint),
            // "Not modified" is the answer to starting what runs.
            StatusCode::CONFLICT | StatusCode::NOT_MODIFIED => Error::new(ErrorKind::Conflict, complaint),
            StatusCode::TOO_MANY_REQUESTS => {
                Error::rate_limited(complaint, retry_after.map(std::time::Duration::from_secs))
            }
            _ => Error::new(ErrorKind::Failed, complaint),
        })
    }
}

/// What the paths begin with, for an engine of this version.
fn prefix(version: &str) -> Option<String> {
    let minor: u32 = version.strip_prefix("1.")?.parse().ok()?;
    Some(format!("/v1.{}", minor.min(NEWEST_MINOR)))
}

/// What the engine says went wrong, fit to be shown.
fn complaint(body: &[u8]) -> Option<String> {
    let json: Value = serde_json::from_slice(body).ok()?;
    shown(json.get("message")?.as_str()?)
}

/// The text of a far side as one short line.
pub(super) fn shown(text: &str) -> Option<String> {
    let line: String = text.trim().chars().filter(|character| !character.is_control()).take(300).collect();
    (!line.is_empty()).then_some(line)
}

/// A value for the query of a URL.
pub(super) fn encoded(value: &str) -> String {
    let mut out = String::with_capacity(value.len());
    for byte in value.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => out.push(char::from(byte)),
            _ => out.push_str(&format!("%{byte:02X}")),
        }
    }
    out
}

fn broken(what: &str, source: hyper::Error) -> Error {
    let mut cause: Option<&(dyn std::error::Error + 'static)> = Some(&source);
    while let Some(error) = cause {
        if let Some(io) = error.downcast_ref::<std::io::Error>() {
            // The stream's own error is not ours to take apart, so its like is filed.
            let told = io.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>());
            return match told {
                Some(tls) => tls_error(what.to_owned(), std::io::Error::new(io.kind(), tls.clone())),
                None => Error::io(what, std::io::Error::from(io.kind())).caused_by(source),
            };
        }
        cause = error.source();
    }
    let kind = if source.is_incomplete_message() || source.is_canceled() || source.is_closed() {
        ErrorKind::Unreachable
    } else {
        ErrorKind::Malformed
    };
    Error::new(kind, what).caused_by(source)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::{any, prop, prop_assert, proptest};

    use super::{complaint, encoded, prefix};

    #[test]
    fn the_older_of_both_versions_is_spoken() {
        assert_eq!(prefix("1.41").as_deref(), Some("/v1.41"));
        assert_eq!(prefix("1.99").as_deref(), Some("/v1.47"));
        for odd in ["", "2.0", "1.", "1.x", "1.4.1", "1.-1"] {
            assert_eq!(prefix(odd), None, "{odd}");
        }
    }

    #[test]
    fn values_and_complaints_are_tamed() {
        assert_eq!(encoded("a b/c&d=é"), "a%20b%2Fc%26d%3D%C3%A9");
        assert_eq!(complaint(b"{\"message\":\"No such\\n container: x\"}").unwrap(), "No such container: x");
        assert_eq!(complaint(b"<html>"), None);
    }

    proptest! {
        #[test]
        fn no_text_gets_out_of_a_value(text in any::<String>()) {
            let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.~%".contains(&byte);
            prop_assert!(encoded(&text).bytes().all(fits));
        }

        #[test]
        fn no_complaint_makes_it_fall_over(body in prop::collection::vec(any::<u8>(), 0..300)) {
            let _ = complaint(&body);
        }
    }
}
