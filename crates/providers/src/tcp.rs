//! TCP to hosts that users name: every address passes the guard, and nothing is waited for longer than it may take.

use std::{future::Future, time::Duration};

use tokio::net::TcpStream;

use crate::{
    error::{Error, ErrorKind, Result},
    guard::AddressGuard,
};

/// Opens a TCP connection to an address that the guard allows.
pub(crate) async fn connect(
    guard: AddressGuard,
    host: &str,
    port: u16,
    limit: Duration,
) -> Result<TcpStream> {
    let context = || format!("cannot connect to {host}:{port}");
    let addresses = within(limit, context, guard.resolve(host, port)).await?;
    let mut last = Error::new(ErrorKind::Unreachable, context());
    for address in addresses {
        let attempt =
            async { TcpStream::connect(address).await.map_err(|source| Error::io(context(), source)) };
        match within(limit, context, attempt).await {
            Ok(stream) => return Ok(stream),
            Err(error) => last = error,
        }
    }
    Err(last)
}

/// Waits for `work`, but not for ever.
pub(crate) async fn within<T>(
    limit: Duration,
    context: impl Fn() -> String,
    work: impl Future<Output = Result<T>>,
) -> Result<T> {
    tokio::time::timeout(limit, work).await.unwrap_or_else(|_| {
        Err(Error::new(ErrorKind::Timeout, format!("{}: no answer within {limit:?}", context())))
    })
}
