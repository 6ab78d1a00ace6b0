//! The async client against a server on a real socket.

use std::{
    collections::BTreeMap,
    error::Error as _,
    io::Read,
    net::TcpListener,
    sync::{Arc, Mutex},
    thread,
};

use roadstead_client::{
    Client, Credentials, ErrorKind,
    api::{
        PageQuery,
        agent::AgentList,
        id::{AgentId, BackupConfigurationId, BackupId},
        restore::RestoreQuery,
        run::RunState,
        user::PasswordChange,
    },
};

use crate::fake::Fake;

const CONFIGURATION: BackupConfigurationId = BackupConfigurationId(5);

fn client(fake: &Fake) -> Client {
    Client::new(&fake.url, Credentials::ApiKey("key".into())).unwrap()
}

#[tokio::test]
async fn credentials_are_sent_and_not_shown() {
    let fake = Fake::start();
    assert_eq!(client(&fake).user().await.unwrap().username, "Bearer key");
    let password = Credentials::Password { username: "ann".into(), password: "secret".into() };
    assert!(!format!("{password:?}").contains("secret"));
    let user = Client::new(&fake.url, password).unwrap().user().await.unwrap();
    assert_eq!(user.username, "Basic YW5uOnNlY3JldA==");
    let error = Client::anonymous(&fake.url).unwrap().user().await.unwrap_err();
    assert_eq!((error.kind(), error.to_string().as_str()), (ErrorKind::Unauthorized, "no credentials"));
}

#[tokio::test]
async fn connect_refuses_the_key_of_another_user() {
    let fake = Fake::start();
    assert!(Client::connect(&fake.url, "Bearer key", "key").await.is_ok());
    let error = Client::connect(&fake.url, "ann", "key").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unauthorized);
}

#[tokio::test]
async fn each_status_has_its_kind_and_the_server_s_words() {
    let fake = Fake::start();
    let kinds = [
        (400, ErrorKind::Invalid, false),
        (401, ErrorKind::Unauthorized, false),
        (403, ErrorKind::Forbidden, false),
        (404, ErrorKind::NotFound, false),
        (409, ErrorKind::Conflict, false),
        (422, ErrorKind::Invalid, false),
        (429, ErrorKind::Limited, true),
        (500, ErrorKind::Server, false),
        (503, ErrorKind::Server, true),
        (302, ErrorKind::Protocol, false),
    ];
    for (status, kind, temporary) in kinds {
        let error = client(&fake).get_agent(AgentId(status)).await.unwrap_err();
        assert_eq!((error.kind(), error.is_temporary()), (kind, temporary), "{status}");
        assert_eq!(error.to_string(), "the detail");
        assert_eq!(i64::from(error.problem().unwrap().status), status);
    }
    let error = client(&fake).get_agent(AgentId(418)).await.unwrap_err();
    assert_eq!((error.kind(), error.problem()), (ErrorKind::Invalid, None));
    assert!(error.to_string().contains("418"), "{error}");
}

#[tokio::test]
async fn what_is_not_an_answer_is_a_protocol_error() {
    let fake = Fake::start();
    assert_eq!(client(&fake).supported_providers().await.unwrap_err().kind(), ErrorKind::Protocol);
    assert_eq!(client(&fake).get_provider("endless").await.unwrap_err().kind(), ErrorKind::Protocol);
}

#[tokio::test]
async fn lists_are_read_to_their_end() {
    let fake = Fake::start();
    let agents = client(&fake).agents().await.unwrap();
    assert_eq!(
        agents.iter().map(ToString::to_string).collect::<Vec<_>>(),
        ["(1, agent-1)", "(2, agent-2)", "(3, agent-3)"]
    );
    assert_eq!(agents.iter().map(|agent| agent.is_busy()).collect::<Vec<_>>(), [false, true, false]);
    assert_eq!(fake.requests().len(), 3);
    let error = client(&fake).find_restores(RestoreQuery::default()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Protocol, "a list that turns in a circle is not read for ever");
    let page = client(&fake).call::<AgentList>(&(), &PageQuery::default(), &()).await.unwrap();
    assert_eq!((page.items.len(), page.next.as_deref()), (1, Some("2")));
}

#[tokio::test]
async fn a_backup_is_started_watched_stopped_and_started_again() {
    let fake = Fake::start();
    let mut backup = client(&fake).create_backup(CONFIGURATION).await.unwrap();
    assert_eq!(
        (backup.inclusions(), backup.exclusions()),
        (&["/etc".to_owned()][..], &["*.bak".to_owned()][..])
    );
    assert!(!backup.running().await.unwrap());
    assert!(backup.report().await.unwrap().is_none());
    assert!(backup.wait(|_| {}).await.unwrap().is_none());

    let status = backup.start().await.unwrap();
    assert_eq!(status.to_string(), "(1, daily-sql-1)");
    assert_eq!(status.state().await.unwrap(), RunState::Searching);
    assert!(backup.running().await.unwrap());
    assert!(backup.report().await.unwrap().is_none());
    backup.stop().await.unwrap();
    assert_eq!(status.state().await.unwrap(), RunState::Cancelled);
    assert!(backup.report().await.unwrap().is_none());
    // One that has ended is left as it is.
    assert_eq!(status.stop().await.unwrap(), RunState::Cancelled);

    let second = backup.start().await.unwrap();
    assert_eq!(second.id(), BackupId(2));
    let mut states = Vec::new();
    let ended = backup.wait(|run| {
        states.push(run.state);
        fake.move_backups("searching", "completed");
    });
    assert_eq!(ended.await.unwrap().unwrap().state, RunState::Completed);
    assert_eq!(states, [RunState::Searching, RunState::Completed]);
    let report = backup.report().await.unwrap().unwrap();
    assert!(report.ok && report.is_restorable());
    assert_eq!(report.duration().as_millis(), 1500);
    assert_eq!(report.get_configuration().await.unwrap().id, CONFIGURATION);
}

#[tokio::test]
async fn a_configuration_is_changed_by_a_map_and_by_a_file() {
    let fake = Fake::start();
    let mut configuration = client(&fake).get_backup_configuration(CONFIGURATION).await.unwrap();
    assert_eq!(configuration.next_runtime(), None);
    configuration.update_from_dict(&BTreeMap::from([("name", "weekly")])).await.unwrap();
    assert_eq!((configuration.name.as_str(), configuration.inclusions.len()), ("weekly", 1));

    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), r#"{ "exclusions": [] }"#).unwrap();
    configuration.update_from_file(file.path()).await.unwrap();
    assert_eq!((configuration.name.as_str(), configuration.exclusions.len()), ("weekly", 0));

    let asked = fake.requests().len();
    let error = configuration.update_from_dict(&BTreeMap::from([("nmae", "x")])).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Invalid);
    assert!(error.source().unwrap().to_string().contains("nmae"));
    std::fs::write(file.path(), "not json").unwrap();
    assert_eq!(configuration.update_from_file(file.path()).await.unwrap_err().kind(), ErrorKind::Invalid);
    assert_eq!(configuration.update_from_file("/nowhere/at/all").await.unwrap_err().kind(), ErrorKind::Local);
    assert_eq!(fake.requests().len(), asked, "nothing was sent for a change that is not one");
}

#[tokio::test]
async fn content_comes_as_it_is() {
    let fake = Fake::start();
    let mut content = client(&fake).open_file(BackupId(1), "/a b/ü&?").await.unwrap();
    let mut text = Vec::new();
    while let Some(chunk) = content.chunk().await.unwrap() {
        text.extend_from_slice(&chunk);
    }
    assert_eq!(String::from_utf8(text).unwrap(), "content of /a b/ü&?");
}

#[tokio::test]
async fn a_server_that_is_away_is_a_temporary_error() {
    let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let error = Client::anonymous(&format!("http://{free}")).unwrap().user().await.unwrap_err();
    assert_eq!((error.kind(), error.is_temporary()), (ErrorKind::Unreachable, true));
    assert!(error.to_string().contains(&free.to_string()));
}

#[tokio::test]
async fn only_what_cannot_be_done_twice_is_tried_again() {
    let (url, requests) = hang_up();
    let client = Client::anonymous(&url).unwrap();
    let seen = || std::mem::take(&mut *requests.lock().unwrap());
    assert_eq!(client.user().await.unwrap_err().kind(), ErrorKind::Unreachable);
    assert_eq!(seen().len(), 3);
    let change = PasswordChange { current: String::new(), new: String::new() };
    assert_eq!(client.change_password(&change).await.unwrap_err().kind(), ErrorKind::Unreachable);
    assert_eq!(seen().len(), 1);
    assert_eq!(client.create_api_key("name").await.unwrap_err().kind(), ErrorKind::Unreachable);
    let creates = seen();
    let key = |request: &String| {
        request.lines().find_map(|line| line.strip_prefix("idempotency-key: ").map(str::to_owned)).unwrap()
    };
    assert_eq!(creates.len(), 3);
    assert!(creates.iter().all(|request| key(request) == key(&creates[0])), "{creates:?}");
    assert_eq!(client.create_api_key("name").await.unwrap_err().kind(), ErrorKind::Unreachable);
    assert_ne!(key(&seen()[0]), key(&creates[0]), "another create has another name");
}

/// A server that reads a request and hangs up, and keeps what it has read.
fn hang_up() -> (String, Arc<Mutex<Vec<String>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let requests = Arc::new(Mutex::new(Vec::new()));
    let kept = requests.clone();
    thread::spawn(move || {
        for stream in listener.incoming() {
            let mut bytes = [0; 4096];
            let mut stream = stream.unwrap();
            let length = stream.read(&mut bytes).unwrap();
            kept.lock().unwrap().push(String::from_utf8_lossy(&bytes[..length]).into_owned());
        }
    });
    (url, requests)
}
