//! A server starts only with the master key that its database was made with.

use crate::support::Server;

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
