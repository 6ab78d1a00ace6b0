//! SSH as the driver needs it: dial, log in, run one command, read what it says, all of it bounded.
//!
//! Every wait has its limit, also that for a host which takes the connection and then says nothing. What a command
//! prints is cut off by an error where it gets longer than was asked for, so a hostile host cannot fill our memory.

use std::{sync::Arc, time::Duration};

use russh::{
    Channel, ChannelMsg, ChannelOpenFailure, Disconnect, MethodKind,
    client::{self, AuthResult, Handle, KeyboardInteractiveAuthResponse},
    keys::{PrivateKey, PrivateKeyWithHashAlg, PublicKey},
};
use tokio::io::{AsyncRead, AsyncWrite};

use super::{
    command_line::CommandLine,
    host_key::{self, Checker},
};
use crate::{
    credentials::Secret,
    driver::Timeouts,
    error::{Error, ErrorKind, Result},
    tcp::within,
};

/// How much of a command's output is read, where nothing else is said.
pub(crate) const MAX_OUTPUT_BYTES: usize = 256 * 1024;

/// How much of what it says on standard error is kept.
const MAX_STDERR_BYTES: usize = 4 * 1024;

/// How often a host may ask before it has to let us in.
const MAX_QUESTIONS: usize = 4;

/// After this time without a byte a connection that somebody forgot ends by itself.
const IDLE: Duration = Duration::from_secs(60);

/// How often a host is asked whether it is still there; after the third silence in a row the connection ends.
const SIGN_OF_LIFE: Duration = Duration::from_secs(15);

/// What becomes of a connection over which nothing is said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Rest {
    /// It ends after a minute.
    Ends,
    /// It stays for as long as the host answers: a program may have nothing to say for hours.
    IsKeptAlive,
}

/// Who to be on a host, and how to prove it.
#[derive(Clone)]
pub(crate) struct Login {
    pub(crate) user: String,
    pub(crate) key: Option<Arc<PrivateKey>>,
    pub(crate) password: Option<Secret>,
}

/// A host to log in to.
#[derive(Clone)]
pub(crate) struct Host {
    pub(crate) name: String,
    pub(crate) port: u16,
    pub(crate) login: Login,
}

/// What a command left.
pub(crate) struct Output {
    /// The exit status; none when the connection went down first.
    pub(crate) status: Option<u32>,
    /// Whether the host took the command.
    pub(crate) accepted: bool,
    pub(crate) stdout: Vec<u8>,
    pub(crate) stderr: Vec<u8>,
}

/// A connection to a host whose key was checked.
pub(crate) struct Connection {
    handle: Handle<Checker>,
    host: String,
    /// The key that the host showed.
    pub(crate) host_key: PublicKey,
}

/// Speaks SSH over `stream`, up to the point where the host has proved which key it holds.
pub(crate) async fn handshake(
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    host: &str,
    pinned: Option<PublicKey>,
    rest: Rest,
    timeouts: Timeouts,
) -> Result<Connection> {
    let mut config = client::Config { nodelay: true, ..client::Config::default() };
    match rest {
        Rest::Ends => config.inactivity_timeout = Some(IDLE),
        Rest::IsKeptAlive => config.keepalive_interval = Some(SIGN_OF_LIFE),
    }
    config.preferred.key = host_key::preference(pinned.as_ref());
    let (checker, seen) = Checker::new(pinned.clone());
    let context = || format!("cannot speak SSH with {host}");
    let shake = async {
        client::connect_stream(Arc::new(config), stream, checker).await.map_err(|source| {
            match (source, &pinned) {
                (russh::Error::UnknownKey, Some(pinned)) => host_key::changed(host, pinned, seen.get()),
                (source, _) => broken(context(), source),
            }
        })
    };
    let handle = within(timeouts.connect, context, shake).await?;
    let host_key = seen.get().cloned().ok_or_else(|| Error::new(ErrorKind::Malformed, context()))?;
    Ok(Connection { handle, host: host.to_owned(), host_key })
}

impl Connection {
    /// The host's name.
    pub(crate) fn host(&self) -> &str {
        &self.host
    }

    /// Whether it has ended.
    pub(crate) fn is_closed(&self) -> bool {
        self.handle.is_closed()
    }

    /// Opens a channel for a program.
    pub(super) async fn open_channel(&self) -> Result<Channel<client::Msg>, russh::Error> {
        self.handle.channel_open_session().await
    }

    /// Logs in with the key, else with the password.
    pub(crate) async fn log_in(&mut self, login: &Login, timeouts: Timeouts) -> Result<()> {
        let context = format!("cannot log in to {} as {}", self.host, login.user);
        within(timeouts.call, || context.clone(), self.offer(login, &context)).await
    }

    async fn offer(&mut self, login: &Login, context: &str) -> Result<()> {
        let mut refused = Vec::new();
        if let Some(key) = &login.key {
            refused.push("key");
            if self.offer_key(login, key).await.map_err(|source| broken(context, source))?.success() {
                return Ok(());
            }
        }
        if let Some(password) = &login.password {
            refused.push("password");
            if self.offer_password(&login.user, password).await.map_err(|source| broken(context, source))? {
                return Ok(());
            }
        }
        let what = refused.join(" and the ");
        let message = format!("{} does not take the {what} for the user {}", self.host, login.user);
        Err(Error::new(ErrorKind::WrongCredentials, message))
    }

    async fn offer_key(&mut self, login: &Login, key: &Arc<PrivateKey>) -> Result<AuthResult, russh::Error> {
        let hash = match key.algorithm().is_rsa() {
            true => self.handle.best_supported_rsa_hash().await?.flatten(),
            false => None,
        };
        let key = PrivateKeyWithHashAlg::new(Arc::clone(key), hash);
        self.handle.authenticate_publickey(login.user.as_str(), key).await
    }

    /// Whether the host takes the password, as such or as the answer to the one question that it asks without echo.
    async fn offer_password(&mut self, user: &str, password: &Secret) -> Result<bool, russh::Error> {
        match self.handle.authenticate_password(user, password.expose()).await? {
            AuthResult::Success => return Ok(true),
            AuthResult::Failure { remaining_methods, .. }
                if !remaining_methods.contains(&MethodKind::KeyboardInteractive) =>
            {
                return Ok(false);
            }
            AuthResult::Failure { .. } => {}
        }
        let mut step = self.handle.authenticate_keyboard_interactive_start(user, None).await?;
        let mut answered = false;
        for _ in 0..MAX_QUESTIONS {
            let answers = match &step {
                KeyboardInteractiveAuthResponse::Success => return Ok(true),
                KeyboardInteractiveAuthResponse::Failure { .. } => return Ok(false),
                KeyboardInteractiveAuthResponse::InfoRequest { prompts, .. } => match prompts.as_slice() {
                    [] => Vec::new(),
                    // A second question is for a second factor, which nobody here has.
                    [only] if !only.echo && !answered => vec![password.expose().to_owned()],
                    _ => return Ok(false),
                },
            };
            answered |= !answers.is_empty();
            step = self.handle.authenticate_keyboard_interactive_respond(answers).await?;
        }
        Ok(false)
    }

    /// Runs a command with `input` on its standard input, and reads at most `most` bytes of what it prints.
    pub(crate) async fn run(
        &self,
        command: &CommandLine,
        input: &[u8],
        most: usize,
        timeouts: Timeouts,
    ) -> Result<Output> {
        let context = || format!("cannot run a command on {}", self.host);
        within(timeouts.call, context, async {
            let mut channel =
                self.handle.channel_open_session().await.map_err(|source| broken(context(), source))?;
            channel.exec(true, command.as_str()).await.map_err(|source| broken(context(), source))?;
            // A host that is already gone shows in what follows.
            let _ = channel.data(input).await;
            let _ = channel.eof().await;
            let mut output = Output { status: None, accepted: false, stdout: Vec::new(), stderr: Vec::new() };
            while let Some(message) = channel.wait().await {
                output.take(message, most).map_err(|kind| Error::new(kind, context()))?;
            }
            Ok(output)
        })
        .await
    }

    /// A stream through this host to another.
    pub(crate) async fn forward(
        &self,
        host: &str,
        port: u16,
        timeouts: Timeouts,
    ) -> Result<impl AsyncRead + AsyncWrite + Unpin + Send + 'static> {
        let context = || format!("{} cannot connect to {host}:{port}", self.host);
        within(timeouts.connect, context, async {
            let opened = self.handle.channel_open_direct_tcpip(host, u32::from(port), "127.0.0.1", 0).await;
            opened.map(|channel| channel.into_stream()).map_err(|source| broken(context(), source))
        })
        .await
    }

    /// A stream to a local socket of this host.
    pub(crate) async fn socket(
        &self,
        path: &str,
        timeouts: Timeouts,
    ) -> Result<impl AsyncRead + AsyncWrite + Unpin + Send + 'static> {
        let context = || format!("{} cannot connect to its socket {path}", self.host);
        within(timeouts.connect, context, async {
            let opened = self.handle.channel_open_direct_streamlocal(path).await;
            opened.map(|channel| channel.into_stream()).map_err(|source| broken(context(), source))
        })
        .await
    }

    /// Says good-bye, and does not wait for an answer.
    pub(crate) async fn close(self) {
        // The host closes its end, too; nothing depends on that.
        let _ = self.handle.disconnect(Disconnect::ByApplication, "", "").await;
    }
}

impl Output {
    fn take(&mut self, message: ChannelMsg, most: usize) -> Result<(), ErrorKind> {
        match message {
            ChannelMsg::Success => self.accepted = true,
            ChannelMsg::Failure => return Err(ErrorKind::MissingRights),
            ChannelMsg::Data { data } if self.stdout.len() + data.len() > most => {
                return Err(ErrorKind::Malformed);
            }
            ChannelMsg::Data { data } => self.stdout.extend_from_slice(&data),
            ChannelMsg::ExtendedData { data, .. } => {
                let room = MAX_STDERR_BYTES.saturating_sub(self.stderr.len());
                self.stderr.extend_from_slice(&data[..room.min(data.len())]);
            }
            ChannelMsg::ExitStatus { exit_status } => self.status = Some(exit_status),
            _ => {}
        }
        Ok(())
    }

    /// The last line on standard error, fit to be shown.
    pub(crate) fn complaint(&self) -> String {
        let text = String::from_utf8_lossy(&self.stderr);
        let line = text.lines().rev().find(|line| !line.trim().is_empty()).unwrap_or("it did not say why");
        line.trim().chars().filter(|character| !character.is_control()).take(200).collect()
    }
}

pub(super) fn broken(context: impl Into<String>, source: russh::Error) -> Error {
    let kind = match &source {
        russh::Error::IO(io) if io.kind() == std::io::ErrorKind::InvalidData => ErrorKind::Malformed,
        russh::Error::IO(_)
        | russh::Error::HUP
        | russh::Error::Disconnect
        | russh::Error::SendError
        | russh::Error::RecvError
        | russh::Error::ChannelOpenFailure(ChannelOpenFailure::ConnectFailed) => ErrorKind::Unreachable,
        russh::Error::ConnectionTimeout
        | russh::Error::KeepaliveTimeout
        | russh::Error::InactivityTimeout => ErrorKind::Timeout,
        russh::Error::ChannelOpenFailure(_) | russh::Error::RequestDenied => ErrorKind::MissingRights,
        _ => ErrorKind::Malformed,
    };
    Error::new(kind, context).caused_by(source)
}
