//! A line to the server: TCP, through a proxy where there is one, and TLS upon it where the address says so.

use std::sync::Arc;

use roadstead_client::tls;
use rustls::{ClientConfig, pki_types::ServerName};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::TcpStream,
};
use tokio_rustls::{TlsConnector, client::TlsStream};

use crate::{
    error::{Error, ErrorKind, Result},
    proxy::ProxyUrl,
    server_url::ServerUrl,
};

/// Bytes to the server and back.
pub(crate) trait Line: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Line for T {}

/// Connects to a server for which this CA, in PEM, vouches; one of the public CAs where it is `None`.
///
/// Errors: [`ErrorKind::Link`], [`ErrorKind::Untrusted`] where the server cannot prove who it is.
pub(crate) async fn connect(
    server: &ServerUrl,
    ca_pem: Option<&str>,
    proxy: Option<&ProxyUrl>,
) -> Result<Box<dyn Line>> {
    if !server.is_https() {
        return Ok(Box::new(tcp(server, proxy).await?));
    }
    let unusable = |e| Error::new(ErrorKind::Untrusted, "the CA of the server cannot be used").caused_by(e);
    let config = tls::config(ca_pem.map(str::as_bytes)).map_err(unusable)?;
    Ok(Box::new(connect_tls(server, config, proxy).await?))
}

/// Connects over TLS, with a configuration that says whom to believe.
pub(crate) async fn connect_tls(
    server: &ServerUrl,
    config: ClientConfig,
    proxy: Option<&ProxyUrl>,
) -> Result<TlsStream<TcpStream>> {
    let (host, _) = server.host_and_port();
    let unusable = |e| Error::new(ErrorKind::Address, format!("{host} is no name of a server")).caused_by(e);
    let name = ServerName::try_from(host.to_owned()).map_err(unusable)?;
    let connected = TlsConnector::from(Arc::new(config)).connect(name, tcp(server, proxy).await?).await;
    connected.map_err(|e| match tls::distrust(&e) {
        Some(why) => {
            let context = format!("the server at {server} cannot be trusted: {why}");
            Error::new(ErrorKind::Untrusted, context).caused_by(e)
        }
        None => unreachable(e),
    })
}

async fn tcp(server: &ServerUrl, proxy: Option<&ProxyUrl>) -> Result<TcpStream> {
    let (host, port) = server.host_and_port();
    let stream = match proxy {
        Some(proxy) => proxy.connect(host, port).await?,
        None => TcpStream::connect((host, port)).await.map_err(unreachable)?,
    };
    // Messages are small and are waited for.
    stream.set_nodelay(true).map_err(unreachable)?;
    Ok(stream)
}

fn unreachable(source: std::io::Error) -> Error {
    Error::new(ErrorKind::Link, "the server cannot be reached").caused_by(source)
}
