//! Sixteen messages side by side.
//!
//! Each of AVX-512's registers holds a word of sixteen messages, one in each lane. The longest messages come first, and a
//! lane whose message has ended takes the next, so that lanes are idle only at the very end; what few are left then are
//! hashed one by one.
//!
//! Source: FIPS 180-4, sections 4.1.2, 4.2.2, 5.1.1 and 6.2.2.

use std::arch::x86_64::*;
use std::array;

use sha2::block_api::compress256;

use crate::Hash;

/// Messages side by side.
const LANES: usize = 16;
/// A word of every lane's message.
type Word = __m512i;
/// What is hashed in one step.
type Block = [u8; 64];

/// The hash of nothing yet.
const START: [u32; 8] =
    [0x6a09_e667, 0xbb67_ae85, 0x3c6e_f372, 0xa54f_f53a, 0x510e_527f, 0x9b05_688c, 0x1f83_d9ab, 0x5be0_cd19];

/// One for each round.
#[rustfmt::skip]
const K: [u32; 64] = [
    0x428a_2f98, 0x7137_4491, 0xb5c0_fbcf, 0xe9b5_dba5, 0x3956_c25b, 0x59f1_11f1, 0x923f_82a4, 0xab1c_5ed5,
    0xd807_aa98, 0x1283_5b01, 0x2431_85be, 0x550c_7dc3, 0x72be_5d74, 0x80de_b1fe, 0x9bdc_06a7, 0xc19b_f174,
    0xe49b_69c1, 0xefbe_4786, 0x0fc1_9dc6, 0x240c_a1cc, 0x2de9_2c6f, 0x4a74_84aa, 0x5cb0_a9dc, 0x76f9_88da,
    0x983e_5152, 0xa831_c66d, 0xb003_27c8, 0xbf59_7fc7, 0xc6e0_0bf3, 0xd5a7_9147, 0x06ca_6351, 0x1429_2967,
    0x27b7_0a85, 0x2e1b_2138, 0x4d2c_6dfc, 0x5338_0d13, 0x650a_7354, 0x766a_0abb, 0x81c2_c92e, 0x9272_2c85,
    0xa2bf_e8a1, 0xa81a_664b, 0xc24b_8b70, 0xc76c_51a3, 0xd192_e819, 0xd699_0624, 0xf40e_3585, 0x106a_a070,
    0x19a4_c116, 0x1e37_6c08, 0x2748_774c, 0x34b0_bcb5, 0x391c_0cb3, 0x4ed8_aa4a, 0x5b9c_ca4f, 0x682e_6ff3,
    0x748f_82ee, 0x78a5_636f, 0x84c8_7814, 0x8cc7_0208, 0x90be_fffa, 0xa450_6ceb, 0xbef9_a3f7, 0xc671_78f2,
];

/// What of a message is not hashed yet.
struct Rest<'a> {
    /// Its place among the messages.
    number: usize,
    /// Whole blocks of it.
    blocks: &'a [Block],
    /// What follows them: its end, and what the standard puts after that. One block or two.
    end: [Block; 2],
    /// How many of `end` are left, counted from its back.
    ends: usize,
}

impl<'a> Rest<'a> {
    fn new(number: usize, message: &'a [u8]) -> Self {
        let (blocks, last) = message.as_chunks();
        let mut end = [[0; 64]; 2];
        // A one, zeros, and eight bytes that tell the length in bits must fit, too.
        let ends = if last.len() < 56 { 1 } else { 2 };
        let bytes = end.as_flattened_mut();
        let start = bytes.len() - ends * 64;
        bytes[start..start + last.len()].copy_from_slice(last);
        bytes[start + last.len()] = 0x80;
        bytes[120..].copy_from_slice(&(message.len() as u64 * 8).to_be_bytes());
        Self { number, blocks, end, ends }
    }

    /// What to hash next.
    fn next(&self) -> &[Block] {
        if self.blocks.is_empty() { &self.end[2 - self.ends..] } else { self.blocks }
    }

    /// Notes that so many of [`Rest::next`] are hashed; tells whether all is.
    fn pass(&mut self, count: usize) -> bool {
        match self.blocks.get(count..).filter(|_| !self.blocks.is_empty()) {
            Some(rest) => self.blocks = rest,
            None => self.ends -= count,
        }
        self.ends == 0
    }
}

/// The SHA-256 of each message.
#[target_feature(enable = "avx512f,avx512bw")]
pub(crate) fn all(messages: &[&[u8]]) -> Vec<Hash> {
    let mut hashes = vec![[0; 32]; messages.len()];
    let mut order: Vec<usize> = (0..messages.len()).collect();
    order.sort_unstable_by_key(|&number| std::cmp::Reverse(messages[number].len()));
    let mut waiting = order.into_iter().map(|number| Rest::new(number, messages[number]));
    let mut lanes: [Option<Rest<'_>>; LANES] = Default::default();
    let mut state = START.map(|word| _mm512_set1_epi32(word as i32));
    loop {
        for (number, lane) in lanes.iter_mut().enumerate().filter(|(_, lane)| lane.is_none()) {
            *lane = waiting.next();
            set_lane(&mut state, number, START);
        }
        let busy = || lanes.iter().flatten();
        let Some(any) = busy().next().filter(|_| busy().count() >= worthwhile()) else { break };
        let count = busy().map(|rest| rest.next().len()).min().unwrap_or(0);
        // An idle lane does another's work once more.
        step(&mut state, array::from_fn(|lane| lanes[lane].as_ref().unwrap_or(any).next()), count);
        for (number, lane) in lanes.iter_mut().enumerate() {
            if let Some(done) = lane.take_if(|rest| rest.pass(count)) {
                hashes[done.number] = hash(lane_of(&state, number));
            }
        }
    }
    for (number, rest) in lanes.into_iter().enumerate() {
        let Some(mut rest) = rest else { continue };
        let mut state = lane_of(&state, number);
        loop {
            compress256(&mut state, rest.next());
            if rest.pass(rest.next().len()) {
                break;
            }
        }
        hashes[rest.number] = hash(state);
    }
    hashes
}

/// From how many messages on this is faster than one by one.
fn worthwhile() -> usize {
    if is_x86_feature_detected!("sha") { 6 } else { 2 }
}

fn hash(state: [u32; 8]) -> Hash {
    let mut hash = [0; 32];
    hash.as_chunks_mut().0.iter_mut().zip(state).for_each(|(bytes, word)| *bytes = word.to_be_bytes());
    hash
}

#[target_feature(enable = "avx512f")]
fn set_lane(state: &mut [Word; 8], lane: usize, words: [u32; 8]) {
    for (all, word) in state.iter_mut().zip(words) {
        *all = _mm512_mask_set1_epi32(*all, 1 << lane, word as i32);
    }
}

#[target_feature(enable = "avx512f")]
fn lane_of(state: &[Word; 8], lane: usize) -> [u32; 8] {
    let lane = _mm512_set1_epi32(lane as i32);
    state.map(|word| _mm512_cvtsi512_si32(_mm512_permutexvar_epi32(lane, word)) as u32)
}

/// Hashes the first `count` blocks of every lane.
#[target_feature(enable = "avx512f,avx512bw")]
fn step(state: &mut [Word; 8], lanes: [&[Block]; LANES], count: usize) {
    let lanes = lanes.map(|blocks| &blocks[..count]);
    #[allow(clippy::needless_range_loop, reason = "it counts through sixteen slices")]
    for block in 0..count {
        let mut words = transposed(array::from_fn(|lane| words(&lanes[lane][block])));
        let before = *state;
        rounds::<0, true>(state, &mut words);
        rounds::<16, true>(state, &mut words);
        rounds::<32, true>(state, &mut words);
        rounds::<48, false>(state, &mut words);
        for (word, before) in state.iter_mut().zip(before) {
            *word = _mm512_add_epi32(*word, before);
        }
    }
}

/// Sixteen rounds, from the first one's number on. With `MORE` the words of the sixteen that follow take the place
/// of these.
#[target_feature(enable = "avx512f")]
#[inline]
fn rounds<const FIRST: usize, const MORE: bool>(state: &mut [Word; 8], words: &mut [Word; 16]) {
    round::<FIRST, 0, MORE>(state, words);
    round::<FIRST, 1, MORE>(state, words);
    round::<FIRST, 2, MORE>(state, words);
    round::<FIRST, 3, MORE>(state, words);
    round::<FIRST, 4, MORE>(state, words);
    round::<FIRST, 5, MORE>(state, words);
    round::<FIRST, 6, MORE>(state, words);
    round::<FIRST, 7, MORE>(state, words);
    round::<FIRST, 8, MORE>(state, words);
    round::<FIRST, 9, MORE>(state, words);
    round::<FIRST, 10, MORE>(state, words);
    round::<FIRST, 11, MORE>(state, words);
    round::<FIRST, 12, MORE>(state, words);
    round::<FIRST, 13, MORE>(state, words);
    round::<FIRST, 14, MORE>(state, words);
    round::<FIRST, 15, MORE>(state, words);
}

/// One round. What the standard calls a, b, ... h moves on by one place a round; here the words stay, and their names
/// move, so that everything is known when this is compiled and stays in registers.
#[target_feature(enable = "avx512f")]
#[inline]
fn round<const FIRST: usize, const ROUND: usize, const MORE: bool>(
    state: &mut [Word; 8],
    words: &mut [Word; 16],
) {
    let place = |name: usize| (name + 16 - ROUND) % 8;
    let [a, b, c, _, e, f, g, h] = array::from_fn(|name| state[place(name)]);
    let k = _mm512_set1_epi32(K[FIRST + ROUND] as i32);
    let sum1 = xor(_mm512_ror_epi32(e, 6), _mm512_ror_epi32(e, 11), _mm512_ror_epi32(e, 25));
    let choice = _mm512_ternarylogic_epi32(e, f, g, 0xca);
    let first = add(add(h, add(words[ROUND], k)), add(sum1, choice));
    let sum0 = xor(_mm512_ror_epi32(a, 2), _mm512_ror_epi32(a, 13), _mm512_ror_epi32(a, 22));
    let majority = _mm512_ternarylogic_epi32(a, b, c, 0xe8);
    state[place(3)] = add(state[place(3)], first);
    state[place(7)] = add(first, add(sum0, majority));
    if MORE {
        let (x, y) = (words[(ROUND + 1) % 16], words[(ROUND + 14) % 16]);
        let sigma0 = xor(_mm512_ror_epi32(x, 7), _mm512_ror_epi32(x, 18), _mm512_srli_epi32(x, 3));
        let sigma1 = xor(_mm512_ror_epi32(y, 17), _mm512_ror_epi32(y, 19), _mm512_srli_epi32(y, 10));
        words[ROUND] = add(add(words[ROUND], sigma0), add(words[(ROUND + 9) % 16], sigma1));
    }
}

#[target_feature(enable = "avx512f")]
#[inline]
fn add(a: Word, b: Word) -> Word {
    _mm512_add_epi32(a, b)
}

#[target_feature(enable = "avx512f")]
#[inline]
fn xor(a: Word, b: Word, c: Word) -> Word {
    _mm512_ternarylogic_epi32(a, b, c, 0x96)
}

/// The sixteen words of one lane's block.
#[target_feature(enable = "avx512f,avx512bw")]
#[inline]
fn words(block: &Block) -> Word {
    let eight = block.as_chunks().0;
    let [a, b, c, d, e, f, g, h] = array::from_fn(|i| i64::from_le_bytes(eight[i]));
    // The standard's words have their first byte in front.
    let turned = _mm_set_epi64x(0x0c0d_0e0f_0809_0a0b, 0x0405_0607_0001_0203);
    _mm512_shuffle_epi8(_mm512_set_epi64(h, g, f, e, d, c, b, a), _mm512_broadcast_i32x4(turned))
}

/// From a register for each lane to a register for each word, by fours.
#[target_feature(enable = "avx512f")]
#[inline]
fn transposed(lanes: [Word; 16]) -> [Word; 16] {
    // Of four lanes, quarter by quarter: their word 0, 1, 2, 3 of that quarter.
    let fours: [[Word; 4]; 4] = array::from_fn(|four| {
        let [a, b, c, d] = array::from_fn(|lane| lanes[4 * four + lane]);
        let (ab, cd) = (_mm512_unpacklo_epi32(a, b), _mm512_unpacklo_epi32(c, d));
        let (ab2, cd2) = (_mm512_unpackhi_epi32(a, b), _mm512_unpackhi_epi32(c, d));
        [
            _mm512_unpacklo_epi64(ab, cd),
            _mm512_unpackhi_epi64(ab, cd),
            _mm512_unpacklo_epi64(ab2, cd2),
            _mm512_unpackhi_epi64(ab2, cd2),
        ]
    });
    let columns: [[Word; 4]; 4] = array::from_fn(|word| {
        let [a, b, c, d] = array::from_fn(|four| fours[four][word]);
        let (even, odd) = (_mm512_shuffle_i32x4(a, b, 0x88), _mm512_shuffle_i32x4(a, b, 0xdd));
        let (even2, odd2) = (_mm512_shuffle_i32x4(c, d, 0x88), _mm512_shuffle_i32x4(c, d, 0xdd));
        [
            _mm512_shuffle_i32x4(even, even2, 0x88),
            _mm512_shuffle_i32x4(odd, odd2, 0x88),
            _mm512_shuffle_i32x4(even, even2, 0xdd),
            _mm512_shuffle_i32x4(odd, odd2, 0xdd),
        ]
    });
    array::from_fn(|word| columns[word % 4][word / 4])
}
