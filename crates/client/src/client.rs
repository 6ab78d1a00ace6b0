//! [`Client`]: a server, who asks, and the one way in which every call is made.

use std::{fmt, sync::Arc};

use reqwest::{Method, Upgraded};
use roadstead_api::{Endpoint, user::UserShowSelf};
use serde::{Serialize, de::DeserializeOwned};

use crate::{
    builder::ClientBuilder,
    error::{Error, ErrorKind, Result},
    transport::{Reply, Transport},
};

/// How a client says who it is.
#[derive(Clone)]
pub enum Credentials {
    /// The secret of an API key.
    ApiKey(String),
    /// A user's name and password.
    Password {
        /// The user's name.
        username: String,
        /// The user's password.
        password: String,
    },
}

/// Secrets stay out of logs.
impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ApiKey(_) => f.write_str("ApiKey(..)"),
            Self::Password { username, .. } => write!(f, "Password({username}, ..)"),
        }
    }
}

/// A server of Roadstead. Cheap to clone: clones share their connections.
///
/// Making a client with [`Client::new`] or [`Client::anonymous`] asks the server nothing; every `async` method
/// does. The objects that come back ([`crate::Agent`] and the like) answer their plain methods from memory, as of
/// the moment they were read.
#[derive(Clone, Debug)]
pub struct Client {
    transport: Arc<Transport>,
}

impl Client {
    /// A client with more to say, such as which CA vouches for its server.
    pub fn builder(url: &str) -> ClientBuilder {
        ClientBuilder::new(url)
    }

    pub(crate) fn over(transport: Transport) -> Self {
        Self { transport: Arc::new(transport) }
    }

    /// A client without credentials. Little can be asked so: enrolment, and whether the server is well.
    pub fn anonymous(url: &str) -> Result<Self> {
        Self::builder(url).build()
    }

    /// A client with credentials, which are tried no earlier than at the first call.
    pub fn new(url: &str, credentials: Credentials) -> Result<Self> {
        Self::builder(url).credentials(credentials).build()
    }

    /// A client whose API key was tried, and belongs to the user of this name.
    pub async fn connect(url: &str, username: &str, api_key: &str) -> Result<Self> {
        let client = Self::new(url, Credentials::ApiKey(api_key.to_owned()))?;
        let user = client.call::<UserShowSelf>(&(), &(), &()).await?;
        if user.username == username {
            return Ok(client);
        }
        Err(Error::new(ErrorKind::Unauthorized, format!("the API key is not one of the user {username:?}")))
    }

    /// The server's address, as it was given. From memory.
    pub fn url(&self) -> &str {
        self.transport.base()
    }

    /// The address of the API. From memory.
    pub fn api_endpoint(&self) -> String {
        format!("{}{}", self.url(), roadstead_api::BASE_PATH)
    }

    /// The version of the API, `v1`. From memory.
    pub fn api_version(&self) -> &'static str {
        roadstead_api::BASE_PATH.rsplit('/').next().unwrap_or_default()
    }

    /// Makes one call of the API; all others go through it. GETs, and creates, which carry a name of their own, are tried
    /// again when no answer came; nothing else is.
    pub fn call<E: Endpoint>(
        &self,
        path: &E::Path,
        query: &E::Query,
        body: &E::Body,
    ) -> impl Future<Output = Result<E::Reply>> + Send + use<E> {
        // Written before the first await, so that neither part need live, or be shared, across it.
        let request = self.transport.request(method_of::<E>(), &E::path(path)).query(query);
        let request = if E::has_body() { request.json(body) } else { request };
        let request = if E::is_create() { self.transport.once(request) } else { Ok(request) };
        let transport = self.transport.clone();
        async move { decode(transport.send(request?).await?).await }
    }

    /// Asks for the raw bytes at an absolute path of the server.
    pub(crate) async fn raw(&self, path: &str, query: &[(&str, &str)]) -> Result<Reply> {
        self.transport.send(self.transport.request(Method::GET, path).query(query)).await
    }

    /// Turns a path of the API into a connection for a WebSocket.
    pub(crate) fn upgraded<Q: Serialize>(
        &self,
        path: &str,
        query: &Q,
    ) -> impl Future<Output = Result<Upgraded>> + Send + use<Q> {
        let request = self.transport.request(Method::GET, path).query(query);
        let transport = self.transport.clone();
        async move { transport.upgrade(request).await }
    }

    /// Asks for the stream at an absolute path of the server, from a place on.
    pub(crate) fn raw_after<Q: Serialize>(
        &self,
        path: &str,
        query: &Q,
        place: Option<&str>,
    ) -> impl Future<Output = Result<Reply>> + Send + use<Q> {
        let request = self.transport.request(Method::GET, path).query(query);
        let request = match place {
            Some(place) => request.header("last-event-id", place),
            None => request,
        };
        let transport = self.transport.clone();
        async move { transport.send(request).await }
    }
}

fn method_of<E: Endpoint>() -> Method {
    match E::METHOD {
        roadstead_api::Method::Get => Method::GET,
        roadstead_api::Method::Post => Method::POST,
        roadstead_api::Method::Patch => Method::PATCH,
        roadstead_api::Method::Delete => Method::DELETE,
    }
}

async fn decode<T: DeserializeOwned>(mut reply: Reply) -> Result<T> {
    let body = reply.bytes().await?;
    // An endpoint without a reply answers 204 and no body; its type is `()`, which JSON writes as `null`.
    let json: &[u8] = if body.is_empty() { b"null" } else { &body };
    serde_json::from_slice(json).map_err(|e| {
        Error::new(ErrorKind::Protocol, "the server's answer is not what was asked for").caused_by(e)
    })
}
