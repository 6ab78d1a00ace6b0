//! The sealed JSON files of a repository: index, snapshots, locks, config.
//!
//! Source: restic's design document, "Unpacked Data Format". In version 2 the first plain byte tells the
//! encoding: `{` or `[` is JSON itself, 2 is Zstandard. Every file read is first compared with its name.

use std::sync::Arc;

use crate::cipher::Key;
use crate::compression::{self, Compression, Packer};
use crate::error::{Error, ErrorKind, Result};
use crate::id::Id;
use crate::store::{FileKind, Name, Store};

/// What a JSON file may unpack to. An index of 50,000 blobs takes a tenth of this.
const MAX_PLAIN: u64 = 256 << 20;
const ZSTD: u8 = 2;

/// A store together with the master key.
pub(crate) struct Files {
    pub(crate) store: Arc<dyn Store>,
    pub(crate) key: Key,
    /// The repository's version: 1 or 2.
    pub(crate) version: u32,
}

impl Files {
    /// Reads, verifies, decrypts and unpacks a file; the result is JSON.
    pub(crate) fn load(&self, kind: FileKind, name: &Name) -> Result<Vec<u8>> {
        let mut sealed = self.store.read(kind, name)?;
        if kind != FileKind::Config && Id::of(&sealed) != name.0 {
            return Err(Error::damaged(format!("{kind}/{name} does not match its name")));
        }
        let open = |sealed: &mut [u8]| decode(self.key.open(sealed)?);
        open(&mut sealed).map_err(|e| Error::damaged(format!("{kind}/{name} cannot be read")).with_source(e))
    }

    /// Packs, seals and stores JSON; gives its name.
    pub(crate) fn save(&self, kind: FileKind, json: &[u8]) -> Result<Name> {
        let sealed = match (kind, self.version) {
            (FileKind::Config, _) | (_, 1) => self.key.seal(json)?,
            _ => {
                let mut plain = vec![ZSTD; 1 + Packer::bound(json.len())];
                let length = Packer::new(Compression::Auto)?.compress(json, &mut plain[1..])?;
                self.key.seal(&plain[..1 + length])?
            }
        };
        let name = if kind == FileKind::Config { Name::CONFIG } else { Name(Id::of(&sealed)) };
        self.store.save(kind, &name, &sealed)?;
        Ok(name)
    }
}

fn decode(plain: &[u8]) -> Result<Vec<u8>> {
    match plain.split_first() {
        Some((b'{' | b'[', _)) => Ok(plain.to_vec()),
        Some((&ZSTD, packed)) => compression::decompress_stream(packed, MAX_PLAIN),
        Some((other, _)) => Err(Error::new(ErrorKind::Unsupported, format!("unknown encoding {other}"))),
        None => Err(Error::damaged("an empty file")),
    }
}
