//! Keys as `ssh-keygen` and `openssl` write them, and keys that somebody tampered with.

use std::{path::Path, process::Command};

use proptest::prelude::{any, prop};
use russh::keys::ssh_encoding::base64::{Base64, Encoding};

use super::{MAX_KEY_BYTES, SshKey, SshKeyKind};

/// Runs `ssh-keygen` on the key in a file, and returns what it prints.
fn keygen(file: &Path, arguments: &[&str]) -> String {
    let output = Command::new("ssh-keygen").args(arguments).arg("-f").arg(file).output().unwrap();
    assert!(output.status.success(), "{arguments:?}: {output:?}");
    String::from_utf8(output.stdout).unwrap()
}

fn made(folder: &Path, name: &str, arguments: &[&str]) -> String {
    let file = folder.join(name);
    keygen(&file, &[&["-q", "-C", "someone"], arguments].concat());
    std::fs::read_to_string(file).unwrap()
}

fn error(text: &str, passphrase: Option<&str>) -> String {
    SshKey::parse("private_key", text, passphrase).unwrap_err().to_string()
}

#[test]
fn every_form_of_ssh_keygen_is_read_and_means_the_same() {
    let folder = tempfile::tempdir().unwrap();
    for (name, kind, arguments) in [
        ("ed25519", SshKeyKind::Ed25519, &["-t", "ed25519", "-N", ""][..]),
        ("ecdsa", SshKeyKind::Ecdsa(384), &["-t", "ecdsa", "-b", "384", "-N", ""]),
        ("rsa", SshKeyKind::Rsa(2048), &["-t", "rsa", "-b", "2048", "-N", ""]),
        ("rsa-pem", SshKeyKind::Rsa(2048), &["-t", "rsa", "-b", "2048", "-N", "", "-m", "PEM"]),
        ("rsa-pkcs8", SshKeyKind::Rsa(2048), &["-t", "rsa", "-b", "2048", "-N", "", "-m", "PKCS8"]),
        ("ec-pem", SshKeyKind::Ecdsa(256), &["-t", "ecdsa", "-b", "256", "-N", "", "-m", "PEM"]),
        ("ec-pkcs8", SshKeyKind::Ecdsa(521), &["-t", "ecdsa", "-b", "521", "-N", "", "-m", "PKCS8"]),
    ] {
        let text = made(folder.path(), name, arguments);
        let key = SshKey::parse("private_key", &text, None).unwrap_or_else(|e| panic!("{name}: {e}"));
        assert_eq!(key.kind(), kind, "{name}");
        let public = std::fs::read_to_string(folder.path().join(format!("{name}.pub"))).unwrap();
        assert!(public.starts_with(&format!("{} ", key.public_text().unwrap())), "{name}");
        let listed = keygen(&folder.path().join(name), &["-l"]);
        assert!(listed.contains(&key.fingerprint()), "{name}: {listed}");
        let pasted = format!("  \r\n{}\r\n", text.replace('\n', "\r\n  "));
        assert_eq!(SshKey::parse("k", &pasted, Some("unused")).unwrap().fingerprint(), key.fingerprint());
        let again = SshKey::parse("k", key.private_text().unwrap().expose(), None).unwrap();
        assert_eq!(again.fingerprint(), key.fingerprint(), "{name}");
    }
}

#[test]
fn a_passphrase_opens_and_is_left_behind() {
    let folder = tempfile::tempdir().unwrap();
    for (name, arguments) in [
        ("openssh", &["-t", "ed25519", "-N", "correct horse"][..]),
        ("pem", &["-t", "rsa", "-b", "2048", "-m", "PEM", "-N", "correct horse"]),
    ] {
        let text = made(folder.path(), name, arguments);
        assert!(error(&text, None).contains("passphrase"), "{name}");
        assert_eq!(error(&text, Some("wrong")), "`passphrase` does not open the private key", "{name}");
        let key = SshKey::parse("private_key", &text, Some("correct horse")).unwrap();
        assert!(SshKey::parse("k", key.private_text().unwrap().expose(), None).is_ok(), "{name}");
    }
}

#[test]
fn what_would_cost_too_much_or_is_no_key_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let slow = made(folder.path(), "slow", &["-t", "ed25519", "-N", "correct horse", "-a", "257"]);
    assert!(error(&slow, Some("correct horse")).contains("257 rounds"));
    let pkcs8 = made(folder.path(), "pkcs8", &["-t", "ecdsa", "-m", "PKCS8", "-N", "correct horse"]);
    assert!(error(&pkcs8, Some("correct horse")).contains("ssh-keygen -p"));
    assert!(error("PuTTY-User-Key-File-3: ssh-ed25519\n", Some("x")).contains("puttygen"));
    assert!(error(&"x".repeat(MAX_KEY_BYTES + 1), None).contains("longer"));
    assert!(error("-----BEGIN PUBLIC KEY-----\n", None).contains("not a private key"));
    let public = std::fs::read_to_string(folder.path().join("slow.pub")).unwrap();
    assert!(error(&public, None).contains("not a private key"));
}

#[test]
fn made_keys_are_read_by_ssh_keygen() {
    let folder = tempfile::tempdir().unwrap();
    for (name, key) in
        [("ed25519", SshKey::generate_ed25519().unwrap()), ("rsa", SshKey::generate_rsa(2048).unwrap())]
    {
        let file = folder.path().join(name);
        std::fs::write(&file, key.private_text().unwrap().expose()).unwrap();
        std::fs::set_permissions(&file, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
        assert_eq!(keygen(&file, &["-y"]).trim_end(), key.public_text().unwrap());
    }
    assert!(SshKey::generate_rsa(1024).is_err() && SshKey::generate_rsa(16_384).is_err());
}

#[test]
fn a_public_half_of_another_key_is_noticed() {
    let [one, other] = [(); 2].map(|()| SshKey::generate_ed25519().unwrap());
    let mut bytes = one.pair().to_bytes().unwrap().to_vec();
    let (own, foreign) =
        (one.pair().public_key().to_bytes().unwrap(), other.pair().public_key().to_bytes().unwrap());
    let at = bytes.windows(own.len()).position(|part| part == own).unwrap();
    bytes[at..at + own.len()].copy_from_slice(&foreign);
    let body = russh::keys::ssh_key::PrivateKey::from_bytes(&bytes);
    // The parser may notice by itself; if it does not, the proof does.
    if let Ok(pair) = body {
        assert!(SshKey::checked("private_key", pair).unwrap_err().to_string().contains("damaged"));
    }
}

proptest::proptest! {
    #![proptest_config(proptest::test_runner::Config { cases: 300, ..Default::default() })]

    #[test]
    fn any_text_is_read_or_refused(text in any::<String>(), passphrase in prop::option::of(any::<String>())) {
        let _ = SshKey::parse("private_key", &text, passphrase.as_deref());
    }

    #[test]
    fn a_key_with_any_bytes_changed_is_read_or_refused(
        which in 0..4usize,
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6),
    ) {
        let text = SAMPLES[which].get_or_init(|| sample(which));
        let (label, mut der) = pem(text);
        for (at, value) in changes {
            let at = at.index(der.len());
            der[at] = value;
        }
        let body = base64_lines(&der);
        let text = format!("-----BEGIN {label}-----\n{body}-----END {label}-----\n");
        let _ = SshKey::parse("private_key", &text, Some("correct horse"));
    }
}

static SAMPLES: [std::sync::OnceLock<String>; 4] = [const { std::sync::OnceLock::new() }; 4];

fn sample(which: usize) -> String {
    let folder = tempfile::tempdir().unwrap();
    let arguments: &[&str] = match which {
        0 => &["-t", "ed25519", "-N", ""],
        1 => &["-t", "rsa", "-b", "1024", "-N", "", "-m", "PEM"],
        2 => &["-t", "rsa", "-b", "1024", "-N", ""],
        _ => &["-t", "ecdsa", "-N", "", "-m", "PKCS8"],
    };
    made(folder.path(), "sample", arguments)
}

/// The label and the bytes of a PEM block.
fn pem(text: &str) -> (String, Vec<u8>) {
    let label = text.lines().next().unwrap().trim_matches('-').trim_start_matches("BEGIN ").to_owned();
    let body: String = text.lines().filter(|line| !line.starts_with('-')).collect();
    (label, Base64::decode_vec(&body).unwrap())
}

fn base64_lines(bytes: &[u8]) -> String {
    let text = Base64::encode_string(bytes);
    text.as_bytes().chunks(70).flat_map(|line| [std::str::from_utf8(line).unwrap(), "\n"]).collect()
}
