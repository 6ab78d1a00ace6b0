//! The real restic as judge.

use std::{
    path::{Path, PathBuf},
    process::Command,
};

use roadstead_api::vault::VaultKeyExport;

use super::{Agent, Server};

/// Every restic to test against: those of `ROADSTEAD_RESTIC`, else the one in `PATH`. Where there is none, CI fails.
pub fn all() -> Vec<PathBuf> {
    let named = std::env::var_os("ROADSTEAD_RESTIC").unwrap_or_else(|| "restic".into());
    let there =
        |program: &PathBuf| Command::new(program).arg("version").output().is_ok_and(|o| o.status.success());
    let found: Vec<_> = std::env::split_paths(&named).filter(there).collect();
    assert!(!found.is_empty() || std::env::var_os("CI").is_none(), "CI needs restic");
    found
}

/// A vault, as restic opens it on the server's own disk.
pub struct Repository {
    folder: String,
    password: String,
}

impl Repository {
    /// The vault of this agent.
    pub fn of(server: &Server, agent: &Agent) -> Self {
        let key = server.call::<VaultKeyExport>(&agent.vault, &());
        assert_eq!(Path::new(&key.repository), server.vault(&agent.vault));
        Self { folder: key.repository, password: key.password }
    }

    /// The vault's password.
    pub fn password(&self) -> &str {
        &self.password
    }

    /// Runs restic on the vault; panics unless it ends well.
    pub fn run(&self, restic: &Path, arguments: &[&str]) -> String {
        let (ok, text) = self.try_run(restic, arguments);
        assert!(ok, "{} {arguments:?}: {text}", restic.display());
        text
    }

    /// Runs restic on the vault; returns whether it ended well, and all that it printed.
    pub fn try_run(&self, restic: &Path, arguments: &[&str]) -> (bool, String) {
        run(restic, &self.folder, &self.password, arguments)
    }

    /// Every restic finds the vault sound, all data read.
    pub fn assert_sound(&self) {
        for restic in all() {
            self.run(&restic, &["check", "--read-data"]);
        }
    }
}

/// Runs restic on a repository; returns whether it ended well, and all that it printed.
pub fn run(restic: &Path, repository: &str, password: &str, arguments: &[&str]) -> (bool, String) {
    let output = Command::new(restic)
        .args(["--no-cache", "--repo", repository])
        .args(arguments)
        .env("RESTIC_PASSWORD", password)
        .envs(super::moto::KEYS)
        .output()
        .unwrap();
    let text = [output.stdout, output.stderr].concat();
    (output.status.success(), String::from_utf8_lossy(&text).into_owned())
}
