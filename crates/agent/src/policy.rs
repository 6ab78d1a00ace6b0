//! What this machine lets the server have done, whatever the server says: the file `policy.toml` in the agent's folder,
//! which only the machine's own administrator writes.
//!
//! ```toml
//! # The commands that backups may run, letter by letter; or "any". Without this line none.
//! hooks = ["/usr/local/sbin/dump-databases"]
//! # The folders whose files may be listed, with all beneath them; or "any", or "none". Without this line any.
//! browse = ["/home", "/srv"]
//! # The folders that restores may write to; or "any", or "none". Without this line any.
//! restore = ["/restored"]
//! # The databases that backups may dump, as configurations name them; or "any", or "none". Without this line any.
//! databases = ["postgresql:shop", "sqlite:/srv/app.db"]
//! # The commands whose output backups may take, letter by letter; or "any". Without this line none.
//! commands = ["/usr/local/sbin/list-packages"]
//! # How databases are reached, each line if need be: see `reach::Reach`.
//! [postgresql]
//! run_as = "postgres"
//! user = "backup"
//! host = "/run/postgresql"
//! port = 5432
//! password_file = "/etc/roadstead/pgpass"
//! programs = "/usr/lib/postgresql/15/bin"
//! [mysql]
//! password_file = "/etc/roadstead/my.cnf"
//! ```
//!
//! One that cannot be understood allows nothing, and says so. Folders are compared where they really lie, with links
//! followed.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use roadstead_api::dump::Dump;
use serde::Deserialize;

use crate::reach::Reach;

/// How large the file may be, in bytes.
const MAX_BYTES: u64 = 1 << 20;

/// What is allowed.
#[derive(Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Policy {
    hooks: Allowed,
    browse: Allowed,
    restore: Allowed,
    databases: Allowed,
    commands: Allowed,
    postgresql: Reach,
    mysql: Reach,
}

#[derive(Debug, PartialEq, Deserialize)]
#[serde(untagged)]
enum Allowed {
    Word(Word),
    These(Vec<String>),
}

#[derive(Debug, PartialEq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Word {
    Any,
    None,
}

impl Default for Policy {
    fn default() -> Self {
        let any = || Allowed::Word(Word::Any);
        let none = || Allowed::Word(Word::None);
        Self {
            hooks: none(),
            browse: any(),
            restore: any(),
            databases: any(),
            commands: none(),
            postgresql: Reach::default(),
            mysql: Reach::default(),
        }
    }
}

impl Policy {
    /// Reads the file; says what is wrong with it.
    pub fn read(file: &Path) -> Result<Self, String> {
        let shown = file.display();
        match fs::metadata(file) {
            Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(Self::default()),
            Ok(found) if found.len() > MAX_BYTES => return Err(format!("{shown} is too large")),
            _ => {}
        }
        let text = fs::read_to_string(file).map_err(|e| format!("{shown} cannot be read: {e}"))?;
        toml::from_str(&text).map_err(|e| format!("{shown} cannot be understood: {}", e.message()))
    }

    /// Whether a backup may run this command.
    pub fn allows_hook(&self, command: &str) -> bool {
        self.hooks.holds(|allowed| allowed == command)
    }

    /// Whether a backup may take this dump.
    pub fn allows_dump(&self, dump: &Dump) -> bool {
        match dump {
            Dump::Command { command, .. } => self.commands.holds(|allowed| allowed == command),
            database => self.databases.holds(|allowed| allowed == database.to_string()),
        }
    }

    /// How PostgreSQL is reached.
    pub fn postgresql(&self) -> &Reach {
        &self.postgresql
    }

    /// How MySQL or MariaDB is reached.
    pub fn mysql(&self) -> &Reach {
        &self.mysql
    }

    /// Whether the files of this folder may be listed.
    pub fn allows_browsing(&self, folder: &Path) -> bool {
        self.browse.holds_folder(folder)
    }

    /// Whether a restore may write to this folder, which need not be there yet.
    pub fn allows_restoring(&self, folder: &Path) -> bool {
        self.restore.holds_folder(folder)
    }
}

impl Allowed {
    fn holds(&self, is_it: impl Fn(&str) -> bool) -> bool {
        match self {
            Self::Word(Word::Any) => true,
            Self::Word(Word::None) => false,
            Self::These(these) => these.iter().any(|allowed| is_it(allowed)),
        }
    }

    fn holds_folder(&self, folder: &Path) -> bool {
        self.holds(|allowed| match (real(folder), real(Path::new(allowed))) {
            (Some(folder), Some(allowed)) => folder.starts_with(allowed),
            _ => false,
        })
    }
}

/// Where a path really lies: links are followed as far as there is something. `None` where that cannot be told.
fn real(path: &Path) -> Option<PathBuf> {
    match fs::canonicalize(path) {
        Ok(real) => Some(real),
        // A link that leads nowhere yet could lead anywhere later.
        Err(e) if e.kind() == io::ErrorKind::NotFound && fs::symlink_metadata(path).is_err() => {
            Some(real(path.parent()?)?.join(path.file_name()?))
        }
        Err(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use std::{os::unix::fs::symlink, path::Path};

    use roadstead_api::dump::Dump;

    use super::Policy;

    fn policy(text: &str) -> Result<Policy, String> {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("policy.toml");
        std::fs::write(&file, text).unwrap();
        Policy::read(&file)
    }

    #[test]
    fn only_what_is_named_is_allowed() {
        let folder = tempfile::tempdir().unwrap();
        assert!(!Policy::read(&folder.path().join("policy.toml")).unwrap().allows_hook("true"));
        assert!(!policy("").unwrap().allows_hook("true"));
        assert!(!policy("hooks = \"none\"").unwrap().allows_hook("true"));
        assert!(policy("hooks = \"any\"").unwrap().allows_hook("rm -r /"));
        let some = policy("hooks = [\"/sbin/dump\"]").unwrap();
        assert!(some.allows_hook("/sbin/dump"));
        assert!(!some.allows_hook("/sbin/dump; reboot") && !some.allows_hook(" /sbin/dump"));
    }

    #[test]
    fn dumps_are_allowed_by_name_and_commands_letter_by_letter() {
        let some = policy("databases = [\"sqlite:/a.db\"]\ncommands = [\"ls\"]\n[mysql]\nport = 7").unwrap();
        let command = |command: &str| Dump::Command { name: "n".to_owned(), command: command.to_owned() };
        let database = |text: &str| text.parse::<Dump>().unwrap();
        assert!(some.allows_dump(&database("sqlite:/a.db")) && !some.allows_dump(&database("postgresql")));
        assert!(some.allows_dump(&command("ls")) && !some.allows_dump(&command("ls; reboot")));
        let usual = policy("").unwrap();
        assert!(usual.allows_dump(&database("mysql")) && !usual.allows_dump(&command("ls")));
    }

    #[test]
    fn folders_are_allowed_where_they_really_lie() {
        let root = tempfile::tempdir().unwrap();
        let at = |name: &str| root.path().join(name);
        for name in ["open/deep", "closed"] {
            std::fs::create_dir_all(at(name)).unwrap();
        }
        symlink(at("closed"), at("open/link")).unwrap();
        symlink(at("nowhere"), at("open/dangling")).unwrap();
        let some = policy(&format!("browse = [{:?}]\nrestore = [{:?}]", at("open"), at("open"))).unwrap();
        for allows in [Policy::allows_browsing, Policy::allows_restoring] {
            for name in ["open", "open/deep", "open/new/newer"] {
                assert!(allows(&some, &at(name)), "{name}");
            }
            for name in ["closed", "open/link", "open/link/new", "opener", "open/dangling", "open/dangling/x"]
            {
                assert!(!allows(&some, &at(name)), "{name}");
            }
            assert!(!allows(&some, Path::new("/")));
            assert!(allows(&policy("").unwrap(), Path::new("/")));
        }
        assert!(!policy("browse = \"none\"").unwrap().allows_browsing(&at("open")));
    }

    #[test]
    fn what_cannot_be_understood_is_told() {
        for wrong in ["hooks = 1", "hooks = \"all\"", "hook = \"any\"", "x", "hooks = [1]", "browse = true"] {
            assert!(policy(wrong).unwrap_err().contains("policy.toml"), "{wrong}");
        }
    }
}
