//! The values of a backend's fields, checked against the provider's declaration.
//!
//! Only [`Fields::check`](crate::Fields::check) makes them, so a driver that reads a required field, or one with a
//! default, finds it there. Secrets never show in `Debug`.

use std::{collections::BTreeMap, fmt};

use crate::error::{Error, Result};

/// A value that is never shown.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// Wraps a secret.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The secret itself, for the one who hands it to the far side.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(..)")
    }
}

/// One checked value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Value {
    Text(String),
    Secret(Secret),
    Number(u32),
    Flag(bool),
}

/// The checked values of a backend's fields.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Credentials(BTreeMap<&'static str, Value>);

impl Credentials {
    pub(crate) fn insert(&mut self, name: &'static str, value: Value) {
        self.0.insert(name, value);
    }

    pub(crate) fn contains(&self, name: &str) -> bool {
        self.0.contains_key(name)
    }

    /// The text of a field, if it was given or has a default.
    pub fn text(&self, name: &str) -> Option<&str> {
        match self.0.get(name) {
            Some(Value::Text(text)) => Some(text),
            _ => None,
        }
    }

    /// The secret, key or file of a field, if it was given.
    pub fn secret(&self, name: &str) -> Option<&Secret> {
        match self.0.get(name) {
            Some(Value::Secret(secret)) => Some(secret),
            _ => None,
        }
    }

    /// Every secret that was given.
    pub(crate) fn secrets(&self) -> impl Iterator<Item = &Secret> {
        self.0.values().filter_map(|value| match value {
            Value::Secret(secret) => Some(secret),
            _ => None,
        })
    }

    /// The number of a field, if it was given or has a default.
    pub fn number(&self, name: &str) -> Option<u32> {
        match self.0.get(name) {
            Some(Value::Number(number)) => Some(*number),
            _ => None,
        }
    }

    /// Whether a field was switched on.
    pub fn flag(&self, name: &str) -> bool {
        matches!(self.0.get(name), Some(Value::Flag(true)))
    }

    /// The text of a field that has to be there.
    pub fn required_text(&self, name: &str) -> Result<&str> {
        self.text(name).ok_or_else(|| Error::invalid(name, "is missing"))
    }

    /// The secret of a field that has to be there.
    pub fn required_secret(&self, name: &str) -> Result<&Secret> {
        self.secret(name).ok_or_else(|| Error::invalid(name, "is missing"))
    }

    /// The TCP port of a field that has to be there.
    pub fn required_port(&self, name: &str) -> Result<u16> {
        let number = self.number(name).ok_or_else(|| Error::invalid(name, "is missing"))?;
        u16::try_from(number).map_err(|_| Error::invalid(name, "is not a port"))
    }
}
