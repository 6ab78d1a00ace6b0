//! Settings: what the operator says, in flags, environment and configuration file, in this order.
//!
//! The file is TOML with the settings' names as its keys; the environment has them in capitals behind
//! `ROADSTEAD_SERVER_`; flags have dashes. A name that is none is an error, lest a slip of the pen go unnoticed. All
//! that is wrong is told at once.

use std::{
    collections::BTreeMap,
    fs,
    net::SocketAddr,
    path::{Path, PathBuf},
    str::FromStr,
};

use roadstead_providers::{LocalAccess, LocalAws};
use roadstead_vault::store::{S3Config, S3Keys};

use crate::{
    CopyTarget, DatabaseUrl, Error, Given, Result, ServerOptions, TlsChoice, WorkerCommand,
    config::RCBU_REGIONS,
};

/// What the names of variables begin with.
const PREFIX: &str = "ROADSTEAD_SERVER_";
/// The variable that names the configuration file.
pub const CONFIG_VARIABLE: &str = "ROADSTEAD_SERVER_CONFIG";

/// Every setting, and its value where nobody says one.
const SETTINGS: [(&str, Option<&str>); 18] = [
    ("data_dir", None),
    ("listen", Some("127.0.0.1:7643")),
    ("public_url", None),
    ("tls", Some("false")),
    ("tls_cert", None),
    ("tls_key", None),
    ("database", Some("sqlite")),
    ("vault_store", Some("local")),
    ("deny_private", Some("false")),
    ("local_sockets", None),
    ("local_hypervisors", None),
    ("local_aws_profiles", None),
    ("local_aws_credentials", None),
    ("local_aws_role", Some("false")),
    ("local_aws_metadata", Some("http://169.254.169.254")),
    ("copy_targets", None),
    ("rcbu_regions", Some(RCBU_REGIONS)),
    ("agent_program", None),
];

/// Where a setting's value comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// Nobody said anything.
    Default,
    /// The configuration file.
    File,
    /// The environment.
    Environment,
    /// A flag.
    Flag,
}

/// One setting as it is in force.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Setting {
    /// Its name.
    pub name: &'static str,
    /// Its value; `None` where it has none.
    pub value: Option<String>,
    /// Where that comes from.
    pub origin: Origin,
}

/// All that was said.
#[derive(Clone, Debug, Default)]
pub struct Settings {
    said: BTreeMap<&'static str, (String, Origin)>,
    problems: Vec<String>,
}

impl Settings {
    /// Puts together what was said. Of two who say the same, flags come before the environment, and that before the
    /// file. A flag that was not given is `None`; a variable that is empty says nothing.
    pub fn gather(
        flags: impl IntoIterator<Item = (&'static str, Option<String>)>,
        environment: impl IntoIterator<Item = (String, String)>,
        file: Option<&Path>,
    ) -> Self {
        let mut settings = Self::default();
        if let Some(file) = file {
            settings.read(file);
        }
        for (variable, value) in environment {
            match variable.strip_prefix(PREFIX) {
                Some(name) if variable != CONFIG_VARIABLE && !value.is_empty() => {
                    settings.say(&name.to_lowercase(), Ok(value), Origin::Environment, &variable);
                }
                _ => {}
            }
        }
        for (name, value) in flags {
            if let Some(value) = value {
                settings.say(name, Ok(value), Origin::Flag, name);
            }
        }
        settings
    }

    /// Every setting, as it is in force.
    pub fn in_force(&self) -> Vec<Setting> {
        let setting = |(name, default): (&'static str, Option<&str>)| match self.said.get(name) {
            Some((value, origin)) => Setting { name, value: Some(shown(name, value)), origin: *origin },
            None => Setting { name, value: default.map(str::to_owned), origin: Origin::Default },
        };
        SETTINGS.into_iter().map(setting).collect()
    }

    /// What a server is to be started with, or all that is wrong.
    pub fn options(&self, worker: WorkerCommand) -> Result<ServerOptions, Vec<String>> {
        let mut problems = self.problems.clone();
        let options = self.checked(worker, &mut problems);
        match options {
            Some(options) if problems.is_empty() => Ok(options),
            _ => Err(problems),
        }
    }

    fn checked(&self, worker: WorkerCommand, problems: &mut Vec<String>) -> Option<ServerOptions> {
        let listen: Option<SocketAddr> = self.parsed("listen", "should look like 127.0.0.1:7643", problems);
        let public_url = self.value("public_url").and_then(|url| url.parse().map_err(told(problems)).ok());
        let tls = self.tls(problems);
        let database = self.value("database").filter(|&url| url != "sqlite");
        let database = database.and_then(|url| url.parse::<DatabaseUrl>().map_err(told(problems)).ok());
        let bucket = self.value("vault_store").filter(|&store| store != "local");
        let vault_bucket = bucket.and_then(|url| bucket_at(url).map_err(told(problems)).ok());
        let deny_private = self.parsed("deny_private", "should be true or false", problems);
        let local = self.local(problems);
        let copy_targets = self.copy_targets(problems);
        let rcbu_regions = self.rcbu_regions(problems);
        let Some(data_dir) = self.value("data_dir") else {
            problems.push("data_dir is missing: where is everything to be kept?".to_owned());
            return None;
        };
        let options = ServerOptions {
            public_url,
            tls,
            database,
            vault_bucket,
            copy_targets,
            rcbu_regions,
            deny_private: deny_private.unwrap_or_default(),
            local,
            agent_program: self.value("agent_program").map(PathBuf::from),
            ..ServerOptions::new(data_dir.into(), listen?, worker)
        };
        // A port 0 is as good as any other for this.
        options.public_url(options.listen).map_err(told(problems)).ok()?;
        Some(options)
    }

    fn tls(&self, problems: &mut Vec<String>) -> TlsChoice {
        let wanted: Option<bool> = self.parsed("tls", "should be true or false", problems);
        let given = match (self.value("tls_cert"), self.value("tls_key")) {
            (Some(certificate), Some(key)) => {
                let given = Given { certificate: certificate.into(), key: key.into() };
                // Read again at the start; here it is about what there is to say of them.
                let _ = given.load().map_err(told(problems));
                Some(given)
            }
            (None, None) => None,
            _ => {
                problems.push("tls_cert and tls_key go together; one of them is missing.".to_owned());
                None
            }
        };
        match given {
            Some(given) => TlsChoice::Given(given),
            None if wanted == Some(true) => TlsChoice::Own,
            None => TlsChoice::Automatic,
        }
    }

    /// What backends may use of this machine.
    fn local(&self, problems: &mut Vec<String>) -> LocalAccess {
        let sockets: Vec<PathBuf> = self.list("local_sockets").map(PathBuf::from).collect();
        for socket in sockets.iter().filter(|socket| !socket.is_absolute()) {
            problems
                .push(format!("local_sockets has {:?}; it should be a path from / on.", socket.display()));
        }
        let hypervisors: Vec<String> = self.list("local_hypervisors").map(str::to_owned).collect();
        for uri in hypervisors.iter().filter(|uri| !uri.contains(":///")) {
            problems.push(format!("local_hypervisors has {uri:?}; it should look like qemu:///system."));
        }
        LocalAccess { sockets, hypervisors, aws: self.aws(problems) }
    }

    /// What backends may use of this machine's access to Amazon's services.
    fn aws(&self, problems: &mut Vec<String>) -> LocalAws {
        let profiles: Vec<String> = self.list("local_aws_profiles").map(str::to_owned).collect();
        let credentials_file = self.value("local_aws_credentials").map(PathBuf::from);
        if !profiles.is_empty() && !credentials_file.as_ref().is_some_and(|file| file.is_absolute()) {
            let what =
                "local_aws_profiles needs local_aws_credentials: the file that they are in, from / on.";
            problems.push(what.to_owned());
        }
        let allowed: Option<bool> = self.parsed("local_aws_role", "should be true or false", problems);
        let url = self.value("local_aws_metadata").filter(|_| allowed == Some(true));
        if let Some(url) = url.filter(|url| !url.starts_with("http://") && !url.starts_with("https://")) {
            problems
                .push(format!("local_aws_metadata is {url:?}; it should look like http://169.254.169.254."));
        }
        LocalAws { profiles, credentials_file, metadata: url.map(str::to_owned) }
    }

    /// Where backups may be copied to.
    fn copy_targets(&self, problems: &mut Vec<String>) -> Vec<CopyTarget> {
        let mut targets: Vec<CopyTarget> = Vec::new();
        for item in self.list("copy_targets") {
            match item.parse::<CopyTarget>() {
                Ok(target) if targets.iter().any(|other| other.name == target.name) => {
                    problems.push(format!("copy_targets has {} twice.", target.name));
                }
                Ok(target) => targets.push(target),
                Err(error) => problems.push(error.chain()),
            }
        }
        targets
    }

    /// The regions of the RCBU facade's catalog.
    fn rcbu_regions(&self, problems: &mut Vec<String>) -> Vec<String> {
        let regions: Vec<String> = self.list("rcbu_regions").map(str::to_owned).collect();
        let is_region = |region: &&String| region.chars().all(|c| c.is_ascii_alphanumeric() || c == '-');
        if regions.is_empty() || !regions.iter().all(|region| is_region(&region)) {
            problems.push(format!("rcbu_regions is {regions:?}; it should look like {RCBU_REGIONS}."));
        }
        regions
    }

    /// The items of a setting that is a list.
    fn list(&self, name: &str) -> impl Iterator<Item = &str> {
        self.value(name).unwrap_or_default().split(',').map(str::trim).filter(|item| !item.is_empty())
    }

    fn value(&self, name: &str) -> Option<&str> {
        let said = self.said.get(name).map(|(value, _)| value.as_str());
        said.or_else(|| SETTINGS.iter().find(|(setting, _)| *setting == name)?.1)
    }

    fn parsed<T: FromStr>(&self, name: &str, form: &str, problems: &mut Vec<String>) -> Option<T> {
        let value = self.value(name)?;
        let parsed = value.parse().ok();
        if parsed.is_none() {
            problems.push(format!("{name} is {value:?}; it {form}."));
        }
        parsed
    }

    fn read(&mut self, file: &Path) {
        let shown = file.display();
        let text = match fs::read_to_string(file) {
            Ok(text) => text,
            Err(error) => return self.problems.push(format!("{shown} cannot be read: {error}.")),
        };
        let table: toml::Table = match toml::from_str(&text) {
            Ok(table) => table,
            Err(error) => {
                return self.problems.push(format!("{shown} is not TOML: {}", error.to_string().trim()));
            }
        };
        for (name, value) in table {
            let value = match value {
                toml::Value::String(value) => Ok(value),
                toml::Value::Boolean(value) => Ok(value.to_string()),
                toml::Value::Array(items) => joined(&items).ok_or("array"),
                other => Err(other.type_str()),
            };
            self.say(&name, value, Origin::File, &name);
        }
    }

    /// Takes a value down, or of what type it is where that is no text. `shown` is what the name looks like where it was
    /// said.
    fn say(&mut self, name: &str, value: Result<String, &str>, origin: Origin, shown: &str) {
        match (SETTINGS.iter().find(|(setting, _)| *setting == name), value) {
            (Some((setting, _)), Ok(value)) => drop(self.said.insert(setting, (value, origin))),
            (Some(_), Err(kind)) => {
                self.problems.push(format!("{shown} is of type {kind}; it should be text."))
            }
            (None, _) => self.problems.push(format!("{shown} is no setting.")),
        }
    }
}

/// The items of a list, as one text.
fn joined(items: &[toml::Value]) -> Option<String> {
    let items: Option<Vec<&str>> = items.iter().map(toml::Value::as_str).collect();
    items.map(|items| items.join(", "))
}

/// A value as it may be printed: a database's URL may hold a password.
fn shown(name: &str, value: &str) -> String {
    match value.split_once("://") {
        Some((scheme, _)) if name == "database" => format!("{scheme}://..."),
        _ => value.to_owned(),
    }
}

/// The bucket that a URL names, with the keys in the environment.
fn bucket_at(url: &str) -> Result<S3Config> {
    let wrong = |error| {
        let form = "vault_store should be local, or s3://BUCKET/PREFIX?region=REGION&endpoint=URL with AWS_ACCESS_KEY_ID \
                    and AWS_SECRET_ACCESS_KEY in the environment.";
        Error::invalid(form).caused_by(error)
    };
    let config = S3Config::from_url(url, S3Keys::default()).map_err(wrong)?;
    S3Keys::from_environment().map(|keys| S3Config { keys, ..config }).map_err(wrong)
}

fn told(problems: &mut Vec<String>) -> impl FnOnce(Error) {
    |error| problems.push(error.chain())
}

#[cfg(test)]
mod tests;
