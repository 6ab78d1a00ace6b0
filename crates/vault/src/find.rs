//! Finding files by name, kind and time in any number of snapshots.
//!
//! Snapshots share most of their folders. What was looked through once without a match is not looked
//! through again, in whichever snapshot it turns up.

use std::collections::HashSet;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use jiff::Timestamp;

use crate::browse::Entry;
use crate::cancel::Cancel;
use crate::error::Result;
use crate::filter::Filter;
use crate::id::Id;
use crate::monitor::{FileError, Monitor};
use crate::node::{Node, NodeKind};
use crate::repository::Repository;
use crate::snapshot::Snapshot;
use crate::walk::{Step, Visitor, walk};

/// Folders remembered to be without a match: 32 MiB of them.
const MAX_BARREN: usize = 1 << 20;

/// What to look for. An entry must satisfy all that is given.
#[derive(Debug, Clone, Default)]
pub struct FindOptions {
    /// Patterns in restic's syntax, one of which must match the entry itself (and not only a folder above
    /// it); any entry when empty.
    pub patterns: Vec<String>,
    /// Whether letters of either case are the same.
    pub ignore_case: bool,
    /// What it must be.
    pub kind: Option<NodeKind>,
    /// Its content changed at this time or later.
    pub modified_from: Option<Timestamp>,
    /// Its content changed before this time.
    pub modified_before: Option<Timestamp>,
}

/// An entry found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// The snapshot it is in.
    pub snapshot: Id,
    /// Its path there.
    pub path: PathBuf,
    /// What is known of it.
    pub entry: Entry,
}

/// Whether to go on looking.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Search {
    /// There may be more.
    Continue,
    /// Enough was found.
    Stop,
}

impl Repository {
    /// Looks through these snapshots, one after the other in the order given, and hands over each entry
    /// found, in byte order of paths. Folders that cannot be read are told to `monitor`; the search goes on
    /// without them. [`ErrorKind::Invalid`](crate::ErrorKind::Invalid) when a pattern is malformed.
    pub fn find(
        &self,
        snapshots: &[Snapshot],
        options: &FindOptions,
        monitor: &dyn Monitor,
        cancel: &Cancel,
        found: &mut dyn FnMut(Found) -> Search,
    ) -> Result<()> {
        let fold =
            |pattern: &String| if options.ignore_case { pattern.to_lowercase() } else { pattern.clone() };
        let patterns: Vec<String> = options.patterns.iter().map(fold).collect();
        let filter = Filter::new(&patterns)?;
        let blobs = self.blobs()?;
        let mut finder = Finder {
            options,
            anywhere: filter.looks_at_names_alone(),
            filter,
            monitor,
            found,
            snapshot: self.id(),
            matches: Vec::new(),
            barren: HashSet::new(),
            stopped: false,
        };
        for snapshot in snapshots {
            finder.snapshot = snapshot.id;
            finder.matches.clear();
            walk(&blobs, snapshot.tree, cancel, &mut finder)?;
            if finder.stopped {
                break;
            }
        }
        Ok(())
    }
}

struct Finder<'a> {
    options: &'a FindOptions,
    filter: Filter,
    /// Whether a folder without a match has none at any other path.
    anywhere: bool,
    monitor: &'a dyn Monitor,
    found: &'a mut dyn FnMut(Found) -> Search,
    snapshot: Id,
    /// For each folder on the way, whether something matched in it or beneath.
    matches: Vec<bool>,
    barren: HashSet<Id>,
    stopped: bool,
}

impl Finder<'_> {
    fn is_wanted(&self, path: &Path, node: &Node) -> bool {
        let options = self.options;
        let folded = options.ignore_case.then(|| PathBuf::from(path.to_string_lossy().to_lowercase()));
        options.kind.is_none_or(|kind| node.kind == kind)
            && options.modified_from.is_none_or(|from| node.mtime >= from)
            && options.modified_before.is_none_or(|before| node.mtime < before)
            && (self.filter.is_empty() || self.filter.names(folded.as_deref().unwrap_or(path)))
    }

    /// What stands for a folder among those without a match.
    fn key(&self, tree: &Id, path: &Path) -> Id {
        match self.anywhere {
            true => *tree,
            false => Id::of(&[&tree.0, path.as_os_str().as_bytes()].concat()),
        }
    }
}

impl Visitor for Finder<'_> {
    fn entry(&mut self, path: &Path, node: Node) -> Result<Step> {
        let folder = node.folder();
        if self.is_wanted(path, &node) {
            self.matches.iter_mut().for_each(|matched| *matched = true);
            let found = Found { snapshot: self.snapshot, path: path.to_owned(), entry: Entry::from(node) };
            if (self.found)(found) == Search::Stop {
                self.stopped = true;
                return Ok(Step::Stop);
            }
        }
        let enter = folder.is_some_and(|tree| {
            let may_match =
                self.filter.is_empty() || self.filter.may_match_beneath(path) || self.options.ignore_case;
            may_match && !self.barren.contains(&self.key(&tree, path))
        });
        Ok(if enter { Step::Enter } else { Step::Pass })
    }

    fn entered(&mut self, _tree: &Id, _path: &Path) {
        self.matches.push(false);
    }

    fn left(&mut self, tree: &Id, path: &Path) {
        if self.matches.pop() == Some(false) && self.barren.len() < MAX_BARREN {
            self.barren.insert(self.key(tree, path));
        }
    }

    fn trouble(&mut self, error: &FileError) {
        // A folder with something unreadable beneath is told again for each snapshot that has it.
        self.matches.iter_mut().for_each(|matched| *matched = true);
        self.monitor.error(error);
    }
}
