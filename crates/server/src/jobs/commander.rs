//! Runs commands on machines. Each command is a job in a task of its own, and so is each of its machines.
//!
//! Whether a command was carried out that a server died over, nobody can tell: it fails, and is never run again. What a
//! machine prints is kept up to a bound, piece by piece as it comes, so that whoever watches sees it live.

mod kept;
mod wrapper;

use std::{sync::Arc, time::Duration};

use futures_util::StreamExt;
use roadstead_api::{
    command::{CommandMachine, CommandState, OutputStream},
    event::Event,
    id::CommandId,
};
use roadstead_providers::{Feed, Program, Remote, Said};
use tokio::{
    sync::{Mutex, watch},
    task::JoinSet,
    time::{Instant, interval, sleep_until},
};

use self::kept::Kept;
use crate::{
    Error, Result,
    app::App,
    db::{
        self,
        command::{CommandRow, Ended},
    },
    ops::{command::place, remote::Opener},
    secrets::Key,
};

/// How many commands are looked at, and so go on, at once.
const AT_ONCE: i64 = 50;
/// How long to wait for a signal before looking anyway.
const PERIOD: Duration = Duration::from_secs(5);
/// How often it is looked whether a command's end was asked for, and said that somebody works on it.
const LOOK: Duration = Duration::from_millis(500);
/// After how long without a sign of life a command counts as left behind, in milliseconds.
const LEFT_BEHIND_MS: i64 = 60_000;
/// How often output is written down.
const WRITE: Duration = Duration::from_millis(250);
/// How long a program that was told to end may take; it is told twice, five seconds apart.
const GRACE: Duration = Duration::from_secs(8);

/// A command in hand.
struct Work {
    app: Arc<App>,
    id: CommandId,
    opener: Arc<Opener>,
    key: Key,
    place: String,
    input: Vec<u8>,
    timeout: Duration,
    most_bytes: usize,
    cancelled: watch::Receiver<bool>,
    /// Held while output is written down: its numbers have to be seen in their order by whoever reads on from one.
    turn: Mutex<()>,
}

/// How a command ended on a machine.
struct Outcome {
    state: CommandState,
    exit_code: Option<u32>,
    reason: Option<String>,
    output_bytes: u64,
}

/// Works until the server ends.
pub async fn run(app: Arc<App>) {
    let mut working = JoinSet::new();
    loop {
        while working.try_join_next().is_some() {}
        if let Err(error) = begin(&app, &mut working).await {
            tracing::error!(error = error.chain(), "commands could not be looked at; it is tried again");
        }
        tokio::select! {
            () = app.ending() => return,
            () = app.live.command.notified() => {}
            () = tokio::time::sleep(PERIOD) => {}
        }
    }
}

/// Begins what is queued, and ends what was left behind.
async fn begin(app: &Arc<App>, working: &mut JoinSet<()>) -> Result<()> {
    let open = db::command::open(&mut *app.db.read().await?, AT_ONCE).await?;
    for row in open {
        let id = row.command.id;
        if row.command.state == CommandState::Running {
            if row.alive_ms + LEFT_BEHIND_MS < app.now_ms() {
                let reason = "The server ended in the middle of it; it may have been carried out.";
                end(app, &row, CommandState::Failed, Some(reason)).await?;
            }
            continue;
        }
        let mut write = app.db.write().await?;
        let mine = db::command::claim(&mut write, id, app.now_ms()).await?;
        if mine {
            write.tell(row.account_id, event(id, CommandState::Running));
        }
        write.commit().await?;
        if mine {
            let app = app.clone();
            working.spawn(async move { work(&app, &row).await });
        }
    }
    Ok(())
}

async fn work(app: &Arc<App>, row: &CommandRow) {
    let id = row.command.id;
    let (cancel, cancelled) = watch::channel(false);
    let (ended, mut ending) = watch::channel(false);
    let running = async {
        let ran = on_all(app, row, cancelled).await;
        ended.send_replace(true);
        ran
    };
    let (ran, ()) = tokio::join!(running, watch_over(app, id, &cancel, &mut ending));
    let (state, reason) = match ran {
        Ok(state) => (state, None),
        Err(error) => {
            tracing::warn!(command = %id, error = error.chain(), "a command failed");
            (CommandState::Failed, Some(error.message.into_owned()))
        }
    };
    if let Err(error) = end(app, row, state, reason.as_deref()).await {
        tracing::error!(command = %id, error = error.chain(), "a command's end could not be written down");
    }
}

/// Passes on that the command's end was asked for, and says that it is worked on, until it has ended. It is never dropped
/// in the middle of a write.
async fn watch_over(
    app: &App,
    id: CommandId,
    cancel: &watch::Sender<bool>,
    ending: &mut watch::Receiver<bool>,
) {
    let mut ticks = interval(LOOK);
    loop {
        tokio::select! {
            _ = ticks.tick() => {}
            () = told(ending) => return,
        }
        let looked = async {
            if db::command::is_cancelled(&mut *app.db.read().await?, id).await? {
                cancel.send_replace(true);
            }
            let mut write = app.db.write().await?;
            db::command::keep_alive(&mut write, id, app.now_ms()).await?;
            write.commit().await
        };
        if let Err(error) = looked.await {
            tracing::warn!(command = %id, error = error.chain(), "a command could not be looked after");
        }
    }
}

/// Runs the command on its machines; the state is that of all together.
async fn on_all(app: &Arc<App>, row: &CommandRow, cancelled: watch::Receiver<bool>) -> Result<CommandState> {
    let key = app.account_key(row.account_id).await?;
    let place = place(&row.token);
    let script = key.open(&place, &row.sealed_script)?;
    let total = row.command.total.max(1) as usize;
    let work = Work {
        app: app.clone(),
        id: row.command.id,
        opener: Arc::new(Opener::new(app.clone(), row.account_id)),
        input: wrapper::wrapped(&script)?,
        key,
        place,
        timeout: Duration::from_secs(u64::from(row.command.timeout_seconds)),
        most_bytes: kept::most_bytes(total),
        cancelled,
        turn: Mutex::new(()),
    };
    let machines =
        db::command::machines(&mut *app.db.read().await?, work.id, 0, i64::from(row.command.total)).await?;
    let ran = futures_util::stream::iter(machines)
        .map(|(_, machine)| on_machine(&work, row, machine))
        .buffer_unordered(row.command.parallel.max(1) as usize)
        .collect::<Vec<Result<CommandState>>>()
        .await;
    let states = ran.into_iter().collect::<Result<Vec<_>>>()?;
    if *work.cancelled.borrow() {
        return Ok(CommandState::Cancelled);
    }
    let is_well = states.iter().all(|state| *state == CommandState::Completed);
    Ok(if is_well { CommandState::Completed } else { CommandState::Failed })
}

/// Runs the command on one machine, and writes down how it ended there.
async fn on_machine(work: &Work, row: &CommandRow, machine: CommandMachine) -> Result<CommandState> {
    let outcome = if *work.cancelled.borrow() {
        Outcome { state: CommandState::Cancelled, exit_code: None, reason: None, output_bytes: 0 }
    } else {
        ran(work, row, &machine).await.unwrap_or_else(|error| Outcome {
            state: CommandState::Failed,
            exit_code: None,
            reason: Some(error.message.into_owned()),
            output_bytes: 0,
        })
    };
    let Outcome { state, exit_code, reason, output_bytes } = outcome;
    let ended = Ended { state, exit_code, reason: reason.as_deref(), output_bytes };
    let mut write = work.app.db.write().await?;
    db::command::end_machine(&mut write, work.id, &machine.machine_id, &ended, work.app.now_ms()).await?;
    write.tell(row.account_id, event(work.id, CommandState::Running));
    write.commit().await?;
    work.app.live.command_output.notify_waiters();
    Ok(state)
}

async fn ran(work: &Work, row: &CommandRow, machine: &CommandMachine) -> Result<Outcome> {
    let id = &machine.machine_id;
    let mut write = work.app.db.write().await?;
    db::command::start_machine(&mut write, work.id, id, work.app.now_ms()).await?;
    write.commit().await?;
    let found = db::machine::get(&mut *work.app.db.read().await?, row.account_id, id).await?;
    let found = found.ok_or_else(|| Error::not_found("The machine is gone."))?;
    let until = Instant::now() + work.timeout;
    let mut cancelled = work.cancelled.clone();
    // In a task of its own, so that it is never dropped in the middle of a write.
    let opener = work.opener.clone();
    let opening = tokio::spawn(async move { opener.open(&found, Program::Commands).await });
    let opened = tokio::select! {
        opened = opening => opened.map_err(|_| Error::internal("The opening of a machine panicked."))??,
        () = sleep_until(until) => return Ok(Outcome::cut(CommandState::TimedOut, 0)),
        () = told(&mut cancelled) => return Ok(Outcome::cut(CommandState::Cancelled, 0)),
    };
    heard(work, machine, opened, until).await
}

impl Outcome {
    fn cut(state: CommandState, output_bytes: u64) -> Self {
        Self { state, exit_code: None, reason: None, output_bytes }
    }
}

/// Feeds the script, and keeps what the machine says until the end, or until somebody or the clock ends it.
async fn heard(work: &Work, machine: &CommandMachine, mut remote: Remote, until: Instant) -> Result<Outcome> {
    let input = remote.input();
    // One that has ended already says so.
    let _ = input.send(Feed::Input(work.input.clone())).await;
    let mut kept = Kept::new(work.most_bytes);
    let mut writing = interval(WRITE);
    let mut cancelled = work.cancelled.clone();
    let (mut cut, mut until, mut exit_code) = (None, until, None);
    loop {
        tokio::select! {
            said = remote.said() => match said {
                Some(Said::Output(bytes)) => kept.take(OutputStream::Stdout, &bytes),
                Some(Said::Error(bytes)) => kept.take(OutputStream::Stderr, &bytes),
                Some(Said::Ended(status)) => exit_code = Some(status),
                None => break,
            },
            _ = writing.tick() => write_down(work, machine, &mut kept).await?,
            () = sleep_until(until) => {
                if cut.is_some() {
                    break;
                }
                cut = Some(CommandState::TimedOut);
                until = told_to_end(&input).await;
            }
            () = told(&mut cancelled), if cut.is_none() => {
                cut = Some(CommandState::Cancelled);
                until = told_to_end(&input).await;
            }
        }
    }
    kept.finish();
    write_down(work, machine, &mut kept).await?;
    let output_bytes = kept.seen();
    Ok(match (cut, exit_code) {
        (Some(state), exit_code) => Outcome { exit_code, ..Outcome::cut(state, output_bytes) },
        (None, Some(0)) => Outcome { exit_code, ..Outcome::cut(CommandState::Completed, output_bytes) },
        (None, Some(_)) => Outcome { exit_code, ..Outcome::cut(CommandState::Failed, output_bytes) },
        (None, None) => {
            let reason = Some("The connection was lost in the middle of it.".to_owned());
            Outcome { reason, ..Outcome::cut(CommandState::Failed, output_bytes) }
        }
    })
}

/// Returns once the command's end was asked for.
async fn told(cancelled: &mut watch::Receiver<bool>) {
    // An error means that nobody watches over the command any more: it ends, too.
    let _ = cancelled.wait_for(|&cancelled| cancelled).await;
}

/// Tells the wrapper to end what it runs; returns until when it may take.
async fn told_to_end(input: &tokio::sync::mpsc::Sender<Feed>) -> Instant {
    let _ = input.send(Feed::End).await;
    Instant::now() + GRACE
}

/// Writes down what was printed since the last time.
async fn write_down(work: &Work, machine: &CommandMachine, kept: &mut Kept) -> Result<()> {
    let pieces = kept.pieces();
    if pieces.is_empty() {
        return Ok(());
    }
    let now = work.app.now_ms();
    let _turn = work.turn.lock().await;
    let mut write = work.app.db.write().await?;
    for (stream, text) in pieces {
        let sealed = work.key.seal(&work.place, &text)?;
        db::command::add_output(&mut write, work.id, &machine.machine_id, stream, &sealed, now).await?;
    }
    write.commit().await?;
    work.app.live.command_output.notify_waiters();
    Ok(())
}

/// Ends a command, with all machines on which it has not ended.
async fn end(app: &App, row: &CommandRow, state: CommandState, reason: Option<&str>) -> Result<()> {
    let id = row.command.id;
    let mut write = app.db.write().await?;
    if db::command::end(&mut write, id, state, reason, app.now_ms()).await? {
        let why = reason.unwrap_or("It was not run there.");
        db::command::end_machines(&mut write, id, CommandState::Failed, why, app.now_ms()).await?;
        write.tell(row.account_id, event(id, state));
    }
    write.commit().await?;
    app.live.command_output.notify_waiters();
    Ok(())
}

fn event(id: CommandId, state: CommandState) -> Event {
    Event::new("command", id, "state").state(state)
}
