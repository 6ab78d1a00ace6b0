//! Commands: a row each, one for each of its machines, and one for each piece of output.

use roadstead_api::{
    command::{Command, CommandMachine, CommandOutputQuery, CommandQuery, CommandState, OutputStream},
    id::{AccountId, CommandId, MachineId},
};
use sqlx::{AssertSqlSafe, Executor, any::AnyRow, query};

use super::{Connection, filter::Filter, row::Columns};
use crate::Result;

/// A command to be run.
#[derive(Debug)]
pub struct NewCommandRow<'a> {
    /// The account it belongs to.
    pub account_id: AccountId,
    /// Its token, which no other command has.
    pub token: &'a str,
    /// What is run, sealed.
    pub sealed_script: &'a str,
    /// On how many machines at once.
    pub parallel: u32,
    /// How long on each, in seconds.
    pub timeout_seconds: u32,
    /// The machines, each with its name.
    pub machines: &'a [(MachineId, String)],
    /// Who asked for it.
    pub created_by: &'a str,
    /// Now.
    pub now_ms: i64,
}

/// A command with what only the server knows of it. Its script is still to be opened.
#[derive(Debug)]
pub struct CommandRow {
    /// The account it belongs to.
    pub account_id: AccountId,
    /// As the API shows it, but for the script.
    pub command: Command,
    /// Its token.
    pub token: String,
    /// What is run, sealed.
    pub sealed_script: String,
    /// When somebody last worked on it.
    pub alive_ms: i64,
}

/// A piece of output as it is kept.
#[derive(Debug)]
pub struct OutputRow {
    /// Its number.
    pub number: i64,
    /// The machine that printed it.
    pub machine_id: MachineId,
    /// Where it was printed.
    pub stream: OutputStream,
    /// What was printed, sealed.
    pub sealed_text: String,
    /// When.
    pub at_ms: i64,
}

/// How a command ended on a machine.
#[derive(Debug)]
pub struct Ended<'a> {
    /// Where it stands.
    pub state: CommandState,
    /// The status that it ended with.
    pub exit_code: Option<u32>,
    /// Why it failed.
    pub reason: Option<&'a str>,
    /// How much it printed.
    pub output_bytes: u64,
}

const SELECT: &str = "SELECT c.*,
    (SELECT COUNT(*) FROM command_machines m WHERE m.command_id = c.id AND m.state = 'completed') AS well,
    (SELECT COUNT(*) FROM command_machines m WHERE m.command_id = c.id
     AND m.state IN ('failed', 'timed_out', 'cancelled')) AS badly
    FROM commands c";

/// Makes a queued command.
pub async fn insert(db: &mut Connection, new: &NewCommandRow<'_>) -> Result<CommandId> {
    let insert = query(
        "INSERT INTO commands (account_id, state, token, sealed_script, parallel, timeout_seconds, total, cancelled,
                               created_by, created_ms, alive_ms)
         VALUES ($1, 'queued', $2, $3, $4, $5, $6, 0, $7, $8, $8) RETURNING id",
    )
    .bind(new.account_id.0)
    .bind(new.token)
    .bind(new.sealed_script)
    .bind(i64::from(new.parallel))
    .bind(i64::from(new.timeout_seconds))
    .bind(new.machines.len() as i64)
    .bind(new.created_by)
    .bind(new.now_ms);
    let id = CommandId(db.fetch_one(insert).await?.integer("id")?);
    for (machine, name) in new.machines {
        let insert = query(
            "INSERT INTO command_machines (command_id, machine_id, machine_name, state, output_bytes)
             VALUES ($1, $2, $3, 'queued', 0)",
        );
        db.execute(insert.bind(id.0).bind(machine.0.as_str()).bind(name.as_str())).await?;
    }
    Ok(id)
}

/// Takes away an account's commands that ended before this time.
pub async fn forget(db: &mut Connection, account: AccountId, before_ms: i64) -> Result<()> {
    let delete = query("DELETE FROM commands WHERE account_id = $1 AND completed_ms < $2");
    db.execute(delete.bind(account.0).bind(before_ms)).await?;
    Ok(())
}

/// An account's commands below `before`, newest first.
pub async fn list(
    db: &mut Connection,
    account: AccountId,
    filter: &CommandQuery,
    before: i64,
    limit: i64,
) -> Result<Vec<CommandRow>> {
    let filter = Filter::from(4).and("c.state = {}", filter.state.map(|state| state.as_str()));
    let text =
        format!("{SELECT} WHERE c.account_id = $1 AND c.id < $2{} ORDER BY c.id DESC LIMIT $3", filter.sql());
    let select = query(AssertSqlSafe(text)).bind(account.0).bind(before).bind(limit);
    db.fetch_all(filter.bind(select)).await?.iter().map(command).collect()
}

/// An account's command.
pub async fn get(db: &mut Connection, account: AccountId, id: CommandId) -> Result<Option<CommandRow>> {
    let text = format!("{SELECT} WHERE c.account_id = $1 AND c.id = $2");
    let select = query(AssertSqlSafe(text)).bind(account.0).bind(id.0);
    db.fetch_optional(select).await?.as_ref().map(command).transpose()
}

/// Every command that has not ended, oldest first.
pub async fn open(db: &mut Connection, limit: i64) -> Result<Vec<CommandRow>> {
    let text = format!("{SELECT} WHERE c.state IN ('queued', 'running') ORDER BY c.id LIMIT $1");
    db.fetch_all(query(AssertSqlSafe(text)).bind(limit)).await?.iter().map(command).collect()
}

/// Takes on a queued command; says whether nobody else has.
pub async fn claim(db: &mut Connection, id: CommandId, now_ms: i64) -> Result<bool> {
    let update = query(
        "UPDATE commands SET state = 'running', started_ms = $2, alive_ms = $2 WHERE id = $1 AND state = 'queued'",
    );
    Ok(db.execute(update.bind(id.0).bind(now_ms)).await?.rows_affected() > 0)
}

/// Says that somebody still works on a command.
pub async fn keep_alive(db: &mut Connection, id: CommandId, now_ms: i64) -> Result<()> {
    let update = query("UPDATE commands SET alive_ms = $2 WHERE id = $1 AND state = 'running'");
    db.execute(update.bind(id.0).bind(now_ms)).await?;
    Ok(())
}

/// Asks for a command's end; says whether it has not ended yet.
pub async fn cancel(db: &mut Connection, account: AccountId, id: CommandId) -> Result<bool> {
    let update = query(
        "UPDATE commands SET cancelled = 1 WHERE account_id = $1 AND id = $2 AND state IN ('queued', 'running')",
    );
    Ok(db.execute(update.bind(account.0).bind(id.0)).await?.rows_affected() > 0)
}

/// Whether a command's end was asked for.
pub async fn is_cancelled(db: &mut Connection, id: CommandId) -> Result<bool> {
    let select = query("SELECT cancelled FROM commands WHERE id = $1").bind(id.0);
    db.fetch_optional(select).await?.map_or(Ok(true), |row| row.flag("cancelled"))
}

/// Ends a command, unless it has ended.
pub async fn end(
    db: &mut Connection,
    id: CommandId,
    state: CommandState,
    reason: Option<&str>,
    now_ms: i64,
) -> Result<bool> {
    let update = query(
        "UPDATE commands SET state = $2, reason = $3, completed_ms = $4
         WHERE id = $1 AND state IN ('queued', 'running')",
    )
    .bind(id.0)
    .bind(state.as_str())
    .bind(reason)
    .bind(now_ms);
    Ok(db.execute(update).await?.rows_affected() > 0)
}

/// A command's machines above the number `after`, each with its number.
pub async fn machines(
    db: &mut Connection,
    id: CommandId,
    after: i64,
    limit: i64,
) -> Result<Vec<(i64, CommandMachine)>> {
    let select = query(
        "SELECT * FROM command_machines WHERE command_id = $1 AND number > $2 ORDER BY number LIMIT $3",
    );
    let rows = db.fetch_all(select.bind(id.0).bind(after).bind(limit)).await?;
    rows.iter().map(|row| Ok((row.integer("number")?, machine(row)?))).collect()
}

/// Says that a command has begun on a machine.
pub async fn start_machine(
    db: &mut Connection,
    id: CommandId,
    machine: &MachineId,
    now_ms: i64,
) -> Result<()> {
    let update = query(
        "UPDATE command_machines SET state = 'running', started_ms = $3
         WHERE command_id = $1 AND machine_id = $2 AND state = 'queued'",
    );
    db.execute(update.bind(id.0).bind(machine.0.as_str()).bind(now_ms)).await?;
    Ok(())
}

/// Ends a command on a machine, unless it has ended there.
pub async fn end_machine(
    db: &mut Connection,
    id: CommandId,
    machine: &MachineId,
    ended: &Ended<'_>,
    now_ms: i64,
) -> Result<()> {
    let update = query(
        "UPDATE command_machines SET state = $3, exit_code = $4, reason = $5, output_bytes = $6, completed_ms = $7
         WHERE command_id = $1 AND machine_id = $2 AND state IN ('queued', 'running')",
    )
    .bind(id.0)
    .bind(machine.0.as_str())
    .bind(ended.state.as_str())
    .bind(ended.exit_code.map(i64::from))
    .bind(ended.reason)
    .bind(i64::try_from(ended.output_bytes).unwrap_or(i64::MAX))
    .bind(now_ms);
    db.execute(update).await?;
    Ok(())
}

/// Ends a command on all machines where it has not ended.
pub async fn end_machines(
    db: &mut Connection,
    id: CommandId,
    state: CommandState,
    reason: &str,
    now_ms: i64,
) -> Result<()> {
    let update = query(
        "UPDATE command_machines SET state = $2, reason = $3, completed_ms = $4
         WHERE command_id = $1 AND state IN ('queued', 'running')",
    );
    db.execute(update.bind(id.0).bind(state.as_str()).bind(reason).bind(now_ms)).await?;
    Ok(())
}

/// Keeps a piece of output.
pub async fn add_output(
    db: &mut Connection,
    id: CommandId,
    machine: &MachineId,
    stream: OutputStream,
    sealed_text: &str,
    now_ms: i64,
) -> Result<()> {
    let stream = match stream {
        OutputStream::Stdout => "stdout",
        OutputStream::Stderr => "stderr",
    };
    let insert = query(
        "INSERT INTO command_output (command_id, machine_id, stream, sealed_text, at_ms) VALUES ($1, $2, $3, $4, $5)",
    )
    .bind(id.0)
    .bind(machine.0.as_str())
    .bind(stream)
    .bind(sealed_text)
    .bind(now_ms);
    db.execute(insert).await?;
    Ok(())
}

/// A command's output above the number `after`.
pub async fn output(
    db: &mut Connection,
    id: CommandId,
    filter: &CommandOutputQuery,
    after: i64,
    limit: i64,
) -> Result<Vec<OutputRow>> {
    let filter = Filter::from(4).and("machine_id = {}", filter.machine_id.as_ref().map(|id| id.0.as_str()));
    let text = format!(
        "SELECT * FROM command_output WHERE command_id = $1 AND number > $2{} ORDER BY number LIMIT $3",
        filter.sql()
    );
    let select = query(AssertSqlSafe(text)).bind(id.0).bind(after).bind(limit);
    db.fetch_all(filter.bind(select)).await?.iter().map(piece).collect()
}

fn command(row: &AnyRow) -> Result<CommandRow> {
    let count = |column| Ok::<_, crate::Error>(u32::try_from(row.integer(column)?).unwrap_or_default());
    let command = Command {
        id: CommandId(row.integer("id")?),
        script: String::new(),
        state: row.word("state")?,
        reason: row.maybe_text("reason")?,
        parallel: count("parallel")?,
        timeout_seconds: count("timeout_seconds")?,
        total: count("total")?,
        completed: count("well")?,
        failed: count("badly")?,
        created_by: row.text("created_by")?,
        created_at: row.time("created_ms")?,
        started_at: row.maybe_time("started_ms")?,
        completed_at: row.maybe_time("completed_ms")?,
    };
    Ok(CommandRow {
        account_id: AccountId(row.integer("account_id")?),
        command,
        token: row.text("token")?,
        sealed_script: row.text("sealed_script")?,
        alive_ms: row.integer("alive_ms")?,
    })
}

fn machine(row: &AnyRow) -> Result<CommandMachine> {
    Ok(CommandMachine {
        machine_id: MachineId(row.text("machine_id")?),
        machine_name: row.text("machine_name")?,
        state: row.word("state")?,
        exit_code: row.maybe_integer("exit_code")?.and_then(|code| u32::try_from(code).ok()),
        reason: row.maybe_text("reason")?,
        output_bytes: u64::try_from(row.integer("output_bytes")?).unwrap_or_default(),
        started_at: row.maybe_time("started_ms")?,
        completed_at: row.maybe_time("completed_ms")?,
    })
}

fn piece(row: &AnyRow) -> Result<OutputRow> {
    let at_ms = row.integer("at_ms")?;
    Ok(OutputRow {
        number: row.integer("number")?,
        machine_id: MachineId(row.text("machine_id")?),
        stream: if row.text("stream")? == "stderr" { OutputStream::Stderr } else { OutputStream::Stdout },
        sealed_text: row.text("sealed_text")?,
        at_ms,
    })
}
