//! Key files: the master key sealed with a key that scrypt derives from a password.
//!
//! Source: restic's design document, "Keys, Encryption and MAC". A key file is plain JSON, so its numbers
//! are hostile until bounded: nobody may make us spend a gigabyte on a derivation.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::cipher::{Key, KeyJson};
use crate::error::{Error, ErrorKind, Result};
use crate::random;

const SALT: usize = 64;
/// Memory a derivation may take: restic itself stays below 60 MB, old versions below 128.
const MAX_MEMORY: u64 = 512 << 20;
/// Bound on memory times p, which is the time it takes.
const MAX_WORK: u64 = 4 << 30;

/// What deriving a key from a password costs: scrypt's parameters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KdfCost {
    /// The binary logarithm of scrypt's N.
    pub log_n: u8,
    /// scrypt's r. Memory is 128 * r * N bytes.
    pub r: u32,
    /// scrypt's p.
    pub p: u32,
}

impl KdfCost {
    /// For passwords people choose: 32 MiB, about 0.1 seconds.
    pub const PASSWORD: Self = Self { log_n: 15, r: 8, p: 1 };
    /// For random keys of 256 bits, where stretching adds nothing: 1 MiB, a few milliseconds.
    pub const RANDOM_KEY: Self = Self { log_n: 10, r: 8, p: 1 };
}

impl Default for KdfCost {
    fn default() -> Self {
        Self::PASSWORD
    }
}

/// The JSON of a key file. Binary fields are base64.
#[derive(Serialize, Deserialize)]
struct KeyFile {
    /// rustic leaves it out.
    #[serde(default, deserialize_with = "crate::go_text::timestamp")]
    created: Timestamp,
    #[serde(default)]
    username: String,
    #[serde(default)]
    hostname: String,
    kdf: String,
    #[serde(rename = "N")]
    n: u64,
    r: u64,
    p: u64,
    salt: String,
    data: String,
}

/// The bytes of a new key file for `master`, opened by `password`.
pub(crate) fn wrap(master: &Key, password: &[u8], cost: KdfCost, user: &str, host: &str) -> Result<Vec<u8>> {
    let salt: [u8; SALT] = random::array()?;
    let (n, r, p) = (1 << cost.log_n.min(40), u64::from(cost.r), u64::from(cost.p));
    let user_key = derive(password, &salt, n, r, p)?;
    let sealed = user_key.seal(&json(&KeyJson::from(master))?)?;
    json(&KeyFile {
        created: Timestamp::now(),
        username: user.to_owned(),
        hostname: host.to_owned(),
        kdf: "scrypt".to_owned(),
        n,
        r,
        p,
        salt: STANDARD.encode(salt),
        data: STANDARD.encode(sealed),
    })
}

/// The master key out of a key file; [`ErrorKind::WrongPassword`] when the password is not its own.
pub(crate) fn unwrap(file: &[u8], password: &[u8]) -> Result<Key> {
    let malformed = || Error::damaged("a key file is malformed");
    let file: KeyFile = serde_json::from_slice(file).map_err(|e| malformed().with_source(e))?;
    if file.kdf != "scrypt" {
        return Err(Error::new(ErrorKind::Unsupported, format!("unknown key derivation {:.20}", file.kdf)));
    }
    let salt = STANDARD.decode(&file.salt).map_err(|e| malformed().with_source(e))?;
    let mut data = STANDARD.decode(&file.data).map_err(|e| malformed().with_source(e))?;
    let user_key = derive(password, &salt, file.n, file.r, file.p)?;
    let wrong = |_| Error::new(ErrorKind::WrongPassword, "wrong password or no key found");
    let text = user_key.open(&mut data).map_err(wrong)?;
    let key: KeyJson = serde_json::from_slice(text).map_err(|e| malformed().with_source(e))?;
    text.fill(0);
    key.try_into()
}

/// When a key was made, by which user, on which host, as the file says.
pub(crate) fn describe(file: &[u8]) -> Result<(Timestamp, String, String)> {
    let file: KeyFile =
        serde_json::from_slice(file).map_err(|e| Error::damaged("a key file is malformed").with_source(e))?;
    Ok((file.created, file.username, file.hostname))
}

fn derive(password: &[u8], salt: &[u8], n: u64, r: u64, p: u64) -> Result<Key> {
    let refused =
        || Error::new(ErrorKind::Unsupported, format!("scrypt parameters N={n} r={r} p={p} refused"));
    let memory = n.checked_mul(r).and_then(|m| m.checked_mul(128)).filter(|m| *m <= MAX_MEMORY);
    let work = memory.and_then(|m| m.checked_mul(p)).filter(|w| *w <= MAX_WORK);
    if work.is_none() || !n.is_power_of_two() || n < 2 || r == 0 || p == 0 || salt.len() > 1024 {
        return Err(refused());
    }
    let log_n = n.trailing_zeros() as u8;
    let params = scrypt::Params::new(log_n, r as u32, p as u32).map_err(|_| refused())?;
    let mut derived = [0; 64];
    scrypt::scrypt(password, salt, &params, &mut derived).map_err(|_| refused())?;
    let key = Key::from_derived(&derived);
    derived.fill(0);
    Ok(key)
}

fn json(value: &impl Serialize) -> Result<Vec<u8>> {
    serde_json::to_vec(value).map_err(|e| Error::new(ErrorKind::Invalid, "writing JSON").with_source(e))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::ProptestConfig;

    use super::*;

    #[test]
    fn wraps_and_unwraps() {
        let master = Key::generate().unwrap();
        let file = wrap(&master, b"secret", KdfCost::RANDOM_KEY, "me", "here").unwrap();
        let again = unwrap(&file, b"secret").unwrap();
        let mut sealed = master.seal(b"text").unwrap();
        assert_eq!(again.open(&mut sealed).unwrap(), b"text");
        assert_eq!(unwrap(&file, b"other").unwrap_err().kind(), ErrorKind::WrongPassword);
    }

    #[test]
    fn a_key_need_not_say_when_it_was_made() {
        let master = Key::generate().unwrap();
        let file = wrap(&master, b"secret", KdfCost::RANDOM_KEY, "me", "here").unwrap();
        let mut json: serde_json::Value = serde_json::from_slice(&file).unwrap();
        json.as_object_mut().unwrap().remove("created");
        let file = serde_json::to_vec(&json).unwrap();
        assert!(unwrap(&file, b"secret").is_ok());
        assert_eq!(describe(&file).unwrap().0, Timestamp::UNIX_EPOCH);
    }

    #[test]
    fn absurd_costs_are_refused() {
        for (n, r, p) in
            [(1 << 40, 8, 1), (1 << 15, 1 << 40, 1), (1 << 15, 8, 1 << 40), (3, 8, 1), (16, 0, 1)]
        {
            assert_eq!(derive(b"", &[0; 64], n, r, p).unwrap_err().kind(), ErrorKind::Unsupported);
        }
    }

    proptest::proptest! {
        // Each takes a key derivation.
        #![proptest_config(ProptestConfig::with_cases(ProptestConfig::default().cases / 4))]
        #[test]
        fn mutated_key_files_never_panic(at in 0usize..700, byte: u8) {
            let cost = KdfCost { log_n: 2, r: 1, p: 1 };
            let mut file = wrap(&Key::generate().unwrap(), b"", cost, "", "").unwrap();
            let at = at % file.len();
            file[at] = byte;
            let _ = unwrap(&file, b"");
        }
    }
}
