//! Dumps: the programs that make them, as the machine's policy says how to reach its databases, and as whom.
//!
//! The server names a database and nothing else. User, socket and password are the machine's own: passwords stand in
//! files that the programs read themselves, never in arguments.

mod passwd;
mod sqlite;

use std::{os::unix::process::CommandExt, path::Path, process::Command};

use roadstead_api::dump::Dump;
use roadstead_vault::{Error, ErrorKind, Result, Stream};

use crate::{data_dir::DataDir, policy::Policy, reach::Reach};

/// How long a database server may take to let a dump in, in seconds.
const CONNECT_SECONDS: &str = "60";
/// Who owns the databases of a PostgreSQL server where nobody says otherwise, and the agent is root.
const POSTGRES: &str = "postgres";

/// The streams of a backup's dumps. One that cannot even be begun is a stream that says why.
pub(crate) fn streams(dumps: &[Dump], data: &DataDir) -> Result<Vec<Stream>> {
    if dumps.is_empty() {
        return Ok(Vec::new());
    }
    let policy = Policy::read(&data.policy()).map_err(|wrong| Error::new(ErrorKind::Denied, wrong))?;
    Ok(dumps.iter().map(|dump| stream(dump, &policy, data)).collect())
}

fn stream(dump: &Dump, policy: &Policy, data: &DataDir) -> Stream {
    let path = dump.path();
    let allowed = policy.allows_dump(dump).then_some(()).ok_or_else(|| {
        let word = if matches!(dump, Dump::Command { .. }) { "commands" } else { "databases" };
        let file = data.policy();
        format!(
            "this machine does not allow it: its administrator can list it as one of {word} = [...] in {}",
            file.display()
        )
    });
    let command = allowed.and_then(|()| {
        match dump {
            Dump::Sqlite { path: database } => {
                return Ok(Stream::reader(&path, sqlite::Copy::of(Path::new(database), data)));
            }
            Dump::Postgresql { database } => postgresql(database.as_deref(), policy.postgresql()),
            Dump::Mysql { database } => mysql(database.as_deref(), policy.mysql()),
            Dump::Command { command, .. } => {
                let mut shell = Command::new("/bin/sh");
                shell.args(["-c", command]);
                Ok(shell)
            }
        }
        .map(|command| Stream::command(&path, command))
    });
    command.unwrap_or_else(|why| Stream::reader(&path, Refused(why)))
}

/// `pg_dump` and `pg_dumpall`. The dump is not compressed: the vault does that, and finds again what did not change.
fn postgresql(database: Option<&str>, reach: &Reach) -> Result<Command, String> {
    let mut command = match database {
        Some(database) => {
            let mut command = reach.program("pg_dump");
            // Quoted, or a name with `=` in it would be taken for settings of the connection.
            let quoted = database.replace('\\', "\\\\").replace('\'', "\\'");
            command.args(["--format=custom", "--compress=0"]).arg(format!("--dbname=dbname='{quoted}'"));
            command
        }
        None => reach.program("pg_dumpall"),
    };
    command.arg("--no-password").env("PGCONNECT_TIMEOUT", CONNECT_SECONDS);
    let port = reach.port.map(|port| port.to_string());
    for (name, value) in [("--host", &reach.host), ("--port", &port), ("--username", &reach.user)] {
        if let Some(value) = value {
            command.arg(format!("{name}={value}"));
        }
    }
    if let Some(file) = &reach.password_file {
        command.env("PGPASSFILE", file);
    }
    let owner = (reach == &Reach::default() && rustix::process::geteuid().is_root()).then_some(POSTGRES);
    match (&reach.run_as, owner) {
        (Some(user), _) => run_as(&mut command, user)?,
        (None, Some(owner)) => {
            // Root is no user of most servers. Where the system has no such owner, root has to do.
            let _ = run_as(&mut command, owner);
        }
        (None, None) => {}
    }
    Ok(command)
}

/// `mysqldump`, or `mariadb-dump` where that is the only one there.
fn mysql(database: Option<&str>, reach: &Reach) -> Result<Command, String> {
    let mut command = reach.first_program(&["mysqldump", "mariadb-dump"]);
    if let Some(file) = &reach.password_file {
        // It has to be the first.
        command.arg(format!("--defaults-extra-file={}", file.display()));
    }
    command.args(["--single-transaction", "--quick", "--routines", "--events", "--triggers", "--hex-blob"]);
    if let Some(host) = &reach.host {
        let option = if host.starts_with('/') { "--socket" } else { "--host" };
        command.arg(format!("{option}={host}"));
    }
    if let Some(port) = reach.port {
        command.arg(format!("--port={port}"));
    }
    if let Some(user) = &reach.user {
        command.arg(format!("--user={user}"));
    }
    match database {
        Some(database) => command.args(["--databases", database]),
        None => command.arg("--all-databases"),
    };
    if let Some(user) = &reach.run_as {
        run_as(&mut command, user)?;
    }
    Ok(command)
}

/// Lets a program run as another user of the system. It goes where everybody may be.
fn run_as(command: &mut Command, user: &str) -> Result<(), String> {
    let known = passwd::find(user)?;
    command.uid(known.uid).gid(known.gid).current_dir("/");
    command.env("HOME", known.home).env("USER", user).env("LOGNAME", user);
    Ok(())
}

/// A stream that gives nothing but a reason.
struct Refused(String);

impl std::io::Read for Refused {
    fn read(&mut self, _: &mut [u8]) -> std::io::Result<usize> {
        Err(std::io::Error::other(self.0.clone()))
    }
}

#[cfg(test)]
mod tests {
    use super::{Reach, mysql, postgresql};

    fn words(command: &std::process::Command) -> Vec<String> {
        let program = command.get_program().to_string_lossy().into_owned();
        [program]
            .into_iter()
            .chain(command.get_args().map(|word| word.to_string_lossy().into_owned()))
            .collect()
    }

    fn reach(text: &str) -> Reach {
        toml::from_str(text).unwrap()
    }

    #[test]
    fn postgresql_is_asked_as_the_policy_says() {
        let reach = reach(
            "user = 'backup'\nhost = '/run/pg'\nport = 5433\npassword_file = '/etc/pgpass'\nprograms = '/opt/pg'",
        );
        let command = postgresql(Some("it's host=elsewhere"), &reach).unwrap();
        let expected = [
            "/opt/pg/pg_dump",
            "--format=custom",
            "--compress=0",
            "--dbname=dbname='it\\'s host=elsewhere'",
            "--no-password",
            "--host=/run/pg",
            "--port=5433",
            "--username=backup",
        ];
        assert_eq!(words(&command), expected);
        assert!(command.get_envs().any(|(name, value)| name == "PGPASSFILE" && value.is_some()));
        assert_eq!(words(&postgresql(None, &reach).unwrap())[..2], ["/opt/pg/pg_dumpall", "--no-password"]);
    }

    #[test]
    fn mysql_reads_its_password_itself() {
        let reach = reach(
            "user = 'backup'\nhost = '/run/mysqld.sock'\npassword_file = '/etc/my.cnf'\nprograms = '/nowhere'",
        );
        let words = words(&mysql(Some("shop"), &reach).unwrap());
        assert_eq!(words[..2], ["/nowhere/mysqldump", "--defaults-extra-file=/etc/my.cnf"]);
        assert!(
            words.contains(&"--single-transaction".to_owned())
                && words.contains(&"--socket=/run/mysqld.sock".to_owned())
        );
        assert_eq!(words[words.len() - 2..], ["--databases", "shop"]);
        assert!(!words.iter().any(|word| word.contains("--password")));
    }

    #[test]
    fn a_user_that_is_none_is_told() {
        let reach = reach("run_as = 'nobody-of-that-name'");
        assert!(postgresql(None, &reach).unwrap_err().contains("nobody-of-that-name"));
    }
}
