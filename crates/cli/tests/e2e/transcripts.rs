//! What somebody who types sees of each provider, on its fake: golden transcripts of the same commands for all, from
//! adding the backend to deleting it, with a machine's whole life in between and the refusals of what cannot be done.
//!
//! A provider differs from the others in its case and in its file in `golden/providers`, and nowhere else. With
//! `ROADSTEAD_WRITE_GOLDEN` in the environment the files are written instead of compared.

mod cases;

use std::{env, fmt::Write as _, fs, path::Path, process::Output, thread};

use roadstead_api::{
    key::{NewKey, NewKeyKind},
    machine::MachineQuery,
};
use serde_json::json;
use tempfile::TempDir;
use tokio::runtime::Runtime;

use self::cases::{Case, cases};
use crate::support::{Server, roadstead};

/// Writes the files anew.
const WRITE: &str = "ROADSTEAD_WRITE_GOLDEN";
/// The lines of a single object that are the same each time.
const KEPT: [&str; 11] = [
    "title",
    "provider",
    "region",
    "name",
    "state",
    "reason",
    "machine_count",
    "size",
    "tags",
    "done",
    "total",
];

/// Somebody who types, and what they saw.
struct Typist<'a> {
    server: &'a Server,
    case: &'a Case,
    folder: TempDir,
    seen: String,
    /// The machine that lives its life: its id, once there is one.
    machine: String,
}

impl Typist<'_> {
    /// Types a command. What is different each time is left out, or stands there by another name.
    fn types(&mut self, words: &[&str]) {
        let mut command = roadstead();
        command.args(words).current_dir(&self.folder);
        command.env("ROADSTEAD_URL", &self.server.url).env("ROADSTEAD_API_KEY", &self.server.api_key);
        let output = command.output().unwrap();
        let line = words.iter().map(|word| quoted(word)).collect::<Vec<_>>().join(" ");
        let text = format!("$ roadstead {line}\n{}", shown(words, &output));
        let text = self.plain(&text);
        self.seen += &text;
    }

    fn plain(&self, text: &str) -> String {
        let backend =
            self.server.client.backends().unwrap().into_iter().find(|b| b.title == self.case.provider);
        let mut text = text.replace(&self.case.address.to_string(), "FAR").replace(&self.machine, "MACHINE");
        text = text.replace(&format!("port={}", self.case.address.port()), "port=PORT");
        if let Some(backend) = backend {
            text = text.replace(&backend.id.0, "BACKEND");
            for machine in self.server.client.find_machines(MachineQuery::default()).unwrap() {
                text = text.replace(&machine.id.0, "ID");
            }
        }
        text
    }

    fn adds(&mut self, wrong: bool) {
        let mut words =
            vec!["backends".to_owned(), "add".into(), "--provider".into(), self.case.provider.into()];
        words.extend(["--title".into(), self.case.provider.into()]);
        words.extend(self.case.region.into_iter().flat_map(|region| ["--region".to_owned(), region.into()]));
        let mut fields = self.case.fields.clone();
        if wrong {
            fields[self.case.wrong.0] = json!(self.case.wrong.1);
        }
        for (name, value) in fields.as_object().unwrap() {
            let mut value = value.as_str().unwrap().to_owned();
            // As people do with what is long or secret.
            if value.contains('\n') || value.len() > 200 {
                fs::write(self.folder.path().join(name), &value).unwrap();
                value = format!("@{name}");
            }
            words.extend(["--set".to_owned(), format!("{name}={value}")]);
        }
        self.types(&words.iter().map(String::as_str).collect::<Vec<_>>());
    }

    /// Orders a machine, or takes the one that there is.
    fn comes_by_a_machine(&mut self) {
        let provider = self.case.provider;
        let name = format!("{}-new", provider.replace('_', "-"));
        if let Some([image, size, location]) = self.case.order {
            let mut words =
                vec!["machines", "create", "--backend", provider, "--name", &name, "--image", image];
            words.extend(["--size", size]);
            if !location.is_empty() {
                words.extend(["--location", location]);
            }
            self.types(&[&words[..], &["--dry-run"]].concat());
            self.types(&[&words[..], &["--yes", "--wait"]].concat());
        }
        let backend =
            self.server.client.backends().unwrap().into_iter().find(|b| b.title == provider).unwrap();
        let machines = backend.machines().unwrap();
        let mine =
            machines.iter().find(|machine| machine.name.starts_with(&name) || self.case.order.is_none());
        self.machine = mine.unwrap_or_else(|| panic!("{provider} made none: {}", self.seen)).id.0.clone();
    }
}

fn quoted(word: &str) -> String {
    if word.contains(' ') { format!("'{word}'") } else { word.to_owned() }
}

/// What a command printed: a list whole, of an object what is the same each time, of a failure all.
fn shown(words: &[&str], output: &Output) -> String {
    let (text, errors) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    let mut shown = String::new();
    let (whole, mut kept) = (words[1] == "list" || words[1] == "console", false);
    for line in text.lines().filter(|line| !line.trim().is_empty()) {
        let words: Vec<_> = line.split_whitespace().collect();
        // What has several values has them on lines of their own.
        let goes_on = line.starts_with("   ");
        kept = if goes_on { kept } else { KEPT.contains(&words[0]) };
        if whole || kept {
            writeln!(shown, "{}", words.join(" ")).unwrap();
        }
    }
    if !output.status.success() {
        let code = output.status.code();
        let errors = errors.split_whitespace().collect::<Vec<_>>().join(" ");
        writeln!(shown, "{errors}\n(exit status {})", code.unwrap()).unwrap();
    }
    shown + "\n"
}

/// Types what is typed with every provider.
fn transcript(server: &Server, case: &Case) -> String {
    let folder = tempfile::tempdir().unwrap();
    let mut typist = Typist { server, case, folder, seen: String::new(), machine: "no machine yet".into() };
    let provider = case.provider;
    typist.adds(true);
    typist.adds(false);
    for noun in ["machines", "images", "sizes", "locations", "networks"] {
        typist.types(&[noun, "list", "--backend", provider]);
    }
    typist.comes_by_a_machine();
    let machine = typist.machine.clone();
    let name = format!("{}-renamed", provider.replace('_', "-"));
    for words in [
        &["machines", "reboot", &machine, "--wait"][..],
        &["machines", "stop", &machine, "--wait"],
        &["machines", "resize", &machine, case.other_size, "--yes", "--wait"],
        &["machines", "rename", &machine, &name],
        &["machines", "start", &machine, "--wait"],
        &["machines", "tag", &machine, "web", "blue"],
        &["machines", "untag", &machine, "blue"],
        &["machines", "console", &machine],
        &["machines", "destroy", &machine, "--yes", "--wait"],
        &["backends", "delete", provider, "--yes"],
    ] {
        typist.types(words);
    }
    typist.seen
}

#[test]
fn every_provider_shows_what_was_agreed_on() {
    let runtime = Runtime::new().unwrap();
    let (server, cases) = (Server::start(), runtime.block_on(cases()));
    let catalogue = roadstead_providers::providers();
    assert_eq!(cases.len(), catalogue.len(), "each provider has a case");
    let key = NewKey::generated("transcripts", NewKeyKind::Ed25519, None);
    server.client.add_key(&key).unwrap();
    let transcripts: Vec<_> = thread::scope(|scope| {
        let typing: Vec<_> = cases.iter().map(|case| scope.spawn(|| transcript(&server, case))).collect();
        typing.into_iter().map(|typing| typing.join().unwrap()).collect()
    });
    let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/providers");
    let mut wrong = Vec::new();
    for (case, seen) in cases.iter().zip(&transcripts) {
        let file = golden.join(format!("{}.txt", case.provider));
        if env::var_os(WRITE).is_some() {
            fs::create_dir_all(&golden).unwrap();
            fs::write(&file, seen).unwrap();
        }
        let agreed = fs::read_to_string(&file).unwrap_or_default();
        if agreed != *seen {
            let same = agreed.lines().zip(seen.lines()).take_while(|(agreed, seen)| agreed == seen).count();
            let from_there = |text: &str| text.lines().skip(same).take(12).collect::<Vec<_>>().join("\n");
            let (agreed, seen) = (from_there(&agreed), from_there(seen));
            wrong.push(format!("{}, from line {}:\n{seen}\nand not:\n{agreed}", case.provider, same + 1));
        }
    }
    let wrong = wrong.join("\n");
    assert!(
        wrong.is_empty(),
        "{wrong}\nif it is meant, run this test with {WRITE}=1 and look at what changed"
    );
}
