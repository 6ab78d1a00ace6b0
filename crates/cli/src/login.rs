//! `roadstead login`: signs in with a password, once, and keeps an API key in a profile.

use std::io::{self, Write};

use clap::Args;
use roadstead_client::Credentials;
use serde::Serialize;

use crate::{
    error::{Error, Exit, Result},
    output,
    profile::{self, Profile},
    secret,
    session::{self, Globals},
};

/// Where to sign in, and as whom.
#[derive(Args, Debug)]
pub struct LoginArgs {
    /// The server's address.
    #[arg(value_name = "SERVER_URL")]
    server: String,
    /// The user's name; asked for when absent.
    #[arg(long)]
    username: Option<String>,
    /// The password: @FILE, or - for standard input; asked for on the terminal when absent.
    #[arg(long, value_name = "@FILE|-")]
    password: Option<String>,
}

#[derive(Serialize)]
struct SignedIn<'a> {
    profile: &'a str,
    url: &'a str,
    username: &'a str,
}

/// Signs in, and keeps the profile.
pub async fn run(args: LoginArgs, globals: &Globals) -> Result<Exit> {
    let output = globals.output();
    let path = profile::default_path().ok_or_else(|| {
        Error::local("there is no place to keep a profile: neither HOME nor XDG_CONFIG_HOME is set")
    })?;
    let username = args.username.map_or_else(ask_username, Ok)?;
    let password = match &args.password {
        Some(argument) => secret::unseen("the password", argument)?,
        None => secret::ask("Password: ", secret::PASSWORD_FLAG)?,
    };
    let credentials = Credentials::Password { username: username.clone(), password };
    // Later commands may be given elsewhere.
    let ca_file = globals.ca_file.as_deref().map(std::path::absolute).transpose();
    let ca_file = ca_file.map_err(|e| Error::usage("the CA file cannot be found").caused_by(e))?;
    let client = session::client(&args.server, ca_file.as_deref())?.credentials(credentials).build()?;
    let key = client.create_api_key(&key_name()).await?;
    let name = globals.profile.as_deref().unwrap_or(profile::DEFAULT);
    let url = client.url().to_owned();
    profile::save(
        &path,
        name,
        Profile { url: url.clone(), username: username.clone(), api_key: key.secret, ca_file },
    )?;
    output.object(&SignedIn { profile: name, url: &url, username: &username })?;
    Ok(Exit::Done)
}

fn key_name() -> String {
    format!("login on {}", rustix::system::uname().nodename().to_string_lossy())
}

fn ask_username() -> Result<String> {
    if !output::stdin_is_terminal() {
        return Err(Error::usage("there is no terminal to ask for the user's name; give --username"));
    }
    let mut line = String::new();
    let asked = write!(io::stderr(), "User name: ").and_then(|()| io::stdin().read_line(&mut line));
    asked.map_err(|e| Error::local("cannot ask for the user's name").caused_by(e))?;
    Ok(line.trim().to_owned())
}
