//! Fields that several drivers have in common, and what is made of them: hosts, keys, and the host to go through.

use std::{net::IpAddr, sync::Arc};

use russh::keys::PrivateKey;

use super::{
    connection::{Host, Login},
    key::SshKey,
};
use crate::{
    credentials::Credentials,
    error::{Error, Result},
    field::{Field, FieldKind},
};

/// A TCP port.
pub(crate) const PORT: FieldKind = FieldKind::Number(1, 65_535);

/// The host to go through.
pub(crate) const JUMP_HOST: Field =
    Field::new("jump_host", FieldKind::Text, "The name or address of a host to go through");

/// Its port.
pub(crate) const JUMP_PORT: Field =
    Field::new("jump_port", PORT, "The port of the jump host's SSH server").or("22");

/// The user there.
pub(crate) const JUMP_USER: Field = Field::new(
    "jump_user",
    FieldKind::Text,
    "The user on the jump host; the same as on the machine when absent",
);

/// The key for it.
pub(crate) const JUMP_KEY: Field = Field::new(
    "jump_key",
    FieldKind::Key,
    "The key for the jump host; the same as for the machine when absent",
);

/// The host to go through, where there is one.
pub(crate) fn jump_host(given: &Credentials, machine: &Login) -> Result<Option<Host>> {
    let Some(name) = given.text("jump_host") else { return Ok(None) };
    let login = Login {
        user: given.text("jump_user").unwrap_or(&machine.user).to_owned(),
        key: private_key(given, "jump_key")?.or_else(|| machine.key.clone()),
        // A password is for the host that it was given for.
        password: None,
    };
    if login.key.is_none() {
        return Err(Error::invalid("jump_key", "is missing; the jump host takes no password"));
    }
    Ok(Some(Host { name: host_name(name, "jump_host")?, port: given.required_port("jump_port")?, login }))
}

/// A host's name in lower case, or its address without brackets.
pub(crate) fn host_name(given: &str, field: &str) -> Result<String> {
    let bare = given.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(given);
    if let Ok(address) = bare.parse::<IpAddr>() {
        return Ok(address.to_string());
    }
    let fits = |character: char| character.is_ascii_alphanumeric() || "-._".contains(character);
    if bare.len() > 253 || bare.starts_with(['-', '.']) || !bare.chars().all(fits) {
        return Err(Error::invalid(field, "is neither a host name nor an address"));
    }
    Ok(bare.to_ascii_lowercase())
}

/// The private key that a field holds.
pub(crate) fn private_key(given: &Credentials, field: &str) -> Result<Option<Arc<PrivateKey>>> {
    let key = given.secret(field).map(|secret| SshKey::parse(field, secret.expose(), None)).transpose()?;
    Ok(key.map(|key| key.pair()))
}
