//! The way to the server: which addresses may be used, one HTTP exchange, and its bounds.
//!
//! This is the only module that speaks HTTP. Plain HTTP goes to this very machine only: credentials never
//! cross a network in the clear, nor to a server that cannot prove who it is ([`tls`]).

use std::{net::IpAddr, time::Duration};

use bytes::{Bytes, BytesMut};
use reqwest::{
    Method, Request, RequestBuilder, Response, StatusCode, Upgraded, Url,
    header::{
        CONNECTION, RETRY_AFTER, SEC_WEBSOCKET_ACCEPT, SEC_WEBSOCKET_KEY, SEC_WEBSOCKET_VERSION, UPGRADE,
    },
    redirect,
};
use roadstead_api::{IDEMPOTENCY_KEY, Problem};
use tokio_tungstenite::tungstenite::handshake::{client::generate_key, derive_accept_key};

use crate::{
    Credentials,
    error::{Error, ErrorKind, Result},
    tls,
};

/// The longest reply that is read. The largest that the server makes is a report with its thousand errors.
const MAX_REPLY_BYTES: usize = 64 << 20;
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// How long the server may be silent within one exchange.
const READ_TIMEOUT: Duration = Duration::from_secs(120);
/// Idle connections are given up before a server or a proxy would, lest a request go into a dead one.
const IDLE_TIMEOUT: Duration = Duration::from_secs(15);
/// The waits before a request is tried again that cannot be carried out twice: a GET, or one with an idempotency key.
const RETRY_WAITS: [Duration; 2] = [Duration::from_millis(200), Duration::from_millis(800)];

/// A server's address, who asks, and the connections to it.
#[derive(Debug)]
pub(crate) struct Transport {
    base: Url,
    credentials: Option<Credentials>,
    http: reqwest::Client,
}

/// A reply whose body is still to be read.
pub(crate) struct Reply {
    response: Response,
    context: String,
}

impl Transport {
    pub(crate) fn new(
        url: &str,
        credentials: Option<Credentials>,
        ca_pem: Option<&[u8]>,
        proxy: Option<&str>,
    ) -> Result<Self> {
        let base = check_address(url)?;
        let mut http = reqwest::Client::builder()
            .user_agent(concat!("roadstead/", env!("CARGO_PKG_VERSION")))
            .redirect(redirect::Policy::none())
            .no_proxy()
            .tls_backend_preconfigured(tls::config(ca_pem)?)
            .connect_timeout(CONNECT_TIMEOUT)
            .read_timeout(READ_TIMEOUT)
            .pool_idle_timeout(IDLE_TIMEOUT);
        if let Some(proxy) = proxy {
            let unusable = |e| Error::new(ErrorKind::Local, "the proxy cannot be used").caused_by(e);
            http = http.proxy(reqwest::Proxy::all(proxy).map_err(unusable)?);
        }
        let http = http
            .build()
            .map_err(|e| Error::new(ErrorKind::Local, "cannot set up an HTTP client").caused_by(e))?;
        Ok(Self { base, credentials, http })
    }

    /// The server's address, without a slash at the end.
    pub(crate) fn base(&self) -> &str {
        self.base.as_str().trim_end_matches('/')
    }

    /// Begins a request; `path` is absolute, on the server.
    pub(crate) fn request(&self, method: Method, path: &str) -> RequestBuilder {
        let request = self.http.request(method, format!("{}{path}", self.base()));
        match &self.credentials {
            Some(Credentials::ApiKey(key)) => request.bearer_auth(key),
            Some(Credentials::Password { username, password }) => {
                request.basic_auth(username, Some(password))
            }
            None => request,
        }
    }

    /// Gives a create a name of its own, so that the server does it once however often it is sent.
    pub(crate) fn once(&self, request: RequestBuilder) -> Result<RequestBuilder> {
        let mut name = [0; 16];
        getrandom::fill(&mut name)
            .map_err(|e| Error::new(ErrorKind::Local, "the system gives no random bytes").caused_by(e))?;
        Ok(request.header(IDEMPOTENCY_KEY, format!("{:032x}", u128::from_ne_bytes(name))))
    }

    /// Sends a request and waits for the head of the reply. Whatever is not a success becomes an error.
    pub(crate) async fn send(&self, request: RequestBuilder) -> Result<Reply> {
        let request = request
            .build()
            .map_err(|e| Error::new(ErrorKind::Invalid, "cannot write the request").caused_by(e))?;
        let context = format!("{} {} failed", request.method(), request.url());
        let response = self.execute(request).await?;
        let reply = Reply { response, context };
        if reply.status().is_success() || reply.status() == StatusCode::SWITCHING_PROTOCOLS {
            return Ok(reply);
        }
        Err(reply.into_error().await)
    }

    /// Sends a request that begins a WebSocket, and hands out the connection when the server has taken it.
    pub(crate) async fn upgrade(&self, request: RequestBuilder) -> Result<Upgraded> {
        let key = generate_key();
        let request = request
            .header(CONNECTION, "Upgrade")
            .header(UPGRADE, "websocket")
            .header(SEC_WEBSOCKET_VERSION, "13")
            .header(SEC_WEBSOCKET_KEY, &key);
        let response = self.send(request).await?.response;
        let accepted = response.headers().get(SEC_WEBSOCKET_ACCEPT).map(|value| value.as_bytes());
        if accepted != Some(derive_accept_key(key.as_bytes()).as_bytes()) {
            return Err(Error::new(ErrorKind::Protocol, "the server opens no WebSocket there"));
        }
        response.upgrade().await.map_err(|error| self.unreachable(error))
    }

    async fn execute(&self, request: Request) -> Result<Response> {
        let safe = *request.method() == Method::GET || request.headers().contains_key(IDEMPOTENCY_KEY);
        for wait in RETRY_WAITS.iter().filter(|_| safe) {
            let Some(attempt) = request.try_clone() else { break };
            match self.http.execute(attempt).await {
                Ok(response) if is_running(&response) => tokio::time::sleep(*wait).await,
                Ok(response) => return Ok(response),
                Err(error) if error.is_timeout() || tls::distrust(&error).is_some() => {
                    return Err(self.unreachable(error));
                }
                Err(_) => tokio::time::sleep(*wait).await,
            }
        }
        self.http.execute(request).await.map_err(|error| self.unreachable(error))
    }

    fn unreachable(&self, error: reqwest::Error) -> Error {
        // The URL is in our own words already.
        if let Some(why) = tls::distrust(&error) {
            let context = format!("the server at {} cannot be trusted: {why}", self.base());
            return Error::new(ErrorKind::Untrusted, context).caused_by(error.without_url());
        }
        Error::new(ErrorKind::Unreachable, format!("cannot reach the server at {}", self.base()))
            .caused_by(error.without_url())
    }
}

/// Whether the server says that it still carries out what an earlier attempt asked for.
fn is_running(response: &Response) -> bool {
    response.status() == StatusCode::CONFLICT && response.headers().contains_key(RETRY_AFTER)
}

impl Reply {
    /// The status that came.
    pub(crate) fn status(&self) -> StatusCode {
        self.response.status()
    }

    /// The next piece of the body; nothing at its end.
    pub(crate) async fn chunk(&mut self) -> Result<Option<Bytes>> {
        let chunk = self.response.chunk().await;
        chunk
            .map_err(|e| Error::new(ErrorKind::Unreachable, "the reply broke off").caused_by(e.without_url()))
    }

    /// The whole body, up to a bound.
    pub(crate) async fn bytes(&mut self) -> Result<BytesMut> {
        let mut body = BytesMut::new();
        while let Some(chunk) = self.chunk().await? {
            if body.len() + chunk.len() > MAX_REPLY_BYTES {
                return Err(Error::new(ErrorKind::Protocol, "the reply is longer than a reply can be"));
            }
            body.extend_from_slice(&chunk);
        }
        Ok(body)
    }

    async fn into_error(mut self) -> Error {
        let status = self.status();
        let problem = self.bytes().await.ok().and_then(|body| serde_json::from_slice::<Problem>(&body).ok());
        Error::of_status(status, format!("{}: {status}", self.context), problem)
    }
}

/// Reads a server's address, and refuses those over which credentials would go in the clear.
fn check_address(text: &str) -> Result<Url> {
    let refuse = |why: String| Error::new(ErrorKind::Address, why);
    let url = Url::parse(text)
        .map_err(|e| refuse(format!("{text:?} is not a URL such as http://127.0.0.1:7643")).caused_by(e))?;
    match url.scheme() {
        "http" if is_loopback(&url) => {}
        "http" => {
            return Err(refuse(format!(
                "{text} is not on this machine, and plain http would show the credentials"
            )));
        }
        "https" => {}
        scheme => return Err(refuse(format!("a server is reached over https, not over {scheme}"))),
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(refuse("credentials do not belong into the address".into()));
    }
    if url.query().is_some() || url.fragment().is_some() {
        return Err(refuse(format!("{text} has a query or a fragment; an address has neither")));
    }
    Ok(url)
}

fn is_loopback(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default().trim_matches(['[', ']']);
    host == "localhost" || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn https_is_accepted_and_http_to_loopback() {
        for url in [
            "http://127.0.0.1:7643",
            "http://127.9.9.9/",
            "http://[::1]:80",
            "http://localhost:1/base/",
            "https://example.com",
            "https://192.0.2.1:7643/base",
        ] {
            assert!(check_address(url).is_ok(), "{url}");
        }
    }

    #[test]
    fn everything_else_is_refused() {
        let refused = [
            "http://10.0.0.1:7643",
            "http://localhost.example.com",
            "http://127.0.0.1.example.com",
            "http://user:password@127.0.0.1",
            "http://127.0.0.1/?a=b",
            "https://user:password@example.com",
            "https://example.com/?a=b",
            "ftp://127.0.0.1",
            "127.0.0.1:7643",
            "",
        ];
        for url in refused {
            assert_eq!(check_address(url).err().map(|e| e.kind()), Some(ErrorKind::Address), "{url}");
        }
    }

    #[test]
    fn the_base_has_no_slash_at_its_end() {
        let transport = Transport::new("http://127.0.0.1:1/base/", None, None, None).unwrap();
        assert_eq!(transport.base(), "http://127.0.0.1:1/base");
    }
}
