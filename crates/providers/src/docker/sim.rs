//! A fake engine: an HTTP server on a real socket with containers, images and networks in it, that takes one user and
//! misbehaves on demand.
//!
//! Written from the reference of the Engine API 1.41: status codes, messages and shapes are the engine's. What the
//! driver should not ask for is answered with 404 and `page not found`, as an engine does, so a test sees it at once.

mod answer;
mod state;

use std::{
    convert::Infallible,
    io,
    net::SocketAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use base64::{Engine as _, engine::general_purpose::STANDARD as BASE64};
use http_body_util::{BodyExt, Full};
use hyper::{
    Request, Response, StatusCode,
    body::{Bytes, Incoming},
    header::AUTHORIZATION,
    server::conn::http1,
    service::service_fn,
};
use hyper_util::rt::TokioIo;
use tokio::{
    io::AsyncWriteExt,
    net::{TcpListener, TcpStream},
    task::{JoinHandle, JoinSet},
};

use self::{answer::Answer, state::State};

/// The user that the engine takes.
pub const USER: &str = "harbour";
/// That user's password.
pub const PASSWORD: &str = "correct horse battery staple";

/// How the engine misbehaves.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Fault {
    /// Not at all.
    #[default]
    None,
    /// It takes connections and says nothing.
    Silent,
    /// It takes connections and closes them.
    Slams,
    /// It speaks another protocol.
    Babbles,
    /// It answers every call with this status.
    Status(u16),
    /// It answers after a while.
    Slow(Duration),
    /// Its answers break off.
    Truncates,
    /// Its answers never end.
    Floods,
    /// It answers what is no JSON.
    Scribbles,
    /// It has no way to its registry.
    Offline,
    /// It makes containers, and cannot start them.
    CannotStart,
}

/// A fake engine. It is gone when this is dropped.
#[derive(Debug)]
pub struct SimEngine {
    address: SocketAddr,
    shared: Arc<Shared>,
    serving: JoinHandle<()>,
}

#[derive(Debug)]
struct Shared(Mutex<State>);

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl SimEngine {
    /// Starts an engine with `containers` containers on a free port of loopback.
    pub async fn start(containers: usize) -> io::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let shared = Arc::new(Shared(Mutex::new(State::new(containers))));
        let address = listener.local_addr()?;
        Ok(Self { address, serving: tokio::spawn(serve(listener, Arc::clone(&shared))), shared })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Makes it misbehave from now on.
    pub fn set_fault(&self, fault: Fault) {
        self.shared.lock().fault = fault;
    }

    /// Puts a container into a state that the API does not lead to.
    pub fn set_state(&self, id: &str, word: &'static str) {
        self.shared.lock().set_state(id, word);
    }

    /// Connections that it took so far.
    pub fn connections(&self) -> usize {
        self.shared.lock().connections
    }

    /// Restarts that it was told so far.
    pub fn restarts(&self) -> usize {
        self.shared.lock().restarts
    }

    /// Images that it fetched so far.
    pub fn pulls(&self) -> usize {
        self.shared.lock().pulls
    }

    /// What a container was made with, as it was sent.
    pub fn ordered(&self, id: &str) -> Option<serde_json::Value> {
        self.shared.lock().ordered(id)
    }
}

impl Drop for SimEngine {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

async fn serve(listener: TcpListener, shared: Arc<Shared>) {
    let mut connections = JoinSet::new();
    while let Ok((stream, _)) = listener.accept().await {
        shared.lock().connections += 1;
        connections.spawn(talk(stream, Arc::clone(&shared)));
        while connections.try_join_next().is_some() {}
    }
}

async fn talk(mut stream: TcpStream, shared: Arc<Shared>) {
    let fault = shared.lock().fault;
    match fault {
        Fault::Silent => std::future::pending().await,
        Fault::Slams => return,
        Fault::Babbles => {
            // The other side may be gone.
            let _ = stream.write_all(b"SSH-2.0-OpenSSH_9.9\r\n").await;
            return;
        }
        Fault::Truncates => {
            let _ = stream
                .write_all(b"HTTP/1.1 200 OK\r\nApi-Version: 1.41\r\nContent-Length: 99\r\n\r\n[")
                .await;
            return;
        }
        Fault::Slow(delay) => tokio::time::sleep(delay).await,
        Fault::Floods => return flood(stream).await,
        _ => {}
    }
    let service = service_fn(|request| respond(Arc::clone(&shared), request));
    // How it ends is the client's affair.
    let _ = http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
}

/// Sends a list that never ends, until the other side has had enough.
async fn flood(mut stream: TcpStream) {
    let head = b"HTTP/1.1 200 OK\r\nApi-Version: 1.41\r\nConnection: close\r\n\r\n[";
    let more = b"0,".repeat(32 * 1024);
    let mut sent = stream.write_all(head).await;
    while sent.is_ok() {
        sent = stream.write_all(&more).await;
    }
}

async fn respond(
    shared: Arc<Shared>,
    request: Request<Incoming>,
) -> Result<Response<Full<Bytes>>, Infallible> {
    let proof = format!("Basic {}", BASE64.encode(format!("{USER}:{PASSWORD}")));
    let proved =
        request.headers().get(AUTHORIZATION).is_some_and(|value| value.as_bytes() == proof.as_bytes());
    let (parts, body) = request.into_parts();
    let body = body.collect().await.map(|whole| whole.to_bytes()).unwrap_or_default();
    let mut state = shared.lock();
    let answer = match state.fault {
        _ if !proved => Answer::complaint(StatusCode::UNAUTHORIZED, "who are you?"),
        Fault::Status(code) => {
            let status = StatusCode::from_u16(code).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
            Answer::complaint(status, "not today")
        }
        Fault::Scribbles => Answer::text(StatusCode::OK, "<html>"),
        _ => answer::route(&mut state, &parts.method, &parts.uri, &body),
    };
    Ok(answer.response())
}
