//! Shells on machines: a terminal over a WebSocket.

use std::fmt;

use bytes::Bytes;
use futures_util::{SinkExt, StreamExt};
use reqwest::Upgraded;
use roadstead_api::{
    Endpoint,
    shell::{MAX_MESSAGE_BYTES, MachineShellOpen, ShellNotice, ShellRequest, ShellSize},
};
use tokio_tungstenite::{
    WebSocketStream,
    tungstenite::{self, Message, protocol::Role},
};

use crate::{
    Machine,
    error::{Error, ErrorKind, Result},
};

/// How much of what is typed goes into one message.
const PIECE: usize = MAX_MESSAGE_BYTES / 2;

/// A terminal on a machine. Dropped, it is gone, and what runs in it is hung up.
pub struct Shell {
    socket: WebSocketStream<Upgraded>,
}

/// What a terminal has to say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ShellSaid {
    /// What it shows.
    Output(Bytes),
    /// The shell ended with this status. Nothing comes after it.
    Ended(u32),
}

impl Machine {
    /// Opens a terminal of this size on it. Talks to the server.
    pub async fn open_shell(&self, size: ShellSize) -> Result<Shell> {
        let path = MachineShellOpen::path(&self.id);
        let upgraded = self.client.upgraded(&path, &size).await?;
        Ok(Shell { socket: WebSocketStream::from_raw_socket(upgraded, Role::Client, None).await })
    }
}

impl Shell {
    /// Waits for what it says next. May be dropped and called again. An error where the way there is lost, or the machine
    /// was not reached.
    pub async fn said(&mut self) -> Result<ShellSaid> {
        loop {
            let text = match self.socket.next().await {
                Some(Ok(Message::Binary(bytes))) => return Ok(ShellSaid::Output(bytes)),
                Some(Ok(Message::Text(text))) => text,
                Some(Ok(Message::Close(_))) | None => {
                    return Err(Error::new(ErrorKind::Unreachable, "the server ended the shell"));
                }
                Some(Ok(_)) => continue,
                Some(Err(error)) => return Err(broken(error)),
            };
            let notice = serde_json::from_str(&text).map_err(|e| {
                Error::new(ErrorKind::Protocol, "the server says something else than a shell does")
                    .caused_by(e)
            })?;
            match notice {
                ShellNotice::Opened => {}
                ShellNotice::Ended { status } => return Ok(ShellSaid::Ended(status)),
                ShellNotice::Failed { message } => return Err(Error::new(ErrorKind::Server, message)),
            }
        }
    }

    /// Types something.
    pub async fn send(&mut self, typed: &[u8]) -> Result<()> {
        for piece in typed.chunks(PIECE) {
            self.socket.send(Message::Binary(Bytes::copy_from_slice(piece))).await.map_err(broken)?;
        }
        Ok(())
    }

    /// Says that the terminal has another size.
    pub async fn resize(&mut self, size: ShellSize) -> Result<()> {
        let text = serde_json::to_string(&ShellRequest::Resize(size));
        let text = text.map_err(|e| Error::new(ErrorKind::Invalid, "cannot write the size").caused_by(e))?;
        self.socket.send(Message::Text(text.into())).await.map_err(broken)
    }
}

impl fmt::Debug for Shell {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Shell").finish_non_exhaustive()
    }
}

fn broken(source: tungstenite::Error) -> Error {
    Error::new(ErrorKind::Unreachable, "the way to the shell broke").caused_by(source)
}
