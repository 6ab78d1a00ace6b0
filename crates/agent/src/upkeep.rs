//! Checks and cleanups of sealed vaults: nobody but the agent can look into one.
//!
//! Which backups are forgotten is the server's to say, by when they arrived, and it takes their snapshots away itself. What
//! no snapshot needs any more only shows in the vault, so it is the agent that says which packs go.

use std::collections::BTreeSet;

use roadstead_api::link::{MAX_PROBLEMS, UpkeepFindings};
use roadstead_vault::{Cancel, CheckOptions, Monitor, Problem, PruneOptions, Repository, Result};

/// Verifies the structure, and where that is asked a part of the data.
pub(crate) fn check(
    repository: &Repository,
    (read_data, part, parts): (bool, u32, u32),
    monitor: &dyn Monitor,
    cancel: &Cancel,
) -> Result<UpkeepFindings> {
    let options = CheckOptions { read_data, part: Some((part, parts)), ..CheckOptions::default() };
    let report = repository.check(&options, monitor, cancel)?;
    let (most, _) = MAX_PROBLEMS;
    let mut problems: Vec<String> = report.problems.iter().take(most).map(in_words).collect();
    if report.problems.len() > most {
        problems.push(format!("and {} more problems", report.problems.len() - most));
    }
    Ok(UpkeepFindings::Check {
        problems,
        snapshots_checked: report.snapshots,
        packs_checked: report.packs,
        bytes_read: report.bytes_read,
    })
}

/// Writes anew what is left of wasteful packs, and gives to the trash what nobody needs.
pub(crate) fn prune(
    repository: &Repository,
    monitor: &dyn Monitor,
    cancel: &Cancel,
) -> Result<UpkeepFindings> {
    let pruned = repository.prune(&PruneOptions::default(), monitor, cancel)?;
    Ok(UpkeepFindings::Cleanup {
        packs_repacked: pruned.packs_repacked,
        packs_dropped: pruned.packs_dropped,
        bytes_dropped: pruned.bytes_dropped,
    })
}

/// How many snapshots that a problem hits are named.
const MAX_SNAPSHOTS: usize = 8;

/// With the snapshots that it hits and in how many places, and without the names of these: they are nobody else's business.
fn in_words(problem: &Problem) -> String {
    let mut words = problem.message.clone();
    let snapshots: BTreeSet<String> = problem.hits.iter().map(|hit| hit.snapshot.to_string()).collect();
    if !snapshots.is_empty() {
        let named: Vec<&str> = snapshots.iter().take(MAX_SNAPSHOTS).map(String::as_str).collect();
        let more = match snapshots.len() - named.len() {
            0 => String::new(),
            more => format!(" and {more} more"),
        };
        let places = problem.hits.len();
        words.push_str(&format!(" (hits {places} places in the snapshots {}{more})", named.join(", ")));
    }
    let (_, longest) = MAX_PROBLEMS;
    words.truncate(words.floor_char_boundary(longest));
    words
}

#[cfg(test)]
mod tests {
    use roadstead_vault::{Hit, Id, ProblemKind};

    use super::*;

    #[test]
    fn a_problem_names_its_snapshots_and_no_file() {
        let hit = |of: u8| Hit { snapshot: Id::of(&[of]), path: "/home/eve/secret".into() };
        let problem = |hits| Problem {
            kind: ProblemKind::BlobMissing,
            file: None,
            message: "a blob is missing".to_owned(),
            hits,
        };
        assert_eq!(in_words(&problem(vec![])), "a blob is missing");
        let words = in_words(&problem(vec![hit(1), hit(1), hit(2)]));
        assert!(words.contains("hits 3 places") && words.contains(&Id::of(&[2]).to_string()), "{words}");
        assert!(!words.contains("secret"), "{words}");
        let words = in_words(&problem((0..=255).map(hit).collect()));
        assert!(words.ends_with("and 248 more)") && words.len() < MAX_PROBLEMS.1, "{words}");
    }
}
