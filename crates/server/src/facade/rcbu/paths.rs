//! Paths as the service has them: an object each, which says whether it is a file or a folder.
//!
//! A path means itself. Here an exclusion is a pattern, so what is special in patterns is taken literally on the way in,
//! and read back on the way out.

use std::collections::BTreeMap;

use base64::{Engine, prelude::BASE64_STANDARD};
use serde_json::{Value, json};

use crate::{Error, Result};

/// Whether each path is a file or a folder, as a client said.
pub type Kinds = BTreeMap<String, String>;

/// The paths of a list; `None` where there is no list.
pub fn read(body: &Value, field: &str, kinds: &mut Kinds) -> Result<Option<Vec<String>>> {
    let list = match &body[field] {
        Value::Null => return Ok(None),
        Value::Array(list) => list,
        _ => return Err(Error::invalid(format!("{field} must be a list."))),
    };
    let mut paths = Vec::new();
    for item in list {
        let path = path(item)?;
        if let Some(kind) = item["FileItemType"].as_str().filter(|kind| matches!(*kind, "File" | "Folder")) {
            kinds.insert(path.clone(), kind.to_owned());
        }
        paths.push(path);
    }
    Ok(Some(paths))
}

/// The path of an object, which may come in base64.
pub fn path(item: &Value) -> Result<String> {
    let wrong = || Error::invalid("FilePath must be an absolute path.");
    let encoded = item["FilePathEncoded"].as_str().filter(|text| !text.is_empty());
    let path = match encoded {
        Some(text) => {
            let bytes = BASE64_STANDARD.decode(text).map_err(|e| wrong().caused_by(e))?;
            String::from_utf8(bytes).map_err(|e| wrong().caused_by(e))?
        }
        None => item["FilePath"].as_str().ok_or_else(wrong)?.to_owned(),
    };
    if path.starts_with('/') { Ok(path) } else { Err(wrong()) }
}

/// Paths as a list of objects. `parent` is the configuration they belong to.
pub fn shown(paths: impl Iterator<Item = String>, filter: &str, kinds: &Kinds, parent: i64) -> Value {
    let item = |(index, path): (usize, String)| {
        json!({
            "FilePath": path,
            "FileItemType": kinds.get(&path).map_or("Folder", String::as_str),
            "FilePathEncoded": null,
            "FileId": index + 1,
            "ParentId": parent,
            "Filter": filter,
        })
    };
    Value::Array(paths.enumerate().map(item).collect())
}

/// A path as a pattern that matches it alone, and what lies beneath.
pub fn to_pattern(path: &str) -> String {
    let mut pattern = String::with_capacity(path.len());
    for letter in path.chars() {
        if matches!(letter, '*' | '?' | '[' | '\\') {
            pattern.push('\\');
        }
        pattern.push(letter);
    }
    pattern
}

/// The path that a pattern matches alone; the pattern itself if it matches more.
pub fn of_pattern(pattern: &str) -> String {
    let mut path = String::with_capacity(pattern.len());
    let mut letters = pattern.chars();
    while let Some(letter) = letters.next() {
        match letter {
            '\\' => path.extend(letters.next()),
            '*' | '?' | '[' => return pattern.to_owned(),
            letter => path.push(letter),
        }
    }
    path
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_read_back_whatever_is_in_them() {
        for path in ["/etc", "/a*b/[c]", "/back\\slash?", "/☂"] {
            assert_eq!(of_pattern(&to_pattern(path)), path);
        }
        assert_eq!(of_pattern("/home/*/cache"), "/home/*/cache");
    }

    #[test]
    fn lists_of_objects() {
        let mut kinds = Kinds::new();
        let body = json!({ "Inclusions": [
            { "FilePath": "/etc", "FileItemType": "Folder" },
            { "FilePath": "", "FilePathEncoded": BASE64_STANDARD.encode("/b"), "FileItemType": "File" },
        ] });
        let paths = read(&body, "Inclusions", &mut kinds).unwrap().unwrap();
        assert_eq!(paths, ["/etc", "/b"]);
        let told = shown(paths.into_iter(), "Include", &kinds, 7);
        assert_eq!((&told[1]["FileItemType"], &told[1]["ParentId"]), (&json!("File"), &json!(7)));
        assert_eq!(read(&body, "Exclusions", &mut kinds).unwrap(), None);
        for wrong in [
            json!("x"),
            json!([1]),
            json!([{}]),
            json!([{ "FilePath": "relative" }]),
            json!([{ "FilePathEncoded": "!" }]),
        ] {
            assert!(read(&json!({ "Inclusions": wrong }), "Inclusions", &mut kinds).is_err());
        }
    }
}
