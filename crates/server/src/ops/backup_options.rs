//! What a configuration's options may be, and how a change to some of them is made.

use roadstead_api::{
    backup_options::BackupOptions,
    bandwidth::MIN_RATE,
    dump::{Dump, FOLDER},
};
use serde_json::{Map, Value};

use super::validate;
use crate::{Error, Result, db::row};

/// How many names of ignore files a configuration may have.
const MAX_IGNORE_FILES: usize = 20;
/// How many limits of bandwidth a configuration may have.
const MAX_LIMITS: usize = 48;
/// How many dumps a configuration may have.
const MAX_DUMPS: usize = 200;
/// How long a command may be, in bytes.
const MAX_COMMAND: usize = 4096;
/// How long a command may run at the most, in seconds: a day.
const MAX_SECONDS: u32 = 86_400;

/// The options with a change made to them, as RFC 7396 has it.
pub fn changed(options: &BackupOptions, change: Map<String, Value>) -> Result<BackupOptions> {
    let mut value: Value = serde_json::from_str(&row::json(options)?)
        .map_err(|e| Error::internal("Options could not be read again.").caused_by(e))?;
    merge(&mut value, Value::Object(change));
    serde_json::from_value(value).map_err(|e| Error::invalid(format!("options: {e}.")))
}

/// As deep as JSON may be that the server takes at all.
fn merge(value: &mut Value, change: Value) {
    let Value::Object(change) = change else {
        *value = change;
        return;
    };
    if !value.is_object() {
        *value = Value::Object(Map::new());
    }
    let Value::Object(fields) = value else { return };
    for (name, change) in change {
        match change {
            Value::Null => drop(fields.remove(&name)),
            change => merge(fields.entry(name).or_insert(Value::Null), change),
        }
    }
}

/// Checks every option.
pub fn check(options: &BackupOptions) -> Result<()> {
    validate::patterns("options.patterns", &options.patterns)?;
    if options.ignore_files.len() > MAX_IGNORE_FILES {
        return Err(Error::invalid(format!("options.ignore_files takes up to {MAX_IGNORE_FILES} names.")));
    }
    for name in &options.ignore_files {
        let fits = !name.is_empty()
            && name.len() <= 255
            && !name.contains(['/', '\0'])
            && name != "."
            && name != "..";
        if !fits {
            return Err(Error::invalid(format!(
                "options.ignore_files: {name:.100?} is no name of a file; write .gitignore."
            )));
        }
    }
    if options.exclude_larger_than == Some(0)
        || options.exclude_larger_than.is_some_and(|n| i64::try_from(n).is_err())
    {
        return Err(Error::invalid(
            "options.exclude_larger_than goes from 1 byte up; leave it out for no limit.",
        ));
    }
    check_dumps(&options.dumps)?;
    if options.bandwidth.len() > MAX_LIMITS {
        return Err(Error::invalid(format!("options.bandwidth takes up to {MAX_LIMITS} limits.")));
    }
    if options.bandwidth.iter().any(|limit| limit.bytes_per_second < MIN_RATE) {
        return Err(Error::invalid(format!(
            "options.bandwidth: bytes_per_second goes from {MIN_RATE} up; leave the limit out for none."
        )));
    }
    for (kind, hook) in options.hooks.all() {
        let command = &hook.command;
        if command.trim().is_empty() || command.len() > MAX_COMMAND || command.contains('\0') {
            return Err(Error::invalid(format!(
                "options.hooks.{kind}.command takes 1 to {MAX_COMMAND} bytes, not all blank."
            )));
        }
        if !(1..=MAX_SECONDS).contains(&hook.timeout_seconds) {
            return Err(Error::invalid(format!(
                "options.hooks.{kind}.timeout_seconds goes from 1 to {MAX_SECONDS}."
            )));
        }
    }
    Ok(())
}

fn check_dumps(dumps: &[Dump]) -> Result<()> {
    if dumps.len() > MAX_DUMPS {
        return Err(Error::invalid(format!("options.dumps takes up to {MAX_DUMPS} dumps.")));
    }
    if let Some(fault) = dumps.iter().find_map(Dump::fault) {
        return Err(Error::invalid(format!("options.dumps: {fault}.")));
    }
    let paths: Vec<String> = dumps.iter().map(Dump::path).collect();
    let is_beneath = |path: &str, other: &str| {
        path.strip_prefix(other).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    };
    for (number, path) in paths.iter().enumerate() {
        if paths[..number].iter().any(|other| is_beneath(path, other) || is_beneath(other, path)) {
            return Err(Error::invalid(format!(
                "options.dumps: {path:.100?} stands there twice, or beneath itself."
            )));
        }
    }
    Ok(())
}

/// Refuses inclusions that lie where the backup has its dumps: one of the two would have to give way each time.
pub fn dumps_apart(options: &BackupOptions, inclusions: &[String]) -> Result<()> {
    let taken = |path: &&String| {
        path.strip_prefix(FOLDER).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    };
    match inclusions.iter().find(taken).filter(|_| !options.dumps.is_empty()) {
        None => Ok(()),
        Some(path) => Err(Error::invalid(format!(
            "inclusions: {path:.100?} lies where the backup has its dumps, {FOLDER}; restored dumps can be backed up from \
             another folder, or by a configuration without dumps."
        ))),
    }
}

#[cfg(test)]
mod tests {
    use roadstead_api::backup_options::Hook;
    use serde_json::json;

    use super::*;

    fn with(options: &BackupOptions, change: Value) -> Result<BackupOptions> {
        let Value::Object(change) = change else { panic!("no object") };
        changed(options, change)
    }

    #[test]
    fn a_change_leaves_alone_what_it_does_not_name() {
        let options = with(&BackupOptions::default(), json!({ "exclude_caches": true })).unwrap();
        let options = with(&options, json!({ "hooks": { "pre": { "command": "a" } } })).unwrap();
        let options =
            with(&options, json!({ "hooks": { "post": { "command": "b", "timeout_seconds": 5 } } })).unwrap();
        assert!(options.exclude_caches && options.hooks.cancel_when_pre_fails);
        assert_eq!(options.hooks.pre, Some(Hook { command: "a".to_owned(), timeout_seconds: 600 }));
        let options = with(&options, json!({ "hooks": { "pre": null }, "exclude_caches": null })).unwrap();
        assert!(!options.exclude_caches && options.hooks.pre.is_none() && options.hooks.post.is_some());
        for wrong in [
            json!({ "x": 1 }),
            json!({ "exclude_caches": 1 }),
            json!({ "hooks": 1 }),
            json!({ "hooks": { "pre": {} } }),
            json!({ "patterns": "x" }),
        ] {
            assert!(with(&options, wrong.clone()).is_err(), "{wrong}");
        }
    }

    #[test]
    fn where_dumps_lie_nothing_else_is_included() {
        let dumping = with(&BackupOptions::default(), json!({ "dumps": [{ "kind": "mysql" }] })).unwrap();
        let apart = |options: &BackupOptions, path: &str| dumps_apart(options, &[path.to_owned()]).is_ok();
        for (path, may) in [
            ("/", true),
            ("/roadstead-dumps-old", true),
            ("/srv/roadstead-dumps", true),
            ("/roadstead-dumps", false),
            ("/roadstead-dumps/mysql.sql", false),
        ] {
            assert_eq!(apart(&dumping, path), may, "{path}");
            assert!(apart(&BackupOptions::default(), path));
        }
    }

    #[test]
    fn options_are_looked_at() {
        check(&BackupOptions::default()).unwrap();
        for wrong in [
            json!({ "patterns": [""] }),
            json!({ "ignore_files": ["a/b"] }),
            json!({ "ignore_files": [".."] }),
            json!({ "exclude_larger_than": 0 }),
            json!({ "dumps": [{ "kind": "postgresql", "database": "a/b" }] }),
            json!({ "dumps": [{ "kind": "oracle" }] }),
            json!({ "dumps": [{ "kind": "mysql" }, { "kind": "mysql" }] }),
            json!({ "dumps": [{ "kind": "sqlite", "path": "/a" }, { "kind": "sqlite", "path": "/a/b" }] }),
            json!({ "bandwidth": [{ "from": "08:00", "until": "09:00", "bytes_per_second": 1 }] }),
            json!({ "hooks": { "pre": { "command": " " } } }),
            json!({ "hooks": { "pre": { "command": "a\0" } } }),
            json!({ "hooks": { "error": { "command": "a", "timeout_seconds": 0 } } }),
            json!({ "hooks": { "error": { "command": "a", "timeout_seconds": 90_000 } } }),
        ] {
            let refused = with(&BackupOptions::default(), wrong.clone()).and_then(|options| check(&options));
            assert!(refused.is_err(), "{wrong}");
        }
    }
}
