//! SSH keys: given and generated, through the SDK and the command line; who sees their private halves, and who saw
//! them.

use std::{
    fs,
    io::Write,
    process::{Command, Output, Stdio},
};

use roadstead_api::{
    id::{KeyId, MachineId},
    key::{KeyCreate, KeyKind, KeyQuery, NewKey, NewKeyKind},
    key_machine::NewKeyMachine,
    user::{NewUser, Role},
};
use roadstead_client::{Credentials, ErrorKind, blocking::Client};
use serde_json::Value;

use crate::support::{Server, Sshd, roadstead, sshd};

const PASSWORD: &str = "correct horse battery";

/// What `ssh-keygen` makes of these arguments: the private key and the public one.
fn keygen(arguments: &[&str]) -> (String, String) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("key");
    let made = Command::new("ssh-keygen").args(["-q", "-f"]).arg(&file).args(arguments).output().unwrap();
    assert!(made.status.success(), "{made:?}");
    let public = fs::read_to_string(file.with_extension("pub")).unwrap();
    (fs::read_to_string(file).unwrap(), public)
}

/// The first two words of a public key: without its comment.
fn bare(public: &str) -> String {
    public.split(' ').take(2).collect::<Vec<_>>().join(" ").trim_end().to_owned()
}

/// `roadstead keys` as an admin runs it, with something on standard input.
fn keys(server: &Server, arguments: &[&str], input: &str) -> Output {
    let mut command = roadstead();
    command.arg("keys").args(arguments).args(["--url", &server.url]);
    command.env("ROADSTEAD_API_KEY", &server.api_key);
    let mut process =
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    // A command that reads nothing closes the pipe early.
    let _ = process.stdin.take().unwrap().write_all(input.as_bytes());
    process.wait_with_output().unwrap()
}

fn json(output: &Output) -> Value {
    assert!(output.status.success(), "{output:?}");
    serde_json::from_slice(&output.stdout).unwrap()
}

#[test]
fn keys_are_added_shown_renamed_and_deleted() {
    let server = Server::start();
    let client = &server.client;
    let (private, public) = keygen(&["-t", "ecdsa", "-b", "384", "-N", ""]);
    let mut given = client.add_key(&NewKey::uploaded("laptop", &private, None)).unwrap();
    assert_eq!((given.kind, given.bits, given.is_default), (KeyKind::Ecdsa, 384, true));
    assert_eq!(given.public_key, format!("{} laptop", bare(&public)));
    let mut made = client.add_key(&NewKey::generated("fleet", NewKeyKind::Ed25519, None)).unwrap();
    assert!(!made.is_default && made.fingerprint.starts_with("SHA256:"), "{made:?}");
    assert_eq!(made.to_string(), format!("({}, fleet)", made.id));

    let taken = client.add_key(&NewKey::generated("fleet", NewKeyKind::Ed25519, None)).unwrap_err();
    assert_eq!(taken.kind(), ErrorKind::Conflict);
    assert_eq!(given.rename("fleet").unwrap_err().kind(), ErrorKind::Conflict);
    given.rename("laptop").unwrap();
    given.rename("old laptop ☂").unwrap();
    assert!(given.public_key.ends_with(" old laptop ☂"), "{given:?}");
    made.set_default().unwrap();
    assert!(made.is_default && !client.get_key(&given.id).unwrap().is_default);
    let names = |query: KeyQuery| -> Vec<String> {
        client.find_keys(query).unwrap().into_iter().map(|key| key.name.clone()).collect()
    };
    assert_eq!(names(KeyQuery::default()), ["old laptop ☂", "fleet"]);
    assert_eq!(names(KeyQuery { name: Some("fleet".into()), ..KeyQuery::default() }), ["fleet"]);
    let made = made.id.clone();
    client.get_key(&made).unwrap().delete().unwrap();
    assert_eq!(client.get_key(&made).unwrap_err().kind(), ErrorKind::NotFound);
    assert!(client.get_key(&given.id).unwrap().is_default, "an account with keys has a default");
    client.get_key(&given.id).unwrap().delete().unwrap();
    assert!(client.keys().unwrap().is_empty());
    let first = client.add_key(&NewKey::generated("anew", NewKeyKind::Ed25519, None)).unwrap();
    assert!(first.is_default);
}

#[test]
fn a_list_of_keys_goes_on_from_page_to_page() {
    let server = Server::start();
    for number in 0..5 {
        let new = NewKey::generated(&format!("key {number}"), NewKeyKind::Ed25519, None);
        server.client.add_key(&new).unwrap();
    }
    let page = |cursor: Option<String>| {
        let query = KeyQuery { limit: Some(2), cursor, ..KeyQuery::default() };
        server.client.call::<roadstead_api::key::KeyList>(&(), &query, &()).unwrap()
    };
    let (mut seen, mut cursor) = (Vec::new(), None);
    loop {
        let page = page(cursor);
        seen.extend(page.items.into_iter().map(|key| key.name));
        cursor = page.next;
        if cursor.is_none() {
            break;
        }
    }
    assert_eq!(seen, ["key 0", "key 1", "key 2", "key 3", "key 4"]);
}

#[test]
fn private_halves_are_sealed_and_an_admin_who_reads_one_is_told_of() {
    let server = Server::start();
    let (private, _) = keygen(&["-t", "rsa", "-b", "2048", "-N", "correct horse"]);
    let refused = server.client.add_key(&NewKey::uploaded("rsa", &private, None)).unwrap_err();
    assert!(refused.to_string().contains("passphrase"), "{refused}");
    let refused = server.client.add_key(&NewKey::uploaded("rsa", &private, Some("wrong"))).unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::Invalid);
    let key = server.client.add_key(&NewKey::uploaded("rsa", &private, Some("correct horse"))).unwrap();
    let opened = key.private_key().unwrap();
    assert!(opened.starts_with("-----BEGIN RSA PRIVATE KEY-----\n"), "{opened:.40}");
    let secret_line = opened.lines().nth(3).unwrap();
    for file in ["roadstead.db", "roadstead.db-wal"] {
        let bytes = fs::read(server.folder().join(file)).unwrap_or_default();
        assert!(!bytes.windows(secret_line.len()).any(|part| part == secret_line.as_bytes()), "{file}");
    }
    assert!(!server.log().contains(secret_line));
    let told = server.client.audit().unwrap();
    let told: Vec<_> = told.iter().map(|entry| (entry.action.as_str(), entry.target.as_str())).collect();
    assert_eq!(told, [("key_show_private", key.id.0.as_str()), ("key_create", key.id.0.as_str())]);

    let new = NewUser { username: "ann".into(), password: PASSWORD.into(), role: Role::Creator };
    server.client.create_user(&new).unwrap();
    let credentials = Credentials::Password { username: "ann".into(), password: PASSWORD.into() };
    let ann = Client::new(&server.url, credentials).unwrap();
    let seen = ann.get_key(&key.id).unwrap();
    assert_eq!(seen.private_key().unwrap_err().kind(), ErrorKind::Forbidden);
    assert_eq!(seen.delete().unwrap_err().kind(), ErrorKind::Forbidden);
    assert_eq!(server.client.audit().unwrap().len(), 3, "what was refused is no change");
}

#[test]
fn keys_that_cannot_be_are_refused() {
    let server = Server::start();
    let (private, public) = keygen(&["-t", "ed25519", "-N", ""]);
    let fine = NewKey::uploaded("k", &private, None);
    for (what, new) in [
        ("no name", NewKey { name: String::new(), ..fine.clone() }),
        ("a long name", NewKey { name: "x".repeat(201), ..fine.clone() }),
        ("two lines", NewKey { name: "a\nssh-rsa".into(), ..fine.clone() }),
        ("both", NewKey { generate: Some(NewKeyKind::Rsa), ..fine.clone() }),
        ("neither", NewKey { private_key: None, ..fine.clone() }),
        ("bits of a given key", NewKey { bits: Some(2048), ..fine.clone() }),
        ("a public key", NewKey::uploaded("k", &public, None)),
        ("half a key", NewKey::uploaded("k", &private[..private.len() / 2], None)),
        ("nothing", NewKey::uploaded("k", "", None)),
        ("a huge one", NewKey::uploaded("k", &"x".repeat(100_000), None)),
        ("weak", NewKey::generated("k", NewKeyKind::Rsa, Some(512))),
        ("absurd", NewKey::generated("k", NewKeyKind::Rsa, Some(1 << 30))),
        ("ed25519 of 512", NewKey::generated("k", NewKeyKind::Ed25519, Some(512))),
    ] {
        let error = server.client.call::<KeyCreate>(&(), &(), &new).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Invalid, "{what}: {error}");
        assert!(!error.to_string().contains(private.lines().nth(1).unwrap()), "{what}: {error}");
    }
    assert!(server.client.keys().unwrap().is_empty());
    assert_eq!(server.client.get_key(&KeyId("../x y".into())).unwrap_err().kind(), ErrorKind::NotFound);
}

#[test]
fn the_command_line_takes_and_gives_keys() {
    let server = Server::start();
    let (private, public) = keygen(&["-t", "ed25519", "-N", "correct horse"]);
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("passphrase");
    fs::write(&file, "correct horse\n").unwrap();
    let passphrase = format!("@{}", file.display());
    let added = json(&keys(
        &server,
        &["add", "--name", "given", "--private-key-file", "-", "--passphrase", &passphrase, "-o", "json"],
        &private,
    ));
    assert_eq!(
        (&added["name"], &added["type"], &added["default"]),
        (&"given".into(), &"ed25519".into(), &true.into())
    );
    let made = json(&keys(
        &server,
        &["add", "--name", "made", "--generate", "rsa", "--bits", "2048", "-o", "json"],
        "",
    ));
    assert_eq!((&made["type"], &made["bits"]), (&"rsa".into(), &2048.into()));
    let shown = keys(&server, &["show", "given", "--public"], "");
    assert_eq!(String::from_utf8(shown.stdout).unwrap(), format!("{} given\n", bare(&public)));
    let shown = keys(&server, &["show", added["id"].as_str().unwrap(), "--private"], "");
    assert!(shown.stdout.starts_with(b"-----BEGIN OPENSSH PRIVATE KEY-----\n"), "{shown:?}");

    assert_eq!(json(&keys(&server, &["rename", "made", "fleet", "-o", "json"], ""))["name"], "fleet");
    assert_eq!(json(&keys(&server, &["set-default", "fleet", "-o", "json"], ""))["default"], true);
    let list = json(&keys(&server, &["list", "-o", "json"], ""));
    let defaults: Vec<_> = list["items"].as_array().unwrap().iter().map(|key| &key["default"]).collect();
    assert_eq!(defaults, [false, true]);
    let dry = keys(&server, &["delete", "fleet", "--dry-run"], "");
    assert!(dry.status.success() && String::from_utf8_lossy(&dry.stdout).contains("fleet"), "{dry:?}");
    assert_eq!(keys(&server, &["delete", "fleet"], "").status.code(), Some(2), "nobody was asked");
    assert!(keys(&server, &["delete", "fleet", "--yes"], "").status.success());
    assert_eq!(keys(&server, &["show", "fleet"], "").status.code(), Some(1));
    for wrong in [
        &["add", "--name", "x"][..],
        &["add", "--name", "x", "--generate", "dsa"],
        &["add", "--name", "x", "--generate", "rsa", "--private-key-file", "-"],
        &["add", "--name", "x", "--private-key-file", "-", "--passphrase", "plain"],
    ] {
        assert_eq!(keys(&server, wrong, "x").status.code(), Some(2), "{wrong:?}");
    }
}

#[test]
fn keys_are_associated_with_machines() {
    if !sshd::is_there() {
        return;
    }
    let server = Server::start();
    let client = &server.client;
    let hosts = ["127.0.0.31", "127.0.0.32"].map(Sshd::start);
    for (host, title) in hosts.iter().zip(["web", "db"]) {
        client.add_backend(&host.backend(title)).unwrap();
    }
    let machines = client.machines().unwrap();
    let key = client.add_key(&NewKey::uploaded("fleet", &hosts[0].key(), None)).unwrap();
    let new = NewKeyMachine { machine_id: machines[0].id.clone(), user: None, port: None, host: None };
    let first = key.associate(&new).unwrap();
    assert_eq!((first.machine_name.as_str(), first.user.as_str(), first.port), ("web", "root", 22));
    let second = json(&keys(
        &server,
        &[
            "associate",
            "fleet",
            "db",
            "--user",
            "admin",
            "--port",
            "2222",
            "--host",
            "127.0.0.32",
            "--no-deploy",
            "-o",
            "json",
        ],
        "",
    ));
    assert_eq!(
        (&second["user"], &second["port"], &second["host"]),
        (&"admin".into(), &2222.into(), &"127.0.0.32".into())
    );
    let again = NewKeyMachine { user: Some("deploy".into()), ..new.clone() };
    assert_eq!(key.associate(&again).unwrap().user, "deploy", "the later one counts");
    let names = || -> Vec<String> { key.machines().unwrap().into_iter().map(|m| m.machine_name).collect() };
    assert_eq!(names(), ["web", "db"]);
    for wrong in [
        NewKeyMachine { user: Some("-oProxyCommand=x".into()), ..new.clone() },
        NewKeyMachine { user: Some("a b".into()), ..new.clone() },
        NewKeyMachine { port: Some(0), ..new.clone() },
        NewKeyMachine { host: Some("-x".into()), ..new.clone() },
        NewKeyMachine { host: Some("a;b".into()), ..new.clone() },
    ] {
        assert_eq!(key.associate(&wrong).unwrap_err().kind(), ErrorKind::Invalid, "{wrong:?}");
    }
    let nowhere = NewKeyMachine { machine_id: MachineId("none".into()), ..new };
    assert_eq!(key.associate(&nowhere).unwrap_err().kind(), ErrorKind::NotFound);
    let dry = keys(&server, &["delete", "fleet", "--dry-run"], "");
    assert!(String::from_utf8_lossy(&dry.stderr).contains("web, db"), "{dry:?}");
    assert!(keys(&server, &["disassociate", "fleet", "web", "--keep"], "").status.success());
    assert_eq!(names(), ["db"]);
    assert_eq!(key.disassociate(&machines[0].id).unwrap_err().kind(), ErrorKind::NotFound);
    let backend = client.backends().unwrap().into_iter().find(|backend| backend.title == "db").unwrap();
    backend.delete().unwrap();
    assert_eq!(names(), [""; 0], "what is gone is associated with nothing");
    key.associate(&again).unwrap();
    key.delete().unwrap();
}
