//! Checks and cleanups of sealed vaults: nobody but the agent can look into one.
//!
//! Which backups are forgotten is the server's to say, by when they arrived, and it takes their snapshots away itself. What
//! no snapshot needs any more only shows in the vault, so it is the agent that says which packs go.

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

/// Without the files that it hits: their names are nobody else's business.
fn in_words(problem: &Problem) -> String {
    let (_, longest) = MAX_PROBLEMS;
    let mut words = problem.message.clone();
    words.truncate(words.floor_char_boundary(longest));
    words
}
