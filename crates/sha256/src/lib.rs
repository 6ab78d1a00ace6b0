//! SHA-256 of many messages at once.
//!
//! One message after the other is as fast as the processor's own instructions for it allow, each of which waits for the
//! one before. Sixteen messages side by side, one in each lane of AVX-512's registers, take 0.4 of that
//! (docs/decisions/0007). Backups hash all they read, a blob at a time, so there are always many. Where there is no
//! AVX-512, messages are hashed one by one.

#[cfg(target_arch = "x86_64")]
mod lanes;

use sha2::{Digest, Sha256};

/// A hash of 32 bytes.
pub type Hash = [u8; 32];

/// The SHA-256 of each message, in their order.
pub fn all(messages: &[&[u8]]) -> Vec<Hash> {
    #[cfg(target_arch = "x86_64")]
    if messages.len() > 1 && is_x86_feature_detected!("avx512f") && is_x86_feature_detected!("avx512bw") {
        // SAFETY: the processor has both features that the function is made for.
        #[allow(unsafe_code, reason = "no safe code can know what the processor has")]
        return unsafe { lanes::all(messages) };
    }
    messages.iter().map(|message| Sha256::digest(message).into()).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn each(messages: &[&[u8]]) -> Vec<Hash> {
        messages.iter().map(|message| Sha256::digest(message).into()).collect()
    }

    #[test]
    fn around_the_ends_of_blocks_and_for_any_number_of_messages() {
        let bytes: Vec<u8> = (0..400_u32).map(|i| (i * 7 + i / 256) as u8).collect();
        let messages: Vec<&[u8]> = (0..bytes.len()).map(|length| &bytes[..length]).collect();
        for count in (0..40).chain([messages.len()]) {
            assert_eq!(all(&messages[..count]), each(&messages[..count]), "{count} messages");
            assert_eq!(all(&messages[400 - count..]), each(&messages[400 - count..]), "the last {count}");
        }
    }

    #[test]
    fn the_examples_of_the_standard() {
        let million = vec![b'a'; 1_000_000];
        let long = b"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq";
        let hashes = all(&[b"abc", long, &million]);
        let hex = |hash: &Hash| hash.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
        assert_eq!(
            hashes.iter().map(hex).collect::<Vec<_>>(),
            [
                "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
                "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1",
                "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0",
            ]
        );
    }

    proptest! {
        #[test]
        fn whatever_the_lengths(lengths in proptest::collection::vec(0..20_000_usize, 0..60), seed: u8) {
            let bytes: Vec<u8> = (0..20_000_usize).map(|i| (i * 31 + i / 251) as u8 ^ seed).collect();
            let messages: Vec<&[u8]> =
                lengths.iter().map(|&length| &bytes[bytes.len() - length..]).collect();
            prop_assert_eq!(all(&messages), each(&messages));
        }
    }
}
