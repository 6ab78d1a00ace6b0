//! Which of several copies of a needed blob to keep.

use std::collections::{HashMap, HashSet};

use super::usage::Usage;
use crate::cancel::Cancel;
use crate::error::{ErrorKind, Result};
use crate::id::Id;
use crate::index::Location;
use crate::pack::BlobKind;
use crate::repository::Blobs;

/// The copies chosen. A blob that lies in one place only needs no choice.
#[derive(Default)]
pub(super) struct Choice {
    /// Packs that this run wrote, of content it had verified.
    pub(super) trusted: HashSet<Id>,
    chosen: HashMap<(BlobKind, Id), Location>,
}

impl Choice {
    /// Chooses for every needed blob with several copies: one that this run wrote; else the one chosen
    /// before; else the first to arrive that is sound. Reads those it must know to be sound.
    pub(super) fn settle(&mut self, blobs: &Blobs, usage: &Usage, cancel: &Cancel) -> Result<()> {
        let mut chosen = HashMap::new();
        let mut copies: Vec<Location> = Vec::new();
        for location in blobs.index.iter() {
            if copies.first().is_some_and(|first| key(first) != key(&location)) {
                self.decide(&mut chosen, blobs, usage, &copies, cancel)?;
                copies.clear();
            }
            copies.push(location);
        }
        self.decide(&mut chosen, blobs, usage, &copies, cancel)?;
        self.chosen = chosen;
        Ok(())
    }

    fn decide(
        &self,
        chosen: &mut HashMap<(BlobKind, Id), Location>,
        blobs: &Blobs,
        usage: &Usage,
        copies: &[Location],
        cancel: &Cancel,
    ) -> Result<()> {
        let [first, _, ..] = copies else { return Ok(()) };
        let key = key(first);
        if !usage.contains(key.0, &key.1) {
            return Ok(());
        }
        cancel.check()?;
        let ours = copies.iter().find(|location| self.trusted.contains(&location.pack));
        let before = self.chosen.get(&key).filter(|location| copies.contains(location));
        let choice = match ours.or(before) {
            Some(location) => *location,
            // If all are damaged it does not matter which stays.
            None => first_sound(blobs, copies)?.unwrap_or(*first),
        };
        chosen.insert(key, choice);
        Ok(())
    }

    pub(super) fn is_chosen(&self, location: &Location) -> bool {
        self.chosen.get(&key(location)).is_none_or(|chosen| chosen == location)
    }
}

fn key(location: &Location) -> (BlobKind, Id) {
    (location.blob.kind, location.blob.id)
}

fn first_sound(blobs: &Blobs, copies: &[Location]) -> Result<Option<Location>> {
    for location in copies {
        match blobs.verify_copy(location) {
            Ok(()) => return Ok(Some(*location)),
            Err(e) if matches!(e.kind(), ErrorKind::Damaged | ErrorKind::NotFound) => {}
            Err(e) => return Err(e),
        }
    }
    Ok(None)
}
