//! A server starts only with the master key that its database was made with, and shows it once.

use roadstead_api::{
    setup::{DatabaseKind, TlsKind, VaultStoreKind},
    user::{NewUser, PasswordChange, Role, UserChangePassword},
};
use roadstead_client::{Credentials, ErrorKind, blocking::Client};

use crate::support::Server;

const PASSWORD: &str = "correct horse battery";

#[test]
fn another_master_key_is_refused_and_the_right_one_opens_all_again() {
    let mut server = Server::start();
    let file = server.folder().join("master.key");
    let key = std::fs::read(&file).unwrap();
    server.kill();
    std::fs::remove_file(&file).unwrap();
    let refusal = server.refuses_to_start();
    assert!(refusal.contains("master.key is not the key of this database"), "{refusal}");
    std::fs::write(&file, key).unwrap();
    server.restart();
    assert_eq!(server.client.api_keys().unwrap().len(), 1);
}

/// The page of the first run shows it, so that it is kept elsewhere; whoever comes later gets it from nobody.
#[test]
fn the_master_key_is_shown_once_and_to_admins_alone() {
    let server = Server::start();
    let before = server.client.setup().unwrap();
    assert_eq!((before.master_key_shown_at, before.password_changed_at), (None, None));
    assert_eq!((before.tls, before.vault_store), (TlsKind::None, VaultStoreKind::Disk));
    let is_shared = server.database_url().is_some();
    assert_eq!(before.database, if is_shared { DatabaseKind::Postgres } else { DatabaseKind::Sqlite });
    let new = NewUser { username: "ann".into(), password: PASSWORD.into(), role: Role::Creator };
    server.client.create_user(&new).unwrap();
    let credentials = Credentials::Password { username: new.username, password: new.password };
    let ann = Client::new(&server.url, credentials).unwrap();
    assert_eq!(ann.master_key().unwrap_err().kind(), ErrorKind::Forbidden);

    let file = std::fs::read_to_string(server.folder().join("master.key")).unwrap();
    assert_eq!(server.client.master_key().unwrap().key, file.trim());
    let again = server.client.master_key().unwrap_err();
    assert_eq!(again.kind(), ErrorKind::Conflict);
    assert!(!again.to_string().contains(file.trim()));
    assert!(server.client.setup().unwrap().master_key_shown_at.is_some());
    let audit = server.client.audit().unwrap();
    assert!(audit.iter().any(|entry| entry.action == "setup_master_key"), "{audit:?}");
    assert!(!format!("{audit:?}{}", server.log()).contains(file.trim()));
}

#[test]
fn whether_the_first_password_was_changed_is_known() {
    let server = Server::start();
    let current = server.admin()["password"].as_str().unwrap().to_owned();
    let change = PasswordChange { current, new: PASSWORD.to_owned() };
    server.call::<UserChangePassword>(&(), &change);
    assert!(server.client.setup().unwrap().password_changed_at.is_some());
}
