//! Commands on machines: ordered, watched and ended here; `jobs/commander.rs` runs them.

use std::time::Duration;

use roadstead_api::{
    Page, PageQuery,
    command::{
        Command, CommandCancel, CommandCreate, CommandList, CommandMachine, CommandMachineList,
        CommandOutput, CommandOutputList, CommandOutputQuery, CommandQuery, CommandShow, DEFAULT_PARALLEL,
        DEFAULT_TIMEOUT_SECONDS, MAX_SCRIPT_BYTES, MAX_WAIT_SECONDS, NewCommand,
    },
    id::{CommandId, MachineId},
    machine::{Machine, MachineQuery},
};
use tokio::time::Instant;

use super::{Context, machine, page};
use crate::{
    Error, Result,
    db::{
        self,
        command::{CommandRow, NewCommandRow},
        row::timestamp,
    },
    random,
    secrets::Key,
};

/// How many machines one command runs on.
const MAX_MACHINES: usize = 1000;
/// On how many machines at once.
const MAX_PARALLEL: u32 = 200;
/// How long on each, in seconds.
const MAX_TIMEOUT_SECONDS: u32 = 24 * 3600;
/// How long a command is kept after its end, in milliseconds.
const KEPT_MS: i64 = 30 * 24 * 3600 * 1000;
/// How often somebody who waits looks for output that another server wrote down.
const LOOK: Duration = Duration::from_millis(500);

/// Where what belongs to a command is sealed to.
pub fn place(token: &str) -> String {
    format!("commands/{token}")
}

/// Runs a command on machines.
pub async fn create(context: &Context, new: NewCommand) -> Result<Command> {
    context.authorize::<CommandCreate>()?;
    let parallel = within("parallel", new.parallel, DEFAULT_PARALLEL, MAX_PARALLEL)?;
    let timeout_seconds =
        within("timeout_seconds", new.timeout_seconds, DEFAULT_TIMEOUT_SECONDS, MAX_TIMEOUT_SECONDS)?;
    require_script(&new.script)?;
    let machines = picked(context, &new).await?;
    let token = random::id()?;
    let key = context.account_key(context.account()).await?;
    let row = NewCommandRow {
        account_id: context.account(),
        token: &token,
        sealed_script: &key.seal(&place(&token), &new.script)?,
        parallel,
        timeout_seconds,
        machines: &machines,
        created_by: &context.user.username,
        now_ms: context.now_ms(),
    };
    let mut change = context.change::<CommandCreate>().await?;
    db::command::forget(&mut change, context.account(), context.now_ms() - KEPT_MS).await?;
    let id = db::command::insert(&mut change, &row).await?;
    change.commit(format!("{id}: {}", names(&machines))).await?;
    context.live.command.notify_one();
    get(context, id).await
}

/// Lists commands.
pub async fn list(context: &Context, query: CommandQuery) -> Result<Page<Command>> {
    context.authorize::<CommandList>()?;
    let limit = page::limit(query.limit)?;
    let before = page::number(query.cursor.as_deref(), i64::MAX)?;
    let mut read = context.db.read().await?;
    let rows = db::command::list(&mut read, context.account(), &query, before, page::fetch(limit)).await?;
    drop(read);
    let Page { items, next } = page::page(rows, limit, |row| row.command.id.to_string());
    let key = context.account_key(context.account()).await?;
    Ok(Page { items: items.into_iter().map(|row| opened(row, &key)).collect::<Result<_>>()?, next })
}

/// Shows one command.
pub async fn show(context: &Context, id: CommandId) -> Result<Command> {
    context.authorize::<CommandShow>()?;
    get(context, id).await
}

/// Lists the machines of a command.
pub async fn machines(context: &Context, id: CommandId, query: PageQuery) -> Result<Page<CommandMachine>> {
    context.authorize::<CommandMachineList>()?;
    let limit = page::limit(query.limit)?;
    let after = page::number(query.cursor.as_deref(), 0)?;
    row(context, id).await?;
    let mut read = context.db.read().await?;
    let rows = db::command::machines(&mut read, id, after, page::fetch(limit)).await?;
    let Page { items, next } = page::page(rows, limit, |(number, _)| number.to_string());
    Ok(Page { items: items.into_iter().map(|(_, machine)| machine).collect(), next })
}

/// Lists what a command printed; waits for more where that is asked for.
pub async fn output(
    context: &Context,
    id: CommandId,
    query: CommandOutputQuery,
) -> Result<Page<CommandOutput>> {
    context.authorize::<CommandOutputList>()?;
    let limit = page::limit(query.limit)?;
    let after = page::number(query.cursor.as_deref(), 0)?;
    let wait = query.wait_seconds.unwrap_or(0);
    if wait > MAX_WAIT_SECONDS {
        return Err(Error::invalid(format!("wait_seconds goes up to {MAX_WAIT_SECONDS}.")));
    }
    let until = Instant::now() + Duration::from_secs(u64::from(wait));
    let (row, pieces) = loop {
        // Its state is read first: what is printed before its end is then seen.
        let row = row(context, id).await?;
        let mut read = context.db.read().await?;
        let pieces = db::command::output(&mut read, id, &query, after, page::fetch(limit)).await?;
        drop(read);
        let is_over = row.command.state.has_ended() || Instant::now() >= until;
        if !pieces.is_empty() || is_over {
            break (row, pieces);
        }
        tokio::select! {
            () = context.ending() => break (row, pieces),
            () = context.live.command_output.notified() => {}
            () = tokio::time::sleep(LOOK) => {}
        }
    };
    let Page { items, next } = page::page(pieces, limit, |piece| piece.number.to_string());
    let (key, place) = (context.account_key(context.account()).await?, place(&row.token));
    let opened = items.into_iter().map(|piece| {
        Ok(CommandOutput {
            number: piece.number,
            machine_id: piece.machine_id,
            stream: piece.stream,
            text: key.open(&place, &piece.sealed_text)?,
            at: timestamp(piece.at_ms)?,
        })
    });
    Ok(Page { items: opened.collect::<Result<_>>()?, next })
}

/// Ends a command on all machines.
pub async fn cancel(context: &Context, id: CommandId) -> Result<Command> {
    context.authorize::<CommandCancel>()?;
    row(context, id).await?;
    let mut change = context.change::<CommandCancel>().await?;
    if !db::command::cancel(&mut change, context.account(), id).await? {
        return Err(Error::conflict(format!("The command {id} has ended.")));
    }
    change.commit(id).await?;
    context.live.command.notify_one();
    get(context, id).await
}

async fn get(context: &Context, id: CommandId) -> Result<Command> {
    opened(row(context, id).await?, &context.account_key(context.account()).await?)
}

async fn row(context: &Context, id: CommandId) -> Result<CommandRow> {
    let found = db::command::get(&mut *context.db.read().await?, context.account(), id).await?;
    found.ok_or_else(|| Error::not_found(format!("There is no command {id}.")))
}

/// The command with its script.
fn opened(row: CommandRow, key: &Key) -> Result<Command> {
    let script = key.open(&place(&row.token), &row.sealed_script)?;
    Ok(Command { script, ..row.command })
}

fn within(field: &str, given: Option<u32>, usual: u32, most: u32) -> Result<u32> {
    match given.unwrap_or(usual) {
        value if (1..=most).contains(&value) => Ok(value),
        _ => Err(Error::invalid(format!("{field} goes from 1 to {most}."))),
    }
}

fn require_script(script: &str) -> Result<()> {
    if script.trim().is_empty() {
        return Err(Error::invalid("script is empty; say what to run."));
    }
    if script.len() > MAX_SCRIPT_BYTES || script.contains('\0') {
        return Err(Error::invalid(format!("script takes up to {MAX_SCRIPT_BYTES} bytes of text.")));
    }
    Ok(())
}

/// The machines that are named or picked, each once.
async fn picked(context: &Context, new: &NewCommand) -> Result<Vec<(MachineId, String)>> {
    let mut machines: Vec<(MachineId, String)> = Vec::new();
    let mut add = |machine: Machine| {
        if !machines.iter().any(|(id, _)| *id == machine.id) {
            machines.push((machine.id, machine.name));
        }
    };
    if new.machine_ids.len() > MAX_MACHINES {
        return Err(too_many());
    }
    for id in &new.machine_ids {
        add(machine::get(context, id).await?);
    }
    if new.search.is_some() || new.tag.is_some() || new.backend_id.is_some() {
        let query = MachineQuery {
            search: new.search.clone(),
            tag: new.tag.clone(),
            backend_id: new.backend_id.clone(),
            ..MachineQuery::default()
        };
        let mut read = context.db.read().await?;
        let found =
            db::machine::list(&mut read, context.account(), &query, 0, page::fetch(MAX_MACHINES)).await?;
        found.into_iter().for_each(|(_, machine)| add(machine));
    }
    match machines.len() {
        0 => Err(Error::invalid("No machine was named or picked; `roadstead machines list` shows them.")),
        1..=MAX_MACHINES => Ok(machines),
        _ => Err(too_many()),
    }
}

fn too_many() -> Error {
    Error::invalid(format!("A command runs on up to {MAX_MACHINES} machines; pick fewer."))
}

/// The machines as the audit log names them.
fn names(machines: &[(MachineId, String)]) -> String {
    const SHOWN: usize = 10;
    let mut text = machines.iter().take(SHOWN).map(|(_, name)| name.as_str()).collect::<Vec<_>>().join(", ");
    if machines.len() > SHOWN {
        text.push_str(&format!(" and {} more", machines.len() - SHOWN));
    }
    text
}
