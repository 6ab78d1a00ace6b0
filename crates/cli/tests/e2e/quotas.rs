//! Quotas: what goes over them is refused with the reason, which the report and an alarm repeat.

use roadstead_api::{alarm::AlarmKind, run::RunState};
use roadstead_client::ErrorKind;

use crate::support::{Agent, Server, restic::Repository, roadstead, tree};

const MIB: u64 = 1 << 20;

#[test]
fn a_backup_over_its_quota_fails_with_the_reason_and_a_larger_quota_lets_it_through() {
    let server = Server::start();
    let agent = Agent::start(&server);
    let source = tempfile::tempdir().unwrap();
    tree::fill(source.path(), 4, MIB as usize);
    let configuration = agent.configure(&server, &[source.path()], &[]);
    agent.back_up_well(&server, configuration);

    let quota = server.client.set_quota(Some(&agent.vault), 6 * MIB).unwrap();
    assert!(quota.used_bytes > 3 * MIB && quota.used_bytes < 6 * MIB, "{quota:?}");
    tree::fill(source.path(), 40, MIB as usize);
    let failed = agent.back_up(&server, configuration);
    assert_eq!(failed.state, RunState::Failed, "{failed:?}");
    let reason = failed.reason.unwrap();
    assert!(reason.contains("The quota of this vault") && reason.contains("quotas set"), "{reason}");
    let alarms = server.client.alarms().unwrap();
    assert_eq!(alarms.len(), 1, "{alarms:?}");
    assert_eq!((alarms[0].kind, &alarms[0].noun_id), (AlarmKind::Quota, &agent.vault.0));
    // One file may have been on its way beside another.
    assert!(server.client.get_vault(&agent.vault).unwrap().size_bytes < 30 * MIB);

    server.client.set_quota(Some(&agent.vault), 500 * MIB).unwrap();
    assert!(server.client.alarms().unwrap().is_empty());
    let small = server.client.set_quota(None, 6 * MIB).unwrap();
    assert!(small.vault_id.is_none());
    let failed = agent.back_up(&server, configuration);
    assert!(failed.reason.unwrap().contains("The quota of the account"));
    server.client.delete_quota(None).unwrap();
    agent.back_up_well(&server, configuration);
    Repository::of(&server, &agent).assert_sound();
    let listed = server.client.quotas().unwrap();
    assert_eq!(listed.len(), 1);
    assert!(listed[0].used_bytes > 30 * MIB, "{listed:?}");
}

#[test]
fn quotas_are_set_by_the_command_and_only_for_vaults_that_there_are() {
    let server = Server::start();
    let run = |arguments: &[&str]| {
        let mut command = roadstead();
        command.arg("quotas").args(arguments).args(["-o", "json"]);
        command.env("ROADSTEAD_URL", &server.url).env("ROADSTEAD_API_KEY", &server.api_key);
        command.output().unwrap()
    };
    assert!(run(&["set", "--account", "2TiB"]).status.success());
    let listed: serde_json::Value = serde_json::from_slice(&run(&["list"]).stdout).unwrap();
    assert_eq!(listed["items"][0]["bytes"], 2_u64 << 40);
    assert_eq!(run(&["set", "--account", "1KiB"]).status.code(), Some(1));
    assert_eq!(run(&["set", "10MiB"]).status.code(), Some(2));
    let nowhere = server.client.set_quota(Some(&roadstead_api::id::VaultId("none".into())), MIB);
    assert_eq!(nowhere.unwrap_err().kind(), ErrorKind::NotFound);
    assert_eq!(run(&["delete", "--account"]).status.code(), Some(2), "without a terminal it takes --yes");
    assert!(run(&["delete", "--account", "--yes"]).status.success());
    assert_eq!(server.client.delete_quota(None).unwrap_err().kind(), ErrorKind::NotFound);
}
