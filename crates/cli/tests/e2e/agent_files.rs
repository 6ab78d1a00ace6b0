//! Folders of an agent's machine, listed over its link, as far as the machine allows.

use std::{fs, path::Path};

use roadstead_api::{
    file::FileType,
    run::RunState,
    user::{NewUser, Role},
};
use roadstead_client::{Credentials, ErrorKind, blocking::Client};

use crate::support::{Agent, Server, roadstead, wait_until};

#[test]
fn a_folder_of_the_machine_is_listed_in_pages() {
    let server = Server::start();
    let agent = Agent::start(&server);
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("sub folder")).unwrap();
    for n in 0..1100 {
        fs::write(folder.path().join(format!("{n:04}")), vec![0; n]).unwrap();
    }
    let known = server.client.get_agent(agent.id).unwrap();
    let files = known.files(folder.path().to_str().unwrap()).unwrap();
    assert_eq!(files.len(), 1101);
    assert_eq!((files[1099].name.as_str(), files[1099].size_bytes), ("1099", 1099));
    assert_eq!((files[1100].name.as_str(), files[1100].kind), ("sub folder", FileType::Dir));
    let list = |path: &Path, arguments: &[&str]| {
        let mut command = roadstead();
        command.args([
            "agents",
            "files",
            &agent.id.to_string(),
            path.to_str().unwrap(),
            "--url",
            &server.url,
        ]);
        command.args(arguments).env("ROADSTEAD_API_KEY", &server.api_key).output().unwrap()
    };
    let page = list(folder.path(), &["-o", "json", "--limit", "3"]);
    let page: serde_json::Value = serde_json::from_slice(&page.stdout).unwrap();
    assert_eq!(page["items"].as_array().unwrap().len(), 3, "{page}");
    let page =
        list(folder.path(), &["-o", "json", "--limit", "1", "--cursor", page["next"].as_str().unwrap()]);
    let page: serde_json::Value = serde_json::from_slice(&page.stdout).unwrap();
    assert_eq!(page["items"][0]["name"], "0003");
    let gone = list(&folder.path().join("gone"), &[]);
    assert_eq!(gone.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&gone.stderr).contains("cannot be listed"), "{gone:?}");
}

#[test]
fn machine_and_role_have_their_say() {
    let server = Server::start();
    let mut agent = Agent::start(&server);
    let folder = tempfile::tempdir().unwrap();
    let (open, closed) = (folder.path().join("open"), folder.path().join("closed"));
    for path in [&open, &closed] {
        fs::create_dir(path).unwrap();
        fs::write(path.join("file"), "content").unwrap();
    }
    let configuration = agent.configure(&server, &[&open], &[]);
    let backup = agent.back_up_well(&server, configuration).id;
    let policy = format!("browse = [{open:?}]\nrestore = [{open:?}]\n");
    fs::write(agent.folder().join("policy.toml"), policy).unwrap();
    let known = server.client.get_agent(agent.id).unwrap();
    assert_eq!(known.files(open.to_str().unwrap()).unwrap().len(), 1);
    let refused = known.files(closed.to_str().unwrap()).unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::Forbidden);
    assert!(refused.to_string().contains("policy.toml"), "{refused}");
    let restore = agent.restore(&server, backup, &closed, &[]);
    assert_eq!(restore.state, RunState::Failed);
    assert!(restore.reason.unwrap().contains("policy.toml"));
    assert_eq!(fs::read_dir(&closed).unwrap().count(), 1);
    agent.restore_well(&server, backup, &open.join("new"), &[]);

    let password = "a long enough password".to_owned();
    let new = NewUser { username: "eve".to_owned(), password: password.clone(), role: Role::Observer };
    server.client.create_user(&new).unwrap();
    let basic = Credentials::Password { username: "eve".to_owned(), password };
    let observer = Client::new(&server.url, basic).unwrap().get_agent(agent.id).unwrap();
    assert_eq!(observer.files("/").unwrap_err().kind(), ErrorKind::Forbidden);

    assert!(agent.end());
    wait_until("it is gone", || !server.client.get_agent(agent.id).unwrap().connected);
    assert_eq!(known.files(open.to_str().unwrap()).unwrap_err().kind(), ErrorKind::Server);
}
