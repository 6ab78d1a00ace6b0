//! The client of all drivers that speak REST: TLS, and what one backend's driver is enough to show.

use std::sync::Arc;

use rcgen::{CertifiedKey, generate_simple_self_signed};
use roadstead_providers::{
    ErrorKind,
    sim::digitalocean::{Account, TOKEN},
};
use rustls::{
    ServerConfig,
    crypto::ring,
    pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer},
};
use serde_json::json;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};
use tokio_rustls::TlsAcceptor;

use crate::stage::{Given, PATIENT, driver};

/// Puts TLS in front of a service; says where, and which CA vouches for it.
async fn in_tls(behind: std::net::SocketAddr, name: &str) -> (u16, String) {
    let CertifiedKey { cert, signing_key } = generate_simple_self_signed(vec![name.to_owned()]).unwrap();
    let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(signing_key.serialize_der()));
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![cert.der().clone()], key)
        .unwrap();
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let acceptor = acceptor.clone();
            tokio::spawn(async move {
                let Ok(mut outside) = acceptor.accept(stream).await else { return };
                let mut inside = TcpStream::connect(behind).await.unwrap();
                // Either end may close; then so does the other.
                let _ = tokio::io::copy_bidirectional(&mut outside, &mut inside).await;
            });
        }
    });
    (port, cert.pem())
}

/// A server that answers whatever comes as a plain web server does; says where.
async fn plain() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            stream.read_u8().await.unwrap();
            stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").await.unwrap();
        }
    });
    port
}

fn fields(port: u16, ca: Option<&str>) -> Given {
    let endpoint = format!("https://localhost:{port}");
    serde_json::from_value(json!({"token": TOKEN, "endpoint": endpoint, "ca_file": ca})).unwrap()
}

#[tokio::test]
async fn a_private_cloud_is_believed_by_its_ca_and_nobody_else_is() {
    let fake = Account::start().await.unwrap();
    let (port, ca) = in_tls(fake.address(), "localhost").await;
    driver("digitalocean", &fields(port, Some(&ca)), PATIENT).validate().await.unwrap();

    let (_, other) = in_tls(fake.address(), "localhost").await;
    let (elsewhere, its_ca) = in_tls(fake.address(), "cloud.example.org").await;
    let calls = fake.control().calls();
    for (fields, why) in [
        (fields(port, None), "no CA that is trusted"),
        (fields(port, Some(&other)), "no CA that is trusted"),
        (fields(elsewhere, Some(&its_ca)), "for another name"),
        (fields(plain().await, Some(&ca)), "does not speak TLS"),
    ] {
        let error = driver("digitalocean", &fields, PATIENT).validate().await.unwrap_err();
        assert_eq!((error.kind(), error.is_temporary()), (ErrorKind::Untrusted, false), "{error:?}");
        assert!(error.to_string().contains(why), "{error}");
    }
    assert_eq!(fake.control().calls(), calls, "a token went to a server that is not trusted");
}
