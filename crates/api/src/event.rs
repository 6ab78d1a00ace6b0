//! Events: what changes, told as it happens, as server-sent events
//! (<https://html.spec.whatwg.org/multipage/server-sent-events.html>).
//!
//! `GET` [`PATH`] answers with a stream that does not end. Its first message is `ready`, or `resync` to a reader whose
//! `Last-Event-ID` is too old: what it has read before may be stale, and is to be read again. After that each change
//! of something that the reader may see comes as `NOUN.changed` with an [`Event`] as its data. A reader that does not
//! keep up, or that a server lost something for, gets a `resync` in the middle. Comments keep the line alive.
//!
//! An event tells that something changed, and its new state where that is small. It is no record: what matters is
//! read from the noun itself.

use std::fmt::Display;

use jiff::Timestamp;
use schemars::{JsonSchema, SchemaGenerator};
use serde::{Deserialize, Serialize};

use crate::{Declaration, Method, Permission, run::Progress};

/// Where the stream is, below [`crate::BASE_PATH`].
pub const PATH: &str = "/events";
/// Who may read it: any user; each sees what they may read anyway.
pub const PERMISSION: Permission = Permission::Observer;
/// The message that says: from here on nothing is missed.
pub const READY: &str = "ready";
/// The message that says: something was missed, read again what you show.
pub const RESYNC: &str = "resync";
/// What the name of every other message ends with; the noun comes before it.
pub const CHANGED: &str = ".changed";

/// Nouns of two words and more, which an operation's name cannot be cut at its first `_` for.
const LONG_NOUNS: [&str; 12] = [
    "agent_machine",
    "api_key",
    "backup_configuration",
    "drill_settings",
    "enrolment_token",
    "key_machine",
    "mail_settings",
    "notification_channel",
    "restore_configuration",
    "retention_plan",
    "saved_view",
    "vault_task",
];

/// Something that changed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Event {
    /// What kind of thing, such as `backup` or `machine`.
    pub noun: String,
    /// Its id, as text also where it is a number.
    pub id: String,
    /// What happened to it: a verb such as `create`, `update`, `delete`; `state` where its state changed, and
    /// `progress` where a run has come further; `measure` where an agent that somebody watches has measured its machine.
    pub what: String,
    /// Its state now, where it has one and that was at hand.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state: Option<String>,
    /// How far it has come, of a run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub progress: Option<Progress>,
    /// When.
    pub at: Timestamp,
}

impl Event {
    /// Something happened to a noun; the time is filled in when it is told.
    pub fn new(noun: impl Into<String>, id: impl Display, what: impl Into<String>) -> Self {
        Self {
            noun: noun.into(),
            id: id.to_string(),
            what: what.into(),
            state: None,
            progress: None,
            at: Timestamp::UNIX_EPOCH,
        }
    }

    /// The event that an operation, such as `backup_create`, makes of the noun in its name.
    pub fn of_operation(operation: &str, id: impl Display) -> Self {
        let (noun, verb) = noun_and_verb(operation);
        Self::new(noun, id, verb)
    }

    /// The same with the noun's new state.
    pub fn state(mut self, state: impl Display) -> Self {
        self.state = Some(state.to_string());
        self
    }

    /// The same with how far a run has come.
    pub fn progress(mut self, progress: Progress) -> Self {
        self.progress = Some(progress);
        self
    }

    /// The name of the message that carries it.
    pub fn message(&self) -> String {
        format!("{}{CHANGED}", self.noun)
    }
}

/// Takes an operation's name apart: the noun, then the verb.
pub fn noun_and_verb(operation: &str) -> (&str, &str) {
    let long = LONG_NOUNS.iter().find_map(|noun| {
        let verb = operation.strip_prefix(noun)?.strip_prefix('_')?;
        Some((&operation[..noun.len()], verb))
    });
    long.or_else(|| operation.split_once('_')).unwrap_or((operation, ""))
}

/// The stream as the documents show it. It is no endpoint: what answers it is no JSON, and never ends.
pub fn declaration() -> Declaration {
    Declaration {
        name: "event_stream",
        method: Method::Get,
        path: PATH,
        path_types: &[],
        permission: PERMISSION,
        success: 200,
        summary: "Tells what changes, as it happens, as server-sent events.",
        query: Some(SchemaGenerator::subschema_for::<EventQuery>),
        body: None,
        reply: Some(SchemaGenerator::subschema_for::<Event>),
    }
}

/// Which events to read.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct EventQuery {
    /// Only those of these nouns, with commas between them; all when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub noun: Option<String>,
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::noun_and_verb;
    use crate::{Method, declarations};

    #[test]
    fn operations_are_a_noun_and_a_verb() {
        for (operation, parts) in [
            ("backup_create", ("backup", "create")),
            ("backup_configuration_enable", ("backup_configuration", "enable")),
            ("user_change_password", ("user", "change_password")),
            ("api_key_delete", ("api_key", "delete")),
            ("odd", ("odd", "")),
        ] {
            assert_eq!(noun_and_verb(operation), parts);
        }
    }

    /// A new noun of two words would otherwise be told by its first word alone.
    #[test]
    fn what_can_be_changed_can_be_listed_or_shown() {
        let all = declarations();
        let names: BTreeSet<_> = all.iter().map(|declaration| declaration.name).collect();
        let changes = all.iter().filter(|d| d.method != Method::Get && d.name != "enrolment_token_create");
        for declaration in changes {
            let (noun, _) = noun_and_verb(declaration.name);
            let read = ["list", "show"].map(|verb| format!("{noun}_{verb}"));
            assert!(
                read.iter().any(|name| names.contains(name.as_str())),
                "{}: there is neither {} nor {}; does a noun of two words miss in LONG_NOUNS?",
                declaration.name,
                read[0],
                read[1]
            );
        }
    }
}
