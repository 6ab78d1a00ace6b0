//! What it costs to back up to our server instead of a local folder: the server takes every byte in, hashes it and
//! writes it. Both on this machine, in turns; the CPU of the server counts.

use std::{
    fs,
    path::Path,
    process::{Child, Command},
};

use anyhow::{Context, Result};
use serde_json::Value;

use super::{
    backup::example,
    measure::{Cost, cost, cpu, memory},
    sets::Set,
    start::start,
};
use crate::{
    build,
    command::{output, run as run_command, target_dir},
};

/// Measures and prints.
pub fn run(sets: &[Set]) -> Result<()> {
    build::binary(true)?;
    let (program, engine) = (target_dir().join("release/roadstead"), example()?);
    println!(
        "| first backup of | local, CPU s | over REST, CPU s: client | server | ratio | server, MiB before | peak |"
    );
    println!("|---|---|---|---|---|---|---|");
    for set in sets {
        let source = set.source()?;
        let local = local(&engine, &source, &set.folder().join("local"))?;
        let mut server = Vault::serve(&program, &set.folder().join("server"))?;
        let through = server.back_up(&engine, &source);
        server.process.kill()?;
        server.process.wait()?;
        let (client, taken, before, peak) = through?;
        println!(
            "| {} {} files | {:.2} | {:.2} | {taken:.2} | {:.2} | {before:.0} | {peak:.0} |",
            set.files,
            set.name,
            local.cpu,
            client.cpu,
            (client.cpu + taken) / local.cpu
        );
    }
    Ok(())
}

fn local(engine: &Path, source: &Path, repository: &Path) -> Result<Cost> {
    let _ = fs::remove_dir_all(repository);
    let command = |name: &str| {
        let mut command = Command::new(engine);
        command.arg(name).arg(repository).env("VAULT_PASSWORD", "bench");
        command
    };
    run_command(&mut command("init"))?;
    cost(command("backup").arg(source))
}

/// A server with an agent's vault.
struct Vault {
    process: Child,
    url: String,
    key: String,
    password: String,
}

impl Vault {
    fn serve(program: &Path, folder: &Path) -> Result<Self> {
        let _ = fs::remove_dir_all(folder);
        fs::create_dir_all(folder)?;
        let (process, url) = start(program, &folder.join("data"))?;
        let admin: Value = serde_json::from_str(&fs::read_to_string(folder.join("data/admin.json"))?)?;
        let key = text(&admin["api_key"])?;
        let ask = |arguments: &[&str]| -> Result<Value> {
            let mut command = Command::new(program);
            command.args(arguments).args(["-o", "json"]).env("ROADSTEAD_URL", &url);
            Ok(serde_json::from_str(&output(command.env("ROADSTEAD_API_KEY", &key))?)?)
        };
        let token = text(&ask(&["agents", "token"])?["token"])?;
        let agent = folder.join("agent").display().to_string();
        let enroll = ["agent", "enroll", "--server", &url, "--token", &token, "--data-dir", &agent];
        output(Command::new(program).args(enroll))?;
        let vault = text(&ask(&["vaults", "list"])?["items"][0]["id"])?;
        let password = text(&ask(&["vaults", "export-key", &vault])?["password"])?;
        let url = format!("{url}/vaults/{vault}/");
        Ok(Self { process, url, key, password })
    }

    /// What the client took, the server in seconds of CPU, and the server's memory before and at its peak, in MiB.
    fn back_up(&self, engine: &Path, source: &Path) -> Result<(Cost, f64, f64, f64)> {
        let resident = |field| memory(&self.process, field).context("the server has ended");
        let (before, taken) = (resident("VmRSS")?, cpu(&self.process)?);
        let mut command = Command::new(engine);
        command.args(["backup", &self.url]).arg(source);
        command.env("VAULT_TOKEN", &self.key).env("VAULT_PASSWORD", &self.password);
        let client = cost(&mut command)?;
        Ok((client, cpu(&self.process)? - taken, before, resident("VmHWM")?))
    }
}

fn text(value: &Value) -> Result<String> {
    value.as_str().map(str::to_owned).context("the answer is not of its form")
}
