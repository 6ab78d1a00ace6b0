//! Real OpenSSH servers, each on a loopback address of its own, for backends that are single hosts.
//!
//! They share this machine, so none may be told to reboot for real: `ForceCommand` stands between every login and the
//! shell, and gives it a home of its own. It writes a reboot down, runs shells that read scripts or sit at a terminal, and refuses all else.

use std::{
    collections::BTreeMap,
    fs,
    net::{SocketAddr, TcpListener, TcpStream},
    os::unix::fs::PermissionsExt,
    path::Path,
    process::{Child, Command, Stdio},
};

use roadstead_api::{backend::NewBackend, id::ProviderId};
use serde_json::{Value, json};
use tempfile::TempDir;

use super::wait_until;

const SSHD: &str = "/usr/sbin/sshd";

const GATE: &str = r#"#!/bin/sh
HOME=DIR/home
export HOME
case $SSH_ORIGINAL_COMMAND in
    'shutdown -r now' | 'sudo -n shutdown -r now') echo "$SSH_ORIGINAL_COMMAND" >>"DIR/reboots" ;;
    sh) exec sh ;;
    '') exec sh -i ;;
    *) echo "not allowed here" >&2; exit 77 ;;
esac
"#;

/// A running sshd. It ends, and its files go, when this is dropped.
pub struct Sshd {
    child: Child,
    address: SocketAddr,
    folder: TempDir,
}

impl Drop for Sshd {
    fn drop(&mut self) {
        self.stop();
    }
}

/// Whether there is an sshd to test with. In CI there has to be.
pub fn is_there() -> bool {
    let there = Path::new(SSHD).exists();
    assert!(there || std::env::var_os("CI").is_none(), "{SSHD} is missing");
    if !there {
        eprintln!("skipped: {SSHD} is missing (Debian: openssh-server)");
    }
    there
}

impl Sshd {
    /// Starts a server on this address, at a free port.
    pub fn start(ip: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        for name in ["host", "client"] {
            keygen(folder.path(), name);
        }
        fs::copy(folder.path().join("client.pub"), folder.path().join("authorized_keys")).unwrap();
        let gate = folder.path().join("gate");
        fs::write(&gate, GATE.replace("DIR", &folder.path().display().to_string())).unwrap();
        fs::create_dir(folder.path().join("home")).unwrap();
        fs::set_permissions(&gate, fs::Permissions::from_mode(0o755)).unwrap();
        if super::is_root() {
            // Where a privileged sshd locks its children in; the package makes it when the service starts.
            fs::create_dir_all("/run/sshd").unwrap();
        }
        let address = TcpListener::bind((ip, 0)).unwrap().local_addr().unwrap();
        let sshd = Self { child: spawn(folder.path(), address), address, folder };
        sshd.wait();
        sshd
    }

    fn wait(&self) {
        wait_until("sshd takes connections", || TcpStream::connect(self.address).is_ok());
    }

    /// Ends it. Its port is closed then.
    pub fn stop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    /// Sets the host up anew: at the same address, with another key of its own.
    pub fn set_up_anew(&mut self) {
        self.stop();
        for file in ["host", "host.pub"] {
            fs::remove_file(self.folder.path().join(file)).unwrap();
        }
        keygen(self.folder.path(), "host");
        self.child = spawn(self.folder.path(), self.address);
        self.wait();
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The private key that it takes.
    pub fn key(&self) -> String {
        fs::read_to_string(self.folder.path().join("client")).unwrap()
    }

    /// The keys that were put there, a line each.
    pub fn deployed_keys(&self) -> String {
        fs::read_to_string(self.folder.path().join("home/.ssh/authorized_keys")).unwrap_or_default()
    }

    /// Takes away the key that it was started with: only those that were put there are let in from now on.
    pub fn forget_first_key(&self) {
        fs::write(self.folder.path().join("authorized_keys"), "").unwrap();
    }

    /// A private key that it does not take.
    pub fn other_key(&self) -> String {
        fs::read_to_string(self.folder.path().join("host")).unwrap()
    }

    /// The file with the private key that it takes.
    pub fn key_file(&self) -> String {
        self.folder.path().join("client").display().to_string()
    }

    /// How often it was told to reboot.
    pub fn reboots(&self) -> usize {
        fs::read_to_string(self.folder.path().join("reboots")).unwrap_or_default().lines().count()
    }

    /// What it takes to add it as a backend.
    pub fn backend(&self, title: &str) -> NewBackend {
        let fields = json!({
            "machine_ip": self.address.ip(), "machine_port": self.address.port(), "machine_user": user(),
            "machine_key": self.key(),
        });
        let fields: BTreeMap<String, Value> = serde_json::from_value(fields).unwrap();
        NewBackend { provider: ProviderId("bare_metal".into()), title: title.into(), region: None, fields }
    }
}

/// The user that the tests run as.
pub fn user() -> String {
    let output = Command::new("id").arg("-un").output().unwrap();
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

fn keygen(folder: &Path, name: &str) {
    let mut command = Command::new("ssh-keygen");
    command.args(["-q", "-t", "ed25519", "-N", "", "-f"]).arg(folder.join(name));
    assert!(command.status().unwrap().success());
}

fn spawn(folder: &Path, address: SocketAddr) -> Child {
    let file = |name: &str| folder.join(name).display().to_string();
    let mut command = Command::new(SSHD);
    command.args(["-D", "-f", "/dev/null", "-E", &file("log"), "-h", &file("host")]);
    for option in [
        format!("ListenAddress={address}"),
        format!("ForceCommand={}", file("gate")),
        format!("AuthorizedKeysFile={} {}", file("authorized_keys"), file("home/.ssh/authorized_keys")),
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
