//! Packs: many sealed blobs in one file, with a sealed table of contents at the end.
//!
//! Source: restic's design document, "Pack Format":
//! `blob .. blob || sealed header || length of the sealed header (u32, little endian)`. A header entry is
//! type (0 data, 1 tree, 2 compressed data, 3 compressed tree), stored length, plain length if compressed,
//! id. Offsets follow from the lengths.

use crate::cipher::{Key, OVERHEAD};
use crate::error::{Error, Result};
use crate::id::Id;

/// When a pack is full, in bytes.
pub(crate) const PACK_SIZE: usize = 16 << 20;
/// And in blobs: restic reads headers of at most 16 MiB.
const PACK_BLOBS: usize = 65_536;
/// Bounds a header read from a store.
const MAX_HEADER: usize = 64 << 20;
const PLAIN_ENTRY: usize = 37;
const COMPRESSED_ENTRY: usize = 41;

/// What a blob holds. The two never share a pack.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum BlobKind {
    Data,
    Tree,
}

/// One blob as a pack's header or an index lists it. All lengths in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct PackedBlob {
    pub(crate) id: Id,
    pub(crate) kind: BlobKind,
    pub(crate) offset: u32,
    /// As stored, sealing included.
    pub(crate) length: u32,
    /// Before compression; `None` for blobs stored plain.
    pub(crate) plain_length: Option<u32>,
}

impl PackedBlob {
    /// How long the blob is when it is opened and unpacked.
    pub(crate) fn plain_size(&self) -> u32 {
        self.plain_length.unwrap_or_else(|| self.length.saturating_sub(OVERHEAD as u32))
    }
}

/// A pack being filled, in a buffer that is handed back after its upload and used again.
#[derive(Default)]
pub(crate) struct PackBuilder {
    pub(crate) bytes: Vec<u8>,
    pub(crate) blobs: Vec<PackedBlob>,
}

impl PackBuilder {
    pub(crate) fn with_capacity(bytes: usize) -> Self {
        Self { bytes: Vec::with_capacity(bytes), blobs: Vec::new() }
    }

    /// Appends a sealed blob.
    pub(crate) fn push(&mut self, kind: BlobKind, id: Id, plain_length: Option<u32>, sealed: &[u8]) {
        let (offset, length) = (self.bytes.len() as u32, sealed.len() as u32);
        self.blobs.push(PackedBlob { id, kind, offset, length, plain_length });
        self.bytes.extend_from_slice(sealed);
    }

    pub(crate) fn is_full(&self) -> bool {
        self.bytes.len() >= PACK_SIZE || self.blobs.len() >= PACK_BLOBS
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.blobs.is_empty()
    }

    /// Appends the header. After this `bytes` is the file.
    pub(crate) fn finish(&mut self, key: &Key) -> Result<()> {
        let mut header = Vec::with_capacity(self.blobs.len() * COMPRESSED_ENTRY);
        self.blobs.iter().for_each(|blob| push_entry(&mut header, blob));
        let sealed = key.seal(&header)?;
        self.bytes.extend_from_slice(&sealed);
        self.bytes.extend_from_slice(&(sealed.len() as u32).to_le_bytes());
        Ok(())
    }
}

fn push_entry(header: &mut Vec<u8>, blob: &PackedBlob) {
    let kind = u8::from(blob.kind == BlobKind::Tree) | (u8::from(blob.plain_length.is_some()) << 1);
    header.push(kind);
    header.extend_from_slice(&blob.length.to_le_bytes());
    if let Some(length) = blob.plain_length {
        header.extend_from_slice(&length.to_le_bytes());
    }
    header.extend_from_slice(&blob.id.0);
}

/// What the header of these blobs adds to their own bytes.
pub(crate) fn header_size<'a>(blobs: impl Iterator<Item = &'a PackedBlob>) -> u64 {
    blobs.map(entry_size).sum::<u64>() + OVERHEAD as u64 + 4
}

/// What one blob adds to the header.
pub(crate) fn entry_size(blob: &PackedBlob) -> u64 {
    (if blob.plain_length.is_some() { COMPRESSED_ENTRY } else { PLAIN_ENTRY }) as u64
}

/// The blobs of a whole pack file, as its header lists them.
pub(crate) fn parse(pack: &[u8], key: &Key) -> Result<Vec<PackedBlob>> {
    header_end(pack, pack.len() as u64)?;
    parse_end(pack, pack.len() as u64, key)
}

/// How many bytes at the end of a pack of `size` bytes the header takes, with its length; told from any
/// last part of the file.
pub(crate) fn header_end(end: &[u8], size: u64) -> Result<u64> {
    let Some(length) = end.last_chunk::<4>() else {
        return Err(Error::damaged("a pack is too short"));
    };
    let length = u32::from_le_bytes(*length) as usize;
    let needed = length as u64 + 4;
    if needed > size || length > MAX_HEADER {
        return Err(Error::damaged("a pack's header has an impossible length"));
    }
    Ok(needed)
}

/// The blobs of a pack of `size` bytes, out of a last part of it with at least [`header_end`] bytes.
pub(crate) fn parse_end(end: &[u8], size: u64, key: &Key) -> Result<Vec<PackedBlob>> {
    let needed = header_end(end, size)?;
    let start = usize::try_from(needed).ok().and_then(|needed| end.len().checked_sub(needed));
    let sealed = start.and_then(|start| end.get(start..end.len() - 4));
    let mut sealed = sealed.ok_or_else(|| Error::damaged("a pack is too short"))?.to_vec();
    let blobs = parse_header(key.open(&mut sealed)?)?;
    let total: u64 = blobs.iter().map(|blob| u64::from(blob.length)).sum();
    if total == size - needed {
        Ok(blobs)
    } else {
        Err(Error::damaged("a pack's header does not fit its blobs"))
    }
}

/// Reads a decrypted header.
pub(crate) fn parse_header(mut header: &[u8]) -> Result<Vec<PackedBlob>> {
    let mut blobs = Vec::with_capacity(header.len() / PLAIN_ENTRY);
    let mut offset = 0u32;
    while !header.is_empty() {
        let (blob, rest) =
            parse_entry(header, offset).ok_or_else(|| Error::damaged("a pack's header is malformed"))?;
        offset =
            offset.checked_add(blob.length).ok_or_else(|| Error::damaged("a pack is impossibly large"))?;
        blobs.push(blob);
        header = rest;
    }
    Ok(blobs)
}

fn parse_entry(header: &[u8], offset: u32) -> Option<(PackedBlob, &[u8])> {
    let (&kind, rest) = header.split_first()?;
    let (length, rest) = rest.split_first_chunk::<4>()?;
    let (plain_length, rest) = match kind {
        0 | 1 => (None, rest),
        2 | 3 => rest.split_first_chunk::<4>().map(|(n, rest)| (Some(u32::from_le_bytes(*n)), rest))?,
        _ => return None,
    };
    let (id, rest) = rest.split_first_chunk::<32>()?;
    let kind = if kind & 1 == 0 { BlobKind::Data } else { BlobKind::Tree };
    Some((PackedBlob { id: Id(*id), kind, offset, length: u32::from_le_bytes(*length), plain_length }, rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pack_tells_what_is_in_it() {
        let key = Key::generate().unwrap();
        let mut pack = PackBuilder::default();
        pack.push(BlobKind::Data, Id::of(b"a"), None, b"sealed a");
        pack.push(BlobKind::Data, Id::of(b"b"), Some(7), b"sealed bb");
        let blobs = pack.blobs.clone();
        pack.finish(&key).unwrap();
        assert_eq!(parse(&pack.bytes, &key).unwrap(), blobs);
        let plain: u64 = blobs.iter().map(|b| u64::from(b.length)).sum();
        assert_eq!(pack.bytes.len() as u64, plain + header_size(blobs.iter()));
    }

    proptest::proptest! {
        #[test]
        fn hostile_headers_never_panic(bytes: Vec<u8>) {
            let _ = parse_header(&bytes);
        }
    }
}
