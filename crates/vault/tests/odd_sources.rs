//! Sources of odd shapes: holes, hundreds of gigabytes with next to nothing in them, paths longer than the system takes,
//! folders of a million entries.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stderr,
    reason = "tests and what they share"
)]

mod support;

use std::{
    fs,
    io::{Read, Write},
    os::unix::fs::{FileExt, MetadataExt},
    path::Path,
};

use support::trees::{assert_same, noise};
use support::{backup, beneath, check, init, latest, restics, restore, stored, temporary};

#[test]
fn holes_are_not_read_and_come_back_as_they_were() {
    let folder = temporary();
    let source = folder.path().join("source");
    fs::create_dir(&source).unwrap();
    // Holes at the beginning, between, at the end, and at places where no chunk can end.
    type Parts = &'static [(u64, usize)];
    let shapes: [(&str, Parts, u64); 5] = [
        ("begins", &[((30 << 20) + 5, 100_000)], 31 << 20),
        ("ends", &[(0, 3 << 20)], 40 << 20),
        ("between", &[(777, 2 << 20), ((25 << 20) + 4096, 12), ((33 << 20) + 1, 2 << 20)], 36 << 20),
        ("all", &[], (20 << 20) + 12_345),
        ("small", &[(8192, 10)], 300_000),
    ];
    for (name, parts, length) in shapes {
        let file = fs::File::create(source.join(name)).unwrap();
        file.set_len(length).unwrap();
        for (offset, bytes) in parts {
            file.write_all_at(&noise(*offset, *bytes), *offset).unwrap();
        }
    }
    // The same bytes without a hole are the same chunks, in our vaults and in restic's.
    let full = folder.path().join("full");
    fs::create_dir(&full).unwrap();
    for (name, _, _) in shapes {
        fs::write(full.join(name), fs::read(source.join(name)).unwrap()).unwrap();
    }
    let mut vaults = vec![folder.path().join("ours")];
    init(&vaults[0]);
    for (number, restic) in restics().iter().enumerate() {
        vaults.push(folder.path().join(format!("theirs-{number}")));
        restic.run(&vaults[1 + number], &["init"]);
    }
    for vault in vaults {
        let repository = support::open(&vault);
        let first = backup(&repository, &[&source]);
        assert_eq!(first.bytes_backed_up, shapes.iter().map(|(_, _, length)| length).sum::<u64>());
        assert_eq!(backup(&repository, &[&full]).data_blobs, 0, "{}", vault.display());
        let target = vault.with_extension("target");
        restore(&repository, &repository.snapshot(&first.snapshot.to_string()).unwrap(), &target);
        assert_same(&source, &beneath(&target, &source));
        restics().iter().for_each(|restic| restic.check(&vault));
    }
}

#[test]
fn a_sparse_file_of_a_hundred_gigabytes_takes_what_is_in_it() {
    let folder = temporary();
    let (source, vault) = (folder.path().join("source"), folder.path().join("vault"));
    fs::create_dir(&source).unwrap();
    let file = fs::File::create(source.join("disk.img")).unwrap();
    file.set_len(100_000_000_000).unwrap();
    file.write_all_at(b"a boot sector", 0).unwrap();
    file.write_all_at(&noise(1, 1 << 20), 60_000_000_001).unwrap();
    let repository = init(&vault);
    let summary = backup(&repository, &[&source]);
    assert_eq!(summary.bytes_searched, 100_000_000_000);
    let stored: u64 = stored(&vault, "data").iter().map(|pack| fs::metadata(pack).unwrap().len()).sum();
    assert!(stored < 8 << 20, "{stored}");
    if support::long(0, 1) == 0 {
        return;
    }
    // All of it is decrypted and hashed: a minute or two.
    let target = folder.path().join("target");
    restore(&repository, &latest(&repository), &target);
    let back = fs::File::open(beneath(&target, &source).join("disk.img")).unwrap();
    let metadata = back.metadata().unwrap();
    assert_eq!(metadata.len(), 100_000_000_000);
    assert!(metadata.blocks() * 512 < 16 << 20, "{} blocks are allocated", metadata.blocks());
    let mut bytes = vec![0; 1 << 20];
    back.read_exact_at(&mut bytes, 60_000_000_001).unwrap();
    assert!(bytes == noise(1, 1 << 20));
    let mut begin = [0; 13];
    back.read_exact_at(&mut begin, 0).unwrap();
    assert_eq!(&begin, b"a boot sector");
}

/// Makes folders in each other, from the outside in, without ever naming a path longer than the system takes.
fn nest(top: &Path, depth: usize, name: &str) -> std::os::fd::OwnedFd {
    use rustix::fs::{Mode, OFlags, mkdirat, openat};
    let (flags, mode) = (OFlags::RDONLY | OFlags::DIRECTORY, Mode::from_raw_mode(0o755));
    let mut here: std::os::fd::OwnedFd = fs::File::open(top).unwrap().into();
    for _ in 0..depth {
        mkdirat(&here, name, mode).unwrap();
        here = openat(&here, name, flags, Mode::empty()).unwrap();
    }
    here
}

/// Opens the innermost of such folders.
fn innermost(top: &Path, depth: usize, name: &str) -> std::os::fd::OwnedFd {
    use rustix::fs::{Mode, OFlags, openat};
    let mut here: std::os::fd::OwnedFd = fs::File::open(top).unwrap().into();
    for _ in 0..depth {
        here = openat(&here, name, OFlags::RDONLY | OFlags::DIRECTORY, Mode::empty()).unwrap();
    }
    here
}

#[test]
fn paths_longer_than_the_system_takes_are_saved_and_come_back() {
    use rustix::fs::{Mode, OFlags, openat};
    // PATH_MAX is 4096: this is twice as long.
    let (name, depth) = ("a-folder-whose-name-has-forty-letters-in-it-", 200);
    let folder = temporary();
    let (source, target) = (folder.path().join("source"), folder.path().join("target"));
    fs::create_dir(&source).unwrap();
    let inside = nest(&source, depth, name);
    let flags = OFlags::CREATE | OFlags::WRONLY;
    let file = openat(&inside, "file", flags, Mode::from_raw_mode(0o640)).unwrap();
    fs::File::from(file).write_all(b"far down").unwrap();
    let repository = init(&folder.path().join("vault"));
    let summary = backup(&repository, &[&source]);
    assert_eq!((summary.files_new, summary.errors), (1, 0));
    assert_eq!(backup(&repository, &[&source]).files_unmodified, 1);
    assert_eq!(check(&repository).problems, []);
    restore(&repository, &latest(&repository), &target);
    let back = innermost(&beneath(&target, &source), depth, name);
    let mut content = String::new();
    let file = openat(&back, "file", OFlags::RDONLY, Mode::empty()).unwrap();
    fs::File::from(file).read_to_string(&mut content).unwrap();
    assert_eq!(content, "far down");
    restics().iter().for_each(|restic| restic.check(&folder.path().join("vault")));
}

#[test]
fn a_folder_of_a_million_entries() {
    // Fewer where there is no time; what is one folder is one tree, whatever its size.
    let count = support::long(20_000, 1_000_000);
    let folder = temporary();
    let source = folder.path().join("source");
    fs::create_dir(&source).unwrap();
    fs::write(source.join("0"), "the first of many names").unwrap();
    for number in 1..count {
        // A file has 65,000 names at most.
        match number % 50_000 {
            0 => fs::write(source.join(number.to_string()), number.to_string()).unwrap(),
            within => {
                fs::hard_link(source.join((number - within).to_string()), source.join(number.to_string()))
                    .unwrap()
            }
        }
    }
    let repository = init(&folder.path().join("vault"));
    let first = backup(&repository, &[&source]);
    assert_eq!((first.files_new, first.errors), (count, 0));
    let again = backup(&repository, &[&source]);
    assert_eq!((again.files_unmodified, again.bytes_backed_up), (count, 0));
    let target = folder.path().join("target");
    restore(&repository, &latest(&repository), &target);
    assert_same(&source, &beneath(&target, &source));
    assert_eq!(check(&repository).problems, []);
    restics().iter().for_each(|restic| restic.check(&folder.path().join("vault")));
}
