//! What a backup configuration may say beyond what and when: which files are passed over whatever their names, and which
//! commands run before and after.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{bandwidth::BandwidthLimit, dump::Dump};

/// How long a command may run when nobody says, in seconds.
pub const USUAL_HOOK_SECONDS: u32 = 600;
/// How much of what a command says is kept, in bytes: the end of it.
pub const MAX_HOOK_OUTPUT: usize = 4096;

/// What a backup does beside backing up, and what it passes over.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct BackupOptions {
    /// Only files and folders beneath the inclusions that match one of these patterns, in restic's syntax; all when empty.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub patterns: Vec<String>,
    /// Names of files, such as `.gitignore`, that say in each folder what to leave out of it, in git's syntax.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub ignore_files: Vec<String>,
    /// Whether to stay on the file systems of the inclusions.
    #[serde(skip_serializing_if = "is_false")]
    pub one_file_system: bool,
    /// Whether to leave out what is in folders that a `CACHEDIR.TAG` marks as caches.
    #[serde(skip_serializing_if = "is_false")]
    pub exclude_caches: bool,
    /// Files larger than so many bytes are left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub exclude_larger_than: Option<u64>,
    /// How fast it may send, by the time of day; the first that holds counts, and none is no limit.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub bandwidth: Vec<BandwidthLimit>,
    /// Databases, and what commands print, that are backed up beside the inclusions, of which there need be none then.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub dumps: Vec<Dump>,
    /// The commands that run before and after.
    #[serde(skip_serializing_if = "Hooks::is_usual")]
    pub hooks: Hooks,
}

impl BackupOptions {
    /// The commands whose output is backed up.
    pub fn dump_commands(&self) -> impl Iterator<Item = &Dump> {
        self.dumps.iter().filter(|dump| matches!(dump, Dump::Command { .. }))
    }
}

fn is_false(flag: &bool) -> bool {
    !flag
}

/// Commands that the agent runs, if the policy file on its machine allows them. Only admins set them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Hooks {
    /// Before the backup.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pre: Option<Hook>,
    /// After a backup that has left a snapshot.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub post: Option<Hook>,
    /// After a backup that has failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<Hook>,
    /// Whether the backup fails when the command before it does; else it goes on, and ends with an error.
    pub cancel_when_pre_fails: bool,
}

impl Default for Hooks {
    fn default() -> Self {
        Self { pre: None, post: None, error: None, cancel_when_pre_fails: true }
    }
}

impl Hooks {
    /// Whether there is nothing to be said of them.
    pub fn is_usual(&self) -> bool {
        *self == Self::default()
    }

    /// The commands, with the words for when they run.
    pub fn all(&self) -> impl Iterator<Item = (HookKind, &Hook)> {
        let pairs =
            [(HookKind::Pre, &self.pre), (HookKind::Post, &self.post), (HookKind::Error, &self.error)];
        pairs.into_iter().filter_map(|(kind, hook)| Some((kind, hook.as_ref()?)))
    }
}

/// A command.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Hook {
    /// What `/bin/sh -c` is given, up to 4096 bytes.
    pub command: String,
    /// How long it may run, 1 to 86400 seconds.
    #[serde(default = "usual_seconds")]
    pub timeout_seconds: u32,
}

fn usual_seconds() -> u32 {
    USUAL_HOOK_SECONDS
}

/// When a command runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum HookKind {
    /// Before the backup.
    Pre,
    /// After one that has left a snapshot.
    Post,
    /// After one that has failed.
    Error,
}

impl HookKind {
    /// The word of JSON and of the command's environment.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pre => "pre",
            Self::Post => "post",
            Self::Error => "error",
        }
    }
}

impl std::fmt::Display for HookKind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What became of a command.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct HookOutcome {
    /// When it was to run.
    pub hook: HookKind,
    /// Why it failed, such as `it ended with exit status 1`; nothing where it ended with 0.
    pub error: Option<String>,
    /// The end of what it wrote to standard output and standard error.
    pub output: String,
    /// How long it ran.
    pub duration_seconds: f64,
}
