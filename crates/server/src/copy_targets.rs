//! Places outside of the vault store that backups may be copied to: those that the operator has listed, and no others.

use std::{path::PathBuf, str::FromStr};

use roadstead_api::{id::VaultId, setup::VaultStoreKind};
use roadstead_vault::store::{S3Config, S3Keys};

use crate::{Error, Result, vaults::VaultFolder};

/// A place, and what it is called.
#[derive(Clone, Debug)]
pub struct CopyTarget {
    /// What it is called.
    pub name: String,
    root: VaultFolder,
}

impl CopyTarget {
    /// What keeps the copies there.
    pub fn store(&self) -> VaultStoreKind {
        match self.root {
            VaultFolder::Disk(_) => VaultStoreKind::Disk,
            VaultFolder::Bucket(_) => VaultStoreKind::Bucket,
        }
    }

    /// Where the copy of a vault is there.
    pub fn folder(&self, vault: &VaultId) -> Result<VaultFolder> {
        self.root.beneath(&vault.0)
    }
}

impl FromStr for CopyTarget {
    type Err = Error;

    /// Reads `NAME=/PATH` or `NAME=s3://BUCKET/PREFIX?region=REGION&endpoint=URL`.
    fn from_str(text: &str) -> Result<Self> {
        let wrong = || {
            Error::invalid(format!(
                "copy_targets has {text:.200?}; it should look like offsite=/mnt/offsite, or \
                 offsite=s3://BUCKET/PREFIX?region=REGION&endpoint=URL."
            ))
        };
        let (name, place) = text.split_once('=').ok_or_else(wrong)?;
        let is_name = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
        if name.is_empty() || !name.chars().all(is_name) {
            return Err(wrong());
        }
        let root = if place.starts_with('/') {
            VaultFolder::Disk(PathBuf::from(place))
        } else {
            S3Config::from_url(place, S3Keys::default()).map_err(|e| wrong().caused_by(e))?;
            VaultFolder::Bucket(place.to_owned())
        };
        Ok(Self { name: name.to_owned(), root })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_target_is_a_name_and_a_place() {
        let vault = VaultId("v".to_owned());
        let target: CopyTarget = "off-site=/mnt/x=y".parse().unwrap();
        assert_eq!(target.name, "off-site");
        assert!(
            matches!(target.folder(&vault).unwrap(), VaultFolder::Disk(path) if path.to_str() == Some("/mnt/x=y/v"))
        );
        let target: CopyTarget = "b=s3://bucket/p?region=eu".parse().unwrap();
        assert_eq!(target.name, "b");
        for wrong in ["", "x", "=/mnt", "a b=/mnt", "x=mnt", "x=ftp://host/", "x="] {
            assert!(wrong.parse::<CopyTarget>().is_err(), "{wrong}");
        }
    }
}
