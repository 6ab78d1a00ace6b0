//! What the processes cost when nobody asks anything of them: time until ready, memory, the binary's size; and how
//! long a small request takes, beside a loop that only computes (on a busy machine both get slower).

use std::{
    fs,
    io::{BufRead, BufReader, Read, Write},
    net::TcpStream,
    path::Path,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use anyhow::{Context, Result, ensure};

use super::measure::{median, memory};
use crate::{build, command::target_dir};

const REQUESTS: usize = 2000;

/// Measures and prints.
pub fn run() -> Result<()> {
    build::binary(true)?;
    let program = target_dir().join("release/roadstead");
    let folder = target_dir().join("bench/start");
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder)?;
    let begun = Instant::now();
    let (mut server, url) = start(&program, &folder.join("server"))?;
    println!("{:32} {:8.0} ms", "server, first start until ready", begun.elapsed().as_secs_f64() * 1000.0);
    let admin: serde_json::Value =
        serde_json::from_str(&fs::read_to_string(folder.join("server/admin.json"))?)?;
    let key = admin["api_key"].as_str().context("admin.json has no key")?.to_owned();
    println!("{:32} {:8.1} MiB", "server, empty, resident", memory(&server, "VmRSS").context("no memory")?);
    let mut agent = enrolled(&program, &folder.join("agent"), &url, &key)?;
    println!("{:32} {:8.1} MiB", "agent, idle, resident", memory(&agent, "VmRSS").context("no memory")?);
    let size = fs::metadata(&program)?.len() as f64 / f64::from(1 << 20);
    println!("{:32} {size:8.1} MiB", "release binary");
    latency(&url, &key)?;
    agent.kill()?;
    server.kill()?;
    agent.wait()?;
    server.wait()?;
    Ok(())
}

/// Starts a server and waits until it is ready; returns where it listens.
pub fn start(program: &Path, data_dir: &Path) -> Result<(Child, String)> {
    let mut command = Command::new(program);
    command.args(["server", "--listen", "127.0.0.1:0", "--data-dir"]).arg(data_dir).env("RUST_LOG", "warn");
    let mut server = command.stdout(Stdio::piped()).spawn()?;
    let mut line = String::new();
    BufReader::new(server.stdout.take().context("no output")?).read_line(&mut line)?;
    let url = line.trim().strip_prefix("listening on ").context("the server did not start")?;
    Ok((server, url.to_owned()))
}

/// An agent whose link has stood for a few seconds.
pub fn enrolled(program: &Path, data_dir: &Path, url: &str, key: &str) -> Result<Child> {
    let ask = |arguments: &[&str]| {
        let mut command = Command::new(program);
        command.args(arguments).env("ROADSTEAD_URL", url).env("ROADSTEAD_API_KEY", key);
        crate::command::output(&mut command)
    };
    let token: serde_json::Value = serde_json::from_str(&ask(&["agents", "token", "-o", "json"])?)?;
    let token = token["token"].as_str().context("no token")?;
    let data_dir = data_dir.display().to_string();
    ask(&["agent", "enroll", "--server", url, "--token", token, "--data-dir", &data_dir])?;
    let mut command = Command::new(program);
    let agent = command.args(["agent", "run", "--data-dir", &data_dir]).env("RUST_LOG", "warn").spawn()?;
    for _ in 0..100 {
        let agents: serde_json::Value = serde_json::from_str(&ask(&["agents", "list", "-o", "json"])?)?;
        if agents["items"][0]["connected"] == true {
            std::thread::sleep(Duration::from_secs(3));
            return Ok(agent);
        }
    }
    anyhow::bail!("the agent did not connect")
}

fn latency(url: &str, key: &str) -> Result<()> {
    let host = url.strip_prefix("http://").context("not HTTP")?;
    let mut stream = TcpStream::connect(host)?;
    stream.set_nodelay(true)?;
    let request =
        format!("GET /api/v1/agents HTTP/1.1\r\nHost: {host}\r\nAuthorization: Bearer {key}\r\n\r\n");
    let (mut requests, mut control) = (Vec::new(), Vec::new());
    for _ in 0..REQUESTS {
        let begun = Instant::now();
        ask(&mut stream, &request)?;
        requests.push(begun.elapsed().as_secs_f64() * 1e6);
        let begun = Instant::now();
        std::hint::black_box(
            (0..100_000_u64).fold(1_u64, |sum, n| std::hint::black_box(sum.wrapping_mul(31) ^ n)),
        );
        control.push(begun.elapsed().as_secs_f64() * 1e6);
    }
    for (name, mut times) in [("GET /api/v1/agents", requests), ("control (computing only)", control)] {
        let middle = median(times.clone());
        times.sort_by(f64::total_cmp);
        println!(
            "{name:32} {middle:8.0} us at the median, {:.0} at the 99th percentile",
            times[REQUESTS * 99 / 100]
        );
    }
    Ok(())
}

fn ask(stream: &mut TcpStream, request: &str) -> Result<()> {
    stream.write_all(request.as_bytes())?;
    let mut answer = vec![0; 64 << 10];
    let mut length = 0;
    loop {
        let read = stream.read(&mut answer[length..])?;
        ensure!(read > 0, "the server closed the connection");
        length += read;
        let text = String::from_utf8_lossy(&answer[..length]).to_lowercase();
        let Some((head, body)) = text.split_once("\r\n\r\n") else { continue };
        ensure!(head.starts_with("http/1.1 200"), "{head}");
        let wanted = head.lines().find_map(|line| line.strip_prefix("content-length: ")?.parse().ok());
        if wanted.is_some_and(|wanted: usize| body.len() >= wanted) {
            return Ok(());
        }
    }
}
