//! The binary as a script sees it: words, exit statuses, and where what is printed goes.
#![allow(clippy::unwrap_used, reason = "a failed step of a test is a failed test")]

use std::process::{Command, Output};

/// Runs the binary apart from whatever this machine's user has set up.
fn roadstead(arguments: &[&str]) -> Output {
    let home = tempfile::tempdir().unwrap();
    Command::new(env!("CARGO_BIN_EXE_roadstead"))
        .args(arguments)
        .env_clear()
        .env("HOME", home.path())
        .output()
        .unwrap()
}

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap()
}

#[test]
fn the_help_is_the_one_agreed_on() {
    let output = roadstead(&["--help"]);
    assert!(output.status.success());
    assert_eq!(
        text(&output.stdout),
        include_str!("golden/help.txt"),
        "if it is meant, change golden/help.txt"
    );
}

#[test]
fn wrong_usage_is_status_2() {
    let wrong: [&[&str]; 8] = [
        &[],
        &["no-such-noun"],
        &["backups", "show", "not-a-number"],
        &["backups", "start"],
        &["agents", "list", "--limit", "0"],
        &["agents", "list", "--all", "--cursor", "x"],
        &["agents", "list"],
        &["server"],
    ];
    for arguments in wrong {
        let output = roadstead(arguments);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        assert!(output.stdout.is_empty(), "{arguments:?}");
        assert!(!output.stderr.is_empty(), "{arguments:?}");
    }
}

#[test]
fn an_api_key_of_the_environment_is_never_shown() {
    let secret = "rdk_not-to-be-shown";
    let cases: [&[&str]; 7] = [
        &["--help"],
        &["backups", "start", "--help"],
        &["help", "login"],
        &["backups", "start"],
        &["agents", "show", "not-a-number"],
        &["-o", "json", "agents", "list", "--limit", "0"],
        &["agents", "list", "--url", "http://127.0.0.1:1"],
    ];
    for arguments in cases {
        let mut command = Command::new(env!("CARGO_BIN_EXE_roadstead"));
        let home = tempfile::tempdir().unwrap();
        command.args(arguments).env_clear().env("HOME", home.path()).env("ROADSTEAD_API_KEY", secret);
        let output = command.output().unwrap();
        let said = [output.stdout, output.stderr].concat();
        assert!(!said.is_empty() && !text(&said).contains(secret), "{arguments:?}: {}", text(&said));
    }
}

#[test]
fn programs_get_problems_on_standard_error() {
    let cases: [(&[&str], i32, &str); 3] = [
        (&["-o", "json", "backups", "start"], 2, "usage"),
        (&["agents", "list", "--output=json"], 2, "usage"),
        (&["agents", "list", "-o", "json", "--url", "http://127.0.0.1:1", "--api-key", "k"], 1, "no_answer"),
    ];
    for (arguments, code, word) in cases {
        let output = roadstead(arguments);
        assert_eq!(output.status.code(), Some(code), "{arguments:?}");
        assert!(output.stdout.is_empty(), "{arguments:?}");
        let problem: serde_json::Value = serde_json::from_slice(&output.stderr).unwrap();
        assert_eq!(problem["type"], word, "{arguments:?}");
        assert!(problem["detail"].as_str().is_some_and(|detail| !detail.is_empty()));
    }
}

#[test]
fn a_secret_argument_can_be_a_file() {
    let folder = tempfile::tempdir().unwrap();
    let missing = format!("@{}/missing", folder.path().display());
    let output = roadstead(&["agents", "list", "--url", "http://127.0.0.1:1", "--api-key", &missing]);
    assert_eq!(output.status.code(), Some(1));
    assert!(text(&output.stderr).contains("cannot read the API key"), "{}", text(&output.stderr));
}

#[test]
fn deleting_without_a_terminal_needs_yes() {
    let output = roadstead(&["api-keys", "delete", "1", "--url", "http://127.0.0.1:1", "--api-key", "k"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(text(&output.stderr).contains("--yes"));
}

/// What `server config check` says of a configuration file, with one variable set.
fn check(file: &str, variable: (&str, &str)) -> (Option<i32>, serde_json::Value) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("server.toml");
    std::fs::write(&path, file).unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_roadstead"))
        .args(["-o", "json", "server", "config", "check", "--listen", "127.0.0.1:9", "--config"])
        .arg(path)
        .env_clear()
        .env(variable.0, variable.1)
        .output()
        .unwrap();
    (output.status.code(), serde_json::from_slice(&output.stdout).unwrap())
}

#[test]
fn the_server_s_settings_are_told_with_what_is_wrong() {
    let (code, said) = check("data_dir = '/d'\nlisten = '127.0.0.1:8'\n", ("ROADSTEAD_SERVER_TLS", "true"));
    assert_eq!((code, &said["problems"]), (Some(0), &serde_json::json!([])), "{said}");
    let settings = &said["settings"];
    assert_eq!(settings["listen"], serde_json::json!({ "value": "127.0.0.1:9", "from": "flag" }));
    assert_eq!(settings["tls"], serde_json::json!({ "value": "true", "from": "environment" }));
    assert_eq!(settings["data_dir"], serde_json::json!({ "value": "/d", "from": "file" }));
    assert_eq!(settings["public_url"], serde_json::json!({ "value": null, "from": "default" }));

    let (code, said) = check("data-dir = '/d'\n", ("ROADSTEAD_SERVER_PUBLIC_URL", "http://example.com"));
    let problems = said["problems"].to_string();
    assert_eq!(code, Some(1), "{said}");
    for wrong in ["data-dir is no setting", "data_dir is missing", "begin with https"] {
        assert!(problems.contains(wrong), "{wrong} in {problems}");
    }
}

#[test]
fn each_command_has_a_manual_page() {
    let folder = tempfile::tempdir().unwrap();
    let output = roadstead(&["man", "--dir", folder.path().join("man1").to_str().unwrap()]);
    assert!(output.status.success(), "{output:?}");
    for (page, wanted) in [
        ("roadstead.1", "roadstead\\-backups"),
        ("roadstead-backups-start.1", "\\-\\-configuration"),
        ("roadstead-server-restore.1", "empty data folder"),
    ] {
        let page = std::fs::read_to_string(folder.path().join("man1").join(page)).unwrap();
        assert!(page.contains(wanted), "{wanted}: {page}");
    }
}

#[test]
fn completions_name_the_nouns() {
    for shell in ["bash", "zsh", "fish"] {
        let output = roadstead(&["completions", shell]);
        assert!(output.status.success());
        assert!(text(&output.stdout).contains("backup-configurations"), "{shell}");
    }
}

#[test]
fn systemd_takes_the_units() {
    let there = Command::new("systemd-analyze").arg("--version").output().is_ok();
    assert!(there || std::env::var_os("CI").is_none(), "systemd-analyze is missing");
    if !there {
        eprintln!("skipped: systemd-analyze is missing (Debian: systemd)");
        return;
    }
    let (folder, packaging) =
        (tempfile::tempdir().unwrap(), concat!(env!("CARGO_MANIFEST_DIR"), "/../../packaging"));
    for name in ["roadstead-agent.service", "roadstead-server.service"] {
        let unit = std::fs::read_to_string(format!("{packaging}/{name}")).unwrap();
        assert!(unit.contains("ExecStart=/usr/bin/roadstead "), "{unit}");
        let copy = folder.path().join(name);
        std::fs::write(&copy, unit.replace("/usr/bin/roadstead", env!("CARGO_BIN_EXE_roadstead"))).unwrap();
        let output = Command::new("systemd-analyze").arg("verify").arg(&copy).output().unwrap();
        // What it says of this machine's own units is nobody's fault here.
        assert!(output.status.success() && !text(&output.stderr).contains(name), "{output:?}");
    }
}
