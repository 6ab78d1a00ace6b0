//! Servers, agents, trees and restic for the tests.

pub mod agent;
pub mod database;
pub mod engine;
pub mod moto;
pub mod program;
pub mod restic;
pub mod server;
pub mod smtp;
pub mod sshd;
pub mod tree;

use std::{
    path::Path,
    process::{Command, Stdio},
    time::{Duration, Instant},
};

pub use agent::Agent;
pub use database::Database;
pub use server::Server;
pub use sshd::Sshd;

/// The binary under test.
pub fn roadstead() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_roadstead"));
    for variable in [
        "ROADSTEAD_URL",
        "ROADSTEAD_API_KEY",
        "ROADSTEAD_CA",
        "ROADSTEAD_SERVER_DATABASE",
        "AWS_ACCESS_KEY_ID",
    ] {
        command.env_remove(variable);
    }
    command.env("RUST_LOG", "info").stdin(Stdio::null());
    command
}

/// Waits until a condition holds; panics with `what` after a minute.
pub fn wait_until(what: &str, mut condition: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !condition() {
        assert!(begun.elapsed() < Duration::from_secs(60), "waited a minute in vain: {what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// How often something is done: so many times, or as many as `cargo xtask test --long` wants.
pub fn rounds(usual: usize, long: usize) -> usize {
    if std::env::var_os("ROADSTEAD_LONG").is_some() { long } else { usual }
}

/// Whether the tests run as root, which some need.
pub fn is_root() -> bool {
    let root = rustix::process::geteuid().is_root();
    assert!(root || std::env::var_os("CI").is_none(), "CI runs as root");
    root
}

/// The processes whose parent is `pid`.
pub fn children(pid: u32) -> Vec<i32> {
    let listed = std::fs::read_to_string(format!("/proc/{pid}/task/{pid}/children")).unwrap_or_default();
    listed.split_whitespace().map(|child| child.parse().unwrap()).collect()
}

/// Kills a process as nothing else does.
pub fn kill_9(pid: i32) {
    let pid = rustix::process::Pid::from_raw(pid).unwrap();
    let _ = rustix::process::kill_process(pid, rustix::process::Signal::KILL);
}

/// Asks a process to end.
pub fn terminate(pid: u32) {
    let pid = rustix::process::Pid::from_raw(pid as i32).unwrap();
    rustix::process::kill_process(pid, rustix::process::Signal::TERM).unwrap();
}

/// Asks a process to read its files again.
pub fn hang_up(pid: u32) {
    let pid = rustix::process::Pid::from_raw(pid as i32).unwrap();
    rustix::process::kill_process(pid, rustix::process::Signal::HUP).unwrap();
}

/// What a log file says, for panics that want to show it.
pub fn log(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap_or_default()
}
