//! Trees that explode, or go deeper than any path: whoever walks them ends, and needs little memory.

use std::slice::from_ref;

use crate::cancel::Cancel;
use crate::check::{CheckOptions, ProblemKind};
use crate::error::ErrorKind;
use crate::find::{FindOptions, Search};
use crate::forge::{DEEPEST, Errors, FirstRefusal, Forge, depth, node};
use crate::id::Id;
use crate::monitor::{FileErrorKind, VoidMonitor};
use crate::node::{Node, NodeKind};
use crate::repair::SnapshotRepair;
use crate::snapshot::Snapshot;
use crate::walk::MAX_DEPTH;

type Make = fn(&mut Forge) -> Id;

/// A repository with a snapshot of a tree.
fn forged(tree: Make) -> (tempfile::TempDir, Forge, Snapshot) {
    let folder = tempfile::tempdir().unwrap();
    let mut forge = Forge::new(folder.path());
    let tree = tree(&mut forge);
    let snapshot = forge.snapshot(tree);
    (folder, forge, snapshot)
}

fn deep(forge: &mut Forge) -> Id {
    let bottom = forge.tree(&[]);
    (0..5000)
        .fold(bottom, |below, _| forge.tree(&[Node { subtree: Some(below), ..node(b"d", NodeKind::Dir) }]))
}

#[test]
fn a_search_ends_where_trees_explode() {
    let (_folder, forge, snapshot) = forged(Forge::wide_and_deep);
    let (first, options) = (FirstRefusal::default(), FindOptions::default());
    let found =
        forge.repository.find(&[snapshot], &options, &first, &first.cancel, &mut |_| Search::Continue);
    assert_eq!(found.unwrap_err().kind(), ErrorKind::Cancelled);
    assert_eq!(first.depth(), DEEPEST);
}

#[test]
fn a_comparison_ends_where_trees_explode() {
    let (_folder, mut forge, snapshot) = forged(Forge::wide_and_deep);
    let empty = forge.tree(&[]);
    let empty = forge.snapshot(empty);
    for [before, after] in [[&empty, &snapshot], [&snapshot, &empty]] {
        let first = FirstRefusal::default();
        let summary = forge.repository.diff(before, after, &first, &first.cancel, &mut |_| {});
        assert_eq!(summary.unwrap_err().kind(), ErrorKind::Cancelled);
        assert_eq!(first.depth(), DEEPEST);
    }
}

#[test]
fn a_copy_cut_anew_ends_where_trees_explode() {
    let (folder, forge, snapshot) = forged(Forge::wide_and_deep);
    let to = Forge::new(&folder.path().join("copy")).repository;
    let first = FirstRefusal::default();
    let copied = forge.repository.copy_rechunked_to(&to, &[snapshot], &first, &first.cancel);
    assert_eq!(copied.unwrap_err().kind(), ErrorKind::Cancelled);
    assert_eq!((first.depth(), to.snapshots().unwrap().len()), (DEEPEST, 0));
}

#[test]
fn a_check_names_the_snapshot_whose_trees_explode_or_are_too_deep() {
    let trees: [(Make, usize); 2] = [(Forge::wide_and_deep, DEEPEST), (deep, MAX_DEPTH + 1)];
    for (tree, deepest) in trees {
        let (_folder, forge, snapshot) = forged(tree);
        let report = forge.repository.check(&CheckOptions::default(), &VoidMonitor, &Cancel::new()).unwrap();
        let [problem] = report.problems.as_slice() else { panic!("{:?}", report.problems) };
        let [hit] = problem.hits.as_slice() else { panic!("{problem:?}") };
        assert_eq!(
            (problem.kind, hit.snapshot, depth(&hit.path)),
            (ProblemKind::TreeDamaged, snapshot.id, deepest)
        );
    }
}

#[test]
fn a_repair_leaves_the_snapshot_whose_trees_explode_or_are_too_deep() {
    for tree in [Forge::wide_and_deep, deep] {
        let (_folder, forge, snapshot) = forged(tree);
        let (errors, options) = (Errors::default(), SnapshotRepair::default());
        let repaired = forge
            .repository
            .repair_snapshots(from_ref(&snapshot), &options, &errors, &Cancel::new())
            .unwrap();
        assert_eq!(repaired, []);
        let errors = errors.0.into_inner().unwrap();
        let [error] = errors.as_slice() else { panic!("{errors:?}") };
        assert_eq!(error.kind, FileErrorKind::Refused);
        assert_eq!(forge.repository.snapshots().unwrap(), [snapshot]);
    }
}
