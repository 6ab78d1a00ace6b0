//! Tables for people: a list as rows, an object as names and values.

use comfy_table::{ContentArrangement, Table, presets};
use jiff::Timestamp;
use serde_json::{Map, Value};

use crate::human;

/// What people look for first; the other fields follow by name.
const FIRST: [&str; 4] = ["id", "name", "state", "reason"];

/// An object as a row of a list.
pub trait Row {
    /// The heads of the columns.
    const COLUMNS: &'static [&'static str];
    /// A cell for each column.
    fn cells(&self) -> Vec<String>;
}

/// A list as a table.
pub fn list<T: Row>(items: &[T]) -> String {
    let mut table = bare();
    table.set_header(T::COLUMNS.iter().map(|name| name.to_uppercase()));
    for item in items {
        table.add_row(item.cells().iter().map(|cell| printable(cell)));
    }
    text_of(&table)
}

/// An object as two columns, a line for each field. Times and sizes are shown in a way that people read.
pub fn object(value: &Value) -> String {
    let mut table = bare();
    add_fields(&mut table, "", value, Timestamp::now());
    text_of(&table)
}

/// A yes or no.
pub fn yes(value: bool) -> String {
    if value { "yes" } else { "no" }.to_owned()
}

/// How long ago a time was; `-` where there is none.
pub fn age(time: Option<Timestamp>) -> String {
    time.map_or_else(|| "-".to_owned(), |time| human::age(time, Timestamp::now()))
}

fn bare() -> Table {
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_content_arrangement(ContentArrangement::Dynamic);
    table
}

fn text_of(table: &Table) -> String {
    table.lines().map(|line| line.trim_end().to_owned()).collect::<Vec<_>>().join("\n")
}

fn add_fields(table: &mut Table, prefix: &str, value: &Value, now: Timestamp) {
    let Value::Object(fields) = value else { return };
    for (name, value) in in_order(fields) {
        let name = format!("{prefix}{name}");
        if value.is_object() {
            add_fields(table, &format!("{name}."), value, now);
        } else {
            let shown = printable(&field(&name, value, now));
            table.add_row([name, shown]);
        }
    }
}

fn field(name: &str, value: &Value, now: Timestamp) -> String {
    match value {
        Value::Null => "-".to_owned(),
        Value::Bool(value) => yes(*value),
        Value::Number(number) => match number.as_u64() {
            Some(bytes) if name.contains("bytes") => format!("{} ({bytes})", human::size(bytes)),
            _ => number.to_string(),
        },
        Value::String(text) => match text.parse::<Timestamp>() {
            Ok(time) if name.ends_with("_at") || name == "next_runtime" => {
                format!("{text} ({})", human::age(time, now))
            }
            _ => text.clone(),
        },
        Value::Array(items) if items.is_empty() => "-".to_owned(),
        Value::Array(items) => items.iter().map(item).collect::<Vec<_>>().join("\n"),
        Value::Object(_) => item(value),
    }
}

/// An item of a list within an object, on a line of its own. The fields of an object have their names before them;
/// those that say nothing are left out.
fn item(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::Bool(value) => yes(*value),
        Value::String(text) => text.replace('\n', " "),
        Value::Array(items) => items.iter().map(item).collect::<Vec<_>>().join(" "),
        Value::Object(fields) => {
            let shown = in_order(fields).into_iter().map(|(name, value)| (name, item(value)));
            let named =
                shown.filter(|(_, text)| !text.is_empty()).map(|(name, text)| format!("{name}: {text}"));
            named.collect::<Vec<_>>().join(", ")
        }
        Value::Number(number) => number.to_string(),
    }
}

fn in_order(fields: &Map<String, Value>) -> Vec<(&String, &Value)> {
    let mut fields: Vec<_> = fields.iter().collect();
    fields.sort_by_key(|(name, _)| FIRST.iter().position(|first| first == name).unwrap_or(FIRST.len()));
    fields
}

/// Names come from other machines: control characters in them must not reach the terminal.
fn printable(text: &str) -> String {
    text.chars().map(|c| if c.is_control() && c != '\n' { char::REPLACEMENT_CHARACTER } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_object_shows_each_field() {
        let text = object(&json!({
            "id": 3, "enabled": true, "size_bytes": 2048, "host": { "os": "Debian" }, "paths": ["/a", "/b"], "reason": null,
        }));
        assert!(text.trim_start().starts_with("id"), "{text}");
        let lines: Vec<Vec<&str>> = text.lines().map(|line| line.split_whitespace().collect()).collect();
        assert!(lines.contains(&vec!["id", "3"]), "{text}");
        assert!(lines.contains(&vec!["enabled", "yes"]), "{text}");
        assert!(lines.contains(&vec!["size_bytes", "2.0", "KiB", "(2048)"]), "{text}");
        assert!(lines.contains(&vec!["host.os", "Debian"]), "{text}");
        assert!(lines.contains(&vec!["reason", "-"]), "{text}");
        assert!(lines.contains(&vec!["/b"]), "{text}");
    }

    #[test]
    fn objects_in_a_list_have_names_before_their_fields() {
        let text = object(&json!({
            "errors": [{ "path": "/a\nb", "code": 13, "details": null, "tags": ["x", "y"], "name": "n" }],
        }));
        let words = text.split_whitespace().collect::<Vec<_>>().join(" ");
        assert_eq!(words, "errors name: n, code: 13, path: /a b, tags: x y");
    }

    #[test]
    fn escape_sequences_do_not_reach_the_terminal() {
        let text = object(&json!({ "name": "a\u{1b}[31mred" }));
        assert!(!text.contains('\u{1b}'), "{text:?}");
    }
}
