//! Which server to ask, with which key: from the flags, the environment or a profile, in this order.

use std::{
    env,
    path::{Path, PathBuf},
};

use clap::Args;
use roadstead_client::{Client, ClientBuilder, Credentials};

use crate::{
    error::{Error, Result},
    output::{self, Format, Output},
    profile::{self, Profile},
    secret,
};

/// The flags that every command takes.
#[derive(Args, Clone, Debug, Default)]
pub struct Globals {
    /// The server's address.
    #[arg(long, global = true, env = "ROADSTEAD_URL", value_name = "URL", help_heading = "Global options")]
    pub url: Option<String>,
    /// The API key; @FILE reads it from a file, - from standard input.
    #[arg(
        long,
        global = true,
        env = "ROADSTEAD_API_KEY",
        hide_env_values = true,
        value_name = "KEY",
        help_heading = "Global options"
    )]
    pub api_key: Option<String>,
    /// A file with the CA certificates that alone may vouch for the server; public ones when absent.
    #[arg(long, global = true, env = "ROADSTEAD_CA", value_name = "FILE", help_heading = "Global options")]
    pub ca_file: Option<PathBuf>,
    /// The profile to use, of those that `roadstead login` keeps.
    #[arg(long, global = true, value_name = "NAME", help_heading = "Global options")]
    pub profile: Option<String>,
    /// The form of the output: table, json, yaml or csv.
    #[arg(
        short,
        long,
        global = true,
        value_enum,
        default_value_t,
        value_name = "FORM",
        hide_possible_values = true,
        help_heading = "Global options"
    )]
    pub output: Format,
}

/// A server to ask, and a way to print.
#[derive(Clone, Debug)]
pub struct Session {
    /// The server.
    pub client: Client,
    /// The way to print.
    pub output: Output,
}

impl Globals {
    /// The way to print.
    pub fn output(&self) -> Output {
        Output::new(self.output)
    }

    /// The server that the flags, the environment or the profile name. Asks it nothing.
    pub fn session(&self) -> Result<Session> {
        let Chosen { url, api_key, ca_file } = choose(self.clone(), self.kept_profile()?)?;
        let from_environment = env::var("ROADSTEAD_API_KEY").is_ok_and(|key| Some(key) == self.api_key);
        if self.api_key.is_some()
            && !from_environment
            && secret::is_plain(&api_key)
            && output::stderr_is_terminal()
        {
            self.output().say(
                "warning: an API key among the arguments is seen by everybody on this machine; use @FILE",
            );
        }
        let api_key = secret::value_of("the API key", &api_key)?;
        let client = client(&url, ca_file.as_deref())?.credentials(Credentials::ApiKey(api_key)).build()?;
        Ok(Session { client, output: self.output() })
    }

    fn kept_profile(&self) -> Result<Option<Profile>> {
        let Some(path) = profile::default_path() else { return Ok(None) };
        let name = self.profile.as_deref();
        let found = profile::load(&path, name.unwrap_or(profile::DEFAULT))?;
        match name {
            Some(name) if found.is_none() => Err(Error::usage(format!(
                "there is no profile {name:?}; `roadstead login URL --profile {name}` makes it"
            ))),
            _ => Ok(found),
        }
    }
}

/// A client for a server that the CA in a file, or a public one, vouches for.
pub fn client(url: &str, ca_file: Option<&Path>) -> Result<ClientBuilder> {
    let client = Client::builder(url);
    Ok(match ca_file {
        Some(path) => client.ca_file(path)?,
        None => client,
    })
}

#[derive(Debug, PartialEq, Eq)]
struct Chosen {
    url: String,
    api_key: String,
    ca_file: Option<PathBuf>,
}

/// A profile's key goes to the profile's own server only, and its CA vouches for no other. What is empty, as variables
/// are that a script has cleared, says nothing.
fn choose(mut flags: Globals, profile: Option<Profile>) -> Result<Chosen> {
    flags.url.take_if(|url| url.is_empty());
    flags.api_key.take_if(|key| key.is_empty());
    flags.ca_file.take_if(|file| file.as_os_str().is_empty());
    let no_server = "which server? give --url and --api-key, set ROADSTEAD_URL and ROADSTEAD_API_KEY, or sign in with \
                     `roadstead login URL`";
    let Some(url) = flags.url.clone().or_else(|| profile.as_ref().map(|p| p.url.clone())) else {
        return Err(Error::usage(no_server));
    };
    let same = |profile: &Profile| profile.url.trim_end_matches('/') == url.trim_end_matches('/');
    let (kept_key, kept_ca) =
        profile.filter(same).map_or((None, None), |profile| (Some(profile.api_key), profile.ca_file));
    match flags.api_key.or(kept_key) {
        Some(api_key) => Ok(Chosen { url, api_key, ca_file: flags.ca_file.or(kept_ca) }),
        None => Err(Error::usage(format!(
            "no API key for {url}: give --api-key, set ROADSTEAD_API_KEY, or sign in with `roadstead login {url}`"
        ))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn flags(url: Option<&str>, api_key: Option<&str>) -> Globals {
        Globals { url: url.map(Into::into), api_key: api_key.map(Into::into), ..Globals::default() }
    }

    fn kept() -> Option<Profile> {
        Some(Profile {
            url: "http://kept".into(),
            username: "ann".into(),
            api_key: "kept-key".into(),
            ca_file: Some("/kept.pem".into()),
        })
    }

    fn chosen(url: &str, api_key: &str, ca_file: Option<&str>) -> Chosen {
        Chosen { url: url.into(), api_key: api_key.into(), ca_file: ca_file.map(PathBuf::from) }
    }

    #[test]
    fn flags_come_before_the_profile() {
        let given = choose(flags(Some("http://given"), Some("given-key")), kept()).unwrap();
        assert_eq!(given, chosen("http://given", "given-key", None));
        let whole = choose(flags(None, None), kept()).unwrap();
        assert_eq!(whole, chosen("http://kept", "kept-key", Some("/kept.pem")));
        assert_eq!(choose(flags(Some(""), Some("")), kept()).unwrap(), whole);
        let same = choose(flags(Some("http://kept/"), None), kept()).unwrap();
        assert_eq!(same, chosen("http://kept/", "kept-key", Some("/kept.pem")));
        let flags = Globals { ca_file: Some("/given.pem".into()), ..flags(None, None) };
        assert_eq!(choose(flags, kept()).unwrap(), chosen("http://kept", "kept-key", Some("/given.pem")));
    }

    #[test]
    fn a_profile_s_key_goes_nowhere_else() {
        assert!(choose(flags(Some("http://given"), None), kept()).is_err());
        assert!(choose(flags(None, None), None).is_err());
    }
}
