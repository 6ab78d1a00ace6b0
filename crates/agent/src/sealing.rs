//! The passwords of sealed vaults: how they reach the agent, and where it keeps them.
//!
//! A password comes encrypted to the agent's key. That of a vault which the agent backs up to stays in
//! `passwords/<vault>`, mode 0600, since schedules need it; one that came for a single restore is not kept. Whatever is
//! wrong with what came, there is one error for it: whoever can make the agent try must not learn why it failed.

use std::{fs, io, path::PathBuf};

use base64::{Engine, engine::general_purpose::STANDARD};
use roadstead_api::{
    id::VaultId,
    sealing::{EncryptedPassword, Padding},
};
use roadstead_vault::{Cancel, Error, ErrorKind, InitOptions, KdfCost, Repository, Result};

use crate::{data_dir::DataDir, durable, key::AgentKey, order::JobOrder, vault};

/// How long a password may be, in bytes: as much as the smallest key can carry.
const MAX_PASSWORD: usize = 190;

/// The password of the vault that a job works on.
pub(crate) fn password(order: &JobOrder) -> Result<String> {
    let data = DataDir::new(&order.data_dir);
    match (&order.job.vault_password, &order.job.encrypted_password) {
        (Some(password), _) => Ok(password.clone()),
        (None, Some(encrypted)) => decrypt(&data, encrypted),
        (None, None) => read(&data, &order.job.vault_id),
    }
}

/// Begins a vault under a password, which is kept first: a vault that nobody can open is of no use.
pub(crate) fn seal(order: &JobOrder, encrypted: &EncryptedPassword, cancel: &Cancel) -> Result<()> {
    let data = DataDir::new(&order.data_dir);
    let password = decrypt(&data, encrypted)?;
    keep(&data, &order.job.vault_id, &password)?;
    let options = InitOptions { kdf: KdfCost::default() };
    Repository::init(vault::store(order, cancel)?, password.as_bytes(), &options)?;
    Ok(())
}

/// Adds a key with a new password to a vault. The server removes the others when it knows that this went well.
pub(crate) fn change_password(
    order: &JobOrder,
    [current, new]: [&EncryptedPassword; 2],
    cancel: &Cancel,
) -> Result<()> {
    let data = DataDir::new(&order.data_dir);
    let (current, new) = (decrypt(&data, current)?, decrypt(&data, new)?);
    let repository = Repository::open(vault::store(order, cancel)?, current.as_bytes())?;
    repository.add_key(new.as_bytes(), KdfCost::default())?;
    keep(&data, &order.job.vault_id, &new)
}

/// Keeps the password of a vault that was another agent's, if it opens that.
pub(crate) fn take_over(order: &JobOrder, encrypted: &EncryptedPassword, cancel: &Cancel) -> Result<()> {
    let data = DataDir::new(&order.data_dir);
    let password = decrypt(&data, encrypted)?;
    Repository::open(vault::store(order, cancel)?, password.as_bytes())?;
    keep(&data, &order.job.vault_id, &password)
}

fn decrypt(data: &DataDir, encrypted: &EncryptedPassword) -> Result<String> {
    let unusable = || {
        Error::new(
            ErrorKind::Invalid,
            "what came as the password was not encrypted to this agent's key, or is no password",
        )
    };
    let key = AgentKey::load_or_create(&data.key()).map_err(|_| unusable())?;
    let text = STANDARD.decode(&encrypted.text).map_err(|_| unusable())?;
    let opened = match encrypted.padding {
        Padding::Oaep => key.decrypt(&text),
        Padding::Pkcs1 => key.decrypt_pkcs1(&text),
    };
    let password = opened.ok().and_then(|bytes| String::from_utf8(bytes).ok()).ok_or_else(unusable)?;
    let is_one = (1..=MAX_PASSWORD).contains(&password.len()) && !password.contains(['\n', '\r', '\0']);
    if is_one { Ok(password) } else { Err(unusable()) }
}

fn file(data: &DataDir, vault: &VaultId) -> PathBuf {
    // Ids are random words of the server's; whatever it says, this stays a file of the folder.
    let name: String = vault.0.chars().filter(|c| c.is_ascii_alphanumeric() || *c == '-').collect();
    data.passwords().join(format!("vault-{name}"))
}

fn read(data: &DataDir, vault: &VaultId) -> Result<String> {
    let path = file(data, vault);
    fs::read_to_string(&path).map_err(|e| match e.kind() {
        io::ErrorKind::NotFound => Error::new(
            ErrorKind::WrongPassword,
            "the vault is sealed, and this agent does not know its password: restore with the password, or migrate the \
             vault to this agent",
        ),
        _ => Error::new(ErrorKind::Io, format!("reading {}", path.display())).with_source(e),
    })
}

fn keep(data: &DataDir, vault: &VaultId, password: &str) -> Result<()> {
    let path = file(data, vault);
    let failed = |e| Error::new(ErrorKind::Io, format!("writing {}", path.display())).with_source(e);
    durable::make_folder(&data.passwords()).map_err(failed)?;
    durable::write(&path, password.as_bytes()).map_err(failed)
}

#[cfg(test)]
mod tests {
    use rsa::{Oaep, Pkcs1v15Encrypt, RsaPublicKey, pkcs8::DecodePublicKey, rand_core::UnwrapErr};
    use sha2::Sha256;

    use super::*;

    #[test]
    fn passwords_come_in_either_padding_and_all_that_is_wrong_looks_alike() {
        let folder = tempfile::tempdir().unwrap();
        let data = DataDir::new(folder.path());
        let key = AgentKey::load_or_create(&data.key()).unwrap();
        let public = RsaPublicKey::from_public_key_pem(&key.public_pem().unwrap()).unwrap();
        let mut rng = UnwrapErr(getrandom::SysRng);
        let mut encrypted = |padding, password: &[u8]| {
            let text = match padding {
                Padding::Oaep => public.encrypt(&mut rng, Oaep::<Sha256>::new(), password),
                Padding::Pkcs1 => public.encrypt(&mut rng, Pkcs1v15Encrypt, password),
            };
            EncryptedPassword { padding, text: STANDARD.encode(text.unwrap()) }
        };
        for padding in [Padding::Oaep, Padding::Pkcs1] {
            let good = encrypted(padding, "correct horse ☂".as_bytes());
            assert_eq!(decrypt(&data, &good).unwrap(), "correct horse ☂");
        }
        let mut wrong: Vec<EncryptedPassword> =
            [&b""[..], b"two\nlines", &[0xff, 0xfe]].map(|text| encrypted(Padding::Oaep, text)).into();
        for text in ["", "!", "AAAA", &"A".repeat(344)] {
            wrong.push(EncryptedPassword { padding: Padding::Oaep, text: text.to_owned() });
            wrong.push(EncryptedPassword { padding: Padding::Pkcs1, text: text.to_owned() });
        }
        wrong.push(EncryptedPassword {
            padding: Padding::Pkcs1,
            ..encrypted(Padding::Oaep, b"other padding")
        });
        let told: std::collections::BTreeSet<String> =
            wrong.iter().map(|wrong| decrypt(&data, wrong).unwrap_err().to_string()).collect();
        assert_eq!(told.len(), 1, "{told:?}");
    }

    #[test]
    fn a_kept_password_is_read_by_its_owner_alone_and_stays_in_its_folder() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let data = DataDir::new(folder.path());
        let vault = VaultId("../../etc/passwd".to_owned());
        assert_eq!(read(&data, &vault).unwrap_err().kind(), ErrorKind::WrongPassword);
        keep(&data, &vault, "hush").unwrap();
        assert_eq!(read(&data, &vault).unwrap(), "hush");
        let kept: Vec<_> = fs::read_dir(data.passwords()).unwrap().map(|entry| entry.unwrap()).collect();
        assert_eq!(kept.len(), 1);
        assert_eq!(kept[0].metadata().unwrap().permissions().mode() & 0o777, 0o600);
    }
}
