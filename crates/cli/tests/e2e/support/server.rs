//! A real server process on a folder of its own.

use std::{
    fs::File,
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
    process::{Child, Command, Output, Stdio},
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
    arguments: Vec<String>,
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
        Self::begin(folder, "127.0.0.1:0", Database::create().map(Arc::new), &[]).named_as_it_listens()
    }

    /// Starts a server on this folder and this database; the embedded one if there is none.
    pub fn with(folder: TempDir, database: Option<Arc<Database>>) -> Self {
        Self::begin(folder, "127.0.0.1:0", database, &[]).named_as_it_listens()
    }

    /// Starts a server on a new folder with more arguments.
    pub fn start_with(arguments: &[&str]) -> Self {
        let database = Database::create().map(Arc::new);
        Self::begin(tempfile::tempdir().unwrap(), "127.0.0.1:0", database, arguments).named_as_it_listens()
    }

    /// Starts a server on a new folder with TLS, that others know by this URL.
    pub fn known_as(public_url: &str) -> Self {
        let database = Database::create().map(Arc::new);
        let arguments = ["--tls", "--public-url", public_url];
        Self::begin(tempfile::tempdir().unwrap(), "127.0.0.1:0", database, &arguments)
    }

    /// Starts a server on a new folder that listens elsewhere than on loopback.
    pub fn listening(listen: &str) -> Self {
        Self::begin(tempfile::tempdir().unwrap(), listen, Database::create().map(Arc::new), &[])
    }

    fn begin(folder: TempDir, listen: &str, database: Option<Arc<Database>>, arguments: &[&str]) -> Self {
        let arguments: Vec<String> = arguments.iter().map(|&argument| argument.to_owned()).collect();
        let (process, url) = spawn(folder.path(), listen, database.as_deref(), &arguments);
        let api_key = admin(folder.path())["api_key"].as_str().unwrap().to_owned();
        let ca = own_ca(folder.path());
        let client = client(&url, &api_key, ca.is_file().then_some(ca.as_path()));
        Self { process, folder, database, arguments, url, api_key, client }
    }

    fn named_as_it_listens(self) -> Self {
        assert_eq!(self.admin()["url"], self.url);
        self
    }

    /// The database's URL, where that is not the embedded one.
    pub fn database_url(&self) -> Option<String> {
        self.database.as_ref().map(|database| database.url())
    }

    /// Loses all that a killed server had, but for the vaults.
    pub fn lose_all_but_vaults(&mut self) {
        for entry in std::fs::read_dir(self.folder()).unwrap() {
            let entry = entry.unwrap();
            match entry.file_type().unwrap().is_dir() {
                true if entry.file_name() == "vaults" => {}
                true => std::fs::remove_dir_all(entry.path()).unwrap(),
                false => std::fs::remove_file(entry.path()).unwrap(),
            }
        }
        self.database = self.database.take().and_then(|_| Database::create().map(Arc::new));
    }

    /// Lets a command that works on the data folder find the database, too.
    pub fn on_its_database<'a>(&self, command: &'a mut Command) -> &'a mut Command {
        match &self.database {
            Some(database) => command.env("ROADSTEAD_SERVER_DATABASE", database.url()),
            None => command,
        }
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

    /// What the first start left for the admin.
    pub fn admin(&self) -> serde_json::Value {
        admin(self.folder())
    }

    /// Where the server's own CA lies, if it has one.
    pub fn ca(&self) -> PathBuf {
        own_ca(self.folder())
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

    /// The command line, as this server's admin runs it.
    pub fn run(&self, arguments: &[&str]) -> Output {
        let mut command = roadstead();
        command.args(arguments).env("ROADSTEAD_URL", &self.url).env("ROADSTEAD_API_KEY", &self.api_key);
        command.output().unwrap()
    }

    /// What a command prints as JSON; panics where it fails.
    pub fn printed(&self, arguments: &[&str]) -> serde_json::Value {
        let output = self.run(&[arguments, &["-o", "json"]].concat());
        assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        serde_json::from_slice(&output.stdout).unwrap()
    }

    /// Kills the server as a power cut would, and starts it again at the same address.
    pub fn kill_and_restart(&mut self) {
        self.kill();
        self.restart();
    }

    /// Asks the server to end, and starts it again at the same address.
    pub fn end_and_restart(&mut self) {
        terminate(self.process.id());
        assert!(self.process.wait().unwrap().success());
        self.restart();
    }

    /// Kills the server as a power cut would.
    pub fn kill(&mut self) {
        kill_9(self.process.id() as i32);
        self.process.wait().unwrap();
    }

    /// Starts the server again at the same address.
    pub fn restart(&mut self) {
        let (_, address) = self.url.split_once("://").unwrap();
        let (process, url) = spawn(self.folder.path(), address, self.database.as_deref(), &self.arguments);
        assert_eq!(url, self.url);
        self.process = process;
    }

    /// Starts the killed server again, which it has to refuse, and returns what it says.
    pub fn refuses_to_start(&self) -> String {
        let mut command =
            command(self.folder.path(), "127.0.0.1:0", self.database.as_deref(), &self.arguments);
        let output = command.output().unwrap();
        assert!(!output.status.success(), "{output:?}");
        String::from_utf8(output.stderr).unwrap()
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

/// A client with a key, for a server that this CA vouches for.
pub fn client(url: &str, api_key: &str, ca: Option<&Path>) -> Client {
    let builder = roadstead_client::Client::builder(url).credentials(Credentials::ApiKey(api_key.to_owned()));
    let builder = match ca {
        Some(ca) => builder.ca_file(ca).unwrap(),
        None => builder,
    };
    builder.build_blocking().unwrap()
}

fn admin(folder: &Path) -> serde_json::Value {
    serde_json::from_str(&std::fs::read_to_string(folder.join("admin.json")).unwrap()).unwrap()
}

fn own_ca(folder: &Path) -> PathBuf {
    folder.join("tls").join("ca.pem")
}

fn command(folder: &Path, listen: &str, database: Option<&Database>, arguments: &[String]) -> Command {
    let mut command = roadstead();
    if let Some(database) = database {
        command.env("ROADSTEAD_SERVER_DATABASE", database.url());
    }
    // Most servers have nothing to open with them.
    command.envs(super::moto::KEYS);
    command.args(["server", "--listen", listen, "--data-dir"]).arg(folder).args(arguments);
    command
}

fn spawn(folder: &Path, listen: &str, database: Option<&Database>, arguments: &[String]) -> (Child, String) {
    let log = File::options().create(true).append(true).open(folder.join("server.log")).unwrap();
    let mut command = command(folder, listen, database, arguments);
    let mut process = command.stdout(Stdio::piped()).stderr(log).spawn().unwrap();
    let mut line = String::new();
    BufReader::new(process.stdout.take().unwrap()).read_line(&mut line).unwrap();
    let url = line.trim().strip_prefix("listening on ");
    let url = url.unwrap_or_else(|| panic!("{line:?}\n{}", super::log(&folder.join("server.log"))));
    (process, url.to_owned())
}
