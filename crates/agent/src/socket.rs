//! The WebSocket beneath a session: connected with the agent's credential, bounded in what it takes, and never
//! waited for without end.

use std::{io, time::Duration};

use futures_util::{SinkExt, StreamExt};
use roadstead_api::link::MAX_MESSAGE_BYTES;
use tokio::time::timeout;
use tokio_tungstenite::{
    WebSocketStream, client_async_with_config,
    tungstenite::{
        self, Message,
        client::IntoClientRequest,
        handshake::client::Request,
        http::{HeaderValue, StatusCode, header::AUTHORIZATION},
        protocol::WebSocketConfig,
    },
};

use crate::{
    error::{Error, ErrorKind, Result},
    identity::Identity,
    line::{self, Line},
};

/// Messages are small but for orders and results; what a buffer lacks it grows by.
const BUFFER_BYTES: usize = 16 << 10;

/// A connection that stands.
pub(crate) struct Socket(WebSocketStream<Box<dyn Line>>);

impl Socket {
    /// Connects to the agent's server.
    pub async fn connect(identity: &Identity) -> Result<Self> {
        let config = WebSocketConfig::default()
            .read_buffer_size(BUFFER_BYTES)
            .write_buffer_size(BUFFER_BYTES)
            .max_message_size(Some(MAX_MESSAGE_BYTES))
            .max_frame_size(Some(MAX_MESSAGE_BYTES));
        let line =
            line::connect(&identity.server, identity.ca_pem.as_deref(), identity.proxy()?.as_ref()).await?;
        match client_async_with_config(request(identity)?, line, Some(config)).await {
            Ok((socket, _)) => Ok(Self(socket)),
            Err(tungstenite::Error::Http(reply)) if reply.status() == StatusCode::UNAUTHORIZED => {
                Err(Error::new(ErrorKind::Unauthorized, "the server does not know this agent's credential"))
            }
            Err(tungstenite::Error::Http(reply)) => {
                Err(Error::new(ErrorKind::Link, format!("the server answered {}", reply.status())))
            }
            Err(e) => Err(Error::new(ErrorKind::Link, "the server cannot be reached").caused_by(e)),
        }
    }

    /// Sends a message; a server that takes none within the limit is as good as gone.
    pub async fn send(&mut self, message: Message, limit: Duration) -> Result<()> {
        match timeout(limit, self.0.send(message)).await {
            Ok(sent) => sent.map_err(broken),
            Err(_) => Err(Error::new(ErrorKind::Link, "the server takes no messages")),
        }
    }

    /// The next text message; `None` for a sign of life without one. May be dropped and called again.
    pub async fn next(&mut self) -> Result<Option<String>> {
        match self.0.next().await {
            Some(Ok(Message::Text(text))) => Ok(Some(text.as_str().to_owned())),
            Some(Ok(Message::Close(_))) | None => {
                Err(Error::new(ErrorKind::Link, "the server closed the link"))
            }
            Some(Ok(_)) => Ok(None),
            Some(Err(e)) => Err(broken(e)),
        }
    }
}

fn request(identity: &Identity) -> Result<Request> {
    let unfit = || Error::new(ErrorKind::Address, "the address of the link cannot be used");
    let mut request = identity.server.link().into_client_request().map_err(|e| unfit().caused_by(e))?;
    let bearer = format!("Bearer {}", identity.credential);
    let mut bearer = HeaderValue::from_str(&bearer).map_err(|e| unfit().caused_by(e))?;
    bearer.set_sensitive(true);
    request.headers_mut().insert(AUTHORIZATION, bearer);
    Ok(request)
}

fn broken(source: tungstenite::Error) -> Error {
    if matches!(&source, tungstenite::Error::Io(e) if e.kind() == io::ErrorKind::UnexpectedEof) {
        // A server that was killed; TLS has a paragraph to say of it.
        return Error::new(ErrorKind::Link, "the link broke off");
    }
    Error::new(ErrorKind::Link, "the link broke").caused_by(source)
}
