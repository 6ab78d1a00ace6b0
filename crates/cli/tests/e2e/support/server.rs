//! A real server process on a folder of its own.

use std::{
    fs::File,
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
    process::{Child, Stdio},
    sync::Arc,
};

use roadstead_api::{Endpoint, id::VaultId};
use roadstead_client::{Credentials, blocking::Client};
use tempfile::TempDir;

use super::{Database, kill_9, roadstead, terminate};

/// A server. Dropped, it is killed and its folder removed.
pub struct Server {
    process: Child,
    folder: TempDir,
    database: Option<Arc<Database>>,
    /// Where it listens.
    pub url: String,
    /// An API key of its admin.
    pub api_key: String,
    /// The admin's client.
    pub client: Client,
}

impl Server {
    /// Starts a server on a new folder.
    pub fn start() -> Self {
        Self::on(tempfile::tempdir().unwrap())
    }

    /// Starts a server on this folder.
    pub fn on(folder: TempDir) -> Self {
        Self::with(folder, Database::create().map(Arc::new))
    }

    /// Starts a server on this folder and this database; the embedded one if there is none.
    pub fn with(folder: TempDir, database: Option<Arc<Database>>) -> Self {
        let (process, url) = spawn(folder.path(), "127.0.0.1:0", database.as_deref());
        let admin = std::fs::read_to_string(folder.path().join("admin.json")).unwrap();
        let admin: serde_json::Value = serde_json::from_str(&admin).unwrap();
        assert_eq!(admin["url"], url);
        let api_key = admin["api_key"].as_str().unwrap().to_owned();
        let client = Client::new(&url, Credentials::ApiKey(api_key.clone())).unwrap();
        Self { process, folder, database, url, api_key, client }
    }

    /// Starts another server on the same database and the same vaults, if that can be shared.
    pub fn beside(&self) -> Option<Self> {
        let database = self.database.clone()?;
        let folder = tempfile::tempdir().unwrap();
        for file in ["master.key", "admin.json"] {
            std::fs::copy(self.folder().join(file), folder.path().join(file)).unwrap();
        }
        std::os::unix::fs::symlink(self.folder().join("vaults"), folder.path().join("vaults")).unwrap();
        Some(Self::with(folder, Some(database)))
    }

    /// The data folder.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// A vault's folder.
    pub fn vault(&self, id: &VaultId) -> PathBuf {
        self.folder().join("vaults").join(&id.0)
    }

    /// One call of the API; panics on an error.
    pub fn call<E: Endpoint<Query = ()>>(&self, path: &E::Path, body: &E::Body) -> E::Reply {
        self.client.call::<E>(path, &(), body).unwrap_or_else(|error| panic!("{}: {error}", E::NAME))
    }

    /// Kills the server as a power cut would, and starts it again at the same address.
    pub fn kill_and_restart(&mut self) {
        self.kill();
        self.restart();
    }

    /// Kills the server as a power cut would.
    pub fn kill(&mut self) {
        kill_9(self.process.id() as i32);
        self.process.wait().unwrap();
    }

    /// Starts the server again at the same address.
    pub fn restart(&mut self) {
        let address = self.url.strip_prefix("http://").unwrap().to_owned();
        let (process, url) = spawn(self.folder.path(), &address, self.database.as_deref());
        assert_eq!(url, self.url);
        self.process = process;
    }

    /// Asks the server to end, and returns whether it did so well.
    pub fn end(mut self) -> bool {
        terminate(self.process.id());
        self.process.wait().unwrap().success()
    }

    /// The server's process.
    pub fn pid(&self) -> u32 {
        self.process.id()
    }

    /// What the server logged.
    pub fn log(&self) -> String {
        super::log(&self.folder().join("server.log"))
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
        if std::thread::panicking() {
            eprintln!("--- server ---\n{}", self.log());
        }
    }
}

fn spawn(folder: &Path, listen: &str, database: Option<&Database>) -> (Child, String) {
    let log = File::options().create(true).append(true).open(folder.join("server.log")).unwrap();
    let mut command = roadstead();
    if let Some(database) = database {
        command.env("ROADSTEAD_DATABASE", database.url());
    }
    let mut process = command
        .args(["server", "--listen", listen, "--data-dir"])
        .arg(folder)
        .stdout(Stdio::piped())
        .stderr(log)
        .spawn()
        .unwrap();
    let mut line = String::new();
    BufReader::new(process.stdout.take().unwrap()).read_line(&mut line).unwrap();
    let url = line.trim().strip_prefix("listening on ");
    let url = url.unwrap_or_else(|| panic!("{line:?}\n{}", super::log(&folder.join("server.log"))));
    (process, url.to_owned())
}
