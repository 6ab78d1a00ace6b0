//! Whether a host is up, as far as TCP tells: it is when any of a few usual ports takes a connection.
//!
//! Nothing is sent, so no credentials are needed, and a list of machines costs no login. A host that takes none may be
//! down or behind a firewall; nobody can tell from here.

use std::time::Duration;

use tokio::task::JoinSet;

use crate::{
    error::{ErrorKind, Result},
    guard::AddressGuard,
    tcp,
};

/// Whether one of the ports takes a connection within `limit`. All are tried at once.
///
/// # Errors
///
/// Only [`ErrorKind::ForbiddenAddress`]; whatever else goes wrong means that the host does not answer.
pub(super) async fn answers(guard: AddressGuard, host: &str, ports: &[u16], limit: Duration) -> Result<bool> {
    let mut attempts = JoinSet::new();
    for &port in ports {
        let host = host.to_owned();
        attempts.spawn(async move { tcp::connect(guard, &host, port, limit).await.map(drop) });
    }
    while let Some(attempt) = attempts.join_next().await {
        match attempt {
            Ok(Ok(())) => return Ok(true),
            Ok(Err(error)) if error.kind() == ErrorKind::ForbiddenAddress => return Err(error),
            _ => {}
        }
    }
    Ok(false)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::net::TcpListener;

    use super::answers;
    use crate::{AddressGuard, ErrorKind};

    const LIMIT: Duration = Duration::from_secs(10);

    #[tokio::test]
    async fn one_open_port_is_enough_and_none_is_not() {
        let guard = AddressGuard::default();
        let (open, closed) = (
            TcpListener::bind("127.0.0.1:0").await.unwrap(),
            TcpListener::bind("127.0.0.1:0").await.unwrap(),
        );
        let (open_port, closed_port) =
            (open.local_addr().unwrap().port(), closed.local_addr().unwrap().port());
        drop(closed);
        assert!(answers(guard, "127.0.0.1", &[closed_port, open_port], LIMIT).await.unwrap());
        assert!(!answers(guard, "127.0.0.1", &[closed_port], LIMIT).await.unwrap());
        assert!(!answers(guard, "no-such-host.invalid", &[open_port], LIMIT).await.unwrap());
    }

    #[tokio::test]
    async fn a_forbidden_address_is_an_error() {
        let error = answers(AddressGuard::default(), "169.254.169.254", &[80], LIMIT).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::ForbiddenAddress);
    }
}
