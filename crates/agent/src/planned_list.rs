//! The first files of a restore's plan, as many as fit into a message to the server.

use std::path::Path;

use roadstead_api::{
    link::MAX_MESSAGE_BYTES,
    restore::{MAX_PLANNED_FILES, PlannedFile, PlannedFiles, RestoreAction, RestorePlan},
};
use roadstead_vault::Planned;

/// What the list may take of a message, in bytes of JSON; errors may take as much, and the rest needs little.
const MAX_BYTES: usize = MAX_MESSAGE_BYTES / 4;

/// Collects files.
#[derive(Debug, Default)]
pub(crate) struct PlannedList {
    files: Vec<PlannedFile>,
    bytes: usize,
    full: bool,
}

impl PlannedList {
    /// Adds a file, unless the list is full. Once full it stays so.
    pub fn push(&mut self, path: &Path, action: roadstead_vault::RestoreAction, size_bytes: u64) {
        if self.full || self.files.len() >= MAX_PLANNED_FILES {
            self.full = true;
            return;
        }
        let path = path.to_string_lossy().into_owned();
        let file = PlannedFile { path, action: action_of(action), size_bytes };
        self.bytes += serde_json::to_vec(&file).map_or(MAX_BYTES, |json| json.len() + 1);
        self.full = self.bytes > MAX_BYTES;
        if !self.full {
            self.files.push(file);
        }
    }

    /// The plan, with the files collected.
    pub fn into_plan(self, plan: &roadstead_vault::RestorePlan) -> RestorePlan {
        let counted = |planned: Planned| PlannedFiles { files: planned.files, bytes: planned.bytes };
        RestorePlan {
            created: counted(plan.created),
            overwritten: counted(plan.overwritten),
            left: counted(plan.left),
            refused: counted(plan.refused),
            files: self.files,
        }
    }
}

fn action_of(action: roadstead_vault::RestoreAction) -> RestoreAction {
    match action {
        roadstead_vault::RestoreAction::Create => RestoreAction::Create,
        roadstead_vault::RestoreAction::Overwrite => RestoreAction::Overwrite,
        roadstead_vault::RestoreAction::Leave => RestoreAction::Leave,
        roadstead_vault::RestoreAction::Refuse => RestoreAction::Refuse,
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use roadstead_api::{link::MAX_MESSAGE_BYTES, restore::MAX_PLANNED_FILES};
    use roadstead_vault::{RestoreAction, RestorePlan};

    use super::PlannedList;

    #[test]
    fn the_first_files_are_kept_as_far_as_they_fit() {
        let mut list = PlannedList::default();
        for n in 0..MAX_PLANNED_FILES + 10 {
            list.push(Path::new(&n.to_string()), RestoreAction::Create, 1);
        }
        assert_eq!(list.into_plan(&RestorePlan::default()).files.len(), MAX_PLANNED_FILES);
        let (mut list, long) = (PlannedList::default(), "\u{1}".repeat(4096));
        for _ in 0..MAX_PLANNED_FILES {
            list.push(Path::new(&long), RestoreAction::Leave, 1);
        }
        let plan = list.into_plan(&RestorePlan::default());
        assert!(!plan.files.is_empty() && plan.files.len() < MAX_PLANNED_FILES);
        assert!(serde_json::to_vec(&plan).unwrap().len() < MAX_MESSAGE_BYTES / 2);
    }
}
