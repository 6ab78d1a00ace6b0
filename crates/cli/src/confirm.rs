//! Asking before something is deleted, or costs money.

use std::io;

use clap::Args;

use crate::{
    error::{Error, Result},
    output,
};

/// The flags of a command that deletes or costs.
#[derive(Args, Clone, Copy, Debug)]
pub struct DeleteArgs {
    /// Go ahead without asking; needed where there is no terminal.
    #[arg(long)]
    yes: bool,
    /// Show what would be done, and do nothing.
    #[arg(long)]
    pub dry_run: bool,
}

impl DeleteArgs {
    /// Whether nobody wants to be asked.
    pub fn is_sure(self) -> bool {
        self.yes
    }

    /// Whether to go ahead. Without a terminal and without `--yes` the answer is an error, never a guess.
    pub fn confirm(self, what: &str) -> Result<bool> {
        self.confirm_to("delete", what)
    }

    /// The same for another verb.
    pub fn confirm_to(self, verb: &str, what: &str) -> Result<bool> {
        if self.yes {
            return Ok(true);
        }
        let needed = format!("to {verb} {what} needs --yes where there is no terminal");
        let answer = ask(&format!("Really {verb} {what}? [y/N]"), &needed)?;
        Ok(matches!(answer.as_str(), "y" | "Y" | "yes"))
    }
}

/// Asks whoever sits at the terminal. Without one the error says what is `needed`.
pub fn ask(question: &str, needed: &str) -> Result<String> {
    if !output::stdin_is_terminal() {
        return Err(Error::usage(needed.to_owned()));
    }
    output::to_stderr(question);
    let mut answer = String::new();
    io::stdin().read_line(&mut answer).map_err(|e| Error::local("cannot read the answer").caused_by(e))?;
    Ok(answer.trim().to_owned())
}
