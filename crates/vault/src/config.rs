//! The config file: version, id and chunking of a repository, sealed like any other file but never
//! compressed, since it is what tells whether compression is there.

use serde::{Deserialize, Serialize};

use crate::error::{Error, ErrorKind, Result};
use crate::id::Id;
use crate::polynomial::{DEGREE, Polynomial};
use crate::random;

/// How our own repositories are chunked, as the extra key of their config says. New ones are made with the
/// last.
pub(crate) const GEAR: [&str; 2] = ["gear-v1", "gear-v2"];

/// The JSON of the config file. restic ignores the key it does not know; it keeps working on the
/// repository, only with chunks of its own.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Config {
    pub(crate) version: u32,
    pub(crate) id: Id,
    pub(crate) chunker_polynomial: Polynomial,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    roadstead_chunker: Option<String>,
}

impl Config {
    /// The config of a new repository of our own.
    pub(crate) fn generate() -> Result<Self> {
        Ok(Self {
            version: 2,
            id: Id(random::array()?),
            chunker_polynomial: Polynomial::random()?,
            roadstead_chunker: Some(GEAR[1].to_owned()),
        })
    }

    /// Reads and validates a decrypted config.
    pub(crate) fn parse(json: &[u8]) -> Result<Self> {
        let config: Self = serde_json::from_slice(json)
            .map_err(|e| Error::damaged("the config is malformed").with_source(e))?;
        if !(1..=2).contains(&config.version) {
            let message = format!("repository version {} is unknown", config.version);
            return Err(Error::new(ErrorKind::Unsupported, message));
        }
        let polynomial = config.chunker_polynomial;
        if polynomial.degree() != Some(DEGREE) || !polynomial.is_irreducible() {
            return Err(Error::damaged("the config's chunker polynomial is not irreducible of degree 53"));
        }
        match config.roadstead_chunker.as_deref() {
            Some(other) if !GEAR.contains(&other) => {
                Err(Error::new(ErrorKind::Unsupported, format!("unknown chunker {other:.40}")))
            }
            _ => Ok(config),
        }
    }

    /// Which of [`GEAR`] files are cut by; by restic's Rabin fingerprint if by none.
    pub(crate) fn gear(&self) -> Option<&str> {
        self.roadstead_chunker.as_deref()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_generated_is_accepted() {
        let config = Config::generate().unwrap();
        assert_eq!(Config::parse(&serde_json::to_vec(&config).unwrap()).unwrap(), config);
        assert_eq!(config.gear(), Some("gear-v2"));
    }

    #[test]
    fn what_cannot_be_used_is_refused() {
        let config = serde_json::to_string(&Config::generate().unwrap()).unwrap();
        for (from, to) in [
            (r#""version":2"#, r#""version":3"#),
            ("gear-v2", "gear-v9"),
            (r#"polynomial":""#, r#"polynomial":"f"#),
        ] {
            assert!(Config::parse(config.replace(from, to).as_bytes()).is_err(), "{to}");
        }
    }

    proptest::proptest! {
        #[test]
        fn mutated_configs_never_panic(at in 0usize..180, byte: u8) {
            let mut json = serde_json::to_vec(&Config::generate().unwrap()).unwrap();
            let at = at % json.len();
            json[at] = byte;
            let _ = Config::parse(&json);
        }
    }
}
