//! `roadstead ssh`: a terminal on a machine, through the server.

use std::{
    io::{self, Read, Write},
    thread,
};

use clap::Args;
use roadstead_client::{ShellSaid, api::shell::ShellSize};
use rustix::termios::{OptionalActions, Termios, isatty, tcgetattr, tcgetwinsize, tcsetattr};
use tokio::{
    signal::unix::{SignalKind, signal},
    sync::mpsc,
};

use crate::{
    error::{Error, Exit, Result},
    machine::Which,
    session::Session,
};

/// How much is read from the keyboard at once, in bytes.
const PIECE: usize = 4096;
/// How many such pieces wait to be sent.
const PIECES: usize = 16;

/// Where to open a terminal.
#[derive(Args, Debug)]
pub struct ShellArgs {
    #[command(flatten)]
    which: Which,
}

/// Opens a terminal on a machine, and joins it to this one until the shell there ends.
pub async fn run(session: &Session, args: ShellArgs) -> Result<Exit> {
    let machine = args.which.find(session).await?;
    let mut resized = signal(SignalKind::window_change())
        .map_err(|e| Error::local("cannot listen for signals").caused_by(e))?;
    let mut shell = machine.open_shell(size()).await?;
    let raw = Raw::begin();
    let mut typed = keyboard();
    let mut is_open = true;
    let status = loop {
        tokio::select! {
            said = shell.said() => match said? {
                ShellSaid::Output(bytes) => print(&bytes)?,
                ShellSaid::Ended(status) => break status,
            },
            piece = typed.recv(), if is_open => match piece {
                Some(piece) => shell.send(&piece).await?,
                None => is_open = false,
            },
            Some(()) = resized.recv() => shell.resize(size()).await?,
        }
    };
    drop(raw);
    Ok(if status == 0 { Exit::Done } else { Exit::NotDone })
}

/// The size of this terminal; the usual one where there is none.
fn size() -> ShellSize {
    match tcgetwinsize(io::stdout()) {
        Ok(size) if size.ws_col > 0 && size.ws_row > 0 => {
            ShellSize { columns: size.ws_col.min(1000), rows: size.ws_row.min(1000) }
        }
        _ => ShellSize::default(),
    }
}

/// What is typed, piece by piece, to its end.
fn keyboard() -> mpsc::Receiver<Vec<u8>> {
    let (typed, pieces) = mpsc::channel(PIECES);
    // A thread of our own: one of the runtime's would keep the runtime from ending.
    thread::spawn(move || {
        let mut piece = [0; PIECE];
        while let Ok(read @ 1..) = io::stdin().lock().read(&mut piece) {
            if typed.blocking_send(piece[..read].to_vec()).is_err() {
                return;
            }
        }
    });
    pieces
}

fn print(bytes: &[u8]) -> Result<()> {
    let mut out = io::stdout().lock();
    let printed = out.write_all(bytes).and_then(|()| out.flush());
    printed.map_err(|e| Error::local("cannot print").caused_by(e))
}

/// The terminal passes on each key as it is; when this is dropped, it is as before.
struct Raw(Option<Termios>);

impl Raw {
    fn begin() -> Self {
        let stdin = io::stdin();
        let before = isatty(&stdin).then(|| tcgetattr(&stdin).ok()).flatten();
        if let Some(before) = &before {
            let mut raw = before.clone();
            raw.make_raw();
            // Where that fails, lines are sent as they are ended, which works as well.
            let _ = tcsetattr(&stdin, OptionalActions::Now, &raw);
        }
        Self(before)
    }
}

impl Drop for Raw {
    fn drop(&mut self) {
        if let Some(before) = &self.0 {
            // There is nobody to tell.
            let _ = tcsetattr(io::stdin(), OptionalActions::Now, before);
        }
    }
}
