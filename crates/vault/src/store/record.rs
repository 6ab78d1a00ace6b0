//! A record of what is asked of a store: for tests that count calls, and for whoever wants to know what an
//! operation costs at a store where each call is paid for.

use std::sync::{Arc, Mutex};

use super::{FileKind, Name, Store};
use crate::error::Result;
use crate::threads::unpoisoned;

/// What was asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Verb {
    /// All files of a kind.
    List,
    /// A whole file.
    Read,
    /// A part of a file.
    ReadRange,
    /// To store a file.
    Save,
    /// To remove a file.
    Remove,
    /// To throw a file away.
    Discard,
    /// The size of a file.
    Size,
}

/// One call that was answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Operation {
    /// What was asked.
    pub verb: Verb,
    /// Of files of which kind.
    pub kind: FileKind,
    /// Of which file; `None` for lists.
    pub name: Option<Name>,
    /// Bytes that were moved; for lists, how many files there were.
    pub amount: u64,
}

/// A store around another that remembers the calls that succeeded, in the order in which they ended.
pub struct RecordingStore {
    inner: Arc<dyn Store>,
    operations: Mutex<Vec<Operation>>,
}

impl RecordingStore {
    /// Remembers what is asked of `inner`.
    pub fn new(inner: Arc<dyn Store>) -> Self {
        Self { inner, operations: Mutex::default() }
    }

    /// What was asked since this was asked last.
    pub fn take(&self) -> Vec<Operation> {
        std::mem::take(&mut *unpoisoned(&self.operations))
    }

    fn note<T>(
        &self,
        (verb, kind, name): (Verb, FileKind, Option<&Name>),
        answer: Result<T>,
        amount: impl FnOnce(&T) -> usize,
    ) -> Result<T> {
        let answer = answer?;
        let amount = amount(&answer) as u64;
        unpoisoned(&self.operations).push(Operation { verb, kind, name: name.copied(), amount });
        Ok(answer)
    }
}

impl Store for RecordingStore {
    fn list(&self, kind: FileKind) -> Result<Vec<(Name, u64)>> {
        self.note((Verb::List, kind, None), self.inner.list(kind), Vec::len)
    }

    fn read(&self, kind: FileKind, name: &Name) -> Result<Vec<u8>> {
        self.note((Verb::Read, kind, Some(name)), self.inner.read(kind, name), Vec::len)
    }

    fn read_range(&self, kind: FileKind, name: &Name, offset: u64, length: usize) -> Result<Vec<u8>> {
        let answer = self.inner.read_range(kind, name, offset, length);
        self.note((Verb::ReadRange, kind, Some(name)), answer, Vec::len)
    }

    fn read_range_into(&self, kind: FileKind, name: &Name, offset: u64, bytes: &mut [u8]) -> Result<()> {
        let answer = self.inner.read_range_into(kind, name, offset, bytes);
        self.note((Verb::ReadRange, kind, Some(name)), answer, |()| bytes.len())
    }

    fn is_near(&self) -> bool {
        self.inner.is_near()
    }

    fn save(&self, kind: FileKind, name: &Name, bytes: &[u8]) -> Result<()> {
        self.note((Verb::Save, kind, Some(name)), self.inner.save(kind, name, bytes), |()| bytes.len())
    }

    fn remove(&self, kind: FileKind, name: &Name) -> Result<()> {
        self.note((Verb::Remove, kind, Some(name)), self.inner.remove(kind, name), |()| 0)
    }

    fn has_trash(&self) -> bool {
        self.inner.has_trash()
    }

    fn discard(&self, kind: FileKind, name: &Name) -> Result<()> {
        self.note((Verb::Discard, kind, Some(name)), self.inner.discard(kind, name), |()| 0)
    }

    fn size(&self, kind: FileKind, name: &Name) -> Result<u64> {
        self.note((Verb::Size, kind, Some(name)), self.inner.size(kind, name), |_| 0)
    }

    fn location(&self) -> String {
        self.inner.location()
    }

    fn behind_cache(&self) -> Option<Arc<dyn Store>> {
        self.inner.behind_cache()
    }
}
