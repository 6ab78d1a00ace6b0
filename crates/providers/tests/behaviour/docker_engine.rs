//! `docker` on a real engine: Docker's own, started for the test with everything it keeps in a folder of the test's.
//!
//! It has no bridge and touches no firewall, and there is no registry to fetch from: the image is made here, of Debian's
//! static busybox, and its containers have no network.

use std::{
    fs,
    net::{SocketAddr, TcpListener},
    path::Path,
    process::{Child, Command, Stdio},
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, ExtendedKeyUsagePurpose, IsCa, KeyPair};
use roadstead_api::machine::MachineState;
use roadstead_providers::{
    Capability, ContainerOrder, Driver, ErrorKind, Feed, LocalAccess, MachineOrder, Program, Said,
    TerminalSize, Volume,
};
use serde_json::json;
use tempfile::TempDir;

use crate::{
    docker::order,
    sshd::{self, Sshd},
    stage::{Given, PATIENT, Stage, driver, driver_of, setup},
    suite,
};

const DOCKERD: &str = "/usr/sbin/dockerd";
const BUSYBOX: &str = "/bin/busybox";
const IMAGE: &str = "roadstead/busybox:1";

/// Says that it is up, and ends when it is told to.
const SCRIPT: &str = "trap 'exit 0' TERM; echo up; while :; do sleep 1 & wait $!; done";

/// Whether there is an engine to test with. In CI there has to be.
fn is_there() -> bool {
    let root = sshd::user() == "root";
    let there = root && [DOCKERD, BUSYBOX].iter().all(|program| Path::new(program).exists());
    assert!(there || std::env::var_os("CI").is_none_or(|ci| ci != "true"), "dockerd or busybox is missing");
    if !there {
        println!("skipped: it takes root, dockerd and a static busybox (Debian: docker.io, busybox-static)");
    }
    there
}

/// A certificate with its key, in PEM.
struct Pem {
    certificate: String,
    key: String,
}

fn authority() -> CertifiedIssuer<'static, KeyPair> {
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap()
}

fn certify(authority: &CertifiedIssuer<'static, KeyPair>, usage: ExtendedKeyUsagePurpose) -> Pem {
    let key = KeyPair::generate().unwrap();
    let mut params = CertificateParams::new(vec!["127.0.0.1".to_owned()]).unwrap();
    params.extended_key_usages = vec![usage];
    let certificate = params.signed_by(&key, authority).unwrap();
    Pem { certificate: certificate.pem(), key: key.serialize_pem() }
}

/// A running engine. It ends, with its containers and its files, when this is dropped.
struct Engine {
    child: Child,
    address: SocketAddr,
    folder: TempDir,
    ca: String,
    client: Pem,
    stranger: Pem,
}

impl Drop for Engine {
    fn drop(&mut self) {
        // It has to end in good order, so that no helper of it stays behind.
        let _ = Command::new("kill").arg(self.child.id().to_string()).status();
        let _ = self.child.wait();
    }
}

impl Engine {
    async fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let (authority, other) = (authority(), authority());
        let server = certify(&authority, ExtendedKeyUsagePurpose::ServerAuth);
        let ca = authority.pem();
        for (name, text) in [("ca.pem", &ca), ("cert.pem", &server.certificate), ("key.pem", &server.key)] {
            fs::write(folder.path().join(name), text).unwrap();
        }
        let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let child = spawn(folder.path(), address);
        let client = certify(&authority, ExtendedKeyUsagePurpose::ClientAuth);
        let stranger = certify(&other, ExtendedKeyUsagePurpose::ClientAuth);
        let mut engine = Self { child, address, folder, ca, client, stranger };
        engine.wait().await;
        engine.import();
        engine
    }

    async fn wait(&mut self) {
        let begun = Instant::now();
        while !self.cli(&["version"]).stdout(Stdio::null()).stderr(Stdio::null()).status().unwrap().success()
        {
            let ended = self.child.try_wait().unwrap().is_some();
            let log = fs::read_to_string(self.folder.path().join("log")).unwrap_or_default();
            assert!(!ended && begun.elapsed() < Duration::from_secs(60), "dockerd does not start: {log}");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// Makes an image of busybox.
    fn import(&self) {
        let root = self.folder.path().join("root/bin");
        fs::create_dir_all(&root).unwrap();
        fs::copy(BUSYBOX, root.join("busybox")).unwrap();
        for name in ["sh", "sleep", "echo", "cat"] {
            std::os::unix::fs::symlink("busybox", root.join(name)).unwrap();
        }
        let archive = self.folder.path().join("root.tar");
        let mut pack = Command::new("tar");
        pack.arg("-C").arg(self.folder.path().join("root")).arg("-cf").arg(&archive).arg(".");
        assert!(pack.status().unwrap().success());
        let imported = self.cli(&["import", &archive.display().to_string(), IMAGE]).output().unwrap();
        assert!(imported.status.success(), "{imported:?}");
    }

    /// Docker's own command line, as the second opinion.
    fn cli(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new("docker");
        command.arg("--host").arg(format!("unix://{}", self.socket())).args(arguments);
        command
    }

    fn socket(&self) -> String {
        self.folder.path().join("docker.sock").display().to_string()
    }

    fn with(&self, host: &str, port: u16, ca: &str, client: &Pem) -> Given {
        let fields = json!({"docker_host": host, "docker_port": port, "ca_file": ca,
            "cert_file": client.certificate, "key_file": client.key});
        serde_json::from_value(fields).unwrap()
    }
}

fn spawn(folder: &Path, address: SocketAddr) -> Child {
    let file = |name: &str| folder.join(name).display().to_string();
    let log = fs::File::create(folder.join("log")).unwrap();
    Command::new(DOCKERD)
        .arg(format!("--host=tcp://{address}"))
        .arg(format!("--host=unix://{}", file("docker.sock")))
        .args(["--data-root", &file("data"), "--exec-root", &file("exec"), "--pidfile", &file("pid")])
        .args(["--tlsverify", "--tlscacert", &file("ca.pem")])
        .args(["--tlscert", &file("cert.pem"), "--tlskey", &file("key.pem")])
        .args([
            "--bridge=none",
            "--iptables=false",
            "--ip6tables=false",
            "--ip-forward=false",
            "--ip-masq=false",
        ])
        .arg("--shutdown-timeout=1")
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(log)
        .spawn()
        .unwrap()
}

impl Stage for Engine {
    fn provider(&self) -> &'static str {
        "docker"
    }

    fn fields(&self) -> Given {
        self.moved_to(&self.address.ip().to_string(), self.address.port())
    }

    fn wrong_credentials(&self) -> Given {
        self.with(&self.address.ip().to_string(), self.address.port(), &self.ca, &self.stranger)
    }

    fn moved_to(&self, host: &str, port: u16) -> Given {
        self.with(host, port, &self.ca, &self.client)
    }

    fn reboots(&self) -> usize {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
        let until = format!("{}.{:09}", now.as_secs(), now.subsec_nanos());
        let asked =
            ["events", "--since", "1", "--until", &until, "--filter", "event=restart", "--format", "{{.ID}}"];
        let told = self.cli(&asked).output().unwrap();
        assert!(told.status.success(), "{told:?}");
        String::from_utf8(told.stdout).unwrap().lines().count()
    }

    fn connections(&self) -> Option<usize> {
        None
    }
}

fn anchor(name: &str) -> MachineOrder {
    let command = ["sh", "-c", SCRIPT].map(str::to_owned).to_vec();
    let environment = [("MODE".to_owned(), "a test".to_owned())].into();
    let volumes = vec![Volume::parse("kept:/kept").unwrap()];
    MachineOrder {
        networks: vec!["none".into()],
        public_key: Some("ssh-ed25519 AAAA".into()),
        container: ContainerOrder { command, environment, volumes, ..ContainerOrder::default() },
        ..order(name, IMAGE)
    }
}

async fn state_of(driver: &dyn Driver, id: &str) -> Option<MachineState> {
    driver.machines().await.unwrap().into_iter().find(|machine| machine.external_id == id).map(|m| m.state)
}

/// Waits until the container has said that it is up this often.
async fn wait_until_up(driver: &dyn Driver, id: &str, times: usize) {
    let begun = Instant::now();
    while driver.console_output(id).await.unwrap().matches("up").count() < times {
        assert!(begun.elapsed() < Duration::from_secs(60));
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// What a program says to this input, and how it ends.
async fn said(driver: &dyn Driver, id: &str, program: Program, input: &str) -> (String, String, Option<u32>) {
    let mut remote = driver.open(id, program).await.unwrap();
    remote.input().send(Feed::Input(input.into())).await.unwrap();
    let (mut output, mut error, mut status) = (Vec::new(), Vec::new(), None);
    while let Some(said) = remote.said().await {
        match said {
            Said::Output(bytes) => output.extend(bytes),
            Said::Error(bytes) => error.extend(bytes),
            Said::Ended(ended) => status = Some(ended),
        }
    }
    (String::from_utf8(output).unwrap(), String::from_utf8(error).unwrap(), status)
}

async fn programs_run_in_it(driver: &dyn Driver, id: &str) {
    let heard = said(driver, id, Program::Commands, "echo out; echo err >&2; exit 3\n").await;
    assert_eq!(heard, ("out\n".into(), "err\n".into(), Some(3)));
    let size = TerminalSize { columns: 100, rows: 30 };
    let (output, _, status) = said(driver, id, Program::Terminal(size), "echo \"on $TERM\"; exit 4\n").await;
    assert!(output.contains("on xterm-256color") && status == Some(4), "{output} {status:?}");
    let mut ends = driver.open(id, Program::Commands).await.unwrap();
    ends.input().send(Feed::Input("cat; exit 5\n".into())).await.unwrap();
    ends.input().send(Feed::End).await.unwrap();
    let mut last = None;
    while let Some(said) = ends.said().await {
        last = Some(said);
    }
    assert_eq!(last, Some(Said::Ended(5)), "its input ended");
    let gone = driver.open(&"0".repeat(64), Program::Commands).await.unwrap_err();
    assert_eq!(gone.kind(), ErrorKind::NotFound);
}

async fn a_container_lives_its_whole_life(engine: &Engine, driver: &dyn Driver, name: &str) {
    let made = driver.create(&anchor(name)).await.unwrap().remove(0);
    let id = made.external_id.as_str();
    assert_eq!((made.state, made.image.as_deref()), (MachineState::Running, Some(IMAGE)));
    wait_until_up(driver, id, 1).await;
    programs_run_in_it(driver, id).await;
    let shown = engine
        .cli(&["inspect", "--format", "{{.Name}} {{.Config.Env}} {{.HostConfig.Binds}}", id])
        .output()
        .unwrap();
    let shown = String::from_utf8(shown.stdout).unwrap();
    assert!(
        shown.contains(name)
            && shown.contains("kept:/kept:rw")
            && shown.contains("MODE=a test")
            && shown.contains("PUBLIC_KEY=ssh-ed25519 AAAA")
    );

    // The same order again makes nothing; another one of the same name is refused.
    assert_eq!(driver.create(&anchor(name)).await.unwrap()[0].external_id, id);
    let other = MachineOrder { token: "another".into(), ..anchor(name) };
    assert_eq!(driver.create(&other).await.unwrap_err().kind(), ErrorKind::Conflict);

    driver.reboot(id).await.unwrap();
    wait_until_up(driver, id, 2).await;
    driver.stop(id).await.unwrap();
    assert_eq!(driver.stop(id).await.unwrap_err().kind(), ErrorKind::Conflict);
    assert_eq!(state_of(driver, id).await, Some(MachineState::Stopped));
    driver.rename(id, &format!("{name}-again")).await.unwrap();
    driver.start(id).await.unwrap();
    wait_until_up(driver, id, 3).await;
    assert!(engine.cli(&["pause", id]).output().unwrap().status.success());
    assert_eq!(state_of(driver, id).await, Some(MachineState::Suspended));
    driver.start(id).await.unwrap();
    assert_eq!(state_of(driver, id).await, Some(MachineState::Running));
    driver.destroy(id).await.unwrap();
    assert_eq!(state_of(driver, id).await, None);
    assert_eq!(driver.destroy(id).await.unwrap_err().kind(), ErrorKind::NotFound);
}

#[tokio::test]
async fn a_real_engine_over_tls_ssh_and_its_own_socket() {
    if !is_there() {
        return;
    }
    let engine = Engine::start().await;
    let over_tls = driver("docker", &engine.fields(), PATIENT);
    let first = over_tls.create(&anchor("anchor")).await.unwrap().remove(0);
    assert!(first.actions.contains(Capability::Stop));
    suite::run(&engine).await;
    a_container_lives_its_whole_life(&engine, &*over_tls, "by-tls").await;
    what_there_is_to_choose_from(&*over_tls).await;

    let forged = engine.with("127.0.0.1", engine.address.port(), &authority().pem(), &engine.client);
    let error = driver("docker", &forged, PATIENT).validate().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Untrusted, "{error:?}");

    let local =
        serde_json::from_value(json!({"docker_host": format!("unix://{}", engine.socket())})).unwrap();
    let mut listed = setup("docker", &local, PATIENT);
    listed.local = LocalAccess { sockets: vec![engine.socket().into()], ..LocalAccess::default() };
    a_container_lives_its_whole_life(&engine, &*driver_of("docker", listed), "by-socket").await;

    if sshd::is_there() {
        let host = Sshd::start("127.0.0.9", "ed25519").await;
        let way = format!("ssh://{}@{}{}", sshd::user(), host.address, engine.socket());
        let fields =
            serde_json::from_value(json!({"docker_host": way, "ssh_key": host.read("client")})).unwrap();
        let over_ssh = driver("docker", &fields, PATIENT);
        over_ssh.validate().await.unwrap();
        assert!(over_ssh.pins().get("127.0.0.9", host.address.port()).is_some());
        a_container_lives_its_whole_life(&engine, &*over_ssh, "by-ssh").await;
        assert_eq!(
            host.read("log").matches("Accepted publickey").count(),
            1,
            "one login is enough for all calls"
        );
    }
    over_tls.destroy(&first.external_id).await.unwrap();
}

async fn what_there_is_to_choose_from(driver: &dyn Driver) {
    let images = driver.images(None).await.unwrap();
    assert_eq!(images.iter().map(|image| image.id.as_str()).collect::<Vec<_>>(), [IMAGE]);
    assert_eq!(driver.images(Some("BUSY")).await.unwrap()[0].id, IMAGE);
    let networks = driver.networks().await.unwrap();
    assert!(networks.iter().any(|network| network.id == "none"), "{networks:?}");
    let error = driver.create(&order("fetched", "127.0.0.1:9/no/such:1")).await.unwrap_err();
    assert!(error.to_string().contains("127.0.0.1:9/no/such:1"), "{error:?}");
}
