//! What this machine lets the server have done, whatever the server says: the file `policy.toml` in the agent's folder,
//! which only the machine's own administrator writes.
//!
//! ```toml
//! # The commands that backups may run, letter by letter; or "any".
//! hooks = ["/usr/local/sbin/dump-databases"]
//! ```
//!
//! Without the file no command runs. One that cannot be understood allows nothing, and says so.

use std::{fs, io, path::Path};

use serde::Deserialize;

/// How large the file may be, in bytes.
const MAX_BYTES: u64 = 1 << 20;

/// What is allowed.
#[derive(Debug, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Policy {
    hooks: Commands,
}

#[derive(Debug, PartialEq, Deserialize)]
#[serde(untagged)]
enum Commands {
    Word(Word),
    These(Vec<String>),
}

#[derive(Debug, PartialEq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Word {
    Any,
    None,
}

impl Default for Commands {
    fn default() -> Self {
        Self::Word(Word::None)
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
        match &self.hooks {
            Commands::Word(Word::Any) => true,
            Commands::Word(Word::None) => false,
            Commands::These(commands) => commands.iter().any(|allowed| allowed == command),
        }
    }
}

#[cfg(test)]
mod tests {
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
    fn what_cannot_be_understood_is_told() {
        for wrong in ["hooks = 1", "hooks = \"all\"", "hook = \"any\"", "x", "hooks = [1]"] {
            assert!(policy(wrong).unwrap_err().contains("policy.toml"), "{wrong}");
        }
    }
}
