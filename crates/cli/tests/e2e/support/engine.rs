//! Docker's own engine, started for a test with everything it keeps in a folder of the test's.
//!
//! It has no bridge and touches no firewall, and there is no registry to fetch from: its image is Debian's static busybox.

use std::{
    fs,
    path::Path,
    process::{Child, Command, Output, Stdio},
};

use tempfile::TempDir;

use super::{is_root, log, terminate, wait_until};

const DOCKERD: &str = "/usr/sbin/dockerd";
const BUSYBOX: &str = "/bin/busybox";
/// The image that the engine has.
pub const IMAGE: &str = "roadstead/busybox:1";

/// A running engine. Dropped, it ends with its containers and its files.
pub struct Engine {
    process: Child,
    folder: TempDir,
}

/// Whether there is an engine to test with. In CI there has to be.
pub fn is_there() -> bool {
    let there = [DOCKERD, BUSYBOX].iter().all(|program| Path::new(program).exists());
    assert!(there || std::env::var_os("CI").is_none(), "dockerd or busybox is missing");
    if !there {
        eprintln!("skipped: it takes dockerd and a static busybox (Debian: docker.io, busybox-static)");
    }
    there && is_root()
}

impl Engine {
    /// Starts an engine.
    pub fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut engine = Self { process: spawn(folder.path()), folder };
        wait_until("dockerd takes calls", || {
            let ended = engine.process.try_wait().unwrap();
            assert!(ended.is_none(), "dockerd ended: {}", log(&engine.folder.path().join("log")));
            engine.cli(&["version"]).status.success()
        });
        engine.import();
        engine
    }

    /// Where it listens.
    pub fn socket(&self) -> String {
        self.folder.path().join("docker.sock").display().to_string()
    }

    /// Docker's own command line.
    pub fn cli(&self, arguments: &[&str]) -> Output {
        let mut command = Command::new("docker");
        command.arg("--host").arg(format!("unix://{}", self.socket())).args(arguments);
        command.output().unwrap()
    }

    /// Makes the image: busybox with all that it can be called.
    fn import(&self) {
        let root = self.folder.path().join("root");
        for folder in ["bin", "etc", "root", "srv", "tmp", "usr/local/bin", "var/lib"] {
            fs::create_dir_all(root.join(folder)).unwrap();
        }
        fs::copy(BUSYBOX, root.join("bin/busybox")).unwrap();
        let applets = Command::new(BUSYBOX).arg("--list").output().unwrap().stdout;
        for name in String::from_utf8(applets).unwrap().lines().filter(|&name| name != "busybox") {
            std::os::unix::fs::symlink("busybox", root.join("bin").join(name)).unwrap();
        }
        fs::write(root.join("etc/passwd"), "root:x:0:0:root:/root:/bin/sh\n").unwrap();
        let archive = self.folder.path().join("root.tar");
        let mut pack = Command::new("tar");
        pack.arg("-C").arg(&root).arg("-cf").arg(&archive).arg(".");
        assert!(pack.status().unwrap().success());
        let imported = self.cli(&["import", &archive.display().to_string(), IMAGE]);
        assert!(imported.status.success(), "{imported:?}");
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        // It has to end in good order, so that no helper of it stays behind.
        terminate(self.process.id());
        let _ = self.process.wait();
    }
}

fn spawn(folder: &Path) -> Child {
    let file = |name: &str| folder.join(name).display().to_string();
    let errors = fs::File::create(folder.join("log")).unwrap();
    let mut command = Command::new(DOCKERD);
    command.arg(format!("--host=unix://{}", file("docker.sock")));
    command.args(["--data-root", &file("data"), "--exec-root", &file("exec"), "--pidfile", &file("pid")]);
    command.args(["--bridge=none", "--iptables=false", "--ip6tables=false", "--ip-forward=false"]);
    command.args(["--ip-masq=false", "--shutdown-timeout=1"]);
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(errors).spawn().unwrap()
}
