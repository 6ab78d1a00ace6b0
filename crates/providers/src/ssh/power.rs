//! Restarting a host and powering it off, as root or by sudo.
//!
//! `sudo` never asks: it is given the password that the backend has, on standard input, or none at all.

use super::{
    command_line::CommandLine,
    connection::{Connection, Login, MAX_OUTPUT_BYTES, Output},
};
use crate::{
    driver::Timeouts,
    error::{Error, ErrorKind, Result},
};

/// The exit status with which a shell says that there is no such command.
const NO_SUCH_COMMAND: u32 = 127;

/// What is to become of a host.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Power {
    /// It goes down and comes up again.
    Reboot,
    /// It goes down, and stays there.
    Off,
}

/// In whose name a command is run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Means {
    /// The user is root.
    Root,
    /// By sudo, which is not to ask.
    Sudo,
    /// By sudo, which reads the password from standard input.
    SudoWithPassword,
}

impl Means {
    /// How this user gets to be root.
    pub(crate) fn of(login: &Login) -> Self {
        match (login.user.as_str(), &login.password) {
            ("root", _) => Self::Root,
            (_, Some(_)) => Self::SudoWithPassword,
            _ => Self::Sudo,
        }
    }
}

/// The command.
pub(crate) const fn command(power: Power, means: Means) -> &'static str {
    match (power, means) {
        (Power::Reboot, Means::Root) => "shutdown -r now",
        (Power::Reboot, Means::Sudo) => "sudo -n shutdown -r now",
        (Power::Reboot, Means::SudoWithPassword) => "sudo -S -p '' shutdown -r now",
        (Power::Off, Means::Root) => "shutdown -h now",
        (Power::Off, Means::Sudo) => "sudo -n shutdown -h now",
        (Power::Off, Means::SudoWithPassword) => "sudo -S -p '' shutdown -h now",
    }
}

impl Connection {
    /// Tells the host to go down. One that takes the command and is gone before it can say so, goes down.
    pub(crate) async fn power(&self, power: Power, login: &Login, timeouts: Timeouts) -> Result<()> {
        let means = Means::of(login);
        let input = match &login.password {
            Some(password) if means == Means::SudoWithPassword => format!("{}\n", password.expose()),
            _ => String::new(),
        };
        let command = CommandLine::new(command(power, means));
        let output = self.run(&command, input.as_bytes(), MAX_OUTPUT_BYTES, timeouts).await?;
        outcome(self.host(), power, &output)
    }
}

fn outcome(host: &str, power: Power, output: &Output) -> Result<()> {
    let kind = match output.status {
        Some(0) => return Ok(()),
        None if output.accepted => return Ok(()),
        None => {
            let message = format!("{host} went away before it took the command");
            return Err(Error::new(ErrorKind::Unreachable, message));
        }
        Some(NO_SUCH_COMMAND) => ErrorKind::Failed,
        Some(_) if lacks_rights(&output.stderr) => ErrorKind::MissingRights,
        Some(_) => ErrorKind::Failed,
    };
    let what = match power {
        Power::Reboot => "reboot",
        Power::Off => "power off",
    };
    Err(Error::new(kind, format!("{host} does not {what}: {}", output.complaint())))
}

/// Whether a complaint of `sudo` or `shutdown` is about rights.
fn lacks_rights(stderr: &[u8]) -> bool {
    let text = String::from_utf8_lossy(stderr).to_lowercase();
    [
        "password is required",
        "no password was provided",
        "incorrect password",
        "not allowed",
        "may not run",
        "sudoers",
        "must be root",
        "permission denied",
        "not permitted",
        "access denied",
        "authentication required",
    ]
    .iter()
    .any(|phrase| text.contains(phrase))
}
