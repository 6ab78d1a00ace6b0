//! The program that servers give out to machines, small enough to be sent there in a test.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
    sync::OnceLock,
};

use super::Server;

/// The binary under test without what only debuggers read: it is sent over SSH.
fn program() -> &'static Path {
    static PROGRAM: OnceLock<PathBuf> = OnceLock::new();
    PROGRAM.get_or_init(|| {
        let stripped = Path::new(env!("CARGO_TARGET_TMPDIR")).join("agent-program");
        let new = stripped.with_extension(std::process::id().to_string());
        let strip = Command::new("strip").arg("-o").arg(&new).arg(env!("CARGO_BIN_EXE_roadstead")).status();
        assert!(strip.unwrap().success());
        fs::rename(&new, &stripped).unwrap();
        stripped
    })
}

/// A server that gives out the stripped program.
pub fn server(folder: &Path) -> Server {
    server_with(folder, "")
}

/// The same with more in its configuration file.
pub fn server_with(folder: &Path, more: &str) -> Server {
    let config = folder.join("server.toml");
    fs::write(&config, format!("agent_program = '{}'\n{more}", program().display())).unwrap();
    Server::start_with(&["--config", &config.display().to_string()])
}
