//! Programs on a host: started on a channel of their own, and fed and heard for as long as they run.

use std::time::Duration;

use russh::{Channel, ChannelMsg, ChannelReadHalf, ChannelWriteHalf, Sig, client::Msg};
use tokio::{sync::mpsc, time::timeout};

use super::{
    connection::{Connection, broken},
    dial::Route,
};
use crate::{
    driver::Timeouts,
    error::{Error, ErrorKind, Result},
    remote::{Feed, Program, Remote, Said, TerminalSize},
    tcp::within,
};

/// How long what a program started may keep its output open after its end.
const LINGER: Duration = Duration::from_secs(2);
/// The terminal that programs are told of.
const TERMINAL: &str = "xterm-256color";

impl Connection {
    /// Starts a program on a channel.
    async fn start(&self, program: Program, timeouts: Timeouts) -> Result<Channel<Msg>> {
        let context = || format!("cannot start a shell on {}", self.host());
        within(timeouts.call, context, async {
            let mut channel = self.open_channel().await.map_err(|source| broken(context(), source))?;
            let asked = match program {
                Program::Commands => channel.exec(true, "sh").await,
                Program::Terminal(TerminalSize { columns, rows }) => {
                    let (columns, rows) = (u32::from(columns), u32::from(rows));
                    channel
                        .request_pty(true, TERMINAL, columns, rows, 0, 0, &[])
                        .await
                        .map_err(|source| broken(context(), source))?;
                    taken(&mut channel, context).await?;
                    channel.request_shell(true).await
                }
            };
            asked.map_err(|source| broken(context(), source))?;
            taken(&mut channel, context).await?;
            Ok(channel)
        })
        .await
    }
}

/// Waits until the host has taken what was asked.
async fn taken(channel: &mut Channel<Msg>, context: impl Fn() -> String) -> Result<()> {
    while let Some(message) = channel.wait().await {
        match message {
            ChannelMsg::Success => return Ok(()),
            ChannelMsg::Failure => return Err(Error::new(ErrorKind::MissingRights, context())),
            _ => {}
        }
    }
    Err(Error::new(ErrorKind::Unreachable, context()))
}

impl Route {
    /// Starts a program; the connection ends with it.
    pub(crate) async fn into_program(self, program: Program, timeouts: Timeouts) -> Result<Remote> {
        let (hear, feed) = self.machine.start(program, timeouts).await?.split();
        Ok(Remote::driven(|end| {
            let hearing = tokio::spawn(async move {
                heard(hear, end.said).await;
                self.close().await;
            });
            vec![hearing, tokio::spawn(fed(feed, end.input))]
        }))
    }
}

async fn fed(channel: ChannelWriteHalf<Msg>, mut input: mpsc::Receiver<Feed>) {
    while let Some(feed) = input.recv().await {
        let passed = match feed {
            Feed::Input(bytes) => channel.data_bytes(bytes).await,
            Feed::End => channel.eof().await,
            Feed::Resize(TerminalSize { columns, rows }) => {
                channel.window_change(u32::from(columns), u32::from(rows), 0, 0).await
            }
        };
        if passed.is_err() {
            return;
        }
    }
}

async fn heard(mut channel: ChannelReadHalf, said: mpsc::Sender<Said>) {
    let mut ended = false;
    loop {
        let message = match ended {
            true => timeout(LINGER, channel.wait()).await.unwrap_or(None),
            false => channel.wait().await,
        };
        let told = match message {
            Some(ChannelMsg::Data { data }) => Said::Output(data.to_vec()),
            Some(ChannelMsg::ExtendedData { data, .. }) => Said::Error(data.to_vec()),
            Some(ChannelMsg::ExitStatus { exit_status }) => Said::Ended(exit_status),
            Some(ChannelMsg::ExitSignal { signal_name, .. }) => Said::Ended(status(&signal_name)),
            Some(_) => continue,
            None => return,
        };
        ended |= matches!(told, Said::Ended(_));
        if said.send(told).await.is_err() {
            return;
        }
    }
}

/// What a shell says of a program that a signal has ended.
fn status(signal: &Sig) -> u32 {
    match signal {
        Sig::HUP => 129,
        Sig::INT => 130,
        Sig::QUIT => 131,
        Sig::ILL => 132,
        Sig::ABRT => 134,
        Sig::FPE => 136,
        Sig::KILL => 137,
        Sig::SEGV => 139,
        Sig::PIPE => 141,
        Sig::ALRM => 142,
        Sig::TERM => 143,
        _ => 255,
    }
}
