//! Every kind of difference is made once, and has to be found.

use std::{
    fs::{self, File},
    os::unix::fs::{MetadataExt, PermissionsExt},
    path::{Path, PathBuf},
    process::Command,
    time::{Duration, SystemTime},
};

use super::{Comparison, Task};

/// A source with one entry of each kind, and a true copy of it.
struct Trees {
    folder: tempfile::TempDir,
}

impl Trees {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let trees = Self { folder };
        fs::create_dir_all(trees.source().join("folder/empty")).unwrap();
        fs::write(trees.source().join("folder/file"), vec![7; 200_000]).unwrap();
        fs::write(trees.source().join("nothing"), "").unwrap();
        std::os::unix::fs::symlink("folder/file", trees.source().join("link")).unwrap();
        fs::create_dir_all(trees.copy().parent().unwrap()).unwrap();
        let copied = Command::new("cp").arg("-a").arg(trees.source()).arg(trees.copy()).status();
        assert!(copied.unwrap().success());
        trees
    }

    fn source(&self) -> PathBuf {
        self.folder.path().join("source")
    }

    fn proof(&self) -> PathBuf {
        self.folder.path().join("proof")
    }

    fn copy(&self) -> PathBuf {
        self.proof().join(self.source().strip_prefix("/").unwrap())
    }

    fn compare(&self, since: SystemTime) -> Comparison {
        let except = self.folder.path().join("except");
        Task { roots: vec![self.source()], proof: self.proof(), except, since }.compare()
    }
}

/// A time after all that the tests do: nothing counts as changed meanwhile.
fn later() -> SystemTime {
    SystemTime::now() + Duration::from_secs(3600)
}

#[test]
fn a_true_copy_is_the_same() {
    let result = Trees::new().compare(later());
    assert!(result.is_same(), "{result:?}");
    assert_eq!((result.files, result.bytes, result.others), (2, 200_000, 4));
}

#[test]
fn nothing_at_all_proves_nothing() {
    assert!(!Comparison::default().is_same());
}

#[test]
fn each_difference_is_found() {
    type Damage = fn(&Path);
    let damages: [(&str, Damage); 8] = [
        ("folder/file", |copy| flip_last_byte(&copy.join("folder/file"))),
        ("folder/file", |copy| {
            fs::set_permissions(copy.join("folder/file"), fs::Permissions::from_mode(0o601)).unwrap()
        }),
        ("nothing", |copy| {
            File::options().write(true).open(copy.join("nothing")).unwrap().set_modified(later()).unwrap()
        }),
        ("nothing", |copy| fs::remove_file(copy.join("nothing")).unwrap()),
        ("folder/extra", |copy| {
            keeping_times(&copy.join("folder"), |f| fs::write(f.join("extra"), "").unwrap())
        }),
        ("link", |copy| relink(&copy.join("link"), Path::new("elsewhere"))),
        ("folder/empty", |copy| {
            keeping_times(&copy.join("folder"), |f| {
                fs::remove_dir(f.join("empty")).unwrap();
                fs::write(f.join("empty"), "").unwrap();
            })
        }),
        ("folder", |copy| File::open(copy.join("folder")).unwrap().set_modified(later()).unwrap()),
    ];
    for (number, (path, damage)) in damages.into_iter().enumerate() {
        let trees = Trees::new();
        keeping_times(&trees.copy(), damage);
        let result = trees.compare(later());
        assert_eq!(result.differences.len(), 1, "{number}: {result:?}");
        assert!(
            result.differences[0].starts_with(&format!("{}:", trees.source().join(path).display())),
            "{result:?}"
        );
    }
}

#[test]
fn what_changed_meanwhile_is_told_and_no_failure() {
    let trees = Trees::new();
    flip_last_byte(&trees.source().join("folder/file"));
    let result = trees.compare(SystemTime::UNIX_EPOCH);
    assert!(result.is_same() && result.changed.len() == 1, "{result:?}");
    assert_eq!(result.told(20).len(), 1);
}

fn flip_last_byte(path: &Path) {
    let mut bytes = fs::read(path).unwrap();
    *bytes.last_mut().unwrap() ^= 1;
    keeping_times(path, |path| fs::write(path, &bytes).unwrap());
}

fn relink(path: &Path, target: &Path) {
    let times = rustix::fs::Timestamps {
        last_access: rustix::fs::Timespec { tv_sec: 0, tv_nsec: rustix::fs::UTIME_OMIT },
        last_modification: rustix::fs::Timespec {
            tv_sec: fs::symlink_metadata(path).unwrap().mtime(),
            tv_nsec: fs::symlink_metadata(path).unwrap().mtime_nsec(),
        },
    };
    fs::remove_file(path).unwrap();
    std::os::unix::fs::symlink(target, path).unwrap();
    let flags = rustix::fs::AtFlags::SYMLINK_NOFOLLOW;
    rustix::fs::utimensat(rustix::fs::CWD, path, &times, flags).unwrap();
}

/// Does something in a folder or to a file, whose own time stays what it was.
fn keeping_times(path: &Path, change: impl FnOnce(&Path)) {
    let modified = fs::metadata(path).unwrap().modified().unwrap();
    change(path);
    File::open(path).unwrap().set_modified(modified).unwrap();
}
