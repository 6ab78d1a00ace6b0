//! Restores into a folder that holds something already, of files with several names, and of large ones.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stderr,
    reason = "tests and what they share"
)]

mod support;

use std::fs::{self, File};
use std::os::unix::fs::{FileExt, MetadataExt, PermissionsExt, symlink};
use std::path::Path;
use std::time::{Duration, SystemTime};

use roadstead_vault::{
    Cancel, FileErrorKind, Overwrite, Planned, RestoreAction, RestoreOptions, RestorePlan, VoidMonitor,
};
use support::{Recorder, backup, beneath, init, latest, restore, stored, temporary};

/// Bytes that do not compress and are the same in every run.
fn noise(length: usize) -> Vec<u8> {
    let mut x = 0x9e37_79b9_7f4a_7c15u64;
    let mut next = || {
        x ^= x << 13;
        x ^= x >> 7;
        x ^= x << 17;
        (x >> 32) as u8
    };
    (0..length).map(|_| next()).collect()
}

fn set_mode(path: &Path, mode: u32) {
    fs::set_permissions(path, PermissionsExt::from_mode(mode)).unwrap();
}

fn set_modified(path: &Path, seconds: u64) {
    let file = File::options().write(true).open(path).unwrap();
    file.set_modified(SystemTime::UNIX_EPOCH + Duration::from_secs(seconds)).unwrap();
}

/// Flips a bit in the middle of the largest pack.
fn damage_largest_pack(vault: &Path) {
    let size = |pack: &std::path::PathBuf| fs::metadata(pack).unwrap().len();
    let pack = stored(vault, "data").into_iter().max_by_key(size).unwrap();
    let mut bytes = fs::read(&pack).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    set_mode(&pack, 0o600);
    fs::write(&pack, bytes).unwrap();
}

#[test]
fn content_that_is_there_already_is_kept_and_only_gets_its_metadata() {
    let folder = temporary();
    let (source, target) = (folder.path().join("source"), folder.path().join("target"));
    fs::create_dir(&source).unwrap();
    fs::write(source.join("same"), noise(700_000)).unwrap();
    fs::write(source.join("other"), noise(700_000)).unwrap();
    set_mode(&source.join("same"), 0o640);
    let repository = init(&folder.path().join("vault"));
    backup(&repository, &[&source]);
    restore(&repository, &latest(&repository), &target);
    let (same, other) = (beneath(&target, &source.join("same")), beneath(&target, &source.join("other")));
    let inode = |path: &Path| fs::metadata(path).unwrap().ino();
    let before = (inode(&same), inode(&other));
    let mut changed = noise(700_000);
    changed[650_000] ^= 1;
    fs::write(&other, changed).unwrap();
    for path in [&same, &other] {
        set_mode(path, 0o600);
        set_modified(path, 1);
    }
    let summary = restore(&repository, &latest(&repository), &target);
    assert_eq!((summary.skipped, summary.files), (1, 1));
    assert_eq!(inode(&same), before.0);
    assert_ne!(inode(&other), before.1);
    for (path, original) in [(&same, source.join("same")), (&other, source.join("other"))] {
        assert_eq!(fs::read(path).unwrap(), fs::read(&original).unwrap());
        let (restored, original) = (fs::metadata(path).unwrap(), fs::metadata(original).unwrap());
        assert_eq!(restored.modified().unwrap(), original.modified().unwrap());
        assert_eq!(restored.mode(), original.mode());
    }
}

#[test]
fn a_file_that_has_other_names_outside_is_replaced_and_not_touched() {
    let folder = temporary();
    let (source, target) = (folder.path().join("file"), folder.path().join("target"));
    fs::write(&source, noise(1000)).unwrap();
    let repository = init(&folder.path().join("vault"));
    backup(&repository, &[&source]);
    let (outside, inside) = (folder.path().join("outside"), beneath(&target, &source));
    fs::create_dir_all(inside.parent().unwrap()).unwrap();
    fs::write(&outside, noise(1000)).unwrap();
    set_modified(&outside, 1);
    fs::hard_link(&outside, &inside).unwrap();
    let summary = restore(&repository, &latest(&repository), &target);
    assert_eq!((summary.skipped, summary.files), (0, 1));
    let (outside, inside) = (fs::metadata(&outside).unwrap(), fs::metadata(&inside).unwrap());
    assert_eq!(outside.modified().unwrap(), SystemTime::UNIX_EPOCH + Duration::from_secs(1));
    assert_ne!(outside.ino(), inside.ino());
}

#[test]
fn a_link_with_several_names_comes_back_as_one() {
    let folder = temporary();
    let (source, target) = (folder.path().join("source"), folder.path().join("target"));
    fs::create_dir_all(source.join("beneath")).unwrap();
    symlink("nowhere", source.join("link")).unwrap();
    fs::hard_link(source.join("link"), source.join("beneath/link")).unwrap();
    fs::hard_link(source.join("link"), source.join("other")).unwrap();
    symlink("nowhere", source.join("alone")).unwrap();
    let repository = init(&folder.path().join("vault"));
    backup(&repository, &[&source]);
    for (overwrite, made) in [(Overwrite::Always, 4), (Overwrite::Always, 4), (Overwrite::Never, 0)] {
        let options = RestoreOptions { overwrite, ..RestoreOptions::to(&target) };
        let (monitor, cancel) = (Recorder::default(), Cancel::new());
        let summary = repository.restore(&latest(&repository), &options, &monitor, &cancel).unwrap();
        assert_eq!((summary.errors, summary.specials), (0, made), "{overwrite:?}");
        let of = |name: &str| fs::symlink_metadata(beneath(&target, &source.join(name))).unwrap();
        assert_eq!([of("link").ino(), of("beneath/link").ino()], [of("other").ino(); 2]);
        assert_eq!((of("link").nlink(), of("alone").nlink()), (3, 1));
        assert_eq!(fs::read_link(beneath(&target, &source.join("other"))).unwrap(), Path::new("nowhere"));
    }
}

#[test]
fn no_name_of_a_damaged_file_is_left() {
    let folder = temporary();
    let (source, vault) = (folder.path().join("source"), folder.path().join("vault"));
    fs::create_dir_all(source.join("beneath")).unwrap();
    let names = ["a", "b", "beneath/c"];
    fs::write(source.join(names[0]), noise(3 << 20)).unwrap();
    for name in &names[1..] {
        fs::hard_link(source.join(names[0]), source.join(name)).unwrap();
    }
    fs::write(source.join("whole"), "whole").unwrap();
    let repository = init(&vault);
    backup(&repository, &[&source]);
    damage_largest_pack(&vault);
    for threads in [1, 4] {
        let target = folder.path().join(format!("target-{threads}"));
        let (monitor, cancel) = (Recorder::default(), Cancel::new());
        let options = RestoreOptions { threads, overwrite: Overwrite::Always, ..RestoreOptions::to(&target) };
        let summary = repository.restore(&latest(&repository), &options, &monitor, &cancel).unwrap();
        assert_eq!((summary.files, summary.errors), (1, 3));
        let mut hit = monitor.error_paths();
        hit.sort();
        assert_eq!(hit, names.map(|name| source.join(name)));
        assert!(monitor.errors.lock().unwrap().iter().all(|error| error.kind == FileErrorKind::Damaged));
        assert!(names.iter().all(|name| !beneath(&target, &source.join(name)).exists()));
        assert!(beneath(&target, &source.join("whole")).exists());
    }
}

#[test]
fn a_large_file_is_written_in_parts_and_removed_if_one_is_damaged() {
    const MIB: u64 = 1 << 20;
    let folder = temporary();
    let (source, vault) = (folder.path().join("source"), folder.path().join("vault"));
    let file = File::create(&source).unwrap();
    file.set_len(96 * MIB).unwrap();
    for (number, offset) in [0, 33 * MIB + 5, 70 * MIB].into_iter().enumerate() {
        file.write_all_at(&noise(MIB as usize + number), offset).unwrap();
    }
    set_modified(&source, 1_000_000);
    let repository = init(&vault);
    backup(&repository, &[&source]);
    for threads in [1, 3] {
        let target = folder.path().join(format!("target-{threads}"));
        let (monitor, cancel) = (Recorder::default(), Cancel::new());
        let options = RestoreOptions { threads, ..RestoreOptions::to(&target) };
        let summary = repository.restore(&latest(&repository), &options, &monitor, &cancel).unwrap();
        assert_eq!((summary.files, summary.bytes, summary.errors), (1, 96 * MIB, 0));
        let restored = beneath(&target, &source);
        assert!(fs::read(&restored).unwrap() == fs::read(&source).unwrap());
        let metadata = fs::metadata(&restored).unwrap();
        assert_eq!(metadata.modified().unwrap(), SystemTime::UNIX_EPOCH + Duration::from_secs(1_000_000));
        assert!(metadata.blocks() * 512 < 8 * MIB, "{} blocks", metadata.blocks());
    }
    damage_largest_pack(&vault);
    let target = folder.path().join("damaged");
    let (monitor, cancel) = (Recorder::default(), Cancel::new());
    let options = RestoreOptions { threads: 3, ..RestoreOptions::to(&target) };
    let summary = repository.restore(&latest(&repository), &options, &monitor, &cancel).unwrap();
    assert_eq!((summary.files, summary.errors), (0, 1));
    assert!(!beneath(&target, &source).exists());
    assert_eq!(monitor.error_paths(), [source]);
}

/// A source with a file of each kind of difference, backed up, and a target where they stand as the name says. Gives the
/// folder in the target.
fn differing(folder: &Path) -> (roadstead_vault::Repository, std::path::PathBuf) {
    let (source, target) = (folder.join("source"), folder.join("target"));
    fs::create_dir_all(source.join("deep")).unwrap();
    let names = ["absent", "same", "same_content", "older", "newer", "deep/in_place_of_file"];
    for name in names {
        fs::write(source.join(name), name.repeat(100)).unwrap();
        set_modified(&source.join(name), 1000);
    }
    symlink("same", source.join("link")).unwrap();
    let repository = init(&folder.join("vault"));
    backup(&repository, &[&source]);
    let there = beneath(&target, &source);
    fs::create_dir_all(&there).unwrap();
    for (name, content, modified) in [
        ("same", "same".repeat(100), 1000),
        ("same_content", "same_content".repeat(100), 500),
        ("older", "x".to_owned(), 500),
        ("newer", "x".to_owned(), 2000),
        ("deep", "a file where a folder goes".to_owned(), 500),
        ("mine", "not of the backup".to_owned(), 500),
    ] {
        fs::write(there.join(name), content).unwrap();
        set_modified(&there.join(name), modified);
    }
    (repository, there)
}

#[test]
fn a_plan_says_what_each_rule_does_and_touches_nothing() {
    use RestoreAction::{Create, Leave, Overwrite as Over, Refuse};
    let expected = [
        (Overwrite::Never, [Create, Leave, Leave, Leave, Leave, Refuse]),
        (Overwrite::IfChanged, [Create, Leave, Leave, Over, Over, Create]),
        (Overwrite::IfNewer, [Create, Leave, Leave, Over, Leave, Create]),
        (Overwrite::Always, [Create, Over, Over, Over, Over, Create]),
    ];
    for (overwrite, actions) in expected {
        let folder = temporary();
        let (repository, there) = differing(folder.path());
        let target = folder.path().join("target");
        let options = RestoreOptions { overwrite, ..RestoreOptions::to(&target) };
        let before = fs::metadata(there.join("same_content")).unwrap().modified().unwrap();
        let mut told = Vec::new();
        let plan = repository
            .plan_restore(
                &latest(&repository),
                &options,
                &VoidMonitor,
                &Cancel::new(),
                &mut |path, action, _| {
                    told.push((path.file_name().unwrap().to_str().unwrap().to_owned(), action));
                },
            )
            .unwrap();
        let names = ["absent", "same", "same_content", "older", "newer", "in_place_of_file"];
        for (name, action) in names.into_iter().zip(actions) {
            assert!(told.contains(&(name.to_owned(), action)), "{overwrite:?} {name} {told:?}");
        }
        assert!(told.contains(&("link".to_owned(), Create)) && told.len() == 7, "{told:?}");
        assert_eq!(fs::metadata(there.join("same_content")).unwrap().modified().unwrap(), before);
        assert_eq!(fs::read_dir(&there).unwrap().count(), 6, "nothing was made");

        let (monitor, cancel) = (Recorder::default(), Cancel::new());
        let summary = repository.restore(&latest(&repository), &options, &monitor, &cancel).unwrap();
        let written = plan.created.files + plan.overwritten.files;
        assert_eq!(summary.files + summary.specials, written, "{overwrite:?} {plan:?} {summary:?}");
        assert_eq!((summary.skipped, summary.errors), (plan.left.files, plan.refused.files), "{overwrite:?}");
        assert_eq!(summary.bytes, plan.created.bytes + plan.overwritten.bytes, "{overwrite:?}");
        assert_eq!(fs::read_to_string(there.join("mine")).unwrap(), "not of the backup");
        let newer = fs::read_to_string(there.join("newer")).unwrap();
        assert_eq!(newer == "x", matches!(overwrite, Overwrite::Never | Overwrite::IfNewer), "{overwrite:?}");
    }
}

#[test]
fn a_plan_for_a_target_that_is_not_there_makes_all_that_is_wanted() {
    let folder = temporary();
    let (repository, _) = differing(folder.path());
    let target = folder.path().join("nowhere");
    let include = vec!["*same*".to_owned()];
    let options = RestoreOptions { include, ..RestoreOptions::to(&target) };
    let (cancel, mut told) = (Cancel::new(), 0);
    let plan = repository
        .plan_restore(&latest(&repository), &options, &VoidMonitor, &cancel, &mut |_, _, bytes| told += bytes)
        .unwrap();
    let created = Planned { files: 2, bytes: 1600 };
    assert_eq!(plan, RestorePlan { created, ..RestorePlan::default() });
    assert!(told == 1600 && !target.exists());
}
