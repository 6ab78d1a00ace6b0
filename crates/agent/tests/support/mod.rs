//! A server of the test's own on a real socket, and an agent that is enrolled with it.

#![allow(dead_code, reason = "each test file uses its own part")]

use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
    time::Duration,
};

use futures_util::{SinkExt, StreamExt};
use roadstead_agent::{JobCommand, Reconnect, RunOptions};
use roadstead_api::{
    agent::HostFacts,
    id::{AgentId, SnapshotId, VaultId},
    link::{AgentMessage, Job, Outcome, PROTOCOL, RunKind, RunRef, ServerMessage, Work},
    run::{Progress, RunState},
};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::oneshot,
    task::JoinHandle,
    time::timeout,
};
use tokio_tungstenite::{
    WebSocketStream, accept_hdr_async,
    tungstenite::{
        self, Message,
        handshake::server::{Request, Response},
    },
};

/// How long anything may take that should happen at once; long, since machines are slow at times.
pub const PATIENCE: Duration = Duration::from_secs(30);
pub const CREDENTIAL: &str = "the-credential";

/// Listens for agents.
pub struct FakeServer {
    listener: TcpListener,
}

impl FakeServer {
    pub async fn start() -> Self {
        Self { listener: TcpListener::bind("127.0.0.1:0").await.unwrap() }
    }

    pub fn address(&self) -> SocketAddr {
        self.listener.local_addr().unwrap()
    }

    /// The next connection, before anything was read.
    pub async fn accept_raw(&self) -> TcpStream {
        timeout(PATIENCE, self.listener.accept()).await.expect("no agent came").unwrap().0
    }

    /// The next link, before its hello.
    pub async fn accept(&self) -> FakeLink {
        let mut request_line = (String::new(), String::new());
        let stream = self.accept_raw().await;
        #[allow(clippy::result_large_err, reason = "the library's own callback type")]
        let read = |request: &Request, response: Response| {
            let authorization =
                request.headers().get("authorization").map(|v| v.to_str().unwrap().to_owned());
            request_line = (request.uri().path().to_owned(), authorization.unwrap_or_default());
            Ok(response)
        };
        let socket = accept_hdr_async(stream, read).await.unwrap();
        FakeLink { socket, path: request_line.0, authorization: request_line.1 }
    }

    /// The next link, welcomed; with the runs that its hello named.
    pub async fn welcome(&self, heartbeat_seconds: u32) -> (FakeLink, Vec<RunRef>) {
        let mut link = self.accept().await;
        let (_, runs) = link.hello().await;
        link.send(&ServerMessage::Welcome { protocol: PROTOCOL, heartbeat_seconds, takes_errors: false })
            .await;
        (link, runs)
    }
}

/// The server's end of a link.
pub struct FakeLink {
    socket: WebSocketStream<TcpStream>,
    pub path: String,
    pub authorization: String,
}

impl FakeLink {
    pub async fn send(&mut self, message: &ServerMessage) {
        self.send_text(serde_json::to_string(message).unwrap()).await;
    }

    pub async fn send_text(&mut self, text: String) {
        self.socket.send(Message::text(text)).await.unwrap();
    }

    pub async fn send_raw(&mut self, message: Message) -> tungstenite::Result<()> {
        self.socket.send(message).await
    }

    /// The next frame that is an agent's message; `None` once the link is closed.
    pub async fn next(&mut self) -> Option<AgentMessage> {
        loop {
            match timeout(PATIENCE, self.socket.next()).await.expect("the agent is silent")? {
                Ok(Message::Text(text)) => return Some(serde_json::from_str(&text).unwrap()),
                Ok(Message::Close(_)) | Err(_) => return None,
                Ok(_) => {}
            }
        }
    }

    /// The next frame as it is.
    pub async fn next_raw(&mut self) -> Message {
        timeout(PATIENCE, self.socket.next()).await.expect("the agent is silent").unwrap().unwrap()
    }

    /// The first message for which `pick` gives something; those before it are passed over.
    pub async fn expect<T>(&mut self, mut pick: impl FnMut(AgentMessage) -> Option<T>) -> T {
        let wait = async {
            loop {
                if let Some(found) = pick(self.next().await.expect("the agent closed the link")) {
                    return found;
                }
            }
        };
        timeout(PATIENCE, wait).await.expect("the agent did not say it")
    }

    pub async fn hello(&mut self) -> (HostFacts, Vec<RunRef>) {
        match self.next().await {
            Some(AgentMessage::Hello { protocol: PROTOCOL, host, runs, takes_upkeep: true }) => (host, runs),
            other => panic!("no hello but {other:?}"),
        }
    }

    pub async fn accepted(&mut self, run: RunRef) {
        self.expect(|m| (m == AgentMessage::Accepted { run }).then_some(())).await;
    }

    /// Waits for the end of a run.
    pub async fn finished(&mut self, run: RunRef) -> Outcome {
        self.expect(|message| match message {
            AgentMessage::Finished { run: ended, outcome } if ended == run => Some(outcome),
            _ => None,
        })
        .await
    }

    /// Waits for the first progress of a run.
    pub async fn progress(&mut self, run: RunRef) -> (RunState, Progress) {
        self.expect(|message| match message {
            AgentMessage::Progress { run: moving, state, progress } if moving == run => {
                Some((state, progress))
            }
            _ => None,
        })
        .await
    }
}

/// An agent's folder, enrolled.
pub struct Folder(tempfile::TempDir);

impl Folder {
    pub fn new(server: SocketAddr) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let identity = serde_json::json!({
            "server": format!("http://{server}"),
            "trust": "plain",
            "agent_id": 1,
            "vault_id": "vault-1",
            "name": "tester",
            "credential": CREDENTIAL,
        });
        std::fs::write(folder.path().join("agent.json"), identity.to_string()).unwrap();
        Self(folder)
    }

    pub fn path(&self) -> &Path {
        self.0.path()
    }

    pub fn result(&self, run: RunRef) -> PathBuf {
        self.path().join("results").join(format!("{run}.json"))
    }

    /// Options for an agent whose jobs are run by a shell script: `$1` is this folder.
    pub fn options(&self, script: &str) -> RunOptions {
        let args = ["-c", script, "job"].into_iter().map(Into::into);
        RunOptions {
            data_dir: self.path().to_owned(),
            job_command: JobCommand {
                program: "/bin/sh".into(),
                args: args.chain([self.path().as_os_str().to_owned()]).collect(),
            },
            log: roadstead_agent::Log::new(None, |_| ()),
            reconnect: Reconnect { first: Duration::from_millis(10), cap: Duration::from_millis(200) },
        }
    }

    /// Starts an agent here.
    pub fn run(&self, script: &str) -> RunningAgent {
        let (shutdown, told) = oneshot::channel::<()>();
        let options = self.options(script);
        let task = tokio::spawn(roadstead_agent::run(options, async move {
            let _ = told.await;
        }));
        RunningAgent { shutdown, task }
    }
}

/// An agent that runs in this process.
pub struct RunningAgent {
    shutdown: oneshot::Sender<()>,
    task: JoinHandle<roadstead_agent::Result<()>>,
}

impl RunningAgent {
    /// Tells it to end.
    pub fn shut_down(self) -> JoinHandle<roadstead_agent::Result<()>> {
        self.shutdown.send(()).unwrap();
        self.task
    }

    /// Ends it and waits for that.
    pub async fn end(self) {
        timeout(PATIENCE, self.shut_down()).await.expect("the agent does not end").unwrap().unwrap();
    }
}

pub fn run(id: i64) -> RunRef {
    RunRef { kind: RunKind::Backup, id }
}

pub fn job(run: RunRef) -> Job {
    Job {
        run,
        agent_id: AgentId(1),
        vault_id: VaultId("vault-1".to_owned()),
        vault_password: Some("hush".to_owned()),
        encrypted_password: None,
        work: Work::Backup {
            inclusions: vec!["/etc".to_owned()],
            exclusions: Vec::new(),
            tags: Vec::new(),
            options: Box::default(),
            timezone: String::new(),
        },
    }
}

pub fn start(run: RunRef) -> ServerMessage {
    ServerMessage::Start(Box::new(job(run)))
}

pub fn outcome(state: RunState) -> Outcome {
    Outcome {
        state,
        reason: None,
        snapshot_id: Some(SnapshotId("5".repeat(64))),
        started_ms: 1,
        duration_ms: 2,
        progress: Progress { files_searched: 3, totals_final: true, ..Progress::default() },
        files_skipped: 0,
        errors: Vec::new(),
        hooks: Vec::new(),
        plan: None,
        upkeep: None,
    }
}

/// Waits for a file to be there, or to be gone.
pub async fn until(condition: impl Fn() -> bool) {
    let wait = async {
        while !condition() {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    timeout(PATIENCE, wait).await.expect("what was waited for did not happen");
}
