//! Where backups come from: streams and commands, patterns of what to take, files of rules in the folders.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stderr,
    reason = "tests and what they share"
)]

mod support;

use std::fs;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::mpsc::channel;

use roadstead_vault::{
    BackupOptions, BackupSummary, Cancel, ErrorKind, FindOptions, Monitor, NodeKind, Progress, Repository,
    Search, Stream, VoidMonitor, read_patterns,
};
use support::trees::{assert_same, noise};
use support::{Recorder, backup, beneath, check, init, latest, options, restics, restore, stored, temporary};

fn save(repository: &Repository, stream: Stream) -> Result<BackupSummary, (ErrorKind, String)> {
    let saved = repository.backup_stream(stream, &BackupOptions::default(), &VoidMonitor, &Cancel::new());
    saved.map_err(|error| (error.kind(), error.to_string()))
}

fn shell(path: &str, script: &str) -> Stream {
    let mut command = Command::new("sh");
    command.args(["-c", script]);
    Stream::command(path, command)
}

fn content(repository: &Repository, path: &str) -> Vec<u8> {
    let mut content = Vec::new();
    repository.cat(&latest(repository), path.as_ref(), &mut content, &Cancel::new()).unwrap();
    content
}

#[test]
fn a_stream_becomes_a_file() {
    let folder = temporary();
    let vault = folder.path().join("vault");
    let repository = init(&vault);
    for (number, length) in [0, 1, 600_000, 30 << 20].into_iter().enumerate() {
        let bytes = noise(number as u64, length);
        let summary =
            save(&repository, Stream::reader("db/dump.sql", io::Cursor::new(bytes.clone()))).unwrap();
        assert_eq!((summary.files_new, summary.bytes_searched), (1, length as u64));
        assert_eq!(latest(&repository).paths, ["/db/dump.sql"]);
        assert!(content(&repository, "/db/dump.sql") == bytes);
        let again = save(&repository, Stream::reader("/other", io::Cursor::new(bytes))).unwrap();
        assert_eq!(again.data_blobs, 0, "the same chunks are the same blobs");
    }
    let entry = repository.entry(&latest(&repository), Path::new("/other")).unwrap();
    assert_eq!((entry.kind, entry.mode, entry.size), (NodeKind::File, 0o644, 30 << 20));
    assert_eq!(check(&repository).problems, []);
    for restic in restics() {
        restic.check(&vault);
        let target = folder.path().join("target");
        restic.run(&vault, &["restore", "latest", "--target", target.to_str().unwrap()]);
        assert!(fs::read(target.join("other")).unwrap() == noise(3, 30 << 20));
        fs::remove_dir_all(target).unwrap();
    }
}

#[test]
fn restic_and_we_cut_a_stream_alike() {
    for restic in restics() {
        let folder = temporary();
        let (vault, file) = (folder.path().join("vault"), folder.path().join("dump"));
        fs::write(&file, noise(5, 20 << 20)).unwrap();
        restic.run(&vault, &["init"]);
        restic.run(&vault, &["backup", file.to_str().unwrap()]);
        let repository = support::open(&vault);
        let summary = save(&repository, Stream::reader("dump", fs::File::open(&file).unwrap())).unwrap();
        assert_eq!(summary.data_blobs, 0);
        restic.check(&vault);
    }
}

#[test]
fn the_end_of_a_command_decides() {
    let folder = temporary();
    let vault = folder.path().join("vault");
    let repository = init(&vault);
    save(&repository, shell("list", "echo one; echo two")).unwrap();
    assert_eq!(content(&repository, "/list"), b"one\ntwo\n");
    for (script, words) in [
        ("echo half; echo told the reason >&2; exit 3", "told the reason"),
        ("echo half; kill -9 $$", "signal: 9"),
        ("exit 1", "status: 1"),
    ] {
        let (kind, message) = save(&repository, shell("list", script)).unwrap_err();
        assert_eq!(kind, ErrorKind::Command);
        assert!(message.starts_with("sh ended with") && message.contains(words), "{message}");
        assert!(!message.contains("half"), "arguments may hold secrets: {message}");
    }
    let nothing = Stream::command("list", Command::new("/no/such/program"));
    let (kind, message) = save(&repository, nothing).unwrap_err();
    assert_eq!((kind, message.as_str()), (ErrorKind::Command, "/no/such/program cannot be started"));
    assert_eq!(repository.snapshots().unwrap().len(), 1);
    assert_eq!(check(&repository).problems, []);

    let monitor = Recorder::default();
    let stream = shell("list", "echo a warning >&2; echo x");
    repository.backup_stream(stream, &BackupOptions::default(), &monitor, &Cancel::new()).unwrap();
    let warnings = monitor.warnings.lock().unwrap();
    assert_eq!((warnings[0].path.as_path(), warnings[0].reason.as_str()), (Path::new("/list"), "a warning"));
}

#[test]
fn a_reader_that_fails_leaves_no_snapshot() {
    struct Broken(usize);
    impl Read for Broken {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            self.0 = self.0.checked_sub(1).ok_or_else(|| io::Error::other("the line went dead"))?;
            Ok(buffer.len())
        }
    }
    let folder = temporary();
    let repository = init(&folder.path().join("vault"));
    let (kind, message) = save(&repository, Stream::reader("x", Broken(100))).unwrap_err();
    assert_eq!((kind, message.as_str()), (ErrorKind::Io, "reading the stream"));
    assert!(repository.snapshots().unwrap().is_empty());
    assert!(stored(&folder.path().join("vault"), "locks").is_empty());
}

#[test]
fn cancel_ends_a_command_and_what_it_started() {
    struct Canceller(Cancel);
    impl Monitor for Canceller {
        fn progress(&self, progress: &Progress) {
            if progress.bytes_searched > 0 {
                self.0.cancel();
            }
        }
    }
    let folder = temporary();
    let repository = init(&folder.path().join("vault"));
    // The pipe is held open by a grandchild, too; when both are gone the far end of this one closes.
    let (mut alive, held) = io::pipe().unwrap();
    let mut command = Command::new("sh");
    command.args(["-c", "yes & yes"]).stdin(held);
    let cancel = Cancel::new();
    let stream = Stream::command("x", command);
    let error = repository
        .backup_stream(stream, &BackupOptions::default(), &Canceller(cancel.clone()), &cancel)
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Cancelled);
    assert_eq!(alive.read(&mut [0]).unwrap(), 0);
    assert!(repository.snapshots().unwrap().is_empty());
}

#[test]
fn a_pipe_that_says_nothing_can_be_cancelled() {
    let folder = temporary();
    let repository = init(&folder.path().join("vault"));
    let (silent, mut held) = io::pipe().unwrap();
    let cancel = Cancel::new();
    let (begun, begin) = channel();
    std::thread::scope(|scope| {
        let canceller = cancel.clone();
        scope.spawn(move || {
            begin.recv().unwrap();
            canceller.cancel();
        });
        let stream = Stream::reader("x", Begun(silent, Some(begun)));
        let error =
            repository.backup_stream(stream, &BackupOptions::default(), &VoidMonitor, &cancel).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Cancelled);
    });
    held.write_all(b"nobody").ok();
}

/// A reader that tells when it is first read from.
struct Begun(io::PipeReader, Option<std::sync::mpsc::Sender<()>>);

impl Read for Begun {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.1.take().map(|begun| begun.send(()));
        self.0.read(buffer)
    }
}

/// The paths beneath the source in a new backup.
fn saved(repository: &Repository, options: &BackupOptions, source: &Path) -> Vec<String> {
    let summary = repository.backup(options, &VoidMonitor, &Cancel::new()).unwrap();
    assert_eq!(summary.errors, 0);
    let snapshot = repository.snapshot(&summary.snapshot.to_string()).unwrap();
    let mut paths: Vec<PathBuf> = Vec::new();
    let found = &mut |found: roadstead_vault::Found| {
        paths.push(found.path);
        Search::Continue
    };
    repository.find(&[snapshot], &FindOptions::default(), &VoidMonitor, &Cancel::new(), found).unwrap();
    let beneath = |path: PathBuf| path.strip_prefix(source).ok().map(|path| path.display().to_string());
    paths.into_iter().filter_map(beneath).filter(|path| !path.is_empty()).collect()
}

fn make(source: &Path, files: &[&str]) {
    for file in files {
        fs::create_dir_all(source.join(file).parent().unwrap()).unwrap();
        fs::write(source.join(file), file).unwrap();
    }
}

#[test]
fn only_what_is_included_is_taken() {
    let folder = temporary();
    let (source, vault) = (folder.path().join("source"), folder.path().join("vault"));
    make(&source, &["a.txt", "b.bin", "docs/deep/c.txt", "docs/d.bin", "none/e.bin", "all/x/f.bin"]);
    fs::create_dir(source.join("empty")).unwrap();
    let repository = init(&vault);
    let including = |includes: &[&str]| BackupOptions {
        includes: includes.iter().map(|pattern| (*pattern).to_owned()).collect(),
        ..options(&[&source])
    };
    assert_eq!(
        saved(&repository, &including(&["*.txt", "all"]), &source),
        ["a.txt", "all", "all/x", "all/x/f.bin", "docs", "docs/deep", "docs/deep/c.txt"]
    );
    let absolute = format!("{}/docs/*.bin", source.display());
    assert_eq!(saved(&repository, &including(&[&absolute]), &source), ["docs", "docs/d.bin"]);
    let but = BackupOptions { excludes: vec!["deep".to_owned()], ..including(&["*.txt"]) };
    assert_eq!(saved(&repository, &but, &source), ["a.txt"]);
    assert_eq!(saved(&repository, &including(&["empty"]), &source), ["empty"]);
    // What the user names is taken, though nothing in it is.
    assert_eq!(saved(&repository, &including(&["nothing"]), &source), Vec::<String>::new());
    assert!(repository.entry(&latest(&repository), &source).is_ok());
    let error = repository.backup(&including(&["[a"]), &VoidMonitor, &Cancel::new()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Invalid);
    assert_eq!(check(&repository).problems, []);
    restics().iter().for_each(|restic| restic.check(&vault));
}

#[test]
fn rules_in_the_folders_are_gits() {
    let folder = temporary();
    let source = folder.path().join("source");
    make(
        &source,
        &[
            "keep.c",
            "a.o",
            "target/x",
            "sub/target/y",
            "sub/a.o",
            "sub/b.o",
            "sub/only/top.txt",
            "top.txt",
            "logs/a.log",
            "logs/keep.log",
            "build/out/z",
            "file/target",
        ],
    );
    fs::write(
        source.join(".gitignore"),
        "# built\n*.o\ntarget/\n/top.txt\nbuild/**\nlogs/*\n!logs/keep.log\n[x\n",
    )
    .unwrap();
    fs::write(source.join("sub/.gitignore"), "!b.o\n").unwrap();
    let repository = init(&folder.path().join("vault"));
    let rules = BackupOptions { ignore_files: vec![".gitignore".to_owned()], ..options(&[&source]) };
    let ours = saved(&repository, &rules, &source);
    let monitor = Recorder::default();
    repository.backup(&rules, &monitor, &Cancel::new()).unwrap();
    let warnings = monitor.warnings.lock().unwrap();
    assert_eq!(warnings[0].path, source.join(".gitignore"));
    assert_eq!((warnings.len(), warnings[0].reason.as_str()), (1, "line 8 is no pattern"));
    assert_eq!(saved(&repository, &options(&[&source]), &source).len(), 22);
    // The judge is git itself: it lists files, and no empty folders.
    let git = |arguments: &[&str]| Command::new("git").args(arguments).current_dir(&source).output();
    let Ok(made) = git(&["init", "--quiet"]) else { return eprintln!("skipped: no git to compare with") };
    assert!(made.status.success());
    let listed = git(&["ls-files", "--others", "--exclude-standard"]).unwrap();
    let mut theirs: Vec<String> =
        String::from_utf8(listed.stdout).unwrap().lines().map(str::to_owned).collect();
    theirs.sort();
    let files: Vec<String> = ours.into_iter().filter(|path| source.join(path).is_file()).collect();
    assert_eq!(files, theirs);
}

#[test]
fn patterns_come_from_a_file() {
    let folder = temporary();
    let file = folder.path().join("patterns");
    fs::write(&file, "# what to leave out\n\n*.o\r\n  \n!keep.o\n").unwrap();
    assert_eq!(read_patterns(&file).unwrap(), ["*.o", "!keep.o"]);
    let error = read_patterns(&folder.path().join("none")).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound);
    fs::write(&file, b"\xff\n").unwrap();
    assert_eq!(read_patterns(&file).unwrap_err().kind(), ErrorKind::Invalid);
}

#[test]
fn several_roots_are_one_snapshot() {
    let folder = temporary();
    let (one, two) = (folder.path().join("one"), folder.path().join("two"));
    make(&one, &["a", "deep/b"]);
    make(&two, &["c"]);
    fs::write(folder.path().join("single"), "x").unwrap();
    fs::write(folder.path().join("left"), "x").unwrap();
    let vault = folder.path().join("vault");
    let repository = init(&vault);
    backup(&repository, &[&one, &two, &one.join("deep"), &folder.path().join("single")]);
    let target = folder.path().join("target");
    restore(&repository, &latest(&repository), &target);
    for root in [&one, &two] {
        assert_same(root, &beneath(&target, root));
    }
    assert!(beneath(&target, &folder.path().join("single")).exists());
    assert!(!beneath(&target, &folder.path().join("left")).exists());
    restics().iter().for_each(|restic| restic.check(&vault));
}

#[test]
fn streams_and_paths_go_into_one_snapshot() {
    let folder = temporary();
    let (source, vault) = (folder.path().join("source"), folder.path().join("vault"));
    fs::create_dir(&source).unwrap();
    fs::write(source.join("file"), "from the disk").unwrap();
    let repository = init(&vault);
    let save = |streams: Vec<Stream>, paths: &[&Path], monitor: &dyn Monitor| {
        let options = BackupOptions {
            paths: paths.iter().map(|path| path.to_path_buf()).collect(),
            ..BackupOptions::default()
        };
        repository.backup_with(streams, &options, monitor, &Cancel::new())
    };
    let good = || shell("/dumps/db/good.sql", "echo data; echo a warning >&2");
    let bad = || shell("/dumps/db/bad.sql", "echo half; echo first >&2; echo last >&2; exit 3");
    let monitor = Recorder::default();
    let summary =
        save(vec![bad(), good(), shell("/dumps/other", "echo more")], &[&source], &monitor).unwrap();
    assert_eq!((summary.files_new, summary.errors), (3, 1));
    let errors = monitor.errors.lock().unwrap();
    assert_eq!(errors[0].path, Path::new("/dumps/db/bad.sql"));
    assert!(errors[0].reason.contains("first") && errors[0].reason.contains("last"), "{}", errors[0].reason);
    assert_eq!(monitor.warnings.lock().unwrap()[0].reason, "a warning");
    assert_eq!(content(&repository, "/dumps/db/good.sql"), b"data\n");
    assert_eq!(content(&repository, "/dumps/other"), b"more\n");
    assert_eq!(content(&repository, source.join("file").to_str().unwrap()), b"from the disk");
    assert!(repository.entry(&latest(&repository), Path::new("/dumps/db/bad.sql")).is_err());

    let again =
        save(vec![bad(), good(), shell("/dumps/other", "echo more")], &[&source], &VoidMonitor).unwrap();
    assert!(again.parent.is_some() && again.files_unmodified == 1 && again.data_blobs == 0, "{again:?}");
    let alone = save(vec![good()], &[], &VoidMonitor).unwrap();
    assert_eq!((alone.files_new, alone.errors), (1, 0));
    assert_eq!(latest(&repository).paths, ["/dumps/db/good.sql"]);
    assert_eq!(save(vec![bad()], &[], &VoidMonitor).unwrap_err().kind(), ErrorKind::Command);
    for wrong in [vec![good(), good()], vec![shell("/dumps", "true"), good()], vec![shell("/", "true")]] {
        assert_eq!(save(wrong, &[], &VoidMonitor).unwrap_err().kind(), ErrorKind::Invalid);
    }
    assert_eq!(repository.snapshots().unwrap().len(), 3);
    assert_eq!(check(&repository).problems, []);
    for restic in restics() {
        restic.check(&vault);
    }
}

#[test]
fn a_stream_takes_the_place_of_a_folder_of_its_name() {
    let folder = temporary();
    let repository = init(&folder.path().join("vault"));
    let source = folder.path().join("file");
    fs::write(&source, "x").unwrap();
    let top = Path::new("/").join(source.iter().nth(1).unwrap());
    let options = BackupOptions { paths: vec![source.clone()], ..BackupOptions::default() };
    let stream = shell(top.to_str().unwrap(), "echo taken");
    let summary = repository.backup_with(vec![stream], &options, &VoidMonitor, &Cancel::new()).unwrap();
    assert_eq!(summary.errors, 1);
    assert_eq!(content(&repository, top.to_str().unwrap()), b"taken\n");
    assert_eq!(check(&repository).problems, []);
}
