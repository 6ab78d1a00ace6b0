//! What it takes to start a command on a hundred hosts: real sshds that listen on a hundred loopback addresses, each of
//! them a backend of its own.

use std::{
    fs,
    net::TcpListener,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::{Instant, SystemTime, UNIX_EPOCH},
};

use anyhow::{Context, Result, ensure};

use super::fleet::Bench;
use crate::{
    command::{output, run as run_command, target_dir},
    tools,
};

const HOSTS: usize = 100;
/// Addresses that one sshd listens on at the most.
const ADDRESSES_EACH: usize = 15;
/// What each host runs: it tells when.
const SCRIPT: &str = "date +%s.%N";

/// Measures and prints.
pub fn run(program: &Path) -> Result<()> {
    tools::daemons()?;
    let (server, sshd) = (Bench::start("hosts", program)?, Sshd::start()?);
    let begun = Instant::now();
    for address in addresses() {
        sshd.add_to(&server, &address)?;
    }
    println!("{:40} {:8.1} s", "100 hosts added, one after the other", begun.elapsed().as_secs_f64());
    // The second time the host keys are known, and nothing is started for the first time.
    for what in ["a command on 100 hosts", "the same once more"] {
        let began = SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs_f64();
        let begun = Instant::now();
        let parallel = HOSTS.to_string();
        let said = output(&mut server.command(&[
            "run",
            "--search",
            "host-",
            "--parallel",
            &parallel,
            "--",
            SCRIPT,
        ]))?;
        let took = begun.elapsed().as_secs_f64();
        let last_word = |line: &str| line.split_whitespace().last()?.parse::<f64>().ok();
        let started: Vec<f64> = said.lines().filter_map(last_word).filter(|at| *at > 1e9).collect();
        ensure!(started.len() == HOSTS, "it ran on {} hosts:\n{said}", started.len());
        let last = started.iter().copied().fold(0.0, f64::max) - began;
        println!("{what:40} {last:8.1} s until it began on the last, {took:.1} s in sum");
    }
    Ok(())
}

/// Where the hosts are.
fn addresses() -> Vec<String> {
    (1..=HOSTS).map(|number| format!("127.0.77.{number}")).collect()
}

/// The hosts. They end when this is dropped.
struct Sshd {
    processes: Vec<Child>,
    port: u16,
    folder: PathBuf,
}

impl Sshd {
    fn start() -> Result<Self> {
        let folder = target_dir().join("bench/sshd");
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir_all(&folder)?;
        fs::set_permissions(&folder, fs::Permissions::from_mode(0o700))?;
        // Where a privileged sshd locks its children in; it may be no root who asks.
        let _ = fs::create_dir_all("/run/sshd");
        for name in ["host", "client"] {
            let mut keygen = Command::new("ssh-keygen");
            run_command(keygen.args(["-q", "-t", "ed25519", "-N", "", "-f"]).arg(folder.join(name)))?;
        }
        let port = TcpListener::bind(("127.0.77.1", 0))?.local_addr()?.port();
        let mut sshd = Self { processes: Vec::new(), port, folder };
        for addresses in addresses().chunks(ADDRESSES_EACH) {
            sshd.processes.push(spawn(&sshd.folder, addresses, port)?);
            wait(&addresses[0], port)?;
        }
        Ok(sshd)
    }

    /// Adds a host. Its login is tried, so it is there once the first of them is added.
    fn add_to(&self, server: &Bench, address: &str) -> Result<()> {
        let key = self.folder.join("client").display().to_string();
        let user = output(Command::new("id").arg("-un"))?;
        let number = address.rsplit('.').next().context("an address without a number")?;
        let title = format!("host-{number}");
        let fields = [
            format!("machine_ip={address}"),
            format!("machine_port={}", self.port),
            format!("machine_user={}", user.trim()),
            format!("machine_key=@{key}"),
        ];
        let mut words = vec!["backends", "add", "--provider", "bare_metal", "--title", &title];
        words.extend(fields.iter().flat_map(|field| ["--set", field.as_str()]));
        output(&mut server.command(&words)).map(drop)
    }
}

impl Drop for Sshd {
    fn drop(&mut self) {
        for process in &mut self.processes {
            // It may have ended by itself.
            let _ = process.kill();
            let _ = process.wait();
        }
    }
}

fn spawn(folder: &Path, addresses: &[String], port: u16) -> Result<Child> {
    let file = |name: &str| folder.join(name).display().to_string();
    let mut command = Command::new("/usr/sbin/sshd");
    command.args(["-D", "-f", "/dev/null", "-E", &file("log"), "-h", &file("host")]);
    let mut options: Vec<String> =
        addresses.iter().map(|address| format!("ListenAddress={address}:{port}")).collect();
    options.push(format!("AuthorizedKeysFile={}", file("client.pub")));
    // What the user's own shell does at each login is not what is measured.
    options.push(format!("SetEnv=HOME={}", folder.display()));
    let others = ["PidFile=none", "StrictModes=no", "UsePAM=no", "PermitRootLogin=yes", "MaxStartups=500"];
    options.extend(others.map(str::to_owned));
    for option in &options {
        command.args(["-o", option]);
    }
    Ok(command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn()?)
}

/// Waits until it takes connections.
fn wait(address: &str, port: u16) -> Result<()> {
    let begun = Instant::now();
    while std::net::TcpStream::connect((address, port)).is_err() {
        ensure!(begun.elapsed().as_secs() < 10, "sshd does not start");
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    Ok(())
}
