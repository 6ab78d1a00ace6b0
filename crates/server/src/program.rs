//! The program that machines are given to run as agents: this server's own, unless its operator names another.

use std::{
    fs::File,
    io::{self, Read},
    path::{Path, PathBuf},
    sync::{Mutex, PoisonError},
    time::SystemTime,
};

use sha2::{Digest, Sha256};

use crate::{Error, Result};

/// The architecture that the program is for, as `uname -m` says it.
pub const ARCHITECTURE: &str = std::env::consts::ARCH;

/// The program, and what is known of its file.
#[derive(Debug)]
pub struct AgentProgram {
    path: PathBuf,
    known: Mutex<Option<(SystemTime, Facts)>>,
}

/// What a file of a program is known by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Facts {
    /// How large it is, in bytes.
    pub size: u64,
    /// The SHA-256 of it, in hexadecimal.
    pub sha256: String,
}

impl AgentProgram {
    /// The program at this path.
    pub fn new(path: PathBuf) -> Self {
        Self { path, known: Mutex::default() }
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// What its file is known by. It is read only when it has changed. Blocks.
    pub fn facts(&self) -> Result<Facts> {
        let failed = |e: io::Error| {
            let message = format!(
                "The program for agents cannot be read at {}; see agent_program.",
                self.path.display()
            );
            Error::internal(message).caused_by(e)
        };
        let mut file = File::open(&self.path).map_err(failed)?;
        let metadata = file.metadata().map_err(failed)?;
        let changed = metadata.modified().map_err(failed)?;
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((at, facts)) =
            known.as_ref().filter(|(at, facts)| *at == changed && facts.size == metadata.len())
        {
            tracing::trace!(?at, "the program for agents is as it was");
            return Ok(facts.clone());
        }
        let mut hash = Sha256::new();
        let mut buffer = vec![0; 1 << 16];
        let mut size = 0;
        loop {
            let read = file.read(&mut buffer).map_err(failed)?;
            if read == 0 {
                break;
            }
            hash.update(&buffer[..read]);
            size += read as u64;
        }
        let facts = Facts { size, sha256: hex::encode(hash.finalize()) };
        *known = Some((changed, facts.clone()));
        Ok(facts)
    }
}

#[cfg(test)]
mod tests {
    use super::AgentProgram;

    #[test]
    fn a_file_that_changed_is_read_again() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("program");
        let program = AgentProgram::new(path.clone());
        assert!(program.facts().is_err());
        std::fs::write(&path, "abc").unwrap();
        let facts = program.facts().unwrap();
        assert_eq!(facts.size, 3);
        assert!(facts.sha256.starts_with("ba7816bf8f01cfea"), "{facts:?}");
        assert_eq!(program.facts().unwrap(), facts);
        std::fs::write(&path, "abcd").unwrap();
        assert_ne!(program.facts().unwrap().sha256, facts.sha256);
    }
}
