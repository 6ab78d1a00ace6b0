//! Over loopback, with little patience.

use std::sync::{Arc, Mutex};

use axum::{
    extract::WebSocketUpgrade,
    routing::{MethodRouter, get},
    serve::ListenerExt,
};
use bytes::Bytes;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
    sync::{Notify, mpsc, oneshot},
    task::JoinHandle,
};

use super::*;

const LITTLE: Patience = Patience { asking: Duration::from_millis(300), taking: Duration::from_secs(1) };

/// A server of one router.
struct Serving {
    address: SocketAddr,
    end: oneshot::Sender<()>,
    task: JoinHandle<()>,
}

impl Serving {
    async fn start(router: Router, patience: Patience) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (end, ended) = oneshot::channel();
        let listener = listener.tap_io(move |stream| prepare(stream, patience));
        let task = tokio::spawn(serve(listener, router, patience, async move { drop(ended.await) }));
        Self { address, end, task }
    }

    /// A connection over which `bytes` were sent.
    async fn sent(&self, bytes: &str) -> TcpStream {
        let mut stream = TcpStream::connect(self.address).await.unwrap();
        stream.write_all(bytes.as_bytes()).await.unwrap();
        stream
    }

    async fn end(self) {
        self.end.send(()).unwrap();
        self.task.await.unwrap();
    }
}

/// Everything that comes until the other side closes the connection.
async fn rest(mut stream: TcpStream) -> String {
    let mut told = String::new();
    stream.read_to_string(&mut told).await.unwrap();
    told
}

/// What answers only when it may go on, which comes first; then what tells that somebody waits.
fn slow() -> (Arc<Notify>, Arc<Notify>, MethodRouter) {
    let (go_on, waiting) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let (may, asked) = (go_on.clone(), waiting.clone());
    let handler = get(move || async move {
        asked.notify_one();
        may.notified().await;
        "answered"
    });
    (go_on, waiting, handler)
}

const ASK: &str = "GET / HTTP/1.1\r\nhost: localhost\r\n\r\n";

#[tokio::test]
async fn who_asks_nothing_or_stops_in_the_middle_is_not_waited_for() {
    let serving = Serving::start(Router::new().route("/", get(|| async { "here" })), LITTLE).await;
    assert_eq!(rest(serving.sent("").await).await, "");
    assert_eq!(rest(serving.sent("GET / HTTP/1.1\r\nhost: local").await).await, "");
    let answered = rest(serving.sent(ASK).await).await;
    assert!(answered.starts_with("HTTP/1.1 200") && answered.ends_with("here"), "{answered}");
    serving.end().await;
}

#[tokio::test]
async fn an_answer_that_takes_long_and_a_web_socket_are_not_cut_off() {
    let (go_on, waiting, handler) = slow();
    let echo = |upgrade: WebSocketUpgrade| async {
        upgrade.on_upgrade(|mut socket| async move {
            while let Some(Ok(message)) = socket.recv().await {
                socket.send(message).await.unwrap();
            }
        })
    };
    let serving = Serving::start(Router::new().route("/", handler).route("/echo", get(echo)), LITTLE).await;
    let slow = serving.sent(ASK).await;
    waiting.notified().await;
    let upgrade = "GET /echo HTTP/1.1\r\nhost: localhost\r\nconnection: upgrade\r\nupgrade: websocket\r\n\
        sec-websocket-version: 13\r\nsec-websocket-key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n";
    let mut socket = serving.sent(upgrade).await;
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(socket.read_u8().await.unwrap());
    }
    assert!(head.starts_with(b"HTTP/1.1 101"), "{}", String::from_utf8_lossy(&head));

    // One that came after both has been silent for too long, so both have.
    assert_eq!(rest(serving.sent("").await).await, "");
    go_on.notify_one();
    assert!(rest(slow).await.ends_with("answered"));
    // A text of one letter, under a mask that changes nothing, and the same back without a mask.
    socket.write_all(&[0x81, 0x81, 0, 0, 0, 0, b'x']).await.unwrap();
    let mut back = [0; 3];
    socket.read_exact(&mut back).await.unwrap();
    assert_eq!(back, [0x81, 1, b'x']);
    serving.end().await;
}

#[tokio::test]
async fn who_does_not_take_what_he_asked_for_loses_it() {
    let (held, mut dropped) = mpsc::channel::<()>(1);
    let held = Arc::new(Mutex::new(Some(held)));
    let endless = move || async move {
        let held = held.lock().unwrap().take();
        let parts = futures_util::stream::repeat_with(move || {
            let _held = &held;
            Ok::<_, io::Error>(Bytes::from_static(&[7; 1 << 16]))
        });
        Body::from_stream(parts)
    };
    let serving = Serving::start(Router::new().route("/", get(endless)), LITTLE).await;
    let stalled = serving.sent(ASK).await;
    assert_eq!(dropped.recv().await, None, "what the answer held is gone");
    drop(stalled);
    serving.end().await;
}

#[tokio::test]
async fn the_end_waits_for_the_requests_in_hand_and_for_no_other() {
    let (go_on, waiting, handler) = slow();
    let serving = Serving::start(Router::new().route("/", handler), Patience::USUAL).await;
    let (silent, asking) = (serving.sent("").await, serving.sent(ASK).await);
    waiting.notified().await;
    let Serving { end, task, address } = serving;
    end.send(()).unwrap();
    assert_eq!(rest(silent).await, "");
    assert!(TcpStream::connect(address).await.is_err(), "nobody else is let in");
    assert!(!task.is_finished());
    go_on.notify_one();
    assert!(rest(asking).await.ends_with("answered"));
    task.await.unwrap();
}

#[tokio::test]
async fn who_has_vanished_is_noticed() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let client = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
    let (stream, _) = listener.accept().await.unwrap();
    assert!(!SockRef::from(&stream).keepalive().unwrap());
    prepare(&stream, Patience::USUAL);
    let socket = SockRef::from(&stream);
    assert!(socket.keepalive().unwrap() && stream.nodelay().unwrap());
    assert_eq!(socket.tcp_keepalive_time().unwrap(), ASK_AFTER);
    assert_eq!(socket.tcp_user_timeout().unwrap(), Some(Patience::USUAL.taking));
    drop(client);
}
