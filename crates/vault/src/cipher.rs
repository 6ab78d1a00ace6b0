//! Sealing and opening: AES-256 in counter mode under a Poly1305-AES tag, laid out as
//! `nonce (16) || cipher text || tag (16)`.
//!
//! Source: restic's design document, "Keys, Encryption and MAC", and Bernstein's Poly1305-AES paper: the
//! one-time key is `r || AES-128(k, nonce)`. Nothing is decrypted before its tag was found right.

use std::fmt;

use aes::cipher::{BlockCipherEncrypt, KeyInit, KeyIvInit, StreamCipher};
use aes::{Aes128Enc, Aes256Enc};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use ctr::Ctr128BE;
use poly1305::Poly1305;
use poly1305::universal_hash::UniversalHash;
use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};
use crate::random;

/// Where the text begins in a sealed buffer.
pub(crate) const NONCE: usize = 16;
const TAG: usize = 16;
/// What sealing adds to the length of a text.
pub(crate) const OVERHEAD: usize = NONCE + TAG;

/// The three keys of a repository, or those derived from a password. Wiped when dropped.
#[derive(Clone)]
pub(crate) struct Key {
    encrypt: [u8; 32],
    mac_k: [u8; 16],
    mac_r: [u8; 16],
}

impl Key {
    /// A fresh random key.
    pub(crate) fn generate() -> Result<Self> {
        Ok(Self { encrypt: random::array()?, mac_k: random::array()?, mac_r: random::array()? })
    }

    /// A key from 64 derived bytes: encryption key, k, r.
    pub(crate) fn from_derived(bytes: &[u8; 64]) -> Self {
        let mut key = Self { encrypt: [0; 32], mac_k: [0; 16], mac_r: [0; 16] };
        key.encrypt.copy_from_slice(&bytes[..32]);
        key.mac_k.copy_from_slice(&bytes[32..48]);
        key.mac_r.copy_from_slice(&bytes[48..]);
        key
    }

    /// Seals in place: the text stands in `buffer` between 16 bytes for the nonce and 16 for the tag.
    pub(crate) fn seal_in_place(&self, buffer: &mut [u8]) -> Result<()> {
        let (nonce, rest) = buffer.split_at_mut(NONCE);
        let (text, tag) = rest.split_at_mut(rest.len() - TAG);
        random::fill(nonce)?;
        self.apply(nonce, text);
        tag.copy_from_slice(&self.tag(nonce, text));
        Ok(())
    }

    /// Seals in place under the nonce that stands in `buffer` already, which must never have been used with this key for
    /// another text.
    pub(crate) fn seal_under_its_nonce(&self, buffer: &mut [u8]) -> Result<()> {
        let Some(length) = buffer.len().checked_sub(OVERHEAD) else {
            return Err(Error::damaged("sealed data is too short"));
        };
        let (nonce, rest) = buffer.split_at_mut(NONCE);
        let (text, tag) = rest.split_at_mut(length);
        self.apply(nonce, text);
        tag.copy_from_slice(&self.tag(nonce, text));
        Ok(())
    }

    /// A sealed copy of `text`.
    pub(crate) fn seal(&self, text: &[u8]) -> Result<Vec<u8>> {
        let mut buffer = vec![0; text.len() + OVERHEAD];
        buffer[NONCE..NONCE + text.len()].copy_from_slice(text);
        self.seal_in_place(&mut buffer)?;
        Ok(buffer)
    }

    /// Verifies and decrypts in place; the text is the slice returned.
    pub(crate) fn open<'a>(&self, sealed: &'a mut [u8]) -> Result<&'a mut [u8]> {
        let Some(length) = sealed.len().checked_sub(OVERHEAD) else {
            return Err(Error::damaged("sealed data is too short"));
        };
        let (nonce, rest) = sealed.split_at_mut(NONCE);
        let (text, tag) = rest.split_at_mut(length);
        if !same(&self.tag(nonce, text), tag) {
            return Err(Error::damaged("sealed data fails its authentication"));
        }
        self.apply(nonce, text);
        Ok(text)
    }

    /// Verifies and decrypts into `out`, which grows if it must and never shrinks; the text is the slice returned.
    pub(crate) fn open_into<'a>(&self, sealed: &[u8], out: &'a mut Vec<u8>) -> Result<&'a [u8]> {
        let length = sealed.len().saturating_sub(OVERHEAD);
        if out.len() < length {
            out.resize(length, 0);
        }
        self.open_to(sealed, &mut out[..length])?;
        Ok(&out[..length])
    }

    /// Verifies and decrypts into `out`, which must be as long as the text.
    pub(crate) fn open_to(&self, sealed: &[u8], out: &mut [u8]) -> Result<()> {
        let Some(length) = sealed.len().checked_sub(OVERHEAD).filter(|length| *length == out.len()) else {
            return Err(Error::damaged("sealed data is too short"));
        };
        let (nonce, rest) = sealed.split_at(NONCE);
        let (text, tag) = rest.split_at(length);
        if !same(&self.tag(nonce, text), tag) {
            return Err(Error::damaged("sealed data fails its authentication"));
        }
        self.key_stream(nonce).apply_keystream_b2b(text, out);
        Ok(())
    }

    fn apply(&self, nonce: &[u8], text: &mut [u8]) {
        self.key_stream(nonce).apply_keystream(text);
    }

    fn key_stream(&self, nonce: &[u8]) -> Ctr128BE<Aes256Enc> {
        let mut iv = [0; NONCE];
        iv.copy_from_slice(nonce);
        Ctr128BE::new(&self.encrypt.into(), &iv.into())
    }

    fn tag(&self, nonce: &[u8], text: &[u8]) -> [u8; TAG] {
        let mut pad = [0; NONCE];
        pad.copy_from_slice(nonce);
        let mut pad = pad.into();
        Aes128Enc::new(&self.mac_k.into()).encrypt_block(&mut pad);
        let mut one_time = [0; 32];
        one_time[..16].copy_from_slice(&self.mac_r);
        one_time[16..].copy_from_slice(&pad);
        let mut mac = Poly1305::new(&one_time.into());
        let (blocks, rest) = poly1305::Block::slice_as_chunks(text);
        mac.update(blocks);
        mac.compute_unpadded(rest).into()
    }
}

/// Compares without telling by the time taken where the difference is.
fn same(a: &[u8], b: &[u8]) -> bool {
    a.len() == b.len() && a.iter().zip(b).fold(0, |diff, (a, b)| diff | (a ^ b)) == 0
}

impl Drop for Key {
    fn drop(&mut self) {
        // Without unsafe code a wipe can only be made unlikely to be optimised away.
        self.encrypt = std::hint::black_box([0; 32]);
        self.mac_k = std::hint::black_box([0; 16]);
        self.mac_r = std::hint::black_box([0; 16]);
        std::hint::black_box(&self.encrypt);
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Key")
    }
}

/// The master key as JSON inside a key file: `{"mac":{"k":..,"r":..},"encrypt":..}`, values in base64.
#[derive(Serialize, Deserialize)]
pub(crate) struct KeyJson {
    mac: MacJson,
    encrypt: String,
}

#[derive(Serialize, Deserialize)]
struct MacJson {
    k: String,
    r: String,
}

impl From<&Key> for KeyJson {
    fn from(key: &Key) -> Self {
        let mac = MacJson { k: STANDARD.encode(key.mac_k), r: STANDARD.encode(key.mac_r) };
        Self { mac, encrypt: STANDARD.encode(key.encrypt) }
    }
}

impl TryFrom<KeyJson> for Key {
    type Error = Error;

    fn try_from(json: KeyJson) -> Result<Self> {
        Ok(Self { encrypt: array(&json.encrypt)?, mac_k: array(&json.mac.k)?, mac_r: array(&json.mac.r)? })
    }
}

fn array<const N: usize>(text: &str) -> Result<[u8; N]> {
    let bytes = STANDARD.decode(text).ok();
    bytes.and_then(|bytes| bytes.try_into().ok()).ok_or_else(|| Error::damaged("the master key is malformed"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seals_and_opens_any_length() {
        let key = Key::generate().unwrap();
        for length in [0, 1, 15, 16, 17, 31, 32, 33, 1000] {
            let text: Vec<u8> = (0..length).map(|i| i as u8).collect();
            let mut sealed = key.seal(&text).unwrap();
            assert_eq!(sealed.len(), length + OVERHEAD);
            assert_eq!(key.open_into(&sealed, &mut vec![7; 40]).unwrap(), text);
            assert_eq!(key.open(&mut sealed).unwrap(), text);
        }
    }

    #[test]
    fn refuses_every_flipped_bit() {
        let key = Key::generate().unwrap();
        let sealed = key.seal(b"some text").unwrap();
        for bit in 0..sealed.len() * 8 {
            let mut broken = sealed.clone();
            broken[bit / 8] ^= 1 << (bit % 8);
            assert!(key.open_into(&broken, &mut Vec::new()).is_err());
            assert!(key.open(&mut broken).is_err());
        }
        assert!(key.open(&mut [0; 31]).is_err() && key.open_into(&[0; 31], &mut Vec::new()).is_err());
    }
}
