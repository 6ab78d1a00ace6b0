//! `roadstead run` and `roadstead commands`: something run on many machines at once.

use std::{
    collections::HashMap,
    fs,
    path::{Path, PathBuf},
    time::Duration,
};

use clap::{Args, Subcommand};
use roadstead_client::api::{
    PageQuery,
    command::{
        Command, CommandList, CommandMachine, CommandMachineList, CommandOutput, CommandQuery, CommandState,
        DEFAULT_PARALLEL, NewCommand, OutputStream,
    },
    id::{CommandId, MachineId},
    machine::MachineQuery,
};
use serde_json::json;

use crate::{
    backend,
    error::{Error, Exit, Result},
    human,
    list::{self, ListArgs},
    machine::Which,
    output::{self, Output},
    session::Session,
    shutdown::Shutdown,
    table::{self, Row},
};

/// What to run, and where.
#[derive(Args, Debug)]
pub struct RunArgs {
    /// A machine to run it on, by id or name; may be given often.
    #[arg(long = "machine", short = 'm', value_name = "MACHINE")]
    machines: Vec<String>,
    /// Also on those with this in their name, ids, addresses or tags.
    #[arg(long)]
    search: Option<String>,
    /// Also on those with this tag; with --search and --backend only on those that fit all.
    #[arg(long)]
    tag: Option<String>,
    /// Also on those of this backend, by id or title.
    #[arg(long)]
    backend: Option<String>,
    /// On how many machines at once.
    #[arg(long, value_name = "N", default_value_t = DEFAULT_PARALLEL)]
    parallel: u32,
    /// How long it may run on each, such as 90s, 10m or 2h.
    #[arg(long, value_name = "D", default_value = "10m", value_parser = human::parse_duration)]
    timeout: Duration,
    /// A file with a script to run: of a POSIX shell, or one that begins with #!; - for standard input.
    #[arg(long, value_name = "FILE", conflicts_with = "command", required_unless_present = "command")]
    script: Option<PathBuf>,
    /// Return once it is ordered.
    #[arg(long)]
    detach: bool,
    /// Show which machines it would run on, and run nothing.
    #[arg(long)]
    dry_run: bool,
    /// The command: one word is read by a shell, several are a program and its arguments.
    #[arg(last = true)]
    command: Vec<String>,
}

/// The verbs.
#[derive(Subcommand, Debug)]
pub enum CommandVerb {
    /// List the commands that were run, newest first.
    #[command(after_help = "Example:\n  roadstead commands list --state failed")]
    List {
        /// Only those in this state: queued, running, completed, failed or cancelled.
        #[arg(long)]
        state: Option<CommandState>,
        #[command(flatten)]
        part: ListArgs,
    },
    /// Show a command.
    #[command(after_help = "Example:\n  roadstead commands show 7")]
    Show {
        /// The command's id.
        command: CommandId,
    },
    /// List the machines of a command, each with how it ended there.
    #[command(after_help = "Example:\n  roadstead commands machines 7 --all")]
    Machines {
        /// The command's id.
        command: CommandId,
        #[command(flatten)]
        part: ListArgs,
    },
    /// Print what a command printed, and go on until it has ended.
    #[command(after_help = "Example:\n  roadstead commands log 7 --machine web-1")]
    Log {
        /// The command's id.
        command: CommandId,
        /// Only what this machine printed, by id or name.
        #[arg(long, short = 'm')]
        machine: Option<String>,
    },
    /// End a command on all machines.
    #[command(after_help = "Example:\n  roadstead commands cancel 7")]
    Cancel {
        /// The command's id.
        command: CommandId,
    },
}

impl Row for Command {
    const COLUMNS: &'static [&'static str] =
        &["id", "script", "state", "ok", "failed", "total", "by", "created"];
    fn cells(&self) -> Vec<String> {
        vec![
            self.id.to_string(),
            self.script.lines().next().unwrap_or_default().chars().take(40).collect(),
            self.state.to_string(),
            self.completed.to_string(),
            self.failed.to_string(),
            self.total.to_string(),
            self.created_by.clone(),
            table::age(Some(self.created_at)),
        ]
    }
}

impl Row for CommandMachine {
    const COLUMNS: &'static [&'static str] = &["machine", "name", "state", "exit", "reason"];
    fn cells(&self) -> Vec<String> {
        vec![
            self.machine_id.to_string(),
            self.machine_name.clone(),
            self.state.to_string(),
            self.exit_code.map_or_else(|| "-".to_owned(), |code| code.to_string()),
            self.reason.clone().unwrap_or_else(|| "-".to_owned()),
        ]
    }
}

/// Carries out a verb.
pub async fn run(verb: CommandVerb, session: &Session) -> Result<Exit> {
    match verb {
        CommandVerb::List { state, part } => {
            let query = CommandQuery { state, ..CommandQuery::default() };
            list::print::<CommandList, _>(session, (), query, part).await
        }
        CommandVerb::Show { command } => {
            session.output.object(&session.client.get_command(command).await?)?;
            Ok(Exit::Done)
        }
        CommandVerb::Machines { command, part } => {
            list::print::<CommandMachineList, _>(session, command, PageQuery::default(), part).await
        }
        CommandVerb::Log { command, machine } => {
            let only = match machine {
                Some(machine) => Some(Which::named(machine).find(session).await?.id.clone()),
                None => None,
            };
            follow(session, command, only.as_ref()).await
        }
        CommandVerb::Cancel { command } => {
            session.output.object(&session.client.cancel_command(command).await?)?;
            Ok(Exit::Done)
        }
    }
}

/// Runs a command, and shows what it prints until it has ended.
pub async fn order(session: &Session, args: RunArgs) -> Result<Exit> {
    let new = described(session, &args).await?;
    if args.dry_run {
        return dry_run(session, &new).await;
    }
    // Listened for before there is anything to cancel, so that no moment is left in which Ctrl-C only ends the watching.
    let mut shutdown = Shutdown::by_signal()?;
    let command = session.client.run_command(&new).await?;
    if args.detach {
        session.output.object(&command)?;
        return Ok(Exit::Done);
    }
    let id = command.id;
    let followed = follow(session, id, None);
    tokio::pin!(followed);
    tokio::select! {
        exit = &mut followed => return exit,
        () = shutdown.requested() => {}
    }
    session.output.say("Cancelling on all machines.");
    session.client.cancel_command(id).await?;
    followed.await
}

async fn described(session: &Session, args: &RunArgs) -> Result<NewCommand> {
    let mut machine_ids = Vec::new();
    for machine in &args.machines {
        machine_ids.push(Which::named(machine.clone()).find(session).await?.id.clone());
    }
    let backend_id = match &args.backend {
        Some(text) => Some(backend::find(session, text).await?.id.clone()),
        None => None,
    };
    let script = match &args.script {
        Some(path) => read(path)?,
        None => as_script(&args.command)?,
    };
    let timeout_seconds = u32::try_from(args.timeout.as_secs()).ok();
    let (search, tag, parallel) = (args.search.clone(), args.tag.clone(), Some(args.parallel));
    Ok(NewCommand { script, machine_ids, search, tag, backend_id, parallel, timeout_seconds })
}

fn read(path: &Path) -> Result<String> {
    let text = match path.to_str() {
        Some("-") => std::io::read_to_string(std::io::stdin()),
        _ => fs::read_to_string(path),
    };
    text.map_err(|e| Error::local(format!("cannot read {}", path.display())).caused_by(e))
}

/// One word is a line for the shell. Several are words already, so each is quoted to stay one.
fn as_script(words: &[String]) -> Result<String> {
    match words {
        [] => Err(Error::usage("say what to run: -- COMMAND, or --script FILE")),
        [line] => Ok(line.clone()),
        words => Ok(words.iter().map(|word| quoted(word)).collect::<Vec<_>>().join(" ")),
    }
}

fn quoted(word: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_./:,+@%=".contains(c);
    match word {
        "" => "''".to_owned(),
        word if word.chars().all(is_plain) => word.to_owned(),
        word => format!("'{}'", word.replace('\'', "'\\''")),
    }
}

async fn dry_run(session: &Session, new: &NewCommand) -> Result<Exit> {
    let mut machines = Vec::new();
    for id in &new.machine_ids {
        let machine = session.client.get_machine(id).await?;
        machines.push((machine.id.clone(), machine.name.clone()));
    }
    if new.search.is_some() || new.tag.is_some() || new.backend_id.is_some() {
        let query = MachineQuery {
            search: new.search.clone(),
            tag: new.tag.clone(),
            backend_id: new.backend_id.clone(),
            ..MachineQuery::default()
        };
        let found = session.client.find_machines(query).await?;
        machines.extend(found.into_iter().map(|machine| (machine.id.clone(), machine.name.clone())));
    }
    machines.sort();
    machines.dedup();
    let shown: Vec<_> = machines.iter().map(|(id, name)| json!({"id": id, "name": name})).collect();
    session.output.object(&json!({"script": new.script, "machines": shown}))?;
    Ok(Exit::Done)
}

/// Shows what a command prints until it has ended, and how that was.
async fn follow(session: &Session, id: CommandId, only: Option<&MachineId>) -> Result<Exit> {
    let names: HashMap<MachineId, String> = session
        .client
        .command_machines(id)
        .await?
        .into_iter()
        .map(|machine| (machine.machine_id, machine.machine_name))
        .collect();
    let mut shown = Shown::new(session.output, names);
    let command = session
        .client
        .follow_command(id, |piece| {
            if only.is_none_or(|only| *only == piece.machine_id) {
                shown.take(piece);
            }
        })
        .await?;
    shown.finish();
    let mut machines = session.client.command_machines(id).await?;
    machines.retain(|machine| only.is_none_or(|only| *only == machine.machine_id));
    match shown.is_live {
        true => tell(session, &command, &machines),
        false => session.output.object(&shown.document(&command, &machines))?,
    }
    let is_well = machines.iter().all(|machine| machine.state == CommandState::Completed);
    Ok(if is_well { Exit::Done } else { Exit::NotDone })
}

fn tell(session: &Session, command: &Command, machines: &[CommandMachine]) {
    for machine in machines.iter().filter(|machine| machine.state != CommandState::Completed) {
        let how = match (&machine.reason, machine.exit_code) {
            (Some(reason), _) => format!(": {reason}"),
            (None, Some(code)) => format!(" with status {code}"),
            (None, None) => String::new(),
        };
        session.output.say(&format!("{}: {}{how}", machine.machine_name, machine.state));
    }
    session.output.say(&format!(
        "Command {}: {} of {} machines ended well.",
        command.id, command.completed, command.total
    ));
}

/// What was printed: shown line by line with the machine's name before it, or kept for the document at the end.
struct Shown {
    output: Output,
    is_live: bool,
    names: HashMap<MachineId, String>,
    begun: HashMap<(MachineId, bool), String>,
}

impl Shown {
    fn new(output: Output, names: HashMap<MachineId, String>) -> Self {
        Self { output, is_live: output.is_for_people(), names, begun: HashMap::new() }
    }

    fn take(&mut self, piece: &CommandOutput) {
        let is_error = piece.stream == OutputStream::Stderr;
        let begun = self.begun.entry((piece.machine_id.clone(), is_error)).or_default();
        begun.push_str(&piece.text);
        if !self.is_live {
            return;
        }
        let Some(end) = begun.rfind('\n') else { return };
        let rest = begun.split_off(end + 1);
        let lines = std::mem::replace(begun, rest);
        self.show(&piece.machine_id, is_error, &lines);
    }

    /// Shows lines that were not ended.
    fn finish(&mut self) {
        if self.is_live {
            for ((machine, is_error), text) in std::mem::take(&mut self.begun) {
                self.show(&machine, is_error, &text);
            }
        }
    }

    fn show(&self, machine: &MachineId, is_error: bool, text: &str) {
        let name = self.names.get(machine).map_or(machine.0.as_str(), String::as_str);
        for line in text.lines() {
            // Terminals obey control characters, and a machine may print anything.
            let line: String =
                line.chars().map(|c| if c.is_control() && c != '\t' { '\u{fffd}' } else { c }).collect();
            let line = format!("{name} | {line}");
            match is_error {
                true => output::to_stderr(&line),
                // Whoever reads this may have stopped; how the command ends is still told.
                false => drop(self.output.bytes(format!("{line}\n").as_bytes())),
            }
        }
    }

    /// The command with its machines and what each printed.
    fn document(&self, command: &Command, machines: &[CommandMachine]) -> serde_json::Value {
        let text = |machine: &CommandMachine, is_error| {
            self.begun.get(&(machine.machine_id.clone(), is_error)).cloned().unwrap_or_default()
        };
        let machines = machines.iter().map(|machine| {
            let mut shown = json!(machine);
            shown["stdout"] = text(machine, false).into();
            shown["stderr"] = text(machine, true).into();
            shown
        });
        let mut document = json!(command);
        document["machines"] = machines.collect();
        document
    }
}

#[cfg(test)]
mod tests {
    use super::{as_script, quoted};

    #[test]
    fn several_words_stay_words() {
        let words =
            |words: &[&str]| as_script(&words.iter().map(|&word| word.to_owned()).collect::<Vec<_>>());
        assert_eq!(words(&["uptime | cat"]).unwrap(), "uptime | cat");
        assert_eq!(words(&["ls", "-l", "a b", "it's", ""]).unwrap(), r"ls -l 'a b' 'it'\''s' ''");
        assert!(words(&[]).is_err());
        assert_eq!(quoted("$HOME"), "'$HOME'");
    }
}
