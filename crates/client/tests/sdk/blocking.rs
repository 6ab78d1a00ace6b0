//! The blocking client: the same server, the same answers.

use roadstead_client::{
    Credentials, ErrorKind,
    api::{
        id::{BackupConfigurationId, BackupId},
        run::RunState,
    },
    blocking::Client,
};

use crate::fake::Fake;

#[test]
fn a_backup_is_started_and_stopped() {
    let fake = Fake::start();
    let client = Client::connect(&fake.url, "Bearer key", "key").unwrap();
    assert_eq!((client.api_endpoint(), client.api_version()), (format!("{}/api/v1", fake.url), "v1"));
    let agents = client.agents().unwrap();
    assert_eq!(agents[0].to_string(), "(1, agent-1)");
    assert_eq!(agents[0].name, "agent-1");

    let mut backup = client.create_backup(BackupConfigurationId(5)).unwrap();
    let status = backup.start().unwrap();
    assert_eq!(status.state().unwrap(), RunState::Searching);
    backup.stop().unwrap();
    assert_eq!(status.state().unwrap(), RunState::Cancelled);
    assert!(backup.report().unwrap().is_none());

    let second = backup.start().unwrap();
    fake.move_backups("searching", "completed");
    assert_eq!(second.wait(|_| {}).unwrap().state, RunState::Completed);
    let report = backup.report().unwrap().unwrap();
    assert_eq!(report.get_configuration().unwrap().name, "daily-sql");
}

#[test]
fn content_comes_chunk_by_chunk() {
    let fake = Fake::start();
    let client = Client::new(&fake.url, Credentials::ApiKey("key".into())).unwrap();
    let mut content = client.open_file(BackupId(1), "/etc/hosts").unwrap();
    let mut text = Vec::new();
    while let Some(chunk) = content.chunk().unwrap() {
        text.extend_from_slice(&chunk);
    }
    assert_eq!(text, b"content of /etc/hosts");
}

#[test]
fn an_async_program_is_refused_instead_of_a_panic() {
    let fake = Fake::start();
    let client = Client::new(&fake.url, Credentials::ApiKey("key".into())).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let kinds = runtime.block_on(async {
        let made = Client::new(&fake.url, Credentials::ApiKey("key".into())).map(drop);
        [made.unwrap_err().kind(), client.user().unwrap_err().kind()]
    });
    assert_eq!(kinds, [ErrorKind::Local, ErrorKind::Local]);
    drop(runtime);
    assert!(client.user().is_ok());
}
