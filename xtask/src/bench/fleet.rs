//! What many machines cost: a refresh over a slow cloud, beside Apache Libcloud listing the same one, and a page of a long
//! list.

use std::{
    fs,
    io::{BufRead, BufReader},
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
    build,
    command::{cargo, output, run as run_command, target_dir},
    tools,
};

/// Lists all machines by Apache Libcloud, and fails if some are missing.
const LIBCLOUD: &str = "
import sys
from libcloud.compute.types import Provider
from libcloud.compute.providers import get_driver
host, port = sys.argv[1].split(':')
driver = get_driver(Provider.DIGITAL_OCEAN)(sys.argv[2], api_version='v2', host=host, port=int(port), secure=False)
nodes = driver.list_nodes(ex_page_size=200)
sys.exit(0 if len(nodes) == 10000 else 'only %d machines' % len(nodes))
";

/// Pages of a list that are read.
const PAGES: u32 = 200;

/// Measures and prints.
pub fn run() -> Result<()> {
    build::binary(true)?;
    run_command(&mut cargo(&[
        "build",
        "-p",
        "roadstead-providers",
        "--example",
        "fake_cloud",
        "--features",
        "sim",
    ]))?;
    refresh()?;
    rival()?;
    pages()
}

/// 10,000 machines, from a cloud that takes 100 ms for each page of 200.
fn refresh() -> Result<()> {
    let (server, cloud) = (Bench::start("refresh")?, Cloud::start(10_000, 100)?);
    let before = memory(&server.process, "VmHWM").context("no memory")?;
    let begun = Instant::now();
    server.add(&cloud)?;
    let took = begun.elapsed().as_secs_f64();
    let after = memory(&server.process, "VmHWM").context("no memory")?;
    println!("{:40} {took:8.1} s, of which the cloud takes 5", "10,000 machines, listed and stored");
    println!("{:40} {:8.1} MiB more at the most", "", after - before);
    Ok(())
}

/// The same machines from the same cloud, listed and only held by Apache Libcloud.
fn rival() -> Result<()> {
    let (python, cloud) = (tools::libcloud()?, Cloud::start(10_000, 100)?);
    let address = cloud.url.strip_prefix("http://").context("the cloud has an odd address")?;
    let listed = cost(Command::new(python).args(["-c", LIBCLOUD, address, &cloud.token]))?;
    println!("{:40} {:8.1} s, {:.1} s of CPU", "the same listed by Apache Libcloud", listed.wall, listed.cpu);
    println!("{:40} {:8.1} MiB at the most", "", listed.peak);
    Ok(())
}

/// A page of 100 out of 50,000.
fn pages() -> Result<()> {
    let (server, cloud) = (Bench::start("pages")?, Cloud::start(50_000, 0)?);
    server.add(&cloud)?;
    let mut cursor = None;
    let before = cpu(&server.process)?;
    for _ in 0..PAGES {
        let page = server.ask(&["machines", "list", "--limit", "100"], cursor.as_deref())?;
        ensure!(page["items"].as_array().is_some_and(|items| items.len() == 100), "a page is short");
        cursor = Some(page["next"].as_str().context("the list ends early")?.to_owned());
    }
    let each = (cpu(&server.process)? - before) * 1000.0 / f64::from(PAGES);
    println!("{:40} {each:8.2} ms of CPU", "a page of 100 machines out of 50,000");
    Ok(())
}

/// A server on a new folder. It ends when this is dropped.
struct Bench {
    process: Child,
    url: String,
    key: String,
}

impl Bench {
    fn start(name: &str) -> Result<Self> {
        let folder = target_dir().join("bench").join(name);
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir_all(&folder)?;
        let (process, url) = start(&target_dir().join("release/roadstead"), &folder)?;
        let admin: Value = serde_json::from_str(&fs::read_to_string(folder.join("admin.json"))?)?;
        let key = admin["api_key"].as_str().context("admin.json has no key")?.to_owned();
        Ok(Self { process, url, key })
    }

    fn add(&self, cloud: &Cloud) -> Result<()> {
        let (endpoint, token) = (format!("endpoint={}", cloud.url), format!("token={}", cloud.token));
        let add = ["backends", "add", "--provider", "digitalocean", "--title", "fake", "--set", &endpoint];
        self.ask(&[&add[..], &["--set", &token]].concat(), None).map(drop)
    }

    fn ask(&self, arguments: &[&str], cursor: Option<&str>) -> Result<Value> {
        let mut command = Command::new(target_dir().join("release/roadstead"));
        command.args(arguments).args(["-o", "json"]).env("ROADSTEAD_URL", &self.url);
        command.args(cursor.map(|cursor| ["--cursor", cursor]).into_iter().flatten());
        let answer = output(command.env("ROADSTEAD_API_KEY", &self.key))?;
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

/// A cloud on this machine. It ends when its standard input does.
struct Cloud {
    process: Child,
    url: String,
    token: String,
}

impl Cloud {
    fn start(machines: u32, milliseconds: u32) -> Result<Self> {
        let mut command = Command::new(target_dir().join("debug/examples/fake_cloud"));
        command.args([machines, 200, milliseconds].map(|number| number.to_string()));
        let mut process = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
        let mut line = String::new();
        BufReader::new(process.stdout.take().context("no output")?).read_line(&mut line)?;
        let (url, token) = line.trim().split_once(' ').context("the fake cloud did not start")?;
        Ok(Self { process, url: url.to_owned(), token: token.to_owned() })
    }
}

impl Drop for Cloud {
    fn drop(&mut self) {
        drop(self.process.stdin.take());
        let _ = self.process.wait();
    }
}
