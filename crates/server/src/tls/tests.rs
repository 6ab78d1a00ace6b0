//! Handshakes in memory, with the time that the client sees handed in, and over loopback.

use std::{fs, os::unix::fs::PermissionsExt, path::PathBuf};

use axum::serve::Listener;
use rustls::{
    CertificateError, ClientConfig, ClientConnection, RootCertStore, ServerConnection,
    pki_types::{ServerName, UnixTime, pem::PemObject},
    time_provider::TimeProvider,
};
use tokio::net::{TcpListener, TcpStream};

use super::*;
use crate::ErrorKind;

const DAY_MS: i64 = 24 * 3600 * 1000;
/// A day in 2026.
const NOW_MS: i64 = 1_770_000_000_000;

#[derive(Debug)]
struct At(i64);

impl TimeProvider for At {
    fn current_time(&self) -> Option<UnixTime> {
        Some(UnixTime::since_unix_epoch(Duration::from_millis(self.0 as u64)))
    }
}

fn names() -> Names {
    Names::new([192, 0, 2, 7].into(), "backup.example.com")
}

fn client(ca: &Path, now_ms: i64) -> Arc<ClientConfig> {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_file(ca).unwrap()).unwrap();
    let builder =
        ClientConfig::builder_with_details(Arc::new(ring::default_provider()), Arc::new(At(now_ms)));
    let builder = builder.with_safe_default_protocol_versions().unwrap();
    builder.with_root_certificates(roots).with_no_client_auth().into()
}

/// What a client that trusts `ca` says of the server, called by `name` at a time.
fn greet(tls: &Tls, ca: &Path, name: &str, now_ms: i64) -> Result<(), rustls::Error> {
    let name = ServerName::try_from(name.to_owned()).unwrap();
    let mut client = ClientConnection::new(client(ca, now_ms), name).unwrap();
    let mut server = ServerConnection::new(tls.config().borrow().clone()).unwrap();
    while client.is_handshaking() || server.is_handshaking() {
        let mut wire = Vec::new();
        client.write_tls(&mut wire).unwrap();
        server.read_tls(&mut wire.as_slice()).unwrap();
        server.process_new_packets()?;
        wire.clear();
        server.write_tls(&mut wire).unwrap();
        client.read_tls(&mut wire.as_slice()).unwrap();
        client.process_new_packets()?;
    }
    Ok(())
}

fn wrong(result: Result<(), rustls::Error>) -> CertificateError {
    match result {
        Err(rustls::Error::InvalidCertificate(wrong)) => wrong,
        other => panic!("{other:?}"),
    }
}

#[test]
fn the_ca_is_made_once_and_vouches_for_every_name() {
    let folder = tempfile::tempdir().unwrap();
    let ca = folder.path().join("ca.pem");
    let first = Tls::own(folder.path(), names(), NOW_MS).unwrap();
    let mode = |name| fs::metadata(folder.path().join(name)).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode("ca.key"), 0o600);
    for name in ["192.0.2.7", "backup.example.com", "127.0.0.1", "::1", "localhost"] {
        greet(&first, &ca, name, NOW_MS).unwrap();
    }
    let other = wrong(greet(&first, &ca, "other.example.com", NOW_MS));
    assert!(matches!(other, CertificateError::NotValidForNameContext { .. }), "{other:?}");

    let before = fs::read(&ca).unwrap();
    let second = Tls::own(folder.path(), names(), NOW_MS + 1000 * DAY_MS).unwrap();
    assert_eq!(fs::read(&ca).unwrap(), before);
    assert_eq!(first.trust(), second.trust());
    assert!(first.trust().starts_with("ca:") && first.trust().len() == 3 + 64, "{}", first.trust());
    greet(&second, &ca, "localhost", NOW_MS + 1000 * DAY_MS).unwrap();

    let elsewhere = tempfile::tempdir().unwrap();
    let stranger = Tls::own(elsewhere.path(), names(), NOW_MS).unwrap();
    assert_eq!(wrong(greet(&stranger, &ca, "localhost", NOW_MS)), CertificateError::UnknownIssuer);
}

#[test]
fn a_certificate_is_made_anew_well_before_its_end() {
    let folder = tempfile::tempdir().unwrap();
    let ca = folder.path().join("ca.pem");
    let mut tls = Tls::own(folder.path(), names(), NOW_MS).unwrap();
    let shown = tls.config().borrow().clone();
    greet(&tls, &ca, "localhost", NOW_MS + 89 * DAY_MS).unwrap();
    let late = wrong(greet(&tls, &ca, "localhost", NOW_MS + 91 * DAY_MS));
    assert!(matches!(late, CertificateError::ExpiredContext { .. }), "{late:?}");

    tls.refresh(NOW_MS + 59 * DAY_MS, false).unwrap();
    assert!(Arc::ptr_eq(&shown, &tls.config().borrow()), "it is not due yet");
    tls.refresh(NOW_MS + 60 * DAY_MS, false).unwrap();
    assert!(!Arc::ptr_eq(&shown, &tls.config().borrow()), "it is due");
    greet(&tls, &ca, "localhost", NOW_MS + 149 * DAY_MS).unwrap();
    // The clock of an agent may be behind.
    greet(&tls, &ca, "localhost", NOW_MS + 59 * DAY_MS + 1000).unwrap();
}

#[test]
fn a_lost_certificate_follows_from_the_key_and_a_lost_key_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let (key, ca) = (folder.path().join("ca.key"), folder.path().join("ca.pem"));
    let trust = Tls::own(folder.path(), names(), NOW_MS).unwrap().trust();
    let old = folder.path().join("old.pem");
    fs::rename(&ca, &old).unwrap();
    let tls = Tls::own(folder.path(), names(), NOW_MS + DAY_MS).unwrap();
    assert_eq!(tls.trust(), trust);
    greet(&tls, &old, "localhost", NOW_MS + DAY_MS).unwrap();
    greet(&tls, &ca, "localhost", NOW_MS + DAY_MS).unwrap();

    let refusal = |why: &str| {
        let error = Tls::own(folder.path(), names(), NOW_MS).err().unwrap();
        assert!(error.kind == ErrorKind::Conflict && error.message.contains(why), "{error:?}");
    };
    let good = fs::read(&key).unwrap();
    fs::write(&key, "nonsense").unwrap();
    refusal("damaged");
    fs::remove_file(&key).unwrap();
    refusal("missing");
    fs::write(&key, good).unwrap();
    let elsewhere = tempfile::tempdir().unwrap();
    Tls::own(elsewhere.path(), names(), NOW_MS).unwrap();
    fs::copy(elsewhere.path().join("ca.pem"), &ca).unwrap();
    refusal("not of the key");
}

/// A self-signed certificate for localhost in two files.
fn given(folder: &Path) -> Given {
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let given = Given { certificate: folder.join("cert.pem"), key: folder.join("key.pem") };
    fs::write(&given.certificate, made.cert.pem()).unwrap();
    fs::write(&given.key, made.signing_key.serialize_pem()).unwrap();
    given
}

#[test]
fn a_given_certificate_is_read_again_when_asked() {
    let folder = tempfile::tempdir().unwrap();
    let files = given(folder.path());
    let old = folder.path().join("old.pem");
    fs::copy(&files.certificate, &old).unwrap();
    let mut tls = Tls::given(files.clone()).unwrap();
    assert_eq!(tls.trust(), "public");
    greet(&tls, &old, "localhost", NOW_MS).unwrap();
    given(folder.path());
    tls.refresh(NOW_MS, false).unwrap();
    greet(&tls, &old, "localhost", NOW_MS).unwrap();
    tls.refresh(NOW_MS, true).unwrap();
    greet(&tls, &files.certificate, "localhost", NOW_MS).unwrap();
    greet(&tls, &old, "localhost", NOW_MS).unwrap_err();

    fs::rename(&files.certificate, &old).unwrap();
    fs::write(&files.certificate, "half written").unwrap();
    tls.refresh(NOW_MS, true).unwrap_err();
    greet(&tls, &old, "localhost", NOW_MS).expect("what was served is served on");
}

#[test]
fn files_that_do_not_fit_are_refused() {
    let (folder, elsewhere) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let (good, other) = (given(folder.path()), given(elsewhere.path()));
    let missing = PathBuf::from("/nonexistent/file");
    for (certificate, key) in [
        (good.certificate.clone(), other.key.clone()),
        (good.key.clone(), good.key.clone()),
        (good.certificate.clone(), good.certificate.clone()),
        (missing.clone(), good.key.clone()),
        (good.certificate.clone(), missing),
    ] {
        let error = Tls::given(Given { certificate, key }).err().unwrap();
        assert_eq!(error.kind, ErrorKind::Invalid, "{error:?}");
    }
}

#[tokio::test]
async fn one_who_dawdles_holds_up_nobody() {
    let folder = tempfile::tempdir().unwrap();
    let tls = Tls::own(folder.path(), names(), NOW_MS).unwrap();
    let tcp = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = tcp.local_addr().unwrap();
    let mut listener = TlsListener::new(tcp, tls.config());
    let _silent = TcpStream::connect(address).await.unwrap();
    let _wrong = {
        use tokio::io::AsyncWriteExt;
        let mut plain = TcpStream::connect(address).await.unwrap();
        plain.write_all(b"GET / HTTP/1.1\r\nhost: localhost\r\n\r\n").await.unwrap();
        plain
    };
    let connector = tokio_rustls::TlsConnector::from(client(&folder.path().join("ca.pem"), NOW_MS));
    let greets = async {
        let stream = TcpStream::connect(address).await.unwrap();
        let greeted = connector.connect(ServerName::try_from("localhost").unwrap(), stream).await.unwrap();
        greeted.get_ref().0.local_addr().unwrap()
    };
    let ((_, from), greeter) = tokio::join!(listener.accept(), greets);
    assert_eq!(from, greeter);
}
