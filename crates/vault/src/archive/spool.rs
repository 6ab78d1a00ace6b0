//! Bytes set aside until the end of an archive: few in memory, many in a nameless file.

use std::fs::{self, File};
use std::io::{self, Read, Seek, Write};

use crate::random;

/// How many bytes stay in memory.
const ROOM: usize = 8 << 20;

/// Bytes to be written later, in the order in which they came.
#[derive(Default)]
pub(super) struct Spool {
    memory: Vec<u8>,
    file: Option<File>,
    length: u64,
}

impl Spool {
    pub(super) fn push(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.length += bytes.len() as u64;
        self.memory.extend_from_slice(bytes);
        if self.memory.len() < ROOM {
            return Ok(());
        }
        let file = match &mut self.file {
            Some(file) => file,
            none => none.insert(nameless()?),
        };
        file.write_all(&self.memory)?;
        self.memory.clear();
        Ok(())
    }

    /// How many bytes there are.
    pub(super) fn len(&self) -> u64 {
        self.length
    }

    /// Writes all of them.
    pub(super) fn copy_to(&mut self, out: &mut dyn Write) -> io::Result<()> {
        if let Some(mut file) = self.file.take() {
            file.rewind()?;
            let mut buffer = vec![0; 64 << 10];
            loop {
                match file.read(&mut buffer)? {
                    0 => break,
                    length => out.write_all(&buffer[..length])?,
                }
            }
        }
        out.write_all(&self.memory)
    }
}

/// A file that is gone when it is closed.
fn nameless() -> io::Result<File> {
    let number = u64::from_le_bytes(random::array().map_err(io::Error::other)?);
    let path = std::env::temp_dir().join(format!("roadstead-archive-{number:016x}"));
    let file = File::options().read(true).write(true).create_new(true).open(&path)?;
    fs::remove_file(&path)?;
    Ok(file)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gives_back_what_it_was_given_whether_it_fits_or_not() {
        for parts in [1, 5] {
            let (mut spool, mut expected) = (Spool::default(), Vec::new());
            for part in 0..parts {
                let bytes = vec![part; ROOM / 2];
                spool.push(&bytes).unwrap();
                expected.extend_from_slice(&bytes);
            }
            assert!(spool.memory.len() < ROOM && spool.file.is_some() == (parts == 5));
            let mut out = Vec::new();
            spool.copy_to(&mut out).unwrap();
            assert_eq!((out == expected, spool.len()), (true, expected.len() as u64));
        }
    }
}
