//! Putting an agent on a machine: what the shell there is told, and what its answers mean.
//!
//! One script has a function for each step (`install.sh`). A job calls them one by one over a [`RemoteShell`]; where the
//! server cannot log in, the whole of it is a command for whoever can, or user data for cloud-init.

use std::time::Duration;

use base64::{Engine, prelude::BASE64_STANDARD};
use roadstead_api::protection::{USUAL_FOLDER, USUAL_PROGRAM};
use serde::Deserialize;

use crate::{
    Error, Result,
    program::{ARCHITECTURE, AgentProgram, Facts},
    remote_shell::{Answer, RemoteShell, quoted},
};

const FUNCTIONS: &str = include_str!("install.sh");
const UNIT: &str = include_str!("../../../../packaging/roadstead-agent.service");
/// Where the unit expects the program, and the agent's folder.
const UNIT_PROGRAM: &str = "/usr/bin/roadstead";

/// How long a step may take that waits for nobody.
const STEP: Duration = Duration::from_secs(60);
/// How long enrolment may take: the agent makes a key and talks to the server.
const ENROL_WITHIN: Duration = Duration::from_secs(180);

/// Where program and agent are put.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// The program.
    pub program: String,
    /// The agent's own folder.
    pub folder: String,
    alone: bool,
}

impl Place {
    /// In this folder, with nothing beside it; else where such things are.
    pub fn of(folder: Option<&str>) -> Self {
        match folder.map(|folder| folder.trim_end_matches('/')) {
            Some(folder) => Self {
                program: format!("{folder}/roadstead"),
                folder: format!("{folder}/agent"),
                alone: true,
            },
            None => Self { program: USUAL_PROGRAM.to_owned(), folder: USUAL_FOLDER.to_owned(), alone: false },
        }
    }
}

/// An agent to be put on a machine.
#[derive(Clone, Debug)]
pub struct Installer {
    /// Where.
    pub place: Place,
    /// What the server is called.
    pub server: String,
    /// What the agent is called; as its host where empty.
    pub name: String,
    /// What the program is.
    pub program: Facts,
}

/// What is on a machine.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Seen {
    system: String,
    architecture: String,
    user: String,
    uid: String,
    sha256: String,
    missing: Vec<String>,
    /// Whether an agent was enrolled there.
    pub is_enrolled: bool,
    /// Those of the paths that are there.
    pub there: Vec<String>,
}

/// Who the agent on a machine is.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Identity {
    /// The server that it belongs to.
    pub server: String,
    /// The fingerprint of its key.
    pub fingerprint: String,
}

impl Seen {
    fn read(output: &str) -> Self {
        let mut seen = Self::default();
        for (name, value) in output.lines().filter_map(|line| line.split_once('=')) {
            let value = value.to_owned();
            match name {
                "system" => seen.system = value,
                "architecture" => seen.architecture = value,
                "user" => seen.user = value,
                "uid" => seen.uid = value,
                "sha256" => seen.sha256 = value,
                "missing" => seen.missing.push(value),
                "enrolled" => seen.is_enrolled = true,
                "there" => seen.there.push(value),
                _ => {}
            }
        }
        seen
    }

    /// Refuses a machine that an agent cannot run on.
    fn check(&self, place: &Place) -> Result<()> {
        if self.system != "Linux" || self.architecture != ARCHITECTURE {
            return Err(Error::conflict(format!(
                "The machine is {:.50} on {:.50}; this server has a program for Linux on {ARCHITECTURE}.",
                self.system, self.architecture
            )));
        }
        if !self.missing.is_empty() {
            let missing = self.missing.join(", ");
            return Err(Error::conflict(format!("The machine has no {missing}; install coreutils there.")));
        }
        if self.uid != "0" && !place.alone {
            return Err(Error::conflict(format!(
                "{:.50} is not root there, and sudo asks for a password: allow it without one, associate a key with \
                 root's login, or name a folder (--folder) for an agent that backs up what {:.50} can read.",
                self.user, self.user
            )));
        }
        Ok(())
    }
}

impl Installer {
    /// Looks what is on the machine, and which of these paths; refuses one that an agent cannot run on.
    pub async fn look(&self, shell: &mut RemoteShell, paths: &[String]) -> Result<Seen> {
        let paths: Vec<String> = paths.iter().map(|path| quoted(path)).collect();
        let answer = shell.run(&self.script(&format!("look {}", paths.join(" "))), STEP).await?;
        let seen = Seen::read(&answer.output);
        seen.check(&self.place)?;
        Ok(seen)
    }

    /// Whether the machine has another program than this server's, or none.
    pub fn wants_program(&self, seen: &Seen) -> bool {
        seen.sha256 != self.program.sha256
    }

    /// Sends the program there; `told` hears how much of it was sent.
    pub async fn send_program(
        &self,
        shell: &mut RemoteShell,
        program: &AgentProgram,
        told: impl Fn(u64) + Send,
    ) -> Result<()> {
        self.step(shell, "make_folders", "The folders of the agent cannot be made").await?;
        let path = format!("{}.new", self.place.program);
        let sent = shell.send_file(program.path(), (self.program.size, &path), told).await?;
        done(sent, "The program could not be written")?;
        self.step(shell, "place", "The program cannot be used").await.map(drop)
    }

    /// Who the agent there is.
    pub async fn identity(&self, shell: &mut RemoteShell) -> Result<Identity> {
        let call = "\"$program\" agent show --data-dir \"$folder\" -o json";
        let said = self.step(shell, call, "The agent there does not say who it is").await?;
        serde_json::from_str(&said)
            .map_err(|e| Error::conflict("The agent there does not say who it is.").caused_by(e))
    }

    /// Makes the agent known to the server.
    pub async fn enrol(&self, shell: &mut RemoteShell, token: &str) -> Result<()> {
        let answer = shell.run(&self.script(&given("enrol", token)), ENROL_WITHIN).await?;
        done(answer, "The agent could not be enrolled").map(drop)
    }

    /// Forgets an agent that its server does not know any more.
    pub async fn forget(&self, shell: &mut RemoteShell) -> Result<()> {
        self.step(shell, "forget", "The agent that was there cannot be put aside").await.map(drop)
    }

    /// Starts the agent; anew where it has changed.
    pub async fn start(&self, shell: &mut RemoteShell, has_changed: bool) -> Result<()> {
        let call = if has_changed { "start yes" } else { "start no" };
        self.step(shell, call, "The agent could not be started").await.map(drop)
    }

    /// What the agent last said, for whoever wants to know why it does not come.
    pub async fn last_words(&self, shell: &mut RemoteShell) -> Result<String> {
        Ok(shell.run(&self.script("last_words"), STEP).await?.last_words())
    }

    /// The whole of it as a script for cloud-init, or whoever can run it there.
    pub fn whole(&self, token: &str) -> String {
        format!("#!/bin/sh\n{}", self.script(&given("install", token)))
    }

    /// The same as a command in one line, to be run as root.
    pub fn in_one_line(&self, token: &str) -> String {
        format!("echo {} | base64 -d | sh", BASE64_STANDARD.encode(self.whole(token)))
    }

    async fn step(&self, shell: &mut RemoteShell, call: &str, failed: &str) -> Result<String> {
        done(shell.run(&self.script(call), STEP).await?, failed)
    }

    /// A script that calls one of the functions.
    fn script(&self, call: &str) -> String {
        let Place { program, folder, alone } = &self.place;
        let values = [
            ("program", program.as_str()),
            ("folder", folder),
            ("alone", if *alone { "yes" } else { "" }),
            ("architecture", ARCHITECTURE),
            ("sha256", &self.program.sha256),
            ("server", &self.server),
            ("name", &self.name),
        ];
        let mut script = String::new();
        for (name, value) in values {
            script += &format!("{name}={}\n", quoted(value));
        }
        let unit = UNIT.replace(UNIT_PROGRAM, program).replace(USUAL_FOLDER, folder);
        script += FUNCTIONS;
        script += &format!("unit() {{\n    cat <<'END_OF_UNIT'\n{unit}END_OF_UNIT\n}}\n{call}\n");
        script
    }
}

/// A call with a token as its input.
fn given(call: &str, token: &str) -> String {
    format!("{call} <<'END_OF_TOKEN'\n{token}\nEND_OF_TOKEN")
}

fn done(answer: Answer, failed: &str) -> Result<String> {
    match answer.status {
        0 => Ok(answer.output),
        status => {
            let said = answer.last_words();
            let said = if said.is_empty() { format!("status {status}") } else { said };
            Err(Error::conflict(format!("{failed}: {said}")))
        }
    }
}

#[cfg(test)]
mod tests;
