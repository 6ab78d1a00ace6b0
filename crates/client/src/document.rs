//! What describes an object or a change of one: a file, a map, or whatever else serializes to its fields.

use std::path::Path;

use serde::{Serialize, de::DeserializeOwned};

use crate::error::{Error, ErrorKind, Result};

/// The longest file that is read, in bytes: more than a server takes.
const MAX_BYTES: u64 = 2 << 20;

/// Takes a value as a description. A field that does not belong there, or is of another type, is an error.
pub(crate) fn convert<T: DeserializeOwned>(value: &(impl Serialize + ?Sized)) -> Result<T> {
    let converted = serde_json::to_value(value).and_then(serde_json::from_value);
    converted.map_err(|e| Error::new(ErrorKind::Invalid, "this does not describe a change").caused_by(e))
}

/// Reads a description from a file: TOML where its name ends in `.toml`, else JSON.
pub(crate) fn read<T: DeserializeOwned>(path: &Path) -> Result<T> {
    let unreadable = |e: std::io::Error| {
        Error::new(ErrorKind::Local, format!("cannot read {}", path.display())).caused_by(e)
    };
    if path.metadata().map_err(unreadable)?.len() > MAX_BYTES {
        return Err(Error::new(ErrorKind::Invalid, format!("{} is over 2 MiB long", path.display())));
    }
    let text = std::fs::read_to_string(path).map_err(unreadable)?;
    let is_toml = path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("toml"));
    let wrong = |form: &str| format!("{} is not {form}, or does not describe a change", path.display());
    if is_toml {
        toml::from_str(&text).map_err(|e| Error::new(ErrorKind::Invalid, wrong("TOML")).caused_by(e))
    } else {
        serde_json::from_str(&text).map_err(|e| Error::new(ErrorKind::Invalid, wrong("JSON")).caused_by(e))
    }
}

#[cfg(test)]
mod tests {
    use roadstead_api::backup_configuration::BackupConfigurationChange;

    use super::*;

    fn read_as(name: &str, text: &str) -> Result<BackupConfigurationChange> {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join(name);
        std::fs::write(&file, text).unwrap();
        read(&file)
    }

    #[test]
    fn json_and_toml_say_the_same() {
        let json = r#"{"name": "n", "schedule": "daily@02:30", "retention": {"days": 30, "keep_last": 3}}"#;
        let toml = "name = 'n'\nschedule = 'daily@02:30'\n[retention]\ndays = 30\nkeep_last = 3\n";
        let change = read_as("c.json", json).unwrap();
        assert_eq!(change.retention.as_ref().and_then(|rules| rules.days), Some(30));
        assert_eq!(read_as("c.toml", toml).unwrap(), change);
        assert_eq!(convert::<BackupConfigurationChange>(&change).unwrap(), change);
    }

    #[test]
    fn what_does_not_belong_there_is_told_and_nothing_is_changed() {
        for (name, text) in [
            ("c.json", r#"{"nmae": "n"}"#),
            ("c.json", "name = 'n'"),
            ("c.toml", "{}"),
            ("c.toml", "name = 3"),
            ("c.json", r#"{"schedule": "now and then"}"#),
            ("c.json", r#"{"retention": {"weeks": 3}}"#),
        ] {
            assert_eq!(read_as(name, text).unwrap_err().kind(), ErrorKind::Invalid, "{text}");
        }
        assert_eq!(
            read::<BackupConfigurationChange>(Path::new("/nowhere")).unwrap_err().kind(),
            ErrorKind::Local
        );
    }
}
