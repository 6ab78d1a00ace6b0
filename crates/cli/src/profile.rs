//! Profiles: the servers that `roadstead login` has signed in to, kept in `roadstead/config.toml` below the user's
//! configuration folder, readable by that user alone.

use std::{
    collections::BTreeMap,
    env, fs,
    io::{self, Write},
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};

/// The profile that is used when none is named.
pub const DEFAULT: &str = "default";

/// A server, and the key to it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Profile {
    /// The server's address.
    pub url: String,
    /// The user that signed in.
    pub username: String,
    /// The secret of the API key made for this profile.
    pub api_key: String,
    /// A file with the CA certificates that alone may vouch for the server.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ca_file: Option<PathBuf>,
}

#[derive(Debug, Default, Serialize, Deserialize)]
struct Profiles {
    #[serde(default)]
    profiles: BTreeMap<String, Profile>,
}

/// Where the profiles are kept.
pub fn default_path() -> Option<PathBuf> {
    let set = |name| env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    let folder = set("XDG_CONFIG_HOME").filter(|path| path.is_absolute());
    let folder = folder.or_else(|| set("HOME").map(|home| home.join(".config")))?;
    Some(folder.join("roadstead").join("config.toml"))
}

/// Reads one profile; `None` when there is none of this name.
pub fn load(path: &Path, name: &str) -> Result<Option<Profile>> {
    Ok(read(path)?.profiles.remove(name))
}

/// Keeps one profile beside the others.
pub fn save(path: &Path, name: &str, profile: Profile) -> Result<()> {
    let mut all = read(path)?;
    all.profiles.insert(name.to_owned(), profile);
    let text = toml::to_string(&all).map_err(|e| Error::local("cannot write the profile").caused_by(e))?;
    write(path, &text).map_err(|e| Error::local(format!("cannot write {}", path.display())).caused_by(e))
}

fn read(path: &Path) -> Result<Profiles> {
    let text = match fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Profiles::default()),
        Err(error) => return Err(Error::local(format!("cannot read {}", path.display())).caused_by(error)),
    };
    toml::from_str(&text).map_err(|e| Error::local(format!("{} is damaged", path.display())).caused_by(e))
}

/// Written beside and renamed, so that a crash leaves the old profiles or the new ones.
fn write(path: &Path, text: &str) -> io::Result<()> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    let beside = path.with_extension(format!("new-{}", std::process::id()));
    let mut file =
        fs::OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&beside)?;
    file.write_all(text.as_bytes()).and_then(|()| file.sync_all())?;
    fs::rename(&beside, path)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    fn profile(url: &str) -> Profile {
        Profile {
            url: url.to_owned(),
            username: "ann".to_owned(),
            api_key: "secret".to_owned(),
            ca_file: Some(PathBuf::from("/etc/ca.pem")),
        }
    }

    #[test]
    fn profiles_stay_beside_each_other_and_private() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("roadstead/config.toml");
        assert_eq!(load(&path, DEFAULT).unwrap(), None);
        save(&path, DEFAULT, profile("http://127.0.0.1:1")).unwrap();
        save(&path, "other", profile("http://127.0.0.1:2")).unwrap();
        assert_eq!(load(&path, DEFAULT).unwrap(), Some(profile("http://127.0.0.1:1")));
        assert_eq!(load(&path, "other").unwrap(), Some(profile("http://127.0.0.1:2")));
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    }

    #[test]
    fn a_damaged_file_is_told_and_kept() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("config.toml");
        fs::write(&path, "profiles = 3").unwrap();
        assert!(save(&path, DEFAULT, profile("http://127.0.0.1:1")).is_err());
        assert_eq!(fs::read_to_string(&path).unwrap(), "profiles = 3");
    }
}
