//! A stream sealed with a password.
//!
//! One line of JSON says how the key is made of the password (argon2id). After it come chunks of 64 KiB, the last one
//! shorter or as long, each sealed with XChaCha20-Poly1305. A chunk's nonce is 19 random bytes, its number, and
//! whether it is the last; the line is bound to each. So nothing can be altered, moved, cut off or added without being
//! noticed, and nothing is handed out before it is known to be whole.

use std::io::{self, BufRead, Read, Write};

use argon2::{Algorithm, Argon2, Params, Version};
use base64::{Engine, prelude::BASE64_STANDARD_NO_PAD};
use chacha20poly1305::{
    KeyInit, XChaCha20Poly1305, XNonce,
    aead::{Aead, Payload},
};
use serde::{Deserialize, Serialize};

use crate::{Error, Result, random};

/// What a chunk holds, in bytes.
const CHUNK: usize = 64 << 10;
/// What sealing adds to a chunk, in bytes.
const TAG: usize = 16;
/// The random part of a nonce, in bytes.
const PREFIX: usize = 19;
/// How long the first line may be, in bytes.
const MAX_HEAD: u64 = 4096;
/// How much memory the making of a key may take, in KiB: a head that asks for more is not ours.
const MAX_MEMORY_KIB: u32 = 1 << 20;
const MAX_PASSES: u32 = 32;

/// How the key is made.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Head {
    format: String,
    version: u32,
    memory_kib: u32,
    passes: u32,
    salt: String,
    nonce: String,
}

const FORMAT: &str = "roadstead server backup";
const VERSION: u32 = 1;

struct Cipher {
    cipher: XChaCha20Poly1305,
    prefix: [u8; PREFIX],
    head: Vec<u8>,
    number: u32,
}

impl Cipher {
    fn new(head: &Head, line: &[u8], password: &str) -> Result<Self> {
        let not_ours = || Error::invalid("The file is no backup of a Roadstead server.");
        if head.memory_kib > MAX_MEMORY_KIB || head.passes > MAX_PASSES {
            return Err(not_ours());
        }
        let salt = BASE64_STANDARD_NO_PAD.decode(&head.salt).map_err(|_| not_ours())?;
        let prefix = BASE64_STANDARD_NO_PAD.decode(&head.nonce).map_err(|_| not_ours())?;
        let params = Params::new(head.memory_kib, head.passes, 1, Some(32)).map_err(|_| not_ours())?;
        let mut key = [0; 32];
        Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
            .hash_password_into(password.as_bytes(), &salt, &mut key)
            .map_err(|_| not_ours())?;
        Ok(Self {
            cipher: XChaCha20Poly1305::new(&key.into()),
            prefix: prefix.try_into().map_err(|_| not_ours())?,
            head: line.to_vec(),
            number: 0,
        })
    }

    /// The nonce of the next chunk.
    fn nonce(&mut self, last: bool) -> Result<XNonce> {
        let mut nonce = [0; 24];
        nonce[..PREFIX].copy_from_slice(&self.prefix);
        nonce[PREFIX..23].copy_from_slice(&self.number.to_be_bytes());
        nonce[23] = u8::from(last);
        let too_long = || Error::invalid("The backup is longer than a backup can be.");
        self.number = self.number.checked_add(1).ok_or_else(too_long)?;
        Ok(XNonce::from(nonce))
    }

    fn seal(&mut self, chunk: &[u8], last: bool) -> Result<Vec<u8>> {
        let nonce = self.nonce(last)?;
        let payload = Payload { msg: chunk, aad: &self.head };
        self.cipher.encrypt(&nonce, payload).map_err(|_| Error::internal("The backup could not be sealed."))
    }

    fn open(&mut self, chunk: &[u8], last: bool) -> Result<Vec<u8>> {
        let first = self.number == 0;
        let nonce = self.nonce(last)?;
        let payload = Payload { msg: chunk, aad: &self.head };
        self.cipher.decrypt(&nonce, payload).map_err(|_| {
            Error::invalid(if first {
                "The password is wrong, or the file is damaged."
            } else {
                "The file is damaged or cut off."
            })
        })
    }
}

/// Seals what is written to it.
pub struct Sealer<W> {
    out: W,
    cipher: Cipher,
    chunk: Vec<u8>,
}

impl<W: Write> Sealer<W> {
    /// Begins a sealed stream.
    pub fn new(mut out: W, password: &str) -> Result<Self> {
        let head = Head {
            format: FORMAT.to_owned(),
            version: VERSION,
            memory_kib: 64 << 10,
            passes: 3,
            salt: BASE64_STANDARD_NO_PAD.encode(random::bytes::<16>()?),
            nonce: BASE64_STANDARD_NO_PAD.encode(random::bytes::<PREFIX>()?),
        };
        let line = serde_json::to_vec(&head)
            .map_err(|e| Error::internal("The backup's head could not be written.").caused_by(e))?;
        let cipher = Cipher::new(&head, &line, password)?;
        out.write_all(&line)?;
        out.write_all(b"\n")?;
        Ok(Self { out, cipher, chunk: Vec::with_capacity(CHUNK) })
    }

    /// Ends the stream, and hands back what it was written to.
    pub fn finish(mut self) -> Result<W> {
        let sealed = self.cipher.seal(&self.chunk, true)?;
        self.out.write_all(&sealed)?;
        self.out.flush()?;
        Ok(self.out)
    }
}

impl<W: Write> Write for Sealer<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        // A full chunk goes out only when more comes: which one is the last is known at the end.
        if self.chunk.len() == CHUNK {
            let sealed = self.cipher.seal(&self.chunk, false).map_err(io::Error::other)?;
            self.out.write_all(&sealed)?;
            self.chunk.clear();
        }
        let taken = bytes.len().min(CHUNK - self.chunk.len());
        self.chunk.extend_from_slice(&bytes[..taken]);
        Ok(taken)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Reads what a [`Sealer`] wrote.
pub struct Unsealer<R> {
    input: R,
    cipher: Cipher,
    chunk: Vec<u8>,
    position: usize,
    ended: bool,
}

impl<R: BufRead> Unsealer<R> {
    /// Reads the head, and makes the key of the password. Whether that is right is seen at the first chunk.
    pub fn new(mut input: R, password: &str) -> Result<Self> {
        let not_ours = || Error::invalid("The file is no backup of a Roadstead server.");
        let mut line = Vec::new();
        input.by_ref().take(MAX_HEAD).read_until(b'\n', &mut line)?;
        let line = line.strip_suffix(b"\n").ok_or_else(not_ours)?;
        let head: Head = serde_json::from_slice(line).map_err(|e| not_ours().caused_by(e))?;
        match (head.format.as_str(), head.version) {
            (FORMAT, VERSION) => {}
            (FORMAT, version) => {
                return Err(Error::invalid(format!(
                    "The backup has format {version}, and this version of Roadstead reads {VERSION}."
                )));
            }
            _ => return Err(not_ours()),
        }
        let cipher = Cipher::new(&head, line, password)?;
        Ok(Self { input, cipher, chunk: Vec::new(), position: 0, ended: false })
    }

    fn next_chunk(&mut self) -> Result<()> {
        let mut sealed = Vec::with_capacity(CHUNK + TAG);
        self.input.by_ref().take((CHUNK + TAG) as u64).read_to_end(&mut sealed)?;
        let last = self.input.fill_buf()?.is_empty();
        self.chunk = self.cipher.open(&sealed, last)?;
        self.position = 0;
        self.ended = last;
        Ok(())
    }
}

impl<R: BufRead> Read for Unsealer<R> {
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        while self.position == self.chunk.len() {
            if self.ended {
                return Ok(0);
            }
            self.next_chunk().map_err(io::Error::other)?;
        }
        let taken = bytes.len().min(self.chunk.len() - self.position);
        bytes[..taken].copy_from_slice(&self.chunk[self.position..self.position + taken]);
        self.position += taken;
        Ok(taken)
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Read, Write};

    use proptest::prelude::{ProptestConfig, any, prop_assert, prop_assert_eq, proptest};

    use super::{CHUNK, Sealer, TAG, Unsealer};
    use crate::Result;

    fn seal(content: &[u8]) -> Vec<u8> {
        let mut sealer = Sealer::new(Vec::new(), "right").unwrap();
        sealer.write_all(content).unwrap();
        sealer.finish().unwrap()
    }

    fn open(sealed: &[u8], password: &str) -> Result<Vec<u8>> {
        let mut content = Vec::new();
        Unsealer::new(sealed, password)?.read_to_end(&mut content)?;
        Ok(content)
    }

    #[test]
    fn whatever_its_length_it_comes_back() {
        for length in [0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 2 * CHUNK, 3 * CHUNK + 7] {
            let content: Vec<u8> = (0..length).map(|n| (n % 251) as u8).collect();
            let sealed = seal(&content);
            assert_eq!(open(&sealed, "right").unwrap(), content, "{length}");
        }
    }

    #[test]
    fn a_wrong_password_a_cut_and_what_was_moved_are_noticed() {
        let sealed = seal(&vec![7; 2 * CHUNK + 5]);
        let head = sealed.iter().position(|&b| b == b'\n').unwrap() + 1;
        assert!(open(&sealed, "wrong").is_err());
        for cut in [0, 1, head - 1, head, head + CHUNK + TAG, head + CHUNK, sealed.len() - 1] {
            assert!(open(&sealed[..cut], "right").is_err(), "{cut}");
        }
        let mut swapped = sealed.clone();
        let (first, second) = swapped[head..].split_at_mut(CHUNK + TAG);
        first.swap_with_slice(&mut second[..CHUNK + TAG]);
        assert!(open(&swapped, "right").is_err());
        assert!(open(&[sealed.as_slice(), b"x"].concat(), "right").is_err());
    }

    #[test]
    fn a_head_that_asks_for_too_much_is_refused_before_anything_is_done() {
        let greedy = r#"{"format":"roadstead server backup","version":1,"memory_kib":4294967295,"passes":1,"salt":"AAAAAAAAAAAAAAAAAAAAAA","nonce":"AAAA"}"#;
        assert!(open(format!("{greedy}\nx").as_bytes(), "right").is_err());
        let newer = greedy.replace("\"version\":1", "\"version\":2");
        let error = open(format!("{newer}\n").as_bytes(), "right").unwrap_err();
        assert!(error.message.contains("format 2"), "{error}");
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(12))]
        #[test]
        fn any_changed_byte_is_noticed(at in any::<proptest::sample::Index>(), by in 1..=255u8) {
            let mut sealed = seal(b"some content");
            let at = at.index(sealed.len());
            sealed[at] ^= by;
            prop_assert!(open(&sealed, "right").is_err());
        }

        #[test]
        fn whatever_comes_is_no_panic(bytes in any::<Vec<u8>>()) {
            prop_assert!(open(&bytes, "right").is_err());
            prop_assert_eq!(open(&[b"{\"format\":\"x\"}\n".as_slice(), &bytes].concat(), "right").is_err(), true);
        }
    }
}
