//! Requests made up from openapi.json, good ones and bad ones: whatever a server is asked, it never answers 500.
//!
//! [schemathesis](https://schemathesis.readthedocs.io) makes them up, the same ones at each run, for a server of its own
//! in a temporary folder. What would take its own credentials away, or speaks to others, is left out.

use std::{
    fs,
    path::Path,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail};

use crate::{
    command::{project_dir, run, target_dir},
    tools,
};

/// How long it may go on making up requests, in seconds.
const MAX_SECONDS: &str = "90";
/// Operations that could take the credentials away that all others are tried with, and those that speak to hosts that
/// were made up.
const LEFT_OUT: [&str; 5] =
    ["user_delete", "user_update", "api_key_delete", "mail_settings_test", "notification_channel_test"];

/// A server; dropped, it is killed.
struct Server(Child);

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Tries every operation of openapi.json on the server that was built last.
pub fn try_all() -> Result<()> {
    let program = tools::schemathesis()?;
    let folder = target_dir().join("schemathesis");
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder)?;
    let (_server, url) = start(&folder)?;
    let admin: serde_json::Value = serde_json::from_slice(&fs::read(folder.join("data/admin.json"))?)?;
    let key = admin["api_key"].as_str().context("admin.json has no API key")?;
    let mut command = Command::new(program);
    command.arg("run").arg(project_dir().join("openapi.json")).args(["--url", &url]);
    command.args(["--header", &format!("Authorization: Bearer {key}")]);
    command.args(["--checks", "not_a_server_error", "--phases", "coverage,fuzzing", "--max-examples", "15"]);
    command.args([
        "--generation-deterministic",
        "--no-shrink",
        "--max-time",
        MAX_SECONDS,
        "--warnings",
        "off",
    ]);
    command.args(["--suppress-health-check", "all", "--request-timeout", "30"]);
    for operation in LEFT_OUT {
        command.args(["--exclude-operation-id", operation]);
    }
    run(command.current_dir(&folder))
}

fn start(folder: &Path) -> Result<(Server, String)> {
    let told = folder.join("server.out");
    let child = Command::new(target_dir().join("debug/roadstead"))
        .args(["server", "--listen", "127.0.0.1:0", "--data-dir"])
        .arg(folder.join("data"))
        .stdin(Stdio::null())
        .stdout(fs::File::create(&told)?)
        .stderr(fs::File::create(folder.join("server.log"))?)
        .spawn()
        .context("cannot start the server")?;
    let server = Server(child);
    let begun = Instant::now();
    while begun.elapsed() < Duration::from_secs(60) {
        let text = fs::read_to_string(&told)?;
        let whole = text.split_inclusive('\n').filter_map(|line| line.strip_suffix('\n'));
        if let Some(url) = whole.filter_map(|line| line.strip_prefix("listening on ")).next() {
            return Ok((server, url.to_owned()));
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    bail!("the server did not start: {}", fs::read_to_string(folder.join("server.log"))?)
}
