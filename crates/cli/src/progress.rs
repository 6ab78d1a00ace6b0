//! The progress bar: on standard error, and only where that is a terminal.

use std::time::Duration;

use indicatif::{ProgressDrawTarget, ProgressStyle};
use roadstead_client::api::run::{Progress, RunState};

use crate::{human, output};

/// Redraws at the most this often.
const FRAMES_PER_SECOND: u8 = 10;

/// A bar with bytes, files, rate and time left.
pub struct ProgressBar(indicatif::ProgressBar);

impl ProgressBar {
    /// A bar; nothing is drawn where there is no terminal.
    pub fn new() -> Self {
        let target = if output::stderr_is_terminal() {
            ProgressDrawTarget::stderr_with_hz(FRAMES_PER_SECOND)
        } else {
            ProgressDrawTarget::hidden()
        };
        let bar = indicatif::ProgressBar::with_draw_target(Some(0), target);
        // The bar takes what the words leave: on a narrow terminal, nothing.
        let template = "{prefix} [{wide_bar}] {binary_bytes}/{binary_total_bytes}, {binary_bytes_per_sec}, {eta} left, {msg}";
        if let Ok(style) = ProgressStyle::with_template(template) {
            bar.set_style(style.progress_chars("=> "));
        }
        bar.enable_steady_tick(Duration::from_millis(200));
        Self(bar)
    }

    /// Shows how far a run has come; `done` is in files and bytes.
    pub fn show(&self, state: RunState, progress: &Progress, done: (u64, u64)) {
        let (files, bytes) = done;
        let more = if progress.totals_final { "" } else { "+" };
        self.0.set_prefix(state.as_str());
        self.0.set_length(progress.bytes_total.max(bytes));
        self.0.set_position(bytes);
        let mut words =
            format!("{}/{}{more} files", human::count(files), human::count(progress.files_total.max(files)));
        if progress.error_count > 0 {
            words.push_str(&format!(", {} errors", human::count(progress.error_count)));
        }
        self.0.set_message(words);
    }

    /// Takes the bar off the screen.
    pub fn clear(&self) {
        self.0.finish_and_clear();
    }
}
