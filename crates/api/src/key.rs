//! SSH keys: the pairs that machines are logged in to with. The private halves stay on the server, sealed.

use std::fmt;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{Page, endpoint::endpoints, id::KeyId};

/// An SSH key, but for its private half.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Key {
    /// The key's id.
    pub id: KeyId,
    /// Its name: no other key of the account has it.
    pub name: String,
    /// Its algorithm.
    #[serde(rename = "type")]
    pub kind: KeyKind,
    /// Its size in bits; 256 for every Ed25519 key.
    pub bits: u32,
    /// `SHA256:` and the base64 of the public half's hash, as `ssh-keygen -l` shows it.
    pub fingerprint: String,
    /// The public half as a line of `authorized_keys`, with the name as its comment.
    pub public_key: String,
    /// Whether it is the one that is taken where nobody names one. An account with keys has one such.
    #[serde(rename = "default")]
    pub is_default: bool,
    /// When it was added.
    pub created_at: Timestamp,
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "({}, {})", self.id, self.name)
    }
}

/// The algorithm of a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum KeyKind {
    /// Ed25519.
    Ed25519,
    /// RSA.
    Rsa,
    /// ECDSA over one of NIST's curves.
    Ecdsa,
}

impl KeyKind {
    /// The algorithm's word, as JSON and the database have it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ed25519 => "ed25519",
            Self::Rsa => "rsa",
            Self::Ecdsa => "ecdsa",
        }
    }
}

impl fmt::Display for KeyKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl std::str::FromStr for KeyKind {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        [Self::Ed25519, Self::Rsa, Self::Ecdsa]
            .into_iter()
            .find(|kind| kind.as_str() == text)
            .ok_or_else(|| format!("{text:?} is not an algorithm of a key"))
    }
}

/// An algorithm that keys are made with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum NewKeyKind {
    /// Ed25519: small, fast, and taken by every SSH server of the last ten years.
    Ed25519,
    /// RSA, for the older ones.
    Rsa,
}

/// A key to be added: either `private_key` or `generate`.
#[derive(Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NewKey {
    /// Its name, 1 to 200 characters.
    pub name: String,
    /// The private half in PEM: OpenSSH's own form, PKCS#1, SEC1 or PKCS#8.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub private_key: Option<String>,
    /// The passphrase of `private_key`, if it has one. The server keeps the key without it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub passphrase: Option<String>,
    /// Make a new key of this kind.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub generate: Option<NewKeyKind>,
    /// How large an RSA key to make, 2048 to 8192 bits; 3072 when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bits: Option<u32>,
}

impl NewKey {
    /// A key that somebody already has.
    pub fn uploaded(name: &str, private_key: &str, passphrase: Option<&str>) -> Self {
        Self {
            private_key: Some(private_key.to_owned()),
            passphrase: passphrase.map(str::to_owned),
            ..Self::named(name)
        }
    }

    /// A key to be made.
    pub fn generated(name: &str, kind: NewKeyKind, bits: Option<u32>) -> Self {
        Self { generate: Some(kind), bits, ..Self::named(name) }
    }

    fn named(name: &str) -> Self {
        Self { name: name.to_owned(), private_key: None, passphrase: None, generate: None, bits: None }
    }
}

/// Shows nothing secret.
impl fmt::Debug for NewKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NewKey")
            .field("name", &self.name)
            .field("generate", &self.generate)
            .field("bits", &self.bits)
            .finish_non_exhaustive()
    }
}

/// A change to a key.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct KeyChange {
    /// Its new name, 1 to 200 characters.
    pub name: String,
}

/// The private half of a key.
#[derive(Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct PrivateKey {
    /// The key's id.
    pub id: KeyId,
    /// The private half in PEM, without a passphrase: PKCS#1 for RSA, OpenSSH's own form otherwise.
    pub private_key: String,
}

/// Shows nothing secret.
impl fmt::Debug for PrivateKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PrivateKey").field("id", &self.id).finish_non_exhaustive()
    }
}

/// Which keys to list.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct KeyQuery {
    /// Only the one of this name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// How many items at the most, 1 to 1000; 100 when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
    /// Where to go on: `next` of the page before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cursor: Option<String>,
}

endpoints! {
    /// Adds an SSH key, given or generated. The first of an account becomes its default.
    KeyCreate = "key_create": Post "/keys", Creator, (()) ? (), NewKey => 201 Key;
    /// Lists the SSH keys, oldest first.
    KeyList = "key_list": Get "/keys", Observer, (()) ? KeyQuery, () => 200 Page<Key>;
    /// Shows one SSH key, but for its private half.
    KeyShow = "key_show": Get "/keys/{id}", Observer, (KeyId) ? (), () => 200 Key;
    /// Shows the private half of an SSH key; who asked is in the audit log.
    KeyShowPrivate = "key_show_private": Get "/keys/{id}/private", Admin, (KeyId) ? (), () => 200 PrivateKey;
    /// Gives an SSH key another name.
    KeyUpdate = "key_update": Patch "/keys/{id}", Creator, (KeyId) ? (), KeyChange => 200 Key;
    /// Makes an SSH key the default.
    KeySetDefault = "key_set_default": Post "/keys/{id}/default", Creator, (KeyId) ? (), () => 200 Key;
    /// Deletes an SSH key, here and not on the machines that let it in. If it was the default, the oldest becomes it.
    KeyDelete = "key_delete": Delete "/keys/{id}", Admin, (KeyId) ? (), () => 204 ();
}
