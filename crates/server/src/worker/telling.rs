//! What work that takes long tells its parent while it goes on, and what it keeps for its end.

use std::{
    io::Write,
    sync::{Mutex, PoisonError},
};

use roadstead_api::run::Progress;
use roadstead_vault::{FileError, Monitor};

use super::Reply;

/// How many sentences are kept; more are counted.
const MAX_SENTENCES: usize = 1000;

/// Tells the parent how far the work has come.
pub struct Telling;

impl Monitor for Telling {
    fn progress(&self, progress: &roadstead_vault::Progress) {
        let told = Reply::<()>::Progress(Progress {
            files_searched: progress.files_searched,
            bytes_searched: progress.bytes_searched,
            files_done: progress.files_backed_up,
            bytes_done: progress.bytes_backed_up,
            bytes_added: progress.bytes_added,
            files_total: progress.files_total,
            bytes_total: progress.bytes_total,
            totals_final: progress.totals_final,
            error_count: progress.errors,
            current_path: Some(progress.current.clone()).filter(|path| !path.is_empty()),
        });
        // A parent that is gone ends the work by other means.
        if let Ok(line) = serde_json::to_string(&told) {
            let _ = writeln!(std::io::stdout().lock(), "{line}");
        }
    }
}

/// The same, and keeps what is lost.
#[derive(Default)]
pub struct Lost(Mutex<Sentences>);

#[derive(Default)]
struct Sentences {
    kept: Vec<String>,
    more: usize,
}

impl Lost {
    /// A sentence for each thing that is lost.
    pub fn into_sentences(self) -> Vec<String> {
        let Sentences { mut kept, more } = self.0.into_inner().unwrap_or_else(PoisonError::into_inner);
        if more > 0 {
            kept.push(format!("and {more} more"));
        }
        kept
    }
}

impl Monitor for Lost {
    fn progress(&self, progress: &roadstead_vault::Progress) {
        Telling.progress(progress);
    }

    fn error(&self, error: &FileError) {
        let mut sentences = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if sentences.kept.len() < MAX_SENTENCES {
            sentences.kept.push(error.to_string());
        } else {
            sentences.more += 1;
        }
    }
}
