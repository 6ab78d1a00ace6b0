//! `bare_metal` on real OpenSSH servers, each on a loopback address of its own.
//!
//! They share this machine, so none of them may be told to reboot for real: `ForceCommand` stands between every login
//! and the shell. It writes down a reboot or a power-off, runs the shell that reads the probe and, where a test says
//! how, virsh, and refuses all else; an sshd that does not know the option does not start.

use std::{
    fs,
    net::{SocketAddr, TcpListener},
    os::unix::fs::PermissionsExt,
    path::Path,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use roadstead_providers::ErrorKind;
use serde_json::json;
use tempfile::TempDir;
use tokio::net::TcpStream;

use crate::{
    stage::{Given, PATIENT, Stage, driver, driver_of, setup},
    suite,
};

const SSHD: &str = "/usr/sbin/sshd";

const GATE: &str = r#"#!/bin/sh
case $SSH_ORIGINAL_COMMAND in
    'shutdown -h now' | 'sudo -n shutdown -h now') echo "$SSH_ORIGINAL_COMMAND" >>"DIR/stops" ;;
    'shutdown -r now' | 'sudo -n shutdown -r now') echo "$SSH_ORIGINAL_COMMAND" >>"DIR/reboots" ;;
    sh) exec sh ;;
    'env LC_ALL=C virsh '* | 'cat | env LC_ALL=C virsh '* | 'tail -c '*)
        [ -x "DIR/session" ] && exec "DIR/session" "$SSH_ORIGINAL_COMMAND"; exit 77 ;;
    *) echo "not allowed here" >&2; exit 77 ;;
esac
"#;

/// A running sshd. It ends, and its files go, when this is dropped.
pub struct Sshd {
    child: Child,
    /// Where it listens.
    pub address: SocketAddr,
    folder: TempDir,
    key: &'static str,
}

impl Drop for Sshd {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Whether there is an sshd to test with. In CI there has to be.
pub fn is_there() -> bool {
    let there = Path::new(SSHD).exists();
    assert!(there || std::env::var_os("CI").is_none_or(|ci| ci != "true"), "{SSHD} is missing");
    if !there {
        println!("skipped: {SSHD} is missing (Debian: openssh-server)");
    }
    there
}

fn keygen(folder: &Path, name: &str, kind: &str) {
    let mut command = Command::new("ssh-keygen");
    command.args(["-q", "-t", kind, "-N", "", "-m", "PEM", "-f"]).arg(folder.join(name));
    assert!(command.status().unwrap().success());
}

/// Who runs the tests.
pub fn user() -> String {
    let output = Command::new("id").arg("-un").output().unwrap();
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

impl Sshd {
    /// Starts a server on this address that takes a client key of this type.
    pub async fn start(ip: &str, key: &'static str) -> Self {
        let mut folder = tempfile::tempdir().unwrap();
        keygen(folder.path(), "host", "ecdsa");
        keygen(folder.path(), "client", key);
        fs::copy(folder.path().join("client.pub"), folder.path().join("authorized_keys")).unwrap();
        let gate = folder.path().join("gate");
        fs::write(&gate, GATE.replace("DIR", &folder.path().display().to_string())).unwrap();
        fs::set_permissions(&gate, fs::Permissions::from_mode(0o755)).unwrap();
        if user() == "root" {
            // Where a privileged sshd locks its children in; the package makes it when the service starts.
            fs::create_dir_all("/run/sshd").unwrap();
        }
        // Somebody else may take the port before the server does; then another one is tried.
        for _ in 0..5 {
            let address = TcpListener::bind((ip, 0)).unwrap().local_addr().unwrap();
            let child = spawn(folder.path(), address, &["host"]);
            let mut sshd = Self { child, address, folder, key };
            if sshd.takes_connections().await {
                return sshd;
            }
            folder = std::mem::replace(&mut sshd.folder, tempfile::tempdir().unwrap());
        }
        panic!("sshd does not start: {}", fs::read_to_string(folder.path().join("log")).unwrap_or_default());
    }

    /// Waits until it does, or has ended.
    async fn takes_connections(&mut self) -> bool {
        let begun = Instant::now();
        while begun.elapsed() < Duration::from_secs(30) {
            if TcpStream::connect(self.address).await.is_ok() {
                return self.child.try_wait().unwrap().is_none();
            }
            if self.child.try_wait().unwrap().is_some() {
                return false;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        false
    }

    /// Starts it again where it was, with these host keys.
    async fn restart_with(&mut self, host_keys: &[&str]) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
        self.child = spawn(self.folder.path(), self.address, host_keys);
        assert!(self.takes_connections().await, "{}", self.read("log"));
    }

    /// Reboots that it was told so far.
    pub fn reboots(&self) -> usize {
        self.read("reboots").lines().count()
    }

    /// Puts a script into its folder.
    pub fn write_script(&self, name: &str, text: &str) {
        let file = self.folder.path().join(name);
        fs::write(&file, text).unwrap();
        fs::set_permissions(&file, fs::Permissions::from_mode(0o755)).unwrap();
    }

    /// A key that it does not know.
    pub fn other_key(&self) -> String {
        keygen(self.folder.path(), "other", self.key);
        let key = self.read("other");
        for name in ["other", "other.pub"] {
            fs::remove_file(self.folder.path().join(name)).unwrap();
        }
        key
    }

    /// A file of its folder.
    pub fn read(&self, name: &str) -> String {
        fs::read_to_string(self.folder.path().join(name)).unwrap_or_default()
    }

    fn fields_with(&self, key: String, host: &str, port: u16) -> Given {
        let fields =
            json!({"machine_ip": host, "machine_port": port, "machine_user": user(), "machine_key": key});
        serde_json::from_value(fields).unwrap()
    }
}

fn spawn(folder: &Path, address: SocketAddr, host_keys: &[&str]) -> Child {
    let file = |name: &str| folder.join(name).display().to_string();
    let mut command = Command::new(SSHD);
    command.args(["-D", "-f", "/dev/null", "-E", &file("log")]);
    for key in host_keys {
        command.args(["-h", &file(key)]);
    }
    for option in [
        format!("ListenAddress={address}"),
        format!("ForceCommand={}", file("gate")),
        format!("AuthorizedKeysFile={}", file("authorized_keys")),
        "PidFile=none".into(),
        "StrictModes=no".into(),
        "UsePAM=no".into(),
        "PermitRootLogin=yes".into(),
        "PasswordAuthentication=no".into(),
        "KbdInteractiveAuthentication=no".into(),
    ] {
        command.args(["-o", &option]);
    }
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()
}

impl Stage for Sshd {
    fn provider(&self) -> &'static str {
        "bare_metal"
    }

    fn fields(&self) -> Given {
        self.moved_to(&self.address.ip().to_string(), self.address.port())
    }

    fn wrong_credentials(&self) -> Given {
        self.fields_with(self.other_key(), &self.address.ip().to_string(), self.address.port())
    }

    fn moved_to(&self, host: &str, port: u16) -> Given {
        self.fields_with(self.read("client"), host, port)
    }

    fn reboots(&self) -> usize {
        self.reboots()
    }

    fn connections(&self) -> Option<usize> {
        None
    }
}

#[tokio::test]
async fn the_suite_passes_with_every_type_of_key() {
    if is_there() {
        for (ip, key) in [("127.0.0.2", "ed25519"), ("127.0.0.3", "rsa"), ("127.0.0.4", "ecdsa")] {
            suite::run(&Sshd::start(ip, key).await).await;
        }
    }
}

#[tokio::test]
async fn several_hosts_are_asked_at_once_and_one_of_them_is_dead() {
    if !is_there() {
        return;
    }
    let (first, second) =
        (Sshd::start("127.0.0.5", "ed25519").await, Sshd::start("127.0.0.6", "ed25519").await);
    let mut dead = Sshd::start("127.0.0.7", "ed25519").await;
    dead.child.kill().unwrap();
    dead.child.wait().unwrap();
    let drivers = [&first, &dead, &second].map(|host| driver("bare_metal", &host.fields(), PATIENT));
    let (a, b, c) = tokio::join!(
        drivers[0].probe("127.0.0.5"),
        drivers[1].probe("127.0.0.7"),
        drivers[2].probe("127.0.0.6")
    );
    assert_eq!(b.unwrap_err().kind(), ErrorKind::Unreachable);
    let kernel = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap();
    drivers[0].stop("127.0.0.5").await.unwrap();
    assert_eq!((first.read("stops").lines().count(), second.read("stops").len()), (1, 0));
    for probe in [a.unwrap(), c.unwrap()] {
        assert!(probe.memory_available_bytes.unwrap() <= probe.memory_bytes.unwrap());
        assert!(probe.architecture.is_some());
        assert_eq!(probe.kernel.unwrap(), format!("Linux {}", kernel.trim()));
        assert!(probe.disks.iter().any(|disk| disk.total_bytes > 0 && disk.used_bytes <= disk.total_bytes));
    }
}

#[tokio::test]
async fn a_host_that_is_set_up_anew_is_not_trusted() {
    if !is_there() {
        return;
    }
    let mut host = Sshd::start("127.0.0.8", "ed25519").await;
    let first = driver("bare_metal", &host.fields(), PATIENT);
    first.validate().await.unwrap();
    let mut again = setup("bare_metal", &host.fields(), PATIENT);
    again.pins = first.pins();

    // A second key, of a type that clients like better, is no reason to doubt the first.
    assert!(again.pins.get("127.0.0.8", host.address.port()).unwrap().starts_with("ecdsa-"));
    keygen(host.folder.path(), "better", "ed25519");
    host.restart_with(&["host", "better"]).await;
    driver_of("bare_metal", again.clone()).validate().await.unwrap();

    let log_before = host.read("log").len();
    host.restart_with(&["better"]).await;
    let error = driver_of("bare_metal", again).validate().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::HostKeyChanged, "{error:?}");
    let log = host.read("log");
    assert!(!log[log_before..].contains("Accepted") && !log[log_before..].contains("Failed"), "{log}");
}
