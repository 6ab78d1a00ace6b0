//! Data for the benches: the same bytes on every machine, from nothing but a number.

use std::{fs, io::Write, path::Path};

use anyhow::Result;

/// A small fast generator (xorshift64*): good enough for bytes that do not compress.
pub struct Random(u64);

impl Random {
    /// The generator that this number begins.
    pub fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1)
    }

    /// The next 64 bits.
    pub fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_F491_4F6C_DD1D)
    }

    /// A number below `bound`.
    pub fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound
    }
}

/// Words that text is made of.
const WORDS: [&str; 24] = [
    "let", "return", "struct", "error", "path", "self", "match", "value", "request", "// the", "of a",
    "is not", "=>", "::new()", "{", "}", ";\n    ", "(\"", "\")", "\n\n", "0x1f", "snapshot", "machine",
    "vault",
];

/// Makes a tree of small files: source-like text for the most part, some binary, in folders of 25. Sizes are spread
/// as in source trees: many small, few large; 12.8 KB in the mean.
pub fn small_files(root: &Path, files: u64) -> Result<()> {
    let mut random = Random::new(files);
    for number in 0..files {
        let folder = root.join(format!("{:03}/{:02}", number / 500, number / 25 % 20));
        if number % 25 == 0 {
            fs::create_dir_all(&folder)?;
        }
        let size = 200 + 12_600 * (1 + random.below(100)) / (1 + random.below(100)).max(3) / 5;
        let content = if number % 8 == 0 { binary(&mut random, size) } else { text(&mut random, size) };
        fs::File::create(folder.join(format!("file-{number}.rs")))?.write_all(&content)?;
    }
    Ok(())
}

fn text(random: &mut Random, size: u64) -> Vec<u8> {
    let mut text = Vec::with_capacity(size as usize + 16);
    while (text.len() as u64) < size {
        let word = random.next();
        text.extend_from_slice(WORDS[(word % 24) as usize].as_bytes());
        text.push(b' ');
        if word & 0x700 == 0 {
            text.extend_from_slice(format!("{:x} ", word >> 40).as_bytes());
        }
    }
    text
}

fn binary(random: &mut Random, size: u64) -> Vec<u8> {
    (0..size.div_ceil(8)).flat_map(|_| random.next().to_le_bytes()).collect()
}
