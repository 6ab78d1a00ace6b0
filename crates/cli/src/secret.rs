//! Secrets from files, standard input and the terminal, so that none need stand in the argument list.

use std::{fs, io, io::Read};

use crate::error::{Error, Result};

/// What says a password where there is no terminal.
pub const PASSWORD_FLAG: &str = "--password @FILE";

/// Whether a secret argument is the secret itself.
pub fn is_plain(argument: &str) -> bool {
    argument != "-" && !argument.starts_with('@')
}

/// What a secret argument stands for: `@FILE` a file's content, `-` standard input, anything else itself.
pub fn value_of(what: &str, argument: &str) -> Result<String> {
    match argument.strip_prefix('@') {
        Some(path) => from_file(what, path),
        None if argument == "-" => from_file(what, "-"),
        None => Ok(argument.to_owned()),
    }
}

/// The same of an argument that may not be the secret itself.
pub fn unseen(what: &str, argument: &str) -> Result<String> {
    if is_plain(argument) {
        return Err(Error::usage(format!("{what} would stand in the list of processes; give @FILE or -")));
    }
    value_of(what, argument)
}

/// Reads a secret from a file, or from standard input where the path is `-`. The end of its line is not part of it.
pub fn from_file(what: &str, path: &str) -> Result<String> {
    let text = if path == "-" { from_stdin() } else { fs::read_to_string(path) };
    let text = text.map_err(|e| Error::local(format!("cannot read {what} from {path}")).caused_by(e))?;
    match text.trim_end_matches(['\r', '\n']) {
        "" => Err(Error::usage(format!("{what} is empty in {path}"))),
        text => Ok(text.to_owned()),
    }
}

/// Asks for a password on the terminal, without showing it. Where there is none, `flag` is what could say it.
pub fn ask(question: &str, flag: &str) -> Result<String> {
    rpassword::prompt_password(question).map_err(|e| {
        Error::usage(format!("there is no terminal to ask for the password; give {flag}")).caused_by(e)
    })
}

fn from_stdin() -> io::Result<String> {
    let mut text = String::new();
    io::stdin().lock().read_to_string(&mut text)?;
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_s_content_is_the_secret() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("key");
        fs::write(&path, "secret\n").unwrap();
        assert_eq!(value_of("the key", &format!("@{}", path.display())).unwrap(), "secret");
        assert_eq!(unseen("the key", &format!("@{}", path.display())).unwrap(), "secret");
        assert_eq!(value_of("the key", "plain").unwrap(), "plain");
        assert!(unseen("the key", "plain").is_err());
        fs::write(&path, "\n").unwrap();
        assert!(value_of("the key", &format!("@{}", path.display())).is_err());
    }
}
