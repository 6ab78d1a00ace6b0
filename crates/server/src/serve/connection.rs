//! What is set on every connection before anything is read from it.

use std::{io, time::Duration};

use socket2::{SockRef, TcpKeepalive};
use tokio::net::TcpStream;

/// After how long without a word the kernel asks whether the other side is still there.
const ASK_AFTER: Duration = Duration::from_secs(300);
/// How long it waits before it asks again; after the usual nine times it gives up.
const ASK_AGAIN: Duration = Duration::from_secs(30);

/// Answers go out at once: most are small, and somebody waits. And who has vanished without a word, such as a laptop that
/// was closed, does not keep a connection for ever.
pub fn prepare(stream: &TcpStream) {
    if let Err(error) = set(stream) {
        tracing::debug!(%error, "a connection stays as it is");
    }
}

fn set(stream: &TcpStream) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let keepalive = TcpKeepalive::new().with_time(ASK_AFTER).with_interval(ASK_AGAIN);
    SockRef::from(stream).set_tcp_keepalive(&keepalive)
}

#[cfg(test)]
mod tests {
    use tokio::net::TcpListener;

    use super::*;

    #[tokio::test]
    async fn who_has_vanished_is_noticed() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let client = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        let (stream, _) = listener.accept().await.unwrap();
        assert!(!SockRef::from(&stream).keepalive().unwrap());
        prepare(&stream);
        let socket = SockRef::from(&stream);
        assert!(socket.keepalive().unwrap() && stream.nodelay().unwrap());
        assert_eq!(socket.tcp_keepalive_time().unwrap(), ASK_AFTER);
        drop(client);
    }
}
