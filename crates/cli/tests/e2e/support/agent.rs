//! A real agent process on a folder of its own.

use std::{
    fs::File,
    path::{Path, PathBuf},
    process::{Child, Command, Output, Stdio},
};

use roadstead_api::{
    agent::{EnrolmentTokenCreate, NewEnrolmentToken},
    backup::{Backup, BackupReport, BackupReportShow},
    backup_configuration::{BackupConfigurationCreate, NewBackupConfiguration},
    id::{AgentId, BackupConfigurationId, BackupId, VaultId},
    restore::{NewRestore, Restore, RestoreReport, RestoreReportShow},
    run::RunState,
};
use tempfile::TempDir;

use super::{Server, children, kill_9, roadstead, terminate, wait_until};

/// An enrolled agent. Dropped, it is killed and its folder removed.
pub struct Agent {
    process: Option<Child>,
    folder: TempDir,
    /// Its id.
    pub id: AgentId,
    /// Its vault.
    pub vault: VaultId,
    /// What is run in place of the binary, when that is not enough.
    wrapper: Vec<String>,
}

impl Agent {
    /// Enrols an agent and starts it.
    pub fn start(server: &Server) -> Self {
        Self::start_in(server, tempfile::tempdir().unwrap(), Vec::new())
    }

    /// Enrols an agent and starts it as a user without rights. Only root can.
    pub fn start_as_nobody(server: &Server) -> Self {
        let folder = tempfile::tempdir().unwrap();
        // The build may lie where only root looks.
        let program = folder.path().join("roadstead");
        std::fs::copy(env!("CARGO_BIN_EXE_roadstead"), &program).unwrap();
        let words = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"];
        let wrapper =
            words.iter().map(|&word| word.to_owned()).chain([program.display().to_string()]).collect();
        Self::start_in(server, folder, wrapper)
    }

    /// Starts the agent that is enrolled in this folder.
    pub fn resume(folder: TempDir) -> Self {
        Self::resume_in(folder, Vec::new())
    }

    fn resume_in(folder: TempDir, wrapper: Vec<String>) -> Self {
        let identity = identity(folder.path());
        let mut agent = Self {
            process: None,
            id: AgentId(identity["agent_id"].as_i64().unwrap()),
            vault: VaultId(identity["vault_id"].as_str().unwrap().to_owned()),
            folder,
            wrapper,
        };
        agent.run();
        agent
    }

    fn start_in(server: &Server, folder: TempDir, wrapper: Vec<String>) -> Self {
        let output = enroll(server, folder.path());
        assert!(output.status.success(), "{output:?}");
        if !wrapper.is_empty() {
            let chown =
                Command::new("chown").args(["-R", "65534:65534"]).arg(folder.path()).status().unwrap();
            assert!(chown.success());
        }
        let agent = Self::resume_in(folder, wrapper);
        wait_until("the agent is connected", || server.client.get_agent(agent.id).unwrap().connected);
        agent
    }

    /// The data folder.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Its secret.
    pub fn credential(&self) -> String {
        identity(self.folder())["credential"].as_str().unwrap().to_owned()
    }

    /// Starts the process.
    pub fn run(&mut self) {
        let log = File::options().create(true).append(true).open(self.folder().join("agent.log")).unwrap();
        let mut command = roadstead();
        if let Some((first, rest)) = self.wrapper.split_first() {
            let mut wrapped = Command::new(first);
            wrapped.args(rest).env("RUST_LOG", "info").stdin(Stdio::null());
            command = wrapped;
        }
        let command =
            command.args(["agent", "run", "--data-dir"]).arg(self.folder()).stderr(log).stdout(Stdio::null());
        self.process = Some(command.spawn().unwrap());
    }

    /// The process that works on a run, once there is one.
    pub fn job(&self) -> i32 {
        let pid = self.process.as_ref().unwrap().id();
        wait_until("the agent has a child", || !children(pid).is_empty());
        children(pid)[0]
    }

    /// Kills the agent, and what it started, as a power cut would.
    pub fn kill(&mut self) {
        let mut process = self.process.take().unwrap();
        let jobs = children(process.id());
        kill_9(process.id() as i32);
        jobs.into_iter().for_each(kill_9);
        process.wait().unwrap();
    }

    /// Asks the agent to end, and returns whether it did so well.
    pub fn end(&mut self) -> bool {
        let mut process = self.process.take().unwrap();
        terminate(process.id());
        process.wait().unwrap().success()
    }

    /// Kills only the parent; its children are to notice.
    pub fn kill_parent(&mut self) -> Vec<i32> {
        let mut process = self.process.take().unwrap();
        let jobs = children(process.id());
        kill_9(process.id() as i32);
        process.wait().unwrap();
        jobs
    }

    /// Makes a configuration of these paths.
    pub fn configure(&self, server: &Server, paths: &[&Path], exclusions: &[&str]) -> BackupConfigurationId {
        let inclusions = paths.iter().map(|path| path.to_str().unwrap().to_owned()).collect();
        let new = NewBackupConfiguration {
            exclusions: exclusions.iter().map(|&pattern| pattern.to_owned()).collect(),
            ..NewBackupConfiguration::new("test", self.id, inclusions)
        };
        server.call::<BackupConfigurationCreate>(&(), &new).id
    }

    /// Runs a backup to its end.
    pub fn back_up(&self, server: &Server, configuration: BackupConfigurationId) -> Backup {
        server.client.start_backup(configuration).unwrap().wait(|_| ()).unwrap()
    }

    /// Runs a backup that has to end well, and returns its report.
    pub fn back_up_well(&self, server: &Server, configuration: BackupConfigurationId) -> BackupReport {
        let backup = self.back_up(server, configuration);
        assert_eq!(backup.state, RunState::Completed, "{backup:?}\n{}", self.log());
        server.call::<BackupReportShow>(&backup.id, &())
    }

    /// Restores a backup to a folder.
    pub fn restore(&self, server: &Server, backup: BackupId, to: &Path, inclusions: &[&str]) -> Restore {
        let new = NewRestore {
            path: Some(to.to_str().unwrap().to_owned()),
            inclusions: inclusions.iter().map(|&pattern| pattern.to_owned()).collect(),
            ..NewRestore::of(backup)
        };
        server.client.start_restore(&new).unwrap().wait(|_| ()).unwrap()
    }

    /// Restores a backup, which has to end well, and returns the report.
    pub fn restore_well(
        &self,
        server: &Server,
        backup: BackupId,
        to: &Path,
        inclusions: &[&str],
    ) -> RestoreReport {
        let restore = self.restore(server, backup, to, inclusions);
        assert_eq!(restore.state, RunState::Completed, "{restore:?}\n{}", self.log());
        server.call::<RestoreReportShow>(&restore.id, &())
    }

    /// What the agent logged.
    pub fn log(&self) -> String {
        super::log(&self.folder().join("agent.log"))
    }

    /// Where results wait for the server.
    pub fn results(&self) -> PathBuf {
        self.folder().join("results")
    }
}

impl Drop for Agent {
    fn drop(&mut self) {
        if self.process.is_some() {
            self.kill();
        }
        if std::thread::panicking() {
            eprintln!("--- agent ---\n{}", self.log());
        }
    }
}

/// Enrols an agent in this folder with a new token.
pub fn enroll(server: &Server, folder: &Path) -> Output {
    let token = server.call::<EnrolmentTokenCreate>(&(), &NewEnrolmentToken::default()).token;
    enroll_with(&server.url, &token, folder)
}

/// Enrols an agent in this folder with this token.
pub fn enroll_with(url: &str, token: &str, folder: &Path) -> Output {
    let mut command = roadstead();
    command.args([
        "agent",
        "enroll",
        "--server",
        url,
        "--token",
        token,
        "--name",
        "test agent",
        "--data-dir",
    ]);
    command.arg(folder).output().unwrap()
}

fn identity(folder: &Path) -> serde_json::Value {
    serde_json::from_str(&std::fs::read_to_string(folder.join("agent.json")).unwrap()).unwrap()
}
