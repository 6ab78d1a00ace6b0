//! What is backed up: many small files (A) and some large ones (B), made once and kept.

use std::{
    env, fs,
    path::{Path, PathBuf},
};

use anyhow::Result;

use crate::{command::target_dir, data};

/// The file that says that the data is whole, and of which recipe.
const MADE: &str = "made-2";
/// Names a folder for the data, if it is to lie elsewhere.
const SOURCES: &str = "ROADSTEAD_BENCH_SOURCES";

/// Data to back up.
pub struct Set {
    /// What to call it.
    pub name: &'static str,
    /// How many files it has.
    pub files: u64,
    /// How often all is measured.
    pub rounds: u64,
    /// Whether a restored tree is small enough to be deleted at once: what many deleted inodes do, see `backup`.
    pub few: bool,
    make: fn(&Path, u64) -> Result<()>,
    change: fn(&Path, u64, u64) -> Result<()>,
}

/// Both sets; with `share` 10 a tenth of the data, to be measured once.
pub fn sets(share: u64) -> [Set; 2] {
    let rounds = |full: u64| if share > 1 { 1 } else { full };
    let small = Set {
        name: "small",
        files: 90_000 / share,
        rounds: rounds(3),
        few: false,
        make: data::small_files,
        change: data::change_small,
    };
    let large = Set {
        name: "large",
        files: 40 / share,
        rounds: rounds(2),
        few: true,
        make: data::large_files,
        change: data::change_large,
    };
    [small, large]
}

/// A million files of little content, to see what memory that many take.
pub fn million() -> Set {
    Set {
        name: "tiny",
        files: 1_000_000,
        rounds: 1,
        few: false,
        make: data::tiny_files,
        change: data::change_tiny,
    }
}

impl Set {
    /// Where it is, and whatever is made of it.
    pub fn folder(&self) -> PathBuf {
        target_dir().join("bench").join(format!("{}-{}", self.name, self.files))
    }

    /// The folder to back up, which is made if it is not there: beside the repositories, or in the folder that the environment
    /// names, which may lie in memory.
    pub fn source(&self) -> Result<PathBuf> {
        let folder = match env::var_os(SOURCES) {
            Some(sources) => PathBuf::from(sources).join(format!("{}-{}", self.name, self.files)),
            None => self.folder(),
        };
        let (made, source) = (folder.join(MADE), folder.join("source"));
        if !made.exists() {
            println!("making {} {} files in {}", self.files, self.name, source.display());
            let _ = fs::remove_dir_all(&source);
            fs::create_dir_all(&source)?;
            (self.make)(&source, self.files)?;
            fs::write(made, "")?;
        }
        Ok(source)
    }

    /// Changes one per cent of it, each time otherwise.
    pub fn change(&self, source: &Path, seed: u64) -> Result<()> {
        (self.change)(source, self.files, seed)
    }
}
