//! The real restic, as oracle and rival: Debian's own, and the newest that Debian builds.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, Result};

use crate::{
    command::{output, run, target_dir, works},
    tools,
};

/// Every restic to test against; installs what is missing.
pub fn all() -> Result<Vec<PathBuf>> {
    if !works("restic", "version") {
        tools::apt_install(&["restic"])?;
    }
    let packaged = output(Command::new("sh").args(["-c", "command -v restic"]))?;
    Ok(vec![PathBuf::from(packaged.trim()), newest()?])
}

/// The newest restic: unpacked from the package in Debian's development suite, and not installed.
pub fn newest() -> Result<PathBuf> {
    let folder = target_dir().join("tools/restic");
    let program = folder.join("root/usr/bin/restic");
    if works(&program, "version") {
        return Ok(program);
    }
    let _ = fs::remove_dir_all(&folder);
    for part in ["lists/partial", "cache/archives/partial", "root"] {
        fs::create_dir_all(folder.join(part))?;
    }
    let sources = folder.join("sources.list");
    let keyring = "/usr/share/keyrings/debian-archive-keyring.gpg";
    fs::write(&sources, format!("deb [signed-by={keyring}] {} sid main\n", debian_mirror()?))?;
    run(apt_get(&folder, &sources).arg("update"))?;
    run(apt_get(&folder, &sources).args(["download", "restic"]))?;
    let package = fs::read_dir(&folder)?
        .filter_map(|entry| Some(entry.ok()?.path()))
        .find(|path| path.extension().is_some_and(|extension| extension == "deb"))
        .context("apt-get download left no package")?;
    run(Command::new("dpkg").arg("-x").arg(package).arg(folder.join("root")))?;
    Ok(program)
}

/// apt-get with lists, cache and sources of its own, so that the machine's stay as they are.
fn apt_get(folder: &Path, sources: &Path) -> Command {
    let mut command = Command::new("apt-get");
    for (key, value) in [
        ("Dir::Etc::SourceList", sources.to_owned()),
        ("Dir::Etc::SourceParts", "/dev/null".into()),
        ("Dir::State::Lists", folder.join("lists")),
        ("Dir::Cache", folder.join("cache")),
        ("APT::Sandbox::User", "root".into()),
    ] {
        command.arg("-o").arg(format!("{key}={}", value.display()));
    }
    command.arg("-q").current_dir(folder);
    command
}

/// The mirror that this machine takes Debian's packages from.
fn debian_mirror() -> Result<String> {
    let mut files = vec![PathBuf::from("/etc/apt/sources.list")];
    if let Ok(folder) = fs::read_dir("/etc/apt/sources.list.d") {
        files.extend(folder.filter_map(|entry| Some(entry.ok()?.path())));
    }
    let text: String = files.iter().filter_map(|file| fs::read_to_string(file).ok()).collect();
    let uris = text.split_whitespace().filter(|word| word.starts_with("http"));
    let mirror = uris.filter(|uri| !uri.contains("snapshot")).map(|uri| uri.trim_end_matches('/'));
    Ok(mirror
        .into_iter()
        .find(|uri| uri.ends_with("/debian"))
        .context("no Debian mirror in /etc/apt")?
        .to_owned())
}
