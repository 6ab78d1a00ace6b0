//! Zstandard with contexts that are kept: making one costs more than compressing a small file.

use std::cell::RefCell;
use std::io::Read;

use zstd::bulk::{Compressor, Decompressor};
use zstd::zstd_safe::{CParameter, WriteBuf};

use crate::error::{Error, ErrorKind, Result};

/// The largest plain blob accepted. Chunkers stop at 8 MiB, but a tree of a million entries is one blob.
pub(crate) const MAX_BLOB: usize = 1 << 30;

/// How hard to try to make new blobs small.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Compression {
    /// About as small as zstd's level 3 makes them, for less: docs/decisions/0005 has the figures.
    #[default]
    Auto,
    /// A level of zstd, 1 to 22.
    Level(i32),
}

/// Up to this length [`Compression::Auto`] differs from level 3.
const SMALL: usize = 128 << 10;

/// What it changes there: tables that fit into a core's own cache, and no matches shorter than five bytes, which take
/// longer to find than they save.
const FOR_SMALL: [CParameter; 3] =
    [CParameter::MinMatch(5), CParameter::HashLog(15), CParameter::ChainLog(14)];

/// Compresses with contexts that are reused. One for each thread.
pub(crate) struct Packer {
    context: Compressor<'static>,
    /// For blobs that are [`SMALL`], where those are treated in another way.
    small: Option<Compressor<'static>>,
}

impl Packer {
    pub(crate) fn new(compression: Compression) -> Result<Self> {
        let failed = |e| Error::new(ErrorKind::Invalid, "setting up compression").with_source(e);
        let context = |level| Compressor::new(level).map_err(failed);
        match compression {
            Compression::Level(level) => Ok(Self { context: context(level)?, small: None }),
            Compression::Auto => {
                let mut small = context(3)?;
                let set = |parameter: &CParameter| small.set_parameter(*parameter);
                FOR_SMALL.iter().try_for_each(set).map_err(failed)?;
                Ok(Self { context: context(3)?, small: Some(small) })
            }
        }
    }

    /// Room that the compressed form of `length` bytes may need.
    pub(crate) fn bound(length: usize) -> usize {
        zstd::zstd_safe::compress_bound(length)
    }

    /// Writes the compressed form of `plain` to the beginning of `out`; returns its length.
    pub(crate) fn compress(&mut self, plain: &[u8], out: &mut [u8]) -> Result<usize> {
        let small = self.small.as_mut().filter(|_| plain.len() <= SMALL);
        let length = small.unwrap_or(&mut self.context).compress_to_buffer(plain, out);
        length.map_err(|e| Error::new(ErrorKind::Io, "compressing").with_source(e))
    }
}

thread_local! {
    static UNPACKER: RefCell<Option<Decompressor<'static>>> = const { RefCell::new(None) };
}

/// The plain form of a blob that must be exactly `length` bytes long, in place of what `plain` holds.
pub(crate) fn decompress(packed: &[u8], length: usize, plain: &mut Vec<u8>) -> Result<()> {
    if length > MAX_BLOB {
        return Err(Error::damaged("a blob claims to be absurdly large"));
    }
    plain.clear();
    plain.reserve(length);
    unpack(packed, plain)?;
    if plain.len() == length { Ok(()) } else { Err(wrong_length()) }
}

/// The plain form of a blob that must be exactly as long as `plain`.
pub(crate) fn decompress_to(packed: &[u8], plain: &mut [u8]) -> Result<()> {
    if unpack(packed, plain)? == plain.len() { Ok(()) } else { Err(wrong_length()) }
}

fn unpack<B: WriteBuf + ?Sized>(packed: &[u8], plain: &mut B) -> Result<usize> {
    let damaged = |e| Error::damaged("compressed data is malformed").with_source(e);
    UNPACKER.with_borrow_mut(|unpacker| {
        let unpacker = match unpacker {
            Some(unpacker) => unpacker,
            None => unpacker.insert(Decompressor::new().map_err(damaged)?),
        };
        unpacker.decompress_to_buffer(packed, plain).map_err(damaged)
    })
}

fn wrong_length() -> Error {
    Error::damaged("a blob has not the length it claims")
}

/// The plain form of a stream of unknown length, refused beyond `limit` bytes.
pub(crate) fn decompress_stream(packed: &[u8], limit: u64) -> Result<Vec<u8>> {
    let damaged = |e| Error::damaged("compressed data is malformed").with_source(e);
    let reader = zstd::Decoder::with_buffer(packed).map_err(damaged)?;
    let mut plain = Vec::new();
    reader.take(limit + 1).read_to_end(&mut plain).map_err(damaged)?;
    if plain.len() as u64 > limit {
        return Err(Error::damaged("a file unpacks to more than it may"));
    }
    Ok(plain)
}
