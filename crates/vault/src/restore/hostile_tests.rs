//! Restores of repositories made by an attacker who holds the key: nothing is written outside the target.

use std::fs;
use std::path::{Path, PathBuf};

use proptest::prelude::{ProptestConfig, Strategy, prop, proptest};

use super::{RestoreOptions, RestoreSummary};
use crate::cancel::Cancel;
use crate::error::{ErrorKind, Result};
use crate::forge::{DEEPEST, Errors, FirstRefusal, Forge, node};
use crate::id::Id;
use crate::monitor::{FileError, Monitor};
use crate::node::{Node, NodeKind};
use crate::pack::BlobKind;
use crate::repository::Repository;

/// Stores everything and restores it.
fn restore(forge: Forge, tree: Id, target: &Path) -> (RestoreSummary, Vec<FileError>) {
    let errors = Errors::default();
    let summary = try_restore(forge, tree, target, &errors, &Cancel::new()).unwrap();
    (summary, errors.0.into_inner().unwrap())
}

fn try_restore(
    mut forge: Forge,
    tree: Id,
    target: &Path,
    monitor: &dyn Monitor,
    cancel: &Cancel,
) -> Result<RestoreSummary> {
    let snapshot = forge.snapshot(tree);
    let options = RestoreOptions { threads: 2, ..RestoreOptions::to(target) };
    forge.repository.restore(&snapshot, &options, monitor, cancel)
}

/// A sandbox with a target inside and something to protect beside it.
struct Sandbox {
    folder: tempfile::TempDir,
}

impl Sandbox {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("outside")).unwrap();
        fs::write(folder.path().join("outside/precious"), "precious").unwrap();
        Self { folder }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn assert_untouched(&self) {
        let entries = |path: PathBuf| {
            let mut names: Vec<_> =
                fs::read_dir(path).unwrap().map(|entry| entry.unwrap().file_name()).collect();
            names.sort();
            names
        };
        assert_eq!(entries(self.path("outside")), ["precious"]);
        assert_eq!(fs::read(self.path("outside/precious")).unwrap(), b"precious");
        assert_eq!(entries(self.path("")), ["outside", "target", "vault"]);
    }
}

#[test]
fn hostile_names_are_refused() {
    let sandbox = Sandbox::new();
    let mut forge = Forge::new(&sandbox.path("vault"));
    let content = vec![forge.blob(BlobKind::Data, b"evil")];
    let names: [&[u8]; 8] =
        [b"..", b".", b"", b"a/b", b"../evil", b"/etc/evil", b"nul\0l", b"../outside/precious"];
    let mut nodes = Vec::new();
    for name in names {
        nodes.push(Node { content: content.clone(), size: 4, ..node(name, NodeKind::File) });
    }
    let inner = forge.tree(&[Node { content, size: 4, ..node(b"evil", NodeKind::File) }]);
    for name in names {
        nodes.push(Node { subtree: Some(inner), ..node(name, NodeKind::Dir) });
        nodes.push(Node { link_target: b"/".to_vec(), ..node(name, NodeKind::Symlink) });
        nodes.push(node(name, NodeKind::Fifo));
    }
    let tree = forge.tree(&nodes);
    let (summary, errors) = restore(forge, tree, &sandbox.path("target"));
    assert_eq!((summary.files, summary.dirs, summary.specials), (0, 0, 0));
    assert!(errors.len() >= names.len(), "{errors:?}");
    assert_eq!(fs::read_dir(sandbox.path("target")).unwrap().count(), 0);
    sandbox.assert_untouched();
}

#[test]
fn links_are_not_written_through() {
    let sandbox = Sandbox::new();
    let mut forge = Forge::new(&sandbox.path("vault"));
    let content = vec![forge.blob(BlobKind::Data, b"evil")];
    let file = |name: &[u8]| Node { content: content.clone(), size: 4, ..node(name, NodeKind::File) };
    let inner = forge.tree(&[file(b"evil"), file(b"precious")]);
    let outside = sandbox.path("outside").into_os_string().into_encoded_bytes();
    let precious = sandbox.path("outside/precious").into_os_string().into_encoded_bytes();
    let hard = |name: &[u8]| Node { links: 2, inode: 7, ..file(name) };
    let nodes = [
        Node { link_target: outside.clone(), ..node(b"dir", NodeKind::Symlink) },
        Node { subtree: Some(inner), ..node(b"dir", NodeKind::Dir) },
        Node { link_target: precious.clone(), ..node(b"file", NodeKind::Symlink) },
        file(b"file"),
        Node { link_target: precious, links: 2, inode: 7, ..node(b"hard-a", NodeKind::Symlink) },
        hard(b"hard-a"),
        hard(b"hard-b"),
    ];
    // Twice, so that the second run finds the links that the first one made.
    let tree = forge.tree(&nodes);
    let again = Repository::open(forge.repository.files.store.clone(), b"").unwrap();
    let target = sandbox.path("target");
    restore(forge, tree, &target);
    sandbox.assert_untouched();
    std::os::unix::fs::symlink(sandbox.path("outside"), target.join("planted")).unwrap();
    let mut third = Forge::on(again);
    let content_again = vec![third.blob(BlobKind::Data, b"evil")];
    let planted = third.tree(&[Node { content: content_again, size: 4, ..node(b"evil", NodeKind::File) }]);
    let top = third.tree(&[Node { subtree: Some(planted), ..node(b"planted", NodeKind::Dir) }]);
    let (summary, _) = restore(third, top, &target);
    assert_eq!((summary.files, summary.errors), (1, 0));
    sandbox.assert_untouched();
    assert_eq!(fs::read(target.join("planted/evil")).unwrap(), b"evil");
}

#[test]
fn sizes_that_lie_and_content_that_is_not_there() {
    let sandbox = Sandbox::new();
    let mut forge = Forge::new(&sandbox.path("vault"));
    let content = vec![forge.blob(BlobKind::Data, b"four")];
    let nodes = [
        Node { content: vec![Id::of(b"unknown")], size: 4, ..node(b"absent", NodeKind::File) },
        Node { content, size: u64::MAX, ..node(b"lies", NodeKind::File) },
        node(b"no-tree", NodeKind::Dir),
        Node { subtree: Some(Id::of(b"unknown")), ..node(b"unknown-tree", NodeKind::Dir) },
    ];
    let tree = forge.tree(&nodes);
    let (summary, errors) = restore(forge, tree, &sandbox.path("target"));
    assert_eq!((summary.files, summary.errors, errors.len()), (1, 4, 4), "{errors:?}");
    assert_eq!(fs::read(sandbox.path("target/lies")).unwrap(), b"four");
    assert!(!sandbox.path("target/absent").exists());
}

#[test]
fn deep_trees_end() {
    let sandbox = Sandbox::new();
    let mut forge = Forge::new(&sandbox.path("vault"));
    let mut tree = forge.tree(&[]);
    for _ in 0..5000 {
        tree = forge.tree(&[Node { subtree: Some(tree), ..node(b"d", NodeKind::Dir) }]);
    }
    let (summary, errors) = restore(forge, tree, &sandbox.path("target"));
    assert!(summary.dirs > 500 && summary.dirs <= 2500, "{summary:?}");
    assert_eq!(errors.len(), 1, "{errors:?}");
    sandbox.assert_untouched();
    // The paths are longer than the system's functions take.
    let status = std::process::Command::new("rm").arg("-rf").arg(sandbox.path("target")).status().unwrap();
    assert!(status.success());
}

#[test]
fn trees_that_are_wide_and_deep_at_once_end() {
    let sandbox = Sandbox::new();
    let mut forge = Forge::new(&sandbox.path("vault"));
    let tree = forge.wide_and_deep();
    let target = sandbox.path("target");
    let first = FirstRefusal::default();
    let error = try_restore(forge, tree, &target, &first, &first.cancel).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Cancelled);
    assert_eq!(first.depth(), DEEPEST);
    sandbox.assert_untouched();
}

fn any_node() -> impl Strategy<Value = (Vec<u8>, u8, Vec<u8>)> {
    let name =
        prop::sample::select(vec![&b"a"[..], b"b", b"..", b"a/b", b"/", b"", b"x\0y", b"../outside", b"c"]);
    let target =
        prop::sample::select(vec![&b"."[..], b"..", b"/", b"../outside", b"a", b"../../outside/precious"]);
    (name.prop_map(<[u8]>::to_vec), 0u8..5, target.prop_map(<[u8]>::to_vec))
}

/// More of them where there is time.
fn cases() -> u32 {
    if std::env::var_os("ROADSTEAD_LONG").is_some() { 1000 } else { 100 }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(cases()))]
    #[test]
    fn generated_trees_stay_inside(levels in prop::collection::vec(prop::collection::vec(any_node(), 0..6), 1..5)) {
        let sandbox = Sandbox::new();
        let mut forge = Forge::new(&sandbox.path("vault"));
        let content = vec![forge.blob(BlobKind::Data, b"evil")];
        let mut below = forge.tree(&[]);
        for level in levels {
            let make = |(name, kind, target): (Vec<u8>, u8, Vec<u8>)| match kind {
                0 => Node { link_target: target, ..node(&name, NodeKind::Symlink) },
                1 => Node { content: content.clone(), size: 4, ..node(&name, NodeKind::File) },
                2 => Node { content: content.clone(), size: 4, links: 2, inode: 9, ..node(&name, NodeKind::File) },
                3 => node(&name, NodeKind::Fifo),
                _ => Node { subtree: Some(below), ..node(&name, NodeKind::Dir) },
            };
            let nodes: Vec<Node> = level.into_iter().map(make).collect();
            below = forge.tree(&nodes);
        }
        restore(forge, below, &sandbox.path("target"));
        sandbox.assert_untouched();
    }
}
