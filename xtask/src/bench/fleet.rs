//! What many machines cost: a refresh over a slow cloud, beside Apache Libcloud listing the same one; and a large fleet
//! on many backends, refreshed and looked at by pages.

use std::{
    fs,
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::Instant,
};

use anyhow::{Context, Result, ensure};
use serde_json::Value;

use super::{
    measure::{cost, cpu, memory},
    start::start,
};
use crate::{
    command::{cargo, output, run as run_command, target_dir},
    tools,
};

/// Lists all machines by Apache Libcloud, and fails if some are missing.
const LIBCLOUD: &str = "
import sys
from libcloud.compute.types import Provider
from libcloud.compute.providers import get_driver
host, port = sys.argv[1].split(':')
driver = get_driver(Provider.DIGITAL_OCEAN)(sys.argv[2])
driver.connection.host, driver.connection.port, driver.connection.secure = host, int(port), 0
driver.connection.connect()
nodes = driver.list_nodes()
sys.exit(0 if len(nodes) == 10000 else 'only %d machines' % len(nodes))
";

/// Pages of a list that are read, of each kind.
const PAGES: u32 = 200;
/// Times that something is looked for in vain.
const SEARCHES: u32 = 50;
/// Backends of a large fleet, and machines on each.
const BACKENDS: (usize, u32) = (40, 1250);

/// Measures and prints.
pub fn run(program: &Path) -> Result<()> {
    run_command(&mut cargo(&[
        "build",
        "-p",
        "roadstead-providers",
        "--example",
        "fake_cloud",
        "--features",
        "sim",
    ]))?;
    refresh(program)?;
    rival()?;
    large(program)
}

/// 10,000 machines, from a cloud that takes 100 ms for each page of 200.
fn refresh(program: &Path) -> Result<()> {
    let (server, cloud) = (Bench::start("refresh", program)?, Clouds::start(1, 10_000, 100)?);
    let before = memory(&server.process, "VmHWM").context("no memory")?;
    let begun = Instant::now();
    server.add(&cloud.urls[0], &cloud.token, "fake")?;
    let took = begun.elapsed().as_secs_f64();
    let after = memory(&server.process, "VmHWM").context("no memory")?;
    println!("{:40} {took:8.1} s, of which the cloud takes 5", "10,000 machines, listed and stored");
    println!("{:40} {:8.1} MiB more at the most", "", after - before);
    let begun = Instant::now();
    server.ask(&["backends", "refresh", "fake"], None)?;
    println!("{:40} {:8.1} s", "the same once more, unchanged", begun.elapsed().as_secs_f64());
    Ok(())
}

/// The same machines from the same cloud, listed and only held by Apache Libcloud.
fn rival() -> Result<()> {
    let (python, cloud) = (tools::libcloud()?, Clouds::start(1, 10_000, 100)?);
    let address = cloud.urls[0].strip_prefix("http://").context("the cloud has an odd address")?;
    let listed = cost(Command::new(python).args(["-c", LIBCLOUD, address, &cloud.token]))?;
    println!("{:40} {:8.1} s, {:.1} s of CPU", "the same listed by Apache Libcloud", listed.wall, listed.cpu);
    println!("{:40} {:8.1} MiB at the most", "", listed.peak);
    Ok(())
}

/// 50,000 machines on 40 backends: added, refreshed all at once, and looked at by pages of 100.
fn large(program: &Path) -> Result<()> {
    let (backends, machines) = BACKENDS;
    let (server, clouds) = (Bench::start("large", program)?, Clouds::start(backends, machines, 0)?);
    let begun = Instant::now();
    for (number, url) in clouds.urls.iter().enumerate() {
        server.add(url, &clouds.token, &format!("cloud-{number}"))?;
    }
    println!("{:40} {:8.1} s", "50,000 machines on 40 backends, added", begun.elapsed().as_secs_f64());
    let (begun, before) = (Instant::now(), cpu(&server.process)?);
    server.ask(&["machines", "list", "--refresh", "--limit", "1"], None)?;
    let (took, used) = (begun.elapsed().as_secs_f64(), cpu(&server.process)? - before);
    println!("{:40} {took:8.1} s, {used:.1} s of CPU", "all refreshed at once, unchanged");
    println!(
        "{:40} {:8.1} MiB",
        "the server, resident",
        memory(&server.process, "VmRSS").context("no memory")?
    );
    for (what, filter) in [
        ("a page of 100", &[][..]),
        ("... of one backend", &["--backend", "cloud-20"]),
        ("... of one state", &["--state", "running"]),
        ("... by a part of the name", &["--search", "web-1"]),
        ("... without a good backup", &["--unprotected"]),
    ] {
        pages(&server, what, filter)?;
    }
    for (what, filter) in [
        ("... by a name that none has", &["--search", "no such machine"][..]),
        ("... by a tag that none has", &["--tag", "no-such-tag"]),
        ("... with an agent, of which there is none", &["--has-agent"]),
    ] {
        in_vain(&server, what, filter)?;
    }
    Ok(())
}

/// Follows a list for some pages, from the beginning again where it ends.
fn pages(server: &Bench, what: &str, filter: &[&str]) -> Result<()> {
    let list = [&["machines", "list", "--limit", "100"], filter].concat();
    let mut cursor = None;
    let before = cpu(&server.process)?;
    for _ in 0..PAGES {
        let page = server.ask(&list, cursor.as_deref())?;
        ensure!(page["items"].as_array().is_some_and(|items| !items.is_empty()), "a page is empty");
        cursor = page["next"].as_str().map(str::to_owned);
    }
    let each = (cpu(&server.process)? - before) * 1000.0 / f64::from(PAGES);
    println!("{what:40} {each:8.2} ms of CPU");
    Ok(())
}

/// Asks for what no machine is, so that nothing ends the search before all were looked at.
fn in_vain(server: &Bench, what: &str, filter: &[&str]) -> Result<()> {
    let list = [&["machines", "list"], filter].concat();
    let before = cpu(&server.process)?;
    for _ in 0..SEARCHES {
        let page = server.ask(&list, None)?;
        ensure!(page["items"].as_array().is_some_and(Vec::is_empty), "something was found");
    }
    let each = (cpu(&server.process)? - before) * 1000.0 / f64::from(SEARCHES);
    println!("{what:40} {each:8.2} ms of CPU");
    Ok(())
}

/// A server on a new folder. It ends when this is dropped.
pub struct Bench {
    program: PathBuf,
    folder: PathBuf,
    /// The server.
    pub process: Child,
    /// Where it listens.
    pub url: String,
    /// Its admin's API key.
    pub key: String,
}

impl Bench {
    /// Starts a server.
    pub fn start(name: &str, program: &Path) -> Result<Self> {
        let folder = target_dir().join("bench").join(name);
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir_all(&folder)?;
        let (process, url) = start(program, &folder)?;
        let admin: Value = serde_json::from_str(&fs::read_to_string(folder.join("admin.json"))?)?;
        let key = admin["api_key"].as_str().context("admin.json has no key")?.to_owned();
        Ok(Self { program: program.to_owned(), folder, process, url, key })
    }

    /// The same server, stopped, its folder changed, and started again.
    pub fn again(mut self, change: impl FnOnce(&Path) -> Result<()>) -> Result<Self> {
        self.process.kill()?;
        self.process.wait()?;
        change(&self.folder)?;
        (self.process, self.url) = start(&self.program, &self.folder)?;
        Ok(self)
    }

    fn add(&self, url: &str, token: &str, title: &str) -> Result<()> {
        let (endpoint, token) = (format!("endpoint={url}"), format!("token={token}"));
        let add = ["backends", "add", "--provider", "digitalocean", "--title", title, "--set", &endpoint];
        self.ask(&[&add[..], &["--set", &token]].concat(), None).map(drop)
    }

    /// The command line with these arguments, as its admin.
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(&self.program);
        command.args(arguments).env("ROADSTEAD_URL", &self.url).env("ROADSTEAD_API_KEY", &self.key);
        command
    }

    /// What the command line says to that, a page further on where there is a cursor.
    pub fn ask(&self, arguments: &[&str], cursor: Option<&str>) -> Result<Value> {
        let cursor = cursor.map(|cursor| ["--cursor", cursor]);
        let whole: Vec<&str> = arguments.iter().copied().chain(cursor.into_iter().flatten()).collect();
        let answer = output(self.command(&whole).args(["-o", "json"]))?;
        serde_json::from_str(&answer).context("the answer is not JSON")
    }
}

impl Drop for Bench {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Clouds on this machine, each at an address of its own. They end when their standard input does.
struct Clouds {
    process: Child,
    urls: Vec<String>,
    token: String,
}

impl Clouds {
    fn start(clouds: usize, machines: u32, milliseconds: u32) -> Result<Self> {
        let mut command = Command::new(target_dir().join("debug/examples/fake_cloud"));
        command.args([machines, 200, milliseconds].map(|number| number.to_string())).arg(clouds.to_string());
        let mut process = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
        let lines = BufReader::new(process.stdout.take().context("no output")?).lines();
        let (mut urls, mut token) = (Vec::new(), String::new());
        for line in lines.take(clouds) {
            let line = line?;
            let (url, its) = line.trim().split_once(' ').context("the fake cloud did not start")?;
            urls.push(url.to_owned());
            its.clone_into(&mut token);
        }
        ensure!(urls.len() == clouds, "not all of the fake clouds started");
        Ok(Self { process, urls, token })
    }
}

impl Drop for Clouds {
    fn drop(&mut self) {
        drop(self.process.stdin.take());
        let _ = self.process.wait();
    }
}
