//! One link, from hello to its end.

use std::{sync::Arc, time::Duration};

use axum::extract::ws::{Message, WebSocket};
use roadstead_api::{
    agent::HostFacts,
    event::Event,
    id::{AccountId, AgentId},
    link::{AgentMessage, PROTOCOL, RunRef, ServerMessage},
};
use tokio::{
    sync::{mpsc, oneshot},
    time::{Instant, timeout},
};

use super::HEARTBEAT;
use crate::{Error, Result, app::App, live::Link, ops};

/// How long an agent has for its hello.
const HELLO_WITHIN: Duration = Duration::from_secs(10);
/// How long an agent may say nothing, or take nothing, before its link counts as broken.
const SILENCE: Duration = Duration::from_secs(3 * HEARTBEAT.as_secs());
/// How long an older link has to show that it is alive, before a newer one takes its place.
const PROBE_WITHIN: Duration = Duration::from_secs(5);
/// How often agents measure how busy their machines are, in seconds.
const MEASURE_SECONDS: u32 = 60;
/// How many messages wait for a slow agent before its link counts as broken.
const QUEUE: usize = 64;

/// Serves a link to its end.
pub async fn run(app: Arc<App>, agent: AgentId, mut socket: WebSocket) {
    match greet(&app, agent, &mut socket).await {
        Ok(Some(session)) => session.serve(socket).await,
        Ok(None) => {}
        Err(error) => tracing::warn!(%agent, error = error.chain(), "an agent's link was not opened"),
    }
}

async fn greet(app: &Arc<App>, agent: AgentId, socket: &mut WebSocket) -> Result<Option<Session>> {
    let Some(Greeting { host, runs, takes_upkeep }) = hello(socket).await? else { return Ok(None) };
    let (sender, outgoing) = mpsc::channel(QUEUE);
    let (probe, probes) = mpsc::channel(1);
    let link = app.live.link(sender, probe, takes_upkeep);
    if !take_over(app, agent, &link).await {
        let reason =
            "Another process with this agent's identity is connected: was the machine cloned?".to_owned();
        tracing::error!(%agent, hostname = host.hostname, "a second agent with the same identity was refused");
        ops::alarm::cloned_agent(app, agent, &host.hostname).await?;
        return refuse(socket, reason).await;
    }
    let mut session =
        Session { app: app.clone(), agent, account: None, link, outgoing, probes, waiting: Vec::new() };
    app.live.heard(agent, app.now_ms());
    session.account = Some(ops::run::agent_connected(app, agent, &host, &runs).await?);
    let heartbeat_seconds = HEARTBEAT.as_secs() as u32;
    send(socket, &ServerMessage::Welcome { protocol: PROTOCOL, heartbeat_seconds, takes_errors: true })
        .await?;
    session.link.send(ServerMessage::Measure { every_seconds: MEASURE_SECONDS, for_seconds: None });
    for run in ops::run::to_be_stopped(app, agent).await? {
        session.link.send(ServerMessage::Stop { run });
    }
    app.live.dispatch.notify_one();
    app.live.schedules.notify_here();
    tracing::info!(%agent, hostname = host.hostname, "an agent has connected");
    Ok(Some(session))
}

/// Makes this the agent's link, unless an older one shows that it is alive. A link whose other end vanished does not
/// answer, and gives way.
async fn take_over(app: &App, agent: AgentId, link: &Link) -> bool {
    let older = app.live.link_of(agent);
    if let Some(older) = &older {
        let (answer, answered) = oneshot::channel();
        let probing = older.probe.try_send(answer);
        if matches!(probing, Err(mpsc::error::TrySendError::Full(_))) {
            return false;
        }
        if probing.is_ok() && matches!(timeout(PROBE_WITHIN, answered).await, Ok(Ok(()))) {
            return false;
        }
    }
    app.live.connect(agent, link.clone(), older.map(|older| older.number))
}

/// What an agent says of itself at first.
struct Greeting {
    host: HostFacts,
    runs: Vec<RunRef>,
    takes_upkeep: bool,
}

async fn hello(socket: &mut WebSocket) -> Result<Option<Greeting>> {
    let Ok(Some(Ok(Message::Text(text)))) = timeout(HELLO_WITHIN, socket.recv()).await else {
        return Ok(None);
    };
    match serde_json::from_str(&text) {
        Ok(AgentMessage::Hello { protocol: PROTOCOL, host, runs, takes_upkeep }) => {
            Ok(Some(Greeting { host, runs, takes_upkeep }))
        }
        Ok(AgentMessage::Hello { protocol, .. }) => {
            let reason = format!(
                "This server speaks protocol {PROTOCOL}, the agent {protocol}; update the older one."
            );
            refuse(socket, reason).await
        }
        _ => refuse(socket, "The first message must be a hello.".to_owned()).await,
    }
}

async fn refuse<T>(socket: &mut WebSocket, reason: String) -> Result<Option<T>> {
    send(socket, &ServerMessage::Refused { reason }).await?;
    Ok(None)
}

async fn send(socket: &mut WebSocket, message: &ServerMessage) -> Result<()> {
    send_within(socket, message, SILENCE).await
}

/// An agent that takes no message for as long as it may be silent is gone: nothing else would end the link of one that
/// does not read.
async fn send_within(socket: &mut WebSocket, message: &ServerMessage, limit: Duration) -> Result<()> {
    let text =
        serde_json::to_string(message).map_err(|e| Error::internal("A message has no JSON.").caused_by(e))?;
    let gone = |e| Error::new(crate::ErrorKind::Unavailable, "The agent is gone.").caused_by(e);
    let sent = timeout(limit, socket.send(Message::Text(text.into()))).await;
    sent.map_err(|_| Error::new(crate::ErrorKind::Unavailable, "The agent takes no messages."))?.map_err(gone)
}

/// An open link.
struct Session {
    app: Arc<App>,
    agent: AgentId,
    /// Whose agent it is, once it counts as connected.
    account: Option<AccountId>,
    link: Link,
    outgoing: mpsc::Receiver<ServerMessage>,
    probes: mpsc::Receiver<oneshot::Sender<()>>,
    /// Who waits for a sign of life.
    waiting: Vec<oneshot::Sender<()>>,
}

impl Drop for Session {
    fn drop(&mut self) {
        self.app.live.disconnect(self.agent, self.link.number);
        self.app.live.last_seen.notify_one();
        if let Some(account) = self.account {
            self.app.db.events().tell(account, Event::new("agent", self.agent, "disconnect"));
        }
    }
}

impl Session {
    async fn serve(mut self, mut socket: WebSocket) {
        match self.talk(&mut socket).await {
            Ok(()) => tracing::info!(agent = %self.agent, "an agent has disconnected"),
            Err(error) => tracing::warn!(agent = %self.agent, error = error.chain(), "an agent's link broke"),
        }
    }

    async fn talk(&mut self, socket: &mut WebSocket) -> Result<()> {
        let app = self.app.clone();
        let mut last_heard = Instant::now();
        loop {
            tokio::select! {
                incoming = socket.recv() => {
                    last_heard = Instant::now();
                    match incoming {
                        Some(Ok(Message::Close(_)) | Err(_)) | None => return Ok(()),
                        Some(Ok(message)) => self.heard(socket, message).await?,
                    }
                }
                Some(message) = self.outgoing.recv() => {
                    send(socket, &message).await?;
                    if matches!(message, ServerMessage::Refused { .. }) {
                        return Ok(());
                    }
                }
                Some(probe) = self.probes.recv() => {
                    self.waiting.push(probe);
                    let _ = timeout(SILENCE, socket.send(Message::Ping(Vec::new().into()))).await;
                }
                () = tokio::time::sleep_until(last_heard + SILENCE) => return Ok(()),
                () = app.ending() => {
                    let _ = timeout(PROBE_WITHIN, socket.send(Message::Close(None))).await;
                    return Ok(());
                }
            }
        }
    }

    async fn heard(&mut self, socket: &mut WebSocket, message: Message) -> Result<()> {
        self.app.live.heard(self.agent, self.app.now_ms());
        for waiting in self.waiting.drain(..) {
            let _ = waiting.send(());
        }
        let Message::Text(text) = message else { return Ok(()) };
        let not_understood = |e| Error::invalid("The agent sent what is no message.").caused_by(e);
        match serde_json::from_str(&text).map_err(not_understood)? {
            AgentMessage::Hello { .. } => Err(Error::invalid("The agent said hello twice.")),
            AgentMessage::Heartbeat => Ok(()),
            AgentMessage::Sample { watched, sample } => {
                self.app.live.meters.take(self.agent, sample, watched, self.app.now_ms());
                // Whoever watches reads on by this; of what nobody watches, nothing is told.
                if let (true, Some(account)) = (watched, self.account) {
                    self.app.db.events().tell(account, Event::new("agent", self.agent, "measure"));
                }
                Ok(())
            }
            AgentMessage::Answer { question, answer } => {
                self.app.live.questions.answer(self.agent, question, answer);
                Ok(())
            }
            AgentMessage::Accepted { run } => ops::run::accepted(&self.app, self.agent, run).await,
            AgentMessage::Progress { run, state, progress } => {
                ops::run::progressed(&self.app, self.agent, run, state, progress).await
            }
            AgentMessage::Errors { run, first, errors } => {
                ops::run_error::told(&self.app, self.agent, run, first, &errors).await
            }
            AgentMessage::Finished { run, outcome } => {
                ops::run::finished(&self.app, self.agent, run, outcome).await?;
                send(socket, &ServerMessage::Acknowledged { run }).await
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use axum::{Router, extract::WebSocketUpgrade, routing::get};
    use tokio::{
        io::AsyncWriteExt,
        net::{TcpListener, TcpStream},
    };

    use super::*;

    #[tokio::test]
    async fn an_agent_that_takes_nothing_is_gone() {
        let (ended, mut ends) = mpsc::channel(1);
        let handler = move |upgrade: WebSocketUpgrade| async move {
            upgrade.on_upgrade(move |mut socket| async move {
                let message = ServerMessage::Refused { reason: "x".repeat(1 << 20) };
                loop {
                    let sent = send_within(&mut socket, &message, Duration::from_millis(300)).await;
                    if let Err(error) = sent {
                        return ended.send(error).await.unwrap();
                    }
                }
            })
        };
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let mut agent = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        let server = axum::serve(listener, Router::new().route("/", get(handler)));
        let server = tokio::spawn(server.into_future());
        let hello = "GET / HTTP/1.1\r\nhost: localhost\r\nconnection: upgrade\r\nupgrade: websocket\r\n\
            sec-websocket-version: 13\r\nsec-websocket-key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n";
        agent.write_all(hello.as_bytes()).await.unwrap();
        assert_eq!(ends.recv().await.unwrap().message, "The agent takes no messages.");
        server.abort();
    }
}
