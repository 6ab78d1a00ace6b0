//! The script, run by the shell of this machine, with a program of a few lines in the agent's place.

use std::{
    fs,
    path::Path,
    process::{Command, Output, Stdio},
};

use sha2::{Digest, Sha256};

use super::{Installer, Place, Seen};
use crate::program::{ARCHITECTURE, Facts};

/// Enrols with any token, and writes down how it was called.
const AGENT: &str = r#"#!/bin/sh
case "$1 $2" in
    "--version ") echo 1 ;;
    "agent enroll") cat >"${0%/*}/token"; echo "$*" >>"${0%/*}/calls"; mkdir -p "${0%/*}/agent"; echo '{}' >"${0%/*}/agent/agent.json" ;;
    "agent run") echo "$*" >>"${0%/*}/calls"; while :; do sleep 1; done ;;
    *) exit 9 ;;
esac
"#;

fn installer(folder: &Path, program: &str) -> Installer {
    Installer {
        place: Place::of(folder.to_str()),
        server: "https://it's.example.com".into(),
        name: "web 1".into(),
        program: Facts { size: program.len() as u64, sha256: hex::encode(Sha256::digest(program)) },
    }
}

fn run(script: &str) -> Output {
    Command::new("sh").args(["-c", script]).stdin(Stdio::null()).output().unwrap()
}

fn well(script: &str) -> String {
    let output = run(script);
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn what_is_there_is_seen_and_judged() {
    let folder = tempfile::tempdir().unwrap();
    let installer = installer(folder.path(), AGENT);
    let seen = Seen::read(&well(&installer.script("look '/etc' '/no such place'")));
    assert_eq!((seen.there.as_slice(), seen.is_enrolled), (&["/etc".to_owned()][..], false));
    assert!(installer.wants_program(&seen));
    seen.check(&installer.place).unwrap();
    for (wrong, says) in [
        (Seen { architecture: "aarch64".into(), ..seen.clone() }, "aarch64"),
        (Seen { system: "FreeBSD".into(), ..seen.clone() }, "FreeBSD"),
        (Seen { missing: vec!["head".into()], ..seen.clone() }, "head"),
        (Seen { uid: "1000".into(), user: "ann".into(), ..seen.clone() }, "ann"),
    ] {
        let error = wrong.check(&Place::of(None)).unwrap_err();
        assert!(error.message.contains(says), "{error}");
    }
    let ann = Seen { uid: "1000".into(), ..seen };
    ann.check(&installer.place).unwrap();
    assert_eq!(ann.architecture, ARCHITECTURE);
}

#[test]
fn a_program_is_placed_only_if_it_is_the_right_one() {
    let folder = tempfile::tempdir().unwrap();
    let installer = installer(folder.path(), AGENT);
    well(&installer.script("make_folders"));
    let new = folder.path().join("roadstead.new");
    fs::write(&new, "something else").unwrap();
    assert!(!run(&installer.script("place")).status.success());
    assert!(!new.exists() && !folder.path().join("roadstead").exists());
    fs::write(&new, AGENT).unwrap();
    well(&installer.script("place"));
    let seen = Seen::read(&well(&installer.script("look")));
    assert!(!installer.wants_program(&seen));
}

#[test]
fn the_whole_script_enrols_and_starts_once() {
    let folder = tempfile::tempdir().unwrap();
    let installer = installer(folder.path(), AGENT);
    well(&installer.script("make_folders"));
    let program = folder.path().join("roadstead");
    fs::write(&program, AGENT).unwrap();
    well(&format!("chmod 755 '{}'", program.display()));
    for _ in 0..2 {
        well(&installer.whole("the token"));
    }
    let pid = fs::read_to_string(folder.path().join("agent/agent.pid")).unwrap();
    let read = |name: &str| fs::read_to_string(folder.path().join(name)).unwrap();
    assert_eq!(read("token"), "the token\n");
    let ran = || read("calls").lines().filter(|line| line.starts_with("agent run")).count();
    let begun = std::time::Instant::now();
    while ran() == 0 {
        assert!(begun.elapsed().as_secs() < 60, "the agent does not run: {}", read("calls"));
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    let enrolled = read("calls").lines().next().unwrap().to_owned();
    assert!(
        enrolled.contains("https://it's.example.com") && enrolled.ends_with("--name web 1"),
        "{enrolled}"
    );
    well(&format!("kill {pid}"));
    assert_eq!(read("calls").lines().count(), 2, "it is started once");
    assert!(installer.in_one_line("t").lines().count() == 1);
}

#[test]
fn the_unit_says_where_the_program_is() {
    let installer = Installer { place: Place::of(None), ..installer(Path::new("/srv"), AGENT) };
    let unit = well(&installer.script("unit"));
    assert!(
        unit.contains("ExecStart=/usr/local/bin/roadstead agent run --data-dir /var/lib/roadstead-agent")
    );
}
