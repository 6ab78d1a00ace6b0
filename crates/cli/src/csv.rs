//! Tables with commas, as RFC 4180 has them: a head, then a line for each item, whatever the noun.
//!
//! Values come from other machines. One that a spreadsheet would take for a formula is made plain text.

use std::collections::BTreeSet;

use serde_json::Value;

/// What stands first; the other columns follow by name.
const FIRST: [&str; 3] = ["id", "name", "state"];

/// Objects as a table. Its columns are the fields of all of them; without any there is not even a head.
pub fn list(items: &[Value]) -> String {
    if items.is_empty() {
        return String::new();
    }
    let names: BTreeSet<&str> = items
        .iter()
        .filter_map(Value::as_object)
        .flat_map(|fields| fields.keys().map(String::as_str))
        .collect();
    let mut columns: Vec<_> = names.into_iter().collect();
    columns.sort_by_key(|name| FIRST.iter().position(|first| first == name).unwrap_or(FIRST.len()));
    let mut text = line(columns.iter().map(|&name| name.to_owned()));
    for item in items {
        text += &line(columns.iter().map(|&name| plain(&item[name])));
    }
    text
}

fn line(cells: impl Iterator<Item = String>) -> String {
    cells.map(|text| cell(&text)).collect::<Vec<_>>().join(",") + "\n"
}

/// A value as text. The items of a list stand beside each other.
fn plain(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        Value::Array(items) => items.iter().map(plain).collect::<Vec<_>>().join(" "),
        other => other.to_string(),
    }
}

/// A cell, in quotes where it has to be.
fn cell(text: &str) -> String {
    let formula = text.starts_with(['=', '+', '-', '@', '\t', '\r']) && text.parse::<f64>().is_err();
    let text = if formula { format!("'{text}") } else { text.to_owned() };
    if text.contains([',', '"', '\n', '\r']) { format!("\"{}\"", text.replace('"', "\"\"")) } else { text }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{cell, list};

    #[test]
    fn a_cell_means_nothing_to_a_spreadsheet() {
        for (text, written) in [
            ("plain", "plain"),
            ("a,\"b\"", "\"a,\"\"b\"\"\""),
            ("=HYPERLINK(1)", "'=HYPERLINK(1)"),
            ("-5", "-5"),
            ("-x", "'-x"),
            ("a\nb", "\"a\nb\""),
        ] {
            assert_eq!(cell(text), written);
        }
    }

    #[test]
    fn columns_are_those_of_all_items_and_the_first_are_first() {
        let items = [
            json!({"a": 1, "name": "n", "tags": ["x", "y"]}),
            json!({"id": "i", "b": {"c": true}, "a": null}),
        ];
        assert_eq!(list(&items), "id,name,a,b,tags\n,n,1,,x y\ni,,,\"{\"\"c\"\":true}\",\n");
        assert_eq!(list(&[]), "");
    }
}
