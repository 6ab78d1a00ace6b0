//! Names and pages on the command line: a name does wherever an id does, and every list has pages.

use serde_json::{Value, json};

use crate::{
    machines::Cloud,
    support::{Agent, Server},
};

fn refused(server: &Server, arguments: &[&str]) -> (Option<i32>, Value) {
    let output = server.run(&[arguments, &["-o", "json"]].concat());
    (output.status.code(), serde_json::from_slice(&output.stderr).unwrap())
}

#[test]
fn agents_and_configurations_go_by_their_names() {
    let server = Server::start();
    let agent = Agent::start(&server);
    let work = tempfile::tempdir().unwrap();
    let (source, target) = (work.path().join("source"), work.path().join("target"));
    std::fs::create_dir(&source).unwrap();
    std::fs::write(source.join("file"), "kept").unwrap();
    let (source, target) = (source.to_str().unwrap(), target.to_str().unwrap());
    assert_eq!(server.printed(&["agents", "show", "test agent"])["id"], json!(agent.id));
    let create = ["backup-configurations", "create", "--agent", "test agent", "--include", source, "--name"];
    let made = server.printed(&[&create[..], &["letters"]].concat());
    assert_eq!(made["agent_id"], json!(agent.id));
    let backup = server.printed(&["backups", "start", "--configuration", "letters", "--wait"]);
    assert_eq!((&backup["configuration_id"], &backup["state"]), (&made["id"], &json!("completed")));
    let id = backup["id"].to_string();
    let create =
        ["restore-configurations", "create", "--agent", "test agent", "--backup", &id, "--path", target];
    server.printed(&[&create[..], &["--name", "aside"]].concat());
    let restore = server.printed(&["restores", "start", "--restore-configuration", "aside", "--wait"]);
    assert_eq!((&restore["agent_id"], &restore["state"]), (&json!(agent.id), &json!("completed")));
    let listed = server.printed(&["activity", "list", "--agent", "test agent", "--kind", "restore"]);
    assert_eq!(listed["items"][0]["id"], restore["id"]);

    let (status, problem) = refused(&server, &["backups", "start", "--configuration", "lettres"]);
    assert_eq!((status, &problem["type"]), (Some(1), &json!("not_found")));
    let said = r#"There is no backup configuration "lettres"; did you mean "letters"?"#;
    assert_eq!(problem["detail"], said);
    let twice = ["backup-configurations", "create", "--agent", "1", "--include", source, "--name", "letters"];
    let other = server.printed(&twice);
    let (status, problem) = refused(&server, &["backup-configurations", "delete", "letters", "--yes"]);
    assert_eq!((status, &problem["type"]), (Some(2), &json!("usage")));
    assert_eq!(
        problem["detail"],
        format!("several backup configurations are called letters: {}, {}", made["id"], other["id"])
    );
}

#[test]
fn what_a_backend_offers_is_listed_in_pages_too() {
    let server = Server::start();
    let cloud = Cloud::start();
    cloud.add_to(&server);
    for noun in ["images", "sizes", "locations", "networks"] {
        let all = server.printed(&[noun, "list", "--backend", "cloud", "--all"]);
        let all = all["items"].as_array().unwrap();
        let first = server.printed(&[noun, "list", "--backend", "cloud", "--limit", "1"]);
        assert_eq!(first["items"], json!(all[..1]), "{noun}");
        let next = first["next"].as_str().unwrap();
        let second = server.printed(&[noun, "list", "--backend", "cloud", "--limit", "1", "--cursor", next]);
        assert_eq!(second["items"], json!(all[1..2]), "{noun}");
    }
    let providers = server.printed(&["providers", "list", "--limit", "2"]);
    assert_eq!(providers["items"].as_array().unwrap().len(), 2);
    assert_eq!(refused(&server, &["providers", "list", "--cursor", "none"]).0, Some(2));
    let (status, problem) = refused(&server, &["backends", "show", "clowd"]);
    assert_eq!((status, &problem["type"]), (Some(1), &json!("not_found")));
    assert_eq!(problem["detail"], r#"There is no backend "clowd"; did you mean "cloud"?"#);
}
