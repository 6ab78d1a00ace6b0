//! Connections: what is set on each before anything is read from it, and how long each may say nothing.
//!
//! Whoever opens connections and sends nothing, or stops in the middle of a request's head, or asks for a file and does
//! not take it, loses his connection, and with it what is held for him: a descriptor, and one of the few places of those
//! who read from vaults. A connection that became a WebSocket is left to whoever took it over.

use std::{io, net::SocketAddr, pin::pin, time::Duration};

use axum::{
    Router,
    body::Body,
    extract::{ConnectInfo, Request},
    serve::Listener,
};
use hyper::{
    body::Incoming,
    server::conn::http1,
    service::{Service, service_fn},
};
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    service::TowerToHyperService,
};
use socket2::{SockRef, TcpKeepalive};
use tokio::{net::TcpStream, sync::watch};

/// After how long without a word the kernel asks whether the other side is still there.
const ASK_AFTER: Duration = Duration::from_secs(60);
/// How long it waits before it asks again.
const ASK_AGAIN: Duration = Duration::from_secs(15);

/// How long the other side of a connection may say nothing.
#[derive(Clone, Copy, Debug)]
pub struct Patience {
    /// Until it has sent the head of its next request, from when it could.
    pub asking: Duration,
    /// Until it takes more of what is sent to it, or says that it is still there.
    pub taking: Duration,
}

impl Patience {
    /// That of a server. Clients in Go and Rust keep a connection that they do not use for 90 seconds, and are not to
    /// send a request into one that is just being closed.
    pub const USUAL: Self = Self { asking: Duration::from_secs(150), taking: Duration::from_secs(120) };
}

/// Answers what comes over the connections of `listener` until `ending` is ready and the requests in hand are answered.
pub async fn serve<L>(mut listener: L, router: Router, patience: Patience, ending: impl Future<Output = ()>)
where
    L: Listener<Addr = SocketAddr>,
{
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new()).header_read_timeout(patience.asking);
    let (open, mut ending) = (watch::Sender::new(()), pin!(ending));
    loop {
        let (stream, from) = tokio::select! {
            connection = listener.accept() => connection,
            () = &mut ending => break,
        };
        let answers = TowerToHyperService::new(router.clone());
        let answer = service_fn(move |mut request: Request<Incoming>| {
            request.extensions_mut().insert(ConnectInfo(from));
            answers.call(request.map(Body::new))
        });
        let connection = http.serve_connection(TokioIo::new(stream), answer).with_upgrades();
        let mut last = open.subscribe();
        tokio::spawn(async move {
            let mut connection = pin!(connection);
            let outcome = tokio::select! {
                outcome = connection.as_mut() => outcome,
                _ = last.changed() => {
                    connection.as_mut().graceful_shutdown();
                    connection.await
                }
            };
            if let Err(error) = outcome {
                tracing::debug!(%from, %error, "a connection broke off");
            }
        });
    }
    drop(listener);
    open.send_replace(());
    open.closed().await;
}

/// Answers go out at once: most are small, and somebody waits. And who does not take them, or has vanished without a
/// word, such as a laptop that was closed, does not keep a connection for ever.
pub fn prepare(stream: &TcpStream, patience: Patience) {
    if let Err(error) = set(stream, patience) {
        tracing::debug!(%error, "a connection stays as it is");
    }
}

fn set(stream: &TcpStream, patience: Patience) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let socket = SockRef::from(stream);
    socket.set_tcp_keepalive(&TcpKeepalive::new().with_time(ASK_AFTER).with_interval(ASK_AGAIN))?;
    // It bounds the asking, too, in place of a number of questions.
    socket.set_tcp_user_timeout(Some(patience.taking))
}

#[cfg(test)]
mod tests;
