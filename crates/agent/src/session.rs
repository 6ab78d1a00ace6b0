//! One connection to the server, from the hello to its end.
//!
//! A session does not queue what it sends: each round of its loop sends what is due by the present state of the
//! runs, then waits for a message, a change or the next due time. Two clocks keep it honest: it is never silent for
//! longer than the heartbeat, and it takes the link for dead when nothing came for three heartbeats, for which it
//! pings a silent server.

use std::{collections::BTreeSet, time::Duration};

use roadstead_api::{
    agent::HostFacts,
    link::{self, AgentMessage, RunRef, ServerMessage},
    question::{Answer, Refusal},
    run::{Progress, RunState},
};
use serde::Deserialize;
use tokio::time::{Instant, sleep_until, timeout_at};
use tokio_tungstenite::tungstenite::Message;

use crate::{
    desk::{Answers, Desk},
    error::{Error, ErrorKind, Result},
    identity::Identity,
    measuring::Measuring,
    runs::{Runs, Taken},
    socket::Socket,
};

/// How long the server may take to let the agent in.
const HANDSHAKE: Duration = Duration::from_secs(30);
/// How many heartbeats of silence make a dead link.
const SILENCE: u32 = 3;
/// The least time between two messages of progress in one state.
const PROGRESS_PAUSE: Duration = Duration::from_secs(1);
/// Heartbeats outside of this make no sense, whatever the server says. In seconds.
const HEARTBEATS: std::ops::RangeInclusive<u32> = 1..=3600;

/// A connection that the server has welcomed.
pub(crate) struct Session<'a> {
    socket: Socket,
    runs: &'a Runs,
    desk: &'a Desk,
    answers: Answers,
    heartbeat: Duration,
    heard: Instant,
    pinged: Instant,
    spoke: Instant,
    sent: BTreeSet<RunRef>,
    told: Option<Told>,
    measuring: Option<Measuring>,
    /// Whether the server takes errors of single files beside those of the outcome.
    takes_errors: bool,
}

/// The progress that the server was told last.
struct Told {
    run: RunRef,
    state: RunState,
    progress: Progress,
    at: Instant,
}

impl<'a> Session<'a> {
    /// Connects, says hello and waits for the welcome.
    pub async fn open(identity: &Identity, host: &HostFacts, runs: &'a Runs, desk: &'a Desk) -> Result<Self> {
        let until = Instant::now() + HANDSHAKE;
        let late = |_| Error::new(ErrorKind::Link, "the server did not let the agent in in time");
        let socket = timeout_at(until, Socket::connect(identity)).await.map_err(late)??;
        let now = Instant::now();
        let mut session = Self {
            socket,
            runs,
            desk,
            answers: Answers::new(),
            heartbeat: HANDSHAKE,
            heard: now,
            pinged: now,
            spoke: now,
            sent: BTreeSet::new(),
            told: None,
            measuring: None,
            takes_errors: false,
        };
        runs.find_results();
        let hello = AgentMessage::Hello {
            protocol: link::PROTOCOL,
            host: host.clone(),
            runs: runs.all(),
            takes_upkeep: true,
        };
        session.send(&hello).await?;
        session.heartbeat = timeout_at(until, session.welcome()).await.map_err(late)??;
        Ok(session)
    }

    async fn welcome(&mut self) -> Result<Duration> {
        loop {
            let Some(text) = self.socket.next().await? else { continue };
            self.heard = Instant::now();
            return match serde_json::from_str(&text) {
                Ok(ServerMessage::Welcome { protocol: link::PROTOCOL, heartbeat_seconds, takes_errors }) => {
                    self.takes_errors = takes_errors;
                    let seconds = heartbeat_seconds.clamp(*HEARTBEATS.start(), *HEARTBEATS.end());
                    Ok(Duration::from_secs(seconds.into()))
                }
                Ok(ServerMessage::Welcome { protocol, .. }) => Err(Error::new(
                    ErrorKind::Refused,
                    format!("the server speaks protocol {protocol}: update this agent"),
                )),
                Ok(ServerMessage::Refused { reason }) => {
                    Err(Error::new(ErrorKind::Refused, format!("the server refuses the link: {reason}")))
                }
                _ => {
                    Err(Error::new(ErrorKind::Protocol, "the server answered the hello with something else"))
                }
            };
        }
    }

    /// Serves the server until the link breaks, or all is done and told.
    pub async fn serve(mut self) -> Result<()> {
        let mut changes = self.runs.changes();
        loop {
            self.keep_alive().await?;
            self.send_progress().await?;
            self.send_results().await?;
            self.send_sample().await?;
            if self.runs.is_finished() {
                return self.part().await;
            }
            let due = self.due();
            tokio::select! {
                text = self.socket.next() => {
                    self.heard = Instant::now();
                    if let Some(text) = text? { self.obey(&text).await? }
                }
                _ = changes.changed() => {}
                Some(answer) = self.answers.join_next() => if let Ok(answer) = answer {
                    self.send(&answer).await?;
                },
                () = sleep_until(due) => {}
            }
        }
    }

    /// When the loop has to look again though nothing happens.
    fn due(&self) -> Instant {
        let silence =
            (self.heard.max(self.pinged) + self.heartbeat).min(self.heard + self.heartbeat * SILENCE);
        let due = silence.min(self.spoke + self.heartbeat);
        let due = self.measuring.as_ref().map_or(due, |measuring| due.min(measuring.due()));
        match &self.told {
            Some(told) if self.news().is_some() => due.min(told.at + PROGRESS_PAUSE),
            _ => due,
        }
    }

    async fn keep_alive(&mut self) -> Result<()> {
        let now = Instant::now();
        if now >= self.heard + self.heartbeat * SILENCE {
            return Err(Error::new(ErrorKind::Link, "the server has fallen silent"));
        }
        if now >= self.spoke + self.heartbeat {
            self.send(&AgentMessage::Heartbeat).await?;
        }
        if now >= self.heard.max(self.pinged) + self.heartbeat {
            self.pinged = now;
            self.send_raw(Message::Ping(Default::default())).await?;
        }
        Ok(())
    }

    /// At once where the state is new, else at most once in a pause.
    async fn send_progress(&mut self) -> Result<()> {
        let Some((run, state, progress)) = self.news() else { return Ok(()) };
        let now = Instant::now();
        match &self.told {
            Some(told) if told.run == run && told.state == state && now < told.at + PROGRESS_PAUSE => Ok(()),
            _ => {
                self.told = Some(Told { run, state, progress: progress.clone(), at: now });
                self.send(&AgentMessage::Progress { run, state, progress }).await
            }
        }
    }

    /// How far the run in hand has come, unless the server knows.
    fn news(&self) -> Option<(RunRef, RunState, Progress)> {
        let news = self.runs.told()?;
        let is_old = |told: &Told| told.run == news.0 && told.state == news.1 && told.progress == news.2;
        (!self.told.as_ref().is_some_and(is_old)).then_some(news)
    }

    async fn send_sample(&mut self) -> Result<()> {
        let now = Instant::now();
        match self.measuring.as_mut().and_then(|measuring| measuring.sample(now)) {
            Some((watched, sample)) => self.send(&AgentMessage::Sample { watched, sample }).await,
            None => Ok(()),
        }
    }

    async fn send_results(&mut self) -> Result<()> {
        for run in self.runs.ended() {
            if self.sent.insert(run) {
                self.send_result(run).await?;
            }
        }
        Ok(())
    }

    async fn send_result(&mut self, run: RunRef) -> Result<()> {
        let Some(outcome) = self.runs.outcome(run) else { return Ok(()) };
        tracing::info!(%run, state = %outcome.state, "run ended");
        let errors = self.takes_errors.then(|| self.runs.errors(run)).flatten();
        for (first, errors) in errors.into_iter().flatten() {
            self.send(&AgentMessage::Errors { run, first, errors }).await?;
        }
        self.send(&AgentMessage::Finished { run, outcome }).await
    }

    /// Does what a message of the server says. One that is not understood is no reason to break the link: a later
    /// server may say more than this agent knows.
    async fn obey(&mut self, text: &str) -> Result<()> {
        match serde_json::from_str(text) {
            Ok(ServerMessage::Start(job)) => self.start(*job).await,
            Ok(ServerMessage::Measure { every_seconds, for_seconds }) => {
                let now = Instant::now();
                let measuring = self.measuring.get_or_insert_with(|| Measuring::new(now));
                measuring.change(every_seconds, for_seconds, now);
                Ok(())
            }
            Ok(ServerMessage::Ask { question, what }) => {
                self.desk.ask(question, what, &mut self.answers);
                Ok(())
            }
            Ok(ServerMessage::Stop { run }) => {
                tracing::info!(%run, "run is to stop");
                self.runs.stop(run);
                Ok(())
            }
            Ok(ServerMessage::Acknowledged { run }) => {
                self.runs.acknowledged(run);
                self.sent.remove(&run);
                Ok(())
            }
            Ok(ServerMessage::Refused { reason }) => {
                Err(Error::new(ErrorKind::Refused, format!("the server refuses the link: {reason}")))
            }
            Ok(ServerMessage::Welcome { .. }) => Ok(()),
            Err(e) => {
                // The error's text may quote the message, which may hold a password.
                tracing::warn!(
                    line = e.line(),
                    column = e.column(),
                    "a message of the server is not understood"
                );
                self.answer_unknown(text).await
            }
        }
    }

    /// Refuses what a later server wants and this agent does not know, as far as it can be read.
    async fn answer_unknown(&mut self, text: &str) -> Result<()> {
        match serde_json::from_str(text) {
            Ok(Unknown::Start { run }) => {
                self.runs.refuse(run, "this version of the agent does not know such a job: update it");
                Ok(())
            }
            Ok(Unknown::Ask { question }) => {
                let reason = "this version of the agent does not know such a question: update it".to_owned();
                let answer = Answer::Refused { why: Refusal::Unknown, reason };
                self.send(&AgentMessage::Answer { question, answer }).await
            }
            Err(_) => Ok(()),
        }
    }

    async fn start(&mut self, job: link::Job) -> Result<()> {
        let run = job.run;
        match self.runs.start(job) {
            Taken::Accepted => {
                tracing::info!(%run, "run taken");
                self.send(&AgentMessage::Accepted { run }).await
            }
            Taken::Ended => {
                self.sent.insert(run);
                self.send_result(run).await
            }
        }
    }

    async fn send(&mut self, message: &AgentMessage) -> Result<()> {
        let unfit = |e| Error::new(ErrorKind::Protocol, "a message cannot be encoded").caused_by(e);
        let text = serde_json::to_string(message).map_err(unfit)?;
        self.send_raw(Message::text(text)).await?;
        self.spoke = Instant::now();
        Ok(())
    }

    async fn send_raw(&mut self, message: Message) -> Result<()> {
        self.socket.send(message, self.heartbeat * SILENCE).await
    }

    async fn part(mut self) -> Result<()> {
        self.send_raw(Message::Close(None)).await
    }
}

/// A job or question that is beyond this version, as far as it can be read.
#[derive(Deserialize)]
#[serde(tag = "message", rename_all = "snake_case")]
enum Unknown {
    Start { run: RunRef },
    Ask { question: u64 },
}
