//! Whether the commands that documents, messages and help name are there: advice that ends in "unexpected argument" is
//! worse than none.

use std::{
    fs,
    path::{Path, PathBuf},
};

use clap::{CommandFactory, Parser, error::ErrorKind};

use super::Cli;

/// What ends a command that stands in a text.
const ENDS: [char; 11] = ['`', ')', '(', '"', '\n', ';', '|', '>', '#', '&', ','];

fn files(folder: &Path, extension: &str, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files(&path, extension, found);
        } else if path.extension().is_some_and(|end| end == extension) && !path.ends_with(file!()) {
            found.push(path);
        }
    }
}

/// The commands that a text names, each as its words.
fn commands(text: &str, verbs: &[String]) -> Vec<Vec<String>> {
    let joined = join_lines(text);
    let mut found = Vec::new();
    for (at, _) in joined.match_indices("roadstead ") {
        let before = joined[..at].chars().next_back();
        if before.is_some_and(|c| c.is_alphanumeric() || matches!(c, '/' | '-' | '_' | '@')) {
            continue;
        }
        let rest = joined[at + "roadstead ".len()..].split(ENDS).next().unwrap_or_default();
        let words: Vec<_> =
            rest.split_whitespace().filter(|word| *word != "...").map(str::to_owned).collect();
        if words.first().is_some_and(|first| verbs.contains(first)) {
            found.push(words);
        }
    }
    found
}

/// A backslash at the end of a line goes on in the next, in shells as in literals.
fn join_lines(text: &str) -> String {
    let mut joined = String::new();
    for line in text.lines() {
        match line.strip_suffix('\\') {
            Some(begun) => joined.push_str(begun),
            None => {
                joined.push_str(line.trim_start());
                joined.push('\n');
            }
        }
    }
    joined.replace("\\n", "\n")
}

/// What is wrong with a command, as far as its words can tell: placeholders are no numbers, and much is left out.
fn fault(words: &[String]) -> Option<String> {
    let mut words: Vec<&str> = words.iter().map(String::as_str).collect();
    if let Some(last) = words.last_mut() {
        *last = last.trim_end_matches(['.', ':']);
    }
    let error = Cli::try_parse_from(std::iter::once("roadstead").chain(words)).err()?;
    let is_wrong = matches!(error.kind(), ErrorKind::UnknownArgument | ErrorKind::InvalidSubcommand);
    is_wrong.then(|| error.to_string())
}

#[test]
fn commands_that_are_named_are_there() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let mut found = vec![root.join("README.md")];
    files(&root.join("docs"), "md", &mut found);
    for name in ["agent", "api", "cli", "client", "providers", "server"] {
        files(&root.join("crates").join(name).join("src"), "rs", &mut found);
    }
    let verbs: Vec<String> =
        Cli::command().get_subcommands().map(|verb| verb.get_name().to_owned()).collect();
    let (mut seen, mut wrong) = (0, Vec::new());
    for file in found {
        for words in commands(&fs::read_to_string(&file).unwrap(), &verbs) {
            seen += 1;
            if let Some(fault) = fault(&words) {
                wrong.push(format!("{}: {}\n{fault}", file.display(), words.join(" ")));
            }
        }
    }
    assert!(seen > 200, "only {seen} commands were found");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn a_command_that_is_not_there_is_noticed() {
    let verbs = ["activity".to_owned(), "backups".to_owned()];
    let text = "see `roadstead activity list --type check`, or roadstead backups \\\n   list.";
    let found = commands(text, &verbs);
    assert_eq!(found, [vec!["activity", "list", "--type", "check"], vec!["backups", "list."]]);
    assert!(fault(&found[0]).is_some());
    assert_eq!(fault(&found[1]), None);
}
