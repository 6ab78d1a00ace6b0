//! The fields that a provider asks for, declared once.
//!
//! From the declaration come the flags and the help of the command line, the validation of the API and the form of the
//! page. The names are those that Mist.io's clients sent; where today's are better, the old ones are aliases.
//!
//! Values arrive as JSON. A null counts as absent, and numbers and booleans may come as text: old clients send both.

use std::collections::BTreeMap;

use roadstead_api::provider;
use serde_json::Value as Json;

use crate::{
    credentials::{Credentials, Secret, Value},
    error::{Error, Result},
};

/// How long a value may be, in bytes. The longest there is are certificates with their chain.
pub const MAX_VALUE_BYTES: usize = 64 * 1024;

/// What kind of value a field takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FieldKind {
    /// One line of text.
    Text,
    /// A password or token: one line, sealed, never shown again.
    Secret,
    /// A whole number from the first to the second, both included.
    Number(u32, u32),
    /// Yes or no.
    Flag,
    /// An SSH key. People give the id of one that Roadstead keeps; the driver gets the private key in PEM.
    Key,
    /// The content of a file, such as a certificate: sealed, never shown again.
    File,
}

impl FieldKind {
    /// Whether values are sealed, and never shown again.
    pub fn is_secret(self) -> bool {
        matches!(self, Self::Secret | Self::Key | Self::File)
    }
}

/// One field.
#[derive(Clone, Copy, Debug)]
pub struct Field {
    /// The name, as the API and `--set` take it.
    pub name: &'static str,
    /// What it takes.
    pub kind: FieldKind,
    /// Whether it has to be given.
    pub required: bool,
    /// What it is when it is not given.
    pub default: Option<&'static str>,
    /// What to put in, for people, in one sentence without a full stop.
    pub help: &'static str,
    /// Other names that are taken for it.
    pub aliases: &'static [&'static str],
}

impl Field {
    /// An optional field without a default.
    pub const fn new(name: &'static str, kind: FieldKind, help: &'static str) -> Self {
        Self { name, kind, required: false, default: None, help, aliases: &[] }
    }

    /// The same field, required.
    #[must_use]
    pub const fn required(self) -> Self {
        Self { required: true, ..self }
    }

    /// The same field with a default.
    #[must_use]
    pub const fn or(self, default: &'static str) -> Self {
        Self { default: Some(default), ..self }
    }

    /// The same field with other names.
    #[must_use]
    pub const fn also(self, aliases: &'static [&'static str]) -> Self {
        Self { aliases, ..self }
    }

    /// The field as the API shows it.
    pub fn describe(&self) -> provider::Field {
        let (kind, range) = match self.kind {
            FieldKind::Text => (provider::FieldKind::Text, None),
            FieldKind::Secret => (provider::FieldKind::Secret, None),
            FieldKind::Number(least, most) => (provider::FieldKind::Number, Some((least, most))),
            FieldKind::Flag => (provider::FieldKind::Flag, None),
            FieldKind::Key => (provider::FieldKind::Key, None),
            FieldKind::File => (provider::FieldKind::File, None),
        };
        provider::Field {
            name: self.name.into(),
            kind,
            required: self.required,
            default: self.default.map(Into::into),
            minimum: range.map(|(least, _)| least),
            maximum: range.map(|(_, most)| most),
            help: self.help.into(),
            aliases: self.aliases.iter().map(|&alias| alias.into()).collect(),
        }
    }

    fn is_called(&self, name: &str) -> bool {
        self.name == name || self.aliases.contains(&name)
    }

    fn check(&self, json: &Json) -> Result<Value> {
        let text = match json {
            Json::String(text) => text.clone(),
            Json::Number(number) if matches!(self.kind, FieldKind::Number(..)) => number.to_string(),
            Json::Bool(flag) if self.kind == FieldKind::Flag => flag.to_string(),
            _ => return Err(Error::invalid(self.name, self.wanted())),
        };
        if text.len() > MAX_VALUE_BYTES {
            return Err(Error::invalid(self.name, format!("is longer than {MAX_VALUE_BYTES} bytes")));
        }
        let one_line = !text.chars().any(char::is_control);
        match self.kind {
            FieldKind::Text if one_line => Ok(Value::Text(text.trim().to_owned())),
            FieldKind::Secret if one_line => Ok(Value::Secret(Secret::new(text))),
            FieldKind::Key | FieldKind::File if !text.contains('\0') => Ok(Value::Secret(Secret::new(text))),
            FieldKind::Number(least, most) => match text.trim().parse() {
                Ok(number) if (least..=most).contains(&number) => Ok(Value::Number(number)),
                _ => Err(Error::invalid(self.name, self.wanted())),
            },
            FieldKind::Flag => match text.trim() {
                "true" => Ok(Value::Flag(true)),
                "false" => Ok(Value::Flag(false)),
                _ => Err(Error::invalid(self.name, self.wanted())),
            },
            _ => Err(Error::invalid(self.name, self.wanted())),
        }
    }

    fn wanted(&self) -> String {
        match self.kind {
            FieldKind::Text | FieldKind::Secret => "takes one line of text".into(),
            FieldKind::Number(least, most) => format!("takes a number from {least} to {most}"),
            FieldKind::Flag => "takes true or false".into(),
            FieldKind::Key => "takes a key".into(),
            FieldKind::File => "takes the text of a file".into(),
        }
    }
}

/// All fields of a provider.
#[derive(Clone, Copy, Debug)]
pub struct Fields(pub &'static [Field]);

impl Fields {
    /// The field with this name or alias.
    pub fn get(self, name: &str) -> Option<&'static Field> {
        self.0.iter().find(|field| field.is_called(name))
    }

    /// Checks what was given, and fills in the defaults. Empty texts and nulls count as absent.
    pub fn check(self, given: &BTreeMap<String, Json>) -> Result<Credentials> {
        let mut credentials = Credentials::default();
        for (name, json) in given {
            let field = self.get(name).ok_or_else(|| Error::invalid(name, "is no field of this provider"))?;
            if json.is_null() || json.as_str().is_some_and(|text| text.trim().is_empty()) {
                continue;
            }
            if credentials.contains(field.name) {
                return Err(Error::invalid(field.name, "is given twice, under two of its names"));
            }
            credentials.insert(field.name, field.check(json)?);
        }
        for field in self.0 {
            match field.default {
                _ if credentials.contains(field.name) => {}
                Some(default) => credentials.insert(field.name, field.check(&Json::from(default))?),
                None if field.required => return Err(Error::invalid(field.name, "is missing")),
                None => {}
            }
        }
        Ok(credentials)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use serde_json::{Value as Json, json};

    use super::{Field, FieldKind, Fields, MAX_VALUE_BYTES};
    use crate::{Credentials, Error, ErrorKind};

    const FIELDS: Fields = Fields(&[
        Field::new("host", FieldKind::Text, "The host").required().also(&["hostname"]),
        Field::new("port", FieldKind::Number(1, 65_535), "The port").or("22"),
        Field::new("password", FieldKind::Secret, "The password"),
        Field::new("tls", FieldKind::Flag, "Whether to use TLS").or("false"),
        Field::new("certificate", FieldKind::File, "The certificate"),
    ]);

    fn check(given: Json) -> Result<Credentials, Error> {
        let given: BTreeMap<String, Json> = serde_json::from_value(given).unwrap();
        FIELDS.check(&given)
    }

    #[test]
    fn defaults_aliases_nulls_and_numbers_as_text() {
        let credentials =
            check(json!({"hostname": " h ", "port": "2222", "password": null, "certificate": "a\nb"}))
                .unwrap();
        assert_eq!(credentials.text("host"), Some("h"));
        assert_eq!(credentials.number("port"), Some(2222));
        assert_eq!(credentials.secret("password"), None);
        assert_eq!(credentials.secret("certificate").unwrap().expose(), "a\nb");
        assert!(!credentials.flag("tls"));
        assert_eq!(check(json!({"host": "h"})).unwrap().required_port("port").unwrap(), 22);
        assert!(check(json!({"host": "h", "tls": true})).unwrap().flag("tls"));
    }

    #[test]
    fn what_does_not_do_is_named() {
        for (given, field) in [
            (json!({}), "host"),
            (json!({"host": ""}), "host"),
            (json!({"host": 7}), "host"),
            (json!({"host": "a\nb"}), "host"),
            (json!({"host": "h", "hostname": "i"}), "host"),
            (json!({"host": "h", "port": 0}), "port"),
            (json!({"host": "h", "port": 65536}), "port"),
            (json!({"host": "h", "port": 2.5}), "port"),
            (json!({"host": "h", "port": "many"}), "port"),
            (json!({"host": "h", "tls": "perhaps"}), "tls"),
            (json!({"host": "h", "password": ["x"]}), "password"),
            (json!({"host": "h", "certificate": "a\0b"}), "certificate"),
            (json!({"host": "h", "colour": "red"}), "colour"),
            (json!({"host": "x".repeat(MAX_VALUE_BYTES + 1)}), "host"),
        ] {
            let error = check(given.clone()).unwrap_err();
            assert_eq!((error.kind(), error.field()), (ErrorKind::Invalid, Some(field)), "{given}");
        }
    }

    #[test]
    fn secrets_are_not_shown() {
        let credentials = check(json!({"host": "h", "password": "hunter2", "certificate": "PEM"})).unwrap();
        let shown = format!("{credentials:?}");
        assert!(!shown.contains("hunter2") && !shown.contains("PEM"), "{shown}");
    }
}
