//! Requests and answers as a fake sees them: HTTP/1.1, as much of it as clients send (RFC 9112).

use std::io;

use serde_json::Value;
use tokio::io::{AsyncBufReadExt, AsyncReadExt};

/// The longest head or body of a request that a fake reads.
const MAX_BYTES: usize = 1 << 20;

/// A request.
#[derive(Clone, Debug, Default)]
pub struct Request {
    /// The method, in capitals.
    pub method: String,
    /// The segments of the path, decoded.
    pub path: Vec<String>,
    /// The pairs of the query, decoded, in their order.
    pub query: Vec<(String, String)>,
    /// The headers, their names in lower case.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
}

impl Request {
    /// Reads one request; `None` when the connection ends before it.
    pub(super) async fn read(from: &mut (impl AsyncBufReadExt + Unpin)) -> io::Result<Option<Self>> {
        let Some(first) = line(from).await? else { return Ok(None) };
        let mut words = first.split(' ');
        let (method, target) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let mut request = Self {
            method: method.to_owned(),
            path: path.split('/').filter(|segment| !segment.is_empty()).map(|s| decoded(s, false)).collect(),
            query: pairs(query),
            ..Self::default()
        };
        while let Some(header) = line(from).await?.filter(|header| !header.is_empty()) {
            let (name, value) = header.split_once(':').ok_or(io::ErrorKind::InvalidData)?;
            request.headers.push((name.to_ascii_lowercase(), value.trim().to_owned()));
        }
        let length = request.header("content-length").map_or(Ok(0), str::parse).map_err(io::Error::other)?;
        if length > MAX_BYTES {
            return Err(io::ErrorKind::InvalidData.into());
        }
        request.body = vec![0; length];
        from.read_exact(&mut request.body).await?;
        Ok(Some(request))
    }

    /// Whether it is a change that says nothing of its length, which many front ends refuse with 411.
    pub fn lacks_length(&self) -> bool {
        let changes = ["POST", "PUT", "PATCH"].contains(&self.method.as_str());
        changes && self.header("content-length").is_none()
    }

    /// A header's value.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// The value of a pair of the query.
    pub fn query(&self, name: &str) -> Option<&str> {
        self.query.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// A number in the query.
    pub fn query_number(&self, name: &str) -> Option<usize> {
        self.query(name)?.parse().ok()
    }

    /// The body as JSON; null when it is none.
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }

    /// The body as a form.
    pub fn form(&self) -> Vec<(String, String)> {
        pairs(&String::from_utf8_lossy(&self.body))
    }

    /// The path, as slices.
    pub fn segments(&self) -> Vec<&str> {
        self.path.iter().map(String::as_str).collect()
    }
}

async fn line(from: &mut (impl AsyncBufReadExt + Unpin)) -> io::Result<Option<String>> {
    let mut bytes = Vec::new();
    let read = from.take(MAX_BYTES as u64).read_until(b'\n', &mut bytes).await?;
    if read == 0 {
        return Ok(None);
    }
    Ok(Some(String::from_utf8_lossy(&bytes).trim_end_matches(['\r', '\n']).to_owned()))
}

fn pairs(text: &str) -> Vec<(String, String)> {
    let pair = |pair: &str| {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        (decoded(name, true), decoded(value, true))
    };
    text.split('&').filter(|part| !part.is_empty()).map(pair).collect()
}

/// Undoes percent-encoding, and in forms the plus for a space.
fn decoded(text: &str, form: bool) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, after @ ..] = rest {
        rest = after;
        let hex = after.get(..2).and_then(|hex| std::str::from_utf8(hex).ok());
        let escaped = hex.and_then(|hex| u8::from_str_radix(hex, 16).ok()).filter(|_| *first == b'%');
        if let Some(byte) = escaped {
            bytes.push(byte);
            rest = &after[2..];
        } else {
            bytes.push(if form && *first == b'+' { b' ' } else { *first });
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// An answer.
#[derive(Clone, Debug)]
pub struct Answer {
    /// Its status.
    pub status: u16,
    /// Its headers, but for those of the body.
    pub headers: Vec<(String, String)>,
    /// The kind of its body.
    pub content_type: &'static str,
    /// Its body.
    pub body: Vec<u8>,
}

impl Answer {
    /// An answer in JSON.
    pub fn json(status: u16, body: &Value) -> Self {
        Self::text(status, "application/json", body.to_string())
    }

    /// An answer in this type.
    pub fn text(status: u16, content_type: &'static str, body: impl Into<Vec<u8>>) -> Self {
        Self { status, headers: Vec::new(), content_type, body: body.into() }
    }

    /// An answer without a body.
    pub fn empty(status: u16) -> Self {
        Self::text(status, "text/plain", "")
    }

    /// The same answer with a header.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl Into<String>) -> Self {
        self.headers.push((name.to_owned(), value.into()));
        self
    }

    /// The head, as it goes over the wire, announcing a body of this length.
    pub(super) fn head(&self, length: usize) -> String {
        let mut head = format!("HTTP/1.1 {} Fake\r\ncontent-length: {length}\r\n", self.status);
        if !self.body.is_empty() {
            head += &format!("content-type: {}\r\n", self.content_type);
        }
        for (name, value) in &self.headers {
            head += &format!("{name}: {value}\r\n");
        }
        head + "\r\n"
    }
}

#[cfg(test)]
mod tests {
    use super::Request;

    #[tokio::test]
    async fn a_request_is_read_whole() {
        let mut wire: &[u8] =
            b"POST /v2/a%2Fb/?tag=a+b&x=%26 HTTP/1.1\r\nContent-Length: 7\r\nX: y\r\n\r\n{\"a\":1}";
        let request = Request::read(&mut wire).await.unwrap().unwrap();
        assert_eq!((request.method.as_str(), request.segments()), ("POST", vec!["v2", "a/b"]));
        assert_eq!(
            (request.query("tag"), request.query("x"), request.header("x")),
            (Some("a b"), Some("&"), Some("y"))
        );
        assert_eq!(request.json()["a"], 1);
        assert!(Request::read(&mut wire).await.unwrap().is_none());
    }
}
