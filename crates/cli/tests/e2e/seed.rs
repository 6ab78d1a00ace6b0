//! The examples that follow the seed's drafts line by line, against a live agent and a cloud.

use std::{path::Path, process::Command};

use roadstead_providers::sim::digitalocean::TOKEN;

use crate::{
    machines::Cloud,
    support::{Agent, Server, tree},
};

#[test]
fn the_draft_of_the_backup_bindings_works() {
    let server = Server::start();
    let agent = Agent::start(&server);
    let work = tempfile::tempdir().unwrap();
    let source = work.path().join("source");
    tree::fill(&source, 12, 1 << 20);
    let configuration = agent.configure(&server, &[&source], &[]);
    // The first run does not come to its files before it is stopped, so that it is searching for as long as anybody looks.
    std::fs::write(agent.folder().join("policy.toml"), "hooks = \"any\"").unwrap();
    let ran = work.path().join("ran");
    let wait = format!("test -e {0} || {{ touch {0}; exec sleep 600; }}", ran.display());
    let hook =
        serde_json::json!({ "options": { "hooks": { "pre": { "command": wait, "timeout_seconds": 900 } } } });
    server.client.get_backup_configuration(configuration).unwrap().update_from_dict(&hook).unwrap();

    let target = work.path().join("restored");
    let output = example("backups", &server)
        .args([configuration.to_string().as_str(), target.to_str().unwrap()])
        .output()
        .unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{text}\n{}", String::from_utf8_lossy(&output.stderr));
    let told: Vec<&str> = text.lines().collect();
    let agents = format!("agents: [({}, test agent)]", agent.id);
    let configurations = format!("backup_configurations: [({configuration}, test)]");
    for line in [
        agents.as_str(),
        configurations.as_str(),
        "active_backups: []",
        "api_version: v1",
        "busy false, encrypted false, enabled true",
        "schedule: manual",
        "next_runtime: None",
        "enabled: false",
        "exclusions: [\"*.tmp\"]",
        "running: false",
        "busy while it runs: true",
        "status: searching",
        "state: cancelled",
        "report: None",
        "another run: true",
        "ok true, error None, restorable true",
        "took time: true",
        "files_searched: 12",
        "bytes_searched: 12582912",
        "id: true",
        "running: false",
        "report once: true",
        "report twice: true",
        "errors: 0",
        "restore_configurations: []",
        "agent.restore_configurations: []",
        "agent.active_restores: []",
        "notifies_on_failure false",
        "notification_email: None",
        "told of failures: Some(\"ops@example.org\"), true",
        "restore configuration: aside",
        "restore schedule: manual, next_runtime: None",
        "told of restores: Some(\"ops@example.org\"), true",
        "restore enabled: true",
        "restore running: false",
        "restore state: completed",
        "restored: ok true, 12 files, errors []",
        "the same report: true",
        "restore configurations left: 0",
        "sealing: completed",
        "is_encrypted: true",
        "backup configurations left: 0",
        "agents left: 0",
    ] {
        assert!(told.contains(&line), "{line}\nis missing in\n{text}");
    }
    tree::assert_same(&source, &target.join(source.strip_prefix("/").unwrap()));
}

#[test]
fn the_draft_of_the_backend_bindings_works() {
    let server = Server::start();
    let cloud = Cloud::start();
    let output = example("backends", &server)
        .args(["digitalocean", "cloud", &format!("token={TOKEN}")])
        .arg(format!("endpoint={}", cloud.endpoint()))
        .output()
        .unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{text}\n{}", String::from_utf8_lossy(&output.stderr));
    let told: Vec<&str> = text.lines().collect();
    for line in [
        "provider: bare_metal, Other Server, 0 regions",
        "provider: rackspace, Rackspace, 8 regions",
        "backends: []",
        "added: true",
        "by id: 1",
        "by name: 1",
        "by search: 1",
        "title: cloud",
        "enabled: true",
        "machines: 10",
        "renamed: renamed",
        "enabled: false",
        "deleted: true",
    ] {
        assert!(told.contains(&line), "{line}\nis missing in\n{text}");
    }
    assert!(
        text.contains("provider: ec2, EC2, ") && text.contains("Backend => cloud, digitalocean, "),
        "{text}"
    );
    assert_eq!(told.iter().filter(|line| line.starts_with("machine: web-")).count(), 10, "{text}");
    assert!(!told.contains(&"sizes: 0") && !told.contains(&"images: 0"), "{text}");
}

/// An example of the SDK, told where the server is.
fn example(name: &str, server: &Server) -> Command {
    // `cargo test --workspace` builds examples before it runs tests; alone, this test builds what it needs.
    let binary = Path::new(env!("CARGO_BIN_EXE_roadstead"));
    let example = binary.parent().unwrap().join("examples").join(name);
    if !example.exists() {
        let cargo = ["build", "--quiet", "--package", "roadstead-client", "--example", name];
        assert!(Command::new(env!("CARGO")).args(cargo).status().unwrap().success());
    }
    let mut command = Command::new(example);
    command.env("ROADSTEAD_URL", &server.url).env("ROADSTEAD_USER", "admin");
    command.env("ROADSTEAD_API_KEY", &server.api_key);
    command
}
