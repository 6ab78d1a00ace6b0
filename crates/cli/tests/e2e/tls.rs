//! TLS between real processes: whom clients and agents believe, and whom they do not.

use std::{
    fs,
    net::TcpListener,
    path::{Path, PathBuf},
    process::Output,
};

use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair, date_time_ymd};
use roadstead_api::agent::{EnrolmentTokenCreate, NewEnrolmentToken};
use roadstead_client::ErrorKind;
use tempfile::TempDir;

use crate::support::{
    Agent, Server,
    agent::enroll_with,
    hang_up,
    restic::{self, Repository},
    roadstead,
    server::client,
    tree, wait_until,
};

const UNKNOWN: &str = "signed by no CA that is trusted here";

/// A server with TLS by a CA of its own.
fn own() -> Server {
    Server::start_with(&["--tls"])
}

fn token(server: &Server) -> String {
    server.call::<EnrolmentTokenCreate>(&(), &NewEnrolmentToken::default()).token
}

/// `agents list` as a user runs it.
fn list(server: &Server, ca: Option<&Path>) -> Output {
    let mut command = roadstead();
    command.args(["agents", "list", "--url", &server.url]).env("ROADSTEAD_API_KEY", &server.api_key);
    if let Some(ca) = ca {
        command.env("ROADSTEAD_CA", ca);
    }
    command.output().unwrap()
}

/// The command has failed, and said why.
fn assert_refused(output: &Output, why: &str) {
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(said.contains(why), "{why} in {said}");
}

#[test]
fn an_agent_that_knows_the_ca_by_its_hash_backs_up_and_restores() {
    let server = own();
    assert!(server.url.starts_with("https://"), "{}", server.url);
    let agent = Agent::start(&server);
    assert_eq!(certificate(&agent.folder().join("ca.pem")), certificate(&server.ca()));
    let work = tempfile::tempdir().unwrap();
    let source = work.path().join("source");
    tree::build(&source);
    let configuration = agent.configure(&server, &[&source], &[]);
    let report = agent.back_up_well(&server, configuration);
    let restored = work.path().join("restored");
    agent.restore_well(&server, report.id, &restored, &[]);
    tree::assert_same(&source, &restored.join(source.strip_prefix("/").unwrap()));

    let repository = Repository::of(&server, &agent);
    repository.assert_sound();
    // Others than rustls find the certificate in order, too.
    let (_, address) = server.url.split_once("://").unwrap();
    let url = format!("rest:https://agent:{}@{address}/vaults/{}/", agent.credential(), agent.vault);
    for program in restic::all() {
        let ca = server.ca();
        let with_ca = ["--cacert", ca.to_str().unwrap(), "snapshots"];
        let (ok, said) = restic::run(&program, &url, repository.password(), &with_ca);
        assert!(ok && said.contains("1 snapshots"), "{said}");
    }
}

/// The certificate in a file, whatever its lines look like.
fn certificate(file: &Path) -> String {
    fs::read_to_string(file).unwrap().split_whitespace().collect()
}

#[test]
fn commands_believe_the_ca_that_they_are_given() {
    let server = own();
    let listed = list(&server, Some(&server.ca()));
    assert!(listed.status.success(), "{listed:?}");
    assert_refused(&list(&server, None), UNKNOWN);
    assert_refused(&list(&server, Some(&own().ca())), UNKNOWN);
    assert_refused(&list(&server, Some(Path::new("/nonexistent"))), "cannot read the CA");

    let home = tempfile::tempdir().unwrap();
    let password = home.path().join("password");
    fs::write(&password, server.admin()["password"].as_str().unwrap()).unwrap();
    let login = |ca: &Path| {
        let mut command = roadstead();
        command.args(["login", &server.url, "--username", "admin", "--password"]);
        command.arg(format!("@{}", password.display()));
        // A path that means the same elsewhere is kept.
        command.arg("--ca-file").arg(ca).current_dir(server.folder().join("tls"));
        command.env("XDG_CONFIG_HOME", home.path()).output().unwrap()
    };
    let signed_in = login(Path::new("ca.pem"));
    assert!(signed_in.status.success(), "{signed_in:?}");
    let listed = roadstead().args(["agents", "list"]).env("XDG_CONFIG_HOME", home.path()).output().unwrap();
    assert!(listed.status.success(), "{listed:?}");
}

#[test]
fn an_agent_believes_only_the_ca_of_its_token() {
    let (server, other) = (own(), own());
    let folder = tempfile::tempdir().unwrap();
    let mine = token(&server);
    let (secret, _) = mine.rsplit_once('.').unwrap();
    let (_, trust) = token(&other).rsplit_once('.').map(|(a, b)| (a.to_owned(), b.to_owned())).unwrap();
    let refused = enroll_with(&server.url, &format!("{secret}.{trust}"), folder.path());
    assert_refused(&refused, UNKNOWN);
    assert_refused(&enroll_with(&server.url, &format!("{secret}.public"), folder.path()), UNKNOWN);
    let plain = server.url.replace("https", "http");
    assert_refused(&enroll_with(&plain, &mine, folder.path()), "begins with https");
    assert_refused(&enroll_with(&server.url, &format!("{secret}.plain"), folder.path()), "plain HTTP");
    assert!(!folder.path().join("agent.json").exists());
    let enrolled = enroll_with(&server.url, &mine, folder.path());
    assert!(enrolled.status.success(), "the token was never sent: {enrolled:?}");
}

#[test]
fn an_agent_whose_server_has_changed_its_ca_sends_it_nothing() {
    let mut server = own();
    let agent = Agent::start(&server);
    server.kill();
    fs::remove_dir_all(server.folder().join("tls")).unwrap();
    server.restart();
    let client = client(&server.url, &server.api_key, Some(&server.ca()));
    wait_until("the agent refuses", || agent.log().contains("cannot be trusted"));
    assert!(agent.log().contains(UNKNOWN), "{}", agent.log());
    assert!(!client.get_agent(agent.id).unwrap().connected);
    assert_eq!(server.client.agents().unwrap_err().kind(), ErrorKind::Untrusted);
}

/// A CA of an operator, and the certificates that it signs.
struct Operator {
    folder: TempDir,
    issuer: Issuer<'static, KeyPair>,
}

impl Operator {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().unwrap();
        fs::write(folder.path().join("ca.pem"), params.self_signed(&key).unwrap().pem()).unwrap();
        Self { folder, issuer: Issuer::new(params, key) }
    }

    fn ca(&self) -> PathBuf {
        self.folder.path().join("ca.pem")
    }

    fn files(&self) -> (PathBuf, PathBuf) {
        (self.folder.path().join("cert.pem"), self.folder.path().join("key.pem"))
    }

    /// Writes the files for a certificate that ends with a year.
    fn write(&self, name: &str, last_year: i32) {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new([name.to_owned()]).unwrap();
        (params.not_before, params.not_after) = (date_time_ymd(2000, 1, 1), date_time_ymd(last_year, 12, 31));
        let certificate = params.signed_by(&key, &self.issuer).unwrap().pem();
        self.put(&certificate, &key);
    }

    fn write_self_signed(&self, name: &str) {
        let made = rcgen::generate_simple_self_signed([name.to_owned()]).unwrap();
        self.put(&made.cert.pem(), &made.signing_key);
    }

    fn put(&self, certificate: &str, key: &KeyPair) {
        let (certificate_file, key_file) = self.files();
        fs::write(certificate_file, certificate).unwrap();
        fs::write(key_file, key.serialize_pem()).unwrap();
    }

    fn serve(&self) -> Server {
        let (certificate, key) = self.files();
        let files = ["--tls-cert", certificate.to_str().unwrap(), "--tls-key", key.to_str().unwrap()];
        Server::start_with(&files)
    }
}

/// Enrols with the operator's CA.
fn enroll_named(server: &Server, token: &str, ca: &Path, folder: &Path) -> Output {
    let mut command = roadstead();
    command.args(["agent", "enroll", "--server", &server.url, "--token", token, "--data-dir"]).arg(folder);
    command.arg("--ca-file").arg(ca).output().unwrap()
}

/// Serves what `operator` has written; neither client nor agent accepts it, and both say why.
fn assert_nobody_accepts(operator: &Operator, why: &str) {
    let server = operator.serve();
    assert_refused(&list(&server, Some(&operator.ca())), why);
    let folder = tempfile::tempdir().unwrap();
    assert_refused(&enroll_named(&server, "rse1.secret.public", &operator.ca(), folder.path()), why);
    assert!(!folder.path().join("agent.json").exists());
}

#[test]
fn certificates_that_are_not_in_order_are_refused_with_the_reason() {
    let operator = Operator::new();
    operator.write("127.0.0.1", 2001);
    assert_nobody_accepts(&operator, "has expired");
    operator.write("other.example.com", 2100);
    assert_nobody_accepts(&operator, "for another name");
    operator.write_self_signed("127.0.0.1");
    assert_nobody_accepts(&operator, UNKNOWN);
    let stranger = Operator::new();
    stranger.write("127.0.0.1", 2100);
    fs::copy(operator.ca(), stranger.ca()).unwrap();
    assert_nobody_accepts(&stranger, UNKNOWN);
}

#[test]
fn the_operator_s_certificate_is_served_and_read_again_at_sighup() {
    let operator = Operator::new();
    operator.write("127.0.0.1", 2001);
    let server = operator.serve();
    assert_refused(&list(&server, Some(&operator.ca())), "has expired");
    operator.write("127.0.0.1", 2100);
    hang_up(server.pid());
    wait_until("the new certificate is shown", || list(&server, Some(&operator.ca())).status.success());

    let client = client(&server.url, &server.api_key, Some(&operator.ca()));
    let token = client.create_enrolment_token(None).unwrap().token;
    assert!(token.ends_with(".public"), "{token}");
    let folder = tempfile::tempdir().unwrap();
    assert_refused(&enroll_with(&server.url, &token, folder.path()), UNKNOWN);
    let enrolled = enroll_named(&server, &token, &operator.ca(), folder.path());
    assert!(enrolled.status.success(), "{enrolled:?}");
    let agent = Agent::resume(folder);
    wait_until("the agent is connected", || client.get_agent(agent.id).unwrap().connected);
}

#[test]
fn beyond_loopback_there_is_tls_and_nothing_else() {
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let listen = format!("0.0.0.0:{port}");
    let server = Server::listening(&listen);
    assert_eq!(server.url, format!("https://0.0.0.0:{port}"));
    let url = format!("https://127.0.0.1:{port}");
    let client = client(&url, &server.api_key, Some(&server.ca()));
    let named = server.admin()["url"].as_str().unwrap().to_owned();
    assert!(named.starts_with("https://") && !named.contains("0.0.0.0"), "{named}");
    let token = client.create_enrolment_token(None).unwrap().token;
    let agent = tempfile::tempdir().unwrap();
    let enrolled = enroll_with(&url, &token, agent.path());
    assert!(enrolled.status.success(), "{enrolled:?}");

    let elsewhere = ["agents", "list", "--url", "http://192.0.2.1:1", "--api-key", "k"];
    assert_refused(&roadstead().args(elsewhere).output().unwrap(), "would show the credentials");
    let refused = enroll_with("http://192.0.2.1:1", "rse1.secret.plain", agent.path());
    assert_refused(&refused, "plain HTTP to another machine");
    let data = tempfile::tempdir().unwrap();
    let refused = roadstead()
        .args(["server", "--public-url", "http://backup.example.com", "--data-dir"])
        .arg(data.path())
        .output()
        .unwrap();
    assert_eq!(refused.status.code(), Some(2), "{refused:?}");
    assert!(String::from_utf8_lossy(&refused.stderr).contains("begin with https"), "{refused:?}");
}
