//! The index as its files have it; where one cannot be read, as the headers of the packs do that it named.
//!
//! An index file says nothing that the packs do not say themselves, so a damaged one is no reason to fail. Reading
//! headers takes longer, so whoever works with the repository is told to have the index repaired.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use crate::cancel::Cancel;
use crate::error::{ErrorKind, Result};
use crate::files::Files;
use crate::id::Id;
use crate::index::Index;
use crate::index_file;
use crate::pack_headers::PackHeaders;
use crate::store::{FileKind, Name};
use crate::threads::{in_turn, threads};

/// How many files are read at a time at least: enough to keep two processors busy where some are small. Each is in
/// memory whole until it is taken in.
const AT_A_TIME: usize = 4;

/// What the index files come to.
#[derive(Clone)]
pub(super) struct IndexFiles {
    /// The files, in order.
    pub(super) names: Vec<Name>,
    pub(super) index: Arc<Index>,
    /// Those that cannot be read.
    pub(super) damaged: Vec<Name>,
}

impl IndexFiles {
    /// Reads these files, as many at a time as there are processors, and at least some.
    pub(super) fn read(files: &Files, names: Vec<Name>) -> Result<Self> {
        let (mut index, mut damaged) = (Index::default(), Vec::new());
        let load = |name: &Name| files.load(FileKind::Index, name).and_then(|json| index_file::parse(&json));
        in_turn(&names, threads(0).max(AT_A_TIME), load, |name, loaded| {
            match loaded {
                Ok(packs) => index.extend(&packs)?,
                Err(e) if matches!(e.kind(), ErrorKind::Damaged | ErrorKind::Io) => damaged.push(*name),
                Err(e) => return Err(e),
            }
            Ok(())
        })?;
        let index = if damaged.is_empty() { index } else { complete(files, index)? };
        Ok(Self { names, index: Arc::new(index.finished()), damaged })
    }
}

/// Adds the packs that no file named which could be read.
fn complete(files: &Files, index: Index) -> Result<Index> {
    let named: HashSet<Id> = index.packs().collect();
    let packs = files.store.list(FileKind::Pack)?;
    let unnamed = packs.into_iter().filter(|(name, _)| !named.contains(&name.0)).collect();
    let mut headers = PackHeaders { index, ..PackHeaders::default() };
    headers.add(files, unnamed, &HashMap::new(), 0, &Cancel::new())?;
    Ok(headers.index)
}
