//! What a backup has programs of its machine dump into the vault: databases, and what commands print.
//!
//! Dumps never lie on a disk as a whole (those of SQLite for a moment do); in the backup each is a file beneath
//! [`FOLDER`], which browsing and restores treat as any other.

use std::{fmt, str::FromStr};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The folder of dumps in a backup.
pub const FOLDER: &str = "/roadstead-dumps";
/// How long a name may be, in bytes.
pub const MAX_NAME: usize = 200;

/// One dump.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum Dump {
    /// A PostgreSQL database, by `pg_dump` in its own format; all of a cluster with its roles, by `pg_dumpall`, when none
    /// is named.
    Postgresql {
        /// The database.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        database: Option<String>,
    },
    /// A MySQL or MariaDB database, by `mysqldump`; all when none is named.
    Mysql {
        /// The database.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        database: Option<String>,
    },
    /// An SQLite database as one file, as it is at one moment, whoever writes to it.
    Sqlite {
        /// The database's file: an absolute path.
        path: String,
    },
    /// What a command prints. Only admins set them.
    Command {
        /// The name of the file in the backup.
        name: String,
        /// What `/bin/sh -c` is given, up to 4096 bytes.
        command: String,
    },
}

impl Dump {
    /// The path of its file in the backup.
    pub fn path(&self) -> String {
        match self {
            Self::Postgresql { database: Some(database) } => format!("{FOLDER}/postgresql/{database}.dump"),
            Self::Postgresql { database: None } => format!("{FOLDER}/postgresql.sql"),
            Self::Mysql { database: Some(database) } => format!("{FOLDER}/mysql/{database}.sql"),
            Self::Mysql { database: None } => format!("{FOLDER}/mysql.sql"),
            Self::Sqlite { path } => format!("{FOLDER}/sqlite{path}"),
            Self::Command { name, .. } => format!("{FOLDER}/command/{name}"),
        }
    }

    /// What is wrong with it, if anything is; a sentence without its full stop.
    pub fn fault(&self) -> Option<String> {
        match self {
            Self::Postgresql { database } | Self::Mysql { database } => database
                .as_ref()
                .filter(|name| !is_name(name))
                .map(|name| format!("{name:.100?} is no name of a database that could be a file's, too")),
            Self::Sqlite { path } => (!is_path(path)).then(|| {
                format!("{path:.100?} is no file's absolute path without `.` and `..`, up to 4096 bytes")
            }),
            Self::Command { name, .. } if !is_name(name) => {
                Some(format!("{name:.100?} is no name of a file, up to {MAX_NAME} bytes"))
            }
            Self::Command { command, .. } => {
                let fits = !command.trim().is_empty() && command.len() <= 4096 && !command.contains('\0');
                (!fits).then(|| "a command takes 1 to 4096 bytes, not all blank".to_owned())
            }
        }
    }
}

fn is_name(name: &str) -> bool {
    (1..=MAX_NAME).contains(&name.len())
        && !name.starts_with(['-', '.'])
        && !name.chars().any(|c| c == '/' || c.is_control())
}

fn is_path(path: &str) -> bool {
    let plain = |part: &str| !part.is_empty() && part != "." && part != ".." && !part.contains('\0');
    path.len() <= 4096 && path.strip_prefix('/').is_some_and(|beneath| beneath.split('/').all(plain))
}

/// The database, as the command line and the machine's policy name it; of a command only its file's name is shown.
impl fmt::Display for Dump {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Postgresql { database: Some(database) } => write!(f, "postgresql:{database}"),
            Self::Postgresql { database: None } => f.write_str("postgresql"),
            Self::Mysql { database: Some(database) } => write!(f, "mysql:{database}"),
            Self::Mysql { database: None } => f.write_str("mysql"),
            Self::Sqlite { path } => write!(f, "sqlite:{path}"),
            Self::Command { name, .. } => write!(f, "command:{name}"),
        }
    }
}

/// A database as it displays; `mariadb` is another word for `mysql`.
impl FromStr for Dump {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (kind, name) = match text.split_once(':') {
            Some((kind, name)) => (kind, Some(name.to_owned())),
            None => (text, None),
        };
        let dump = match (kind, name) {
            ("postgresql", database) => Self::Postgresql { database },
            ("mysql" | "mariadb", database) => Self::Mysql { database },
            ("sqlite", Some(path)) => Self::Sqlite { path },
            _ => {
                let forms = "postgresql:NAME, postgresql, mysql:NAME, mysql or sqlite:/PATH";
                return Err(format!("{text:.100?} is no database; write {forms}"));
            }
        };
        dump.fault().map_or(Ok(dump), Err)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::Dump;

    #[test]
    fn each_kind_reads_back_as_it_displays_and_has_a_place_of_its_own() {
        let texts = ["postgresql:shop", "postgresql", "mysql:shop", "mysql", "sqlite:/srv/app.db"];
        let dumps = texts.map(|text| text.parse::<Dump>().unwrap());
        assert_eq!(dumps.clone().map(|dump| dump.to_string()), texts);
        let mut paths = dumps.map(|dump| dump.path()).to_vec();
        assert_eq!(paths[0], "/roadstead-dumps/postgresql/shop.dump");
        paths.sort();
        paths.dedup();
        assert_eq!(paths.len(), texts.len());
        assert_eq!("mariadb:x".parse(), Ok(Dump::Mysql { database: Some("x".to_owned()) }));
    }

    #[test]
    fn names_that_would_lead_elsewhere_are_told() {
        for wrong in [
            "",
            "oracle:x",
            "postgresql:",
            "postgresql:a/b",
            "postgresql:--help",
            "mysql:..",
            "sqlite",
            "sqlite:app.db",
            "sqlite:/",
            "sqlite:/a/../b",
            "sqlite:/a//b",
        ] {
            assert!(wrong.parse::<Dump>().is_err(), "{wrong}");
        }
        let command = |name: &str, command: &str| {
            Dump::Command { name: name.to_owned(), command: command.to_owned() }.fault()
        };
        assert_eq!(command("list", "ls"), None);
        assert!(command("a/b", "ls").is_some() && command("list", " ").is_some());
    }

    proptest! {
        #[test]
        fn no_text_leads_out_of_the_folder(text in "(postgresql:|mysql:|sqlite:)?\\PC{0,30}") {
            if let Ok(dump) = text.parse::<Dump>() {
                prop_assert!(dump.path().starts_with(super::FOLDER));
                prop_assert!(dump.path().split('/').all(|part| part != ".."));
                prop_assert_eq!(dump.to_string().parse::<Dump>(), Ok(dump));
            }
        }
    }
}
