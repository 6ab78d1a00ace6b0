//! Looking into vaults without restoring: archives, searches, comparisons, counts.

use std::{
    io::Write,
    process::{Command, Stdio},
};

use roadstead_api::{
    file::{ArchiveForm, FileDifference, FindQuery},
    run::RunState,
};
use roadstead_client::ErrorKind;

use crate::support::{Agent, Server, roadstead, tree};

#[test]
fn a_folder_of_a_backup_is_downloaded_as_an_archive() {
    let server = Server::start();
    let agent = Agent::start(&server);
    let source = tempfile::tempdir().unwrap();
    tree::fill(source.path(), 3, 300_000);
    std::fs::create_dir(source.path().join("folder")).unwrap();
    std::fs::write(source.path().join("folder/☂ note"), "in a folder").unwrap();
    let configuration = agent.configure(&server, &[source.path()], &[]);
    let backup = agent.back_up_well(&server, configuration).id;
    let path = source.path().to_str().unwrap();
    let name = source.path().file_name().unwrap();

    let mut bytes = Vec::new();
    let mut content = server.client.open_archive(backup, path, ArchiveForm::Tar).unwrap();
    while let Some(chunk) = content.chunk().unwrap() {
        bytes.extend_from_slice(&chunk);
    }
    let target = tempfile::tempdir().unwrap();
    let mut tar = Command::new("tar");
    let tar = tar.args(["-x", "-C"]).arg(target.path()).stdin(Stdio::piped());
    let mut tar = tar.spawn().unwrap();
    tar.stdin.take().unwrap().write_all(&bytes).unwrap();
    assert!(tar.wait().unwrap().success());
    tree::assert_same(source.path(), &target.path().join(name));

    let zip = target.path().join("folder.zip");
    let mut command = roadstead();
    command.args(["vaults", "archive", "--backup", &backup.to_string(), "--format", "zip", "-O"]).arg(&zip);
    command
        .arg(format!("{path}/folder"))
        .args(["--url", &server.url])
        .env("ROADSTEAD_API_KEY", &server.api_key);
    let done = command.output().unwrap();
    assert!(done.status.success(), "{done:?}");
    let bytes = std::fs::read(&zip).unwrap();
    assert!(bytes.starts_with(b"PK\x03\x04") && bytes.windows(11).any(|part| part == b"in a folder"));

    let nothing = server.client.open_archive(backup, "/nowhere", ArchiveForm::Tar).map(drop).unwrap_err();
    assert_eq!(nothing.kind(), ErrorKind::NotFound, "{nothing}");
}

#[test]
fn files_are_found_backups_compared_and_vaults_counted() {
    let server = Server::start();
    let agent = Agent::start(&server);
    let source = tempfile::tempdir().unwrap();
    tree::fill(source.path(), 3, 100_000);
    let configuration = agent.configure(&server, &[source.path()], &[]);
    let first = agent.back_up_well(&server, configuration).id;
    std::fs::remove_file(source.path().join("noise-0")).unwrap();
    std::fs::write(source.path().join("noise-1"), "other").unwrap();
    std::fs::write(source.path().join("Noise-9"), "new").unwrap();
    let second = agent.back_up_well(&server, configuration).id;

    let find = |pattern: &str, ignore_case| {
        let query = FindQuery {
            pattern: Some(pattern.to_owned()),
            ignore_case: Some(ignore_case),
            ..FindQuery::default()
        };
        let found = server.client.find_files(&agent.vault, query).unwrap();
        found.into_iter().map(|found| (found.backup_id, found.file.name)).collect::<Vec<_>>()
    };
    let name = |name: &str| name.to_owned();
    assert_eq!(find("noise-0", false), [(first, name("noise-0"))]);
    assert_eq!(find("noise-1", false), [(second, name("noise-1")), (first, name("noise-1"))]);
    assert_eq!(find("noise-9", false), []);
    assert_eq!(find("noise-9", true), [(second, name("Noise-9"))]);
    let malformed = FindQuery { pattern: Some("[a".to_owned()), ..FindQuery::default() };
    let malformed = server.client.find_files(&agent.vault, malformed).unwrap_err();
    assert_eq!(malformed.kind(), ErrorKind::Invalid, "{malformed}");
    let unsaid = server.client.find_files(&agent.vault, FindQuery::default()).unwrap_err();
    assert_eq!(unsaid.kind(), ErrorKind::Invalid, "{unsaid}");

    let changes = server.client.diff_backups(first, second).unwrap();
    let of = |name: &str| {
        let change = changes.iter().find(|change| change.path.ends_with(name));
        change.map(|change| change.difference)
    };
    assert_eq!(of("/noise-0"), Some(FileDifference::Removed));
    assert_eq!(of("/noise-1"), Some(FileDifference::Content));
    assert_eq!(of("/Noise-9"), Some(FileDifference::Added));
    assert_eq!(of("/noise-2"), None);

    let stats = server.client.get_vault(&agent.vault).unwrap().stats().unwrap();
    let counted: Vec<_> = stats.backups.iter().map(|backup| (backup.backup_id, backup.files)).collect();
    assert_eq!(counted, [(first, 3), (second, 3)]);
    assert_eq!(stats.bytes_restored, 300_000 + 100_008);
    assert!(stats.bytes >= 300_008 && stats.bytes < stats.bytes_restored, "{stats:?}");
    assert_eq!(stats.unreadable, 0);
}

#[test]
fn slow_readers_hold_up_nobody_else() {
    let server = Server::start();
    let agent = Agent::start(&server);
    let source = tempfile::tempdir().unwrap();
    // More than the buffers on the way hold.
    tree::fill(source.path(), 1, 24 << 20);
    let configuration = agent.configure(&server, &[source.path()], &[]);
    let backup = agent.back_up_well(&server, configuration).id;
    let file = source.path().join("noise-0");
    let file = file.to_str().unwrap();
    let open = || {
        let mut content = server.client.open_file(backup, file).unwrap();
        assert!(content.chunk().unwrap().is_some());
        content
    };
    let slow: Vec<_> = std::iter::repeat_with(open).take(6).collect();
    let listed = server.client.files(backup, source.path().to_str().unwrap()).unwrap();
    assert_eq!(listed.len(), 1, "{listed:?}");
    let check = server.client.start_check(&agent.vault, false).unwrap().id;
    let check = server.client.wait_for_check(check, |_| ()).unwrap();
    assert_eq!(check.state, RunState::Completed, "{check:?}");
    drop(slow);
}
