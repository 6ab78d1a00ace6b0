//! Everything that is printed goes through here: one document on standard output, and words for people on standard
//! error.

use std::io::{self, IsTerminal, Write};

use clap::ValueEnum;
use roadstead_client::api::Page;
use serde::Serialize;

use crate::{
    csv,
    error::{Error, Result},
    table::{self, Row},
};

/// The form of what is printed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// For people.
    #[default]
    Table,
    /// One JSON document.
    Json,
    /// One YAML document.
    Yaml,
    /// A table with commas: a line for each item.
    Csv,
}

/// Where and how to print.
#[derive(Clone, Copy, Debug)]
pub struct Output {
    format: Format,
}

impl Output {
    /// Prints in the form given.
    pub fn new(format: Format) -> Self {
        Self { format }
    }

    /// Whether people read this, rather than a program.
    pub fn is_for_people(&self) -> bool {
        self.format == Format::Table
    }

    /// Prints one object.
    pub fn object<T: Serialize>(&self, value: &T) -> Result<()> {
        match self.format {
            Format::Table => self.text(&table::object(&serde_json::to_value(value).map_err(unwritable)?)),
            Format::Csv => self.text(&csv::list(&[serde_json::to_value(value).map_err(unwritable)?])),
            _ => self.document(value),
        }
    }

    /// Prints one page of a list.
    pub fn page<T: Serialize + Row>(&self, page: &Page<T>) -> Result<()> {
        match self.format {
            Format::Table => self.text(&table::list(&page.items))?,
            Format::Csv => {
                let items = page.items.iter().map(serde_json::to_value).collect::<Result<Vec<_>, _>>();
                self.text(&csv::list(&items.map_err(unwritable)?))?;
            }
            _ => return self.document(page),
        }
        if let Some(next) = &page.next {
            self.say(&format!("There are more: --cursor {next}, or --all"));
        }
        Ok(())
    }

    /// Prints one of many objects that come in the course of time: a line of JSON, or a YAML document, each.
    pub fn line<T: Serialize>(&self, value: &T) -> Result<()> {
        match self.format {
            Format::Yaml => self.text(&format!("---\n{}", yaml(value)?)),
            _ => self.text(&serde_json::to_string(value).map_err(unwritable)?),
        }
    }

    /// Prints text as it is, and ends the line; without any text there is no line.
    pub fn text(&self, text: &str) -> Result<()> {
        if text.is_empty() {
            return Ok(());
        }
        self.bytes(text.trim_end_matches('\n').as_bytes()).and_then(|()| self.bytes(b"\n"))
    }

    /// Prints bytes as they are.
    pub fn bytes(&self, bytes: &[u8]) -> Result<()> {
        let mut stdout = io::stdout().lock();
        stdout.write_all(bytes).and_then(|()| stdout.flush()).map_err(unwritable)
    }

    /// Says something to people, beside the document. A table with commas has no place for it, either.
    pub fn say(&self, text: &str) {
        if matches!(self.format, Format::Table | Format::Csv) {
            to_stderr(text);
        }
    }

    /// Tells why the command failed.
    pub fn error(&self, error: &Error) {
        match self.format {
            Format::Json => to_stderr(&error.to_json().to_string()),
            _ => to_stderr(&format!("error: {}", error.chain())),
        }
    }

    fn document<T: Serialize>(&self, value: &T) -> Result<()> {
        let text = match self.format {
            Format::Yaml => yaml(value)?,
            _ => serde_json::to_string_pretty(value).map_err(unwritable)?,
        };
        self.text(&text)
    }
}

/// A value as YAML, by way of JSON: the program holds what writes YAML once, and not once for each type.
fn yaml<T: Serialize>(value: &T) -> Result<String> {
    let json = serde_json::to_string(value).map_err(unwritable)?;
    let mut json = serde_json::Deserializer::from_str(&json);
    serde_saphyr::to_string(&serde_transcode::Transcoder::new(&mut json)).map_err(unwritable)
}

/// Whether standard error is a terminal, where a progress bar makes sense.
pub fn stderr_is_terminal() -> bool {
    io::stderr().is_terminal()
}

/// Whether there is somebody to answer a question.
pub fn stdin_is_terminal() -> bool {
    io::stdin().is_terminal()
}

/// Writes a line to standard error. Where that fails there is nobody left to tell.
pub fn to_stderr(text: &str) {
    let _ = writeln!(io::stderr().lock(), "{text}");
}

fn unwritable(error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Error {
    Error::local("cannot write the output").caused_by(error)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use serde::Serialize;

    use super::yaml;

    #[derive(Serialize)]
    struct Thing {
        zulu: &'static str,
        alpha: Option<u64>,
        none: Option<u64>,
        ratio: f64,
        empty: Vec<u8>,
        nested: Vec<BTreeMap<&'static str, Vec<i64>>>,
        no_tags: BTreeMap<String, String>,
    }

    #[test]
    fn yaml_by_way_of_json_is_what_it_would_be_directly() {
        let thing = Thing {
            zulu: "yes: \"no\" # ø\nsecond line",
            alpha: Some(u64::MAX),
            none: None,
            ratio: 0.25,
            empty: Vec::new(),
            nested: vec![BTreeMap::new(), BTreeMap::from([("a", vec![]), ("true", vec![-1, i64::MAX])])],
            no_tags: BTreeMap::new(),
        };
        assert_eq!(yaml(&thing).unwrap(), serde_saphyr::to_string(&thing).unwrap());
    }
}
