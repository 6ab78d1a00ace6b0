//! Agents come and go: what becomes of their runs, configurations and vaults.

use roadstead_api::{agent::VaultFate, backup::NewBackup, restore::NewRestore, run::RunState};
use roadstead_client::ErrorKind;
use ureq::http::StatusCode;

use crate::support::{Agent, Server, restic::Repository, roadstead, tree, wait_until};

fn status(server: &Server, path: &str, credential: &str) -> StatusCode {
    let agent: ureq::Agent = ureq::Agent::config_builder().http_status_as_error(false).build().into();
    let request = agent.get(format!("{}{path}", server.url));
    request.header("authorization", format!("Bearer {credential}")).call().unwrap().status()
}

#[test]
fn a_deleted_agent_is_shut_out_and_the_vault_that_was_kept_opens() {
    let server = Server::start();
    let agent = Agent::start(&server);
    let source = tempfile::tempdir().unwrap();
    tree::fill(source.path(), 3, 10_000);
    let configuration = agent.configure(&server, &[source.path()], &[]);
    let backup = agent.back_up_well(&server, configuration).id;
    let repository = Repository::of(&server, &agent);
    let known = server.client.get_agent(agent.id).unwrap();
    let plan = known.plan_deletion().unwrap();
    assert_eq!((plan.vault_snapshot_count, plan.backup_configurations), (1, vec!["test".to_owned()]));
    let config = format!("/vaults/{}/config", agent.vault);
    assert_eq!(status(&server, &config, &agent.credential()), StatusCode::OK);

    known.delete(VaultFate::Keep).unwrap();
    assert_eq!(status(&server, &config, &agent.credential()), StatusCode::UNAUTHORIZED);
    wait_until("the agent is told", || agent.log().contains("The agent was deleted on its server"));
    assert_eq!(server.client.get_agent(agent.id).unwrap_err().kind(), ErrorKind::NotFound);
    assert_eq!(server.client.agents().unwrap().len(), 0);
    assert_eq!(server.client.backup_configurations().unwrap().len(), 0);
    let vault = server.client.get_vault(&agent.vault).unwrap();
    assert!(!vault.current && vault.snapshot_count == 1, "{vault:?}");
    repository.assert_sound();
    let files = server.client.files(backup, source.path().to_str().unwrap()).unwrap();
    assert_eq!(files.len(), 3);

    vault.delete().unwrap();
    assert_eq!(server.client.get_vault(&agent.vault).unwrap_err().kind(), ErrorKind::NotFound);
    assert_eq!(server.client.get_backup(backup).unwrap().read().unwrap().snapshot_id, None);
    wait_until("the files are gone", || !server.vault(&agent.vault).exists());
    assert_eq!(server.client.verify_audit().unwrap().broken_at, None);
}

#[test]
fn the_vault_of_a_deleted_agent_goes_with_it_and_what_waited_is_cancelled() {
    let server = Server::start();
    let mut agent = Agent::start(&server);
    let source = tempfile::tempdir().unwrap();
    tree::fill(source.path(), 1, 10_000);
    let configuration = agent.configure(&server, &[source.path()], &[]);
    let first = agent.back_up_well(&server, configuration).id;
    assert!(agent.end());
    wait_until("it is gone", || !server.client.get_agent(agent.id).unwrap().connected);
    let waiting = server.client.start_backup(configuration).unwrap();
    let refused = server.client.get_vault(&agent.vault).unwrap().delete().unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::Conflict, "{refused}");

    let delete = |arguments: &[&str]| {
        let mut command = roadstead();
        command.args(["agents", "delete", &agent.id.to_string(), "-o", "json", "--url", &server.url]);
        command.env("ROADSTEAD_API_KEY", &server.api_key).args(arguments).output().unwrap()
    };
    let plan = delete(&["--dry-run"]);
    let plan: serde_json::Value = serde_json::from_slice(&plan.stdout).unwrap();
    assert_eq!((&plan["active_runs"], &plan["vault_snapshot_count"]), (&1.into(), &1.into()), "{plan}");
    for unsaid in [&["--yes"][..], &["--delete-vault"]] {
        assert_eq!(delete(unsaid).status.code(), Some(2), "{unsaid:?}");
    }
    let done = delete(&["--delete-vault", "--yes"]);
    assert!(done.status.success(), "{done:?}");
    assert_eq!(waiting.read().unwrap().state, RunState::Cancelled);
    assert!(server.client.vaults().unwrap().is_empty());
    wait_until("the files are gone", || !server.vault(&agent.vault).exists());
    let nothing = server.client.start_restore(&NewRestore::of(first)).unwrap_err();
    assert_eq!(nothing.kind(), ErrorKind::Conflict, "{nothing}");
    let nothing = server.client.call::<roadstead_api::backup::BackupCreate>(
        &(),
        &(),
        &NewBackup { configuration_id: configuration },
    );
    assert_eq!(nothing.unwrap_err().kind(), ErrorKind::NotFound);
}
