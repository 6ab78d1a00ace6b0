//! rustic_core, as rival and second oracle: a program of a workspace of its own, `bench/rustic`, so that the project is
//! built without any of it.

use std::path::PathBuf;

use anyhow::Result;

use crate::command::{cargo, project_dir, run, target_dir};

/// Builds it, which the first time takes some minutes; gives the program.
pub fn program() -> Result<PathBuf> {
    let (workspace, target) = (project_dir().join("bench/rustic"), target_dir().join("tools/rustic"));
    let mut build = cargo(&["build", "--release", "--locked", "--target-dir"]);
    run(build.arg(&target).current_dir(workspace))?;
    Ok(target.join("release/roadstead-rustic"))
}

/// The same if it was built before, and nothing else.
pub fn built() -> Option<PathBuf> {
    let program = target_dir().join("tools/rustic/release/roadstead-rustic");
    program.exists().then_some(program)
}
