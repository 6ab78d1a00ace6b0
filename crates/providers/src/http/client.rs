//! Sends calls: signs them, bounds them, makes them again where that is safe, and says what went wrong.

use std::{fmt, sync::Arc, time::Duration};

use jiff::Timestamp;
use reqwest::{
    Method, Request, Response, StatusCode, Url,
    header::{CONTENT_LENGTH, HeaderMap, HeaderName, HeaderValue, LOCATION},
    redirect,
};
use serde::de::DeserializeOwned;
use tokio::sync::Semaphore;

use super::{
    auth::{Anonymous, Auth},
    call::Call,
    date,
    failure::{Failure, Refusal, Service},
    fields::CA,
    patience,
    redact::Redactor,
    resolver::GuardedResolver,
    tls,
};
use crate::{
    capability::Limits,
    driver::{Setup, Timeouts},
    error::{Error, ErrorKind, Result},
    guard::AddressGuard,
};

/// The longest answer that is read. Lists come in pages, so this is far more than any needs.
const MAX_BODY_BYTES: usize = 16 << 20;
/// Redirects that are followed for one read.
const MAX_REDIRECTS: u32 = 5;
/// Idle connections are given up before most far sides would, lest a call go into a dead one.
const IDLE: Duration = Duration::from_secs(20);

/// The client of one backend. Clones share connections and the bound on calls at once.
#[derive(Clone)]
pub(crate) struct HttpClient {
    http: reqwest::Client,
    service: Service,
    auth: Arc<dyn Auth>,
    guard: Option<AddressGuard>,
    timeouts: Timeouts,
    permits: Arc<Semaphore>,
    redactor: Redactor,
}

impl fmt::Debug for HttpClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HttpClient").field("service", &self.service.name).finish_non_exhaustive()
    }
}

/// An answer that is a success.
pub(crate) struct Reply {
    service: Service,
    call: String,
    /// Its status.
    pub(crate) status: StatusCode,
    /// Its headers.
    pub(crate) headers: HeaderMap,
    /// Its body, whole.
    pub(crate) body: Vec<u8>,
}

impl HttpClient {
    /// A client for a backend that signs nothing. Talks to nobody.
    pub(crate) fn new(setup: &Setup, service: Service) -> Result<Self> {
        Self::guarded(setup, service, Some(setup.guard))
    }

    /// A client for an address that is the operator's own word, which no user can choose: any address will do.
    pub(crate) fn at_operators_word(setup: &Setup, service: Service) -> Result<Self> {
        Self::guarded(setup, service, None)
    }

    fn guarded(setup: &Setup, service: Service, guard: Option<AddressGuard>) -> Result<Self> {
        let redactor = Redactor::default();
        setup.credentials.secrets().for_each(|secret| redactor.hide(secret.expose()));
        let mut builder = reqwest::Client::builder();
        if let Some(guard) = guard {
            builder = builder.dns_resolver(Arc::new(GuardedResolver(guard)));
        }
        let http = builder
            .user_agent(concat!("roadstead/", env!("CARGO_PKG_VERSION")))
            .redirect(redirect::Policy::none())
            .no_proxy()
            .tls_backend_preconfigured(tls::config(setup.credentials.secret(CA.name))?)
            .connect_timeout(setup.timeouts.connect)
            .pool_idle_timeout(IDLE)
            .build()
            .map_err(|e| Error::new(ErrorKind::Failed, "cannot set up an HTTP client").caused_by(e))?;
        Ok(Self {
            http,
            service,
            auth: Arc::new(Anonymous),
            guard,
            timeouts: setup.timeouts,
            permits: Arc::new(Semaphore::new(Limits::default().calls_at_once)),
            redactor,
        })
    }

    /// The same client with its calls signed.
    #[must_use]
    pub(crate) fn signed_by(&self, auth: Arc<dyn Auth>) -> Self {
        Self { auth, ..self.clone() }
    }

    /// Where secrets are named that no message may show, such as tokens.
    pub(crate) fn redactor(&self) -> &Redactor {
        &self.redactor
    }

    /// Makes a call, and reads the answer to its end.
    pub(crate) async fn send(&self, call: Call) -> Result<Reply> {
        let (mut failed, mut renewed) = (0, false);
        loop {
            let request = self.request(&call).await?;
            let sent = request.try_clone();
            let failure = match self.attempt(&call, request).await {
                Ok(reply) => return Ok(reply),
                Err(failure) => failure,
            };
            let unauthorized = failure.error.kind() == ErrorKind::WrongCredentials;
            if let Some(sent) = sent.filter(|_| unauthorized && !renewed)
                && self.auth.renew(&sent, failure.told).await
            {
                renewed = true;
                continue;
            }
            failed += 1;
            match patience::wait(call.repeat, &failure, failed) {
                Some(wait) => tokio::time::sleep(wait).await,
                None => return Err(failure.error),
            }
        }
    }

    /// Makes a call whose answer is JSON of this shape.
    pub(crate) async fn json<T: DeserializeOwned>(&self, call: Call) -> Result<T> {
        self.send(call).await?.json()
    }

    async fn request(&self, call: &Call) -> Result<Request> {
        let mut request = Request::new(call.method.clone(), call.url.clone());
        request.headers_mut().insert("accept", HeaderValue::from_static("application/json"));
        for (name, value) in &call.headers {
            let value = HeaderValue::from_str(value)
                .map_err(|_| Error::new(ErrorKind::Invalid, format!("the header {name} cannot be sent")))?;
            request.headers_mut().insert(HeaderName::from_static(name), value);
        }
        match &call.body {
            Some(body) => *request.body_mut() = Some(body.clone().into()),
            // Google's and Microsoft's front ends refuse a change that says nothing of its length with 411.
            None if matches!(call.method, Method::POST | Method::PUT | Method::PATCH) => {
                request.headers_mut().insert(CONTENT_LENGTH, HeaderValue::from_static("0"));
            }
            None => {}
        }
        self.auth.sign(&mut request).await?;
        Ok(request)
    }

    /// One attempt, with the redirects that belong to it.
    async fn attempt(&self, call: &Call, mut request: Request) -> Result<Reply, Failure> {
        // The semaphore lives as long as the client and is never closed.
        let _permit = self.permits.acquire().await;
        let title = call.title();
        for _ in 0..=MAX_REDIRECTS {
            let template = request.try_clone();
            let reply = match tokio::time::timeout(self.timeouts.call, self.exchange(&title, request)).await {
                Ok(reply) => reply?,
                Err(_) => {
                    let message = format!("{} took too long to answer {title}", self.service.name);
                    return Err(Failure::lasting(Error::new(ErrorKind::Timeout, message)));
                }
            };
            if !reply.status.is_redirection() || reply.status == StatusCode::MULTIPLE_CHOICES {
                return self.outcome(reply);
            }
            request = match (self.target(call, &reply)?, template) {
                (Some(url), Some(mut next)) => {
                    *next.url_mut() = url;
                    next
                }
                _ => return self.outcome(reply),
            };
        }
        let message = format!("{} redirects {title} without end", self.service.name);
        Err(Failure::lasting(Error::new(ErrorKind::Malformed, message)))
    }

    /// Where a redirect leads, if it is one to follow: a read's, on the same server.
    fn target(&self, call: &Call, reply: &Reply) -> Result<Option<Url>, Failure> {
        let location = reply.headers.get(LOCATION).and_then(|value| value.to_str().ok());
        let Some(url) = location.and_then(|location| call.url.join(location).ok()) else { return Ok(None) };
        if url.origin() == call.url.origin() {
            return Ok(matches!(call.method, Method::GET | Method::HEAD).then_some(url));
        }
        let message = format!(
            "{} sends {} to another server, {}; if that is right, make it the endpoint",
            self.service.name,
            reply.call,
            self.redactor.clean(&url.origin().ascii_serialization())
        );
        Err(Failure::lasting(Error::new(ErrorKind::Malformed, message)))
    }

    async fn exchange(&self, title: &str, request: Request) -> Result<Reply, Failure> {
        let broke = |error| Failure::of_transport(&self.service, title, error);
        self.check_literal(request.url()).map_err(Failure::lasting)?;
        let mut response = self.http.execute(request).await.map_err(broke)?;
        let body = self.body(title, &mut response).await?;
        let (status, headers) = (response.status(), std::mem::take(response.headers_mut()));
        Ok(Reply { service: self.service, call: title.to_owned(), status, headers, body })
    }

    async fn body(&self, title: &str, response: &mut Response) -> Result<Vec<u8>, Failure> {
        let mut body = Vec::new();
        let broke = |error| Failure::of_transport(&self.service, title, error);
        while let Some(chunk) = response.chunk().await.map_err(broke)? {
            if body.len() + chunk.len() > MAX_BODY_BYTES {
                let message = format!("{} answers {title} without end", self.service.name);
                return Err(Failure::lasting(Error::new(ErrorKind::Malformed, message)));
            }
            body.extend_from_slice(&chunk);
        }
        Ok(body)
    }

    /// Checks a host that is an address already, for which nothing is resolved.
    fn check_literal(&self, url: &Url) -> Result<()> {
        let Some(guard) = self.guard else { return Ok(()) };
        let host = url.host_str().unwrap_or_default().trim_matches(['[', ']']);
        host.parse().map_or(Ok(()), |address| guard.check(address))
    }

    fn outcome(&self, reply: Reply) -> Result<Reply, Failure> {
        // With 300 come lists of an API's versions.
        if reply.status.is_success() || reply.status == StatusCode::MULTIPLE_CHOICES {
            return Ok(reply);
        }
        let refusal = Refusal {
            service: &self.service,
            call: &reply.call,
            status: reply.status,
            headers: &reply.headers,
            body: &reply.body,
        };
        Err(Failure::of_status(refusal, &self.redactor))
    }
}

impl Reply {
    /// The body as JSON of this shape. How deep it may nest is bounded by the reader.
    pub(crate) fn json<T: DeserializeOwned>(&self) -> Result<T> {
        serde_json::from_slice(&self.body).map_err(|e| self.malformed().caused_by(e))
    }

    /// A header's text.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// How long the far side asked to wait before the next call.
    pub(crate) fn asked_wait(&self) -> Option<Duration> {
        date::retry_after(self.header("retry-after")?, Timestamp::now())
    }

    /// The error for an answer that cannot be understood.
    pub(crate) fn malformed(&self) -> Error {
        let message = format!("{} answered {} with what cannot be understood", self.service.name, self.call);
        Error::new(ErrorKind::Malformed, message)
    }
}
