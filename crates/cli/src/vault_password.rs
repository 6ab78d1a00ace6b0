//! The passwords of sealed vaults: from a file, standard input or the terminal, and to whom they go.

use roadstead_client::Agent;

use crate::{
    error::{Error, Result},
    output, secret,
};

/// A new password. On the terminal it is asked for twice, since nobody can tell a wrong one later.
pub fn new(argument: Option<&str>) -> Result<String> {
    if let Some(argument) = argument {
        return given(argument);
    }
    let password = secret::ask("New password of the vault: ", secret::PASSWORD_FLAG)?;
    if secret::ask("The same again: ", secret::PASSWORD_FLAG)? != password {
        return Err(Error::usage("the two passwords differ"));
    }
    Ok(password)
}

/// The password that a vault has.
pub fn of_now(argument: Option<&str>) -> Result<String> {
    match argument {
        Some(argument) => given(argument),
        None => secret::ask("Password of the vault: ", secret::PASSWORD_FLAG),
    }
}

fn given(argument: &str) -> Result<String> {
    if secret::is_plain(argument) {
        output::to_stderr("warning: a password in the argument list can be seen by others; write @FILE or -");
    }
    secret::value_of("the password", argument)
}

/// Tells to which key a password is encrypted, unless somebody said which it has to be.
pub fn tell(agent: &Agent, fingerprint: &Option<String>) {
    if fingerprint.is_none() {
        output::to_stderr(&format!(
            "encrypting to agent {}, whose key has the fingerprint {}",
            agent.id, agent.fingerprint
        ));
    }
}
