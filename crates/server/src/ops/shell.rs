//! Shells on machines: who may open one, the way there, and what the audit log says of it.

use roadstead_api::{
    id::MachineId,
    machine::Machine,
    shell::{MachineShellClose, MachineShellOpen, ShellSize},
};
use roadstead_providers::{Program, Remote, TerminalSize};

use super::{Context, machine, remote::Opener};
use crate::{Error, Result, random};

/// How many characters a terminal has in a line, or lines, at the most.
const MOST: u16 = 1000;

/// A shell that may be opened.
#[derive(Debug)]
pub struct Shell {
    context: Context,
    machine: Machine,
    /// What its entries in the audit log have in common.
    target: String,
}

impl Shell {
    /// A shell on a machine of the caller's account.
    pub async fn on(context: Context, id: &MachineId) -> Result<Self> {
        context.authorize::<MachineShellOpen>()?;
        let machine = machine::get(&context, id).await?;
        let target = format!("{}/{}", machine.id, random::id()?);
        Ok(Self { context, machine, target })
    }

    /// Opens it. Whatever comes of that, it is to be closed.
    pub async fn open(&self, size: ShellSize) -> Result<Remote> {
        self.context.change::<MachineShellOpen>().await?.commit(&self.target).await?;
        let size = terminal_size(size)?;
        let opener = Opener::new(self.context.app.clone(), self.context.account());
        opener.open(&self.machine, Program::Terminal(size)).await
    }

    /// Writes down that it has ended.
    pub async fn close(self) {
        let closed = async {
            // A role that was lost meanwhile does not keep the end from being told.
            let change = self.context.change::<MachineShellClose>().await?;
            change.commit(&self.target).await
        };
        if let Err(error) = closed.await {
            tracing::error!(
                shell = self.target,
                error = error.chain(),
                "the end of a shell is not in the audit log"
            );
        }
    }

    /// Who opened it, and the server.
    pub fn context(&self) -> &Context {
        &self.context
    }
}

/// The size of a terminal, if there can be one of it.
pub fn terminal_size(size: ShellSize) -> Result<TerminalSize> {
    let ShellSize { columns, rows } = size;
    if ![columns, rows].iter().all(|number| (1..=MOST).contains(number)) {
        return Err(Error::invalid(format!("columns and rows go from 1 to {MOST}.")));
    }
    Ok(TerminalSize { columns, rows })
}
