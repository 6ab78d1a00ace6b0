//! The web page: built, and tested in a real browser.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
    time::SystemTime,
};

use anyhow::{Context, Result, bail};

use crate::{
    command::{project_dir, run, target_dir, works},
    tools,
};

/// Builds the page into `ui/dist`, where the binary takes it from. `false`, with a word on why, where there is no npm
/// for it; in CI there has to be.
pub fn build() -> Result<bool> {
    if !works("npm", "--version") {
        if std::env::var_os("CI").is_some() {
            bail!("the page needs Node.js with npm");
        }
        println!("there is no npm, so the page is left as it is; Node.js 20 or later has one");
        return Ok(false);
    }
    install()?;
    if !is_fresh()? {
        run(npm().args(["run", "build"]))?;
    }
    Ok(true)
}

/// Whether the page was built after the last change to what it is built from. Another build of the same would have the
/// binary compiled anew, too.
fn is_fresh() -> Result<bool> {
    let Ok(built) = fs::metadata(folder().join("dist/index.html")) else { return Ok(false) };
    let built = built.modified()?;
    let mut sources = vec![project_dir().join("openapi.json")];
    let others = ["src", "public", "index.html", "vite.config.ts", "tsconfig.json", "package-lock.json"];
    sources.extend(others.iter().map(|name| folder().join(name)));
    for source in sources {
        if newest(&source)? > built {
            return Ok(false);
        }
    }
    Ok(true)
}

/// When something in this file or folder was last changed; what `npm run types` makes does not count.
fn newest(path: &Path) -> Result<SystemTime> {
    let metadata = fs::metadata(path).with_context(|| format!("cannot look at {}", path.display()))?;
    let mut newest = metadata.modified()?;
    if metadata.is_dir() {
        for entry in fs::read_dir(path)? {
            let entry = entry?.path();
            if !entry.ends_with("api/schema.ts") {
                newest = newest.max(self::newest(&entry)?);
            }
        }
    }
    Ok(newest)
}

/// Checks types and style, tests the logic, then the whole in Chromium against the binary that the tests built.
pub fn test() -> Result<()> {
    tools::apt_programs(&[("chromium", "--version", "chromium")])?;
    run(npm().args(["run", "check"]))?;
    run(npm().arg("test"))?;
    let mut e2e = npm();
    e2e.args(["run", "e2e"]);
    e2e.env("ROADSTEAD_BIN", target_dir().join("debug/roadstead"));
    e2e.env("ROADSTEAD_SCREENSHOTS", target_dir().join("screenshots"));
    run(&mut e2e)
}

/// Builds the page in any case, which prints how large the first view is, gzipped.
pub fn build_anew() -> Result<()> {
    install()?;
    run(npm().args(["run", "build"]))
}

/// Prints what the page in this binary costs who opens it: what is read, and how soon something is painted.
pub fn figures(program: &Path) -> Result<()> {
    tools::apt_programs(&[("chromium", "--version", "chromium")])?;
    run(npm().args(["run", "figures"]).env("ROADSTEAD_BIN", program))
}

/// Installs what the page is built with, as the lock file has it, unless that is there.
fn install() -> Result<()> {
    let installed = folder().join("node_modules/.roadstead-lock");
    let lock = fs::read(folder().join("package-lock.json")).context("cannot read ui/package-lock.json")?;
    if fs::read(&installed).is_ok_and(|known| known == lock) {
        return Ok(());
    }
    run(npm().args(["ci", "--no-audit", "--no-fund"]))?;
    fs::write(&installed, lock)?;
    Ok(())
}

fn folder() -> PathBuf {
    project_dir().join("ui")
}

fn npm() -> Command {
    let mut command = Command::new("npm");
    command.current_dir(folder());
    command
}
