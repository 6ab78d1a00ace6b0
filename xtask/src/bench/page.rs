//! What the page costs who opens it: the size of the first view, and how soon something is painted, in a real browser.

use anyhow::Result;

use crate::{build, command::target_dir, page};

/// Measures and prints.
pub fn run() -> Result<()> {
    page::build_anew()?;
    build::binary(true)?;
    page::figures(&target_dir().join("release/roadstead"))
}
